//! Gives the verdict on a job whose process never started.

use super::verdict::{JobFacts, Trouble, Verdict, verdict};
use crate::model::{Expect, JobId, JobOutcome, Readiness};

/// Judges a job by its readiness; `None` if it can start. `require_all` makes an unmet requirement
/// an error.
pub fn unready(readiness: &Readiness, require_all: bool) -> Option<Verdict> {
    let (outcome, what, fix) = match readiness {
        Readiness::Ready => return None,
        Readiness::Unmet { what, fix } if require_all => (JobOutcome::Error, what, fix),
        Readiness::Unmet { what, fix } => (JobOutcome::Skipped, what, fix),
        Readiness::Broken { what, fix } => (JobOutcome::Error, what, fix),
    };
    Some(Verdict {
        outcome,
        reason: what.clone(),
        fix: Some(fix.clone()),
        lasts: outcome == JobOutcome::Error,
    })
}

/// Returns the reason why a job cannot start after a job that it needs came to this outcome; `None`
/// if it can.
pub fn lost_need(need: &JobId, outcome: JobOutcome) -> Option<String> {
    (outcome != JobOutcome::Passed).then(|| format!("{need} {}", outcome.sentence()))
}

/// Judges a job that was dropped for this reason before it started.
pub fn dropped(reason: String) -> Verdict {
    Verdict {
        outcome: JobOutcome::NotRun,
        reason,
        fix: None,
        lasts: false,
    }
}

/// Judges a job by what kept it from its start.
pub fn unstarted(trouble: &Trouble, fix: Option<String>) -> Verdict {
    verdict(&JobFacts {
        trouble: Some(trouble.clone()),
        fix,
        ..JobFacts::new(Expect::Exit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unmet_requirement_is_skipped_and_an_error_if_all_are_required() {
        let (what, fix) = ("go is missing".to_owned(), "install go".to_owned());
        let unmet = Readiness::Unmet {
            what: what.clone(),
            fix: fix.clone(),
        };
        let broken = Readiness::Broken {
            what: what.clone(),
            fix: fix.clone(),
        };
        for (readiness, require_all, outcome) in [
            (&unmet, false, JobOutcome::Skipped),
            (&unmet, true, JobOutcome::Error),
            (&broken, false, JobOutcome::Error),
            (&broken, true, JobOutcome::Error),
        ] {
            let verdict = unready(readiness, require_all).unwrap();
            assert_eq!(verdict.outcome, outcome);
            assert_eq!(verdict.lasts, outcome == JobOutcome::Error);
            assert_eq!((&verdict.reason, verdict.fix.as_ref()), (&what, Some(&fix)));
        }
        assert_eq!(unready(&Readiness::Ready, true), None);
    }

    #[test]
    fn only_a_need_that_passed_lets_a_job_start() {
        let need = JobId::new("proxy", "check");
        for outcome in JobOutcome::ALL {
            let lost = lost_need(&need, outcome);
            assert_eq!(lost.is_none(), outcome == JobOutcome::Passed);
        }
        assert_eq!(
            lost_need(&need, JobOutcome::TimedOut).unwrap(),
            "proxy.check timed out"
        );
        assert_eq!(dropped("why".into()).outcome, JobOutcome::NotRun);
    }

    #[test]
    fn a_job_that_cannot_be_started_is_an_error_with_its_fix() {
        let trouble = Trouble::Infrastructure("no such program".into());
        let verdict = unstarted(&trouble, Some("make it".into()));
        assert_eq!(verdict.outcome, JobOutcome::Error);
        assert_eq!(verdict.reason, "no such program");
        assert_eq!(verdict.fix.as_deref(), Some("make it"));
        let cancelled = unstarted(&Trouble::Cancelled("by SIGINT".into()), None);
        assert_eq!(cancelled.outcome, JobOutcome::Cancelled);
    }
}
