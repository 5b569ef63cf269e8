//! Sends one review, and again without what the server does not take.

use std::thread;
use std::time::Duration;

use super::Posted;
use super::key::PostKey;
use super::standing::Standing;
use crate::gerrit::rest::{ChangeKey, Client, Notify, RestError, RestErrorKind, ReviewInput};
use crate::review::ReviewResult;

/// The pauses before another try, if the server does not answer.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(9),
];

/// A review on its way.
pub(super) struct Sending<'a> {
    key: &'a PostKey,
    label: &'a str,
    branch: &'a str,
    account: u64,
    input: ReviewInput,
    /// The remarks for the operator.
    pub remarks: Vec<String>,
}

impl<'a> Sending<'a> {
    /// Prepares the review for a change as it stands: without a vote that the server would lose or
    /// refuse, and with a 0 for an earlier vote that no longer holds.
    pub fn prepare(result: &'a ReviewResult, standing: &Standing, key: &'a PostKey) -> Self {
        let mut sending = Self {
            key,
            label: &result.label,
            branch: &result.patch_set.branch,
            account: standing.account,
            input: result.input.clone(),
            remarks: Vec::new(),
        };
        sending.input.tag = key.tag();
        match sending.vote() {
            Some(vote) => sending.check_vote(vote, standing),
            None => {
                let own = standing.vote(&result.label).filter(|vote| {
                    let is_withdrawn = result.verdict.withdraws_vote() && vote.given_by.is_some();
                    is_withdrawn || standing.copied_vote(&result.label).is_some()
                });
                if own.is_some() {
                    sending.input.labels.insert(result.label.clone(), 0);
                }
            }
        }
        sending
    }

    fn vote(&self) -> Option<i32> {
        self.input.labels.get(self.label).copied()
    }

    /// Takes the vote out if the server would lose or refuse it.
    fn check_vote(&mut self, vote: i32, standing: &Standing) {
        let change = &standing.change;
        if !change.labels.contains_key(self.label) {
            self.drop_vote(&format!(
                "there is no label `{}` for changes of this branch",
                self.label
            ));
        } else if change.may_vote(self.label, vote) == Some(false) {
            self.drop_vote(&self.missing_permission(vote));
        }
    }

    fn missing_permission(&self, vote: i32) -> String {
        format!(
            "this account may not give {vote:+} on `{}`: it needs the permission `label-{}` on refs/heads/{}",
            self.label, self.label, self.branch
        )
    }

    /// Takes the vote out, and says so in the message.
    fn drop_vote(&mut self, why: &str) {
        self.input.labels.clear();
        self.say(&format!("No vote was given: {why}."));
    }

    fn say(&mut self, remark: &str) {
        self.input.message.push_str("\n\n");
        self.input.message.push_str(remark);
        self.remarks.push(remark.to_owned());
    }

    /// Sends the review, and says how it ended.
    pub fn send(&mut self, client: &Client, change: &ChangeKey) -> Result<Posted, RestError> {
        loop {
            let sent = self.send_once(client, change);
            let error = match sent {
                Ok(posted) => return Ok(posted),
                Err(error) => error,
            };
            match error.kind {
                RestErrorKind::Forbidden if self.vote().is_some() => {
                    let why = self.missing_permission(self.vote().unwrap_or_default());
                    self.drop_vote(&why);
                }
                RestErrorKind::BadRequest if !self.input.comments.is_empty() => {
                    self.fold_comments(&error.said);
                }
                RestErrorKind::BadRequest if self.vote().is_some() => {
                    let why = format!("the server does not take it ({})", error.said);
                    self.drop_vote(&why);
                }
                RestErrorKind::Conflict => return self.ended(client, change, error),
                _ => return Err(error),
            }
        }
    }

    /// Takes the comments out of the review, because the server refuses all for one of them.
    fn fold_comments(&mut self, said: &str) {
        self.input.comments.clear();
        let remark =
            format!("The server took no inline comments ({said}); they are in the report.");
        self.say(&remark);
    }

    /// Sends the review, a few times if the server does not answer. Before each further time it is
    /// looked up whether the one before arrived.
    fn send_once(&mut self, client: &Client, change: &ChangeKey) -> Result<Posted, RestError> {
        let mut pauses = PAUSES.iter();
        loop {
            let answer = match client.review(change, &self.key.sha, &self.input) {
                Ok(answer) => answer,
                Err(error) if error.is_worth_another_try() => {
                    let Some(pause) = pauses.next() else {
                        return Err(error);
                    };
                    thread::sleep(*pause);
                    match Standing::look(client, change, self.account) {
                        Ok(standing) if standing.verdicts().any(|key| key == *self.key) => {
                            return Ok(self.posted());
                        }
                        _ => continue,
                    }
                }
                Err(error) => return Err(error),
            };
            let asked = self.vote().filter(|vote| *vote != 0);
            let given = answer.labels.get(self.label).copied();
            return match asked {
                Some(vote) if given != Some(vote) => {
                    self.remark_lost_vote(client, change);
                    Ok(Posted::Message)
                }
                _ => Ok(self.posted()),
            };
        }
    }

    fn posted(&self) -> Posted {
        match self.vote().filter(|vote| *vote != 0) {
            Some(vote) => Posted::Voted(vote),
            None => Posted::Message,
        }
    }

    /// Says at the change that the server lost the vote without a word.
    fn remark_lost_vote(&mut self, client: &Client, change: &ChangeKey) {
        let remark = format!("The server did not take the vote on `{}`.", self.label);
        let input = ReviewInput {
            message: remark.clone(),
            tag: self.key.remark_tag(),
            notify: Notify::None,
            ignore_automatic_attention_set_rules: true,
            ..ReviewInput::default()
        };
        self.remarks.push(remark);
        if let Err(error) = client.review(change, &self.key.sha, &input) {
            self.remarks.push(error.to_string());
        }
    }

    /// Says why the server refuses as a conflict: the change is closed, else the error stays.
    fn ended(
        &self,
        client: &Client,
        change: &ChangeKey,
        error: RestError,
    ) -> Result<Posted, RestError> {
        let standing = Standing::look(client, change, self.account)?;
        match standing.change.is_open() {
            true => Err(error),
            false => Ok(Posted::Closed(standing.change.status)),
        }
    }
}
