//! What keeps a command from doing its work: one clear error, with the exit code it has in the contract.

use std::io;
use std::path::Path;

use crate::config::ConfigError;
use crate::model::ExitCode;
use crate::plan::SelectionError;
use crate::workspace::WorkspaceError;

/// A command's failure before or beside what its jobs say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A pipeline or the user's configuration.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The place that was given.
    #[error("{0}")]
    Workspace(#[from] WorkspaceError),
    /// What was selected.
    #[error("{0}")]
    Selection(#[from] SelectionError),
    /// Anything else that was asked for wrongly.
    #[error("{0}")]
    Usage(String),
    /// Nothing is left to run.
    #[error("{0}")]
    NothingToDo(String),
    /// The machine did not do its part; another try may go well.
    #[error("{0}")]
    Machine(String),
}

impl Failure {
    /// Standard output could not be written.
    pub(crate) fn output(error: io::Error) -> Self {
        Self::Machine(format!("standard output: {error}"))
    }

    /// A path of the user's that cannot be used.
    pub(crate) fn path(path: &Path, error: &io::Error, fix: &str) -> Self {
        Self::Usage(format!("{}: {error}\n  = help: {fix}", path.display()))
    }

    /// The row of the contract's table.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Selection(_) | Self::Usage(_) => ExitCode::Usage,
            Self::Workspace(error) => error.exit_code(),
            Self::NothingToDo(_) => ExitCode::NothingToDo,
            Self::Machine(_) => ExitCode::Error,
        }
    }

    /// The text for standard error. A configuration error brings its own `error:` with the line it speaks of.
    pub(crate) fn render(&self, color: bool) -> String {
        match self {
            Self::Config(error) => error.render(color),
            Self::Workspace(error) => format!("error: {error}\n  = help: {}", error.fix()),
            other => format!("error: {other}"),
        }
    }
}
