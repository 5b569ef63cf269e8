//! Reads yamllint's usual form: the name of a file, and below it a line for each finding.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, number};
use crate::model::{CheckFinding, FindingLevel};

const ENTRY: &str = r"^  (?<line>\d{1,9}):(?<column>\d{1,9}) +(?<level>error|warning) +(?<message>\S.*?)(?: +\((?<rule>[a-z-]+)\))?$";

static ENTRY_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ENTRY).ok());

/// Reads lists.
#[derive(Debug, Default)]
pub(super) struct Yamllint {
    /// The last line that can be the name of a file.
    file: String,
}

impl Yamllint {
    /// Takes a line. Returns true if it is a finding.
    pub(super) fn line(&mut self, text: &str, found: &mut Found) -> bool {
        if !text.starts_with("  ") {
            self.file.clear();
            let is_name = text.contains(['.', '/']) && text == text.trim();
            self.file.push_str(if is_name { text } else { "" });
            return false;
        }
        if self.file.is_empty() {
            return false;
        }
        let Some(entry) = ENTRY_REGEX.as_ref().and_then(|regex| regex.captures(text)) else {
            return false;
        };
        let group = |name| entry.name(name).map_or("", |group| group.as_str());
        found.add(CheckFinding {
            file: Some(self.file.clone()),
            line: number(group("line")),
            column: number(group("column")),
            message: group("message").to_owned(),
            tool: Some("yamllint".to_owned()),
            rule: entry.name("rule").map(|rule| rule.as_str().to_owned()),
            level: match group("level") {
                "error" => FindingLevel::Error,
                _ => FindingLevel::Warning,
            },
        });
        true
    }
}
