//! The outcome of a job, and how its process ended.

use serde::{Deserialize, Serialize};

/// The verdict on one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobOutcome {
    /// Something was tested and all of it is good.
    Passed,
    /// Something is bad.
    Failed,
    /// Its time was up.
    TimedOut,
    /// Exit 0 with nothing tested.
    Vacuous,
    /// kata-ci could not find out: a preflight, a spawn, the disk, a missing program. Worth another try.
    Error,
    /// A requirement of the component is not met on this machine.
    Skipped,
    /// Ended on the user's or the run's word.
    Cancelled,
    /// Never started.
    NotRun,
}

impl JobOutcome {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Vacuous => "vacuous",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::NotRun => "not-run",
        }
    }

    /// All outcomes, worst first, in the order a summary counts them.
    pub const ALL: [Self; 8] = [
        Self::Failed,
        Self::TimedOut,
        Self::Vacuous,
        Self::Error,
        Self::Cancelled,
        Self::NotRun,
        Self::Skipped,
        Self::Passed,
    ];
}

/// How a job's own process ended, as the kernel told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It exited with this code.
    #[serde(rename = "exit_code")]
    ExitCode(i32),
    /// This signal ended it.
    #[serde(rename = "signal")]
    Signal(i32),
}

impl Ending {
    /// Whether it exited with code 0.
    pub fn is_success(self) -> bool {
        self == Self::ExitCode(0)
    }
}
