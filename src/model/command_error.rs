//! Why a command cannot do its work.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use super::ExitCode;

/// A command's failure before or beside what its jobs say. How it reads on a screen is for the
/// command line.
#[derive(Debug)]
pub struct CommandError {
    /// The row of the table of exit codes that it falls under.
    pub kind: ExitCode,
    /// What happened, and where.
    pub error: Box<dyn Error + Send + Sync>,
    /// What to do about it, one way out each.
    pub hints: Vec<String>,
}

impl CommandError {
    /// An error of this kind, without a hint.
    pub fn new(kind: ExitCode, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            error: error.into(),
            hints: Vec::new(),
        }
    }

    /// Something was asked for that cannot be done.
    pub fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ExitCode::Usage, error)
    }

    /// Nothing is left to do.
    pub fn nothing_to_do(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ExitCode::NothingToDo, error)
    }

    /// The machine did not do its part; another try may go well.
    pub fn machine(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ExitCode::Error, error)
    }

    /// Standard output could not be written.
    pub fn output(error: io::Error) -> Self {
        Self::machine(format!("standard output: {error}"))
    }

    /// A path of the user's cannot be used.
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
