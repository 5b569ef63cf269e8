//! Collects what proves a failure outside of any case: words of make, cargo and Go whose exit code
//! a loop, a pipe or `|| true` may have lost.
//!
//! A caller passes only lines that no running test can have printed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::clean;
use super::marks::{Anchors, Marks};
use crate::model::{ProvenFailure, Tally};

/// The most errors of make, and the most directories, that are kept.
const MOST: usize = 64;

/// The words with which cargo and rustc give up, behind `error: `.
const CARGO: &[&str] = &[
    "could not compile `",
    "aborting due to ",
    "failed to parse manifest at `",
    "failed to load manifest for ",
    "failed to run custom build command for `",
    "failed to select a version for ",
    "failed to get `",
    "no matching package named `",
    "could not find `Cargo.toml` in ",
    "no test target named `",
    "the lock file ",
];

/// The words with which go gives up, behind `go: `.
const GO: &[&str] = &[
    "cannot find main module",
    "go.mod file not found",
    "errors parsing ",
    "updates to go.mod needed",
    "inconsistent vendoring",
];

/// The words of go about an import that it cannot resolve, behind `file.go:3:2: `.
const IMPORTS: &[&str] = &[
    "no required module provides package ",
    "cannot find package ",
    "cannot find module providing package ",
    "missing go.sum entry for module ",
];

/// The words of failures, as they stand in a line.
const FAILURES: &[&str] = &[
    "--- FAIL: ",
    "FAIL\t",
    "\"Action\":\"fail\"",
    "error: could not compile `",
    "not ok ",
];

static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("error: "));
static GO_FILE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(".go:"));
static MAKE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("make"));
static SEARCHER: LazyLock<Option<Anchors>> = LazyLock::new(|| Anchors::of(FAILURES));

/// An error of make.
#[derive(Debug)]
struct MakeError {
    level: u32,
    said: String,
    is_own: bool,
}

/// The signs of failure.
#[derive(Debug, Default)]
pub(super) struct Proof {
    /// The first words of a compiler, or of what calls it.
    build: Option<String>,
    /// The errors of make that no `(ignored)` covers.
    make: Vec<MakeError>,
    /// True if a program was reported as missing since the last error of make.
    is_missing: bool,
    /// The number of times that the makes of a level entered a directory without leaving it.
    entered: BTreeMap<u32, BTreeMap<String, i64>>,
    /// True if a line of a Go run is its last word `FAIL`.
    go_fail: bool,
    /// True if the last line is the word `FAIL`.
    last_fail: bool,
    /// The first line with a failure of a test that cannot be told.
    lost: Option<String>,
    /// True if Go reported a package as failed.
    pub package_failed: bool,
    /// True if cargo reported a target as failed.
    pub target_failed: bool,
    /// The words about a failure of which the lines do not tell whose it is.
    pub unclear: Option<String>,
}

impl Proof {
    /// Takes a line with these marks, which a running test may have printed if `is_of_test`.
    /// `is_go` is true if lines of `go test` were seen.
    pub(super) fn look(&mut self, text: &str, marks: Marks, is_of_test: bool, is_go: bool) {
        match is_of_test {
            true if marks.has(Marks::OF_MAKE) => self.inner_line(text),
            true => {}
            false if marks.has(Marks::PROOF) => self.line(text, marks, is_go),
            false => self.skipped(text.as_bytes()),
        }
    }

    fn line(&mut self, text: &str, marks: Marks, is_go: bool) {
        let trimmed = text.trim_end();
        if trimmed.is_empty() {
            return;
        }
        let is_fail = trimmed == "FAIL" || is_glued_fail(trimmed);
        self.go_fail |= is_fail && is_go;
        self.last_fail = is_fail;
        // Indented lines and comments quote.
        if text.starts_with([' ', '\t', '#', '|', '>']) {
            return;
        }
        if self.build.is_none() && marks.has(Marks::GIVEN_UP) {
            self.build = gives_up(trimmed).map(str::to_owned);
        }
        if marks.has(Marks::OF_MAKE)
            && let Some((level, said)) = of_make(text)
        {
            self.make_said(level, said);
        }
        if trimmed.starts_with("*** Error code ") && !trimmed.contains("(ignored)") {
            self.add(0, trimmed);
        }
        if self.lost.is_none() && marks.has(Marks::JSON) && text.contains("\"Action\":\"fail\"") {
            self.lost = Some(format!(
                "a line of go test -json that cannot be read tells a failure: {trimmed}"
            ));
        }
    }

