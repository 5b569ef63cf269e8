//! What a push of several repositories came to: the same for the screen and for `--format json`.

use serde::Serialize;

use crate::model::ExitCode;
use crate::push::report::{Outcome, PushReport};

/// A repository's part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RepositoryReport {
    /// Names of the components that lie in it.
    pub components: Vec<String>,
    /// The top of its work tree.
    pub directory: String,
    /// Its push; null where not even that can be told.
    pub push: Option<PushReport>,
    /// Why it cannot be told.
    pub error: Option<String>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MultiReport {
    /// Of this format: 1.
    pub version: u32,
    /// Exit code.
    pub exit: i32,
    /// The topic of all changes.
    pub topic: Option<String>,
    /// In the order in which they are pushed.
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

/// The first row of the contract's table that a repository ended with. What was only kept back does not count: another
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
