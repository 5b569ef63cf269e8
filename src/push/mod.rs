//! Pushes commits to review (or, with `--direct`, to a branch): plan, preflight, check, and only
//! then the connection.
//!
//! ```text
//! destination ─▶ facts ─▶ preflight (─▶ reword ─▶ again) ─▶ confirm ─▶ check ─▶ send ─▶ report
//! ```
//! Invariants: the pushed commit is the checked one, by its hash. Nothing in the user's repository
//! changes except for what `--fix` rewrites and git's own tracking refs. Nobody is asked without a
//! terminal.

mod check;
mod deliver;
mod history;
pub mod hooks;
pub mod multi;
pub mod preflight;
mod report;
mod request;
pub mod reword;
mod send;
mod server_branch;
mod session;
mod view;
use std::path::PathBuf;

pub(crate) use check::RunCheck;
pub use check::{Check, CheckRequest, CheckResult};
pub use history::Known;
pub use report::{ChangeReport, CommitRow, CommitState, Outcome, PushReport};
pub use request::{PushError, PushRequest, PushUi};
pub use send::{CHECKED, SendError, Sent, send};
pub use view::{outcome, plan, render};

use crate::config::Pipeline;
use crate::env::Environment;
use crate::git::{GitError, Repository};
use crate::model::CommandError;
use multi::{MultiPushUi, MultiReport, push_multi};
use session::Push;

/// The report of a push.
pub(crate) enum Pushed {
    /// Of one repository.
    One(Box<PushReport>),
    /// Of several repositories.
    Several(MultiReport),
}

/// Pushes the repository that the directory is in. Outside of any repository, it pushes those of
/// the components found below. `environment` is the one that git is called in.
pub(crate) fn push_from(
    repository: &Repository,
    pipeline: &Pipeline,
    environment: &Environment,
    mut request: PushRequest,
    check: &dyn Check,
    ui: &mut dyn MultiPushUi,
) -> Result<Pushed, CommandError> {
    match top_level(repository).map_err(PushError::from)? {
        Some(top) => {
            request.destination.project = multi::project(pipeline, repository, &top, environment);
            let report = push(repository, &request, check, ui)?;
            Ok(Pushed::One(Box::new(report)))
        }
        None => {
            let targets = multi::targets(pipeline, repository, environment, &request)?;
            Ok(Pushed::Several(push_multi(&targets, check, ui)))
        }
    }
}

/// Returns the top of the work tree; `None` outside of a repository.
fn top_level(repository: &Repository) -> Result<Option<PathBuf>, GitError> {
    match repository.top_level() {
        Ok(top) => Ok(Some(top)),
        Err(GitError::NoRepository { .. }) => Ok(None),
        Err(failed) => Err(failed),
    }
}

/// Pushes one repository.
///
/// # Errors
/// [`PushError`] if there can be no report.
pub fn push(
    repository: &Repository,
    request: &PushRequest,
    check: &dyn Check,
    ui: &mut dyn PushUi,
) -> Result<PushReport, PushError> {
    let mut push = Push::prepare(repository, request)?;
    ui.plan(push.report());
    let before = push.unfit().or_else(|| push.declined(ui));
    if let Some(ended) = before.or_else(|| push.check(check)) {
        return Ok(ended);
    }
    push.deliver()
}
