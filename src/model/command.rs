//! The command of a step.

use std::fmt;

/// What a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A program and its arguments; not empty.
    Run(Vec<String>),
    /// Text for `sh -eu`.
    Script(String),
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(words) => formatter.write_str(&words.join(" ")),
            Self::Script(text) => {
                write!(
                    formatter,
                    "sh: {}",
                    text.trim().lines().next().unwrap_or_default()
                )
            }
        }
    }
}
