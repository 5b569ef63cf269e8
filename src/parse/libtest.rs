//! libtest's tests, with the crates that cargo names between them.
//!
//! cargo's lines are on standard error, libtest's on standard output: where they were not merged, the package is empty.
//! The totals of a block are the check: tests whose result was lost in other output take what the totals leave for them,
//! and what they leave over is a case without a name.

use super::cases::Out;
use super::libtest_block::Block;
use super::libtest_lines as lines;
use super::lines::Line;
use super::seen::Seen;

/// Reads the lines of cargo test.
#[derive(Debug, Default)]
pub(super) struct Libtest {
    package: String,
    block: Option<Block>,
}

impl Libtest {
    /// Whether the next line is wanted whatever it holds.
    pub(super) fn wants_all(&self) -> bool {
        self.block.as_ref().is_some_and(Block::wants_all)
    }

    /// Whether a test runs at this point, as far as can be told.
    pub(super) fn has_running(&self) -> bool {
        self.block.is_some()
    }

    /// The last line of those that were passed over: a result may stand at its end.
    pub(super) fn passed_over(&mut self, last: &[u8]) {
        if let Some(block) = &mut self.block {
            block.remember(last);
        }
    }

    /// Takes a line; whether it was one of cargo's or libtest's own.
    pub(super) fn line(
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
        } else if let Some(expected) = lines::running(text) {
            self.end_block(at.start, out);
            seen.nameless_crate |= self.package.is_empty();
            self.block = Some(Block::new(&self.package, expected, at.start));
        } else if let Some(totals) = lines::totals(text).filter(|_| self.block.is_some()) {
            seen.filtered = seen.filtered.saturating_add(totals.filtered);
            if let Some(block) = self.block.take() {
                block.close(totals, at, out);
            }
        } else {
            return false;
        }
        true
    }

    /// The block is over without its totals: its process died.
    pub(super) fn end_block(&mut self, offset: u64, out: &mut Out<'_>) {
        if let Some(block) = self.block.take() {
            block.abandon(offset, out);
        }
    }
}
