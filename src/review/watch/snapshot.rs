//! A change as one answer of the server describes it.

use super::store::ChangeRow;

/// A change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The number.
    pub number: u64,
    /// The project.
    pub project: String,
    /// The target branch.
    pub branch: String,
    /// The subject; foreign text.
    pub subject: String,
    /// The name of the owner; foreign text.
    pub owner: String,
    /// `NEW`, `MERGED` or `ABANDONED`.
    pub status: String,
    /// The topic; empty for none.
    pub topic: String,
    /// True while it is work in progress.
    pub is_wip: bool,
    /// True if only its owner and reviewers see it.
    pub is_private: bool,
    /// The time of its last update, as the server formats it.
    pub updated: String,
    /// The number of the current patch set.
    pub patch_set: u32,
    /// The commit of the current patch set.
    pub sha: String,
    /// The paths that the current patch set touches, if they were asked for.
    pub paths: Vec<String>,
    /// The numbers of the runs of the current commit that have a verdict of ours on the server.
    pub verdicts: Vec<u32>,
    /// True if a vote of ours stands on the current commit that was given to another one.
    pub has_copied_vote: bool,
    /// The messages that may ask for another run, oldest first.
    pub messages: Vec<Message>,
}

impl Snapshot {
    /// Returns the change as the state keeps it.
    pub fn row(&self) -> ChangeRow {
        ChangeRow {
            number: self.number,
            project: self.project.clone(),
            branch: self.branch.clone(),
            subject: self.subject.clone(),
            owner: self.owner.clone(),
            status: self.status.clone(),
            patch_set: self.patch_set,
            sha: self.sha.clone(),
            updated: self.updated.clone(),
            topic: self.topic.clone(),
        }
    }

    /// Returns true if the change can still be voted on.
    pub fn is_open(&self) -> bool {
        !matches!(self.status.as_str(), "MERGED" | "ABANDONED")
    }
}

/// A message of somebody who is no program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The id.
    pub id: String,
    /// The number of the author's account.
    pub author: u64,
    /// The text.
    pub text: String,
    /// True if a verdict of ours on the current commit came after it.
    pub is_before_verdict: bool,
}
