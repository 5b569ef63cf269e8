//! Reads the output of one Go test: its message, and the file and line that it names.
//!
//! A panic explains more than a data race. A data race explains more than an assertion of testify,
//! and an assertion more than lines of `t.Error`, `t.Fatal`, `t.Skip` or `t.Log`.
//!
//! Lines of those four look alike (`    file_test.go:12: text`). So the message of a failed test
//! holds all of them, and that of a skipped test the last one, because `Skip` ends a test. File and
//! line are those of the last line.

use crate::model::CaseStatus;
use crate::parse::clean;
use crate::parse::finding::CaseDetails;

/// The most lines kept of a continued message.
const CONTINUED: usize = 6;
/// The most lines kept of `t.Error` and its kin: half of them the first, half the last.
const ENTRIES: usize = 8;

/// The most lines of a message that has begun. A text that looks like a panic may be none.
const PATIENCE: u32 = 500;

/// The message that the next lines may continue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum OpenMessage {
    #[default]
    Nothing,
    /// `file.go:12: ` without a text, or with a text that goes on.
    Entry,
    /// testify's `Error:` block.
    Assertion,
    /// testify's `Error Trace:`, before its `Error:`.
    Trace,
    /// An example's `got:` and `want:`.
    Example,
    /// A panic before its stack.
    Panic,
    /// The first stack of a panic.
    Stack,
    /// The first stack of a data race report.
    Race,
}

/// A message and its source location.
#[derive(Debug, Clone, Default, PartialEq)]
struct TestMessage {
    text: String,
    file: Option<String>,
    line: Option<u32>,
    lines: usize,
}

impl TestMessage {
    fn at(file: &str, line: u32, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            file: Some(file.to_owned()),
            line: Some(line),
            lines: 1,
        }
    }

    fn push(&mut self, text: &str) {
        if self.lines < CONTINUED && !text.is_empty() {
            self.lines += 1;
            self.text.push(' ');
            self.text.push_str(cut(text));
        }
    }

    fn locate(&mut self, text: &str) {
        if let Some((file, line, _)) = location(text).filter(|_| self.file.is_none()) {
            self.file = Some(file.to_owned());
            self.line = Some(line);
        }
    }
}

/// Cuts a line to a length that is enough for any message.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(1024)]
}

/// Collects the relevant lines of one test.
#[derive(Debug, Clone, Default)]
pub(in crate::parse) struct TestLog {
    open: OpenMessage,
    /// The number of lines since the message began.
    waited: u32,
    entries: Vec<TestMessage>,
    assertion: Option<TestMessage>,
    race: Option<TestMessage>,
    panic: Option<TestMessage>,
}

impl TestLog {
    /// Makes a log with this message.
    pub(in crate::parse) fn saying(text: &str) -> Self {
        Self {
            entries: vec![TestMessage {
                text: cut(text).to_owned(),
                ..TestMessage::default()
            }],
            ..Self::default()
        }
    }

    /// Adds the messages of another log, which stand behind its own.
    pub(in crate::parse) fn append(&mut self, other: Self) {
        other
            .entries
            .into_iter()
            .for_each(|entry| self.enter(entry));
        self.assertion = self.assertion.take().or(other.assertion);
        self.race = self.race.take().or(other.race);
        self.panic = self.panic.take().or(other.panic);
    }

    /// Returns true if the next line may continue a message, whatever it holds.
    pub(in crate::parse) fn is_open(&self) -> bool {
        self.open != OpenMessage::Nothing
    }

    /// Returns true if the test ended its process by a panic.
    pub(in crate::parse) fn has_panic(&self) -> bool {
        self.panic.is_some()
    }

    /// Begins the report of a panic, or of a fatal error of Go's runtime.
    pub(in crate::parse) fn begin_panic(&mut self, text: &str) {
        self.panic.get_or_insert_with(|| TestMessage {
            text: cut(text).to_owned(),
            ..TestMessage::default()
        });
        self.open = OpenMessage::Panic;
    }

    /// Ends the current message, because a line of the test framework follows.
    pub(in crate::parse) fn close(&mut self) {
        self.open = OpenMessage::Nothing;
    }

    /// Takes a line of the test's own output.
    pub(in crate::parse) fn line(&mut self, text: &str) {
        let trimmed = text.trim();
        self.waited = if self.is_open() { self.waited + 1 } else { 0 };
        if self.waited > PATIENCE {
            self.close();
        }
        if self.panic_line(text, trimmed) || self.race_line(trimmed) || self.assertion_line(trimmed)
        {
            return;
        }
        if let Some((file, line, rest)) = entry(text) {
            let rest = cut(rest.trim());
            if !is_go_itself(file) {
                self.enter(TestMessage::at(file, line, rest));
                self.open = OpenMessage::Entry;
            }
        } else if trimmed == "got:" && self.entries.is_empty() {
            self.enter(TestMessage {
                text: "got:".into(),
                lines: 1,
                ..TestMessage::default()
            });
            self.open = OpenMessage::Example;
        } else {
            self.continue_entry(text, trimmed);
        }
    }

    fn enter(&mut self, entry: TestMessage) {
        if self.entries.len() == ENTRIES {
            self.entries.remove(ENTRIES / 2);
        }
        self.entries.push(entry);
    }

