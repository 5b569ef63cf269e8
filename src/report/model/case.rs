//! One case, and what is said of it.

use std::sync::Arc;

use super::Text;

/// What became of a case, in the terms of JUnit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CaseState {
    /// An assertion did not hold.
    Failed,
    /// It broke in another way.
    Error,
    /// Failed in one attempt, passed in a later one.
    Flaky,
    /// It did not test.
    Skipped,
    /// Ended well.
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

    /// Whether it speaks against the job.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

/// Which element a problem is.
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
    /// The element's name.
    pub fn element(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

/// Why a case has not passed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    /// Which element.
    pub kind: ProblemKind,
    /// Its `type`: an exception's class, or one of kata-ci's words.
    pub word: Option<Box<str>>,
    /// Its `message`.
    pub message: Option<Box<str>>,
    /// What it holds: mostly a stack trace.
    pub body: Text,
}

/// Which element an attempt is.
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
    /// The element's name.
    pub fn element(self) -> &'static str {
        match self {
            Self::FlakyFailure => "flakyFailure",
            Self::FlakyError => "flakyError",
            Self::RerunFailure => "rerunFailure",
            Self::RerunError => "rerunError",
        }
    }

    /// The kind of an element of this name.
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

    /// Whether a later attempt passed.
    pub fn is_flaky(self) -> bool {
        matches!(self, Self::FlakyFailure | Self::FlakyError)
    }
}

/// An attempt other than the one that counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// Which element.
    pub kind: AttemptKind,
    /// Its `type`, which the schema requires.
    pub word: Option<Box<str>>,
    /// Its `message`.
    pub message: Option<Box<str>>,
    /// Its text, or that of its `stackTrace`.
    pub body: Text,
    /// Its `system-out`.
    pub out: Text,
    /// Its `system-err`.
    pub err: Text,
}

/// What most cases do not have: kept apart, so that a hundred thousand that passed take little.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Details {
    /// Source file as the writer names it.
    pub file: Option<Box<str>>,
    /// Line in `file`, from 1.
    pub line: Option<u32>,
    /// Why it has not passed; several where a writer knows several.
    pub problems: Vec<Problem>,
    /// Attempts before (or, with some writers, after) the one that counts.
    pub attempts: Vec<Attempt>,
    /// Its `properties`.
    pub properties: Vec<(Box<str>, Box<str>)>,
    /// Its `system-out`.
    pub out: Text,
    /// Its `system-err`.
    pub err: Text,
}

/// One execution of one test.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// `classname`, shared between neighbours; empty for none.
    pub class: Arc<str>,
    /// `name`.
    pub name: Box<str>,
    /// What became of it.
    pub state: CaseState,
    /// Duration in seconds, where known.
    pub seconds: Option<f64>,
    /// The rest, where there is any.
    pub details: Option<Box<Details>>,
}

impl Case {
    /// Why it has not passed.
    pub fn problems(&self) -> &[Problem] {
        self.details
            .as_ref()
            .map_or(&[], |details| &details.problems)
    }

    /// Other attempts.
    pub fn attempts(&self) -> &[Attempt] {
        self.details
            .as_ref()
            .map_or(&[], |details| &details.attempts)
    }

    /// The problem that gives the case its state.
    pub fn problem(&self) -> Option<&Problem> {
        let wanted = match self.state {
            CaseState::Failed => ProblemKind::Failure,
            CaseState::Error => ProblemKind::Error,
            CaseState::Skipped => ProblemKind::Skipped,
            CaseState::Flaky | CaseState::Passed => return None,
        };
        self.problems().iter().find(|one| one.kind == wanted)
    }

    /// What became of it in one word: kata-ci's own where it said one, else that of the state.
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

    /// Why it has not passed, in a line; empty where nothing is said.
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
