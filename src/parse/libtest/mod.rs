//! Reads the tests of libtest, with the crates that cargo names between them.
//!
//! Cargo's lines are on standard error, libtest's on standard output. If the two were not merged,
//! the package is empty.
//!
//! The totals of a block are the check. Tests whose result was lost in other output take the
//! results that the totals leave for them. A result that is left over is a case without a name.
//!
//! Cargo can report that a target failed in which no test failed (a harness of its own, an exit
//! after the last test). Then the target itself is a case.

mod block;
mod grammar;
mod panics;
use super::evidence::Evidence;
use super::finding::{CaseDetails, CaseSink, Spans, WHOLE_PACKAGE};
use super::lines::Line;
use crate::model::CaseStatus;
use block::Block;
use grammar::Totals;

/// The most runs inside of one another.
const DEEPEST: usize = 8;
pub(in crate::parse) use grammar::target;

/// Reads the lines of cargo test.
#[derive(Debug, Default)]
pub(in crate::parse) struct Libtest {
    package: String,
    block: Option<Block>,
    /// The numbers of tests that runs inside of the block announced.
    inner: Vec<u64>,
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
        self.block.is_some()
    }

    /// Takes the last of the lines that were passed over. A result may stand at its end.
    pub(in crate::parse) fn skipped(&mut self, last: &[u8]) {
        if let Some(block) = &mut self.block {
            block.remember(last);
        }
    }

    /// Takes a line. Returns true if it was one of cargo's or libtest's own.
    pub(in crate::parse) fn line(
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
        if !self.inner.is_empty() {
            return true;
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
            self.inner.clear();
            self.end_block(at.start, out);
            evidence.crate_name(package.strip_suffix(" (doc)").unwrap_or(&package));
            self.package = package;
            (self.since, self.bad_before) = (at.start, out.names.tally.bad());
        } else if let Some(expected) = grammar::running(text)
            && self.block.as_ref().is_some_and(Block::is_incomplete)
            && self.inner.len() < DEEPEST
        {
            self.inner.push(expected);
        } else if let Some(totals) = grammar::totals(text)
            && self.is_of_inner(totals)
        {
            self.inner.pop();
        } else if let Some(expected) = grammar::running(text) {
            self.end_block(at.start, out);
            evidence.nameless_crate |= self.package.is_empty();
            self.block = Some(Block::new(&self.package, expected, at.start));
            self.bad_before_block = out.names.tally.bad();
        } else if let Some(totals) = grammar::totals(text).filter(|_| self.block.is_some()) {
            evidence.filtered = evidence.filtered.saturating_add(totals.filtered);
            self.inner.clear();
            if let Some(block) = self.block.take() {
                block.close(totals, at, out);
                self.count_block(out);
            }
        } else if grammar::is_failed_target(text) && self.block.is_none() {
            self.failed_target(at, out);
        } else {
            return false;
        }
        true
    }

    /// Returns true if the totals are those of a run inside of the block. Such a run may have died
    /// without its totals.
    fn is_of_inner(&self, totals: Totals) -> bool {
        let number = totals.sum().saturating_add(totals.measured);
        let fits = self.block.as_ref().is_some_and(|block| block.fits(totals));
        self.inner
            .last()
            .is_some_and(|expected| *expected == number || !fits)
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
        self.end_failed_targets(evidence, out);
    }

    /// Ends a block without its totals, because its process died.
    pub(in crate::parse) fn end_block(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        if let Some(block) = self.block.take() {
            block.end_without_totals(offset, out);
            self.count_block(out);
        }
    }

    fn count_block(&mut self, out: &CaseSink<'_>) {
        self.bad_blocks += usize::from(out.names.tally.bad() > self.bad_before_block);
    }
}
