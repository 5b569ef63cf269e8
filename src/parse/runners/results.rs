//! Collects the results of one run, and holds them against its summary.

use crate::model::CaseStatus;
use crate::parse::clean;
use crate::parse::finding::{CaseDetails, CaseKey, CaseSink, Spans};
use crate::parse::lines::Line;

/// The name of a case that only the summary counts.
pub(super) const UNNAMED: &str = "(unnamed)";
/// The name of the case for a summary that does not fit the results.
const SUMMARY: &str = "(summary)";
/// The most cases without a name reported one by one.
const MOST_UNNAMED: u64 = 20_000;
/// The most lines that become a message.
const MESSAGE_LINES: usize = 8;

/// The numbers of a summary.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Totals {
    fn of(&mut self, status: CaseStatus) -> &mut u64 {
        match status {
            CaseStatus::Passed => &mut self.passed,
            CaseStatus::Skipped => &mut self.skipped,
            _ => &mut self.failed,
        }
    }

    /// Returns the number of tests.
    pub(super) fn sum(self) -> u64 {
        let some = self.passed.saturating_add(self.failed);
        some.saturating_add(self.skipped)
    }

    fn statuses(self) -> [(CaseStatus, u64); 3] {
        [
            (CaseStatus::Passed, self.passed),
            (CaseStatus::Skipped, self.skipped),
            (CaseStatus::Failed, self.failed),
        ]
    }

    fn less(self, other: Self) -> Self {
        Self {
            passed: self.passed.saturating_sub(other.passed),
            failed: self.failed.saturating_sub(other.failed),
            skipped: self.skipped.saturating_sub(other.skipped),
        }
    }
}

/// The explanation of a result.
#[derive(Debug, Default, Clone)]
pub(super) struct Explanation {
    pub lines: Vec<String>,
    pub file: Option<String>,
    pub line: Option<u32>,
}

impl Explanation {
    /// Adds a line, unless there are enough.
    pub(super) fn add(&mut self, line: &str) {
        let line = line.trim();
        if !line.is_empty() && self.lines.len() < MESSAGE_LINES {
            let line = &line[..line.floor_char_boundary(1024)];
            self.lines.push(line.to_owned());
        }
    }

    /// Sets the place, if none is known yet.
    pub(super) fn place(&mut self, file: &str, line: &str) {
        if self.file.is_none() {
            (self.file, self.line) = (Some(file.to_owned()), line.parse().ok());
        }
    }

    fn give(self, details: &mut CaseDetails) {
        if details.message.is_none() {
            details.message = clean::message(&self.lines.join(" "));
        }
        if self.file.is_some() {
            (details.file, details.line) = (self.file, self.line);
        }
    }
}

/// The result of a test.
#[derive(Debug, Clone)]
pub(super) struct TestResult {
    pub status: CaseStatus,
    pub seconds: Option<f64>,
    pub explanation: Explanation,
    /// True if the line with the result does not tell whose it is. The summary decides then.
    pub is_doubtful: bool,
}

impl TestResult {
    /// Makes a result without a time and an explanation.
    pub(super) fn new(status: CaseStatus) -> Self {
        Self {
            status,
            seconds: None,
            explanation: Explanation::default(),
            is_doubtful: false,
        }
    }

    /// Makes a result with these words as its explanation.
    pub(super) fn saying(status: CaseStatus, text: &str) -> Self {
        let mut result = Self::new(status);
        result.explanation.add(text);
        result
    }
}

/// A test that began.
#[derive(Debug)]
struct Running {
    package: String,
    name: String,
    key: CaseKey,
    start: u64,
}

/// A failed test, whose explanation may follow.
#[derive(Debug)]
struct Failed {
    package: String,
    name: String,
    key: CaseKey,
    details: CaseDetails,
    is_doubtful: bool,
}

/// The results of one run.
#[derive(Debug, Default)]
pub(super) struct Results {
    running: Vec<Running>,
    failed: Vec<Failed>,
    counted: Totals,
    /// The number of tests that the run announced.
    pub expected: Option<u64>,
    /// The offset at which the output of the next test begins.
    since: u64,
}

