//! The errors of a checkout.

use std::io;
use std::path::PathBuf;

use crate::git::GitError;
use crate::model::ExitCode;
use crate::probe::quoted;

/// The reason why there is no checkout.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The repository does not have the revision.
    #[error("`{revision}` names no commit in {}", repository.display())]
    UnknownRevision {
        /// The given revision.
        revision: String,
        /// The top of the work tree.
        repository: PathBuf,
    },
    /// The commit does not have the directory of the run.
    #[error("{} is not in commit {commit} ({revision})", path.display())]
    NotInCommit {
        /// The path that the user knows.
        path: PathBuf,
        /// The hash of the commit.
        commit: String,
        /// The given revision.
        revision: String,
    },
    /// There is no repository for a revision.
    #[error("{} is in no git repository, and has none directly below it: there is nothing to take a revision of", directory.display())]
    NoRepository {
        /// The directory.
        directory: PathBuf,
    },
    /// The user's clone does not have a submodule.
    #[error("the submodule {} is not in {} at commit {commit}", path.display(), repository.display())]
    Submodule {
        /// The path of the submodule in its repository.
        path: PathBuf,
        /// The commit of the submodule.
        commit: String,
        /// The work tree of the repository that has the submodule.
        repository: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("a checkout could not be made at {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl CheckoutError {
    /// Returns a hint.
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
            Self::Submodule {
                path, repository, ..
            } => format!(
                "git -C {} submodule update --init -- {}",
                quoted(repository),
                quoted(path)
            ),
            Self::File { .. } => {
                "make room there, or set XDG_CACHE_HOME to a directory that can be written"
                    .to_owned()
            }
        }
    }

    /// Returns the exit code of a run that ends with it.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Git(error) if error.lasts() => ExitCode::Unavailable,
            Self::Git(_) | Self::File { .. } | Self::Submodule { .. } => ExitCode::Error,
            Self::UnknownRevision { .. } | Self::NotInCommit { .. } | Self::NoRepository { .. } => {
                ExitCode::Usage
            }
        }
    }
}
