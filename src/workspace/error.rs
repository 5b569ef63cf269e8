//! The errors of opening a workspace.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use super::CheckoutError;
use crate::model::{CommandError, ExitCode};

/// A reason why there is no workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The directory cannot be inspected.
    #[error("{}: {source}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// No shipped pipeline fits the directory.
    #[error(
        "nothing to run in {}; looked for kata v1 repositories in a GOPATH \
         (src/github.com/kata-containers/{{runtime,agent,shim,proxy}}), for the same repositories side by side, for the \
         monorepo here or above (src/agent, src/runtime, versions.yaml), and for a Makefile here or one level below",
        directory.display()
    )]
    Nothing {
        /// The directory.
        directory: PathBuf,
    },
    /// None of the pipeline's components exists.
    #[error("no components of {pipeline} in {}; looked for {known}", directory.display())]
    NoComponents {
        /// The pipeline's name, or its file.
        pipeline: String,
        /// The directory that was searched.
        directory: PathBuf,
        /// The components' names, or another description of what was searched.
        known: String,
    },
    /// A component in the user's own file does not exist.
    #[error("{pipeline}: component `{component}` is not at {}", path.display())]
    MissingComponent {
        /// The pipeline's file.
        pipeline: String,
        /// The component's name.
        component: String,
        /// The expected path.
        path: PathBuf,
    },
    /// Two directories are checkouts of the same repository, and it is unclear which one is meant.
    #[error("component `{component}` could be {} or {}", one.display(), other.display())]
    Ambiguous {
        /// The component's name.
        component: String,
        /// The first directory.
        one: PathBuf,
        /// The second directory.
        other: PathBuf,
    },
    /// A commit could not be checked out.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// The GOPATH view could not be made.
    #[error("a GOPATH view of the checkouts could not be made at {}: {source}", path.display())]
    View {
        /// The path that could not be made.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl WorkspaceError {
    /// Returns the fix.
    pub fn fix(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Checkout(error) => return error.fix().into(),
            Self::Directory { .. } => "name a directory that can be read with -C DIR",
            Self::Nothing { .. } => {
                "go into a checkout or name one with -C DIR, or list components in a kata-ci.toml"
            }
            Self::NoComponents { .. } => {
                "name the directory that holds them with -C DIR, or another pipeline with -p"
            }
            Self::MissingComponent { .. } => {
                "correct the component's `path` (relative to the file), or remove the component"
            }
            Self::Ambiguous { .. } => {
                "name the one that is meant with -C DIR, or list it in a kata-ci.toml"
            }
            Self::View { .. } => {
                "make room there, or set XDG_CACHE_HOME to a directory that can be written"
            }
        })
    }

    /// Returns the exit code of a run that ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Checkout(error) => error.exit_code(),
            Self::View { .. } => ExitCode::Error,
            Self::Directory { .. }
            | Self::Nothing { .. }
            | Self::NoComponents { .. }
            | Self::MissingComponent { .. }
            | Self::Ambiguous { .. } => ExitCode::Usage,
        }
    }
}

impl From<WorkspaceError> for CommandError {
    fn from(error: WorkspaceError) -> Self {
        let hint = error.fix().into_owned();
        Self::new(error.exit_code(), error).hint(hint)
    }
}

impl From<CheckoutError> for CommandError {
    fn from(error: CheckoutError) -> Self {
        WorkspaceError::from(error).into()
    }
}
