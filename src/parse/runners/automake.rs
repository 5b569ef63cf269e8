//! Reads the results of automake's `make check`, with the parallel harness and the serial one.
//!
//! `PASS: x` proves nothing, since scripts like to print it: such lines are held back until a
//! summary counts them. The serial harness lets the output of tests through. If more such lines
//! were seen than the summary counts, nothing tells which of them are automake's, and cases have no
//! names.

use super::results::{Results, TestResult, Totals};
use super::{Pattern, Runner, number, pattern};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;

static RESULT: Pattern = pattern!(r"^(PASS|FAIL|SKIP|XFAIL|XPASS|ERROR): (\S.*)$");
static COUNT: Pattern = pattern!(r"^# ([A-Z]+): +(\d+)$");
static SERIAL: Pattern = pattern!(
    r"^(?:All )?(\d+)(?: of (\d+))? tests? (passed|failed|behaved as expected|did not behave as expected)(?: \((.*)\))?$"
);
static NOT_RUN: Pattern = pattern!(r"^\((\d+) tests? (?:was|were) not run\)$");

/// The most results that are kept until the summary.
const MOST: usize = 1_000_000;

/// Reads runs of automake's harnesses.
#[derive(Debug, Default)]
pub(super) struct Automake {
    held: Vec<Held>,
    /// True once the logs of failed tests are shown, which repeat results.
    is_dump: bool,
    /// The summary that is being read.
    summary: Option<Summary>,
    /// True if the line before was a result. Equal signs below it make it the heading of a log.
    is_underlined: bool,
    /// True below a line of equal signs, where the serial harness puts its summary.
    below_rule: bool,
    nothing: Option<String>,
}

#[derive(Debug)]
struct Held {
    word: String,
    name: String,
    start: u64,
    end: u64,
}

#[derive(Debug, Default)]
struct Summary {
    totals: Totals,
    is_serial: bool,
    /// True once a number was seen.
    has_counts: bool,
}

impl Runner for Automake {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let text = text.trim_end();
        if self.summary.is_some() {
            return self.summary_line(text, at, out);
        }
        let below_rule = std::mem::replace(&mut self.below_rule, is_rule(text));
        let is_underlined = std::mem::take(&mut self.is_underlined);
        if is_rule(text) {
            if is_underlined {
                self.underline(text);
            }
            return false;
        }
        if text.starts_with("Testsuite summary for ") && below_rule {
            self.summary = Some(Summary::default());
            return true;
        }
        if below_rule && let Some(totals) = self.serial(text) {
            self.summary = Some(Summary {
                totals,
                is_serial: true,
                has_counts: true,
            });
            return true;
        }
        if let Some(found) = RESULT.captures(text).filter(|_| !self.is_dump) {
            if self.held.len() < MOST {
                self.held.push(Held {
                    word: found[1].to_owned(),
                    name: found[2].to_owned(),
                    start: at.start,
                    end: at.end,
                });
            }
            self.is_underlined = true;
            return true;
        }
        false
    }

    fn is_open(&self) -> bool {
        self.summary.is_some()
    }

    fn wants_all(&self) -> bool {
        self.summary.is_some() || self.below_rule || self.is_underlined
    }

    fn finish(&mut self, succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        let at = Line {
            bytes: b"",
            start: offset,
            end: offset,
        };
        if self.summary.is_some() {
            self.close(at, out);
        } else if !succeeded && self.held.iter().any(Held::is_of_file) {
            let mut results = Results::new(offset);
            self.give(&mut results, out);
            results.die("automake", offset, out);
        }
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }
}

impl Automake {
    /// Takes an underlined result: the heading of a log.
    fn underline(&mut self, rule: &str) {
        let heading = self
            .held
            .last()
            .map(|last| last.word.len() + last.name.len() + 2);
        if heading == Some(rule.len()) {
            self.held.pop();
            self.is_dump = true;
        }
    }

    fn summary_line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let Some(summary) = &mut self.summary else {
            return false;
        };
        if let Some(found) = COUNT.captures(text).filter(|_| !summary.is_serial) {
            let count = number(&found, 2);
            summary.has_counts = true;
            match &found[1] {
                "PASS" => summary.totals.passed += count,
                "SKIP" | "XFAIL" => summary.totals.skipped += count,
                "FAIL" | "XPASS" | "ERROR" => summary.totals.failed += count,
                _ => {}
            }
            return true;
        }
        if let Some(found) = NOT_RUN.captures(text).filter(|_| summary.is_serial) {
            summary.totals.skipped += number(&found, 1);
            return true;
        }
        if is_rule(text) && !summary.has_counts {
            return true;
        }
        let is_own = is_rule(text) || text.starts_with("See ") || text.starts_with("Please report");
        if !is_own || is_rule(text) {
            self.close(at, out);
        }
        is_own
    }

    /// Parses the summary of the serial harness, in which expected failures count as good.
    fn serial(&self, text: &str) -> Option<Totals> {
        let found = SERIAL.captures(text)?;
        let first = number(&found, 1);
        let is_bad = matches!(&found[3], "failed" | "did not behave as expected");
        let expected = self.held.iter().filter(|held| held.word == "XFAIL");
        let expected = expected.count() as u64;
        let (all, failed) = match (is_bad, found.get(2)) {
            (true, Some(_)) => (number(&found, 2), first),
            (true, None) => (first, first),
            _ => (first, 0),
        };
        let expected = expected.min(all.saturating_sub(failed));
        Some(Totals {
            passed: all.saturating_sub(failed + expected),
            failed,
            skipped: expected,
        })
    }

    fn close(&mut self, at: Line<'_>, out: &mut CaseSink<'_>) {
        let totals = self.summary.take().unwrap_or_default().totals;
        (self.is_dump, self.below_rule) = (false, false);
        if totals.sum() == 0 {
            self.nothing = Some("automake ran 0 tests".to_owned());
        }
        let start = self.held.first().map_or(at.start, |held| held.start);
        let mut results = Results::new(start);
        let mut seen = Totals::default();
        for held in &self.held {
            match held.status() {
                CaseStatus::Passed => seen.passed += 1,
                CaseStatus::Skipped => seen.skipped += 1,
                _ => seen.failed += 1,
            }
        }
        if seen == totals {
            self.give(&mut results, out);
        }
        self.held.clear();
        results.close(totals, at, out);
    }

    fn give(&mut self, results: &mut Results, out: &mut CaseSink<'_>) {
        for held in self.held.drain(..) {
            let at = Line {
                bytes: b"",
                start: held.start,
                end: held.end,
            };
            let said = match held.word.as_str() {
                "XFAIL" => "failed as expected",
                "XPASS" => "passed, and was expected to fail",
                "ERROR" => "ended with a hard error",
                _ => "",
            };
            let result = TestResult::saying(held.status(), said);
            let (name, code) = (held.name.as_str(), held.name.find(" (exit status: "));
            let name = code.map_or(name, |code| &name[..code]);
            results.end("", name, result, at, out);
        }
    }
}

impl Held {
    fn status(&self) -> CaseStatus {
        match self.word.as_str() {
            "PASS" => CaseStatus::Passed,
            "SKIP" | "XFAIL" => CaseStatus::Skipped,
            _ => CaseStatus::Failed,
        }
    }

    /// Returns true if the name can be that of a program in `TESTS`.
    fn is_of_file(&self) -> bool {
        !self.name.contains([' ', ':']) || self.name.contains(" (exit status: ")
    }
}

fn is_rule(text: &str) -> bool {
    text.len() >= 4 && text.bytes().all(|byte| byte == b'=')
}
