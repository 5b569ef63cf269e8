//! Tells from a name whether its value is a secret: `DB_PASSWORD` is one, `token_file` is none.

/// The kind of secret that a name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A password: its value is one even where it looks like a word.
    Password,
    /// A token: prose speaks of tokens too.
    Token,
    /// Something that is a key, or a path, or a word: its value decides.
    Key,
    /// A login, mostly in base64, or the way of one.
    Login,
    /// A key of any map: `{"key": "zone", "value": "a"}`.
    Any,
    /// A header whose value goes up to the end of its line.
    Header,
}

/// The parts of names that [`kind`] looks at; a text without any of them holds no such name.
pub(super) const STEMS: &str = "pass|pwd|secret|token|key|auth|cred|cookie|psk|init_?data|\
                                params|rootpw|userpw|bindpw|pin|jwt|bearer|sess";

/// The last words of names that only describe a secret: where it lies, how long it is.
const DESCRIPTIONS: &[&str] = &[
    "file",
    "files",
    "path",
    "paths",
    "dir",
    "directory",
    "name",
    "names",
    "type",
    "types",
    "ttl",
    "size",
    "length",
    "len",
    "count",
    "url",
    "uri",
    "endpoint",
    "timeout",
    "algorithm",
    "expiry",
    "expires",
    "expiration",
    "sock",
    "socket",
    "enabled",
    "enable",
    "required",
    "policy",
    "version",
    "format",
    "provider",
    "helper",
    "helpers",
    "store",
    "mode",
    "method",
    "methods",
    "usage",
    "limit",
    "rotation",
    "ref",
    "refs",
    "source",
    "server",
    "service",
    "manager",
    "bucket",
    "id",
    "ids",
    "alias",
    "prompt",
    "attempts",
    "retries",
    "min",
    "max",
    "age",
    "scheme",
    "realm",
    "webhook",
    "audience",
    "audiences",
    "issuer",
    "issuers",
    "ring",
    "rings",
    "map",
    "board",
    "driver",
    "plugin",
    "plugins",
    "agent",
    "pid",
];

/// The last words that follow the name of a secret and change nothing: `client-key-data`.
const SUFFIXES: &[&str] = &[
    "base",
    "data",
    "value",
    "val",
    "text",
    "string",
    "hash",
    "b64",
    "base64",
    "plain",
    "plaintext",
    "old",
    "new",
    "raw",
    "encoded",
    "content",
    "contents",
    "str",
];

const PASSWORDS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "passwort",
    "psk",
    "rootpw",
    "userpw",
    "bindpw",
    "pass",
    "sshpass",
    "userpass",
    "dbpass",
];

const TOKENS: &[&str] = &[
    "token",
    "tokens",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "cred",
    "creds",
    "jwt",
    "apikey",
    "authkey",
    "accesskey",
    "secretkey",
    "privatekey",
    "privkey",
    "initdata",
    "bearer",
    "sessionid",
    "jsessionid",
    "phpsessid",
];

/// The words before `key` that make it a secret for sure.
const KEYS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "priv",
    "master",
    "encryption",
    "encrypt",
    "decryption",
    "signing",
    "account",
    "shared",
    "auth",
    "client",
    "storage",
    "deploy",
    "app",
    "license",
    "hmac",
    "aes",
    "luks",
    "disk",
    "unseal",
    "recovery",
    "webhook",
    "service",
    "admin",
];

/// The words before `key` that make it none.
const PUBLIC_KEYS: &[&str] = &[
    "public",
    "pub",
    "primary",
    "foreign",
    "sort",
    "hot",
    "partition",
    "cache",
    "index",
    "lookup",
    "map",
    "group",
    "routing",
    "label",
    "object",
    "config",
    "sig",
    "trusted",
    "host",
    "any",
];

