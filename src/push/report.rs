//! The report of a push, for people and for `--format json`.

use serde::Serialize;

use crate::gerrit::push_output::PushedChange;
use crate::gerrit::rejection::Rejection;
use crate::model::ExitCode;
use crate::push::preflight::PreflightFinding;

/// The outcome of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The server accepted it.
    Pushed,
    /// The server has everything already.
    NothingNew,
    /// The server rejected it, or was not reached.
    Rejected,
    /// The preflight found an error.
    Refused,
    /// The check did not pass.
    NotChecked,
    /// Nobody confirmed it.
    Declined,
    /// The push was a `--dry-run`.
    DryRun,
    /// The push was held back because of another repository of the same push.
    Held,
}

/// The state of a commit's change, by the local history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommitState {
    /// The change was never pushed from here.
    New,
    /// The change was pushed from here with another commit.
    NextPatchSet,
    /// This commit was pushed from here.
    Unchanged,
    /// The commit is not pushed to review.
    Direct,
}

impl CommitState {
    /// Returns the words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::NextPatchSet => "next patch set",
            Self::Unchanged => "pushed before",
            Self::Direct => "",
        }
    }
}

/// A commit of the push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommitRow {
    /// The hash.
    pub commit: String,
    /// The subject.
    pub subject: String,
    /// The Change-Id, if it is well-formed.
    pub change_id: Option<String>,
    /// The state of its change.
    pub state: CommitState,
}

/// A change after the push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeReport {
    /// The change as the server describes it.
    #[serde(flatten)]
    pub change: PushedChange,
    /// The commit of this push that is its current patch set, if known.
    pub commit: Option<String>,
    /// The number of that patch set, if known.
    pub patch_set: Option<u32>,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PushReport {
    /// The version of this format: 1.
    pub version: u32,
    /// The outcome.
    pub outcome: Outcome,
    /// The exit code.
    pub exit: i32,
    /// The name of the project.
    pub project: String,
    /// The name of the remote, if it has one.
    pub remote: Option<String>,
    /// The URL, without credentials.
    pub url: String,
    /// The target branch.
    pub branch: String,
    /// The ref that was pushed to, without options.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The push options, as the server spells them.
    pub options: Vec<String>,
    /// The commits, oldest first.
    pub commits: Vec<CommitRow>,
    /// The findings of the preflight.
    pub findings: Vec<PreflightFinding>,
    /// The old and new hashes of the commits that `--fix` rewrote.
    pub rewritten: Vec<(String, String)>,
    /// The result of the check; null without one (`--no-check`).
    pub checked: Option<String>,
    /// The changes that the server named.
    pub changes: Vec<ChangeReport>,
    /// The reason for a rejection.
    pub rejection: Option<Rejection>,
    /// The messages of the server.
    pub said: Vec<String>,
    /// Further notes.
    pub notes: Vec<String>,
}

impl PushReport {
    /// Adds a note.
    pub fn noted(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    /// Sets outcome and exit code.
    pub fn ended(mut self, outcome: Outcome, exit: ExitCode) -> Self {
        self.outcome = outcome;
        self.exit = exit.code();
        self
    }
}
