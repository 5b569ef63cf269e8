//! Parses Change-Ids, and adds them as Gerrit's own commit-msg hook does.
//!
//! [`add`] follows the hook of Gerrit 3.10 call by call, so that a message gets the same bytes from
//! either. The tests compare the two on a corpus. `git interpret-trailers` places the trailers.
//!
//! It differs where that hook misplaces the id: the user's settings of trailers have no say, and
//! the id always goes to the last paragraph of what git commits.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::bytes::Regex as BytesRegex;

use super::footer::footers;
use super::trailers::{Reading, comment_of};
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
    /// The origin of the message.
    pub origin: MessageOrigin,
}

/// The origin of a message, which tells what git does with its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageOrigin {
    /// An editor: git removes comments.
    #[default]
    Editor,
    /// An option of `git commit`: git keeps every line.
    Option,
    /// A commit: no line of it is a comment, none a divider.
    Commit,
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
            origin: MessageOrigin::of(repository)?,
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

impl MessageOrigin {
    /// Returns the origin of the message that a hook is called for. Git sets `GIT_EDITOR` to `:` if
    /// it starts no editor.
    fn of(repository: &Repository) -> Result<Self, GitError> {
        let no_editor = repository
            .environment()
            .variable("GIT_EDITOR")
            .is_some_and(|editor| editor == ":");
        let cleanup = repository.config("commit.cleanup")?;
        let keeps = |cleanup: &str| ["verbatim", "whitespace"].contains(&cleanup);
        Ok(match no_editor || cleanup.as_deref().is_some_and(keeps) {
            true => Self::Option,
            false => Self::Editor,
        })
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
    let readings = Readings::of(repository, message, settings.origin)?;
    if readings.is_empty(repository, message)? {
        return Ok(AddedChangeId::Empty);
    }
    if has_id(repository, message, settings, &readings)? {
        return Ok(AddedChangeId::AlreadyThere);
    }
    let id = generate(repository, message, seed)?;
    place(repository, message, &settings.trailer(&id), &readings).map(AddedChangeId::Message)
}

/// The readings of a message: that of Gerrit's own hook first, then those that find the last
/// paragraph where that one does not.
struct Readings {
    tried: Vec<Reading>,
    /// Git will remove comments.
    comments: Option<Reading>,
}

impl Readings {
    fn of(
        repository: &Repository,
        message: &[u8],
        origin: MessageOrigin,
    ) -> Result<Self, GitError> {
        let literal = Reading::literal(message);
        if origin == MessageOrigin::Commit {
            return Ok(Self {
                tried: vec![literal],
                comments: None,
            });
        }
        let comment = comment_of(repository, message)?;
        let reading = |divider| Reading {
            comment: comment.clone(),
            divider,
        };
        Ok(match origin {
            MessageOrigin::Editor => Self {
                tried: vec![reading(true), reading(false)],
                comments: Some(reading(false)),
            },
            _ => Self {
                tried: vec![reading(true), literal],
                comments: None,
            },
        })
    }

    fn is_empty(&self, repository: &Repository, message: &[u8]) -> Result<bool, GitError> {
        let own = match &self.comments {
            Some(reading) => reading.without_comments(&up_to_scissors(message)),
            None => message.to_owned(),
        };
        Ok(repository.bytes(["stripspace"], &own)?.is_empty())
    }

