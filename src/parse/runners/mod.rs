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
use super::marks::Marks;

/// A reader of the output of one test runner.
pub(in crate::parse) trait Runner: Debug + Send {
    /// Takes a line. Returns true if it was one of the runner's own.
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool;

    /// Returns true from the first line of a run until its summary.
    fn is_open(&self) -> bool;

    /// Returns true if the next line may be printed by a test. Unless the lines tell when tests
    /// begin, that is so as long as the run is open.
    fn is_in_test(&self) -> bool {
        self.is_open()
    }

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

/// The sign of the only runner whose suites are closed by words that any test can print.
const LOOSE: Marks = Marks::GINKGO;

/// The most bytes that are looked at of a line that was passed over.
const LONGEST: usize = 4096;

/// The readers of all runners.
#[derive(Debug)]
pub(in crate::parse) struct Runners {
    runners: Vec<Reader>,
    /// The reader whose run is open.
    open: Option<usize>,
}

/// A reader, and the marks of the lines with which its runs begin.
#[derive(Debug)]
struct Reader {
    marks: Marks,
    runner: Box<dyn Runner>,
    /// True if it wants the next line, whatever it holds.
    is_waiting: bool,
}

impl Reader {
    fn new(marks: Marks, runner: impl Runner + 'static) -> Self {
        Self {
            marks,
            runner: Box::new(runner),
            is_waiting: false,
        }
    }

    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let is_own = self.runner.line(text, at, out);
        self.is_waiting = self.runner.wants_all();
        is_own
    }
}

impl Default for Runners {
    fn default() -> Self {
        Self {
            runners: vec![
                Reader::new(Marks::GTEST, gtest::Gtest::default()),
                Reader::new(Marks::CTEST, ctest::Ctest::default()),
                Reader::new(Marks::PYTEST, pytest::Pytest::default()),
                Reader::new(Marks::UNITTEST, unittest::Unittest::default()),
                Reader::new(Marks::NEXTEST, nextest::Nextest::default()),
                Reader::new(Marks::LIBTEST_JSON, libtest_json::LibtestJson::default()),
                Reader::new(Marks::GOTESTSUM, gotestsum::Gotestsum::default()),
                Reader::new(Marks::GINKGO, ginkgo::Ginkgo::default()),
                Reader::new(Marks::BATS, bats::Bats::default()),
                Reader::new(Marks::CATCH2, catch2::Catch2::default()),
                Reader::new(Marks::PROVE, prove::Prove::default()),
                Reader::new(Marks::AUTOMAKE, automake::Automake::default()),
            ],
            open: None,
        }
    }
}

impl Runners {
    /// Returns true if the next line is wanted, whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.runners.iter().any(|reader| reader.is_waiting)
    }

    /// Returns true while a test may be running.
    pub(in crate::parse) fn has_running(&self) -> bool {
        let open = self.open.and_then(|open| self.runners.get(open));
        open.is_some_and(|reader| reader.runner.is_in_test())
    }

    /// Returns true if a line that belongs to an open run fits `go test` or cargo as well, as a
    /// failure.
    pub(in crate::parse) fn may_have_failed(&self, text: &str) -> bool {
        let open = self.open.and_then(|open| self.runners.get(open));
        let is_failure = || {
            let is_line = ["FAIL\t", "--- FAIL: ", "error: could not compile `"]
                .iter()
                .any(|words| text.starts_with(words));
            is_line || text.contains("\"Action\":\"fail\"")
        };
        open.is_some_and(|reader| reader.marks == LOOSE) && is_failure()
    }

    /// Takes the last of the lines that were passed over.
    pub(in crate::parse) fn skipped(&mut self, last: &[u8]) {
        let last = String::from_utf8_lossy(&last[..last.len().min(LONGEST)]);
        let readers = self.runners.iter_mut();
        readers.for_each(|reader| reader.runner.skipped(&last));
    }

    /// Takes a line with these marks. Returns true if it belongs to a run.
    pub(in crate::parse) fn line(
        &mut self,
        text: &str,
        marks: Marks,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if let Some(open) = self.open
            && let Some(reader) = self.runners.get_mut(open)
        {
            let is_own = reader.line(text, at, out);
            if reader.runner.is_open() {
                return is_own || reader.runner.is_in_test();
            }
            self.open = None;
            if is_own {
                return true;
            }
        }
        for (number, reader) in self.runners.iter_mut().enumerate() {
            if !reader.is_waiting && !marks.has(reader.marks) {
                reader.runner.skipped(text);
            } else if reader.line(text, at, out) {
                self.open = reader.runner.is_open().then_some(number);
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
        for reader in &mut self.runners {
            reader.runner.finish(succeeded, offset, out);
        }
    }

    /// Returns true once after a run whose cases stand for those of `go test` before.
    pub(in crate::parse) fn has_retold_go(&mut self) -> bool {
        let readers = self.runners.iter_mut();
        readers.fold(false, |told, reader| told | reader.runner.has_retold_go())
    }

    /// Returns the words with which a run said that it had no tests.
    pub(in crate::parse) fn nothing(&self) -> Option<&str> {
        self.runners
            .iter()
            .find_map(|reader| reader.runner.nothing())
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
