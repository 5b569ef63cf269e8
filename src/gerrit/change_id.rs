//! Parses Change-Ids, and adds them as Gerrit's own commit-msg hook does.
//!
//! [`add`] follows the hook of Gerrit 3.10 call by call, so that a message gets the same bytes from
//! either. The tests compare the two on a corpus. `git interpret-trailers` places the trailers.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::bytes::Regex as BytesRegex;

use crate::git::{GitError, Repository};

/// A Change-Id: `I` and 40 lower-case hexadecimal digits that are not all zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChangeId(String);

/// A text that is no Change-Id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no Change-Id: that is `I` and 40 hexadecimal digits (0-9, a-f), not all of them 0"
)]
pub struct MalformedChangeId(pub String);

impl FromStr for ChangeId {
    type Err = MalformedChangeId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('I').unwrap_or_default();
        let hexadecimal = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        let good = digits.len() == 40
            && digits.bytes().all(hexadecimal)
            && digits.bytes().any(|digit| digit != b'0');
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedChangeId(shortened(text)))
        }
    }
}

fn shortened(text: &str) -> String {
    let mut short: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(60)
        .collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl fmt::Display for ChangeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl ChangeId {
    /// Returns the id as written, `I…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The commits that get an id: git's configuration key `gerrit.createChangeId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CreateChangeId {
    /// All but `fixup! ` and the like, which will be squashed.
    #[default]
    Default,
    /// All.
    Always,
    /// No commits.
    Never,
}

/// Git's configuration of Change-Ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeIdSettings {
    /// `gerrit.createChangeId`.
    pub create: CreateChangeId,
    /// `gerrit.reviewUrl`: if set, ids are given as `Link: URL/id/I…`.
    pub review_url: Option<String>,
    /// True if the message is that of a commit, not of an editor: no line of it is a comment, none
    /// a divider.
    pub literal: bool,
}

impl ChangeIdSettings {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// [`GitError`] if the configuration cannot be read.
    pub fn of(repository: &Repository) -> Result<Self, GitError> {
        let create = match repository.config("gerrit.createChangeId")?.as_deref() {
            Some("false") => CreateChangeId::Never,
            Some("always") => CreateChangeId::Always,
            _ => CreateChangeId::Default,
        };
        let review_url = repository.config("gerrit.reviewUrl")?;
        Ok(Self {
            create,
            review_url: review_url.filter(|url| !url.is_empty()),
            literal: false,
        })
    }

    fn trailer(&self, id: &str) -> (&'static str, String) {
        match &self.review_url {
            Some(url) => (
                "Link",
                format!("{}/id/{id}", url.strip_suffix('/').unwrap_or(url)),
            ),
            None => ("Change-Id", id.to_owned()),
        }
    }
}

/// The result of adding an id to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddedChangeId {
    /// The whole new message, which has an id now.
    Message(Vec<u8>),
    /// The message had an id already.
    AlreadyThere,
    /// The configuration does not want one.
    NotWanted,
    /// The commit will be squashed into another one (`fixup! …`).
    ToBeSquashed,
    /// The message is empty without its comments, so git will not commit it.
    Empty,
}

static SQUASHED: LazyLock<Option<BytesRegex>> =
    LazyLock::new(|| BytesRegex::new(r"^(?-u)[a-z]+! ").ok());
static LINK: LazyLock<Option<BytesRegex>> =
    LazyLock::new(|| BytesRegex::new(r"(?m-u)^Link: .*/id/I[0-9a-f]{40}$").ok());

fn matches(pattern: &Option<BytesRegex>, text: &[u8]) -> bool {
    pattern
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(text))
}

/// Returns true if the commit will be squashed into another (`fixup! `, `squash! `, `amend! `).
pub fn is_to_be_squashed(message: &[u8]) -> bool {
    matches(&SQUASHED, message)
}

/// Gives the message an id, if it needs one.
///
/// `seed` makes the id unique besides the message: the committer, the time, and the parent.
///
/// # Errors
///
/// [`GitError`] if git could not place the trailer.
pub fn add(
    repository: &Repository,
    message: &[u8],
    settings: &ChangeIdSettings,
    seed: &[u8],
) -> Result<AddedChangeId, GitError> {
    match settings.create {
        CreateChangeId::Never => return Ok(AddedChangeId::NotWanted),
        CreateChangeId::Default if is_to_be_squashed(message) => {
            return Ok(AddedChangeId::ToBeSquashed);
        }
        CreateChangeId::Default | CreateChangeId::Always => {}
    }
    let own = up_to_scissors(message);
    if repository
        .bytes(["stripspace", "--strip-comments"], &own)?
        .is_empty()
    {
        return Ok(AddedChangeId::Empty);
    }
    if has_id(repository, message, settings)? {
        return Ok(AddedChangeId::AlreadyThere);
    }
    let id = generate(repository, message, seed)?;
    place(repository, message, settings, &id).map(AddedChangeId::Message)
}

