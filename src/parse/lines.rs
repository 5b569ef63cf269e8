//! Splits bytes into lines, without looking at most of them.
//!
//! A line ends at a line feed or at a carriage return. So a progress bar that redraws itself cannot
//! hide a result that follows it, and CRLF needs no care.
//!
//! Most output of a job is of no interest. One search over a whole piece finds the lines that hold
//! a [marker](MARKERS); the others are passed over without being split. A line is handed on because
//! of its own text and the receiver's demand at that point, never because of how the bytes were cut
//! into pieces.
//!
//! A line longer than [`HEAD`] is handed on as its head and its last [`TAIL`] bytes. The rest is
//! never stored.

use std::sync::LazyLock;

use memchr::{memchr2, memrchr2};
use regex::bytes::Regex;

/// The bytes kept of a line, unless it is longer than [`HEAD`] + [`TAIL`].
pub(super) const HEAD: usize = 1 << 20;
/// The bytes kept of the end of a longer line, so that a result at the end of a flood is found.
pub(super) const TAIL: usize = 4096;

/// Every line that a recogniser understands holds at least one of these texts. `\x1b[` and `\x1b]`
/// begin escape sequences, which may stand inside any of the others.
const MARKERS: &str = concat!(
    r"--- |=== |PASS(?:[\r\n]|\z)|no tests to run| ns/op|go test |Ran 0 of |\.go:|go: |panic|fatal error|ok  \t|FAIL(?:[\t\r\n]|\z)|\?   \t|coverage: |",
    r"running |Running |Doc-tests |\.\.\. |test result: |failures:|has been running|has overflowed|",
    r"INFO: |ERROR|WARNING: DATA RACE|make|ermission denied|not found|No such file|no such command|",
    r#"(never executed)|installed|lease install|ENOENT|\{"|exit status |# |Found |got:|--ignored|Error|error: |error\[|signal: |"#,
    r"TAP version |1\.\.[0-9]|ok 1|(?mR:^(?:not )?ok(?:[ \r\n]|\z))|Bail out!|Dubious, test|No subtests run|Wstat: |wallclock|/[0-9]+ subtests| \.\.|",
    r#"\{ ?"type": ?"|Running Suite: | specs |Ginkgo ran |SUCCESS! |FAIL! |EMPTY |DONE [0-9]|✓  |✖|∅|\]·|\]↷|"#,
    r"(?:PASS|FAIL|SKIP) |",
    r"\[==========\] |tests? across |a Catch2? v|\[  FAILED  \] |Test project /|No tests were found!!!|",
    r"test session starts|%\]|Fatal Python error|(?:passed|ed|errors?|ran|warnings?) in [0-9.]+s|",
    r"Ran [0-9]+ tests? in |(?:PASS|FAIL|SKIP|ERROR|SUCCESS): |={8}| ✓ | ✗ |\(skipped|tests?, [0-9]+ failure|",
    "\x1b\\[|\x1b\\]",
);

static MARKER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(MARKERS).ok());

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
    /// Takes a line.
    fn line(&mut self, line: Line<'_>);
    /// Takes the last non-empty line of those that were passed over.
    fn skipped(&mut self, last: &[u8]);
}

/// Splits lines, and holds the beginning of a line whose end has not come yet.
#[derive(Debug, Default)]
pub(super) struct LineSplitter {
    offset: u64,
    start: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl LineSplitter {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8], receiver: &mut dyn Receiver) {
        let mut rest = bytes;
        if self.start < self.offset {
            let Some(end) = memchr2(b'\n', b'\r', rest) else {
                return self.store(rest);
            };
            let (piece, after) = rest.split_at(end);
            self.store(piece);
            self.offset += 1;
            self.end_stored(receiver);
            rest = after.get(1..).unwrap_or_default();
        }
        let complete = memrchr2(b'\n', b'\r', rest).map_or(0, |end| end + 1);
        let (region, partial) = rest.split_at(complete);
        self.region(region, receiver);
        self.start = self.offset;
        self.store(partial);
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

    fn store(&mut self, piece: &[u8]) {
        self.offset += piece.len() as u64;
        let room = (HEAD - self.head.len()).min(piece.len());
        let (head, tail) = piece.split_at(room);
        self.head.extend_from_slice(head);
        self.tail
            .extend_from_slice(&tail[tail.len().saturating_sub(TAIL)..]);
        if self.tail.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
    }

    fn end_stored(&mut self, receiver: &mut dyn Receiver) {
        let tail = self.tail.len().saturating_sub(TAIL);
        self.head.extend_from_slice(&self.tail[tail..]);
        self.tail.clear();
        let line = Line {
            bytes: &self.head,
            start: self.start,
            end: self.offset,
        };
        if receiver.wants_all() || is_marked(line.bytes) {
            receiver.line(line);
        } else {
            receiver.skipped(line.bytes);
        }
        self.head.clear();
        self.head.shrink_to(1 << 16);
        self.start = self.offset;
    }

    /// Handles the lines that are complete and lie in one piece.
    fn region(&mut self, region: &[u8], receiver: &mut dyn Receiver) {
        let mut from = 0;
        while from < region.len() {
            let next = if receiver.wants_all() {
                from
            } else {
                next_marked(region, from)
            };
            let passed = trim_end(&region[from..next]);
            if !passed.is_empty() {
                let begin = memrchr2(b'\n', b'\r', passed).map_or(0, |end| end + 1);
                receiver.skipped(&passed[begin..]);
            }
            if next == region.len() {
                break;
            }
            let end = memchr2(b'\n', b'\r', &region[next..]).map_or(region.len(), |end| next + end);
            receiver.line(self.at(region, next, end));
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

/// Returns the start of the next line at or after `from` that holds a marker; the region's length
/// if there is none.
fn next_marked(region: &[u8], from: usize) -> usize {
    let Some(regex) = MARKER.as_ref() else {
        return from;
    };
    regex.find_at(region, from).map_or(region.len(), |found| {
        memrchr2(b'\n', b'\r', &region[from..found.start()]).map_or(from, |end| from + end + 1)
    })
}

fn is_marked(line: &[u8]) -> bool {
    MARKER.as_ref().is_none_or(|regex| regex.is_match(line))
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let end = bytes.iter().rposition(|byte| !blank(byte));
    &bytes[..end.map_or(0, |end| end + 1)]
}
