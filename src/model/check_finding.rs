//! The complaint of a checker (linter, formatter, compiler) about a place in the source.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The weight of a finding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingLevel {
    /// The checker fails because of it.
    #[default]
    Error,
    /// The checker tells it and passes.
    Warning,
}

/// A finding of a checker. All texts are one line of clean text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CheckFinding {
    /// The file as the checker names it; `None` if it is about something else, such as a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in the file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in the line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The complaint, at most 1 KiB.
    pub message: String,
    /// The checker, where the output tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The rule that was broken, in the checker's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The weight.
    #[serde(default)]
    pub level: FindingLevel,
}

impl CheckFinding {
    /// Returns the name of the rule with its checker: `golangci-lint unused`.
    pub fn origin(&self) -> String {
        let parts = [&self.tool, &self.rule];
        let parts: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
        parts.join(" ")
    }
}

/// Formats `main.go:18:6: func never is unused`.
impl fmt::Display for CheckFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}")?;
            for number in [self.line, self.column].into_iter().flatten() {
                write!(f, ":{number}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}", self.message)
    }
}

/// The findings of a job or of a case: errors before warnings, otherwise in the order of the
/// output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFindings {
    /// The first of them.
    #[serde(default, rename = "findings", skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<CheckFinding>,
    /// The number of further ones.
    #[serde(default, rename = "more_findings", skip_serializing_if = "is_zero")]
    pub more: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl CheckFindings {
    /// Returns true if there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the first finding that fails its checker.
    pub fn first_error(&self) -> Option<&CheckFinding> {
        (self.list.first()).filter(|finding| finding.level == FindingLevel::Error)
    }

    /// Formats `3 findings`.
    pub fn count(&self) -> String {
        match self.list.len() as u64 + self.more {
            1 => "1 finding".to_owned(),
            number => format!("{number} findings"),
        }
    }
}
