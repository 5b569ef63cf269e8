//! The report of a push of several repositories, for people and for `--format json`.

use serde::Serialize;

use crate::model::ExitCode;
use crate::push::report::{Outcome, PushReport};

/// The part of one repository.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RepositoryReport {
    /// Names of its components.
    pub components: Vec<String>,
    /// The top of its work tree.
    pub directory: String,
    /// The report of its push; null if there can be none.
    pub push: Option<PushReport>,
    /// The reason why there is no report.
    pub error: Option<String>,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MultiReport {
    /// The version of this format: 1.
    pub version: u32,
    /// The exit code.
    pub exit: i32,
    /// The topic of all changes.
    pub topic: Option<String>,
    /// The repositories in the order of the push.
    pub repositories: Vec<RepositoryReport>,
}

impl MultiReport {
    pub(super) fn new(topic: Option<String>, repositories: Vec<RepositoryReport>) -> Self {
        Self {
            version: 1,
            exit: exit(&repositories),
            topic,
            repositories,
        }
    }
}

/// Returns the exit code: the first of the contract's table that a repository ended with.
/// Repositories that were held back do not count, because another one is the reason.
/// one is the reason.
fn exit(repositories: &[RepositoryReport]) -> i32 {
    let counted = |one: &&RepositoryReport| {
        let push = one.push.as_ref();
        push.is_none_or(|push| push.outcome != Outcome::Held)
    };
    let codes: Vec<i32> = repositories
        .iter()
        .filter(counted)
        .map(|one| {
            one.push
                .as_ref()
                .map_or(ExitCode::Usage.code(), |push| push.exit)
        })
        .collect();
    let known = [
        ExitCode::Bug,
        ExitCode::Usage,
        ExitCode::Failed,
        ExitCode::Unavailable,
        ExitCode::Error,
        ExitCode::NothingToDo,
    ];
    let by_signal = codes.iter().copied().find(|code| *code > 128);
    let first = known
        .map(ExitCode::code)
        .into_iter()
        .find(|code| codes.contains(code));
    by_signal.or(first).unwrap_or(ExitCode::Success.code())
}
