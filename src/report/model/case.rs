//! One case with its details.

use std::sync::Arc;

use super::Text;
use super::properties::FINDING;
use crate::model::CheckFinding;

/// The state of a case, in the terms of JUnit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CaseState {
    /// An assertion did not hold.
    Failed,
    /// The case broke in another way.
    Error,
    /// The case failed in one attempt and passed in a later one.
    Flaky,
    /// The case did not test.
    Skipped,
    /// The case ended well.
    Passed,
}

impl CaseState {
    /// All states, worst first.
    pub const ALL: [Self; 5] = [
        Self::Failed,
        Self::Error,
        Self::Flaky,
        Self::Skipped,
        Self::Passed,
    ];

    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Flaky => "flaky",
            Self::Skipped => "skipped",
            Self::Passed => "passed",
        }
    }

    /// Returns true if the case counts against the job.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

/// The element of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// `failure`
    Failure,
    /// `error`
    Error,
    /// `skipped`
    Skipped,
}

impl ProblemKind {
    /// Returns the name of the element.
    pub fn element(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

/// A reason why a case did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    /// The element.
    pub kind: ProblemKind,
    /// The `type`: an exception's class, or one of kata-ci's words.
    pub word: Option<Box<str>>,
    /// The `message`.
    pub message: Option<Box<str>>,
    /// The content, mostly a stack trace.
    pub body: Text,
}

/// The element of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptKind {
    /// `flakyFailure`: failed, and a later attempt passed.
    FlakyFailure,
    /// `flakyError`: broke, and a later attempt passed.
    FlakyError,
    /// `rerunFailure`: failed, and no attempt passed.
    RerunFailure,
    /// `rerunError`: broke, and no attempt passed.
    RerunError,
}

impl AttemptKind {
    /// Returns the name of the element.
    pub fn element(self) -> &'static str {
        match self {
            Self::FlakyFailure => "flakyFailure",
            Self::FlakyError => "flakyError",
            Self::RerunFailure => "rerunFailure",
            Self::RerunError => "rerunError",
        }
    }

    /// Returns the kind for the name of an element.
    pub fn of(element: &str) -> Option<Self> {
        [
            Self::FlakyFailure,
            Self::FlakyError,
            Self::RerunFailure,
            Self::RerunError,
        ]
        .into_iter()
        .find(|kind| kind.element() == element)
    }

    /// Returns true if a later attempt passed.
    pub fn is_flaky(self) -> bool {
        matches!(self, Self::FlakyFailure | Self::FlakyError)
    }
}

/// An attempt other than the one that counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The element.
    pub kind: AttemptKind,
    /// The `type`, which the schema requires.
    pub word: Option<Box<str>>,
    /// The `message`.
    pub message: Option<Box<str>>,
    /// The text, or that of its `stackTrace`.
    pub body: Text,
    /// The `system-out`.
    pub out: Text,
    /// The `system-err`.
    pub err: Text,
}

/// Details that most cases do not have. They are kept apart, so that a hundred thousand passed
/// cases take little memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Details {
    /// The source file as the writer names it.
    pub file: Option<Box<str>>,
    /// The line in `file`, from 1.
    pub line: Option<u32>,
    /// The reasons why it did not pass. Some writers give several.
    pub problems: Vec<Problem>,
    /// The attempts before (or, with some writers, after) the one that counts.
    pub attempts: Vec<Attempt>,
    /// The `properties`.
    pub properties: Vec<(Box<str>, Box<str>)>,
    /// The `system-out`.
    pub out: Text,
    /// The `system-err`.
    pub err: Text,
}

/// One execution of one test.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The `classname`, shared between neighbours; empty for none.
    pub class: Arc<str>,
    /// The `name`.
    pub name: Box<str>,
    /// The state.
    pub state: CaseState,
    /// The duration in seconds, if known.
    pub seconds: Option<f64>,
    /// The details, if there are any.
    pub details: Option<Box<Details>>,
}

impl Case {
    /// Returns the reasons why it did not pass.
    pub fn problems(&self) -> &[Problem] {
        self.details
            .as_ref()
            .map_or(&[], |details| &details.problems)
    }

    /// Returns the other attempts.
    pub fn attempts(&self) -> &[Attempt] {
        self.details
            .as_ref()
            .map_or(&[], |details| &details.attempts)
    }

    /// Returns the value of a property.
    pub fn property(&self, name: &str) -> Option<&str> {
        let properties = &self.details.as_ref()?.properties;
        let found = properties.iter().find(|(known, _)| &**known == name);
        found.map(|(_, value)| &**value)
    }

    /// Returns the findings of a checker that failed, in order.
    pub fn findings(&self) -> Vec<CheckFinding> {
        let properties = self.details.iter().flat_map(|details| &details.properties);
        properties
            .filter(|(name, _)| &**name == FINDING)
            .filter_map(|(_, value)| serde_json::from_str(value).ok())
            .collect()
    }

    /// Returns the problem that gives the case its state.
    pub fn problem(&self) -> Option<&Problem> {
        let wanted = match self.state {
            CaseState::Failed => ProblemKind::Failure,
            CaseState::Error => ProblemKind::Error,
            CaseState::Skipped => ProblemKind::Skipped,
            CaseState::Flaky | CaseState::Passed => return None,
        };
        self.problems().iter().find(|one| one.kind == wanted)
    }

    /// Returns the state in one word: kata-ci's own word if there is one, else that of the state.
    pub fn word(&self) -> &str {
        const OURS: [&str; 6] = [
            "timed-out",
            "vacuous",
            "unfinished",
            "not-run",
            "cancelled",
            "error",
        ];
        self.problem()
            .and_then(|problem| problem.word.as_deref())
            .filter(|word| OURS.contains(word))
            .unwrap_or(self.state.word())
    }

    /// Returns the reason why it did not pass, in a line; empty if none is given.
    pub fn message(&self) -> &str {
        let attempt = || {
            self.attempts()
                .first()
                .and_then(|one| one.message.as_deref())
        };
        self.problem()
            .and_then(|problem| problem.message.as_deref())
            .or_else(attempt)
            .unwrap_or_default()
    }
}
