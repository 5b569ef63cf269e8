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
    /// An error whose cause lasts: another try ends the same way (`EX_UNAVAILABLE` of sysexits.h).
    Unavailable,
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
            Self::Unavailable => 69,
            Self::Bug => 70,
            Self::Error => 75,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

/// A job's outcome, and what decides how it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The outcome.
    pub outcome: JobOutcome,
    /// True if the pipeline allows it to be vacuous. Such a job does not fail the run, and does not
    /// count as a pass either.
    pub allowed: bool,
    /// True for an error whose cause lasts.
    pub lasts: bool,
}

impl From<JobOutcome> for Counted {
    fn from(outcome: JobOutcome) -> Self {
        Self {
            outcome,
            allowed: false,
            lasts: false,
        }
    }
}

/// Computes the exit code from the outcomes of all jobs and the signal that ended the run.
pub fn exit_code(outcomes: impl IntoIterator<Item = Counted>, signal: Option<i32>) -> ExitCode {
    if let Some(signal) = signal {
        return ExitCode::Signal(signal);
    }
    let (mut failed, mut lasts, mut error, mut passed) = (false, false, false, false);
    for job in outcomes {
        match job.outcome {
            JobOutcome::Vacuous if job.allowed => {}
            JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Vacuous => failed = true,
            JobOutcome::Error if job.lasts => lasts = true,
            JobOutcome::Error => error = true,
            JobOutcome::Passed => passed = true,
            JobOutcome::Skipped | JobOutcome::Cancelled | JobOutcome::NotRun => {}
        }
    }
    match (failed, lasts, error, passed) {
        (true, ..) => ExitCode::Failed,
        (_, true, ..) => ExitCode::Unavailable,
        (_, _, true, _) => ExitCode::Error,
        (.., true) => ExitCode::Success,
        _ => ExitCode::NothingToDo,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use JobOutcome::*;
    use proptest::prelude::*;

    fn code(outcomes: &[JobOutcome]) -> i32 {
        exit_code(outcomes.iter().copied().map(Counted::from), None).code()
    }

    #[test]
    fn each_row_of_the_table() {
        assert_eq!(code(&[Passed, Skipped]), 0);
        assert_eq!(code(&[Passed, Error, Failed]), 1);
        assert_eq!(code(&[Passed, TimedOut]), 1);
        assert_eq!(code(&[Passed, Vacuous]), 1);
        assert_eq!(code(&[Passed, Error, Skipped]), 75);
        let lasting = Counted {
            lasts: true,
            ..Error.into()
        };
        let with = |other: JobOutcome| exit_code([other.into(), lasting], None).code();
        assert_eq!([with(Passed), with(Error), with(Failed)], [69, 69, 1]);
        assert_eq!(code(&[Skipped, Skipped]), 4);
        assert_eq!(code(&[]), 4);
        assert_eq!(ExitCode::Usage.code(), 2);
        assert_eq!(ExitCode::Bug.code(), 70);
    }

    #[test]
    fn a_signal_comes_before_everything() {
        assert_eq!(exit_code([Failed.into()], Some(2)).code(), 130);
        assert_eq!(exit_code([Passed.into()], Some(15)).code(), 143);
    }

    #[test]
    fn an_allowed_vacuous_job_neither_fails_nor_proves() {
        let allowed = |outcome: JobOutcome| Counted {
            allowed: true,
            ..outcome.into()
        };
        assert_eq!(exit_code([allowed(Vacuous), Passed.into()], None).code(), 0);
        assert_eq!(exit_code([allowed(Vacuous)], None).code(), 4);
        assert_eq!(exit_code([allowed(Failed)], None).code(), 1);
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
