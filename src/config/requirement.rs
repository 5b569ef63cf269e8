//! The requirements of a component on the machine: the words of `requires`.

use std::fmt;
use std::str::FromStr;

/// One entry of `requires`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// A program on PATH, with the least version where one is asked for (`go>=1.19`, `cargo`,
    /// `program:jq`).
    Program {
        /// The name.
        name: String,
        /// The least version, as the numbers between the dots.
        at_least: Option<Vec<u32>>,
    },
    /// Kata's tests repository in the GOPATH, on a branch that has the files that v1 needs.
    TestsClone,
    /// A remote `origin` whose target branch resolves.
    Origin,
    /// The user is root.
    Root,
    /// /dev/kvm can be opened.
    Kvm,
}

/// A word that is no requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown requirement `{0}`; known: go, cargo, tests-clone, origin, root, kvm, program:NAME; a version is written `go>=1.19`"
)]
pub struct UnknownRequirement(String);

impl FromStr for Requirement {
    type Err = UnknownRequirement;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownRequirement(text.to_owned());
        let (word, version) = match text.split_once(">=") {
            Some((word, version)) => (word.trim(), Some(version.trim())),
            None => (text.trim(), None),
        };
        let at_least = version.map(numbers).transpose().map_err(|_| unknown())?;
        match word {
            "go" | "cargo" => Ok(Self::Program {
                name: word.to_owned(),
                at_least,
            }),
            _ if at_least.is_none() => simple(word).ok_or_else(unknown),
            _ => program(word)
                .map(|name| Self::Program { name, at_least })
                .ok_or_else(unknown),
        }
    }
}

fn simple(word: &str) -> Option<Requirement> {
    match word {
        "tests-clone" => Some(Requirement::TestsClone),
        "origin" => Some(Requirement::Origin),
        "root" => Some(Requirement::Root),
        "kvm" => Some(Requirement::Kvm),
        _ => program(word).map(|name| Requirement::Program {
            name,
            at_least: None,
        }),
    }
}

fn program(word: &str) -> Option<String> {
    word.strip_prefix("program:")
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

fn numbers(version: &str) -> Result<Vec<u32>, std::num::ParseIntError> {
    version.split('.').map(str::parse).collect()
}

impl Requirement {
    /// Returns the word of a pipeline's file.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Program { name, .. } if !matches!(&**name, "go" | "cargo") => {
                format!("program:{self}")
            }
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program {
                name,
                at_least: None,
            } => formatter.write_str(name),
            Self::Program {
                name,
                at_least: Some(version),
            } => {
                let version: Vec<_> = version.iter().map(u32::to_string).collect();
                write!(formatter, "{name}>={}", version.join("."))
            }
            Self::TestsClone => formatter.write_str("tests-clone"),
            Self::Origin => formatter.write_str("origin"),
            Self::Root => formatter.write_str("root"),
            Self::Kvm => formatter.write_str("kvm"),
        }
    }
}
