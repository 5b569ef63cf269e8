//! Parses the dependencies in a commit message.

use std::fmt;

use super::DependencyError;
use crate::gerrit::change_id::ChangeId;

/// A dependency of a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// A pull request: `github.com/kata-containers/runtime#999`, or its URL.
    PullRequest {
        /// `kata-containers/runtime`.
        repository: String,
        /// The number, from 1.
        number: u64,
    },
    /// A change by its Change-Id.
    ChangeId(ChangeId),
    /// A change by its URL.
    Change {
        /// The server's host, without its port, because ssh and http have different ones.
        host: String,
        /// The project's whole name, if the URL has it.
        project: Option<String>,
        /// The number, from 1.
        number: u64,
        /// The patch set, if the URL has it; else the latest is meant.
        patch_set: Option<u32>,
    },
}

/// Returns the dependencies of a message.
///
/// They stand in any line that begins with `Depends-on:` (upper or lower case), as in kata's
/// script. A line may have several, separated by commas or spaces.
///
/// # Errors
///
/// A line that names nothing, or something of another form.
pub fn dependencies(message: &[u8]) -> Result<Vec<Dependency>, DependencyError> {
    const KEY: &str = "depends-on:";
    let text = String::from_utf8_lossy(message);
    let mut found = Vec::new();
    for line in text.lines() {
        let Some((key, rest)) = line.split_at_checked(KEY.len()) else {
            continue;
        };
        if !key.eq_ignore_ascii_case(KEY) {
            continue;
        }
        let malformed = || DependencyError::Malformed {
            text: line.trim_end().escape_debug().to_string(),
        };
        let words: Vec<_> = rest
            .split(|letter: char| letter == ',' || letter.is_whitespace())
            .filter(|word| !word.is_empty())
            .collect();
        if words.is_empty() {
            return Err(malformed());
        }
        for word in words {
            found.push(parse(word).ok_or_else(malformed)?);
        }
    }
    Ok(found)
}

fn parse(word: &str) -> Option<Dependency> {
    if let Ok(id) = word.parse() {
        return Some(Dependency::ChangeId(id));
    }
    let (is_url, rest) = match word.split_once("://") {
        Some(("http" | "https", rest)) => (true, rest),
        Some(_) => return None,
        None => (false, word),
    };
    let (host, path) = rest.split_once('/')?;
    match (host, is_url) {
        ("github.com" | "www.github.com", _) => pull_request(path),
        (_, true) => change(host, path),
        (_, false) => None,
    }
}

/// Parses `OWNER/NAME#N` and `OWNER/NAME/pull/N`.
fn pull_request(path: &str) -> Option<Dependency> {
    let (repository, number) = match path.split_once('#') {
        Some(parts) => parts,
        None => {
            let (repository, rest) = path.split_once("/pull/")?;
            (repository, rest.split('/').next()?)
        }
    };
    let (owner, name) = repository.split_once('/')?;
    (is_name(owner) && is_name(name)).then_some(Dependency::PullRequest {
        repository: repository.to_owned(),
        number: positive(number)?,
    })
}

/// Returns true for a name that GitHub allows and that git cannot take for anything else.
fn is_name(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && !text.starts_with(['-', '.']) && text.bytes().all(good)
}

/// Parses `c/PROJECT/+/N[/PS]`, `c/N`, `#/c/N[/PS]` and `N`, with an optional path of the server
/// before it.
fn change(host: &str, path: &str) -> Option<Dependency> {
    let host = host.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => host.split(':').next()?,
    };
    let path = path
        .split(['?', '#'])
        .next()
        .filter(|path| !path.is_empty())
        .or(path.split_once("#/").map(|(_, rest)| rest))?;
    let (project, tail) = match path.split_once("/+/") {
        Some((project, tail)) => (Some(project_of(project)?), tail),
        None => (None, path.strip_prefix("c/").unwrap_or(path)),
    };
    let mut numbers = tail.trim_end_matches('/').split('/');
    let number = positive(numbers.next()?)?;
    let patch_set = match numbers.next() {
        None => None,
        Some(text) => Some(u32::try_from(positive(text)?).ok()?),
    };
    (!host.is_empty()).then(|| Dependency::Change {
        host: host.to_owned(),
        project,
        number,
        patch_set,
    })
}

