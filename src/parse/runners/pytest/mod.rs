//! Reads pytest's console: with `-v`, with `-q`, with dots, with `-s`, and that of xdist.
//!
//! With `-v` each test has its line. While it lacks its result, everything is its output. With dots
//! names come from the short summary (`-rA`, and failures always); the rest is counted by the
//! summary alone.
//!
//! Reports of failures repeat what tests printed, whole runs of pytest among it. A run that begins
//! inside of a report ends there, before the summary of the outer run.

mod grammar;
mod reports;

use super::Runner;
use super::results::{Results, TestResult, Totals};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;
use grammar::{Dots, Verbose};
use reports::Reports;

/// Reads runs of pytest.
#[derive(Debug, Default)]
pub(super) struct Pytest {
    run: Option<Run>,
    nothing: Option<String>,
}

#[derive(Debug, Default)]
struct Run {
    results: Results,
    /// True if the run began with its header. Its summary stands between equal signs then.
    has_header: bool,
    /// True if the tests run in several processes.
    is_parallel: bool,
    /// The result at the end of the running test's last line of output, if there is one.
    maybe: Option<TestResult>,
    /// The number of runs that the running test has begun and not ended.
    inner: u32,
    /// The test whose result came last.
    last: (String, String),
    /// The results that only letters tell.
    dots: Totals,
    /// True once the letters are there for all tests.
    is_complete: bool,
    reports: Option<Reports>,
    /// The reason why pytest left before its end.
    interrupted: Option<String>,
}

impl Runner for Pytest {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let text = text.trim_end();
        let Some(run) = &mut self.run else {
            return self.begin(text, at, out);
        };
        if !run.has_header && run.is_over_silently(text) {
            let totals = run.dots;
            return match self.run.take() {
                Some(run) => {
                    run.results.close(totals, at, out);
                    false
                }
                None => false,
            };
        }
        if let Some(totals) = run.line(text, at, out) {
            self.end(totals, at, out);
        }
        true
    }

    fn is_open(&self) -> bool {
        self.run.is_some()
    }

    fn finish(&mut self, _succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        let at = Line {
            bytes: b"",
            start: offset,
            end: offset,
        };
        if !run.has_header && run.is_complete && run.dots.failed == 0 && run.reports.is_none() {
            return run.results.close(run.dots, at, out);
        }
        if run.results.counted().sum() == 0 {
            run.results.add(run.dots, at, out);
        }
        run.results.die("pytest", offset, out);
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }
}

impl Pytest {
    /// Begins a run at its header, at a line of letters, or at a summary alone.
    fn begin(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let has_header = grammar::is_header(text);
        let mut run = Run {
            results: Results::new(at.start),
            has_header,
            ..Run::default()
        };
        if !has_header {
            if let Some(totals) = grammar::summary(text, false) {
                self.run = Some(run);
                self.end(totals, at, out);
                return true;
            }
            match grammar::dots(text) {
                Some(dots) if dots.percent.is_some() || dots.died => run.dots_line(&dots),
                _ => return false,
            }
        }
        self.run = Some(run);
        true
    }

    /// Ends the run with its summary.
    fn end(&mut self, totals: Totals, at: Line<'_>, out: &mut CaseSink<'_>) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        if totals.sum() == 0 && run.results.counted().sum() == 0 {
            self.nothing = Some("pytest says: no tests ran".to_owned());
        }
        if let Some(reports) = run.reports.take() {
            reports.give(&mut run.results, at, out);
        }
        let mut totals = totals;
        if let Some(why) = run.interrupted.filter(|_| totals.failed == 0) {
            let result = TestResult::saying(CaseStatus::Failed, &why);
            run.results.end("", "(interrupted)", result, at, out);
            totals.failed = 1;
        }
        run.results.close(totals, at, out);
    }
}

