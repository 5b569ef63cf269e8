//! Reads the explanation below the line of a test: comments, or a block of YAML.
//!
//! Only the YAML that writers really write is understood: keys with a value on their line, or with
//! a text block below it. A library would be too much, because only a message, a location and a
//! time are taken from it.

use std::sync::LazyLock;

use regex::Regex;

use crate::parse::clean;
use crate::parse::finding::CaseDetails;

/// The most lines of comments that become the message.
const LINES: usize = 8;

/// Matches perl's `at t/a.t line 5.` and bats' `(in test file t/a.bats, line 5)`.
static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[\s(])(?:at|(?:in|from) (?:test )?(?:file|function \S+ in file)) (\S+?),? line (\d+)",
    )
    .ok()
});

/// The explanation of one test.
#[derive(Debug, Default)]
pub(in crate::parse) struct Diagnostics {
    lines: Vec<String>,
    /// The indentation of the open block, if there is one.
    block: Option<usize>,
    /// The key whose text block is open, and its indentation.
    key: Option<(String, usize)>,
    message: Option<String>,
    seconds: Option<f64>,
    file: Option<String>,
    line: Option<u32>,
}

impl Diagnostics {
    /// Adds a comment that belongs to the test.
    pub(in crate::parse) fn comment(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() && self.lines.len() < LINES {
            self.place(text);
            self.lines.push(text.to_owned());
        }
    }

    /// Takes a line of a block of YAML, or the line that begins one below a test with this
    /// indentation. Returns false for any other line.
    pub(in crate::parse) fn yaml(&mut self, line: &str, indentation: usize) -> bool {
        let text = line.trim();
        let own = line.len() - line.trim_start().len();
        match self.block {
            None if text == "---" && own > indentation => self.block = Some(own),
            None => return false,
            Some(block) if text == "..." && own <= block => (self.block, self.key) = (None, None),
            Some(_) => self.entry(text, own),
        }
        true
    }

    fn entry(&mut self, text: &str, own: usize) {
        match &self.key {
            Some((key, above)) if own > *above => {
                if key == "message" || key == "error" {
                    self.comment(text);
                }
                return;
            }
            _ => self.key = None,
        }
        let Some((key, value)) = text.split_once(':') else {
            return;
        };
        let value = value.trim();
        if value.is_empty() || value.starts_with(['|', '>']) {
            self.key = Some((key.to_owned(), own));
            return;
        }
        self.value(key, unquoted(value));
    }

    fn value(&mut self, key: &str, value: &str) {
        match key {
            "message" | "error" => {
                self.message.get_or_insert_with(|| value.to_owned());
            }
            "duration_ms" => self.seconds = value.parse().ok().map(|ms: f64| ms / 1000.0),
            "file" => self.file = Some(value.to_owned()),
            "line" => self.line = value.parse().ok(),
            "location" => {
                let mut parts = value.rsplitn(3, ':');
                if let (Some(_), Some(line), Some(file)) =
                    (parts.next(), parts.next(), parts.next())
                {
                    (self.file, self.line) = (Some(file.to_owned()), line.parse().ok());
                }
            }
            _ => {}
        }
    }

    fn place(&mut self, text: &str) {
        let found = PLACE.as_ref().and_then(|place| place.captures(text));
        if let (Some(found), None) = (found, &self.file) {
            self.file = Some(found[1].to_owned());
            self.line = found[2].parse().ok();
        }
    }

    /// Returns the details. `reason` is the explanation in the test's own line.
    pub(in crate::parse) fn details(self, reason: Option<String>) -> CaseDetails {
        let said = reason
            .or(self.message)
            .or_else(|| (!self.lines.is_empty()).then(|| self.lines.join(" ")));
        CaseDetails {
            seconds: self.seconds.filter(|seconds| seconds.is_finite()),
            message: said.and_then(|said| clean::message(&said)),
            file: self.file,
            line: self.line,
            ..CaseDetails::default()
        }
    }
}

fn unquoted(value: &str) -> &str {
    ['\'', '"']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}
