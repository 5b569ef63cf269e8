//! The name of a change, as people write it: number, Change-Id, commit or URL.

use std::str::FromStr;

use crate::gerrit::change_id::ChangeId;
use crate::gerrit::rest::BaseUrl;

/// A name of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeName {
    /// The name itself.
    pub kind: NameKind,
    /// The number of the patch set; `None` for the current one.
    pub patch_set: Option<u32>,
    /// The server, if the name is a URL.
    pub server: Option<BaseUrl>,
}

/// The kinds of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameKind {
    /// The number, with the project if that is known.
    Number {
        /// The number.
        number: u64,
        /// The project.
        project: Option<String>,
    },
    /// The Change-Id, which several changes can have.
    ChangeId(String),
    /// A commit, perhaps shortened.
    Commit(String),
}

impl FromStr for ChangeName {
    type Err = String;

    /// Parses `1234`, `1234,5`, `1234/5`, `I…`, a commit, and the URL of a change.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = || {
            text.chars()
                .take(80)
                .collect::<String>()
                .escape_debug()
                .to_string()
        };
        let unknown = || {
            format!(
                "`{}` is no change: write its number (1234 or 1234,2), its Change-Id, a commit, or the URL of its page",
                shown()
            )
        };
        if text.starts_with("http://") || text.starts_with("https://") {
            return of_url(text).ok_or_else(unknown);
        }
        let (name, patch_set) = match text.split_once([',', '/']) {
            None => (text, None),
            Some((name, number)) => (name, Some(positive(number).ok_or_else(unknown)?)),
        };
        let patch_set = patch_set.map(u32::try_from).transpose();
        Ok(Self {
            kind: kind(name).ok_or_else(unknown)?,
            patch_set: patch_set.map_err(|_| unknown())?,
            server: None,
        })
    }
}

fn kind(name: &str) -> Option<NameKind> {
    if let Ok(id) = name.parse::<ChangeId>() {
        return Some(NameKind::ChangeId(id.to_string()));
    }
    let is_hex = name.bytes().all(|byte| byte.is_ascii_hexdigit());
    match positive(name) {
        // No server counts as far as an abbreviated commit is long.
        Some(number) if name.len() < 12 => Some(NameKind::Number {
            number,
            project: None,
        }),
        _ if is_hex && (7..=64).contains(&name.len()) => {
            Some(NameKind::Commit(name.to_ascii_lowercase()))
        }
        _ => None,
    }
}

/// Parses `BASE/c/PROJECT/+/N[/PS]`, `BASE/#/c/[PROJECT/+/]N[/PS]`, `BASE/c/N` and `BASE/N`.
fn of_url(text: &str) -> Option<ChangeName> {
    let (scheme, rest) = text.split_once("://")?;
    let (authority, path) = rest.split_once('/')?;
    let (prefix, tail) = match (format!("/{path}").split_once("/#/c/"), path) {
        (Some((prefix, tail)), _) => (prefix.to_owned(), tail.to_owned()),
        (None, path) => {
            let path = format!("/{}", path.split(['?', '#']).next()?);
            match path.split_once("/c/") {
                Some((prefix, tail)) => (prefix.to_owned(), tail.to_owned()),
                None => {
                    let (prefix, number) = path.trim_end_matches('/').rsplit_once('/')?;
                    (prefix.to_owned(), number.to_owned())
                }
            }
        }
    };
    let (project, numbers) = match tail.split_once("/+/") {
        Some((project, numbers)) => (Some(project), numbers),
        None => (None, tail.as_str()),
    };
    let mut numbers = numbers.trim_end_matches('/').split('/');
    let number = positive(numbers.next()?)?;
    let patch_set = match numbers.next() {
        // `1..2` compares two patch sets, and the last is the one to look at.
        Some(text) => match positive(text.rsplit("..").next()?) {
            Some(number) => Some(u32::try_from(number).ok()?),
            // The name of a file.
            None => None,
        },
        None => None,
    };
    let project = project.map(|name| name.replace("%2F", "/").replace("%2f", "/"));
    Some(ChangeName {
        kind: NameKind::Number { number, project },
        patch_set,
        server: Some(format!("{scheme}://{authority}{prefix}").parse().ok()?),
    })
}

fn positive(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_digits && *number > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(number: u64, project: Option<&str>) -> NameKind {
        NameKind::Number {
            number,
            project: project.map(str::to_owned),
        }
    }

    #[test]
    fn every_form() {
        let id = format!("I{}", "0123456789".repeat(4));
        let sha = "abcdef0123".repeat(4);
        for (text, kind, patch_set, server) in [
            ("1234", number(1234, None), None, None),
            ("1234,5", number(1234, None), Some(5), None),
            ("1234/5", number(1234, None), Some(5), None),
            (&id, NameKind::ChangeId(id.clone()), None, None),
            (
                &format!("{id},2"),
                NameKind::ChangeId(id.clone()),
                Some(2),
                None,
            ),
            (&sha, NameKind::Commit(sha.clone()), None, None),
            (
                "ABCDEF0",
                NameKind::Commit("abcdef0".to_owned()),
                None,
                None,
            ),
            (
                "https://h/r/c/kata/proxy/+/12/3/main.go",
                number(12, Some("kata/proxy")),
                Some(3),
                Some("https://h/r"),
            ),
            (
                "http://h:8080/c/x/+/12/1..2",
                number(12, Some("x")),
                Some(2),
                Some("http://h:8080"),
            ),
            (
                "https://h/#/c/12/",
                number(12, None),
                None,
                Some("https://h"),
            ),
            ("https://h/c/12", number(12, None), None, Some("https://h")),
            ("https://h/12", number(12, None), None, Some("https://h")),
            (
                "https://h/c/a%2Fb/+/7?tab=x",
                number(7, Some("a/b")),
                None,
                Some("https://h"),
            ),
        ] {
            let name: ChangeName = text.parse().unwrap();
            assert_eq!((name.kind, name.patch_set), (kind, patch_set), "{text}");
            assert_eq!(
                name.server.map(|url| url.to_string()).as_deref(),
                server,
                "{text}"
            );
        }
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for text in [
            "",
            "0",
            "-1",
            "x",
            "12,",
            "12,0",
            "12,x",
            "abc",
            "refs/heads/x",
            "https://h/",
            "https://ada:s3cret@h/12",
            "https://h/c/x/+/y",
            "1;2",
            "--upload-pack=x",
        ] {
            let error = text.parse::<ChangeName>().unwrap_err();
            assert!(error.contains("is no change"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(https?://)?.{0,40}") {
            let _ = text.parse::<ChangeName>();
        }
    }
}
