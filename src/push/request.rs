//! The request of a push, who makes it, and why there is no report of one.

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
    /// Where it goes.
    pub place: Request,
    /// Options for the server.
    pub options: PushOptions,
    /// Each commit is to be checked, not the tip alone.
    pub each: bool,
    /// Add Change-Ids where they are missing.
    pub fix: bool,
    /// Push without a check.
    pub no_check: bool,
    /// kata's rules for commits hold.
    pub kata_rules: bool,
    /// Show what would go, and end.
    pub dry_run: bool,
    /// Do not ask.
    pub yes: bool,
    /// Find out the patch sets' numbers, at the price of another connection.
    pub patch_sets: bool,
}

/// Who started the push.
pub trait PushUi {
    /// Hears what would go, before anything is asked, checked or sent.
    fn plan(&mut self, report: &PushReport);
    /// Answers whether to go on; none where there is nobody to ask.
    fn confirm(&mut self, question: &str) -> Option<bool>;
}

/// There is no report.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Not in a repository, or git is missing.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Nowhere to push to.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// `--fix` cannot.
    #[error(transparent)]
    Reword(#[from] RewordError),
    /// It cannot be said to this server.
    #[error(transparent)]
    Send(#[from] SendError),
    /// HEAD names no commit.
    #[error("there is no commit yet in {0}")]
    Unborn(String),
    /// Options of a review given to `--direct`.
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
