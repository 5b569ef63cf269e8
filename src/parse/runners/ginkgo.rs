//! Reads the console of the program ginkgo.
//!
//! Ginkgo's suites are tests of Go. Where `go test` runs them, its own line about the package
//! follows, and their specs are the output of its test. So specs are held back until `Ginkgo ran …`
//! shows that the program ran them.
//!
//! Names are told of specs that fail, and with `-v` of all; the rest is counted by the summary.

use std::collections::HashMap;

use super::results::{Explanation, Results, TestResult, Totals};
use super::{Pattern, Runner, number, pattern};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;

static SUITE: Pattern = pattern!(r"^Running Suite: (.+) - (/.*)$");
static SHORT: Pattern = pattern!(r"\[\d{9,}\] (.+?) - (\d+)/(\d+) specs ([^\[]*)");
static SUMMARY: Pattern = pattern!(
    r"^(?:SUCCESS|FAIL)! .*-- (\d+) Passed \| (\d+) Failed \| (?:\d+ Flaked \| )?(\d+) Pending \| (\d+) Skipped$"
);
static RAN: Pattern = pattern!(r"^Ginkgo ran \d+ suites? in ");
static OF_GO: Pattern = pattern!(r"^(?:ok  |FAIL|\?   )\t\S+");
static LOCATION: Pattern = pattern!(r"^(/\S+):(\d+)$");
static PASSED: Pattern = pattern!(r"^• \[([0-9.]+) seconds\]$");
static FAILURE: Pattern = pattern!(r"^  \[(?:FAIL|PANICKED!|TIMEDOUT|INTERRUPTED|ABORTED)\] (.+)$");

/// The most failures whose words are kept.
const MOST: usize = 10_000;

/// Reads runs of ginkgo.
#[derive(Debug, Default)]
pub(super) struct Ginkgo {
    suite: Option<Suite>,
    /// The suites that are over.
    held: Vec<Suite>,
    nothing: Option<String>,
    has_retold: bool,
}

#[derive(Debug, Default)]
struct Suite {
    name: String,
    start: u64,
    end: u64,
    /// The numbers of the summary; `None` if it never came.
    totals: Option<Totals>,
    specs: Vec<Spec>,
    /// The number of passed specs that only letters tell.
    letters: u64,
    /// The last lines, newest last: a rule, a name, a place.
    before: [String; 2],
    /// The spec that runs, with `-v`.
    running: Option<String>,
    /// The words of failures, by spec.
    said: HashMap<String, Explanation>,
    /// The failed spec whose words follow.
    failed: Option<String>,
    is_listing: bool,
}

#[derive(Debug)]
struct Spec {
    name: String,
    result: TestResult,
}

impl Runner for Ginkgo {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let text = text.trim_end();
        if RAN.is_match(text) && (self.suite.is_some() || !self.held.is_empty()) {
            self.held.extend(self.suite.take());
            self.has_retold = true;
            self.give(at, out);
            return true;
        }
        // A suite that leaves in the middle does not end its line.
        if self.suite.is_some() && SHORT.is_match(text) {
            self.held.extend(self.suite.take());
            return self.opened(text, at);
        }
        if let Some(suite) = &mut self.suite {
            suite.end = at.end;
            if suite.line(text) {
                self.held.extend(self.suite.take());
            }
            return true;
        }
        // `go test` ran the suites: they are the output of its tests.
        if OF_GO.is_match(text) {
            self.held.clear();
            return false;
        }
        self.opened(text, at)
    }

    fn is_open(&self) -> bool {
        self.suite.is_some()
    }

    fn finish(&mut self, succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        let at = Line {
            bytes: b"",
            start: offset,
            end: offset,
        };
        let is_cut = self.suite.is_some();
        self.held.extend(self.suite.take());
        // No other case was found: these are nobody's output.
        if is_cut || !succeeded || out.names.tally.total() == 0 {
            self.give(at, out);
        }
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }

    fn has_retold_go(&mut self) -> bool {
        std::mem::take(&mut self.has_retold)
    }
}

impl Ginkgo {
    /// Begins the suites of a line: one with a heading, or with `-r` several on one line.
    fn opened(&mut self, text: &str, at: Line<'_>) -> bool {
        if let Some(found) = SUITE.captures(text) {
            self.suite = Some(Suite::new(&found[1], at));
            return true;
        }
        for found in SHORT.captures_iter(text) {
            self.held.extend(self.suite.take());
            let mut suite = Suite::new(&found[1], at);
            let count = |text: &str| text.matches('•').count() as u64;
            match found[4].split_once("SUCCESS!") {
                Some((letters, _)) => {
                    suite.totals = Some(Totals {
                        passed: count(letters),
                        failed: 0,
                        skipped: number(&found, 3).saturating_sub(count(letters)),
                    });
                    self.held.push(suite);
                }
                None => {
                    suite.letters = count(&found[4]);
                    self.suite = Some(suite);
                }
            }
        }
        self.suite.is_some() || SHORT.is_match(text)
    }

    fn give(&mut self, at: Line<'_>, out: &mut CaseSink<'_>) {
        for suite in self.held.drain(..) {
            if suite
                .totals
                .is_some_and(|totals| totals.sum() == totals.skipped)
            {
                self.nothing = Some("ginkgo ran 0 specs".to_owned());
            }
            suite.give(at, out);
        }
    }
}

