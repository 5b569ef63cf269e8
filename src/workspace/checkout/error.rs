//! Why a commit could not be checked out aside.

use std::io;
use std::path::PathBuf;

use crate::git::GitError;
use crate::model::ExitCode;

/// There is no checkout.
#[derive(Debug, thiserror::Error)]
pub enum AsideError {
    /// git would not.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The revision is none of this repository.
    #[error("`{revision}` names no commit in {}", repository.display())]
    UnknownRevision {
        /// As given.
        revision: String,
        /// The top of its work tree.
        repository: PathBuf,
    },
    /// The commit does not have what was to be run.
    #[error("{} is not in commit {commit} ({revision})", path.display())]
    NotInCommit {
        /// As the user knows it.
        path: PathBuf,
        /// Its hash.
        commit: String,
        /// As given.
        revision: String,
    },
    /// There is nothing a revision could be of.
    #[error("{} is in no git repository, and has none directly below it: there is nothing to take a revision of", directory.display())]
    NoRepository {
        /// Where.
        directory: PathBuf,
    },
    /// The disk.
    #[error("a checkout could not be made at {}: {source}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl AsideError {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Self::Git(error) => error
                .fix()
                .unwrap_or_else(|| "try the same command in a shell".to_owned()),
            Self::UnknownRevision { .. } => {
                "name a commit, branch or tag that is there, or the components that have it"
                    .to_owned()
            }
            Self::NotInCommit { .. } => {
                "name a directory that the commit has with -C DIR".to_owned()
            }
            Self::NoRepository { .. } => "go into a checkout or name one with -C DIR".to_owned(),
            Self::File { .. } => {
                "make room there, or set XDG_CACHE_HOME to a directory that can be written"
                    .to_owned()
            }
        }
    }

    /// The exit code of a run that ends with it.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Git(_) | Self::File { .. } => ExitCode::Error,
            Self::UnknownRevision { .. } | Self::NotInCommit { .. } | Self::NoRepository { .. } => {
                ExitCode::Usage
            }
        }
    }
}