    /// Takes a line that may have been printed by a test: only the end of a make counts.
    fn inner_line(&mut self, text: &str) {
        if let Some((level, said)) = of_make(text)
            && said.starts_with("Leaving directory ")
        {
            self.make_said(level, said);
        }
    }

    /// Takes a line that held control characters, and its text without them. A sequence that has no
    /// end hides what follows.
    pub(super) fn hidden(&mut self, bytes: &[u8], text: &str) {
        if SEARCHER
            .as_ref()
            .and_then(|failures| failures.next(bytes, 0))
            .is_none()
        {
            return;
        }
        let raw = String::from_utf8_lossy(bytes);
        // The words of an event stay where only the brace that opens it is taken for the end of a
        // sequence.
        let opened = |text: &str| text.matches("{\"").count();
        let is_cut = |words: &str| words.starts_with('"') && opened(&raw) > opened(text);
        let is_hidden =
            |words: &&&str| raw.contains(**words) && (!text.contains(**words) || is_cut(words));
        if let Some(words) = FAILURES.iter().find(is_hidden) {
            self.lost.get_or_insert_with(|| {
                format!(
                    "the output says `{}` behind control characters",
                    words.trim()
                )
            });
        }
    }

    /// Takes the last of the lines that were passed over.
    pub(super) fn skipped(&mut self, last: &[u8]) {
        self.last_fail &= last.iter().all(u8::is_ascii_whitespace);
    }

    /// Takes the report of a missing program, which explains the next error of make.
    pub(super) fn missing(&mut self) {
        self.is_missing = true;
    }

    fn add(&mut self, level: u32, said: &str) {
        let is_missing = std::mem::take(&mut self.is_missing);
        let is_127 = said.ends_with(" Error 127") || said.ends_with(" Error 126");
        let last = self.make.last();
        let is_by_nested = last.is_some_and(|last| last.level > level && !last.is_own);
        let is_own = !is_missing && !is_127 && !is_by_nested;
        if self.make.len() < MOST {
            self.make.push(MakeError {
                level,
                said: said.to_owned(),
                is_own,
            });
        }
    }

    /// Forgets the last error of the makes that this one calls, with those that caused it.
    fn ignore(&mut self, level: u32) {
        let nested = self
            .make
            .pop_if(|last| last.level > level)
            .map(|last| last.level);
        while let Some(nested) = nested
            && self.make.pop_if(|last| last.level > nested).is_some()
        {}
    }

    fn make_said(&mut self, level: u32, said: &str) {
        if let Some(error) = said.strip_prefix("*** ") {
            let is_echo =
                error.starts_with("Waiting for unfinished jobs") || error.starts_with("Deleting ");
            if error.trim_end().ends_with("(ignored)") {
                self.ignore(level);
            } else if !is_echo {
                self.add(level, said.trim_end());
            }
        } else if said.starts_with('[') && said.trim_end().ends_with("(ignored)") {
            self.ignore(level);
        } else if let Some(directory) = said.strip_prefix("Entering directory ") {
            self.enter(level, directory);
        } else if let Some(directory) = said.strip_prefix("Leaving directory ")
            && let Some(count) =
                (self.entered.get_mut(&level)).and_then(|entered| entered.get_mut(directory))
        {
            *count -= 1;
        }
    }

    fn enter(&mut self, level: u32, directory: &str) {
        let known = (self.entered.get_mut(&level)).and_then(|entered| entered.get_mut(directory));
        if let Some(count) = known {
            *count += 1;
        } else if self.entered.values().map(BTreeMap::len).sum::<usize>() < MOST {
            let entered = self.entered.entry(level).or_default();
            entered.insert(directory.to_owned(), 1);
        }
    }

