//! libtest's tests, with the crates that cargo names between them.
//!
//! cargo's lines are on standard error, libtest's on standard output: where they were not merged, the package is empty.
//! The totals of a block are the check: tests whose result was lost in other output take what the totals leave for them,
//! and what they leave over is a case without a name. Of a target that cargo says has failed and that has no failed test
//! (a harness of its own, an exit after the last test) the target itself is a case.

mod block;
mod lines;
mod panics;
use super::cases::{Details, Out, Spans, WHOLE_PACKAGE};
use super::lines::Line;
use super::observations::Seen;
use crate::model::CaseStatus;
use block::Block;

/// Reads the lines of cargo test.
#[derive(Debug, Default)]
pub(in crate::parse) struct Libtest {
    package: String,
    block: Option<Block>,
    /// Bad cases of the job before the present block.
    bad_before_block: u64,
    /// Blocks with bad cases.
    bad_blocks: usize,
    /// Where the output of the present target begins.
    since: u64,
    /// Bad cases of the job before the present target.
    bad_before: u64,
    /// Targets that cargo says have failed.
    failed_targets: usize,
    /// Those of them that no failed test stands above, by their package.
    unexplained: Vec<(String, Spans)>,
}

impl Libtest {
    /// Whether the next line is wanted whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.block.as_ref().is_some_and(Block::wants_all)
    }

    /// Whether a test runs at this point, as far as can be told.
    pub(in crate::parse) fn has_running(&self) -> bool {
        self.block.is_some()
    }

    /// The last line of those that were passed over: a result may stand at its end.
    pub(in crate::parse) fn passed_over(&mut self, last: &[u8]) {
        if let Some(block) = &mut self.block {
            block.remember(last);
        }
    }

    /// Takes a line; whether it was one of cargo's or libtest's own.
    pub(in crate::parse) fn line(
        &mut self,
        text: &str,
        at: Line<'_>,
        seen: &mut Seen,
        out: &mut Out<'_>,
    ) -> bool {
        if !self.block.as_ref().is_some_and(Block::is_quoting) && self.frame(text, at, seen, out) {
            return true;
        }
        let Some(block) = &mut self.block else {
            return false;
        };
        let taken = block.line(text, at, out);
        block.remember(text.as_bytes());
        taken
    }

    /// The lines that begin and end a block.
    fn frame(&mut self, text: &str, at: Line<'_>, seen: &mut Seen, out: &mut Out<'_>) -> bool {
        if let Some(package) = lines::target(text) {
            self.end_block(at.start, out);
            seen.crate_name(package.strip_suffix(" (doc)").unwrap_or(&package));
            self.package = package;
            (self.since, self.bad_before) = (at.start, out.names.tally.bad());
        } else if let Some(expected) = lines::running(text) {
            self.end_block(at.start, out);
            seen.nameless_crate |= self.package.is_empty();
            self.block = Some(Block::new(&self.package, expected, at.start));
            self.bad_before_block = out.names.tally.bad();
        } else if let Some(totals) = lines::totals(text).filter(|_| self.block.is_some()) {
            seen.filtered = seen.filtered.saturating_add(totals.filtered);
            if let Some(block) = self.block.take() {
                block.close(totals, at, out);
                self.count_block(out);
            }
        } else if lines::is_failed_target(text) && self.block.is_none() {
            self.failed_target(at, out);
        } else {
            return false;
        }
        true
    }

    /// cargo says that the target failed. Which of its tests did stands before it, where the output is in order.
    fn failed_target(&mut self, at: Line<'_>, out: &Out<'_>) {
        self.failed_targets += 1;
        if out.names.tally.bad() == self.bad_before {
            let mut spans = Spans::default();
            spans.add(self.since, at.end);
            self.unexplained.push((self.package.clone(), spans));
        }
        (self.since, self.bad_before) = (at.end, out.names.tally.bad());
    }

    /// Targets that failed without a failed test. Where blocks are not below their target's name, only their number is known.
    fn end_failed_targets(&mut self, seen: &Seen, out: &mut Out<'_>) {
        let count = match seen.nameless_crate {
            true => self.failed_targets.saturating_sub(self.bad_blocks),
            false => self.unexplained.len(),
        };
        for (package, spans) in self.unexplained.drain(..).take(count) {
            let package = if seen.nameless_crate { "" } else { &package };
            let details = Details {
                spans,
                ..Details::saying("cargo says that it failed, and no test of it did")
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

    /// The output is over.
    pub(in crate::parse) fn finish(&mut self, offset: u64, seen: &Seen, out: &mut Out<'_>) {
        self.end_block(offset, out);
        self.end_failed_targets(seen, out);
    }

    /// The block is over without its totals: its process died.
    pub(in crate::parse) fn end_block(&mut self, offset: u64, out: &mut Out<'_>) {
        if let Some(block) = self.block.take() {
            block.abandon(offset, out);
            self.count_block(out);
        }
    }

    fn count_block(&mut self, out: &Out<'_>) {
        self.bad_blocks += usize::from(out.names.tally.bad() > self.bad_before_block);
    }
}
