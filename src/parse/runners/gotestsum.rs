//! Reads gotestsum's own formats: `pkgname`, `testname`, `testdox`, `dots` and their kin.
//!
//! All but `testname` and `testdox` tell only failed and skipped tests by name; `DONE …` counts the
//! rest. What gotestsum repeats of `go test` is output. Its `standard-…` formats are the text of
//! `go test` itself and are not read here.
//!
//! With `--rerun-fails` the last run of a test counts.

use std::collections::BTreeMap;

use super::results::{Explanation, Results, TestResult, Totals};
use super::{Pattern, Runner, number, pattern};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;

static PACKAGE: Pattern =
    pattern!(r"^(?:[✓✖∅↷] {2}\S+(?: \((?:cached|[0-9.mµ]+s)\))?|EMPTY \S+)(?: \(coverage: .*\))?$");
static DOTS: Pattern = pattern!(r"^(?:\[[^\[\]\s]+\][·✖↷]+)+$");
/// A test of the package in the current directory stands without a package.
static TEST: Pattern = pattern!(
    r"^(PASS|FAIL|SKIP) (?:((?:Test|Fuzz|Example|Benchmark)\S*)|(\S+?)\.((?:Test|Fuzz|Example|Benchmark)\S*))(?: \(re-run (\d+)\))? \((-?[0-9.]+)s\)$"
);
static DOX: Pattern = pattern!(r"^ ([✓✖∅]) (\S.*) \(([0-9.]+)s\)$");
static LISTED: Pattern =
    pattern!(r"^=== (FAIL|SKIP): (\S+) (\S*)(?: \(re-run (\d+)\))? \(([0-9.]+s|unknown)\)$");
static DONE: Pattern = pattern!(
    r"^DONE (?:(\d+) runs, )?(\d+) tests?(?:, (\d+) skipped)?(?:, (\d+) failures?)?(?:, (\d+) errors?)? in [0-9.]+s$"
);
static PLACE: Pattern = pattern!(r"^ +(\S+\.go):(\d+): (.*)$");

/// Reads runs of gotestsum.
#[derive(Debug, Default)]
pub(super) struct Gotestsum {
    run: Option<Run>,
    /// The last line that was passed over: the package above lines of `testdox`, perhaps.
    before: String,
    nothing: Option<String>,
    has_retold: bool,
}

#[derive(Debug, Default)]
struct Run {
    start: u64,
    tests: BTreeMap<(String, String), Test>,
    /// The order in which tests came.
    order: Vec<(String, String)>,
    /// The package above lines of `testdox`.
    heading: String,
    /// The test that the lines explain.
    open: Option<(String, String)>,
}

#[derive(Debug)]
struct Test {
    status: CaseStatus,
    rerun: u64,
    seconds: Option<f64>,
    said: Explanation,
    start: u64,
    end: u64,
}

impl Runner for Gotestsum {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let text = text.trim_end();
        if let Some(found) = DONE.captures(text) {
            if number(&found, 2) == 0 && number(&found, 4) == 0 {
                self.nothing = Some("gotestsum says: DONE 0 tests".to_owned());
            }
            let Some(run) = self.run.take() else {
                return false;
            };
            self.has_retold = true;
            run.close(&found, at, out);
            return true;
        }
        if self.run.is_none() {
            if !is_opening(text) {
                return false;
            }
            let heading = self.before.strip_suffix(':');
            let heading = heading.filter(|heading| !heading.contains(' '));
            self.run = Some(Run {
                start: at.start,
                heading: heading.unwrap_or_default().to_owned(),
                ..Run::default()
            });
        }
        if let Some(run) = &mut self.run {
            run.line(text, at);
        }
        true
    }

    fn is_open(&self) -> bool {
        self.run.is_some()
    }

    fn skipped(&mut self, last: &str) {
        last.trim_end().clone_into(&mut self.before);
    }

    fn finish(&mut self, _succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        if let Some(mut run) = self.run.take() {
            let mut results = Results::new(run.start);
            run.give(&mut results, u64::MAX, out);
            results.die("gotestsum", offset, out);
        }
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }

    fn has_retold_go(&mut self) -> bool {
        std::mem::take(&mut self.has_retold)
    }
}

