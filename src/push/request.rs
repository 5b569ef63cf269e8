//! The request of a push, its interface to people, and its errors.

use super::report::PushReport;
use super::reword::RewordError;
use super::send::SendError;
use crate::gerrit::push_options::PushOptions;
use crate::gerrit::remote::{DestinationError, Request};
use crate::git::GitError;
use crate::model::CommandError;

/// The request of one push.
#[derive(Debug, Clone, Default)]
pub struct PushRequest {
    /// The destination.
    pub destination: Request,
    /// The push options.
    pub options: PushOptions,
    /// True to check every commit, not only the tip.
    pub each: bool,
    /// True to add missing Change-Ids.
    pub fix: bool,
    /// True to push without a check.
    pub no_check: bool,
    /// True to check kata's rules for commits.
    pub kata_rules: bool,
    /// True to show the plan and push nothing.
    pub dry_run: bool,
    /// True to skip the confirmation.
    pub yes: bool,
    /// True to look up the numbers of the patch sets, with another connection.
    pub patch_sets: bool,
}

/// The interface to the person who pushes.
pub trait PushUi {
    /// Receives the plan, before anything is asked, checked or sent.
    fn plan(&mut self, report: &PushReport);
    /// Asks for confirmation; `None` if there is nobody to ask.
    fn confirm(&mut self, question: &str) -> Option<bool>;
}

/// An error without a report.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// There is no repository, or no git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// There is no destination.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// `--fix` cannot rewrite the commits.
    #[error(transparent)]
    Reword(#[from] RewordError),
    /// The request cannot be sent to this server.
    #[error(transparent)]
    Send(#[from] SendError),
    /// HEAD names no commit.
    #[error("there is no commit yet in {0}")]
    Unborn(String),
    /// `--direct` has options that only a review knows.
    #[error(
        "--direct pushes to the branch itself, where `{0}` means nothing: leave one of them out"
    )]
    OptionWithDirect(String),
}

impl From<PushError> for CommandError {
    fn from(error: PushError) -> Self {
        Self::usage(error)
    }
}
