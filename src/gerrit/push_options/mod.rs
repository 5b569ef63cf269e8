//! The options of a push to `refs/for/…`: checked as Gerrit checks them, encoded as Gerrit decodes
//! them.
//!
//! There are two ways to Gerrit: as push options (`git push -o KEY=VALUE`), or behind a `%` in the
//! name of the ref, separated by commas. The second takes only characters that are valid in a ref's
//! name. Both are split at the first `=`.
//!
//! Gerrit decodes only the value of `message` (`_` and `+` are spaces, `%XX` is a byte). It is
//! encoded here, so the review shows the text that the user typed.
//!
//! An option that Gerrit would refuse is refused here, before anything is sent. Source: Gerrit
//! 3.10, `ReceiveCommits`, tried in the tests.

mod key;
mod reference;

pub use key::{Key, ValueKind};
pub use reference::{NotInReference, suffix};

use std::collections::BTreeSet;
use std::fmt;

use crate::config::closest;

/// The most bytes of an option. Git sends a push option in one packet, which takes 65,516 bytes,
/// and a ref's name shares its packet with two hashes.
const LONGEST: usize = 65_000;
/// The most characters of a topic (`ChangeUtil.TOPIC_MAX_LENGTH`).
const LONGEST_TOPIC: usize = 2048;

/// A valid option with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushOption {
    key: Key,
    /// The value that Gerrit gets after decoding.
    value: Option<String>,
}

/// An option that Gerrit would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOption {
    /// Gerrit does not know it.
    #[error("Gerrit knows no push option `{name}`{}", suggestion.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// The given name.
        name: String,
        /// A similar name.
        suggestion: Option<String>,
    },
    /// The option needs a value, has none, or the value is of another kind.
    #[error("push option `{key}`: {problem}")]
    Value {
        /// The option.
        key: String,
        /// The problem, and what would be right.
        problem: String,
    },
    /// Two options exclude each other.
    #[error("push options `{0}` and `{1}` are mutually exclusive: give one of them")]
    Exclusive(Key, Key),
    /// The option can be given only once.
    #[error("push option `{0}` is given twice with different values: a push has one")]
    Twice(Key),
}

impl PushOption {
    /// Checks the value of an option.
    ///
    /// # Errors
    /// [`InvalidOption::Value`].
    pub fn new(key: Key, value: Option<&str>) -> Result<Self, InvalidOption> {
        check(key, value).map_err(|problem| InvalidOption::Value {
            key: key.to_string(),
            problem,
        })?;
        let value = match key.kind() {
            ValueKind::Flag => None,
            ValueKind::Hashtag => value.map(|tag| tag.trim_start_matches('#').to_owned()),
            _ => value.map(str::to_owned),
        };
        Ok(Self { key, value })
    }

    /// Parses `KEY=VALUE` or `KEY`, as on the command line. The value is meant as it stands, also
    /// that of a message.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`].
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let key = Key::named(name).ok_or_else(|| InvalidOption::Unknown {
            name: name.escape_default().to_string(),
            suggestion: closest(name, Key::names()).map(str::to_owned),
        })?;
        Self::new(key, value)
    }

    /// Returns the key.
    pub fn key(&self) -> Key {
        self.key
    }

    /// Returns the value that Gerrit gets after decoding.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Formats `KEY=VALUE` or `KEY`, encoded.
    fn encoded(&self) -> String {
        match (&self.value, self.key) {
            (None, key) => key.to_string(),
            (Some(text), Key::Message) => format!("{}={}", self.key, percent_encoded(text)),
            (Some(value), key) => format!("{key}={value}"),
        }
    }
}

/// Encodes every byte but letters and digits as `%XX`, so that none has a meaning to Gerrit, to git
/// or in a ref.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

fn check(key: Key, value: Option<&str>) -> Result<(), String> {
    let text = match (key.kind(), value) {
        (ValueKind::Flag, None | Some("true" | "yes" | "on" | "1")) => return Ok(()),
        (ValueKind::Flag, Some(_)) => {
            return Err("takes no value: leave it out to leave it off".into());
        }
        (_, None | Some("")) => return Err("needs a value".into()),
        (_, Some(text)) => text,
    };
    if percent_encoded(text).len() > LONGEST {
        return Err(format!(
            "is too long: {LONGEST} bytes, encoded, can be sent"
        ));
    }
    if key != Key::Message && text.chars().any(char::is_control) {
        return Err("control characters, new lines among them, cannot be sent".into());
    }
    match key.kind() {
        ValueKind::Flag | ValueKind::Text => Ok(()),
        ValueKind::Topic => topic(text),
        ValueKind::Account => account(text),
        ValueKind::Hashtag => hashtag(text),
        ValueKind::Label => label(text),
        ValueKind::Notify => notify(text),
        ValueKind::Commit => commit(text),
    }
}

