//! Tells from the counters of a job's group which limit the job met.

use super::{Limited, Used, circumstance, size};
use crate::outcome::Circumstance;

impl Used {
    /// Returns the limit that the job met. Of several it is the one of memory.
    pub fn met(&self, limited: &Limited) -> Option<Circumstance> {
        match (limited.limits.memory, limited.limits.processes) {
            (Some(limit), _) if self.killed > 0 => Some(circumstance(
                format!("out of memory: it reached its limit of {}", size(limit)),
                "memory",
            )),
            (_, Some(limit)) if self.refused > 0 => Some(circumstance(
                format!("it reached its limit of {limit} processes"),
                "processes",
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;
    use crate::model::{Ending, Expect, JobOutcome};
    use crate::outcome::{JobFacts, verdict};

    const LIMITS: Limits = Limits {
        memory: Some(64 << 20),
        processes: Some(5),
        file_size: None,
    };

    fn met(killed: u64, refused: u64, limits: Limits) -> Option<Circumstance> {
        let limited = Limited {
            limits,
            ..Limited::default()
        };
        let used = Used {
            killed,
            refused,
            peak_memory: None,
        };
        used.met(&limited)
    }

    /// Returns the verdict on a job that exited with this code.
    fn judged(exit: i32, limit_met: Option<Circumstance>) -> (JobOutcome, String) {
        let verdict = verdict(&JobFacts {
            ending: Some(Ending::ExitCode(exit)),
            limit_met,
            ..JobFacts::new(Expect::Exit)
        });
        (verdict.outcome, verdict.reason)
    }

    #[test]
    fn who_met_a_limit_and_failed_is_told_so_and_nobody_else() {
        let out_of_memory = met(1, 1, LIMITS);
        assert_eq!(
            out_of_memory.as_ref().unwrap().fix,
            "raise `memory` in [limits], or find out what uses so much"
        );
        let reason = "out of memory: it reached its limit of 64 MiB (exited with 2)";
        assert_eq!(
            judged(2, out_of_memory),
            (JobOutcome::Failed, reason.to_owned())
        );
        let reason = "it reached its limit of 5 processes (exited with 2)";
        assert_eq!(judged(2, met(0, 1, LIMITS)).1, reason);
        assert_eq!(met(0, 0, LIMITS), None);
        assert_eq!(met(1, 1, Limits::default()), None);
    }

    #[test]
    fn who_met_a_limit_and_passed_says_so() {
        let said = "out of memory: it reached its limit of 64 MiB, and passed all the same";
        let expected = (JobOutcome::Passed, said.to_owned());
        assert_eq!(judged(0, met(1, 0, LIMITS)), expected);
    }
}
