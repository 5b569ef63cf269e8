//! The patch set under review.

use serde::{Deserialize, Serialize};

use crate::gerrit::rest::{AccountInfo, BaseUrl, ChangeInfo, ChangeKey};

/// A patch set of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patchset {
    /// The project.
    pub project: String,
    /// The target branch, without `refs/heads/`.
    pub branch: String,
    /// The number of the change.
    pub number: u64,
    /// The number of the patch set.
    pub patch_set: u32,
    /// The commit.
    pub sha: String,
    /// The ref to fetch it by.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The Change-Id.
    pub change_id: String,
    /// The subject of the commit; foreign text.
    pub subject: String,
    /// The topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The owner of the change.
    pub owner: AccountInfo,
    /// The account that pushed the patch set.
    pub uploader: AccountInfo,
    /// The parents of the commit.
    pub parents: Vec<String>,
    /// The web page of the change.
    pub url: String,
}

impl Patchset {
    /// The options that a change must be asked with.
    pub const OPTIONS: [&str; 3] = ["ALL_REVISIONS", "ALL_COMMITS", "DETAILED_ACCOUNTS"];

    /// Returns a patch set of a change, the current one if no number is given.
    pub fn of(change: &ChangeInfo, wanted: Option<u32>, server: &BaseUrl) -> Option<Self> {
        let (sha, revision) = change.patch_set(wanted)?;
        Some(Self {
            project: change.project.clone(),
            branch: change.branch.clone(),
            number: change.number,
            patch_set: revision.number,
            sha: sha.to_owned(),
            reference: revision.reference.clone(),
            change_id: change.change_id.clone(),
            subject: revision.commit.subject.clone(),
            topic: change.topic.clone().filter(|topic| !topic.is_empty()),
            owner: change.owner.clone(),
            uploader: revision.uploader.clone(),
            parents: (revision.commit.parents.iter())
                .map(|parent| parent.commit.clone())
                .collect(),
            url: format!("{server}/c/{}/+/{}", change.project, change.number),
        })
    }

    /// Returns the change's identity for requests.
    pub fn key(&self) -> ChangeKey {
        ChangeKey::new(&self.project, self.number)
    }
}