impl Results {
    /// Makes the results of a run that begins at this offset.
    pub(super) fn new(start: u64) -> Self {
        Self {
            since: start,
            ..Self::default()
        }
    }

    /// Returns the number of results so far.
    pub(super) fn counted(&self) -> Totals {
        self.counted
    }

    /// Starts a test.
    pub(super) fn start(
        &mut self,
        package: &str,
        name: &str,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) {
        let key = out.start(package, name, at.start);
        self.running.push(Running {
            package: package.to_owned(),
            name: name.to_owned(),
            key,
            start: at.start,
        });
    }

    /// Returns package and name of the test that began last, of those that run.
    pub(super) fn last_running(&self) -> Option<(&str, &str)> {
        let last = self.running.last();
        last.map(|test| (test.package.as_str(), test.name.as_str()))
    }

    /// Returns the number of tests that run.
    pub(super) fn running(&self) -> u64 {
        self.running.len() as u64
    }

    /// Returns true if this test runs.
    pub(super) fn is_running(&self, package: &str, name: &str) -> bool {
        self.position(package, name).is_some()
    }

    fn position(&self, package: &str, name: &str) -> Option<usize> {
        let fits = |test: &Running| test.name == name && test.package == package;
        self.running.iter().position(fits)
    }

    /// Takes the result of a test, whether its start was seen or not.
    pub(super) fn end(
        &mut self,
        package: &str,
        name: &str,
        result: TestResult,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) {
        let (key, start) = match self.position(package, name) {
            Some(position) => {
                let test = self.running.remove(position);
                (test.key, test.start)
            }
            None => (out.start(package, name, self.since), self.since),
        };
        self.since = at.end;
        *self.counted.of(result.status) += 1;
        let mut details = CaseDetails {
            seconds: result.seconds.filter(|seconds| seconds.is_finite()),
            ..CaseDetails::default()
        };
        details.spans.add(start, at.end);
        if result.status != CaseStatus::Passed {
            result.explanation.give(&mut details);
        }
        if result.status != CaseStatus::Failed {
            return out.end(key, result.status, details);
        }
        self.failed.push(Failed {
            package: package.to_owned(),
            name: name.to_owned(),
            key,
            details,
            is_doubtful: result.is_doubtful,
        });
    }

    /// Explains a test that failed. Returns false if none of this name did.
    pub(super) fn explain(&mut self, package: &str, name: &str, said: Explanation) -> bool {
        let fits = |test: &&mut Failed| test.name == name && test.package == package;
        let found = self.failed.iter_mut().rev().find(fits);
        let is_found = found.is_some();
        if let Some(test) = found {
            said.give(&mut test.details);
        }
        is_found
    }

    /// Takes a failed test back that passes at a later try. Returns false if none of this name
    /// failed.
    pub(super) fn passed_later(
        &mut self,
        package: &str,
        name: &str,
        out: &mut CaseSink<'_>,
    ) -> bool {
        let fits = |test: &Failed| test.name == name && test.package == package;
        let Some(position) = self.failed.iter().position(fits) else {
            return false;
        };
        self.pass(position, out);
        true
    }

    /// Passes a test that seemed to have failed.
    fn pass(&mut self, position: usize, out: &mut CaseSink<'_>) {
        let test = self.failed.remove(position);
        self.counted.failed = self.counted.failed.saturating_sub(1);
        self.counted.passed += 1;
        let details = CaseDetails {
            message: None,
            ..test.details
        };
        out.end(test.key, CaseStatus::Passed, details);
    }

    /// Passes tests whose failures the summary does not count, if their lines may have been output.
    fn trust(&mut self, totals: Totals, out: &mut CaseSink<'_>) {
        while self.counted.failed > totals.failed
            && let Some(position) = self.failed.iter().position(|test| test.is_doubtful)
        {
            self.pass(position, out);
        }
    }

