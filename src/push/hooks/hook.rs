//! The hooks of git that kata-ci answers.

use std::fmt;

use serde::Serialize;

/// A git hook that kata-ci can install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Runs when a push has connected but has not sent anything.
    PrePush,
    /// Runs when a commit message is complete.
    CommitMsg,
}

impl Hook {
    /// Both hooks.
    pub const ALL: [Self; 2] = [Self::PrePush, Self::CommitMsg];

    /// Returns the name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::PrePush => "pre-push",
            Self::CommitMsg => "commit-msg",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
