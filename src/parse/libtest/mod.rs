//! Reads the tests of libtest, with the crates that cargo names between them.
//!
//! Cargo's lines are on standard error, libtest's on standard output. If the two were not merged,
//! the package is empty.
//!
//! The totals of a block are the check. Tests whose result was lost in other output take the
//! results that the totals leave for them. A result that is left over is a case without a name.
//!
//! A run that begins while a test visibly runs is output of that test. A run that begins below a
//! name of its own while another is not over is one beside it. Of a run without a name that begins
//! inside of another the lines do not tell which: its results are taken out by number, and if it
//! failed, the job has.
//!
//! Cargo can report that a target failed in which no test failed (a harness of its own, an exit
//! after the last test). Then the target itself is a case.

mod block;
mod grammar;
mod panics;
use super::evidence::Evidence;
use super::finding::{CaseDetails, CaseSink, Spans, WHOLE_PACKAGE};
use super::lines::Line;
use super::marks::Marks;
use crate::model::CaseStatus;
use block::{Block, WholeLine};
use grammar::Totals;

/// The most runs inside of one another, or side by side.
const DEEPEST: usize = 8;
pub(in crate::parse) use grammar::target;
/// The most lines that are kept of a run that may be output of a test.
const MOST_DEFERRED: usize = 10_000;

/// A run inside of a block.
#[derive(Debug, Clone, Copy)]
struct InnerRun {
    /// The number of tests that it announced.
    expected: u64,
    /// True if a test was visibly running when it began.
    is_output: bool,
}

/// Reads the lines of cargo test.
#[derive(Debug, Default)]
pub(in crate::parse) struct Libtest {
    package: String,
    block: Option<Block>,
    /// Blocks that were not over when another run began.
    beside: Vec<Block>,
    /// The lines of which it is not known yet to which run they belong.
    mixed: Vec<WholeLine>,
    inner: Vec<InnerRun>,
    /// True if the test that visibly runs has started cargo.
    is_cargo_inside: bool,
    /// True if the process of the block is reported to have ended.
    is_dead: bool,
    /// True if cargo told how a process died.
    has_died: bool,
    /// Lines that a test of another runner may have printed.
    deferred: Vec<(String, u64, u64)>,
    /// The number of those lines that were there when that test ended, and their run had not.
    left_open: usize,
    /// The number of bad cases of the job before the current block.
    bad_before_block: u64,
    /// The number of blocks with bad cases.
    bad_blocks: usize,
    /// The offset at which the output of the current target begins.
    since: u64,
    /// The number of bad cases of the job before the current target.
    bad_before: u64,
    /// The number of targets that cargo reports as failed.
    failed_targets: usize,
    /// The failed targets without a failed test, by package.
    unexplained: Vec<(String, Spans)>,
}

