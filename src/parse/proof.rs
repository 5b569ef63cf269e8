//! Collects what proves a failure outside of any case: words of make, cargo and Go whose exit code
//! a loop, a pipe or `|| true` may have lost.
//!
//! A caller passes only lines that no running test can have printed.

use std::collections::BTreeMap;

use super::clean;
use crate::model::Tally;

/// The most levels of make, and the most directories, that are kept.
const MOST: usize = 64;

/// The signs of failure.
#[derive(Debug, Default)]
pub(super) struct Proof {
    /// The first message of cargo that something does not compile.
    compile: Option<String>,
    /// The first error of each level of make that no `(ignored)` above it covers.
    make: BTreeMap<u32, String>,
    /// The directories that a nested make entered and did not leave, with the level of each.
    entered: BTreeMap<String, i64>,
    /// True if a line is Go's last word `FAIL`.
    go_fail: bool,
    /// True if Go reported a package as failed.
    pub package_failed: bool,
}

impl Proof {
    /// Takes a line. `is_go` is true if lines of `go test` were seen.
    pub(super) fn line(&mut self, text: &str, is_go: bool) {
        if let Some(at) = text.find("error: could not compile `") {
            self.compile.get_or_insert_with(|| text[at..].to_owned());
        }
        let trimmed = text.trim_end();
        self.go_fail |= trimmed == "FAIL" || is_go && is_glued_fail(trimmed);
        if let Some((level, said)) = of_make(text) {
            self.make_said(level, said);
        }
    }

    /// Takes a line that may have been printed by a test: only the end of a make counts.
    pub(super) fn inner_line(&mut self, text: &str) {
        if let Some((level, said)) = of_make(text)
            && said.starts_with("Leaving directory ")
        {
            self.make_said(level, said);
        }
    }

    fn make_said(&mut self, level: u32, said: &str) {
        if said.starts_with("*** ") {
            if self.make.len() < MOST {
                self.make.entry(level).or_insert_with(|| said.to_owned());
            }
        } else if said.starts_with('[') && said.trim_end().ends_with("(ignored)") {
            self.make.retain(|other, _| *other <= level);
        } else if let Some(directory) = said.strip_prefix("Entering directory ") {
            if self.entered.len() < MOST {
                *self
                    .entered
                    .entry(format!("{level} {directory}"))
                    .or_default() += 1;
            }
        } else if let Some(directory) = said.strip_prefix("Leaving directory ")
            && let Some(count) = self.entered.get_mut(&format!("{level} {directory}"))
        {
            *count -= 1;
        }
    }

    /// Returns the proofs that no case of the job tells, in words, the most telling first. Those
    /// that a missing program cannot have caused come with `true`.
    pub(super) fn told(&self, tally: &Tally) -> Vec<(String, bool)> {
        let compile = self.compile.as_deref().map(|said| (said.to_owned(), true));
        let fail = (self.go_fail && tally.bad() == 0).then(|| {
            (
                "go test says FAIL, and no case of it tells why".to_owned(),
                true,
            )
        });
        let package = (self.package_failed && tally.bad() > 0)
            .then(|| ("go test reports a failed package".to_owned(), true));
        let make = self.make.iter().next_back();
        let make = make.map(|(_, said)| (format!("make says: {said}"), false));
        let left = self.entered.iter().find(|(_, count)| **count > 0);
        let left = left.map(|(entered, _)| {
            let directory = entered.split_once(' ').map_or("", |(_, name)| name);
            (
                format!("a make entered {directory} and never left it: it was killed"),
                false,
            )
        });
        let all = [compile, fail, package, make, left].into_iter().flatten();
        all.filter_map(|(said, strong)| Some((clean::message(&said)?, strong)))
            .collect()
    }
}

/// Recognises `listening on :80FAIL`: the word stands behind output that lacks its line feed.
fn is_glued_fail(text: &str) -> bool {
    text.strip_suffix("FAIL")
        .and_then(|before| before.chars().next_back())
        .is_some_and(|last| !last.is_whitespace() && !last.is_uppercase())
}

/// Parses `make[2]: what it says`, possibly behind other output. The top make has level 0.
fn of_make(text: &str) -> Option<(u32, &str)> {
    let at = text
        .find("make: ")
        .into_iter()
        .chain(text.find("make["))
        .min()?;
    let rest = &text[at + 4..];
    if let Some(said) = rest.strip_prefix(": ") {
        return Some((0, said));
    }
    let (level, said) = rest.strip_prefix('[')?.split_once("]: ")?;
    Some((level.parse().ok()?, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &[&str]) -> Vec<String> {
        let mut proof = Proof::default();
        lines.iter().for_each(|line| proof.line(line, true));
        let told = proof.told(&Tally::default());
        told.into_iter().map(|(said, _)| said).collect()
    }

    #[test]
    fn an_error_of_make_counts_unless_the_make_above_ignores_it() {
        let error = "make[1]: *** [Makefile:5: lint] Error 1";
        assert_eq!(
            told(&[error]),
            ["make says: *** [Makefile:5: lint] Error 1"]
        );
        assert!(told(&[error, "make: [Makefile:2: test] Error 2 (ignored)"]).is_empty());
        assert_eq!(
            told(&[error, "make[1]: [Makefile:9: x] Error 2 (ignored)"]).len(),
            1
        );
        assert_eq!(told(&["make[2]: *** [x] Killed"]).len(), 1);
    }

    #[test]
    fn a_make_that_never_leaves_its_directory_was_killed() {
        let enter = "make[1]: Entering directory '/x'";
        assert_eq!(told(&[enter]).len(), 1);
        assert!(told(&[enter, "glued make[1]: Leaving directory '/x'"]).is_empty());
    }

    #[test]
    fn words_of_compilers_and_of_go() {
        assert_eq!(
            told(&["error: could not compile `x` (lib test) due to 1 previous error"]).len(),
            1
        );
        for fail in ["FAIL", "listening on :80FAIL"] {
            assert_eq!(told(&[fail]).len(), 1, "{fail}");
        }
        for other in ["it may FAIL", "XFAIL", "FAILED", "fail"] {
            assert!(told(&[other]).is_empty(), "{other}");
        }
    }
}