/// Returns the seed that Gerrit's hook uses: the committer with the time, and HEAD (the empty tree
/// before the first commit).
///
/// # Errors
///
/// [`GitError`] if git knows no committer.
pub fn seed_of(repository: &Repository) -> Result<Vec<u8>, GitError> {
    let committer = repository.text(["var", "GIT_COMMITTER_IDENT"])?;
    let head = match repository.commit("HEAD")? {
        Some(head) => head,
        None => repository.text(["hash-object", "-t", "tree", "/dev/null"])?,
    };
    Ok(format!("{committer}\n{head}\n").into_bytes())
}

fn generate(repository: &Repository, message: &[u8], seed: &[u8]) -> Result<String, GitError> {
    let hash = repository.bytes(["hash-object", "--stdin"], &[seed, message].concat())?;
    Ok(format!("I{}", String::from_utf8_lossy(&hash).trim_end()))
}

/// Returns the lines up to the first with scissors, that one included.
fn up_to_scissors(message: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        kept.extend_from_slice(line);
        if line.windows(2).any(|pair| pair == b">8") {
            break;
        }
    }
    kept
}

fn has_id(
    repository: &Repository,
    message: &[u8],
    settings: &ChangeIdSettings,
) -> Result<bool, GitError> {
    let trailers = repository.bytes(["interpret-trailers", "--parse"], message)?;
    Ok(match settings.review_url {
        Some(_) => matches(&LINK, &trailers),
        None => trailers
            .split(|byte| *byte == b'\n')
            .any(|line| line.starts_with(b"Change-Id: ")),
    })
}

/// Places the id before the first `Signed-off-by`. A sentinel makes sure that there is one, and is
/// removed again.
///
/// The id is first added as a Signed-off-by of its own, because `trailer.where` places a trailer
/// only beside those of the same key.
fn place(
    repository: &Repository,
    message: &[u8],
    settings: &ChangeIdSettings,
    id: &str,
) -> Result<Vec<u8>, GitError> {
    const KEY: &str = "Signed-off-by: ";
    const SENTINEL: &[u8] = b"Signed-off-by: SENTINEL";
    let (token, value) = settings.trailer(id);
    let literally = match settings.literal {
        true => literally(message),
        false => Vec::new(),
    };
    let interpret = |configuration: &[&str], trailer: &str, message: &[u8]| {
        let mut arguments: Vec<&str> = literally.iter().map(String::as_str).collect();
        arguments.extend(configuration);
        arguments.push("interpret-trailers");
        arguments.extend(settings.literal.then_some("--no-divider"));
        arguments.extend(["--trailer", trailer]);
        repository.bytes(arguments, message)
    };
    let with_sentinel = interpret(&[], &String::from_utf8_lossy(SENTINEL), message)?;
    let trailer = format!("{KEY}{token}: {value}");
    let placed = interpret(&["-c", "trailer.where=before"], &trailer, &with_sentinel)?;
    let disguised = format!("{KEY}{token}: ");
    Ok(placed
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(SENTINEL))
        .flat_map(|line| match line.starts_with(disguised.as_bytes()) {
            true => &line[KEY.len()..],
            false => line,
        })
        .copied()
        .collect())
}

/// Returns configuration with a comment character that begins no line of the message, so that git
/// takes none for a comment.
fn literally(message: &[u8]) -> Vec<String> {
    let begins = |letter: char| {
        message
            .split(|byte| *byte == b'\n')
            .any(|line| line.first() == Some(&(letter as u8)))
    };
    let free = "#;@!$%^&|:~?+=<>".chars().find(|letter| !begins(*letter));
    match free {
        Some(letter) => vec!["-c".to_owned(), format!("core.commentChar={letter}")],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_i_and_forty_digits() {
        let good = format!("I{}", "5f".repeat(20));
        assert_eq!(good.parse::<ChangeId>().unwrap().as_str(), good);
        let bad = [
            format!("I{}", "0".repeat(40)),
            format!("I{}", "5F".repeat(20)),
            format!("i{}", "5f".repeat(20)),
            format!("I{}", "5f".repeat(19)),
            format!("{good}f"),
            format!("{good}\n"),
            "I$(touch /tmp/x)".to_owned(),
            String::new(),
        ];
        for one in bad {
            assert!(one.parse::<ChangeId>().is_err(), "{one}");
        }
    }

    #[test]
    fn squashed_subjects_are_told_by_their_first_word() {
        for message in ["fixup! a: b", "squash! x", "amend! x", "wip! x\nmore"] {
            assert!(is_to_be_squashed(message.as_bytes()), "{message}");
        }
        for message in [
            "Fixup! a",
            "fixup!a",
            " fixup! a",
            "a\nfixup! b",
            "fix up! a",
        ] {
            assert!(!is_to_be_squashed(message.as_bytes()), "{message}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_harmless_in_a_shell(text in ".{0,50}") {
            if let Ok(id) = text.parse::<ChangeId>() {
                prop_assert!(id.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
            }
        }

        #[test]
        fn scissors_end_the_message(head in "[a-z \n]{0,40}", tail in "[a-z>8\n]{0,40}") {
            let message = format!("{head}\n# --- >8 ---\n{tail}");
            let expected = format!("{head}\n# --- >8 ---\n");
            prop_assert_eq!(up_to_scissors(message.as_bytes()), expected.into_bytes());
        }
    }
}