impl Run {
    fn line(&mut self, text: &str, at: Line<'_>) {
        let end = |text: &str| text.parse().ok().filter(|seconds: &f64| *seconds >= 0.0);
        if let Some(found) = TEST.captures(text) {
            let seconds = end(&found[6]);
            let part = |number| found.get(number).map(|part| part.as_str());
            let package = part(3).unwrap_or(".");
            let name = part(2).or(part(4)).unwrap_or_default();
            let rerun = number(&found, 5);
            self.test(package, name, word(&found[1]), rerun, seconds, at);
        } else if let Some(found) = LISTED.captures(text) {
            let rerun = number(&found, 4);
            self.test(
                &found[2],
                &found[3],
                word(&found[1]),
                rerun,
                end(found[5].trim_end_matches('s')),
                at,
            );
            self.open = Some((found[2].to_owned(), found[3].to_owned()));
        } else if let Some(found) = DOX.captures(text) {
            let status = match &found[1] {
                "✓" => CaseStatus::Passed,
                "✖" => CaseStatus::Failed,
                _ => CaseStatus::Skipped,
            };
            // Names of failed and skipped tests come again, as they are written.
            if status == CaseStatus::Passed {
                let package = self.heading.clone();
                self.test(&package, &found[2], status, 0, end(&found[3]), at);
            }
        } else if let Some(heading) = text.strip_suffix(':')
            && !heading.contains(' ')
        {
            heading.clone_into(&mut self.heading);
        } else if text.is_empty() || text.starts_with("=== ") {
            self.open = None;
        } else {
            self.explain(text);
        }
    }

    fn explain(&mut self, text: &str) {
        let Some(test) = self.open.as_ref().and_then(|key| self.tests.get_mut(key)) else {
            return;
        };
        match PLACE.captures(text) {
            Some(found) => {
                test.said.place(&found[1], &found[2]);
                test.said.add(&found[3]);
            }
            None if !text.starts_with("goroutine ") && !text.starts_with('\t') => {
                test.said.add(text)
            }
            None => {}
        }
    }

    fn test(
        &mut self,
        package: &str,
        name: &str,
        status: CaseStatus,
        rerun: u64,
        seconds: Option<f64>,
        at: Line<'_>,
    ) {
        let key = (package.to_owned(), name.to_owned());
        if let Some(known) = self.tests.get_mut(&key) {
            if rerun >= known.rerun {
                (known.status, known.rerun) = (status, rerun);
                known.end = at.end;
            }
            return;
        }
        let test = Test {
            status,
            rerun,
            seconds,
            said: Explanation::default(),
            start: at.start,
            end: at.end,
        };
        self.order.push(key.clone());
        self.tests.insert(key, test);
    }

    fn close(mut self, found: &regex::Captures<'_>, at: Line<'_>, out: &mut CaseSink<'_>) {
        let runs = number(found, 1).max(1);
        let failures = number(found, 4);
        let packages = self.tests.iter();
        let packages = packages
            .filter(|((_, name), test)| name.is_empty() && test.status == CaseStatus::Failed);
        let packages = packages.count() as u64;
        let mut totals = Totals {
            passed: (number(found, 2) + packages)
                .saturating_sub(number(found, 3))
                .saturating_sub(failures),
            failed: failures,
            skipped: number(found, 3),
        };
        if failures == 0 {
            totals.failed = number(found, 5);
        }
        let mut results = Results::new(self.start);
        self.give(&mut results, runs, out);
        if runs > 1 {
            totals.failed = results.counted().failed;
        }
        totals.passed = totals.passed.max(results.counted().passed);
        results.close(totals, at, out);
    }

    /// Hands out the tests. A test that failed before the last run passed in that.
    fn give(&mut self, results: &mut Results, runs: u64, out: &mut CaseSink<'_>) {
        let is_last = |test: &Test| runs == u64::MAX || test.rerun + 1 >= runs;
        for key in std::mem::take(&mut self.order) {
            let Some(test) = self.tests.remove(&key) else {
                continue;
            };
            let status = match test.status {
                CaseStatus::Failed if !is_last(&test) => CaseStatus::Passed,
                status => status,
            };
            let at = Line {
                bytes: b"",
                start: test.start,
                end: test.end,
            };
            let result = TestResult {
                status,
                seconds: test.seconds,
                explanation: test.said,
                ..TestResult::new(status)
            };
            let name = if key.1.is_empty() {
                "(package)"
            } else {
                &key.1
            };
            results.end(&key.0, name, result, at, out);
        }
    }
}

fn is_opening(text: &str) -> bool {
    PACKAGE.is_match(text) || TEST.is_match(text) || DOTS.is_match(text) || DOX.is_match(text)
}

fn word(word: &str) -> CaseStatus {
    match word {
        "PASS" => CaseStatus::Passed,
        "SKIP" => CaseStatus::Skipped,
        _ => CaseStatus::Failed,
    }
}