    /// Returns the message as git will commit it.
    fn kept(&self, message: &[u8]) -> Vec<u8> {
        match &self.comments {
            Some(reading) => reading.kept(message),
            None => message.to_owned(),
        }
    }
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
    readings: &Readings,
) -> Result<bool, GitError> {
    for reading in &readings.tried {
        let trailers = reading.parse(repository, message)?;
        let mut lines = trailers.split(|byte| *byte == b'\n');
        let found = match &settings.review_url {
            Some(url) => lines.any(|line| is_link(line, url)),
            None => lines.any(|line| line.starts_with(b"Change-Id: ")),
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns true for a link to a change of the server at this URL.
fn is_link(line: &[u8], url: &str) -> bool {
    let server = LinkServer {
        review_url: Some(url.to_owned()),
        host: String::new(),
    };
    let line = String::from_utf8_lossy(line);
    let value = line.strip_prefix("Link: ");
    value.is_some_and(|value| server.linked_id(value).is_some())
}

/// The server whose links name changes. Links to others, or to a tracker, say nothing of a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkServer {
    /// The URL of its web page: git's configuration key `gerrit.reviewUrl`.
    pub review_url: Option<String>,
    /// The host that is pushed to.
    pub host: String,
}

impl LinkServer {
    /// Returns the Change-Id that a link to this server names: `URL/id/I…`.
    pub fn linked_id<'a>(&self, link: &'a str) -> Option<&'a str> {
        let (place, id) = link.rsplit_once("/id/")?;
        let known = self.review_url.as_deref();
        let ours = known.is_some_and(|url| url.trim_end_matches('/') == place)
            || !self.host.is_empty() && host_of(place) == Some(&self.host);
        (ours && id.parse::<ChangeId>().is_ok()).then_some(id)
    }
}

/// Returns the host of a web address.
fn host_of(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or(url.strip_prefix("http://"))?;
    let authority = rest.split('/').next()?;
    Some(authority.split(':').next().unwrap_or(authority))
}

/// Places the id where the server finds it: in the last paragraph of what git will commit.
fn place(
    repository: &Repository,
    message: &[u8],
    trailer: &(&str, String),
    readings: &Readings,
) -> Result<Vec<u8>, GitError> {
    let (key, value) = trailer;
    let visible = |placed: &Vec<u8>| {
        let all = footers(&readings.kept(placed));
        all.iter()
            .any(|footer| footer.is(key) && footer.value == *value)
    };
    let mut first = None;
    for reading in &readings.tried {
        let placed = place_before_sign_off(repository, message, trailer, reading)?;
        if visible(&placed) {
            return Ok(placed);
        }
        first.get_or_insert(placed);
    }
    let appended = appended(message, trailer, readings.comments.as_ref());
    match (visible(&appended), first) {
        (false, Some(first)) => Ok(first),
        _ => Ok(appended),
    }
}

/// Appends a paragraph to the text above git's comments.
fn appended(message: &[u8], trailer: &(&str, String), comments: Option<&Reading>) -> Vec<u8> {
    let end = comments.map_or(message.len(), |reading| reading.end_of_text(message));
    let (text, rest) = message.split_at(end);
    let (key, value) = trailer;
    let paragraph = format!("\n\n{key}: {value}\n");
    [text.trim_ascii_end(), paragraph.as_bytes(), rest].concat()
}

/// Places the id before the first `Signed-off-by`. A sentinel makes sure that there is one, and is
/// removed again.
///
/// The id is first added as a Signed-off-by of its own, because `trailer.where` places a trailer
/// only beside those of the same key.
fn place_before_sign_off(
    repository: &Repository,
    message: &[u8],
    (token, value): &(&str, String),
    reading: &Reading,
) -> Result<Vec<u8>, GitError> {
    const KEY: &str = "Signed-off-by: ";
    const SENTINEL: &str = "Signed-off-by: SENTINEL";
    let with_sentinel = reading.add(repository, &[], SENTINEL, message)?;
    let trailer = format!("{KEY}{token}: {value}");
    let before = ["-c", "trailer.where=before"];
    let placed = reading.add(repository, &before, &trailer, &with_sentinel)?;
    let disguised = format!("{KEY}{token}: ");
    Ok(placed
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(SENTINEL.as_bytes()))
        .flat_map(|line| match line.starts_with(disguised.as_bytes()) {
            true => &line[KEY.len()..],
            false => line,
        })
        .copied()
        .collect())
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
