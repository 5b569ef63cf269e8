//! What a push came to: the same for the screen and for `--format json`.

use serde::Serialize;

use crate::gerrit::push_output::PushedChange;
use crate::gerrit::rejection::Rejection;
use crate::model::ExitCode;
use crate::push::preflight::Finding;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The server took it.
    Pushed,
    /// It is all there already.
    NothingNew,
    /// The server did not take it, or was not reached.
    Rejected,
    /// The preflight found what the server would refuse.
    Refused,
    /// The check did not pass.
    NotChecked,
    /// Nobody said yes.
    Declined,
    /// `--dry-run`.
    DryRun,
    /// Another repository of the same push keeps it back.
    Held,
}

/// What is known here of a commit's change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommitState {
    /// Never pushed from here.
    New,
    /// Its change was pushed from here, with another commit.
    NextPatchSet,
    /// This very commit was pushed from here.
    Unchanged,
    /// Not pushed to review at all.
    Direct,
}

impl CommitState {
    /// The words for the screen.
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
    /// Its hash.
    pub commit: String,
    /// Its subject.
    pub subject: String,
    /// Its Change-Id, if it has a good one.
    pub change_id: Option<String>,
    /// What is known of its change.
    pub state: CommitState,
}

/// A change after the push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeReport {
    /// What the server said.
    #[serde(flatten)]
    pub change: PushedChange,
    /// The commit of this push that is its current patch set, where that is known.
    pub commit: Option<String>,
    /// The number of that patch set, where it is known.
    pub patch_set: Option<u32>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PushReport {
    /// Of this format: 1.
    pub version: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Exit code.
    pub exit: i32,
    /// The project's name.
    pub project: String,
    /// The remote's name, if it has one.
    pub remote: Option<String>,
    /// Where it went, without credentials.
    pub url: String,
    /// The target branch.
    pub branch: String,
    /// The ref pushed to, without options.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Options of the push, as the server has them.
    pub options: Vec<String>,
    /// What went, oldest first.
    pub commits: Vec<CommitRow>,
    /// What the preflight found.
    pub findings: Vec<Finding>,
    /// Old and new hashes of the commits that `--fix` rewrote.
    pub rewritten: Vec<(String, String)>,
    /// What the check said; null where none was made (`--no-check`).
    pub checked: Option<String>,
    /// The changes the server named.
    pub changes: Vec<ChangeReport>,
    /// Why it was not taken.
    pub rejection: Option<Rejection>,
    /// The server's own words.
    pub said: Vec<String>,
    /// What else should be known.
    pub notes: Vec<String>,
}

impl PushReport {
    /// With one more note.
    pub fn noted(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    /// With this end.
    pub fn ended(mut self, outcome: Outcome, exit: ExitCode) -> Self {
        self.outcome = outcome;
        self.exit = exit.code();
        self
    }
}
