//! The exit code of a run. The first row of the table that fits decides.

use super::JobOutcome;

/// The exit codes that others script against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// At least one job passed and nothing is wrong.
    Success,
    /// Something failed, timed out or was vacuous.
    Failed,
    /// The usage or the configuration is wrong.
    Usage,
    /// Nothing selected, or everything selected was skipped.
    NothingToDo,
    /// A bug of kata-ci's own.
    Bug,
    /// An error that is worth another try (`EX_TEMPFAIL` of sysexits.h).
    Error,
    /// The run was ended by this signal.
    Signal(i32),
}

impl ExitCode {
    /// Turns a good code into an error, because the run could not be recorded or shown in full.
    pub fn at_least_an_error(self) -> Self {
        match self {
            Self::Success | Self::NothingToDo => Self::Error,
            other => other,
        }
    }

    /// Returns the number handed to the operating system.
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

/// Computes the exit code from the outcomes of all jobs and the signal that ended the run.
///
/// An outcome comes with `true` if the pipeline allows it to be vacuous. Such a job does not fail
/// the run, and does not count as a pass either.
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

#[cfg(test)]
mod tests {
    use super::*;
    use JobOutcome::*;
    use proptest::prelude::*;

    fn code(outcomes: &[JobOutcome]) -> i32 {
        exit_code(outcomes.iter().map(|outcome| (*outcome, false)), None).code()
    }

    #[test]
    fn each_row_of_the_table() {
        assert_eq!(code(&[Passed, Skipped]), 0);
        assert_eq!(code(&[Passed, Error, Failed]), 1);
        assert_eq!(code(&[Passed, TimedOut]), 1);
        assert_eq!(code(&[Passed, Vacuous]), 1);
        assert_eq!(code(&[Passed, Error, Skipped]), 75);
        assert_eq!(code(&[Skipped, Skipped]), 4);
        assert_eq!(code(&[]), 4);
        assert_eq!(ExitCode::Usage.code(), 2);
        assert_eq!(ExitCode::Bug.code(), 70);
    }

    #[test]
    fn a_signal_comes_before_everything() {
        assert_eq!(exit_code([(Failed, false)], Some(2)).code(), 130);
        assert_eq!(exit_code([(Passed, false)], Some(15)).code(), 143);
    }

    #[test]
    fn an_allowed_vacuous_job_neither_fails_nor_proves() {
        assert_eq!(
            exit_code([(Vacuous, true), (Passed, false)], None).code(),
            0
        );
        assert_eq!(exit_code([(Vacuous, true)], None).code(), 4);
        assert_eq!(exit_code([(Failed, true)], None).code(), 1);
    }

    proptest! {
        #[test]
        fn success_needs_a_pass_and_nothing_bad(picks in prop::collection::vec(0..8usize, 0..9)) {
            let outcomes: Vec<_> = picks.iter().map(|pick| JobOutcome::ALL[*pick]).collect();
            let bad = [Failed, TimedOut, Vacuous, Error];
            let good = outcomes.contains(&Passed) && !outcomes.iter().any(|one| bad.contains(one));
            prop_assert_eq!(code(&outcomes) == 0, good);
            let mut reversed = outcomes.clone();
            reversed.reverse();
            prop_assert_eq!(code(&outcomes), code(&reversed));
        }
    }
}
