//! Reads the blocks of shellcheck: `In FILE line N:`, the line, and arrows with their messages.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, number};
use crate::model::CheckFinding;

const ARROW: &str = r"^(?<blank> *)\^-*\^?-* (?<rule>SC\d+)(?: \(\w+\))?: (?<message>.*)$";

static ARROW_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ARROW).ok());

/// The columns of a tab on a terminal.
const TAB: usize = 8;

/// Reads blocks.
#[derive(Debug, Default)]
pub(super) struct Shellcheck {
    /// The file and the number of the line that is shown.
    place: Option<(String, u32)>,
    /// The line itself.
    source: Option<String>,
}

impl Shellcheck {
    /// Takes a line. Returns true if it belongs to a block.
    pub(super) fn line(&mut self, text: &str, found: &mut Found) -> bool {
        if let Some(place) = heading(text) {
            self.place = Some(place);
            self.source = None;
            return true;
        }
        let Some((file, line)) = &self.place else {
            return false;
        };
        if self.source.is_none() {
            self.source = Some(text.to_owned());
            return true;
        }
        let Some(arrow) = ARROW_REGEX.as_ref().and_then(|regex| regex.captures(text)) else {
            self.place = None;
            return false;
        };
        let group = |name| arrow.name(name).map_or("", |group| group.as_str());
        let source = self.source.as_deref().unwrap_or_default();
        found.add(CheckFinding {
            file: Some(file.clone()),
            line: Some(*line),
            column: Some(column(source, group("blank").len())),
            message: group("message").to_owned(),
            tool: Some("shellcheck".to_owned()),
            rule: Some(group("rule").to_owned()),
            ..CheckFinding::default()
        });
        true
    }
}

fn heading(text: &str) -> Option<(String, u32)> {
    let (file, line) = text
        .strip_prefix("In ")?
        .strip_suffix(':')?
        .rsplit_once(" line ")?;
    Some((file.to_owned(), number(line)?))
}

/// Returns the column, from 1, that stands below `width` columns of a terminal.
fn column(source: &str, width: usize) -> u32 {
    let mut reached = 0;
    let mut column = 1;
    for letter in source.chars() {
        if reached >= width {
            break;
        }
        reached += match letter {
            '\t' => TAB - reached % TAB,
            _ => 1,
        };
        column += 1;
    }
    column
}