/// Returns the kind of secret that the value of a name is; `None` if it is none.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let words = words(name);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    if is_of_the_session(&words) {
        return None;
    }
    if words.ends_with(&["init", "data"]) {
        return Some(Kind::Token);
    }
    while words.len() > 1 && words.last().is_some_and(|word| is_suffix(word)) {
        words.pop();
    }
    let (last, before) = words.split_last()?;
    let previous = before.last().copied().unwrap_or_default();
    match (previous, *last) {
        ("secret", "id") | ("kbc", "params") => Some(Kind::Token),
        (_, last) if DESCRIPTIONS.contains(&last) => None,
        // `pass: 3` counts what passed.
        ("", "pass") => Some(Kind::Key),
        (_, "authorization" | "cookie" | "cookies") => Some(Kind::Header),
        (_, "auth") => Some(Kind::Login),
        ("", "key" | "keys") => Some(Kind::Any),
        (previous, "key" | "keys") => key(previous),
        (_, last) if is_password(last) => Some(Kind::Password),
        (_, last) if is_token(last) => Some(Kind::Token),
        _ => None,
    }
}

fn key(previous: &str) -> Option<Kind> {
    match previous {
        word if PUBLIC_KEYS.contains(&word) => None,
        word if KEYS.contains(&word) => Some(Kind::Token),
        _ => Some(Kind::Key),
    }
}

fn is_suffix(word: &str) -> bool {
    SUFFIXES.contains(&word) || word.chars().all(|letter| letter.is_ascii_digit())
}

fn is_password(word: &str) -> bool {
    PASSWORDS.contains(&word)
        || ["password", "passwd", "passphrase"]
            .iter()
            .any(|end| word.ends_with(end))
}

fn is_token(word: &str) -> bool {
    TOKENS.contains(&word)
        || ["token", "secret", "apikey", "credentials"]
            .iter()
            .any(|end| word.ends_with(end))
}

/// Returns true for names whose value is known to be harmless: `PWD` is a directory.
fn is_of_the_session(words: &[&str]) -> bool {
    matches!(words, ["old", "pwd"] | ["oldpwd"])
}

/// Splits a name into lower-case words: at what is no letter or digit, and inside of `camelCase`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let starts = letter.is_ascii_uppercase() && before.is_ascii_lowercase();
        if !letter.is_ascii_alphanumeric() || starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_ascii_alphanumeric()) {
            word.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    for word in &mut words {
        let bare = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
        if !bare.is_empty() {
            word.truncate(bare.len());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_and_of_what_is_none() {
        for name in [
            "password",
            "DB_PASSWORD",
            "rootPassword",
            "dbpassword",
            "MYSQL_ROOT_PASSWORD",
            "passwd",
            "token",
            "GITHUB_TOKEN",
            "splunk-token",
            "identitytoken",
            "_authToken",
            "apiKey",
            "X-Auth-Token",
            "client-key-data",
            "aws_secret_access_key",
            "SECRET",
            "clientSecret",
            "auth",
            "registry.auth",
            "agent.aa_kbc_params",
            "cc_init_data",
            "PRIVATE-TOKEN",
            "secret_id",
            "private_key",
            "TOKEN1",
            "password_hash",
            "key",
            "Authorization",
        ] {
            assert!(kind(name).is_some(), "{name}");
        }
        for name in [
            "token_file",
            "secretName",
            "passwordFile",
            "SSH_AUTH_SOCK",
            "key_id",
            "public_key",
            "PasswordAuthentication",
            "author",
            "keyring",
            "tokenizer",
            "CONFIG_KEYS_COMPAT",
            "monkey",
            "kernel_params",
            "password-file",
            "OLDPWD",
            "authorization-mode",
            "passes",
            "CONFIG_MODULE_SIG_KEY_TYPE_RSA",
            "keymap",
            "compass",
            "kubelet-client-current",
        ] {
            assert!(kind(name).is_none(), "{name} {:?}", kind(name));
        }
    }
}