fn topic(text: &str) -> Result<(), String> {
    if text.chars().count() > LONGEST_TOPIC {
        return Err(format!("is longer than {LONGEST_TOPIC} characters"));
    }
    if text.contains('"') {
        return Err("has a quotation mark, which Gerrit does not take in a topic".into());
    }
    if text.trim() != text {
        return Err("has a space at its beginning or end, which Gerrit would drop".into());
    }
    Ok(())
}

fn account(text: &str) -> Result<(), String> {
    match text.trim() == text {
        true => Ok(()),
        false => Err("has a space at its beginning or end".into()),
    }
}

fn hashtag(text: &str) -> Result<(), String> {
    let tag = text.trim_start_matches('#');
    if tag.is_empty() || tag.trim() != tag {
        return Err("a hashtag is a word or words without a space at the beginning or end".into());
    }
    match tag.contains(',') {
        true => Err("a hashtag has no comma: give the option twice for two hashtags".into()),
        false => Ok(()),
    }
}

/// Checks `Name+1`, `Name-2`, `Name` (which is +1) or `-Name` (which is 0).
fn label(text: &str) -> Result<(), String> {
    let name = match text.strip_prefix('-') {
        Some(name) => name,
        None => text
            .rfind(['+', '-'])
            .filter(|at| {
                let digits = &text[at + 1..];
                !digits.is_empty()
                    && digits.len() <= 4
                    && digits.bytes().all(|byte| byte.is_ascii_digit())
            })
            .map_or(text, |at| &text[..at]),
    };
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let fits = name.bytes().all(good) && !name.starts_with('-') && !name.is_empty();
    match fits {
        true => Ok(()),
        false => Err(
            "a label is written Name+1, Name-1 or -Name, the name of letters, digits and `-`"
                .into(),
        ),
    }
}

fn notify(text: &str) -> Result<(), String> {
    match ["NONE", "OWNER", "OWNER_REVIEWERS", "ALL"].contains(&text) {
        true => Ok(()),
        false => Err("is one of NONE, OWNER, OWNER_REVIEWERS, ALL".into()),
    }
}

fn commit(text: &str) -> Result<(), String> {
    match text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(()),
        false => Err("is a whole commit hash of 40 hexadecimal digits".into()),
    }
}

/// A valid combination of options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushOptions(Vec<PushOption>);

/// Pairs that Gerrit refuses.
const EXCLUSIVE: [(Key, Key); 4] = [
    (Key::Wip, Key::Ready),
    (Key::Private, Key::RemovePrivate),
    (Key::PublishComments, Key::NoPublishComments),
    (Key::Merged, Key::Base),
];

impl PushOptions {
    /// Checks that the options go together. The same option twice with the same value counts once.
    ///
    /// # Errors
    ///
    /// [`InvalidOption::Exclusive`], [`InvalidOption::Twice`].
    pub fn new(options: impl IntoIterator<Item = PushOption>) -> Result<Self, InvalidOption> {
        let mut kept: Vec<PushOption> = Vec::new();
        for option in options {
            if kept.contains(&option) {
                continue;
            }
            if !option.key.is_repeatable() && kept.iter().any(|other| other.key == option.key) {
                return Err(InvalidOption::Twice(option.key));
            }
            kept.push(option);
        }
        let keys: BTreeSet<_> = kept.iter().map(|option| option.key).collect();
        match EXCLUSIVE
            .iter()
            .find(|(one, other)| keys.contains(one) && keys.contains(other))
        {
            Some((one, other)) => Err(InvalidOption::Exclusive(*one, *other)),
            None => Ok(Self(kept)),
        }
    }

    /// Iterates over the options in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &PushOption> {
        self.0.iter()
    }

    /// Iterates over the values of the options with this key.
    pub fn values(&self, key: Key) -> impl Iterator<Item = &str> {
        let options = self.iter().filter(move |option| option.key == key);
        options.filter_map(PushOption::value)
    }

    /// Returns the value of the first option with this key.
    pub fn value(&self, key: Key) -> Option<&str> {
        self.values(key).next()
    }

    /// Returns true if there is an option with this key.
    pub fn has(&self, key: Key) -> bool {
        self.iter().any(|option| option.key == key)
    }

    /// Adds an option, and removes those with its key.
    pub fn put(&mut self, option: PushOption) {
        self.0.retain(|known| known.key != option.key);
        self.0.push(option);
    }

    /// Returns true if there are no options.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the values for `git push -o`.
    pub fn arguments(&self) -> Vec<String> {
        self.iter().map(PushOption::encoded).collect()
    }
}

impl fmt::Display for PushOption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(formatter, "{}={value}", self.key),
            None => write!(formatter, "{}", self.key),
        }
    }
}

#[cfg(test)]
mod tests;
