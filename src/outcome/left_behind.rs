//! Gives the verdict on a job that must leave nothing behind.

use super::Verdict;
use crate::event::LeftBehind;
use crate::model::JobOutcome;

/// The most entries of each kind that a reason names.
const NAMED: usize = 3;

const FIX: &str = "have the job clean up, ignore what it makes on purpose (.gitignore), or say \
    left_behind = \"report\"";

const FIX_OF_UNKNOWN: &str = "see to it that this can be found out (in a git repository, with \
    isolate = \"auto\"), or say left_behind = \"report\"";

/// Returns true if the job answers for its leftovers. A cancelled job had no time to clean up.
pub fn answers_for_leftovers(outcome: JobOutcome) -> bool {
    outcome != JobOutcome::Cancelled
}

/// Weighs the leftovers of a job that must leave nothing behind. Only a job that passed can become
/// worse.
pub fn judge_leftovers(verdict: Verdict, left: &LeftBehind) -> Verdict {
    if verdict.outcome != JobOutcome::Passed {
        return verdict;
    }
    let words = left.describe(NAMED);
    let (outcome, what, fix) = match left.unknown.as_slice() {
        _ if !words.is_empty() => {
            let what = format!("it left behind {}", words.join("; "));
            (JobOutcome::Failed, what, FIX)
        }
        [] => return verdict,
        unknown => (
            JobOutcome::Error,
            format!(
                "it must leave nothing behind, and what it left is unknown: {}",
                unknown.join("; ")
            ),
            FIX_OF_UNKNOWN,
        ),
    };
    Verdict {
        outcome,
        reason: match verdict.reason.as_str() {
            "" => what,
            reason => format!("{what} ({reason})"),
        },
        fix: Some(fix.to_owned()),
        lasts: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(outcome: JobOutcome, left: &LeftBehind) -> (JobOutcome, String) {
        let verdict = Verdict {
            outcome,
            reason: String::new(),
            fix: None,
            lasts: false,
        };
        let verdict = judge_leftovers(verdict, left);
        (verdict.outcome, verdict.reason)
    }

    #[test]
    fn only_what_passed_fails_of_what_it_left() {
        let nothing = LeftBehind::default();
        let unknown = LeftBehind {
            unknown: vec!["files: no git".into()],
            ..LeftBehind::default()
        };
        let left = LeftBehind {
            mounts: vec!["/mnt (tmpfs)".into()],
            sockets: vec!["tcp 127.0.0.1:1".into()],
            ..unknown.clone()
        };
        let passed = JobOutcome::Passed;
        assert_eq!(judged(passed, &nothing), (passed, String::new()));
        let (outcome, reason) = judged(passed, &left);
        assert_eq!(outcome, JobOutcome::Failed);
        assert_eq!(
            reason,
            "it left behind mounts: /mnt (tmpfs); listening sockets: tcp 127.0.0.1:1"
        );
        let (outcome, reason) = judged(passed, &unknown);
        assert_eq!(outcome, JobOutcome::Error);
        assert!(
            reason.ends_with("what it left is unknown: files: no git"),
            "{reason}"
        );
        let timed_out = JobOutcome::TimedOut;
        assert_eq!(judged(timed_out, &left), (timed_out, String::new()));
    }

    #[test]
    fn a_cancelled_job_does_not_answer_for_its_leftovers() {
        for outcome in JobOutcome::ALL {
            let is_cancelled = outcome == JobOutcome::Cancelled;
            assert_eq!(answers_for_leftovers(outcome), !is_cancelled);
        }
    }
}
