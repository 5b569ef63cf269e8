//! One finding of the preflight of a component.

use crate::config::Requirement;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementProblem {
    /// The requirement; `None` for what every component needs, such as make.
    pub requirement: Option<Requirement>,
    pub(super) broken: bool,
    /// The requirement that is missing, or the defect.
    pub what: String,
    /// The way to meet it.
    pub fix: String,
}

impl RequirementProblem {
    pub(super) fn unmet(what: impl Into<String>, fix: impl Into<String>) -> Self {
        let (what, fix) = (what.into(), fix.into());
        Self {
            requirement: None,
            broken: false,
            what,
            fix,
        }
    }

    pub(super) fn broken(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            broken: true,
            ..Self::unmet(what, fix)
        }
    }
}
