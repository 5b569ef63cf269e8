//! One case as the comparison sees it.

use std::borrow::Cow;

use crate::model::CheckFinding;

/// The end of a case, as far as the comparison tells ends apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Passed.
    Good,
    /// Failed, broken, or without an end.
    Bad,
    /// Failed once, and passed in another attempt.
    Flaky,
    /// Skipped: nothing was tested.
    Skipped,
}

/// One execution of a case.
#[derive(Debug, Clone)]
pub struct Observed<'a> {
    /// The suite: `COMPONENT.STEP` for a job.
    pub suite: &'a str,
    /// The class; empty for none.
    pub class: &'a str,
    /// The name.
    pub name: &'a str,
    /// The end.
    pub seen: Seen,
    /// The duration in seconds, if known.
    pub seconds: Option<f64>,
    /// True if it stands for its job, whose outcome no other case explains.
    pub is_job: bool,
    /// The reason why it did not pass.
    pub message: &'a str,
    /// The source file as the output names it.
    pub file: Option<&'a str>,
    /// The line in the file.
    pub line: Option<u32>,
    /// The findings of a checker.
    pub findings: Cow<'a, [CheckFinding]>,
}

impl<'a> Observed<'a> {
    /// Returns the identity across runs.
    pub(super) fn key(&self) -> (&'a str, &'a str, &'a str) {
        (self.suite, self.class, self.name)
    }

    /// Returns the findings that the other execution does not have. Lines move, so they do not
    /// count.
    pub(super) fn findings_beyond(&self, before: &Self) -> Vec<CheckFinding> {
        let same = |one: &CheckFinding, other: &CheckFinding| {
            one.file == other.file && one.message == other.message && one.rule == other.rule
        };
        let is_new = |one: &&CheckFinding| {
            let count = |all: &[CheckFinding]| all.iter().filter(|other| same(one, other)).count();
            count(&self.findings) > count(&before.findings)
        };
        match before.findings.is_empty() {
            // A checker whose findings were not understood then says nothing about those of now.
            true => Vec::new(),
            false => self.findings.iter().filter(is_new).cloned().collect(),
        }
    }
}
