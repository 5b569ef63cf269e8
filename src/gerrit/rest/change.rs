//! Changes, revisions, labels and messages, as the server describes them. Every field may be
//! missing: it depends on the options asked for, and on the server's version.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::AccountInfo;

/// A change.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ChangeInfo {
    /// The project.
    pub project: String,
    /// The target branch, without `refs/heads/`.
    pub branch: String,
    /// The topic.
    pub topic: Option<String>,
    /// The Change-Id.
    pub change_id: String,
    /// The subject.
    pub subject: String,
    /// `NEW`, `MERGED` or `ABANDONED`.
    pub status: String,
    /// The number.
    #[serde(rename = "_number")]
    pub number: u64,
    /// The owner.
    pub owner: AccountInfo,
    /// True while it is work in progress.
    pub work_in_progress: bool,
    /// True if only its owner and reviewers see it.
    pub is_private: bool,
    /// The time of the last change of anything, as the server formats it.
    pub updated: String,
    /// The commit of everything about the change but its patch sets; another one after each update.
    /// Older servers do not tell it.
    pub meta_rev_id: Option<String>,
    /// The SHA of the current patch set.
    pub current_revision: Option<String>,
    /// The patch sets by SHA.
    pub revisions: BTreeMap<String, RevisionInfo>,
    /// The labels.
    pub labels: BTreeMap<String, LabelInfo>,
    /// The values that the asking account may give, by label: `-1`, ` 0`, `+1`.
    pub permitted_labels: BTreeMap<String, Vec<String>>,
    /// The messages, oldest first.
    pub messages: Vec<ChangeMessageInfo>,
    /// True on the last change of a page if there are more.
    #[serde(rename = "_more_changes")]
    pub more_changes: bool,
}

impl ChangeInfo {
    /// Returns the revision with this SHA.
    pub fn revision(&self, sha: &str) -> Option<&RevisionInfo> {
        self.revisions.get(sha)
    }

    /// Returns SHA and description of a patch set, the current one if no number is given.
    pub fn patch_set(&self, number: Option<u32>) -> Option<(&str, &RevisionInfo)> {
        let found = match number {
            Some(number) => self.revisions.iter().find(|(_, one)| one.number == number),
            None => self
                .revisions
                .get_key_value(self.current_revision.as_ref()?),
        };
        found.map(|(sha, one)| (sha.as_str(), one))
    }

    /// Returns true if the change can still be voted on.
    pub fn is_open(&self) -> bool {
        !matches!(self.status.as_str(), "MERGED" | "ABANDONED")
    }

    /// Returns the vote of an account on a label of the current patch set.
    pub fn vote(&self, label: &str, account: u64) -> Option<&ApprovalInfo> {
        let all = &self.labels.get(label)?.all;
        all.iter()
            .find(|vote| vote.account.id == account && vote.value.is_some_and(|value| value != 0))
    }

    /// Returns true if the asking account may give a label this value. Older servers answer
    /// `permitted_labels` only to some questions; then nothing is known, and `None` is returned.
    pub fn may_vote(&self, label: &str, value: i32) -> Option<bool> {
        if self.permitted_labels.is_empty() && self.labels.contains_key(label) {
            return None;
        }
        let values = self.permitted_labels.get(label);
        let is = |text: &String| text.trim().trim_start_matches('+').parse() == Ok(value);
        Some(values.is_some_and(|values| values.iter().any(is)))
    }
}

/// A patch set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RevisionInfo {
    /// The number of the patch set.
    #[serde(rename = "_number")]
    pub number: u32,
    /// The ref, `refs/changes/NN/NUMBER/PATCH_SET`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// `REWORK`, `TRIVIAL_REBASE`, …
    pub kind: String,
    /// The account that pushed it.
    pub uploader: AccountInfo,
    /// The time of the push.
    pub created: String,
    /// The commit.
    pub commit: CommitInfo,
    /// The files by path.
    pub files: BTreeMap<String, FileInfo>,
}

/// A commit.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CommitInfo {
    /// The parents.
    pub parents: Vec<ParentInfo>,
    /// The subject.
    pub subject: String,
    /// The whole message.
    pub message: String,
}

/// A parent of a commit.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ParentInfo {
    /// The SHA.
    pub commit: String,
}

/// A file of a patch set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct FileInfo {
    /// `A`, `D`, `R`, `C`, `W`; `None` for a modified file.
    pub status: Option<String>,
}

/// A label of a change.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct LabelInfo {
    /// The votes, also those of 0.
    pub all: Vec<ApprovalInfo>,
    /// The values and their meanings.
    pub values: BTreeMap<String, String>,
}

/// A vote.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ApprovalInfo {
    /// The account.
    #[serde(flatten)]
    pub account: AccountInfo,
    /// The value; `None` if the account may not vote.
    pub value: Option<i32>,
    /// The tag of the review that gave it. A copied vote keeps it.
    pub tag: Option<String>,
}

/// A message of a change.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ChangeMessageInfo {
    /// The id.
    pub id: String,
    /// The author; `None` for the server itself.
    pub author: Option<AccountInfo>,
    /// The time, as the server formats it.
    pub date: String,
    /// The text.
    pub message: String,
    /// The tag.
    pub tag: Option<String>,
    /// The number of the patch set that it is about.
    #[serde(rename = "_revision_number")]
    pub patch_set: Option<u32>,
}

/// An inline comment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CommentInfo {
    /// The number of the patch set.
    pub patch_set: Option<u32>,
    /// The line.
    pub line: Option<u32>,
    /// The text.
    pub message: String,
    /// The author.
    pub author: Option<AccountInfo>,
    /// The tag.
    pub tag: Option<String>,
    /// True if somebody has to resolve it.
    pub unresolved: Option<bool>,
    /// The id of the message that it came with.
    pub change_message_id: Option<String>,
}

/// A change of the same stack.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RelatedChange {
    /// The project.
    pub project: String,
    /// The number of the change.
    #[serde(rename = "_change_number")]
    pub number: u64,
    /// The patch set that the stack goes through.
    #[serde(rename = "_revision_number")]
    pub patch_set: u32,
    /// The newest patch set.
    #[serde(rename = "_current_revision_number")]
    pub current_patch_set: u32,
    /// The status.
    pub status: String,
}
