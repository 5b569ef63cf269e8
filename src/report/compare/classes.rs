//! The classes of a comparison.

use serde::{Deserialize, Serialize};

use super::{Observed, Spread};
use crate::model::CheckFinding;

/// A case in a class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComparedCase {
    /// The suite: `COMPONENT.STEP` for a job.
    pub suite: String,
    /// The class; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// The name.
    pub name: String,
    /// True if it stands for its job.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_job: bool,
    /// The reason why it did not pass: one clean line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The source file as the output names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The findings of a checker. Of a check that failed before, only those that are new.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<CheckFinding>,
}

impl ComparedCase {
    /// Copies a case.
    pub(super) fn of(case: &Observed<'_>) -> Self {
        Self {
            suite: case.suite.to_owned(),
            class: case.class.to_owned(),
            name: case.name.to_owned(),
            is_job: case.is_job,
            message: case.message.to_owned(),
            file: case.file.map(str::to_owned),
            line: case.line,
            findings: case.findings.to_vec(),
        }
    }

    /// Returns the name for people: the suite, the class below it, and the name.
    pub fn label(&self) -> String {
        let below = self.class.strip_prefix(&self.suite).unwrap_or(&self.class);
        let below = below.trim_start_matches('.');
        match (self.is_job, below) {
            (true, _) => self.suite.clone(),
            (_, "") => format!("{} {}", self.suite, self.name),
            _ => format!("{} {below} {}", self.suite, self.name),
        }
    }
}

/// A case that takes longer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slower {
    /// The case.
    #[serde(flatten)]
    pub case: ComparedCase,
    /// The seconds that it took before.
    pub before: f64,
    /// The seconds that it takes now.
    pub now: f64,
    /// The durations of all earlier executions, if they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Spread>,
}

/// The result of a comparison: the cases of each class, in their order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Classes {
    /// Bad now, and not before. Also a check with findings that it did not have.
    pub new_failures: Vec<ComparedCase>,
    /// Bad now and before.
    pub known: Vec<ComparedCase>,
    /// Flaky now, or bad now and flaky before.
    pub flaky: Vec<ComparedCase>,
    /// Good now, and bad before.
    pub fixed: Vec<ComparedCase>,
    /// Tested before, and not there now.
    pub vanished: Vec<ComparedCase>,
    /// Tested before, and skipped now.
    pub silenced: Vec<ComparedCase>,
    /// Not there before, and not bad.
    pub new_cases: Vec<ComparedCase>,
    /// Slower than before.
    pub slower: Vec<Slower>,
    /// The number of cases that are as they were.
    pub same: u64,
}

/// The name of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CaseClass {
    /// See [`Classes::new_failures`].
    New,
    /// See [`Classes::known`].
    Known,
    /// See [`Classes::flaky`].
    Flaky,
    /// See [`Classes::fixed`].
    Fixed,
    /// See [`Classes::vanished`].
    Vanished,
    /// See [`Classes::silenced`].
    Silenced,
    /// See [`Classes::new_cases`].
    Added,
}

impl CaseClass {
    /// All classes, in the order of display.
    pub const ALL: [Self; 7] = [
        Self::New,
        Self::Vanished,
        Self::Silenced,
        Self::Known,
        Self::Flaky,
        Self::Fixed,
        Self::Added,
    ];

    /// The word used in options and files.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Known => "known",
            Self::Flaky => "flaky",
            Self::Fixed => "fixed",
            Self::Vanished => "vanished",
            Self::Silenced => "silenced",
            Self::Added => "added",
        }
    }

    /// The heading for people.
    pub fn heading(self) -> &'static str {
        match self {
            Self::New => "newly failing",
            Self::Known => "still failing",
            Self::Flaky => "flaky",
            Self::Fixed => "fixed",
            Self::Vanished => "gone: they were tested before, and are not there any more",
            Self::Silenced => "skipped now: they were tested before",
            Self::Added => "new cases",
        }
    }
}

impl Classes {
    /// Returns the cases of a class.
    pub fn of(&self, class: CaseClass) -> &[ComparedCase] {
        match class {
            CaseClass::New => &self.new_failures,
            CaseClass::Known => &self.known,
            CaseClass::Flaky => &self.flaky,
            CaseClass::Fixed => &self.fixed,
            CaseClass::Vanished => &self.vanished,
            CaseClass::Silenced => &self.silenced,
            CaseClass::Added => &self.new_cases,
        }
    }
}
