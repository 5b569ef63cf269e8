//! Splits bytes into lines, without looking at most of them.
//!
//! A line ends at a line feed or at a carriage return. So a progress bar that redraws itself cannot
//! hide a result that follows it, and CRLF needs no care.
//!
//! Most output of a job is of no interest. One search over a whole piece finds the lines that hold
//! [marks](super::marks); the others are passed over without being split. A line is handed on
//! because of its own text and the receiver's demand at that point, never because of how the bytes
//! were cut into pieces.
//!
//! Of a line that is too long to be kept, [`super::long_line`] hands on the parts that matter.

use memchr::{memchr, memchr_iter, memchr2, memrchr2};

use super::long_line::StoredLine;
use super::marks::{ESCAPE, Marking, Marks};

/// The beginning of an event of `go test -json`, whose marks nobody asks for.
pub(super) const EVENT: &[u8] = b"{\"Time\":\"";

/// A line without its terminator, and its position in the input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// The bytes, cut if there are very many.
    pub bytes: &'a [u8],
    /// The offset of the first byte.
    pub start: u64,
    /// The offset behind the terminator.
    pub end: u64,
}

/// A receiver of lines.
pub(super) trait Receiver {
    /// Returns true if the next line is wanted, whatever it holds.
    fn wants_all(&self) -> bool;
    /// Takes a line, and its marks if they are known.
    fn line(&mut self, line: Line<'_>, marks: Option<Marks>);
    /// Takes the last non-empty line of those that were passed over.
    fn skipped(&mut self, last: &[u8]);
}

/// Splits lines, and holds the beginning of a line whose end has not come yet.
#[derive(Debug, Default)]
pub(super) struct LineSplitter {
    offset: u64,
    start: u64,
    stored: StoredLine,
    count: u64,
}

impl LineSplitter {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8], receiver: &mut dyn Receiver) {
        let mut rest = bytes;
        if self.start < self.offset {
            let Some(end) = memchr2(b'\n', b'\r', rest) else {
                return self.store(rest, receiver);
            };
            self.count += u64::from(rest[end] == b'\n');
            let (piece, after) = rest.split_at(end);
            self.store(piece, receiver);
            self.offset += 1;
            self.end_stored(receiver);
            rest = after.get(1..).unwrap_or_default();
        }
        let complete = memrchr2(b'\n', b'\r', rest).map_or(0, |end| end + 1);
        let (region, partial) = rest.split_at(complete);
        self.count += memchr_iter(b'\n', region).count() as u64;
        self.region(region, receiver);
        self.start = self.offset;
        self.store(partial, receiver);
    }

    /// Hands out a last line that has no terminator.
    pub(super) fn finish(&mut self, receiver: &mut dyn Receiver) {
        if self.start < self.offset {
            self.end_stored(receiver);
        }
    }

    /// Returns the number of bytes fed so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the number of line feeds so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    fn store(&mut self, piece: &[u8], receiver: &mut dyn Receiver) {
        self.offset += piece.len() as u64;
        let start = self.start;
        self.stored
            .add(piece, &mut |bytes| excerpt(bytes, start, receiver));
    }

    fn end_stored(&mut self, receiver: &mut dyn Receiver) {
        let (start, end) = (self.start, self.offset);
        let bytes = self
            .stored
            .end(&mut |bytes| excerpt(bytes, start, receiver));
        let marks = Marks::that_matter(bytes);
        if receiver.wants_all() || marks.is_some() {
            receiver.line(Line { bytes, start, end }, marks);
        } else {
            receiver.skipped(bytes);
        }
        self.stored.clear();
        self.start = self.offset;
    }

    /// Handles the lines that are complete and lie in one piece.
    fn region(&mut self, region: &[u8], receiver: &mut dyn Receiver) {
        let mut search = Search::new(region);
        let mut from = 0;
        while from < region.len() {
            let (next, marks) = match receiver.wants_all() {
                true => (from, search.marks_in(from)),
                false => search.next_marked(from),
            };
            let passed = trim_end(&region[from..next]);
            if !passed.is_empty() {
                let begin = memrchr2(b'\n', b'\r', passed).map_or(0, |end| end + 1);
                receiver.skipped(&passed[begin..]);
            }
            if next == region.len() {
                break;
            }
            let end = end_of_line(region, next);
            receiver.line(self.at(region, next, end), marks);
            from = end + 1;
        }
        self.offset += region.len() as u64;
    }

    fn at<'a>(&self, region: &'a [u8], start: usize, end: usize) -> Line<'a> {
        Line {
            bytes: &region[start..end],
            start: self.offset + start as u64,
            end: self.offset + end as u64 + 1,
        }
    }
}