impl Run {
    /// Takes a line. Returns the numbers of the summary if it is that.
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> Option<Totals> {
        if let Some(reports) = &mut self.reports {
            let totals = reports.line(text, self.has_header)?;
            return self.is_own(totals).then_some(totals);
        }
        if self.results.last_running().is_some() && !self.is_parallel {
            self.output(text, at, out);
            if self.results.last_running().is_some() {
                return None;
            }
        }
        self.between(text, at, out)
    }

    /// Takes a line while no test is known to run.
    fn between(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> Option<Totals> {
        if let Some(totals) = grammar::summary(text, self.has_header) {
            return Some(totals);
        }
        if let Some(why) = grammar::interruption(text) {
            self.interrupted = Some(why.to_owned());
        } else if let Some(title) = grammar::section(text) {
            self.reports = Some(Reports::new(title));
        } else if let Some(expected) = grammar::collected(text) {
            self.results.expected = Some(expected);
        } else if text.starts_with("scheduling tests via ") {
            self.is_parallel = true;
        } else if let Some(verbose) = grammar::verbose(text) {
            self.verbose(verbose, at, out);
        } else if let Some(dots) = grammar::dots(text) {
            self.dots_line(&dots);
        }
        None
    }

    fn verbose(&mut self, line: Verbose<'_>, at: Line<'_>, out: &mut CaseSink<'_>) {
        let (file, name) = (line.file, line.name);
        let Some(result) = line.result else {
            if !self.results.is_running(file, name) {
                self.results.start(file, name, at, out);
            }
            self.maybe = None;
            self.is_inner(line.rest);
            return;
        };
        let is_teardown = result.status == CaseStatus::Failed
            && (self.last.0.as_str(), self.last.1.as_str()) == (file, name);
        if is_teardown {
            let name = format!("{name} (teardown)");
            self.results.end(file, &name, result, at, out);
        } else {
            self.results.end(file, name, result, at, out);
        }
        self.last = (file.to_owned(), name.to_owned());
    }

    /// Takes a line while a test runs: its result, or its output.
    fn output(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        if self.is_inner(text) {
            return;
        }
        let own = grammar::verbose(text);
        let is_next = own.is_some() || grammar::section(text).is_some();
        let result = match grammar::result(text) {
            Some(result) => Some(result),
            None if is_next => self.maybe.take(),
            None => None,
        };
        let Some(result) = result else {
            // The end of the tests is an empty line, and then a section.
            if own.is_none() && !text.is_empty() {
                self.maybe = grammar::glued_result(text);
            }
            return;
        };
        self.maybe = None;
        if let Some((file, name)) = self.results.last_running() {
            let (file, name) = (file.to_owned(), name.to_owned());
            self.results.end(&file, &name, result, at, out);
            self.last = (file, name);
        }
    }

    /// Returns true if the line belongs to a run of pytest inside of the running test.
    fn is_inner(&mut self, text: &str) -> bool {
        if grammar::is_header(text) {
            self.inner += 1;
        }
        let is_inner = self.inner > 0;
        if is_inner && grammar::summary(text, true).is_some() {
            self.inner -= 1;
        }
        is_inner
    }

    fn dots_line(&mut self, dots: &Dots) {
        self.dots.passed += dots.totals.passed;
        self.dots.failed += dots.totals.failed;
        self.dots.skipped += dots.totals.skipped;
        self.is_complete = dots.percent == Some(100);
    }

    /// Returns true if a summary fits the letters, where there is nothing else to tell it from that
    /// of an inner run.
    fn is_own(&self, totals: Totals) -> bool {
        self.has_header || self.dots.sum() == 0 || totals == self.dots
    }

    /// Returns true if the line shows that the run is over and wrote no summary (`-qq`).
    fn is_over_silently(&self, text: &str) -> bool {
        let is_own = text.is_empty()
            || text.starts_with(['=', '!'])
            || grammar::summary(text, false).is_some()
            || grammar::dots(text).is_some();
        self.is_complete && self.dots.failed == 0 && self.reports.is_none() && !is_own
    }
}
