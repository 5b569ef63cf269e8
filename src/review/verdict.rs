//! The verdict on a patch set.

use serde::{Deserialize, Serialize};

use crate::model::ExitCode;

/// The verdict on a patch set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every job of the change passed.
    Passed,
    /// The jobs that were asked for passed, and there are others.
    Partial,
    /// Something fails that does not fail at the base.
    Failed,
    /// Whatever fails, fails at the base too.
    KnownFailures,
    /// An error kept something from being found out. Another try may go well.
    Error,
    /// An error kept something from being found out, and its cause lasts.
    Unavailable,
    /// The run was cancelled.
    Cancelled,
    /// The code of a stranger was not run, because it cannot be run safely here.
    Refused,
    /// No job is of this change.
    Nothing,
}

impl Verdict {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Partial => "passed in part",
            Self::Failed => "failed",
            Self::KnownFailures => "known failures only",
            Self::Error | Self::Unavailable => "no verdict",
            Self::Cancelled => "cancelled",
            Self::Refused => "not run",
            Self::Nothing => "nothing to run",
        }
    }

    /// Returns the value of the label; `None` to give no vote.
    pub fn vote(self) -> Option<i32> {
        match self {
            Self::Passed => Some(1),
            Self::Failed => Some(-1),
            _ => None,
        }
    }

    /// Returns true if an earlier vote of ours on the same patch set no longer holds.
    pub fn withdraws_vote(self) -> bool {
        self == Self::KnownFailures
    }

    /// Returns the exit code.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Passed | Self::Partial => ExitCode::Success,
            Self::Failed | Self::KnownFailures => ExitCode::Failed,
            Self::Error | Self::Cancelled => ExitCode::Error,
            Self::Unavailable | Self::Refused | Self::Nothing => ExitCode::Unavailable,
        }
    }
}
