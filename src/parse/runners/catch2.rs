//! Reads Catch2's console.
//!
//! Names are told of tests that fail, and with `-s` of all; the rest is counted by the summary
//! alone. A test in which nothing failed and whose process left with exit code 0 tells nothing, so
//! a job without the summary has no cases.

use super::results::{Explanation, Results, TestResult, Totals};
use super::{Pattern, Runner, number, pattern};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;

static HOST: Pattern = pattern!(r"^\S.* is a Catch2? v\d\S* host application\.$");
static PASSED: Pattern =
    pattern!(r"^All tests passed \((?:\d+ assertions? in )?(\d+) test cases?\)$");
static COUNTS: Pattern = pattern!(r"^test cases: +(\d+)((?: \| +\d+ [a-z ]+)*)$");
static EVENT: Pattern = pattern!(r"^(\S.*?):(\d+): (PASSED|FAILED|SKIPPED|warning|info):?$");

/// Reads runs of Catch2.
#[derive(Debug, Default)]
pub(super) struct Catch2 {
    run: Option<Run>,
    /// True below a line of equal signs, where the summary stands.
    below_rule: bool,
    nothing: Option<String>,
}

#[derive(Debug, Default)]
struct Run {
    start: u64,
    tests: Vec<Test>,
    head: Head,
    explaining: bool,
}

/// The part of a test's heading that comes next.
#[derive(Debug, Default, PartialEq)]
enum Head {
    #[default]
    None,
    Name,
    Sections,
}

#[derive(Debug)]
struct Test {
    name: String,
    is_failed: bool,
    is_skipped: bool,
    said: Explanation,
}

impl Runner for Catch2 {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let text = text.trim_end();
        let below_rule = std::mem::replace(&mut self.below_rule, is_rule(text, '='));
        if below_rule && let Some((totals, expected)) = summary(text) {
            self.end(totals, expected, at, out);
            return true;
        }
        if below_rule && text == "No tests ran" {
            self.run = None;
            self.nothing = Some("Catch2 says: No tests ran".to_owned());
            return true;
        }
        match &mut self.run {
            Some(run) => run.line(text),
            None if HOST.is_match(text) => {
                self.run = Some(Run {
                    start: at.start,
                    ..Run::default()
                });
            }
            None => return false,
        }
        true
    }

    fn is_open(&self) -> bool {
        self.run.is_some()
    }

    fn wants_all(&self) -> bool {
        self.run.is_some() || self.below_rule
    }

    fn finish(&mut self, _succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        let at = Line {
            bytes: b"",
            start: offset,
            end: offset,
        };
        if let Some(run) = self.run.take() {
            let mut results = Results::new(run.start);
            run.give(true, &mut results, at, out);
            results.die("Catch2", offset, out);
        }
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }
}

impl Catch2 {
    fn end(&mut self, totals: Totals, expected: u64, at: Line<'_>, out: &mut CaseSink<'_>) {
        let run = self.run.take().unwrap_or_else(|| Run {
            start: at.start,
            ..Run::default()
        });
        let mut results = Results::new(run.start);
        let failed = run.tests.iter().filter(|test| test.is_failed).count() as u64;
        // Which of the failures were expected is not told.
        let are_told = expected == 0 && failed <= totals.failed;
        run.give(are_told, &mut results, at, out);
        results.close(totals, at, out);
    }
}

impl Run {
    fn line(&mut self, text: &str) {
        if is_rule(text, '-') {
            self.head = match self.head {
                Head::None => Head::Name,
                _ => Head::None,
            };
            self.explaining = false;
            return;
        }
        match self.head {
            Head::Name => {
                self.head = Head::Sections;
                if self
                    .tests
                    .last()
                    .is_none_or(|last| last.name != text.trim())
                {
                    self.tests.push(Test {
                        name: text.trim().to_owned(),
                        is_failed: false,
                        is_skipped: false,
                        said: Explanation::default(),
                    });
                }
            }
            Head::Sections => {}
            Head::None => self.event(text),
        }
    }

    fn event(&mut self, text: &str) {
        let Some(test) = self.tests.last_mut() else {
            return;
        };
        if let Some(found) = EVENT.captures(text) {
            test.is_skipped |= &found[3] == "SKIPPED";
            self.explaining = &found[3] == "FAILED" && !test.is_failed;
            if &found[3] == "FAILED" {
                test.is_failed = true;
                test.said.place(&found[1], &found[2]);
            }
        } else if text.is_empty() {
            self.explaining = false;
        } else if self.explaining {
            test.said.add(text);
        }
    }

    /// Hands out the tests that have names; those that failed only if `with_failed`.
    fn give(self, with_failed: bool, results: &mut Results, at: Line<'_>, out: &mut CaseSink<'_>) {
        for test in self.tests {
            if test.is_failed && !with_failed {
                continue;
            }
            let status = match (test.is_failed, test.is_skipped) {
                (true, _) => CaseStatus::Failed,
                (false, true) => CaseStatus::Skipped,
                (false, false) => CaseStatus::Passed,
            };
            let result = TestResult {
                explanation: test.said,
                ..TestResult::new(status)
            };
            results.end("", &test.name, result, at, out);
        }
    }
}

fn is_rule(text: &str, letter: char) -> bool {
    text.len() >= 70 && text.chars().all(|other| other == letter)
}

/// Parses the summary, and the number of failures that were expected.
fn summary(text: &str) -> Option<(Totals, u64)> {
    let mut totals = Totals::default();
    if let Some(found) = PASSED.captures(text) {
        totals.passed = number(&found, 1);
        return Some((totals, 0));
    }
    let found = COUNTS.captures(text)?;
    let mut expected = 0;
    for part in found[2].split(" | ").filter(|part| !part.is_empty()) {
        let (count, what) = part.trim().split_once(' ')?;
        let count: u64 = count.parse().ok()?;
        match what {
            "passed" => totals.passed += count,
            "failed" => totals.failed += count,
            "failed as expected" => {
                totals.skipped += count;
                expected += count;
            }
            _ => totals.skipped += count,
        }
    }
    Some((totals, expected))
}
