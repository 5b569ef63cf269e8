//! The errors of dependencies, each with a way out.

use crate::git::GitError;

/// A dependency that is not available. Nothing is checked without it.
#[derive(Debug, thiserror::Error)]
pub enum DependencyError {
    /// The line names nothing that is known.
    #[error("`{text}` names nothing that can be fetched")]
    Malformed {
        /// The line.
        text: String,
    },
    /// No repository of the workspace has that name.
    #[error(
        "Depends-on: {dependency}: no repository here is called exactly `{name}`; there are: {known}"
    )]
    NoRepository {
        /// The parsed dependency.
        dependency: String,
        /// The whole name.
        name: String,
        /// The known names.
        known: String,
    },
    /// No repository of the workspace is reviewed there.
    #[error("Depends-on: {dependency}: no repository here has a remote at {host}")]
    NoServer {
        /// The parsed dependency.
        dependency: String,
        /// The host.
        host: String,
    },
    /// The server does not have it.
    #[error("Depends-on: {dependency}: {place} has no {reference}")]
    NotThere {
        /// The parsed dependency.
        dependency: String,
        /// The URL, without credentials.
        place: String,
        /// The missing ref.
        reference: String,
    },
    /// No server knows the Change-Id.
    #[error(
        "Depends-on: {dependency}: no commit here has this Change-Id, and no server that was asked shows it{troubles}"
    )]
    UnknownChangeId {
        /// The Change-Id.
        dependency: String,
        /// The reasons why some servers could not be asked, each after a semicolon.
        troubles: String,
    },
    /// Several changes have the Change-Id.
    #[error("Depends-on: {dependency}: it can mean any of {found}")]
    Ambiguous {
        /// The parsed dependency.
        dependency: String,
        /// The changes found.
        found: String,
    },
    /// The change is one of the same repository, but not an ancestor of the commit.
    #[error(
        "Depends-on: {dependency}: it is a change of this repository, but the commit is not based on it"
    )]
    NotBelow {
        /// The parsed dependency.
        dependency: String,
    },
    /// Two dependencies name different revisions of one repository.
    #[error("Depends-on: {one} and {other} are different revisions of {repository}")]
    Different {
        /// One of them.
        one: String,
        /// The other one.
        other: String,
        /// The repository's name.
        repository: String,
    },
    /// Git failed, or the server through it.
    #[error("Depends-on: {dependency}: {source}")]
    Git {
        /// The parsed dependency.
        dependency: String,
        /// The error of git.
        source: GitError,
    },
}

impl DependencyError {
    /// Returns the fix.
    pub fn fix(&self) -> String {
        match self {
            Self::Malformed { .. } => "write `Depends-on: github.com/OWNER/REPOSITORY#NUMBER`, a Change-Id, or the URL of a change".to_owned(),
            Self::NoRepository { .. } => "clone it beside the others, or take the line out of the message".to_owned(),
            Self::NoServer { .. } => "clone the repository it is of beside the others, or take the line out of the message".to_owned(),
            Self::NotThere { .. } => "see whether the number is right and may be read by you; where the repository is reviewed elsewhere, name the change there".to_owned(),
            Self::UnknownChangeId { .. } => "name the change by its URL (https://HOST/c/PROJECT/+/NUMBER)".to_owned(),
            Self::Ambiguous { .. } => "name the one that is meant by its URL (https://HOST/c/PROJECT/+/NUMBER)".to_owned(),
            Self::NotBelow { dependency } => format!("rebase the commit onto it, or take the line out of the message (git log --grep {dependency})"),
            Self::Different { .. } => "name only the one that has the other below it".to_owned(),
            Self::Git { .. } => "see whether the server can be reached with git fetch, and try again".to_owned(),
        }
    }
}
