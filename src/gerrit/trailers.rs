//! Has git place and read trailers as it does without configuration.
//!
//! The user's `trailer.*` settings are for the user's own trailers: with `trailer.ifexists=replace`
//! a new trailer deletes another, and with `trailer.separators` one is not recognised.

use crate::git::{GitError, Repository};

/// The rules by which the lines of a message are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// The beginning of lines that git will remove.
    pub(super) comment: String,
    /// True if a line `---` ends the message.
    pub(super) divider: bool,
}

impl Reading {
    /// Returns the rules for a message of which git removes no line: nothing in it is a comment,
    /// and nothing a divider.
    pub(super) fn literal(message: &[u8]) -> Self {
        let begins = |letter: &char| {
            let mut lines = message.split(|byte| *byte == b'\n');
            lines.any(|line| line.first() == Some(&(*letter as u8)))
        };
        let free = "#;@!$%^&|:~?+=<>".chars().find(|letter| !begins(letter));
        Self {
            comment: free.unwrap_or('\u{1}').to_string(),
            divider: false,
        }
    }

    /// Returns the trailers of the message, one a line.
    pub(super) fn parse(
        &self,
        repository: &Repository,
        message: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        self.interpret(repository, &[], &["--parse"], message)
    }

    /// Adds a trailer.
    pub(super) fn add(
        &self,
        repository: &Repository,
        configuration: &[&str],
        trailer: &str,
        message: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        self.interpret(repository, configuration, &["--trailer", trailer], message)
    }

    fn interpret(
        &self,
        repository: &Repository,
        configuration: &[&str],
        words: &[&str],
        message: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        let key = match self.comment.len() {
            1 => "core.commentChar",
            _ => "core.commentString",
        };
        let comment = format!("{key}={}", self.comment);
        let divider: &[&str] = match self.divider {
            true => &[],
            false => &["--no-divider"],
        };
        let head = ["-c", &comment];
        let call = [
            &head[..],
            configuration,
            &["interpret-trailers"],
            divider,
            words,
        ]
        .concat();
        unconfigured(repository).bytes(call, message)
    }

    /// Returns the message as git will commit it: without comments, what is below the scissors, and
    /// space at the ends of lines.
    pub(super) fn kept(&self, message: &[u8]) -> Vec<u8> {
        let lines = message.split(|byte| *byte == b'\n');
        let mut kept = Vec::new();
        for line in lines.take_while(|line| !self.is_scissors(line)) {
            if !line.starts_with(self.comment.as_bytes()) {
                kept.extend_from_slice(line.trim_ascii_end());
                kept.push(b'\n');
            }
        }
        kept
    }

    /// Returns the message without its comments.
    pub(super) fn without_comments(&self, message: &[u8]) -> Vec<u8> {
        let lines = message.split_inclusive(|byte| *byte == b'\n');
        let own = lines.filter(|line| !line.starts_with(self.comment.as_bytes()));
        own.flatten().copied().collect()
    }

    /// Returns the end of the last line that git will keep and that has a letter.
    pub(super) fn end_of_text(&self, message: &[u8]) -> usize {
        let (mut at, mut end) = (0, 0);
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            if self.is_scissors(line) {
                break;
            }
            at += line.len();
            if !line.starts_with(self.comment.as_bytes()) && !line.trim_ascii().is_empty() {
                end = at;
            }
        }
        end
    }

    fn is_scissors(&self, line: &[u8]) -> bool {
        let rest = line.strip_prefix(self.comment.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(SCISSORS))
    }
}

/// The line below which git keeps nothing, behind the comment character.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";

/// Returns the beginning of the comments that git has put into a message for the editor.
///
/// # Errors
///
/// [`GitError`] if the configuration cannot be read.
pub(super) fn comment_of(repository: &Repository, message: &[u8]) -> Result<String, GitError> {
    let auto = [
        repository.config("core.commentChar")?,
        repository.config("core.commentString")?,
    ];
    if auto.iter().flatten().any(|value| value == "auto") {
        return Ok(chosen_comment(message).to_string());
    }
    let sample = repository.bytes(["stripspace", "--comment-lines"], b"x\n")?;
    let sample = String::from_utf8_lossy(&sample);
    let comment = sample.trim_end().strip_suffix('x').unwrap_or("#");
    Ok(comment.trim_end().to_owned())
}

/// Finds the character that git chose with `core.commentChar=auto`: that of the scissors, else that
/// of the last line, which is git's if anything is.
fn chosen_comment(message: &[u8]) -> char {
    const CHOICE: &[u8] = b"#;@!$%^&|:";
    let lines = || message.split(|byte| *byte == b'\n');
    let scissors =
        lines().find(|line| line.get(1..).is_some_and(|rest| rest.starts_with(SCISSORS)));
    let last = || lines().rfind(|line| !line.trim_ascii().is_empty());
    let is_comment = |line: &&[u8]| matches!(line.get(1), None | Some(b' ' | b'\t'));
    let line = scissors.or_else(|| last().filter(is_comment));
    let first = line.and_then(|line| line.first());
    first
        .filter(|byte| CHOICE.contains(byte))
        .map_or('#', |byte| char::from(*byte))
}

/// Returns the same place without any of the user's configuration: neither of the repository, nor
/// of the user, nor of the machine, nor of the call.
fn unconfigured(repository: &Repository) -> Repository {
    [
        ("GIT_DIR", "/dev/null"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_COUNT", "0"),
        ("GIT_CONFIG_PARAMETERS", ""),
    ]
    .into_iter()
    .fold(repository.clone(), |place, (name, value)| {
        place.with_variable(name, value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_comment_is_that_of_the_scissors_or_of_the_last_line() {
        let cut = format!(
            "a\n\n#12\n{}\n@@ -1 +1 @@\n",
            ";".to_owned() + &String::from_utf8_lossy(SCISSORS)
        );
        assert_eq!(chosen_comment(cut.as_bytes()), ';');
        assert_eq!(
            chosen_comment(b"a\n\n#12\n\n; Please\n;\n;\tnew file\n\n"),
            ';'
        );
        assert_eq!(chosen_comment(b"a\n\n;not one\n"), '#');
        assert_eq!(chosen_comment(b""), '#');
    }

    #[test]
    fn kept_is_what_git_commits() {
        let reading = Reading {
            comment: ";".to_owned(),
            divider: true,
        };
        let message = [b"a \n#1\n; no\n;", SCISSORS, b"\ndiff\n"].concat();
        assert_eq!(reading.kept(&message), b"a\n#1\n");
    }
}
