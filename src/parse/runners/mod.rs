//! Reads the results of further test runners, each in a file of its own.
//!
//! A run is open from a line that only its runner prints until its summary. An open run owns every
//! line: a run that one of its tests starts, or the output of a test that looks like a result, is
//! output. Lines that prove nothing by themselves (`PASS: x`, ` ✓ x`) are held back until a summary
//! shows whose they are.
//!
//! Every summary is a check. A result that the summary counts and no line names is a case without a
//! name; a run without its summary, or a result that its summary does not count, is a bad case. So
//! a process that dies in the middle never leaves a green job.

mod automake;
mod bats;
mod catch2;
mod ctest;
mod ginkgo;
mod gotestsum;
mod gtest;
mod libtest_json;
mod nextest;
mod prove;
mod pytest;
mod results;
mod unittest;

use std::fmt::Debug;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::finding::CaseSink;
use super::lines::Line;

/// A reader of the output of one test runner.
pub(in crate::parse) trait Runner: Debug + Send {
    /// Takes a line. Returns true if it was one of the runner's own.
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool;

    /// Returns true from the first line of a run until its summary. All lines are its own then.
    fn is_open(&self) -> bool;

    /// Returns true if the next line is wanted, whatever it holds.
    fn wants_all(&self) -> bool {
        self.is_open()
    }

    /// Takes the last of the lines that were passed over.
    fn skipped(&mut self, _last: &str) {}

    /// Ends, because the output is over. `succeeded` is true if the job exited with 0.
    fn finish(&mut self, succeeded: bool, offset: u64, out: &mut CaseSink<'_>);

    /// Returns the words with which a run said that it had no tests.
    fn nothing(&self) -> Option<&str>;

    /// Returns true once after a run that repeated lines of `go test` in its own words.
    fn has_retold_go(&mut self) -> bool {
        false
    }
}

/// The readers of all runners.
#[derive(Debug)]
pub(in crate::parse) struct Runners {
    runners: Vec<Box<dyn Runner>>,
    /// The reader whose run is open.
    open: Option<usize>,
}

impl Default for Runners {
    fn default() -> Self {
        Self {
            runners: vec![
                Box::new(gtest::Gtest::default()),
                Box::new(ctest::Ctest::default()),
                Box::new(pytest::Pytest::default()),
                Box::new(unittest::Unittest::default()),
                Box::new(nextest::Nextest::default()),
                Box::new(libtest_json::LibtestJson::default()),
                Box::new(gotestsum::Gotestsum::default()),
                Box::new(ginkgo::Ginkgo::default()),
                Box::new(bats::Bats::default()),
                Box::new(catch2::Catch2::default()),
                Box::new(prove::Prove::default()),
                Box::new(automake::Automake::default()),
            ],
            open: None,
        }
    }
}

impl Runners {
    /// Returns true if the next line is wanted, whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.runners.iter().any(|runner| runner.wants_all())
    }

    /// Returns true while a run is open.
    pub(in crate::parse) fn has_running(&self) -> bool {
        self.open.is_some()
    }

    /// Takes the last of the lines that were passed over.
    pub(in crate::parse) fn skipped(&mut self, last: &[u8]) {
        let last = String::from_utf8_lossy(last);
        let runners = self.runners.iter_mut();
        runners.for_each(|runner| runner.skipped(&last));
    }

    /// Takes a line. Returns true if it belongs to a run.
    pub(in crate::parse) fn line(
        &mut self,
        text: &str,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if let Some(open) = self.open
            && let Some(runner) = self.runners.get_mut(open)
        {
            let is_own = runner.line(text, at, out);
            if runner.is_open() {
                return true;
            }
            self.open = None;
            if is_own {
                return true;
            }
        }
        for (number, runner) in self.runners.iter_mut().enumerate() {
            if runner.line(text, at, out) {
                self.open = runner.is_open().then_some(number);
                return true;
            }
        }
        false
    }

    /// Ends, because the output is over.
    pub(in crate::parse) fn finish(
        &mut self,
        succeeded: bool,
        offset: u64,
        out: &mut CaseSink<'_>,
    ) {
        for runner in &mut self.runners {
            runner.finish(succeeded, offset, out);
        }
    }

    /// Returns true once after a run whose cases stand for those of `go test` before.
    pub(in crate::parse) fn has_retold_go(&mut self) -> bool {
        let runners = self.runners.iter_mut();
        runners.fold(false, |told, runner| told | runner.has_retold_go())
    }

    /// Returns the words with which a run said that it had no tests.
    pub(in crate::parse) fn nothing(&self) -> Option<&str> {
        self.runners.iter().find_map(|runner| runner.nothing())
    }
}

/// A pattern, compiled at its first use. A test compiles all of them.
#[derive(Debug)]
struct Pattern(LazyLock<Option<Regex>>);

impl Pattern {
    const fn new(compile: fn() -> Option<Regex>) -> Self {
        Self(LazyLock::new(compile))
    }

    fn captures<'a>(&self, text: &'a str) -> Option<Captures<'a>> {
        self.0.as_ref()?.captures(text)
    }

    fn captures_iter<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Captures<'a>> {
        let regex = self.0.as_ref().into_iter();
        regex.flat_map(move |regex| regex.captures_iter(text))
    }

    fn is_match(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// Makes a [`Pattern`] of a literal.
macro_rules! pattern {
    ($text:expr) => {
        $crate::parse::runners::Pattern::new(|| regex::Regex::new($text).ok())
    };
}
use pattern;

/// Returns the number in a group; 0 if the group is not there.
fn number(captures: &Captures<'_>, group: usize) -> u64 {
    let text = captures.get(group).map_or("", |group| group.as_str());
    text.parse().unwrap_or(0)
}

/// Separates `suites/file.py::rest` at the first `mark` into package and name.
fn split_name<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    text.split_once(mark).unwrap_or(("", text))
}
