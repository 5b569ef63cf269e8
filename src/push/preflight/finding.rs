//! A finding.

use serde::Serialize;

use crate::git::range::Commit;

/// Whether it stops the push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Gerrit, or the pipeline, refuses it.
    Error,
    /// Some servers refuse it, or it is most likely not meant.
    Warning,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// No Change-Id.
    ChangeIdMissing,
    /// A Change-Id that is not in the last paragraph.
    ChangeIdOutsideFooter,
    /// The first line is the Change-Id.
    SubjectMissing,
    /// Several Change-Ids in a message.
    ChangeIdDoubled,
    /// Not `I` and 40 digits.
    ChangeIdMalformed,
    /// Two commits have the same.
    ChangeIdShared,
    /// It waits to be squashed into another.
    ToBeSquashed,
    /// A merge commit.
    Merge,
    /// Not based on the target branch.
    WrongBase,
    /// No common ancestor with the target branch.
    NoCommonAncestry,
    /// The clone is shallow, and does not reach the target branch.
    Shallow,
    /// The target branch is not known here.
    TargetUnknown,
    /// Far too many commits.
    TooMany,
    /// An author without a proper e-mail address.
    AuthorUnknown,
    /// A committer who is not the one who pushes.
    CommitterDiffers,
    /// HEAD is on no branch.
    DetachedHead,
    /// A rebase, merge, cherry-pick or bisect is not finished.
    Unfinished,
    /// kata: no `Fixes: #N`.
    FixesMissing,
    /// kata: no subsystem before the subject.
    SubsystemMissing,
    /// kata: no `Signed-off-by`.
    SignOffMissing,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub rule: Rule,
    /// How bad.
    pub severity: Severity,
    /// The commit's hash; none where it is about all of them.
    pub commit: Option<String>,
    /// The commit's subject.
    pub subject: Option<String>,
    /// Line of the commit's message, from 1.
    pub line: Option<usize>,
    /// What is the case, in a sentence.
    pub text: String,
    /// What to do, as a command where one does it.
    pub fix: String,
    /// Whether `--fix` does it.
    pub fixable: bool,
}

impl Finding {
    /// A finding that stops the push.
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

    /// One that is only said.
    pub fn warning(rule: Rule, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(rule, text, fix)
        }
    }

    /// In this commit.
    pub fn of(mut self, commit: &Commit) -> Self {
        self.commit = Some(commit.oid.clone());
        self.subject = Some(commit.subject());
        self
    }

    /// In this line of its message, from 1.
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
