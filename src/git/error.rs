//! What can go wrong with git.

use std::path::PathBuf;

use crate::probe::ProbeError;

/// git could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no git on PATH.
    #[error("git is not on PATH")]
    Missing,
    /// git is too old.
    #[error("git is {found}, {least} or newer is needed")]
    TooOld {
        /// What `git --version` says.
        found: String,
        /// See [`super::LEAST_VERSION`].
        least: String,
    },
    /// git would not answer.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The directory belongs to no repository.
    #[error("{} is in no git repository", directory.display())]
    NoRepository {
        /// Where.
        directory: PathBuf,
    },
    /// The repository belongs to another user, and git refuses to look into it.
    #[error("git refuses {}: it belongs to another user", directory.display())]
    DubiousOwnership {
        /// The directory git was called in.
        directory: PathBuf,
        /// The path git wants to have in `safe.directory`.
        repository: PathBuf,
    },
    /// git refused.
    #[error("`{command}` failed in {} ({status}): {complaint}", directory.display())]
    Failed {
        /// The command as typed.
        command: String,
        /// Where.
        directory: PathBuf,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The first lines of its standard error.
        complaint: String,
    },
}

impl GitError {
    /// What to do about it, where something is known.
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Missing => Some("install git and put it on PATH".to_owned()),
            Self::TooOld { least, .. } => Some(format!("install git {least} or newer")),
            Self::NoRepository { directory } => Some(format!(
                "clone the repository again, or run `git -C {} init`",
                crate::probe::quoted(directory)
            )),
            Self::DubiousOwnership { repository, .. } => Some(format!(
                "git config --global --add safe.directory {}",
                crate::probe::quoted(repository)
            )),
            Self::Probe(_) | Self::Failed { .. } => None,
        }
    }
}
