//! The findings of the preflight.

use serde::Serialize;

use crate::git::range::Commit;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Gerrit or the pipeline refuses it; stops the push.
    Error,
    /// Some servers refuse it, or it is probably a mistake.
    Warning,
}

/// The rule that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// There is no Change-Id.
    ChangeIdMissing,
    /// The Change-Id is not in the last paragraph.
    ChangeIdOutsideFooter,
    /// The first line is the Change-Id.
    SubjectMissing,
    /// The message has several Change-Ids.
    ChangeIdDoubled,
    /// The Change-Id is not `I` and 40 hexadecimal digits.
    ChangeIdMalformed,
    /// Two commits have the same Change-Id.
    ChangeIdShared,
    /// The commit is to be squashed into another (`fixup!`).
    ToBeSquashed,
    /// The commit is a merge.
    Merge,
    /// The commits are not based on the target branch.
    WrongBase,
    /// There is no common ancestor with the target branch.
    NoCommonAncestry,
    /// The clone is shallow, and does not reach the target branch.
    Shallow,
    /// The target branch is not known here.
    TargetUnknown,
    /// There are far too many commits.
    TooMany,
    /// The author has no valid e-mail address.
    AuthorUnknown,
    /// The committer is not the one who pushes.
    CommitterDiffers,
    /// HEAD is detached.
    DetachedHead,
    /// A rebase, merge, cherry-pick or bisect is not finished.
    Unfinished,
    /// kata: there is no `Fixes: #N`.
    FixesMissing,
    /// kata: there is no subsystem before the subject.
    SubsystemMissing,
    /// kata: there is no `Signed-off-by`.
    SignOffMissing,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 20] = [
        Self::ChangeIdMissing,
        Self::ChangeIdOutsideFooter,
        Self::SubjectMissing,
        Self::ChangeIdDoubled,
        Self::ChangeIdMalformed,
        Self::ChangeIdShared,
        Self::ToBeSquashed,
        Self::Merge,
        Self::WrongBase,
        Self::NoCommonAncestry,
        Self::Shallow,
        Self::TargetUnknown,
        Self::TooMany,
        Self::AuthorUnknown,
        Self::CommitterDiffers,
        Self::DetachedHead,
        Self::Unfinished,
        Self::FixesMissing,
        Self::SubsystemMissing,
        Self::SignOffMissing,
    ];
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreflightFinding {
    /// The rule.
    pub rule: Rule,
    /// The severity.
    pub severity: Severity,
    /// The hash of the commit; `None` if it is about all of them.
    pub commit: Option<String>,
    /// The subject of the commit.
    pub subject: Option<String>,
    /// The line of the commit message, from 1.
    pub line: Option<usize>,
    /// The text, one sentence.
    pub text: String,
    /// The way to fix it, a command if there is one.
    pub fix: String,
    /// True if `--fix` fixes it.
    pub fixable: bool,
}

impl PreflightFinding {
    /// Creates a finding that stops the push.
    pub fn error(rule: Rule, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            commit: None,
            subject: None,
            line: None,
            text: text.into(),
            fix: fix.into(),
            fixable: false,
        }
    }

    /// Creates a finding that only warns.
    pub fn warning(rule: Rule, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(rule, text, fix)
        }
    }

    /// Sets the commit.
    pub fn of(mut self, commit: &Commit) -> Self {
        self.commit = Some(commit.oid.clone());
        self.subject = Some(commit.subject());
        self
    }

    /// Sets the line of the message, from 1.
    pub fn line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    /// Returns true for an error that `--fix` leaves alone.
    pub fn stays(&self) -> bool {
        self.severity == Severity::Error && !self.fixable
    }

    /// `--fix` does it.
    pub fn fixable(mut self) -> Self {
        self.fixable = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rules_are_listed_in_order() {
        let last = Rule::SignOffMissing as usize;
        let listed: Vec<_> = Rule::ALL.iter().map(|rule| *rule as usize).collect();
        assert_eq!(listed, (0..=last).collect::<Vec<_>>());
    }
}
