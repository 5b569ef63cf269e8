//! The steps of a push, one after the other.

use super::report::PushReport;
use super::send::SendError;
use super::session::Push;
use super::{Check, PushUi};
use crate::gerrit::push_options::PushOptions;
use crate::gerrit::remote::{DestinationError, Request};
use crate::git::plumbing::{GitError, Repository};
use crate::push::reword::RewordError;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct PushRequest {
    /// Where to.
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

/// Why there is no report.
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

/// Carries a push out, as far as it goes.
///
/// # Errors
/// [`PushError`] where nothing can be reported but that.
pub fn push(
    repository: &Repository,
    request: &PushRequest,
    check: &dyn Check,
    audience: &mut dyn PushUi,
) -> Result<PushReport, PushError> {
    let mut push = Push::prepare(repository, request)?;
    audience.plan(push.report());
    let before = push.unfit().or_else(|| push.declined(audience));
    if let Some(ended) = before.or_else(|| push.check(check)) {
        return Ok(ended);
    }
    push.deliver()
}
