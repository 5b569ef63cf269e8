//! Reads one block of libtest: from `running N tests` to `test result:`, or to the death of its
//! process.

use super::grammar;
use super::grammar::{TestEnd, Totals};
use super::panics::Panics;
use crate::model::CaseStatus;
use crate::parse::CaseKey;
use crate::parse::clean;
use crate::parse::finding::{CaseDetails, CaseSink, Spans};
use crate::parse::lines::Line;

/// The most cases without a name in one block. More of them become one case that tells their
/// number.
const MOST_UNNAMED: u64 = 1000;
/// The most names of failed tests kept from the lists at the end.
const MOST_LISTED: usize = 10_000;
/// The name of a case whose own name was lost.
const UNNAMED: &str = "(unnamed)";

/// A test whose name was seen, and whose result or failure message is still to come.
#[derive(Debug)]
struct OpenTest {
    name: String,
    key: CaseKey,
    start: u64,
    /// The offset behind the line of its name.
    behind: u64,
    end: Option<TestEnd>,
    spans: Spans,
}

/// The line of a test that has ended.
#[derive(Debug)]
pub(in crate::parse) struct WholeLine {
    pub name: String,
    pub result: TestEnd,
    pub start: u64,
    pub end: u64,
}

/// The part of a block that has been read so far.
#[derive(Debug, Default)]
pub(in crate::parse) struct Block {
    package: String,
    expected: u64,
    start: u64,
    counted: Totals,
    open: Vec<OpenTest>,
    /// True if the result of the last open test is still to come, at the end of the test's own
    /// output.
    waiting: bool,
    /// The end of the last line, which holds that result.
    last: Vec<u8>,
    /// True if the last line was one of a harness inside of that test.
    inner_line: bool,
    panics: Panics,
    failures: bool,
    /// The test whose output is repeated inside `failures:`, and the offset at which that began.
    repeated: Option<(String, u64)>,
    /// Tests that the lists at the end call failed.
    listed: Vec<String>,
    /// The way in which the process died.
    death: Option<String>,
}

impl Block {
    /// Begins a block of `expected` tests.
    pub(in crate::parse) fn new(package: &str, expected: u64, start: u64) -> Self {
        Self {
            package: package.to_owned(),
            expected,
            start,
            ..Self::default()
        }
    }

