//! Reads the diffs of formatters: `gofmt -d`, with others that write the same, and `rustfmt
//! --check`. Each part of a diff is a finding on its first line that changes.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, number};
use crate::model::CheckFinding;

const GO_FILE: &str = r"^diff (?:-\S+ )*(?:\S+\.orig|\S+) (?<file>\S+\.(?:go|sh|bash))$";
const GO_PART: &str = r"^@@ -(?<line>\d{1,9})(?:,\d+)? \+\d+(?:,\d+)? @@";
const RUST_PART: &str = r"^Diff in (?<file>\S.*?)(?: at line (?<old>\d{1,9}):|:(?<line>\d{1,9}):)$";

static GO_FILE_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(GO_FILE).ok());
static GO_PART_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(GO_PART).ok());
static RUST_PART_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(RUST_PART).ok());

/// Reads diffs.
#[derive(Debug, Default)]
pub(super) struct Diff {
    /// The file of a `diff` line.
    file: Option<String>,
    /// The part whose first change has not come yet: its file and tool, and the number of its next
    /// line.
    part: Option<(String, &'static str, u32)>,
    /// True inside of a part whose change was found.
    rest: bool,
}

impl Diff {
    /// Takes a line. Returns true if it belongs to a diff.
    pub(super) fn line(&mut self, text: &str, found: &mut Found) -> bool {
        if let Some(file) = captured(&GO_FILE_REGEX, text, "file") {
            *self = Self {
                file: Some(file.to_owned()),
                ..Self::default()
            };
            return true;
        }
        self.begin(text) || self.inside(text, found)
    }

    fn begin(&mut self, text: &str) -> bool {
        if let Some(file) = &self.file
            && text.starts_with("@@ ")
            && let Some(line) = captured(&GO_PART_REGEX, text, "line").and_then(number)
        {
            let tool = if file.ends_with(".go") {
                "gofmt"
            } else {
                "shfmt"
            };
            self.part = Some((file.clone(), tool, line));
            self.rest = false;
            return true;
        }
        if !text.starts_with("Diff in ") {
            return false;
        }
        let line = (captured(&RUST_PART_REGEX, text, "line"))
            .or_else(|| captured(&RUST_PART_REGEX, text, "old"));
        let file = captured(&RUST_PART_REGEX, text, "file");
        let (Some(file), Some(line)) = (file, line.and_then(number)) else {
            return false;
        };
        self.file = None;
        self.part = Some((file.to_owned(), "rustfmt", line));
        self.rest = false;
        true
    }

    fn inside(&mut self, text: &str, found: &mut Found) -> bool {
        let is_header = text.starts_with("--- ") || text.starts_with("+++ ");
        let is_body = text.is_empty() || text.starts_with([' ', '\t', '-', '+', '\\']);
        if !is_body {
            self.part = None;
            self.rest = false;
            return false;
        }
        let Some((file, tool, line)) = &mut self.part else {
            return self.rest || self.file.is_some() && is_header;
        };
        if !text.starts_with(['-', '+']) {
            *line = line.saturating_add(1);
            return true;
        }
        let shown = text[1..].trim();
        found.add(CheckFinding {
            file: Some(std::mem::take(file)),
            line: Some(*line),
            message: match shown {
                "" => "is not formatted".to_owned(),
                shown => format!("is not formatted: {shown}"),
            },
            tool: Some((*tool).to_owned()),
            ..CheckFinding::default()
        });
        self.part = None;
        self.rest = true;
        true
    }
}

fn captured<'t>(regex: &LazyLock<Option<Regex>>, text: &'t str, group: &str) -> Option<&'t str> {
    let found = regex.as_ref()?.captures(text)?;
    found.name(group).map(|group| group.as_str())
}