/// Returns the project behind `c/`. In some servers' URLs `%2F` stands for `/`.
fn project_of(path: &str) -> Option<String> {
    let name = match path.strip_prefix("c/") {
        Some(name) => name,
        None => path.split_once("/c/")?.1,
    };
    let name = name.replace("%2F", "/").replace("%2f", "/");
    (!name.is_empty()).then_some(name)
}

fn positive(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}

impl fmt::Display for Dependency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PullRequest { repository, number } => {
                write!(formatter, "github.com/{repository}#{number}")
            }
            Self::ChangeId(id) => id.fmt(formatter),
            Self::Change {
                host,
                project,
                number,
                ..
            } => match project {
                Some(project) => write!(formatter, "change {number} of {project} at {host}"),
                None => write!(formatter, "change {number} at {host}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(line: &str) -> Vec<Dependency> {
        dependencies(format!("subject\n\nbody\n{line}\nmore\n").as_bytes()).unwrap()
    }

    fn pull_request(repository: &str, number: u64) -> Dependency {
        Dependency::PullRequest {
            repository: repository.to_owned(),
            number,
        }
    }

    fn change(project: Option<&str>, number: u64, patch_set: Option<u32>) -> Dependency {
        Dependency::Change {
            host: "review.example.com".to_owned(),
            project: project.map(str::to_owned),
            number,
            patch_set,
        }
    }

    #[test]
    fn every_form() {
        let runtime = pull_request("kata-containers/runtime", 999);
        let id = format!("I{}", "0123456789".repeat(4));
        for (line, expected) in [
            (
                "Depends-on: github.com/kata-containers/runtime#999",
                runtime.clone(),
            ),
            (
                "Depends-On:https://github.com/kata-containers/runtime/pull/999/files",
                runtime,
            ),
            (
                &format!("depends-on: {id}  "),
                Dependency::ChangeId(id.parse().unwrap()),
            ),
            (
                "Depends-on: https://review.example.com/c/kata/proxy/+/12/3",
                change(Some("kata/proxy"), 12, Some(3)),
            ),
            (
                "Depends-on: http://review.example.com:8080/r/c/kata%2Fproxy/+/12/",
                change(Some("kata/proxy"), 12, None),
            ),
            (
                "Depends-on: https://review.example.com/#/c/12/",
                change(None, 12, None),
            ),
            (
                "Depends-on: https://review.example.com/c/12",
                change(None, 12, None),
            ),
            (
                "Depends-on: https://review.example.com/12",
                change(None, 12, None),
            ),
        ] {
            assert_eq!(of(line), [expected], "{line}");
        }
    }

    #[test]
    fn several_and_none() {
        let two =
            of("Depends-on: github.com/a/b#1, github.com/a/c#2\nDepends-on: github.com/a/d#3");
        assert_eq!(
            two,
            [
                pull_request("a/b", 1),
                pull_request("a/c", 2),
                pull_request("a/d", 3)
            ]
        );
        assert_eq!(of("This depends-on: nothing, Depends-on it does not"), []);
        assert_eq!(of("Depends"), []);
    }

    #[test]
    fn what_names_nothing_is_refused_with_the_line() {
        for rest in [
            "",
            "runtime#999",
            "kata-containers/runtime#999",
            "github.com/runtime#999",
            "github.com/kata-containers/runtime#0",
            "github.com/kata-containers/runtime#+9",
            "github.com/kata-containers/--upload-pack=x#9",
            "github.com/kata-containers/run time#9",
            "ext::sh -c touch% pwned",
            "https://review.example.com/c/kata/proxy/+/x",
            "https://review.example.com/",
            "I$(touch pwned)",
            "I0000000000000000000000000000000000000000",
        ] {
            let line = format!("Depends-on: {rest}");
            let error = dependencies(format!("a: b\n\n{line}\n").as_bytes()).unwrap_err();
            assert!(error.to_string().contains(line.trim_end()), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_message_makes_it_panic(text in "(?s)Depends-on:.{0,60}") {
            let _ = dependencies(text.as_bytes());
        }
    }
}
