//! The exit code of a run: the table of the design, the first row that fits.

use super::JobOutcome;

/// The exit codes that others script against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// At least one job passed and nothing is wrong.
    Success,
    /// Something failed, timed out or was vacuous.
    Failed,
    /// Usage or configuration.
    Usage,
    /// Nothing selected, or everything selected was skipped.
    NothingToDo,
    /// A bug of kata-ci's own.
    Bug,
    /// An error: worth another try (`EX_TEMPFAIL` of sysexits.h).
    Error,
    /// Ended by this signal.
    Signal(i32),
}

impl ExitCode {
    /// The number handed to the operating system.
    pub fn code(self) -> i32 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NothingToDo => 4,
            Self::Bug => 70,
            Self::Error => 75,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

/// What the outcomes of all jobs, and the signal that ended the run, add up to. A vacuous job that the pipeline allows
/// is given with `true`: it does not fail the run, and proves nothing either.
pub fn exit_code(
    outcomes: impl IntoIterator<Item = (JobOutcome, bool)>,
    signal: Option<i32>,
) -> ExitCode {
    if let Some(signal) = signal {
        return ExitCode::Signal(signal);
    }
    let (mut failed, mut error, mut passed) = (false, false, false);
    for (outcome, allowed) in outcomes {
        match outcome {
            JobOutcome::Vacuous if allowed => {}
            JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Vacuous => failed = true,
            JobOutcome::Error => error = true,
            JobOutcome::Passed => passed = true,
            JobOutcome::Skipped | JobOutcome::Cancelled | JobOutcome::NotRun => {}
        }
    }
    match (failed, error, passed) {
        (true, _, _) => ExitCode::Failed,
        (_, true, _) => ExitCode::Error,
        (_, _, true) => ExitCode::Success,
        _ => ExitCode::NothingToDo,
    }
}