    fn continue_entry(&mut self, text: &str, trimmed: &str) {
        let goes_on = match self.open {
            OpenMessage::Entry => text.starts_with("        "),
            OpenMessage::Example => !matches!(trimmed, "FAIL" | "PASS"),
            _ => false,
        };
        match self.entries.last_mut() {
            Some(entry) if goes_on && entry.lines < CONTINUED => entry.push(trimmed),
            _ => self.open = OpenMessage::Nothing,
        }
    }

    fn assertion_line(&mut self, trimmed: &str) -> bool {
        if let Some(trace) = trimmed.strip_prefix("Error Trace:") {
            self.open = OpenMessage::Trace;
            let new = self.assertion.is_none();
            let assertion = self.assertion.get_or_insert_default();
            if new {
                assertion.locate(trace.trim());
            }
            return true;
        }
        match (self.open, &mut self.assertion) {
            (OpenMessage::Trace, Some(assertion)) => {
                if let Some(error) = trimmed.strip_prefix("Error:") {
                    let first = assertion.lines == 0;
                    self.open = if first {
                        OpenMessage::Assertion
                    } else {
                        OpenMessage::Nothing
                    };
                    if first {
                        assertion.text = cut(error.trim()).to_owned();
                        assertion.lines = 1;
                    }
                }
                true
            }
            (OpenMessage::Assertion, Some(assertion)) => {
                if trimmed.starts_with("Test:") || trimmed.starts_with("Messages:") {
                    self.open = OpenMessage::Nothing;
                } else {
                    assertion.push(trimmed);
                }
                true
            }
            _ => false,
        }
    }

    fn race_line(&mut self, trimmed: &str) -> bool {
        if trimmed == "WARNING: DATA RACE" {
            self.race.get_or_insert_with(|| TestMessage {
                text: "data race".into(),
                ..TestMessage::default()
            });
            self.open = OpenMessage::Race;
        } else if self.open != OpenMessage::Race {
            return false;
        } else if trimmed.starts_with("====") {
            self.open = OpenMessage::Nothing;
        } else if let (Some(race), Some(frame)) = (&mut self.race, frame(trimmed)) {
            race.locate(frame);
        }
        true
    }

    fn panic_line(&mut self, text: &str, trimmed: &str) -> bool {
        match self.open {
            OpenMessage::Panic if trimmed.starts_with("goroutine ") => {
                self.open = OpenMessage::Stack
            }
            OpenMessage::Stack if trimmed.is_empty() => self.open = OpenMessage::Nothing,
            OpenMessage::Stack => {
                if let (Some(panic), Some(frame)) = (&mut self.panic, frame(text.trim_start())) {
                    panic.locate(frame);
                }
            }
            OpenMessage::Panic => {}
            _ => return false,
        }
        true
    }

    /// Returns the message and location for a test that ended with this status.
    pub(in crate::parse) fn details(&self, status: CaseStatus) -> CaseDetails {
        let severe = [&self.panic, &self.race, &self.assertion];
        let entry = self.entry(status);
        let Some(saying) = severe.into_iter().flatten().next().or(entry.as_ref()) else {
            return CaseDetails::default();
        };
        CaseDetails {
            message: clean::message(&saying.text),
            file: saying.file.clone(),
            line: saying.line,
            ..CaseDetails::default()
        }
    }

    fn entry(&self, status: CaseStatus) -> Option<TestMessage> {
        let mut last = self.entries.last()?.clone();
        if status != CaseStatus::Skipped {
            let texts = self.entries.iter().map(|entry| entry.text.as_str());
            last.text = texts
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
        }
        Some(last)
    }
}

/// Parses `    file_test.go:12: text`, as package testing indents it, also at the end of other
/// output.
fn entry(text: &str) -> Option<(&str, u32, &str)> {
    let from = go_file_end(text)?;
    let begin = text[..from].rfind("    ")? + 4;
    let (file, line, rest) = location(&text[begin..])?;
    let rest = rest.strip_prefix(':')?;
    (!file.contains([' ', '\t'])).then_some((file, line, rest))
}

/// Returns the position of the first `.go:`.
fn go_file_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'.', bytes).find(|at| bytes[*at..].starts_with(b".go:"))
}

/// Parses `path/file.go:12`, and returns the text after it.
pub(in crate::parse) fn location(text: &str) -> Option<(&str, u32, &str)> {
    let split = go_file_end(text)? + 3;
    let (file, rest) = text.split_at(split);
    let rest = &rest[1..];
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let line = rest[..digits].parse().ok().filter(|line| *line > 0)?;
    Some((file.trim(), line, &rest[digits..]))
}

/// Returns the file of a stack frame, unless it lies in Go's own library
/// (`/usr/local/go/src/time/…`: it has no dot where the name of a host would be).
fn frame(text: &str) -> Option<&str> {
    let path = text.split(" +0x").next()?;
    let own = path.split_once("/src/").is_some_and(|(root, package)| {
        let go = root
            .rsplit('/')
            .next()
            .is_some_and(|last| last.starts_with("go"));
        go && !package.split('/').next().unwrap_or_default().contains('.')
    });
    (!own && path.starts_with('/') && path.contains(".go:")).then_some(path)
}

fn is_go_itself(file: &str) -> bool {
    matches!(file, "testing.go")
}
