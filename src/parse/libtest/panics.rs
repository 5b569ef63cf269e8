//! Collects the messages of the panics in a block of libtest, by test.

use std::collections::HashMap;

use super::grammar::PanicHead;
use crate::parse::clean;
use crate::parse::finding::CaseDetails;

/// The most lines kept of a panic's message.
const MESSAGE_LINES: usize = 5;
/// The most panics kept of one block.
const MOST: usize = 1000;

/// The message of one panic.
#[derive(Debug, Clone, Default)]
struct Panic {
    file: Option<String>,
    line: Option<u32>,
    text: String,
    lines: usize,
}

/// Collects panics.
#[derive(Debug, Default)]
pub(in crate::parse) struct Panics {
    by_test: HashMap<String, Panic>,
    /// The test whose panic message goes on.
    current: Option<String>,
}

impl Panics {
    /// Returns true if the next line may belong to a message.
    pub(in crate::parse) fn is_open(&self) -> bool {
        self.current.is_some()
    }

    /// Ends the message.
    pub(in crate::parse) fn stop(&mut self) {
        self.current = None;
    }

    /// Begins the panic of a test.
    pub(in crate::parse) fn begin(&mut self, test: &str, head: &PanicHead<'_>) {
        let panic = Panic {
            file: Some(head.file.to_owned()),
            line: head.line,
            text: head.message.to_owned(),
            lines: usize::from(!head.message.is_empty()),
        };
        self.current = head.message.is_empty().then(|| test.to_owned());
        self.keep(test, panic);
    }

    /// Adds another explanation of why this test failed. A panic comes before it.
    pub(in crate::parse) fn explain(&mut self, test: &str, text: &str) {
        if !self.by_test.contains_key(test) {
            let text = text[..text.floor_char_boundary(1024)].to_owned();
            let said = Panic {
                text,
                lines: 1,
                ..Panic::default()
            };
            self.keep(test, said);
        }
    }

    fn keep(&mut self, test: &str, panic: Panic) {
        if self.by_test.len() < MOST {
            self.by_test.insert(test.to_owned(), panic);
        }
    }

    /// Takes a line of a message. An empty line, a note or a backtrace ends it.
    pub(in crate::parse) fn line(&mut self, text: &str) {
        let Some(panic) = self
            .current
            .as_ref()
            .and_then(|test| self.by_test.get_mut(test))
        else {
            self.current = None;
            return;
        };
        let over = text.trim().is_empty()
            || text.starts_with("note: ")
            || text.starts_with("stack backtrace:");
        if over || panic.lines >= MESSAGE_LINES {
            self.current = None;
            return;
        }
        panic.lines += 1;
        panic.text.push_str(&text[..text.floor_char_boundary(1024)]);
        panic.text.push('\n');
    }

    /// Takes the details of a test that is over.
    pub(in crate::parse) fn take(&mut self, test: &str) -> CaseDetails {
        let panic = self.by_test.remove(test).unwrap_or_default();
        CaseDetails {
            message: clean::message(&panic.text),
            file: panic.file,
            line: panic.line,
            ..CaseDetails::default()
        }
    }
}
