//! Posts a result to the server, once, and never a wrong vote.
//!
//! ```text
//! look (closed? outdated? posted? a newer run?) ─▶ intent ─▶ send ─▶ read back ─▶ take back
//! ```
//! Invariants:
//! - A review goes to the commit that ran, by its SHA. Afterwards the labels are read back, and a
//!   vote of ours on a commit that did not run is taken away.
//! - Of the runs of a commit only the newest posts.
//! - The intent is in the [`Journal`] before anything is sent. A post is found again by the key in
//!   its tag, never by its text.

mod copied;
mod journal;
mod key;
mod send;
mod standing;

pub(crate) use copied::has_copied_vote;
pub use copied::{TakenBack, take_back_copied};
pub use journal::{Journal, JournalError, MessagesOnly, PostState};
pub use key::PostKey;

use super::ReviewResult;
use crate::gerrit::rest::{ChangeKey, Client, RestError};
use send::Sending;
use standing::Standing;

/// The end of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// The vote stands.
    Voted(i32),
    /// The message is there, without a vote.
    Message,
    /// The same run had been posted before.
    Already,
    /// A newer run of the commit has posted or will.
    Superseded(u32),
    /// Another commit is current now.
    Outdated(String),
    /// The change is merged or abandoned.
    Closed(String),
}

/// The report of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostReport {
    /// The end.
    pub posted: Posted,
    /// The remarks for the operator: permissions that are missing, comments that were left out.
    pub remarks: Vec<String>,
    /// The votes on other commits that were taken back.
    pub taken_back: Vec<TakenBack>,
}

/// A post that was not made, or that nobody knows of.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The server did not take it.
    #[error("{0}")]
    Rest(#[from] RestError),
    /// The journal cannot be used.
    #[error("the journal of posts: {0}")]
    Journal(JournalError),
}

impl PostError {
    /// Returns true if another try may go well.
    pub fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Rest(error) => error.is_worth_another_try(),
            Self::Journal(_) => true,
        }
    }
}

/// Posts a result, unless it must not be posted any more.
///
/// # Errors
/// [`PostError`]. The intent stays in the journal, so that the next try finds out.
pub fn post(
    client: &Client,
    result: &ReviewResult,
    journal: &mut dyn Journal,
) -> Result<PostReport, PostError> {
    let key = PostKey::new(&result.patch_set.sha, result.run);
    let change = result.patch_set.key();
    let account = client.self_account()?.id;
    let standing = Standing::look(client, &change, account)?;
    let report = |posted| PostReport {
        posted,
        remarks: Vec::new(),
        taken_back: Vec::new(),
    };
    if let Some(posted) = already(&standing, &key, journal)? {
        let mut report = report(posted);
        if report.posted == Posted::Already {
            report.taken_back = settle(client, &change, &result.label)?;
        }
        return Ok(report);
    }
    journal.intend(&key).map_err(PostError::Journal)?;
    let mut sending = Sending::prepare(result, &standing, &key);
    let posted = sending.send(client, &change)?;
    journal.posted(&key).map_err(PostError::Journal)?;
    Ok(PostReport {
        posted,
        remarks: sending.remarks,
        taken_back: settle(client, &change, &result.label)?,
    })
}

/// Returns the reason why there is nothing to post, if there is one.
fn already(
    standing: &Standing,
    key: &PostKey,
    journal: &mut dyn Journal,
) -> Result<Option<Posted>, PostError> {
    let state = journal.state(key).map_err(PostError::Journal)?;
    let is_there = standing.verdicts().any(|other| other == *key);
    if is_there && state != PostState::Posted {
        journal.posted(key).map_err(PostError::Journal)?;
    }
    if is_there || state == PostState::Posted {
        return Ok(Some(Posted::Already));
    }
    let told = journal.newest_run(&key.sha).map_err(PostError::Journal)?;
    let seen = standing.verdicts().filter(|other| other.sha == key.sha);
    let newest = seen.map(|other| other.run).chain(told).max();
    if let Some(newest) = newest.filter(|newest| *newest > key.run) {
        return Ok(Some(Posted::Superseded(newest)));
    }
    if !standing.change.is_open() {
        return Ok(Some(Posted::Closed(standing.change.status.clone())));
    }
    let is_current = standing.current() == key.sha;
    Ok((!is_current).then(|| Posted::Outdated(standing.current().to_owned())))
}

/// Reads the labels back: no vote of ours may stand on a commit that did not run.
fn settle(client: &Client, change: &ChangeKey, label: &str) -> Result<Vec<TakenBack>, PostError> {
    Ok(take_back_copied(client, change, label, &|_| false)?)
}
