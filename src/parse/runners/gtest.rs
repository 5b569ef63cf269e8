//! Reads GoogleTest's console.
//!
//! A test runs from `[ RUN      ]` to a line with a result and its name. What stands between is its
//! output, an inner GoogleTest too.

use super::results::{Explanation, Results, TestResult, Totals};
use super::{Pattern, Runner, number, pattern};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;

static RUNNING: Pattern = pattern!(r"^\[==========\] Running (\d+) tests? from ");
static RAN: Pattern = pattern!(r"^\[==========\] (\d+) tests? from .* ran\.");
static COUNT: Pattern = pattern!(r"^\[  (PASSED  |SKIPPED |FAILED  )\] (\d+) tests?[.,]");
static RESULT: Pattern =
    pattern!(r"\[(       OK |  FAILED  |  SKIPPED )\] (.+?)(?:, where .*)? \((\d+) ms\)$");
static SUITE: Pattern = pattern!(r"^\[  FAILED  \] (.+): (SetUpTestSuite or TearDownTestSuite)");
static PLACE: Pattern = pattern!(r"^(\S.*?):(\d+): (Failure|Skipped)$");

/// Reads runs of GoogleTest.
#[derive(Debug, Default)]
pub(super) struct Gtest {
    run: Option<Run>,
    /// Results of a run that only told its failures (`--gtest_brief`).
    brief: Option<Results>,
    nothing: Option<String>,
}

#[derive(Debug, Default)]
struct Run {
    results: Results,
    said: Explanation,
    /// True if the next lines explain the test.
    explaining: bool,
    /// The numbers of the summary, and the number of tests that ran, once the tests are over.
    summary: Option<(Totals, u64)>,
}

impl Runner for Gtest {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let text = text.trim_end();
        if let Some(run) = &mut self.run {
            if run.line(text, at, out) {
                return true;
            }
            self.end(at, out);
        }
        if let Some(found) = RUNNING.captures(text) {
            let mut results = Results::new(at.start);
            results.expected = Some(number(&found, 1));
            self.run = Some(Run {
                results,
                ..Run::default()
            });
            return true;
        }
        self.brief_line(text, at, out)
    }

    fn is_open(&self) -> bool {
        self.run.is_some()
    }

    fn finish(&mut self, _succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        let at = Line {
            bytes: b"",
            start: offset,
            end: offset,
        };
        self.end(at, out);
        if let Some(results) = self.brief.take() {
            results.die("GoogleTest", offset, out);
        }
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }
}

impl Gtest {
    /// Ends the run: with its summary, or because nothing of it follows.
    fn end(&mut self, at: Line<'_>, out: &mut CaseSink<'_>) {
        match self.run.take() {
            Some(Run {
                results,
                summary: Some((mut totals, ran)),
                ..
            }) => {
                let named = results.counted().failed;
                let told = ran.saturating_sub(totals.passed + totals.skipped);
                totals.failed = told.max(totals.failed).max(named);
                if totals.sum() == 0 {
                    self.nothing = Some("GoogleTest ran 0 tests".to_owned());
                }
                results.close(totals, at, out);
            }
            Some(run) => run.results.die("GoogleTest", at.start, out),
            None => {}
        }
    }

    /// Takes a line of a run that tells its failures and its summary alone.
    fn brief_line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        if let Some((status, name, seconds)) = result(text).filter(|_| text.starts_with('[')) {
            let results = self.brief.get_or_insert_with(|| Results::new(at.start));
            if status == CaseStatus::Failed {
                let result = TestResult {
                    seconds,
                    ..TestResult::new(status)
                };
                let (suite, test) = names(name);
                results.end(suite, test, result, at, out);
            } else if results.counted().sum() == 0 {
                self.brief = None;
            }
            return status == CaseStatus::Failed;
        }
        let Some(found) = RAN.captures(text) else {
            return false;
        };
        self.run = Some(Run {
            results: self.brief.take().unwrap_or_else(|| Results::new(at.start)),
            summary: Some((Totals::default(), number(&found, 1))),
            ..Run::default()
        });
        true
    }
}

impl Run {
    /// Takes a line. Returns false for the first that does not belong to the run.
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        if self.summary.is_some() {
            return self.summary_line(text, at, out);
        }
        let running = self.results.last_running();
        if running.is_some() {
            self.output(text, at, out);
            return true;
        }
        if let Some(name) = text.strip_prefix("[ RUN      ] ") {
            let (suite, test) = names(name);
            self.results.start(suite, test, at, out);
            (self.said, self.explaining) = (Explanation::default(), false);
        } else if let Some(found) = RAN.captures(text) {
            self.summary = Some((Totals::default(), number(&found, 1)));
        } else if RUNNING.is_match(text) {
            return false;
        }
        true
    }

    /// Takes a line while a test runs: its result, or its output.
    fn output(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        if let Some((status, name, seconds)) = result(text) {
            let (suite, test) = names(name);
            if self.results.is_running(suite, test) {
                let result = TestResult {
                    status,
                    seconds,
                    explanation: std::mem::take(&mut self.said),
                    ..TestResult::new(status)
                };
                return self.results.end(suite, test, result, at, out);
            }
        }
        if let Some(found) = PLACE.captures(text).filter(|_| self.said.file.is_none()) {
            self.said.place(&found[1], &found[2]);
            self.explaining = true;
        } else if self.explaining {
            self.explaining = !text.is_empty() && !PLACE.is_match(text);
            if self.explaining {
                self.said.add(text);
            }
        }
    }

    /// Takes a line behind the tests.
    fn summary_line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let Some((totals, _)) = &mut self.summary else {
            return false;
        };
        if let Some(found) = COUNT.captures(text) {
            match &found[1] {
                "PASSED  " => totals.passed = number(&found, 2),
                "SKIPPED " => totals.skipped = number(&found, 2),
                _ => totals.failed = number(&found, 2),
            }
            return true;
        }
        if let Some(found) = SUITE.captures(text) {
            totals.failed += 1;
            let result = TestResult::saying(CaseStatus::Failed, &found[2]);
            self.results.end(&found[1], "(suite)", result, at, out);
            return true;
        }
        let is_counted = text.starts_with(' ') && text.contains(" FAILED TEST");
        text.is_empty()
            || is_counted
            || text.starts_with("[  FAILED  ] ")
            || text.starts_with("[  SKIPPED ] ")
            || text.starts_with("  YOU HAVE ")
    }
}

/// Parses a result, which may stand behind output that lacks its line feed.
fn result(text: &str) -> Option<(CaseStatus, &str, Option<f64>)> {
    if !text.ends_with(" ms)") {
        return None;
    }
    let marks = ["[       OK ] ", "[  FAILED  ] ", "[  SKIPPED ] "];
    let last = marks.iter().filter_map(|mark| text.rfind(mark)).max()?;
    let found = RESULT.captures(&text[last..])?;
    let status = match &found[1] {
        "       OK " => CaseStatus::Passed,
        "  SKIPPED " => CaseStatus::Skipped,
        _ => CaseStatus::Failed,
    };
    let milliseconds: f64 = found[3].parse().ok()?;
    let name = found.get(2)?.as_str();
    Some((status, name, Some(milliseconds / 1000.0)))
}

/// Separates `Suite.Test`.
fn names(name: &str) -> (&str, &str) {
    let name = name.split_once(", where ").map_or(name, |(name, _)| name);
    super::split_name(name, ".")
}
