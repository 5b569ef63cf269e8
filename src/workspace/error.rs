//! Why there is no workspace to run in.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use super::AsideError;
use crate::model::ExitCode;

/// There is no workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The directory cannot be looked at.
    #[error("{}: {source}", directory.display())]
    Directory {
        /// Which.
        directory: PathBuf,
        /// Why.
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
        /// Where.
        directory: PathBuf,
    },
    /// None of the pipeline's components is there.
    #[error("no components of {pipeline} in {}; looked for {known}", directory.display())]
    NoComponents {
        /// The pipeline's name, or its file.
        pipeline: String,
        /// Where they were looked for.
        directory: PathBuf,
        /// The components' names, or what else was looked for, in words.
        known: String,
    },
    /// A component that the user's own file lists is not there.
    #[error("{pipeline}: component `{component}` is not at {}", path.display())]
    MissingComponent {
        /// The pipeline's file.
        pipeline: String,
        /// Its name.
        component: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// Two directories are checkouts of the same repository, and nothing tells which is meant.
    #[error("component `{component}` could be {} or {}", one.display(), other.display())]
    Ambiguous {
        /// The component's name.
        component: String,
        /// A directory.
        one: PathBuf,
        /// Another.
        other: PathBuf,
    },
    /// A commit could not be checked out aside.
    #[error(transparent)]
    Aside(#[from] AsideError),
    /// The GOPATH view could not be made.
    #[error("a GOPATH view of the checkouts could not be made at {}: {source}", path.display())]
    View {
        /// What could not be made.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl WorkspaceError {
    /// What to do about it.
    pub fn fix(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Aside(error) => return error.fix().into(),
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

    /// The exit code of a run that ends with it.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Aside(error) => error.exit_code(),
            Self::View { .. } => ExitCode::Error,
            Self::Directory { .. }
            | Self::Nothing { .. }
            | Self::NoComponents { .. }
            | Self::MissingComponent { .. }
            | Self::Ambiguous { .. } => ExitCode::Usage,
        }
    }
}