impl Libtest {
    /// Returns true if the next line is wanted, whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.block.as_ref().is_some_and(Block::wants_all)
    }

    /// Returns true if a test is running, as far as can be told.
    pub(in crate::parse) fn has_running(&self) -> bool {
        self.block.is_some() && !self.is_over()
    }

    /// Returns true if a test is visibly running: its name was seen, and not its result.
    pub(in crate::parse) fn is_in_test(&self) -> bool {
        self.block.as_ref().is_some_and(Block::is_waiting)
    }

    /// Returns true if the line begins a test.
    pub(in crate::parse) fn begins_test(&self, text: &str) -> bool {
        self.block.is_some() && grammar::test(text).is_some()
    }

    /// Returns true if cargo reported a target as failed, or the death of its process.
    pub(in crate::parse) fn has_failed_target(&self) -> bool {
        self.failed_targets > 0 || self.has_died
    }

    /// Keeps a line that a running test of another runner may have printed.
    pub(in crate::parse) fn defer(&mut self, text: &str, at: Line<'_>) {
        let begins = grammar::target(text).is_some() || grammar::running(text).is_some();
        let goes_on = grammar::totals(text).is_some() || grammar::test(text).is_some();
        if begins {
            // What was left open before has not gone on.
            self.deferred.drain(..std::mem::take(&mut self.left_open));
        }
        if (begins || goes_on) && self.deferred.len() < MOST_DEFERRED {
            self.deferred.push((text.to_owned(), at.start, at.end));
        }
    }

    /// Decides on the lines that were kept, because the test that may have printed them is over.
    /// `text` is the line that follows. If the run that they are of goes on, they are read.
    pub(in crate::parse) fn settle(
        &mut self,
        text: &str,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        if self.deferred.is_empty() {
            return;
        }
        let goes_on = grammar::totals(text).is_some() || grammar::test(text).is_some();
        let went_on = self.left_open > 0 && self.deferred.len() > self.left_open;
        if went_on || goes_on && self.is_left_open() {
            return self.read_deferred(evidence, out);
        }
        let begins = grammar::target(text).is_some() || grammar::running(text).is_some();
        if begins || !self.is_left_open() {
            self.deferred.clear();
        }
        self.left_open = self.deferred.len();
    }

    /// Returns true if the run that the lines are of which were kept is not over.
    fn is_left_open(&self) -> bool {
        let lines = self.deferred.iter().rev().map(|line| line.0.as_str());
        let ends = |text: &str| grammar::totals(text).is_some();
        let begins =
            |text: &str| grammar::running(text).is_some() || grammar::target(text).is_some();
        lines.take_while(|text| !ends(text)).any(begins)
    }

    /// Reads the lines that were kept: no test has printed them.
    pub(in crate::parse) fn read_deferred(
        &mut self,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        self.left_open = 0;
        for (text, start, end) in std::mem::take(&mut self.deferred) {
            let bytes = text.as_bytes();
            self.line(&text, Line { bytes, start, end }, evidence, out);
        }
    }

    /// Takes the last of the lines that were passed over. A result may stand at its end.
    pub(in crate::parse) fn skipped(&mut self, last: &[u8]) {
        if let Some(block) = &mut self.block {
            block.remember(last);
        }
    }

    /// Takes a line with these marks. Returns true if it was one of cargo's or libtest's own.
    pub(in crate::parse) fn look(
        &mut self,
        text: &str,
        marks: Marks,
        at: Line<'_>,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if marks.has(Marks::LIBTEST) || self.wants_all() {
            return self.line(text, at, evidence, out);
        }
        self.skipped(text.as_bytes());
        false
    }

    /// Takes a line that may matter. Returns true if it was one of cargo's or libtest's own.
    fn line(
        &mut self,
        text: &str,
        at: Line<'_>,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if !self.block.as_ref().is_some_and(Block::is_quoting)
            && self.frame(text, at, evidence, out)
        {
            return true;
        }
        let Some(block) = &mut self.block else {
            return false;
        };
        if self.inner.last().is_some_and(|inner| inner.is_output) {
            return true;
        }
        if !self.inner.is_empty() || !self.beside.is_empty() {
            let whole = grammar::test(text).and_then(|(name, rest)| {
                Some(WholeLine {
                    name: name.to_owned(),
                    result: grammar::end(rest)?,
                    start: at.start,
                    end: at.end,
                })
            });
            if let Some(line) = whole {
                self.mixed.push(line);
                return true;
            }
        }
        let taken = block.line(text, at, out);
        block.remember(text.as_bytes());
        taken
    }

    /// Takes the lines that begin and end a block.
    fn frame(
        &mut self,
        text: &str,
        at: Line<'_>,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if let Some(package) = grammar::target(text) {
            if self.is_in_test() && !self.is_over() {
                self.is_cargo_inside = true;
                return true;
            }
            self.leave_block(at.start, out);
            evidence.crate_name(package.strip_suffix(" (doc)").unwrap_or(&package));
            self.package = package;
            (self.since, self.bad_before) = (at.start, out.names.tally.bad());
        } else if let Some(expected) = grammar::running(text) {
            self.begin(expected, at, evidence, out);
        } else if let Some(totals) = grammar::totals(text) {
            if self.is_of_inner(totals) {
                self.end_inner(totals, evidence, out);
            } else if self.block.is_some() {
                self.close(totals, at, evidence, out);
            } else {
                return false;
            }
        } else if grammar::is_failed_target(text) {
            if self.block.is_none() {
                self.failed_target(at, out);
                return true;
            }
            self.is_dead |= self.inner.is_empty() && !self.is_cargo_inside;
            return false;
        } else {
            return false;
        }
        true
    }

    /// Takes the line that announces tests.
    fn begin(
        &mut self,
        expected: u64,
        at: Line<'_>,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        let is_inside = self.block.as_ref().is_some_and(Block::is_incomplete) && !self.is_over();
        if is_inside && self.inner.len() < DEEPEST {
            let is_output =
                self.is_in_test() || self.inner.last().is_some_and(|inner| inner.is_output);
            return self.inner.push(InnerRun {
                expected,
                is_output,
            });
        }
        self.end_block(at.start, out);
        evidence.nameless_crate |= self.package.is_empty();
        self.block = Some(Block::new(&self.package, expected, at.start));
        (self.is_cargo_inside, self.is_dead) = (false, false);
        self.bad_before_block = out.names.tally.bad();
    }

    /// Returns true if the process of the block is reported to have ended.
    fn is_over(&self) -> bool {
        let has_died = self.block.as_ref().is_some_and(Block::has_died);
        self.is_dead || has_died && !self.is_cargo_inside
    }

    /// Leaves a block because another target begins. One that is not over may go on beside it.
    fn leave_block(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        let goes_on = !self.is_over() && self.beside.len() < DEEPEST;
        self.inner.clear();
        match self.block.take_if(|block| goes_on && block.is_incomplete()) {
            Some(block) => self.beside.push(block),
            None => self.end_block(offset, out),
        }
    }

    /// Returns true if the totals are those of a run inside of the block. Such a run may have died
    /// without its totals.
    fn is_of_inner(&self, totals: Totals) -> bool {
        let number = totals.sum().saturating_add(totals.measured);
        let fits = self.block.as_ref().is_some_and(|block| block.fits(totals));
        match self.inner.last() {
            Some(inner) => inner.expected == number || !fits,
            // A harness inside of a test may give its totals alone.
            None => self.is_in_test() && !fits && !self.is_over(),
        }
    }

    /// Ends a run inside of the block: its results are none of the block's.
    fn end_inner(&mut self, totals: Totals, evidence: &mut Evidence, out: &mut CaseSink<'_>) {
        let Some(inner) = self.inner.pop().filter(|inner| !inner.is_output) else {
            return;
        };
        let expected = inner.expected;
        drop(self.take_mixed(totals.less(Totals::default())));
        if totals.failed > 0 {
            let failed = totals.failed;
            evidence.unclear.get_or_insert_with(|| {
                format!("{failed} of {expected} tests failed in a run inside of another run or beside it; the output does not tell which")
            });
        }
        self.settle_mixed(out);
    }

    /// Takes as many lines out of the mixed ones as the totals count.
    fn take_mixed(&mut self, mut wanted: Totals) -> Vec<WholeLine> {
        let is_wanted = |line: &mut WholeLine| {
            let left = match line.result.status {
                CaseStatus::Passed => &mut wanted.passed,
                CaseStatus::Failed => &mut wanted.failed,
                _ => &mut wanted.ignored,
            };
            let is_wanted = *left > 0;
            *left -= u64::from(is_wanted);
            is_wanted
        };
        self.mixed.extract_if(.., is_wanted).collect()
    }

    /// Gives the mixed lines to the block, if no other run is open.
    fn settle_mixed(&mut self, out: &mut CaseSink<'_>) {
        if let Some(block) = &mut self.block
            && self.inner.is_empty()
            && self.beside.is_empty()
        {
            let lines = self.mixed.drain(..);
            lines.for_each(|line| block.ended(&line, out));
        }
    }

    /// Closes the block that the totals fit.
    fn close(
        &mut self,
        totals: Totals,
        at: Line<'_>,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        evidence.filtered = evidence.filtered.saturating_add(totals.filtered);
        self.inner.clear();
        let is_other = self.block.as_ref().is_some_and(|block| !block.fits(totals));
        let other = self.beside.iter().position(|block| block.fits(totals));
        let block = match other {
            Some(index) if is_other => Some(self.beside.remove(index)),
            _ => self.block.take(),
        };
        let Some(mut block) = block else {
            return;
        };
        for line in self.take_mixed(block.untold(totals)) {
            block.ended(&line, out);
        }
        block.close(totals, at, out);
        self.count_block(out);
        self.block = self.block.take().or_else(|| self.beside.pop());
        self.settle_mixed(out);
    }

    /// Takes cargo's report that the target failed. Its failed tests stand before it, if the output
    /// is in order.
    fn failed_target(&mut self, at: Line<'_>, out: &CaseSink<'_>) {
        self.failed_targets += 1;
        if out.names.tally.bad() == self.bad_before {
            let mut spans = Spans::default();
            spans.add(self.since, at.end);
            self.unexplained.push((self.package.clone(), spans));
        }
        (self.since, self.bad_before) = (at.end, out.names.tally.bad());
    }

    /// Reports targets that failed without a failed test. If blocks do not stand below their
    /// target's name, only the number of such targets is known.
    fn end_failed_targets(&mut self, evidence: &Evidence, out: &mut CaseSink<'_>) {
        let count = match evidence.nameless_crate {
            true => self.failed_targets.saturating_sub(self.bad_blocks),
            false => self.unexplained.len(),
        };
        for (package, spans) in self.unexplained.drain(..).take(count) {
            let package = if evidence.nameless_crate {
                ""
            } else {
                &package
            };
            let details = CaseDetails {
                spans,
                ..CaseDetails::saying("cargo says that it failed, and no test of it did")
            };
            out.both(
                package,
                WHOLE_PACKAGE,
                self.since,
                CaseStatus::Failed,
                details,
            );
        }
    }

    /// Ends, because the output is over.
    pub(in crate::parse) fn finish(
        &mut self,
        offset: u64,
        evidence: &Evidence,
        out: &mut CaseSink<'_>,
    ) {
        self.end_block(offset, out);
        while let Some(block) = self.beside.pop() {
            self.block = Some(block);
            self.end_block(offset, out);
        }
        self.end_failed_targets(evidence, out);
    }

    /// Ends a block without its totals, because its process died.
    pub(in crate::parse) fn end_block(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        self.inner.clear();
        if let Some(mut block) = self.block.take() {
            let lines = self.mixed.drain(..);
            lines.for_each(|line| block.ended(&line, out));
            self.has_died |= block.has_died();
            block.end_without_totals(offset, out);
            self.count_block(out);
        }
    }

    fn count_block(&mut self, out: &CaseSink<'_>) {
        self.bad_blocks += usize::from(out.names.tally.bad() > self.bad_before_block);
    }
}
