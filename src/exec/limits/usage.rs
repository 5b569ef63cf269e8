//! What a job used, as its group counted it, and what that says of its end.

use super::{Limited, Used, size};
use crate::model::JobOutcome;
use crate::outcome::Verdict;

impl Used {
    /// A job that did not end well and met a limit did so because of it; one that ended well is told of it, too, since
    /// something in it did not.
    pub fn explain(&self, limited: &Limited, verdict: Verdict) -> Verdict {
        match (self.met(limited), verdict.outcome) {
            (Some((what, key)), JobOutcome::Failed | JobOutcome::Error) => {
                blame(what, key, &verdict)
            }
            (Some((what, _)), JobOutcome::Passed) => mention(&what, verdict),
            _ => verdict,
        }
    }

    /// The limit that was met, in words and by its key.
    pub fn met(&self, limited: &Limited) -> Option<(String, &'static str)> {
        match (limited.limits.memory, limited.limits.processes) {
            (Some(limit), _) if self.killed > 0 => Some((
                format!("out of memory: it reached its limit of {}", size(limit)),
                "memory",
            )),
            (_, Some(limit)) if self.refused > 0 => Some((
                format!("it reached its limit of {limit} processes"),
                "processes",
            )),
            _ => None,
        }
    }
}

fn blame(what: String, key: &str, verdict: &Verdict) -> Verdict {
    let reason = match verdict.reason.as_str() {
        "" => what,
        reason => format!("{what} ({reason})"),
    };
    Verdict {
        outcome: JobOutcome::Failed,
        reason,
        fix: Some(format!(
            "raise `{key}` in [limits], or find out what uses so much"
        )),
    }
}

fn mention(what: &str, verdict: Verdict) -> Verdict {
    let all_the_same = format!("{what}, and passed all the same");
    let reason = match verdict.reason.as_str() {
        "" => all_the_same,
        reason => format!("{reason}; {all_the_same}"),
    };
    Verdict { reason, ..verdict }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;

    fn explained(outcome: JobOutcome, used: Used) -> (JobOutcome, String) {
        let limited = Limited {
            limits: Limits {
                memory: Some(64 << 20),
                processes: Some(5),
                file_size: None,
            },
            ..Limited::default()
        };
        let verdict = used.explain(
            &limited,
            Verdict {
                outcome,
                reason: "exit code 2".into(),
                fix: None,
            },
        );
        (verdict.outcome, verdict.reason)
    }

    #[test]
    fn who_met_a_limit_and_failed_is_told_so_and_nobody_else() {
        let used = |killed, refused| Used {
            killed,
            refused,
            peak_memory: None,
        };
        for outcome in [JobOutcome::Failed, JobOutcome::Error] {
            let (outcome, reason) = explained(outcome, used(1, 1));
            assert_eq!(outcome, JobOutcome::Failed);
            assert_eq!(
                reason,
                "out of memory: it reached its limit of 64 MiB (exit code 2)"
            );
        }
        let (_, reason) = explained(JobOutcome::Failed, used(0, 1));
        assert_eq!(reason, "it reached its limit of 5 processes (exit code 2)");
        for outcome in [JobOutcome::Cancelled, JobOutcome::TimedOut] {
            assert_eq!(
                explained(outcome, used(1, 1)),
                (outcome, "exit code 2".into())
            );
        }
        assert_eq!(explained(JobOutcome::Failed, used(0, 0)).1, "exit code 2");
    }

    #[test]
    fn who_met_a_limit_and_passed_says_so() {
        let used = Used {
            killed: 1,
            ..Used::default()
        };
        let said =
            "exit code 2; out of memory: it reached its limit of 64 MiB, and passed all the same";
        let expected = (JobOutcome::Passed, said.to_owned());
        assert_eq!(explained(JobOutcome::Passed, used), expected);
    }
}
