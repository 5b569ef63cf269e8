//! What the panics in a block of libtest say, by the test they belong to.

use std::collections::HashMap;

use super::lines::PanicHead;
use crate::parse::cases::Details;
use crate::parse::clean;

/// Lines of a panic's message that are kept.
const MESSAGE_LINES: usize = 5;
/// Panics of one block that are kept.
const MOST: usize = 1000;

/// What one panic says.
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
    /// The test whose panic's message goes on.
    speaking: Option<String>,
}

impl Panics {
    /// Whether the next line may belong to a message.
    pub(in crate::parse) fn is_speaking(&self) -> bool {
        self.speaking.is_some()
    }

    /// The message is over.
    pub(in crate::parse) fn stop(&mut self) {
        self.speaking = None;
    }

    /// A panic begins in this test.
    pub(in crate::parse) fn begin(&mut self, test: &str, head: &PanicHead<'_>) {
        let panic = Panic {
            file: Some(head.file.to_owned()),
            line: head.line,
            text: head.message.to_owned(),
            lines: usize::from(!head.message.is_empty()),
        };
        self.speaking = head.message.is_empty().then(|| test.to_owned());
        self.keep(test, panic);
    }

    /// Something else that explains why this test failed; a panic explains more.
    pub(in crate::parse) fn say(&mut self, test: &str, text: &str) {
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

    /// A line of a message, which ends at an empty line, a note or a backtrace.
    pub(in crate::parse) fn line(&mut self, text: &str) {
        let Some(panic) = self
            .speaking
            .as_ref()
            .and_then(|test| self.by_test.get_mut(test))
        else {
            self.speaking = None;
            return;
        };
        let over = text.trim().is_empty()
            || text.starts_with("note: ")
            || text.starts_with("stack backtrace:");
        if over || panic.lines >= MESSAGE_LINES {
            self.speaking = None;
            return;
        }
        panic.lines += 1;
        panic.text.push_str(&text[..text.floor_char_boundary(1024)]);
        panic.text.push('\n');
    }

    /// What is known of this test, which is over.
    pub(in crate::parse) fn take(&mut self, test: &str) -> Details {
        let panic = self.by_test.remove(test).unwrap_or_default();
        Details {
            message: clean::message(&panic.text),
            file: panic.file,
            line: panic.line,
            ..Details::default()
        }
    }
}
