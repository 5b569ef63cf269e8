//! Tells secrets from other values: from words of prose, switches, paths and references.

use super::names::Kind;

/// Values that say nothing.
const TRIVIAL: &[&str] = &[
    "",
    "true",
    "false",
    "yes",
    "no",
    "y",
    "n",
    "m",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "undefined",
    "unset",
    "empty",
    "<nil>",
    "[]",
    "{}",
    "map[]",
    "redacted",
    "[redacted]",
    "<redacted>",
    "xxxxx",
    "default",
    "auto",
    "disabled",
    "enabled",
    "not",
    "0",
    "1",
    "-1",
    "=",
    "==",
];

/// Words that prose puts behind the name of a secret.
const PROSE: &[&str] = &[
    "is",
    "are",
    "was",
    "has",
    "must",
    "should",
    "may",
    "can",
    "cannot",
    "for",
    "of",
    "to",
    "in",
    "from",
    "required",
    "missing",
    "invalid",
    "incorrect",
    "wrong",
    "expired",
    "empty",
    "unexpected",
    "expected",
    "failed",
    "failure",
    "authentication",
    "prompt",
    "and",
    "or",
    "not",
    "the",
    "a",
    "an",
    "with",
    "was",
    "found",
    "needed",
    "unknown",
    "flag",
    "option",
    "argument",
    "value",
    "requires",
    "mismatch",
    "error",
    "basic",
    "ntlm",
    "digest",
    "bearer",
    "anonymous",
    "optional",
    "plain",
    "tls",
    "file",
    "string",
    "bytes",
    "htpasswd",
    "password",
    "certificate",
    "anonymous",
    "internal",
    "external",
    "could",
    "will",
    "does",
    "cache",
    "bucket",
    "on",
    "at",
    "by",
    "no",
    "unsupported",
    "rejected",
    "accepted",
];

/// The least length of a login that looks like a word.
const LOGIN: usize = 8;

/// Returns true if the value that a name is given is a secret.
pub(super) fn is_secret(value: &str, kind: Kind) -> bool {
    let value = value.trim();
    if is_trivial(value) || is_reference(value) {
        return false;
    }
    match kind {
        Kind::Token if value.len() < 5 && value.bytes().all(|byte| byte.is_ascii_digit()) => false,
        Kind::Password | Kind::Token | Kind::Header => !is_path(value),
        Kind::Key => !is_path(value) && looks_secret(value),
        Kind::Login => {
            let is_long = value.len() >= LOGIN && !is_prose(value) && !value.contains(' ');
            !is_path(value) && (looks_secret(value) || is_long)
        }
        Kind::Any => {
            let has = |is: fn(char) -> bool| value.chars().any(is);
            let is_mixed = has(char::is_alphabetic) && has(|letter| letter.is_ascii_digit());
            value.len() >= 8 && is_mixed && !value.contains(['/', '.', ' '])
        }
    }
}

/// Returns true if a word that may be prose is a secret.
pub(super) fn is_said(value: &str, kind: Kind) -> bool {
    let is_word = value.chars().all(|letter| letter.is_ascii_lowercase());
    let is_sure = matches!(kind, Kind::Password | Kind::Header) || !is_word;
    is_sure && is_field(value, kind)
}

/// Returns true if the value of a field is a secret.
pub(super) fn is_field(value: &str, kind: Kind) -> bool {
    (kind == Kind::Header || !is_prose(value)) && is_secret(value, kind)
}

/// Returns true if a text begins as prose about a secret does.
fn is_prose(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let first = first
        .trim_end_matches([',', '.', ':', ';'])
        .to_ascii_lowercase();
    PROSE.contains(&first.as_str())
}

/// Returns true if a word of prose is a secret: only one that no word is.
pub(super) fn is_told(value: &str, kind: Kind) -> bool {
    let has_digit = value.chars().any(|letter| letter.is_ascii_digit());
    let is_name = value.contains([':', '=', '/', '(', '[', '{']);
    matches!(kind, Kind::Password | Kind::Token)
        && has_digit
        && !is_name
        && looks_secret(value)
        && is_secret(value, kind)
}

fn is_trivial(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    TRIVIAL.contains(&value.as_str()) || value.chars().all(|letter| "*•.-_x".contains(letter))
}

/// Returns true for `$NAME`, `${NAME}` and `{{ template }}`.
fn is_reference(value: &str) -> bool {
    let name = value
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let name = name.or_else(|| value.strip_prefix('$'));
    let is_name = |name: &str| {
        let letters =
            |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
        name.starts_with(|letter: char| letter.is_ascii_uppercase()) && name.chars().all(letters)
    };
    name.is_some_and(is_name) || value.starts_with("{{") || value.starts_with("$(")
}

/// Returns true for an absolute path, or one of a file with an extension.
fn is_path(value: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-@:+".contains(letter);
    let is_absolute = value.starts_with('/') && value[1..].contains(['/', '.']);
    let is_short = matches!(value.strip_prefix('/'), Some(name) if name.chars().all(|c| c.is_ascii_lowercase()));
    let has_extension = value.rsplit_once('.').is_some_and(|(stem, end)| {
        stem.contains('/')
            && (1..=5).contains(&end.len())
            && end.chars().all(|c| c.is_ascii_lowercase())
    });
    let is_relative =
        value.starts_with("./") || value.starts_with("~/") || value.starts_with("file:");
    let is_unlike_base64 = !value.ends_with('=') && !value.contains('+');
    value.chars().all(plain)
        && is_unlike_base64
        && ((is_absolute && is_made_of_words(value)) || is_short || has_extension || is_relative)
}

/// Returns true if no part of a path looks like a random text.
fn is_made_of_words(path: &str) -> bool {
    path.split('/')
        .all(|part| part.len() < 20 || !part.contains(|c: char| c.is_ascii_uppercase()))
}

/// Returns true for a text that no word is: long enough, and of several kinds of letters.
pub(super) fn looks_secret(value: &str) -> bool {
    let has = |is: fn(char) -> bool| value.chars().any(is);
    let inner_capital = value
        .chars()
        .skip(1)
        .any(|letter| letter.is_ascii_uppercase());
    let (digit, letter) = (has(|c| c.is_ascii_digit()), has(char::is_alphabetic));
    let lower = has(|c| c.is_ascii_lowercase());
    let symbol = has(|c| "+/=!$%^*~#@?".contains(c));
    value.len() >= 6
        && !value.contains(char::is_whitespace)
        && ((digit && letter)
            || (inner_capital && lower)
            || (symbol && letter)
            || value.len() >= 32)
}