    fn hand_out(&mut self, out: &mut CaseSink<'_>) {
        for test in self.failed.drain(..) {
            out.end(test.key, CaseStatus::Failed, test.details);
        }
    }

    /// Ends the run with the numbers of its summary.
    pub(super) fn close(mut self, totals: Totals, at: Line<'_>, out: &mut CaseSink<'_>) {
        self.trust(totals, out);
        self.hand_out(out);
        let lost = totals.less(self.counted);
        let extra = self.counted.less(totals);
        self.leave_running("its result is not in the output", at.start, out);
        for (status, count) in lost.statuses() {
            self.unnamed(status, count, at, out);
        }
        if extra.sum() > 0 {
            let why = format!(
                "its summary counts {}, and {} were seen: results of another run may be among them",
                told(totals),
                told(self.counted),
            );
            let details = self.whole(&why, at);
            out.both("", SUMMARY, at.start, CaseStatus::Failed, details);
        }
    }

    /// Fails the run if its summary counts other tests than it announced.
    pub(super) fn keep_announced(&self, totals: Totals, at: Line<'_>, out: &mut CaseSink<'_>) {
        let differs = |expected: &u64| *expected != totals.sum();
        if let Some(expected) = self.expected.filter(differs) {
            let why = format!(
                "{expected} tests were announced, and the summary counts {}",
                told(totals)
            );
            let details = self.whole(&why, at);
            out.both("", SUMMARY, at.start, CaseStatus::Failed, details);
        }
    }

    /// Adds results that have no names.
    pub(super) fn add(&mut self, totals: Totals, at: Line<'_>, out: &mut CaseSink<'_>) {
        for (status, count) in totals.statuses() {
            self.unnamed(status, count, at, out);
            *self.counted.of(status) += count;
        }
    }

    /// Ends the run without a summary, because it died or left.
    pub(super) fn die(mut self, who: &str, offset: u64, out: &mut CaseSink<'_>) {
        self.hand_out(out);
        if !self.running.is_empty() {
            return self.leave_running("", offset, out);
        }
        let seen = self.counted.sum();
        let why = match self.expected {
            Some(expected) if expected > seen => {
                format!("{who} ended after {seen} of {expected} tests, without its summary")
            }
            _ => format!("{who} ended after {seen} tests, without its summary"),
        };
        let mut details = CaseDetails::saying(&why);
        details.spans.add(self.since, offset);
        out.both("", UNNAMED, self.since, CaseStatus::Unfinished, details);
    }

    fn leave_running(&mut self, why: &str, offset: u64, out: &mut CaseSink<'_>) {
        for test in self.running.drain(..) {
            let why = match why {
                "" => "started, never ended".to_owned(),
                why => format!("started, never ended: {why}"),
            };
            let mut details = CaseDetails::saying(&why);
            details.spans.add(test.start, offset);
            out.end(test.key, CaseStatus::Unfinished, details);
        }
    }

    /// Reports results that only the summary counts.
    fn unnamed(&self, status: CaseStatus, count: u64, at: Line<'_>, out: &mut CaseSink<'_>) {
        let details = self.whole(
            "its name is not in the output: only the summary counts it",
            at,
        );
        for _ in 0..count.min(MOST_UNNAMED) {
            out.both("", UNNAMED, self.since, status, details.clone());
        }
        if count > MOST_UNNAMED {
            let more = format!("{} more without a name", count - MOST_UNNAMED);
            out.both("", UNNAMED, self.since, status, CaseDetails::saying(&more));
        }
    }

    fn whole(&self, why: &str, at: Line<'_>) -> CaseDetails {
        let mut spans = Spans::default();
        spans.add(self.since, at.end);
        CaseDetails {
            spans,
            ..CaseDetails::saying(why)
        }
    }
}

fn told(totals: Totals) -> String {
    format!(
        "{} passed, {} failed, {} skipped",
        totals.passed, totals.failed, totals.skipped
    )
}
