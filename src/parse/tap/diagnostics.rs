//! What follows a test's line and says why: comments, or a block of YAML.
//!
//! Of the YAML only what writers really write is understood: keys with a value on their line, or with a text block below
//! it. It is not worth a library: nothing but a message, a place and a time is taken from it.

use std::sync::LazyLock;

use regex::Regex;

use crate::parse::cases::Details;
use crate::parse::clean;

/// Lines of comments that become the message.
const LINES: usize = 8;

/// perl's `at t/a.t line 5.`, bats' `(in test file t/a.bats, line 5)`.
static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[\s(])(?:at|(?:in|from) (?:test )?(?:file|function \S+ in file)) (\S+?),? line (\d+)",
    )
    .ok()
});

/// What was said of one test.
#[derive(Debug, Default)]
pub(in crate::parse) struct Diagnostics {
    lines: Vec<String>,
    /// The block that is open: how far it is indented.
    block: Option<usize>,
    /// The key whose text block is open, and how far that key is indented.
    key: Option<(String, usize)>,
    message: Option<String>,
    seconds: Option<f64>,
    file: Option<String>,
    line: Option<u32>,
}

impl Diagnostics {
    /// A comment that belongs to the test.
    pub(in crate::parse) fn comment(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() && self.lines.len() < LINES {
            self.place(text);
            self.lines.push(text.to_owned());
        }
    }

    /// Whether the line is one of a block of YAML: it begins one (below a test that is indented so far), or one is open.
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

    /// What is known now. `reason` is what the test's own line says.
    pub(in crate::parse) fn details(self, reason: Option<String>) -> Details {
        let said = reason
            .or(self.message)
            .or_else(|| (!self.lines.is_empty()).then(|| self.lines.join(" ")));
        Details {
            seconds: self.seconds.filter(|seconds| seconds.is_finite()),
            message: said.and_then(|said| clean::message(&said)),
            file: self.file,
            line: self.line,
            ..Details::default()
        }
    }
}

fn unquoted(value: &str) -> &str {
    ['\'', '"']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}
