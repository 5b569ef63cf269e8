//! Converts the findings of a checker into the common form: the text of a failure for people, and
//! properties that hold each with its place.

use super::{LINE_CAP, line};
use crate::model::CheckFindings;
use crate::report::model::{Text, properties};
use crate::text;

/// Returns a line for each finding.
pub(super) fn body(findings: &CheckFindings) -> Text {
    let lines = findings.list.iter().map(|finding| {
        let origin = match finding.origin().as_str() {
            "" => String::new(),
            origin => format!(" ({origin})"),
        };
        text::one_line(&format!("{finding}{origin}"), 2 * LINE_CAP)
    });
    let mut lines: Vec<_> = lines.collect();
    if findings.more > 0 {
        lines.push(format!("and {} more, in the log", findings.more));
    }
    Text::here(lines.join("\n"))
}

/// Returns a property for each finding.
pub(super) fn properties(findings: &CheckFindings) -> Vec<(Box<str>, Box<str>)> {
    let values = findings.list.iter().filter_map(|finding| {
        let mut finding = finding.clone();
        finding.message = line(&finding.message);
        finding.file = finding.file.map(|file| line(&file));
        serde_json::to_string(&finding).ok()
    });
    values
        .map(|value| (properties::FINDING.into(), value.into()))
        .collect()
}
