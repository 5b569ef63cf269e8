//! The reason why a command cannot do its work.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use super::ExitCode;

/// The failure of a command, apart from the outcomes of its jobs. The command line decides how it
/// looks on a screen.
#[derive(Debug)]
pub struct CommandError {
    /// The exit code of the command.
    pub kind: ExitCode,
    /// The description of what happened, and where.
    pub error: Box<dyn Error + Send + Sync>,
    /// The ways out of it, one each.
    pub hints: Vec<String>,
}

impl CommandError {
    /// Creates an error of this kind, without a hint.
    pub fn new(kind: ExitCode, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            error: error.into(),
            hints: Vec::new(),
        }
    }

    /// Creates the error of a request that cannot be carried out.
    pub fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ExitCode::Usage, error)
    }

    /// Creates the error of a command that has nothing to do.
    pub fn nothing_to_do(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ExitCode::NothingToDo, error)
    }

    /// Creates the error of a machine that failed. Another try may go well.
    pub fn machine(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ExitCode::Error, error)
    }

    /// Creates the error of a machine that lacks something, so that another try fails the same way.
    pub fn unavailable(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ExitCode::Unavailable, error)
    }

    /// Creates the error of a standard output that cannot be written.
    pub fn output(error: io::Error) -> Self {
        Self::machine(format!("standard output: {error}"))
    }

    /// Creates the error of a path of the user's that cannot be used.
    pub fn path(path: &Path, error: &io::Error, hint: &str) -> Self {
        Self::usage(format!("{}: {error}", path.display())).hint(hint)
    }

    /// Adds a way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl Error for CommandError {}
