//! The error of git.

use std::path::{Path, PathBuf};

use super::Obstacle;
use super::credentials::without_credentials;
use crate::model::CommandError;
use crate::probe::{Answer, ProbeError};

/// A call of git that failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no git on PATH.
    #[error("git is not on PATH")]
    Missing,
    /// git is too old.
    #[error("git is {found}, {least} or newer is needed")]
    TooOld {
        /// The answer to `git --version`.
        found: String,
        /// See [`super::LEAST_VERSION`].
        least: String,
    },
    /// git would not end.
    #[error(transparent)]
    Obstacle(#[from] Obstacle),
    /// git would not answer.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The directory belongs to no repository.
    #[error("{} is in no git repository", directory.display())]
    NoRepository {
        /// The directory.
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
    /// A job of the strict sandbox left files that could lead git to run a program.
    #[error(
        "git is not asked in {}: jobs under `isolate on` left what can lead it to run a program: {}",
        directory.display(),
        listed(files)
    )]
    LeftBehind {
        /// The directory that git was to be called in.
        directory: PathBuf,
        /// The files.
        files: Vec<PathBuf>,
        /// The record of those jobs.
        record: PathBuf,
    },
    /// git, or a program that it uses, said no.
    #[error("`{command}` failed in {} ({status}): {complaint}", directory.display())]
    Failed {
        /// The command as typed, without credentials.
        command: String,
        /// The directory that it was called in.
        directory: PathBuf,
        /// The exit code or signal, in words.
        status: String,
        /// The first lines of its standard error, without credentials.
        complaint: String,
    },
}

impl GitError {
    /// The error of a call that ended with another exit code than 0.
    pub(super) fn refused(command: String, directory: &Path, answer: &Answer) -> Self {
        let directory = directory.to_owned();
        let errors = String::from_utf8_lossy(&answer.errors);
        if errors.contains("dubious ownership") {
            return Self::DubiousOwnership {
                repository: refused_repository(&errors).unwrap_or_else(|| directory.clone()),
                directory,
            };
        }
        // A server's word about a repository of its own begins otherwise.
        if errors.contains("fatal: not a git repository") {
            return Self::NoRepository { directory };
        }
        Self::Failed {
            command: without_credentials(&command),
            directory,
            status: answer.status.to_string(),
            complaint: without_credentials(&answer.complaint()),
        }
    }

    /// Returns true if another try fails the same way until the cause is fixed.
    pub fn lasts(&self) -> bool {
        match self {
            Self::Missing
            | Self::TooOld { .. }
            | Self::NoRepository { .. }
            | Self::Obstacle(_)
            | Self::LeftBehind { .. }
            | Self::DubiousOwnership { .. } => true,
            Self::Probe(_) | Self::Failed { .. } => false,
        }
    }

    /// Returns what to do about it, if something is known.
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
            Self::Obstacle(obstacle) => Some(format!(
                "remove what is in its place: rm {}",
                crate::probe::quoted(&obstacle.path)
            )),
            Self::LeftBehind { record, .. } => Some(format!(
                "look at these files and remove them or put them right, without git; or if they are \
                 yours: rm {}",
                crate::probe::quoted(record)
            )),
            Self::Probe(_) | Self::Failed { .. } => None,
        }
    }
}

/// Reads the path in `fatal: detected dubious ownership in repository at '/path'`.
fn refused_repository(errors: &str) -> Option<PathBuf> {
    let (_, rest) = errors.split_once("in repository at '")?;
    rest.split_once("'\n").map(|(path, _)| path.into())
}

/// The most files that a message names.
const NAMED: usize = 5;

/// Returns the first of the files in words.
fn listed(files: &[PathBuf]) -> String {
    let named: Vec<_> = (files.iter().take(NAMED))
        .map(|file| crate::text::line(&file.to_string_lossy(), 300).into_owned())
        .collect();
    match files.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
impl From<GitError> for CommandError {
    /// Makes the end of a command of it, with its way out.
    fn from(error: GitError) -> Self {
        let hint = error.fix();
        let converted = match error.lasts() {
            true => Self::unavailable(error),
            false => Self::machine(error),
        };
        match hint {
            Some(hint) => converted.hint(hint),
            None => converted,
        }
    }
}
