//! Finds secrets by their own form: URLs with a user, headers, tokens of known services.

use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use regex::Regex;

/// The most bytes of a URL up to its host.
const LONGEST: usize = 2048;

/// The forms whose group `s` is a secret, whatever it is.
const FORMS: &[&str] = &[
    // The query of a URL.
    r"(?i)[?&](?:x-amz-)?(?:sig|signature|credential|security-token|access_token|auth|code)=(?P<s>[^&\s\x22'`<>#]+)",
    // Tokens of services.
    r"\b(?P<s>gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|gl[a-z]{2,6}-[\w-]{16,})",
    r"\b(?P<s>xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{30,})",
    r"\b(?P<s>sk-[A-Za-z0-9_-]{20,}|[spr]k_(?:live|test)_\w{16,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,})",
    r"\b(?P<s>dckr_[a-z]{3}_[\w-]{16,}|hv[sbr]\.[\w-]{16,}|ya29\.[\w-]{16,}|SG\.[\w-]{16,}\.[\w-]{16,}|dop_v1_\w{20,})",
    r"\b(?P<s>eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]+)*)",
    r"(?P<s>K10[0-9a-f]{32,}::[^\s\x22']+)|(?P<t>AGE-SECRET-KEY-1[0-9A-Z]+)|\b(?P<u>sha256~[\w-]{20,})",
    r"hooks\.slack\.com/(?:services|workflows)/(?P<s>[\w/-]+)",
    // A PEM block as base64, as a kubeconfig has it.
    r"(?P<s>LS0tLS1CRUdJTi[A-Za-z0-9+/=]+)",
    // Hashes of passwords.
    r"(?P<s>\$(?:1|2[abxy]?|5|6|y|gy|7|argon2\w*)\$[^\s\x22':,]{8,})",
    // Arguments that take user and password, or a password.
    r"(?:^|[\s\x22',\[])(?:-u|-U|--user|--proxy-user|--creds|--src-creds|--dest-creds)(?:[=\s]|[\x22'],\s*)+[\x22']?[^\s:\x22',=]*[^\s:\x22',=0-9][^\s:\x22',=]*:(?P<s>[^\s\x22']+)",
    r"\b(?:login\b[^\n]*?\s(?:-p|--password)|sshpass\s+-p)[=\s]*[\x22']?(?P<s>[^\s\x22'-][^\s\x22']*)",
    r"\b(?:mysql\w*|mariadb\w*|redis-cli|smbclient)\b[^\n]*?\s-[pa](?P<s>[^\s\x22'=]{4,})",
    r"\b(?:-?pass(?:in|out)?[\s=]+)?\bpass:(?P<s>[^\s\x22',]{3,})",
    r"\blogin\s+\S+\s+password\s+(?P<s>\S+)",
    r"\brequirepass\s+(?P<s>\S+)",
    r"\bsecret,[^\s\x22']*?\bdata=(?P<s>[^,\s\x22']+)",
    // XML.
    r"(?i)<(?:\w+:)?\w*(?:password|passwd|secret|token|apikey)>(?P<s>[^<]+)</",
];

static FORMS_READ: LazyLock<Vec<Regex>> = LazyLock::new(|| FORMS.iter().filter_map(read).collect());

/// The beginning of a URL, also as JSON escapes it.
static SCHEME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"([A-Za-z][A-Za-z0-9+.-]*):(?:\\?/){2}").ok());

/// A value of a proxy without a scheme.
static PROXY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)proxy\w*\\?[\x22']?\s*[=:,\s]\s*\\?[\x22']?(?P<s>[^\s:/\x22'=@]+:[^\s\x22']*)@",
    )
    .ok()
});

static BEARER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bbearer[\s:]+(?P<s>[A-Za-z0-9._~+/=-]{6,})").ok());

static BASIC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bbasic[\s:]+(?P<s>[A-Za-z0-9+/=]{6,})").ok());

/// Words that prose puts behind `bearer`.
const PROSE: &[&str] = &[
    "token",
    "tokens",
    "authentication",
    "authorization",
    "scheme",
    "realm",
    "challenge",
    "header",
    "service",
    "headers",
    "failed",
    "method",
    "required",
    "missing",
];

fn read(form: &&str) -> Option<Regex> {
    Regex::new(form).ok()
}

/// Adds the spans of all secrets that have a form of their own.
pub(super) fn find(text: &str, spans: &mut Vec<Range<usize>>) {
    for form in FORMS_READ.iter() {
        for found in form.captures_iter(text) {
            let group = ["s", "t", "u"].iter().find_map(|name| found.name(name));
            spans.extend(group.map(|group| group.range()));
        }
    }
    spans.extend(users(text));
    let groups = |form: &'static LazyLock<Option<Regex>>| {
        let found = form.iter().flat_map(|form| form.captures_iter(text));
        found.filter_map(|found| found.name("s").map(|group| group.range()))
    };
    spans.extend(groups(&PROXY).filter(|span| !text[span.clone()].contains("://")));
    spans.extend(groups(&BEARER).filter(|span| is_token(&text[span.clone()])));
    spans.extend(groups(&BASIC).filter(|span| is_user(&text[span.clone()])));
}

fn is_token(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let word = word.trim_end_matches(['.', '=', '-', '/']);
    !PROSE.contains(&word) && !word.starts_with("realm=")
}

/// Returns true for base64 of `USER:PASSWORD`.
fn is_user(word: &str) -> bool {
    let decoded = STANDARD
        .decode(word)
        .or_else(|_| STANDARD_NO_PAD.decode(word));
    decoded.is_ok_and(|bytes| bytes.contains(&b':'))
}

/// Returns the users and passwords of all URLs.
fn users(text: &str) -> Vec<Range<usize>> {
    let schemes = SCHEME.iter().flat_map(|scheme| scheme.captures_iter(text));
    let found = schemes.filter_map(|found| {
        let (whole, scheme) = (found.get(0)?, found.get(1)?);
        let quote = text[..whole.start()]
            .chars()
            .next_back()
            .filter(|c| "\"'`".contains(*c));
        let end = user(&text[whole.end()..], quote, scheme.as_str())?;
        Some(whole.end()..whole.end() + end)
    });
    found.collect()
}

/// Returns the length of the user and the password before the host.
fn user(rest: &str, quote: Option<char>, scheme: &str) -> Option<usize> {
    let is_end = |letter: char| match quote {
        Some(quote) => letter == quote || letter == '\n',
        None => letter.is_whitespace() || "\"'`<>".contains(letter),
    };
    let rest = &rest[..rest.floor_char_boundary(LONGEST.min(rest.len()))];
    let url = &rest[..rest.find(is_end).unwrap_or(rest.len())];
    // A list has a URL more behind a comma.
    let url = url.split("://").next().unwrap_or(url);
    let authority = &url[..url.find(['/', '?', '#', '\\']).unwrap_or(url.len())];
    let has_port_only = |authority: &str| {
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let end = match authority.rfind('@') {
        Some(end) => end,
        // A password may hold what should have been escaped.
        None if !has_port_only(authority) && !authority.contains('[') => url.rfind('@')?,
        None => return None,
    };
    let is_login = matches!(
        scheme.to_ascii_lowercase().as_str(),
        "ssh" | "git+ssh" | "sftp" | "rsync"
    );
    let has_password = url[..end].contains(':');
    (end > 0 && (has_password || !is_login)).then_some(end)
}
