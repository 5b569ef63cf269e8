//! Splits a stream of bytes into lines of bounded length.

/// The most bytes of a line that is kept. An event is a few KiB, and a comment at most 16 KiB.
const LONGEST: usize = 1 << 20;

/// A line of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A whole line, without its end.
    Whole(Vec<u8>),
    /// A line longer than any event, whose bytes were dropped.
    TooLong,
}

/// The splitter, which keeps the beginning of the line that has not ended yet.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    overflown: bool,
}

impl Lines {
    /// Takes the next bytes and returns the lines that they end. Empty lines are left out.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            self.keep(&rest[..at]);
            rest = &rest[at + 1..];
            lines.extend(self.end());
        }
        self.keep(rest);
        lines
    }

    /// Returns true if the stream ended in the middle of a line.
    pub fn is_cut(&self) -> bool {
        self.overflown || !self.begun.is_empty()
    }

    fn keep(&mut self, part: &[u8]) {
        if self.overflown || self.begun.len() + part.len() > LONGEST {
            self.overflown = true;
            self.begun = Vec::new();
            return;
        }
        self.begun.extend_from_slice(part);
    }

    fn end(&mut self) -> Option<Line> {
        let line = std::mem::take(&mut self.begun);
        match std::mem::take(&mut self.overflown) {
            true => Some(Line::TooLong),
            false if line.trim_ascii().is_empty() => None,
            false => Some(Line::Whole(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_are_the_same_however_the_bytes_arrive(
            text in "[a-c\n]{0,60}", size in 1_usize..20
        ) {
            let mut lines = Lines::default();
            let pieces = text.as_bytes().chunks(size);
            let found: Vec<_> = pieces.flat_map(|piece| lines.take(piece)).collect();
            let (ended, begun) = text.rsplit_once('\n').unwrap_or(("", &text));
            let whole = ended.split('\n').filter(|line| !line.is_empty());
            let expected: Vec<_> = whole.map(|line| Line::Whole(line.into())).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(lines.is_cut(), !begun.is_empty());
        }
    }

    #[test]
    fn a_line_without_end_is_dropped_and_the_next_one_is_whole() {
        let mut lines = Lines::default();
        for _ in 0..64 {
            assert_eq!(lines.take(&[b'x'; 64 << 10]), []);
            assert!(lines.begun.capacity() <= 2 * LONGEST);
        }
        let after = lines.take(b"x\n{}\n");
        assert_eq!(after, [Line::TooLong, Line::Whole(b"{}".to_vec())]);
        assert!(!lines.is_cut());
    }
}
