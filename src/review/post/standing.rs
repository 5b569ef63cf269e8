//! A change as it stands at the server: our own messages and our own vote on it.

use super::key::PostKey;
use crate::gerrit::rest::{ChangeInfo, ChangeKey, Client, RestError};

/// The options that a change is asked with.
const OPTIONS: [&str; 4] = [
    "CURRENT_REVISION",
    "DETAILED_LABELS",
    "DETAILED_ACCOUNTS",
    "MESSAGES",
];

/// A change as it stands, seen by the account that posts.
pub(super) struct Standing {
    pub change: ChangeInfo,
    pub account: u64,
}

/// A vote of ours on the current patch set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnVote {
    pub value: i32,
    /// The run that gave it; `None` for a vote that a person gave with the same account.
    pub given_by: Option<PostKey>,
}

impl Standing {
    /// Asks the server.
    pub fn look(client: &Client, change: &ChangeKey, account: u64) -> Result<Self, RestError> {
        Ok(Self {
            change: client.change(change, &OPTIONS)?,
            account,
        })
    }

    /// Returns the current commit.
    pub fn current(&self) -> &str {
        self.change.current_revision.as_deref().unwrap_or_default()
    }

    /// Returns the keys of our own verdicts on the change.
    pub fn verdicts(&self) -> impl Iterator<Item = PostKey> {
        let own = self.change.messages.iter().filter(|message| {
            let author = message.author.as_ref();
            author.is_some_and(|author| author.id == self.account)
        });
        own.filter_map(|message| PostKey::of_verdict(message.tag.as_deref()?))
    }

    /// Returns our vote on a label of the current patch set.
    pub fn vote(&self, label: &str) -> Option<OwnVote> {
        let vote = self.change.vote(label, self.account)?;
        Some(OwnVote {
            value: vote.value?,
            given_by: vote.tag.as_deref().and_then(PostKey::of_any),
        })
    }

    /// Returns our vote if the server copied it from a commit that is not the current one.
    pub fn copied_vote(&self, label: &str) -> Option<OwnVote> {
        let is_of_another = |vote: &OwnVote| {
            let given_by = vote.given_by.as_ref();
            given_by.is_some_and(|key| key.sha != self.current())
        };
        self.vote(label).filter(is_of_another)
    }
}