impl Suite {
    fn new(name: &str, at: Line<'_>) -> Self {
        Self {
            name: name.to_owned(),
            start: at.start,
            end: at.end,
            ..Self::default()
        }
    }

    /// Takes a line. Returns true if it was the last of the suite.
    fn line(&mut self, text: &str) -> bool {
        if let Some(found) = SUMMARY.captures(text) {
            self.totals = Some(Totals {
                passed: number(&found, 1),
                failed: number(&found, 2),
                skipped: number(&found, 3).saturating_add(number(&found, 4)),
            });
            return true;
        }
        if text.starts_with("Summarizing ") {
            self.is_listing = true;
        } else if self.is_listing {
            self.listed(text);
        } else {
            self.spec(text);
        }
        let [older, newer] = &mut self.before;
        std::mem::swap(older, newer);
        text.clone_into(newer);
        false
    }

    /// Takes a line of the list of failures.
    fn listed(&mut self, text: &str) {
        if let Some(found) = FAILURE.captures(text) {
            let name = unmarked(&found[1]);
            let mut result = TestResult::new(CaseStatus::Failed);
            result.explanation = self.said.remove(&name).unwrap_or_default();
            self.specs.push(Spec { name, result });
        } else if let Some(found) = LOCATION.captures(text.trim_start())
            && let Some(spec) = self.specs.last_mut()
        {
            spec.result.explanation.place(&found[1], &found[2]);
        }
    }

    /// Takes a line of the report of a failure.
    fn explain(&mut self, text: &str) {
        if text.starts_with("  In [") || is_rule(text) {
            self.failed = None;
        }
        if let (Some(name), Some(words)) = (&self.failed, text.strip_prefix("  "))
            && self.said.len() < MOST
        {
            let kind = words
                .strip_prefix('[')
                .and_then(|words| words.split_once("] "));
            let words = kind.map_or(words, |(_, words)| words);
            let is_place = words.starts_with('/');
            let said = self.said.entry(name.clone()).or_default();
            said.add(if is_place { "" } else { words });
        }
    }

    /// Takes a line of a spec: its heading with `-v`, its result, its letter.
    fn spec(&mut self, text: &str) {
        let [older, newer] = &self.before;
        if is_rule(older) && LOCATION.is_match(text) {
            self.running = Some(newer.clone());
        } else if let Some(found) = PASSED.captures(text) {
            if let Some(name) = self.running.take() {
                let mut result = TestResult::new(CaseStatus::Passed);
                result.seconds = found[1].parse().ok();
                self.specs.push(Spec { name, result });
            }
        } else if newer.starts_with("S [SKIPPED]") || newer.starts_with("P [PENDING]") {
            self.running = None;
            self.specs.push(Spec {
                name: unmarked(text),
                result: TestResult::new(CaseStatus::Skipped),
            });
        } else if newer.starts_with("• [") && !PASSED.is_match(newer) {
            let name = unmarked(text);
            self.running = self.running.take().filter(|running| *running != name);
            self.failed = Some(name);
        } else if !text.is_empty() && text.chars().all(|letter| "•SP".contains(letter)) {
            self.letters += text.matches('•').count() as u64;
        } else {
            self.explain(text);
        }
    }

    fn give(mut self, at: Line<'_>, out: &mut CaseSink<'_>) {
        let own = Line {
            bytes: b"",
            start: self.start,
            end: self.end.max(self.start),
        };
        let mut results = Results::new(self.start);
        let mut counted = Totals::default();
        for spec in &self.specs {
            match spec.result.status {
                CaseStatus::Passed => counted.passed += 1,
                CaseStatus::Skipped => counted.skipped += 1,
                _ => counted.failed += 1,
            }
        }
        let fits = |totals: &Totals| {
            counted.passed <= totals.passed
                && counted.skipped <= totals.skipped
                && counted.failed <= totals.failed
        };
        if self.totals.as_ref().is_none_or(fits) {
            for spec in std::mem::take(&mut self.specs) {
                results.end(&self.name, &spec.name, spec.result, own, out);
            }
        }
        match self.totals {
            Some(totals) => results.close(totals, own, out),
            None => {
                if let Some(running) = &self.running {
                    results.start(&self.name, running, own, out);
                }
                let letters = self.letters.saturating_sub(counted.passed);
                let told = Totals {
                    passed: letters,
                    ..Totals::default()
                };
                results.add(told, own, out);
                results.die("ginkgo", at.start.max(own.end), out);
            }
        }
    }
}

fn is_rule(text: &str) -> bool {
    text.len() >= 30 && text.bytes().all(|byte| byte == b'-')
}

/// Strips the kinds of nodes: `Book deeper [BeforeEach] never` is the spec `Book deeper never`.
fn unmarked(text: &str) -> String {
    const NODES: [&str; 9] = [
        "[It] ",
        "[BeforeEach] ",
        "[AfterEach] ",
        "[JustBeforeEach] ",
        "[JustAfterEach] ",
        "[BeforeAll] ",
        "[AfterAll] ",
        "[DeferCleanup (Each)] ",
        "[DeferCleanup (All)] ",
    ];
    let mut name = text.trim().to_owned();
    for node in NODES {
        name = name.replace(node, "");
    }
    name
}
