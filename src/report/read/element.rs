//! Interprets an element by its name and its parent.

use crate::report::model::{AttemptKind, ProblemKind};

/// The meaning of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementKind {
    /// `testsuites`
    Root,
    /// `testsuite`
    Suite,
    /// `testcase`
    Case,
    /// `failure`, `error`, `skipped`
    Problem(ProblemKind),
    /// `flakyFailure` and other attempts
    Attempt(AttemptKind),
    /// `stackTrace` of an attempt
    Trace,
    /// `system-out`
    Out,
    /// `system-err`
    Err,
    /// `properties`
    Properties,
    /// `property`
    Property,
    /// An element inside text: its own text counts, its tag does not.
    Inline,
    /// An unknown element. It is skipped, but for the suites and cases inside.
    Other,
}

impl ElementKind {
    /// Returns the meaning of an element inside `parent`; `None` for a root that is not JUnit's.
    pub(super) fn of(parent: Option<Self>, name: &str) -> Option<Self> {
        let Some(parent) = parent else {
            return match name {
                "testsuites" => Some(Self::Root),
                "testsuite" => Some(Self::Suite),
                _ => None,
            };
        };
        Some(match (parent, name) {
            // Accepted at unusual places too: a case that is skipped over would count as passed.
            (Self::Root | Self::Suite | Self::Case | Self::Other, "testsuite") => Self::Suite,
            (Self::Root | Self::Suite | Self::Case | Self::Other, "testcase") => Self::Case,
            (Self::Suite | Self::Case, "properties") => Self::Properties,
            (Self::Properties, "property") => Self::Property,
            (Self::Suite | Self::Case, _) => within(name),
            (Self::Attempt(_), "stackTrace") => Self::Trace,
            (Self::Attempt(_), "system-out") => Self::Out,
            (Self::Attempt(_), "system-err") => Self::Err,
            (parent, _) if parent.holds_text() => Self::Inline,
            _ => Self::Other,
        })
    }

    /// Returns true if the text inside belongs to the element.
    pub(super) fn holds_text(self) -> bool {
        !matches!(
            self,
            Self::Root | Self::Suite | Self::Case | Self::Properties | Self::Other
        )
    }
}

fn within(name: &str) -> ElementKind {
    match name {
        "failure" => ElementKind::Problem(ProblemKind::Failure),
        "error" => ElementKind::Problem(ProblemKind::Error),
        "skipped" => ElementKind::Problem(ProblemKind::Skipped),
        "system-out" => ElementKind::Out,
        "system-err" => ElementKind::Err,
        name => AttemptKind::of(name).map_or(ElementKind::Other, ElementKind::Attempt),
    }
}
