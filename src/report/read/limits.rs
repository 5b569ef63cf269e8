//! The limits beyond which a file counts as hostile, and a reader that enforces them.
//!
//! Each limit is far above anything that a real writer writes.

use std::io::{self, BufRead, Read};

/// The deepest nesting of elements.
pub(super) const DEPTH: usize = 100;

/// The most bytes of one tag with its attributes.
pub(super) const TAG: usize = 1024 * 1024;

/// The most bytes of one piece of text. Outputs of a hundred megabytes belong into a file of their
/// own.
pub(super) const TEXT: usize = 64 * 1024 * 1024;

/// The most cases of one file. GitLab takes half of that.
pub(super) const CASES: usize = 1_000_000;

/// The most elements of one file that are not cases: suites, properties, problems.
pub(super) const ELEMENTS: usize = 10_000_000;

/// A reader with an allowance that is renewed for each token.
#[derive(Debug)]
pub(super) struct BoundedReader<R> {
    inner: R,
    left: usize,
    /// The number of the current line, from 1.
    pub(super) line: u64,
    /// True if the allowance was used up.
    pub(super) exceeded: bool,
    /// True if the end of the file was seen.
    pub(super) ended: bool,
}

impl<R> BoundedReader<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            left: 0,
            line: 1,
            exceeded: false,
            ended: false,
        }
    }

    /// Allows `bytes` more bytes, and the length of a buffer beyond them.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.left = bytes;
    }
}

impl<R: BufRead> BufRead for BoundedReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            self.exceeded = true;
            return Err(io::Error::other("too long"));
        }
        let buffer = self.inner.fill_buf()?;
        self.ended = buffer.is_empty();
        Ok(buffer)
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        // The bytes are still there: nothing was consumed since the buffer was filled.
        if let Ok(buffer) = self.inner.fill_buf() {
            let taken = &buffer[..amount.min(buffer.len())];
            self.line += memchr::memchr_iter(b'\n', taken).count() as u64;
        }
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for BoundedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