    /// Returns true if the next line is wanted, whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.panics.is_open() || (self.failures && self.repeated.is_none())
    }

    /// Returns true while the output of a failed test is repeated. None of its lines is libtest's
    /// own.
    pub(in crate::parse) fn is_quoting(&self) -> bool {
        self.repeated.is_some()
    }

    /// Returns true if the last line ends with a result.
    fn has_result(&self) -> bool {
        grammar::trailing_end(&String::from_utf8_lossy(&self.last)).is_some()
    }

    /// Returns true if a test is visibly running: its name was seen, and not its result.
    pub(in crate::parse) fn is_waiting(&self) -> bool {
        self.waiting && self.is_incomplete()
    }

    /// Returns true if cargo told how its process died.
    pub(in crate::parse) fn has_died(&self) -> bool {
        self.death.is_some()
    }

    /// Returns the results in the totals that no line has told yet.
    pub(in crate::parse) fn untold(&self, totals: Totals) -> Totals {
        totals.less(self.counted)
    }

    /// Takes the line of a test that has ended.
    pub(in crate::parse) fn ended(&mut self, line: &WholeLine, out: &mut CaseSink<'_>) {
        let at = Line {
            bytes: &[],
            start: line.start,
            end: line.end,
        };
        let index = self.open(&line.name, at, out);
        let test = self.open.remove(index);
        self.open.push(test);
        self.set_result(line.result.clone(), line.start, line.end, out);
    }

    /// Returns true if tests that it announced have not ended.
    pub(in crate::parse) fn is_incomplete(&self) -> bool {
        self.counted.sum() < self.expected
    }

    /// Returns true if these totals count as many tests as it announced.
    pub(in crate::parse) fn fits(&self, totals: Totals) -> bool {
        totals.sum().saturating_add(totals.measured) == self.expected
    }

    /// Remembers the end of the last line.
    pub(in crate::parse) fn remember(&mut self, last: &[u8]) {
        if std::mem::take(&mut self.inner_line) || last.is_empty() {
            return;
        }
        if self.waiting {
            self.last.clear();
            self.last
                .extend_from_slice(&last[last.len().saturating_sub(64)..]);
        }
    }

    /// Takes a line. Returns true if it was one of libtest's own.
    pub(in crate::parse) fn line(
        &mut self,
        text: &str,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if let Some(head) = grammar::panic_head(text) {
            let test = self.panicking(head.thread);
            self.panics.begin(&test, &head);
            return false;
        }
        if self.failures && self.failure_line(text, at) {
            return true;
        }
        // The line of a harness inside of the test whose result is still to come.
        if self.waiting && grammar::test(text).is_some_and(|test| self.is_of_inner(test)) {
            self.last.clear();
            self.inner_line = true;
            return true;
        }
        let complete = self.counted.sum() >= self.expected;
        if let Some((name, rest)) = grammar::test(text).filter(|_| !complete) {
            self.take_waiting_result(at.start, out);
            self.test(name, rest, at, out);
        } else if let Some((name, rest)) = grammar::glued_test(text).filter(|_| !complete) {
            self.test(name, rest, at, out);
        } else if let Some(name) = grammar::long_running(text) {
            self.open(name, at, out);
        } else if text == "failures:" {
            self.take_waiting_result(at.start, out);
            self.failures = true;
            self.panics.stop();
        } else {
            self.crash_line(text, at, out);
            self.panics.line(text);
            return false;
        }
        true
    }

    /// Returns true if the line of a test is of a harness inside of the test whose result is still
    /// to come. Such harnesses name files.
    fn is_of_inner(&self, (name, rest): (&str, &str)) -> bool {
        let is_file = |name: &str| name.contains('/') && !name.contains(" - ");
        let is_waiting_file = self.open.last().is_some_and(|test| is_file(&test.name));
        is_file(name) && !is_waiting_file || !self.has_result() && grammar::end(rest).is_some()
    }

    /// Returns the test that a panic in this thread belongs to. Tests in documentation are programs
    /// of their own.
    fn panicking(&self, thread: &str) -> String {
        let waiting = self
            .open
            .last()
            .filter(|_| self.waiting && thread == "main");
        let repeated = self.repeated.as_ref().map(|(name, _)| name.as_str());
        let repeated = repeated.or(waiting.map(|test| test.name.as_str()));
        repeated.unwrap_or(thread).to_owned()
    }

    fn crash_line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        if let Some(how) = grammar::death(text) {
            self.death = clean::message(how);
        } else if let Some(thread) = grammar::overflowed(text) {
            self.open(thread, at, out);
            self.panics.explain(thread, "has overflowed its stack");
        }
    }

    fn open(&mut self, name: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> usize {
        let is_it = |open: &OpenTest| open.name == name && open.end.is_none();
        self.open.iter().position(is_it).unwrap_or_else(|| {
            self.open.push(OpenTest {
                name: name.to_owned(),
                key: out.start(&self.package, name, at.start),
                start: at.start,
                behind: at.end,
                end: None,
                spans: Spans::default(),
            });
            self.open.len() - 1
        })
    }

    fn test(&mut self, name: &str, rest: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        let index = self.open(name, at, out);
        let test = self.open.remove(index);
        self.open.push(test);
        if let Some(end) = grammar::end(rest) {
            return self.set_result(end, at.start, at.end, out);
        }
        self.waiting = true;
        if rest.starts_with("Error: ") {
            self.panics.explain(name, rest);
        }
    }

    /// Gives the last open test its result. A failed test stays open until its failure message has
    /// come.
    fn set_result(&mut self, end: TestEnd, from: u64, to: u64, out: &mut CaseSink<'_>) {
        self.waiting = false;
        self.count(end.status);
        let Some(mut test) = self.open.pop() else {
            return;
        };
        test.spans.add(from, to);
        if end.status == CaseStatus::Failed {
            test.end = Some(end);
            self.open.push(test);
        } else {
            self.hand_out(test, end, out);
        }
    }

    /// Takes the result of a waiting test from the end of the line before, because libtest's next
    /// line comes.
    pub(in crate::parse) fn take_waiting_result(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        if !std::mem::take(&mut self.waiting) {
            return;
        }
        let start = self.open.last().map_or(offset, |test| test.start);
        if let Some(end) = grammar::trailing_end(&String::from_utf8_lossy(&self.last)) {
            self.set_result(end, start, offset, out);
        }
    }

    fn count(&mut self, status: CaseStatus) {
        match status {
            CaseStatus::Passed => self.counted.passed += 1,
            CaseStatus::Failed => self.counted.failed += 1,
            _ => self.counted.ignored += 1,
        }
    }

    fn failure_line(&mut self, text: &str, at: Line<'_>) -> bool {
        if let Some(name) = grammar::output_header(text) {
            self.end_repeated(at.start);
            self.list(name);
            self.repeated = Some((name.to_owned(), at.start));
        } else if text == "failures:" {
            self.end_repeated(at.start);
        } else if let Some((repeated, _)) = &self.repeated {
            if ["Error: ", "error: ", "error["]
                .iter()
                .any(|start| text.starts_with(start))
            {
                self.panics.explain(repeated, text);
            } else {
                self.panics.line(text);
            }
        } else {
            let name = text.strip_prefix("    ").map(str::trim_end);
            let name = name.filter(|name| !name.is_empty() && !name.starts_with(' '));
            name.into_iter().for_each(|name| self.list(name));
            return false;
        }
        true
    }

    /// Ends the repeated output of a failed test.
    fn end_repeated(&mut self, offset: u64) {
        self.panics.stop();
        let Some((repeated, since)) = self.repeated.take() else {
            return;
        };
        if let Some(test) = self.open.iter_mut().find(|test| test.name == repeated) {
            test.spans.add(since, offset);
        }
    }

    fn list(&mut self, name: &str) {
        if self.listed.len() < MOST_LISTED {
            self.listed.push(name.to_owned());
        }
    }

    fn hand_out(&mut self, test: OpenTest, end: TestEnd, out: &mut CaseSink<'_>) {
        let mut details = self.panics.take(&test.name);
        // A panic in a test that passed was meant, and one in a test that was ignored is not its own.
        if end.status != CaseStatus::Failed {
            details = CaseDetails::default();
        }
        if let Some(reason) = end.reason {
            details.message = clean::message(&reason);
        }
        details.seconds = end.seconds;
        details.spans = test.spans;
        out.end(test.key, end.status, details);
    }

    /// Closes the block with its totals.
    pub(in crate::parse) fn close(mut self, totals: Totals, at: Line<'_>, out: &mut CaseSink<'_>) {
        self.take_waiting_result(at.start, out);
        self.name_failed(totals, at, out);
        let lost = totals.less(self.counted).statuses();
        let open = self.open.iter().filter(|test| test.end.is_none()).count() as u64;
        if let [(status, number)] = lost[..]
            && open <= number
        {
            let end = TestEnd {
                status,
                seconds: None,
                reason: None,
            };
            for test in self.open.iter_mut().filter(|test| test.end.is_none()) {
                test.end = Some(end.clone());
            }
        }
        for test in std::mem::take(&mut self.open) {
            match test.end.clone() {
                Some(end) => self.hand_out(test, end, out),
                None => self.leave(test, ": its result was lost in other output", out),
            }
        }
        for (status, number) in spread(lost, open) {
            self.unnamed(status, number, at.end, out);
        }
    }

    /// Reports failed tests whose result line was lost, with the names in the lists at the end.
    fn name_failed(&mut self, totals: Totals, at: Line<'_>, out: &mut CaseSink<'_>) {
        for name in std::mem::take(&mut self.listed) {
            let failed = |test: &OpenTest| test.name == name && test.end.is_some();
            if self.counted.failed < totals.failed && !self.open.iter().any(failed) {
                self.test(&name, "FAILED", at, out);
            }
        }
    }

    /// Ends a block whose process ended without totals.
    pub(in crate::parse) fn end_without_totals(mut self, offset: u64, out: &mut CaseSink<'_>) {
        let left = self.expected.saturating_sub(self.counted.sum());
        let open = self.open.iter().any(|test| test.end.is_none());
        for test in std::mem::take(&mut self.open) {
            match test.end.clone() {
                Some(end) => self.hand_out(test, end, out),
                None => self.leave(test, "", out),
            }
        }
        if !open && left > 0 {
            let death = self
                .death
                .as_deref()
                .map_or(String::new(), |death| format!(" ({death})"));
            let text = format!("{left} of {} tests never ended{death}", self.expected);
            let mut details = CaseDetails::saying(&text);
            details.spans.add(self.start, offset);
            out.both(
                &self.package,
                UNNAMED,
                self.start,
                CaseStatus::Unfinished,
                details,
            );
        }
    }

    fn leave(&mut self, mut test: OpenTest, why: &str, out: &mut CaseSink<'_>) {
        let mut details = self.panics.take(&test.name);
        let said = details
            .message
            .map_or(String::new(), |said| format!(": {said}"));
        let death = self
            .death
            .as_deref()
            .map_or(String::new(), |death| format!(" ({death})"));
        details.message = clean::message(&format!("started, never ended{why}{said}{death}"));
        test.spans.add(test.start, test.behind);
        details.spans = test.spans;
        out.end(test.key, CaseStatus::Unfinished, details);
    }

    fn unnamed(&self, status: CaseStatus, number: u64, offset: u64, out: &mut CaseSink<'_>) {
        let mut details =
            CaseDetails::saying("its name is not in the output: only the totals count it");
        details.spans.add(self.start, offset);
        for _ in 0..number.min(MOST_UNNAMED) {
            out.both(&self.package, UNNAMED, self.start, status, details.clone());
        }
        if number > MOST_UNNAMED {
            let more =
                CaseDetails::saying(&format!("{} more without a name", number - MOST_UNNAMED));
            out.both(&self.package, UNNAMED, self.start, status, more);
        }
    }
}

/// Distributes the results whose names are lost over the open tests. Which belongs to which cannot
/// be told, so the good ones go first.
fn spread(lost: Vec<(CaseStatus, u64)>, mut open: u64) -> Vec<(CaseStatus, u64)> {
    let used = |(status, number): (CaseStatus, u64)| {
        let taken = number.min(open);
        open -= taken;
        (status, number - taken)
    };
    lost.into_iter()
        .map(used)
        .filter(|(_, number)| *number > 0)
        .collect()
}