    /// Returns the proofs that no case of the job tells, the most telling first.
    pub(super) fn told(&self, builds: Option<&str>, tally: &Tally) -> Vec<ProvenFailure> {
        let is_bad = tally.bad() > 0;
        let fail = (self.go_fail || self.last_fail) && !is_bad;
        let fail = fail.then_some("the output says FAIL, and no case of it tells why");
        let package = (self.package_failed && is_bad).then_some("go test reports a failed package");
        let target = (self.target_failed && is_bad).then_some("cargo reports a failed target");
        let own = [
            self.build.as_deref(),
            builds,
            self.unclear.as_deref(),
            self.lost.as_deref(),
            fail,
            package,
            target,
        ];
        let own = own
            .into_iter()
            .flatten()
            .filter_map(|said| proven(said, true));
        let make = self
            .make
            .iter()
            .map(|error| (format!("make says: {}", error.said), error.is_own));
        let entered = self.entered.values().flatten();
        let left = entered.filter(|(_, count)| **count > 0).take(1);
        let left = left.map(|(directory, _)| {
            let said = format!("a make entered {directory} and never left it: it was killed");
            (said, false)
        });
        let make = make
            .chain(left)
            .filter_map(|(said, is_own)| proven(&said, is_own));
        own.chain(make).collect()
    }
}

fn proven(what: &str, is_own: bool) -> Option<ProvenFailure> {
    let what = clean::message(what)?;
    Some(ProvenFailure { what, is_own })
}

/// Returns the words with which a compiler, cargo or go gives up, possibly behind other output.
fn gives_up(text: &str) -> Option<&str> {
    let begins = |at: usize, words: &[&str]| words.iter().any(|word| text[at..].starts_with(word));
    let mut errors = ERROR.find_iter(text.as_bytes());
    if let Some(at) = errors.find(|at| begins(at + ERROR.needle().len(), CARGO)) {
        return Some(&text[at..]);
    }
    let is_go = text
        .strip_prefix("go: ")
        .is_some_and(|rest| GO.iter().any(|word| rest.starts_with(word)));
    let is_import =
        GO_FILE.find(text.as_bytes()).is_some() && IMPORTS.iter().any(|word| text.contains(word));
    (is_go || is_import || is_compiler_error(text)).then_some(text)
}

/// Recognises `x.c:3:5: error: what is wrong`, as gcc and clang print it.
fn is_compiler_error(text: &str) -> bool {
    let ends = |at: usize| {
        let before = &text[..at];
        before
            .strip_suffix(": ")
            .or_else(|| before.strip_suffix(": fatal "))
    };
    let Some(place) = ERROR.find_iter(text.as_bytes()).find_map(ends) else {
        return false;
    };
    let file = place.trim_end_matches(|c: char| c == ':' || c.is_ascii_digit());
    let is_code = [".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".S"]
        .iter()
        .any(|end| file.ends_with(end));
    is_code && file.len() < place.len() && !file.contains(' ')
}

/// Recognises `listening on :80FAIL`: the word stands behind output that lacks its line feed.
fn is_glued_fail(text: &str) -> bool {
    text.strip_suffix("FAIL")
        .and_then(|before| before.chars().next_back())
        .is_some_and(|last| !last.is_whitespace() && !last.is_uppercase())
}

/// Parses `make[2]: what it says`, possibly behind other output. The top make has level 0.
fn of_make(text: &str) -> Option<(u32, &str)> {
    let is_own = |at: &usize| matches!(text.as_bytes().get(at + 4), Some(b':' | b'['));
    let at = MAKE.find_iter(text.as_bytes()).find(is_own)?;
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
        let marks = |line: &str| Marks::of(line.as_bytes());
        lines
            .iter()
            .for_each(|line| proof.line(line, marks(line), true));
        let told = proof.told(None, &Tally::default());
        told.into_iter().map(|failure| failure.what).collect()
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