/// Hands on a part of a long line as a line of its own.
fn excerpt(bytes: &[u8], start: u64, receiver: &mut dyn Receiver) {
    let end = start;
    receiver.line(Line { bytes, start, end }, None);
}

/// The search for the next line that may matter. It goes on from where it was.
struct Search<'a> {
    region: &'a [u8],
    /// The next anchor and the next escape, once they have been looked for.
    anchor: Option<usize>,
    escape: Option<usize>,
    /// True if the line before had marks. The next one is then likely to have some, too, and is
    /// looked at without a search for anchors.
    is_dense: bool,
}

impl<'a> Search<'a> {
    fn new(region: &'a [u8]) -> Self {
        Self {
            region,
            anchor: None,
            escape: None,
            is_dense: true,
        }
    }

    /// Returns the start of the next line at or after `from` that may matter, with its marks if
    /// they are known; the region's length if there is none.
    fn next_marked(&mut self, from: usize) -> (usize, Option<Marks>) {
        let Some(marking) = Marking::get() else {
            return (from, None);
        };
        // A mark at the beginning of a line is found by the end of the line before, so the first
        // line of the region is always looked at as it is.
        if self.is_dense {
            let line = &self.region[from..end_of_line(self.region, from)];
            if let Some(marks) = found(line) {
                return (from, marks);
            }
        }
        let mut search = from.saturating_sub(1);
        while let Some(at) = self.next(marking, search) {
            // An anchor may begin with the end of the line before.
            let inside = at + usize::from(matches!(self.region[at], b'\n' | b'\r'));
            let before = memrchr2(b'\n', b'\r', &self.region[from..inside.max(from)]);
            let start = before.map_or(from, |end| from + end + 1);
            let end = end_of_line(self.region, inside);
            if let Some(marks) = found(&self.region[start..end]) {
                self.is_dense = true;
                return (start, marks);
            }
            search = end;
        }
        self.is_dense = false;
        (self.region.len(), None)
    }

    /// Returns the marks of the line that begins at `from`, unless they are found otherwise: those
    /// of an event, and of a line with an escape sequence.
    fn marks_in(&mut self, from: usize) -> Option<Marks> {
        let end = end_of_line(self.region, from);
        let line = &self.region[from..end];
        if self.next_escape(from) < end || line.starts_with(EVENT) {
            return None;
        }
        let marking = Marking::get()?;
        let may_matter = self.is_dense || self.next_anchor(marking, from.saturating_sub(1)) < end;
        let marks = Some(line).filter(|_| may_matter).map(Marks::of);
        let marks = marks.filter(|marks| !marks.is_empty());
        self.is_dense = marks.is_some();
        Some(marks.unwrap_or_default())
    }

    /// Returns the position of the next anchor or escape at or behind `from`.
    fn next(&mut self, marking: &Marking, from: usize) -> Option<usize> {
        let next = self.next_anchor(marking, from).min(self.next_escape(from));
        Some(next).filter(|at| *at < self.region.len())
    }

    fn next_anchor(&mut self, marking: &Marking, from: usize) -> usize {
        let known = self.anchor.filter(|at| *at >= from);
        let search = || marking.next(self.region, from);
        let anchor = known.or_else(search).unwrap_or(self.region.len());
        *self.anchor.insert(anchor)
    }

    fn next_escape(&mut self, from: usize) -> usize {
        let known = self.escape.filter(|at| *at >= from);
        let search = || memchr(ESCAPE, &self.region[from..]).map(|at| from + at);
        let escape = known.or_else(search).unwrap_or(self.region.len());
        *self.escape.insert(escape)
    }
}

/// Returns the marks of a line that may matter, if they are known.
fn found(line: &[u8]) -> Option<Option<Marks>> {
    if line.starts_with(EVENT) {
        return Some(None);
    }
    Marks::that_matter(line).map(Some)
}

fn end_of_line(region: &[u8], from: usize) -> usize {
    memchr2(b'\n', b'\r', &region[from..]).map_or(region.len(), |end| from + end)
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let end = bytes.iter().rposition(|byte| !blank(byte));
    &bytes[..end.map_or(0, |end| end + 1)]
}
