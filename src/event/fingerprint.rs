//! The facts that a killed run must find unchanged to go on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Digests of the inputs that the outcome of a run depends on. A digest tells that an input
/// changed, never its value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The digest of the resolved pipeline, with the options given, and of the version of kata-ci.
    pub pipeline: String,
    /// The digest of each variable that jobs get from the user's environment. It is salted with the
    /// run's id, because a proxy's password could be guessed otherwise.
    pub environment: BTreeMap<String, String>,
    /// The digest of each component's repository: its commit, and the content of every tracked file
    /// that differs from it. Kata's tests repository has one too where its scripts are the jobs.
    pub trees: BTreeMap<String, String>,
}

impl Fingerprint {
    /// Describes the differences in words; empty if there are none.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if self.pipeline != now.pipeline {
            differences
                .push("the pipeline, an option that changes it, or kata-ci itself".to_owned());
        }
        let named = |what: &str, names: Vec<&str>| {
            (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
        };
        let variables = changed(&self.environment, &now.environment);
        differences.extend(named("the environment:", variables));
        let trees = changed(&self.trees, &now.trees);
        differences.extend(named("the tracked files of", trees));
        differences
    }
}

/// Returns the names whose digest changed or is missing on one side.
fn changed<'a>(
    before: &'a BTreeMap<String, String>,
    now: &'a BTreeMap<String, String>,
) -> Vec<&'a str> {
    let mut names: Vec<_> = (before.iter())
        .filter(|(name, digest)| now.get(*name) != Some(digest))
        .chain(now.iter().filter(|(name, _)| !before.contains_key(*name)))
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    names
}

/// Computes a hexadecimal SHA-256 over parts. The length precedes each part, so that two lists
/// never look the same.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, digest): &(&str, &str)| ((*name).to_owned(), (*digest).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn what_changed_is_named() {
        let before = Fingerprint {
            pipeline: "a".to_owned(),
            environment: map(&[("CI", "1"), ("PATH", "1"), ("TZ", "1")]),
            trees: map(&[("agent", "1"), ("proxy", "1")]),
        };
        assert_eq!(before.differences(&before), Vec::<String>::new());
        let now = Fingerprint {
            pipeline: "b".to_owned(),
            environment: map(&[("LANG", "1"), ("PATH", "2"), ("TZ", "1")]),
            trees: map(&[("agent", "1"), ("proxy", "2")]),
        };
        assert_eq!(
            before.differences(&now),
            [
                "the pipeline, an option that changes it, or kata-ci itself",
                "the environment: CI, LANG, PATH",
                "the tracked files of proxy",
            ]
        );
    }

    #[test]
    fn a_digest_depends_on_every_part_and_on_where_it_ends() {
        let of = |parts: &[&str]| digest(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(of(&["a", "b"]).len(), 64);
        assert_ne!(of(&["a", "b"]), of(&["ab"]));
        assert_ne!(of(&["a", "b"]), of(&["ab", ""]));
    }
}
