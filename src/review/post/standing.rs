//! A change as it stands at the server: our own messages and our own vote on it.

use super::key::PostKey;
use crate::gerrit::rest::{ChangeInfo, ChangeKey, ChangeMessageInfo, Client, RestError};

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
        let value = vote.value?;
        let given_by = match vote.tag.as_deref() {
            Some(tag) => PostKey::of_any(tag),
            None => self.origin(label, value),
        };
        Some(OwnVote { value, given_by })
    }

    /// Returns the run that gave a vote without a tag: the newest message that gave this value
    /// tells. A vote that the server copies to a later patch set loses its tag, if that was there
    /// already.
    fn origin(&self, label: &str, value: i32) -> Option<PostKey> {
        let word = format!("{label}{value:+}");
        let gave = |message: &&ChangeMessageInfo| {
            let author = message.author.as_ref();
            let first = message.message.lines().next().unwrap_or_default();
            let votes = first.split_once(": ").map_or("", |(_, votes)| votes);
            author.is_some_and(|author| author.id == self.account)
                && votes.split_whitespace().any(|vote| vote == word)
        };
        let newest = self.change.messages.iter().rev().find(gave)?;
        newest.tag.as_deref().and_then(PostKey::of_any)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gerrit::rest::{AccountInfo, ApprovalInfo, LabelInfo};

    fn standing(tag: Option<String>, messages: &[(&str, Option<String>)]) -> Standing {
        let own = AccountInfo {
            id: 7,
            ..AccountInfo::default()
        };
        let vote = ApprovalInfo {
            account: own.clone(),
            value: Some(1),
            tag,
        };
        let label = LabelInfo {
            all: vec![vote],
            ..LabelInfo::default()
        };
        let message = |(text, tag): &(&str, Option<String>)| ChangeMessageInfo {
            author: Some(own.clone()),
            message: (*text).to_owned(),
            tag: tag.clone(),
            ..ChangeMessageInfo::default()
        };
        Standing {
            change: ChangeInfo {
                current_revision: Some("b".repeat(40)),
                labels: [("Verified".to_owned(), label)].into(),
                messages: messages.iter().map(message).collect(),
                ..ChangeInfo::default()
            },
            account: 7,
        }
    }

    #[test]
    fn a_copied_vote_is_known_by_its_tag_or_by_the_message_that_gave_it() {
        let tag = |letter: &str| Some(PostKey::new(letter.repeat(40), 1).tag());
        let gave = "Patch Set 1: Verified+1\n\nkata-ci";
        let is_copied =
            |tag, messages: &[_]| standing(tag, messages).copied_vote("Verified").is_some();
        assert!(is_copied(tag("a"), &[]));
        assert!(!is_copied(tag("b"), &[]));
        assert!(is_copied(None, &[(gave, tag("a"))]));
        // A person's vote with the same account stays.
        let by_hand = ("Patch Set 2: Code-Review+2 Verified+1", None);
        assert!(!is_copied(None, &[(gave, tag("a")), by_hand]));
        assert!(!is_copied(
            Some("autogenerated:other".to_owned()),
            &[(gave, tag("a"))]
        ));
        assert!(!is_copied(None, &[("Patch Set 1: Verified-1", tag("a"))]));
    }
}
