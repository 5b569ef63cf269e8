//! Holds the line whose end has not come yet.
//!
//! A line longer than [`HEAD`] is handed on as its head and its last [`TAIL`] bytes. What is
//! between is never stored, but searched for results: a result is handed on as an excerpt, behind
//! an ellipsis, so that it counts for as much as one behind other output.

use std::sync::LazyLock;

use super::marks::Anchors;

/// The bytes kept of a line, unless it is longer than [`HEAD`] + [`TAIL`].
pub(super) const HEAD: usize = 1 << 20;
/// The bytes kept of the end of a longer line, so that a result at the end of a flood is found.
pub(super) const TAIL: usize = 4096;

/// The bytes that are searched at once.
const WINDOW: usize = 1 << 16;
/// The bytes of an excerpt before the result, and from its beginning on.
const BEFORE: usize = 32;
const BEHIND: usize = 1024;
const _: () = assert!(BEHIND <= TAIL);

/// The sign for what is left out before an excerpt.
const ELLIPSIS: &str = "…";

/// The texts with which results begin that may stand behind other output.
const RESULTS: &[&str] = &[
    "--- FAIL: ",
    "--- PASS: ",
    "--- SKIP: ",
    "FAIL\t",
    "ok  \t",
    "not ok ",
    "error: could not compile `",
    ": *** ",
    FAILED_EVENT,
];

/// The text that shows a failure in an event of `go test -json`.
const FAILED_EVENT: &str = "\"Action\":\"fail\"";

static SEARCHER: LazyLock<Option<Anchors>> = LazyLock::new(|| Anchors::of(RESULTS));

/// The line, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct StoredLine {
    head: Vec<u8>,
    /// The bytes behind the head that have not been passed over. The last bytes of the head stand
    /// before them.
    rest: Vec<u8>,
    /// The number of bytes of `rest` in which no further excerpt begins.
    searched: usize,
    /// The position in `rest` behind the first byte of the last excerpt's result.
    behind_last: usize,
}

impl StoredLine {
    /// Adds bytes, and hands out excerpts.
    pub(super) fn add(&mut self, piece: &[u8], excerpt: &mut dyn FnMut(&[u8])) {
        let room = (HEAD - self.head.len()).min(piece.len());
        let (head, mut rest) = piece.split_at(room);
        self.head.extend_from_slice(head);
        if !rest.is_empty() && self.rest.is_empty() {
            self.rest.extend_from_slice(&self.head[HEAD - BEFORE..]);
        }
        while !rest.is_empty() {
            let (window, after) = rest.split_at(rest.len().min(WINDOW));
            self.rest.extend_from_slice(window);
            if self.rest.len() > WINDOW {
                self.search(excerpt);
            }
            rest = after;
        }
    }

    /// Ends the line. Returns what is kept of it.
    pub(super) fn end(&mut self, excerpt: &mut dyn FnMut(&[u8])) -> &[u8] {
        if !self.rest.is_empty() {
            self.search(excerpt);
            let tail = self.rest.len().saturating_sub(TAIL).max(BEFORE);
            self.head.extend_from_slice(&self.rest[tail..]);
        }
        &self.head
    }

    /// Forgets the line.
    pub(super) fn clear(&mut self) {
        self.head.clear();
        self.head.shrink_to(1 << 16);
        self.rest.clear();
        (self.searched, self.behind_last) = (0, 0);
    }

    /// Searches what is not of the tail, and forgets it.
    fn search(&mut self, excerpt: &mut dyn FnMut(&[u8])) {
        let Some(searcher) = SEARCHER.as_ref() else {
            return;
        };
        let end = self.rest.len().saturating_sub(TAIL);
        let is_event = self.head.starts_with(b"{");
        // Of a text that begins before the end, some bytes stand behind it.
        let within = &self.rest[..self.rest.len().min(end + BEFORE)];
        while let Some(at) = searcher.next(within, self.searched.min(within.len()))
            && at < end
        {
            let begin = at.saturating_sub(BEFORE).max(self.behind_last);
            let text = &self.rest[..self.rest.len().min(at + BEHIND)];
            let next = searcher.next(text, at + 1).unwrap_or(text.len());
            if !is_event || text[at..].starts_with(FAILED_EVENT.as_bytes()) {
                excerpt(&[ELLIPSIS.as_bytes(), &text[begin..next]].concat());
            }
            (self.searched, self.behind_last) = (at + 1, at + 1);
        }
        self.searched = self.searched.max(end);
        let passed = self.searched.saturating_sub(BEFORE);
        self.rest.drain(..passed);
        self.searched -= passed;
        self.behind_last = self.behind_last.saturating_sub(passed);
    }
}
