//! Decides which outcomes of a job are allowed, and which fail the run.

use crate::model::JobOutcome;

/// Returns the reason for which the outcome is allowed; only a vacuous job is ever allowed.
pub fn allowance(outcome: JobOutcome, allow_vacuous: Option<&str>) -> Option<String> {
    (outcome == JobOutcome::Vacuous)
        .then_some(allow_vacuous)?
        .map(str::to_owned)
}

/// Returns true if the outcome of a job fails the run, unless it is allowed.
pub fn fails_run(outcome: JobOutcome, is_allowed: bool) -> bool {
    match outcome {
        JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Error => true,
        JobOutcome::Vacuous => !is_allowed,
        JobOutcome::Passed | JobOutcome::Skipped | JobOutcome::Cancelled | JobOutcome::NotRun => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Counted, ExitCode, exit_code};

    #[test]
    fn a_run_fails_of_the_jobs_that_its_exit_code_counts() {
        for outcome in JobOutcome::ALL {
            for is_allowed in [false, true] {
                let job = Counted {
                    allowed: is_allowed,
                    ..outcome.into()
                };
                let code = exit_code([job], None);
                let is_bad = matches!(code, ExitCode::Failed | ExitCode::Error);
                assert_eq!(fails_run(outcome, is_allowed), is_bad, "{outcome:?}");
            }
            let allowed = allowance(outcome, Some("why"));
            assert_eq!(allowed.is_some(), outcome == JobOutcome::Vacuous);
        }
        assert_eq!(allowance(JobOutcome::Vacuous, None), None);
    }
}
