//! Gives the verdict on one job from the facts established about it.
//!
//! The rules are asked in this order: a failure of kata-ci itself, an end from outside, a bad case,
//! missing proof. Only a job that none of them fits has passed. Limits and the network can explain
//! the outcome further.

use crate::model::{Ending, Expect, JobOutcome, Tally};

/// A reason why kata-ci cannot vouch for the output of a job, or had to end it.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The job could not be started, logged or watched. The text says what happened, where, and
    /// what to do.
    Infrastructure(String),
    /// The job exceeded its time limit, in seconds.
    Timeout(f64),
    /// The user or a rule of the run ended it, for this reason.
    Cancelled(String),
}

/// Something that was found out about a job and can explain its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstance {
    /// The circumstance in words, without a full stop.
    pub what: String,
    /// The fix.
    pub fix: String,
}

/// The facts about one attempt at a job that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct JobFacts {
    /// The evidence that its step must show.
    pub expect: Expect,
    /// The end of its process, if it ran.
    pub ending: Option<Ending>,
    /// The reason why it did not run to its own end.
    pub trouble: Option<Trouble>,
    /// The fix of the trouble, where one is known to help.
    pub fix: Option<String>,
    /// The number of its cases by status.
    pub cases: Tally,
    /// Programs that its output reports as missing (`command not found`, Error 127), outside of any
    /// failed test.
    pub missing_programs: Vec<String>,
    /// True if make said, in the job or when asked, that no recipe ran.
    pub ran_nothing: bool,
    /// True if the output does not tell whether make ran a recipe.
    pub is_unclear: bool,
    /// The reasons why nothing was tested, as far as the output tells, each with its fix.
    pub vacuous_causes: Vec<(String, Option<String>)>,
    /// Things that the output claims not to have found although git knows that they are there.
    pub contradictions: Vec<String>,
    /// The limit that the job met, as the kernel counted.
    pub limit_met: Option<Circumstance>,
    /// The limit that the job may have met, as its end and its output tell. Nobody counts it.
    pub limit_suspected: Option<Circumstance>,
    /// The addresses that the job tried to reach while its network was off.
    pub network_refused: Option<Circumstance>,
}

impl JobFacts {
    /// Makes the facts about a job of which nothing is known but what it must show.
    pub fn new(expect: Expect) -> Self {
        Self {
            expect,
            ending: None,
            trouble: None,
            fix: None,
            cases: Tally::default(),
            missing_programs: Vec::new(),
            ran_nothing: false,
            is_unclear: false,
            vacuous_causes: Vec::new(),
            contradictions: Vec::new(),
            limit_met: None,
            limit_suspected: None,
            network_refused: None,
        }
    }

    /// Returns true if the verdict depends on whether make ran a recipe, and the output does not
    /// tell. Make has to be asked then.
    pub fn is_in_doubt(&self) -> bool {
        let is_passed = verdict(self).outcome == JobOutcome::Passed;
        self.is_unclear && self.expect == Expect::Commands && is_passed
    }

    /// Returns true if the job ended badly. Its output may then explain why, and is worth reading
    /// for [`JobFacts::limit_suspected`] and [`JobFacts::network_refused`].
    pub fn needs_explanation(&self) -> bool {
        let outcome = verdict(self).outcome;
        matches!(
            outcome,
            JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Error
        )
    }
}

/// A job's outcome and the reason in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: JobOutcome,
    /// One line; empty for a plain pass.
    pub reason: String,
    /// The fix, where one is known to help.
    pub fix: Option<String>,
}

impl Verdict {
    fn new(outcome: JobOutcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            fix: None,
        }
    }
}

/// Judges a job. The function is pure and total.
pub fn verdict(facts: &JobFacts) -> Verdict {
    let verdict = from_trouble(facts)
        .or_else(|| from_bad_cases(facts))
        .or_else(|| from_missing_programs(facts))
        .or_else(|| from_ending(facts))
        .or_else(|| from_emptiness(facts))
        .unwrap_or_else(|| Verdict::new(JobOutcome::Passed, ""));
    with_network(facts, with_limits(facts, verdict))
}

fn from_trouble(facts: &JobFacts) -> Option<Verdict> {
    let verdict = match facts.trouble.as_ref()? {
        Trouble::Infrastructure(what) => Verdict::new(JobOutcome::Error, what.as_str()),
        Trouble::Cancelled(why) => Verdict::new(JobOutcome::Cancelled, why.as_str()),
        Trouble::Timeout(seconds) => Verdict {
            outcome: JobOutcome::TimedOut,
            reason: format!("did not end within {}", duration(*seconds)),
            fix: Some("raise `timeout` of the step, or see in its log where it hangs".into()),
        },
    };
    Some(Verdict {
        fix: facts.fix.clone().or(verdict.fix),
        ..verdict
    })
}

fn from_bad_cases(facts: &JobFacts) -> Option<Verdict> {
    if facts.cases.bad() == 0 || only_tool_missing(facts) {
        return None;
    }
    let mut reason = facts.cases.describe_bad();
    if facts.ending.is_some_and(Ending::is_success) {
        reason.push_str(", although the command exited with 0");
    }
    Some(Verdict::new(JobOutcome::Failed, reason))
}

/// Returns true if a program is missing and no case failed. Unfinished cases are then checks that
/// the missing program stopped, which is the machine's fault, not the change's.
fn only_tool_missing(facts: &JobFacts) -> bool {
    facts.cases.failed == 0
        && !facts.missing_programs.is_empty()
        && !facts.ending.is_some_and(Ending::is_success)
}

fn from_missing_programs(facts: &JobFacts) -> Option<Verdict> {
    if facts.missing_programs.is_empty() || facts.ending.is_some_and(Ending::is_success) {
        return None;
    }
    let programs = facts.missing_programs.join(", ");
    Some(Verdict {
        outcome: JobOutcome::Error,
        reason: format!("not found on this machine: {programs}"),
        fix: Some(format!("install {programs}, or add it to PATH")),
    })
}

fn from_ending(facts: &JobFacts) -> Option<Verdict> {
    let every_case_passed = if facts.cases.tested() > 0 {
        ", although every case that ended has passed"
    } else {
        ""
    };
    match facts.ending {
        None => Some(Verdict::new(JobOutcome::Error, "its end was not seen")),
        Some(Ending::ExitCode(0)) => None,
        Some(Ending::ExitCode(code)) => Some(Verdict::new(
            JobOutcome::Failed,
            format!("exited with {code}{every_case_passed}"),
        )),
        Some(Ending::Signal(signal)) => Some(Verdict::new(
            JobOutcome::Failed,
            format!("ended by signal {signal}{every_case_passed}"),
        )),
    }
}

fn from_emptiness(facts: &JobFacts) -> Option<Verdict> {
    if let Some(contradiction) = facts.contradictions.first() {
        return Some(Verdict::new(JobOutcome::Vacuous, contradiction.as_str()));
    }
    match facts.expect {
        Expect::Cases if facts.cases.tested() == 0 => Some(vacuous(facts, "no case ran")),
        Expect::Commands if facts.ran_nothing => Some(vacuous(facts, "make ran no recipe")),
        _ => None,
    }
}

fn vacuous(facts: &JobFacts, what: &str) -> Verdict {
    let (cause, fix) = facts.vacuous_causes.first().cloned().unwrap_or_default();
    let reason = match cause.as_str() {
        "" => format!("the command passed, but {what}"),
        cause => format!("the command passed, but {what}: {cause}"),
    };
    Verdict {
        outcome: JobOutcome::Vacuous,
        reason,
        fix,
    }
}

/// Blames the limit that was met for a bad end, and mentions it with a good one. A limit that is
/// only suspected is named with a failure.
fn with_limits(facts: &JobFacts, verdict: Verdict) -> Verdict {
    match (&facts.limit_met, &facts.limit_suspected, verdict.outcome) {
        (Some(limit), _, JobOutcome::Failed | JobOutcome::Error) => blamed(limit, &verdict),
        (Some(limit), _, JobOutcome::Passed) => Verdict {
            reason: joined(
                &verdict.reason,
                &format!("{}, and passed all the same", limit.what),
            ),
            ..verdict
        },
        (None, Some(limit), JobOutcome::Failed) => explained(limit, verdict),
        _ => verdict,
    }
}

fn with_network(facts: &JobFacts, verdict: Verdict) -> Verdict {
    match &facts.network_refused {
        Some(refused) => explained(refused, verdict),
        None => verdict,
    }
}

fn blamed(limit: &Circumstance, verdict: &Verdict) -> Verdict {
    Verdict {
        outcome: JobOutcome::Failed,
        reason: match verdict.reason.as_str() {
            "" => limit.what.clone(),
            reason => format!("{} ({reason})", limit.what),
        },
        fix: Some(limit.fix.clone()),
    }
}

fn explained(circumstance: &Circumstance, verdict: Verdict) -> Verdict {
    Verdict {
        reason: joined(&verdict.reason, &circumstance.what),
        fix: verdict.fix.or_else(|| Some(circumstance.fix.clone())),
        ..verdict
    }
}

fn joined(reason: &str, more: &str) -> String {
    match reason {
        "" => more.to_owned(),
        reason => format!("{reason}; {more}"),
    }
}

fn duration(seconds: f64) -> String {
    humantime::format_duration(std::time::Duration::from_millis((seconds * 1000.0) as u64))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use JobOutcome::*;

    fn facts(expect: Expect, exit: i32, cases: Tally) -> JobFacts {
        JobFacts {
            ending: Some(Ending::ExitCode(exit)),
            cases,
            ..JobFacts::new(expect)
        }
    }

    fn passed(number: u64) -> Tally {
        Tally {
            passed: number,
            ..Tally::default()
        }
    }

    fn outcome(facts: &JobFacts) -> JobOutcome {
        verdict(facts).outcome
    }

    #[test]
    fn exit_0_with_a_passed_case_is_passed_without_words() {
        let verdict = verdict(&facts(Expect::Cases, 0, passed(1)));
        assert_eq!(verdict, Verdict::new(Passed, ""));
    }

    #[test]
    fn exit_0_with_a_failed_or_unfinished_case_is_failed() {
        for cases in [
            Tally {
                failed: 1,
                passed: 5,
                ..Tally::default()
            },
            Tally {
                unfinished: 1,
                passed: 5,
                ..Tally::default()
            },
        ] {
            for expect in [Expect::Cases, Expect::Commands, Expect::Exit] {
                let verdict = verdict(&facts(expect, 0, cases));
                assert_eq!(verdict.outcome, Failed);
                assert!(
                    verdict
                        .reason
                        .contains("although the command exited with 0")
                );
            }
        }
    }

    #[test]
    fn a_bad_exit_with_every_case_passed_is_failed_and_says_so() {
        let verdict = verdict(&facts(Expect::Cases, 2, passed(7)));
        assert_eq!(verdict.outcome, Failed);
        assert_eq!(
            verdict.reason,
            "exited with 2, although every case that ended has passed"
        );
    }

    #[test]
    fn a_signal_is_failed() {
        let mut facts = facts(Expect::Exit, 0, Tally::default());
        facts.ending = Some(Ending::Signal(9));
        assert_eq!(verdict(&facts).reason, "ended by signal 9");
    }

    #[test]
    fn cases_are_vacuous_when_none_passed_or_failed() {
        for cases in [
            Tally::default(),
            Tally {
                skipped: 3,
                ..Tally::default()
            },
            Tally {
                not_run: 3,
                ..Tally::default()
            },
        ] {
            assert_eq!(outcome(&facts(Expect::Cases, 0, cases)), Vacuous);
            assert_eq!(outcome(&facts(Expect::Commands, 0, cases)), Passed);
            assert_eq!(outcome(&facts(Expect::Exit, 0, cases)), Passed);
        }
    }

    #[test]
    fn commands_are_vacuous_when_make_ran_nothing() {
        let mut facts = facts(Expect::Commands, 0, Tally::default());
        facts.ran_nothing = true;
        facts.vacuous_causes = vec![("Nothing to be done for 'check'".into(), Some("fix".into()))];
        let verdict = verdict(&facts);
        assert_eq!(verdict.outcome, Vacuous);
        assert_eq!(
            verdict.reason,
            "the command passed, but make ran no recipe: Nothing to be done for 'check'"
        );
        assert_eq!(verdict.fix.as_deref(), Some("fix"));
    }

    #[test]
    fn a_check_that_overlooked_what_git_knows_is_vacuous() {
        let mut facts = facts(Expect::Commands, 0, passed(11));
        facts.contradictions =
            vec!["static_check_json found no JSON file, git knows a.json".into()];
        assert_eq!(outcome(&facts), Vacuous);
    }

    #[test]
    fn a_missing_program_is_an_error_only_when_nothing_failed_by_itself() {
        let mut facts = facts(
            Expect::Cases,
            2,
            Tally {
                unfinished: 1,
                ..Tally::default()
            },
        );
        facts.missing_programs = vec!["golangci-lint".into()];
        let judged = verdict(&facts);
        assert_eq!(judged.outcome, Error);
        assert_eq!(judged.reason, "not found on this machine: golangci-lint");
        facts.cases.failed = 1;
        assert_eq!(outcome(&facts), Failed);
        facts.cases = passed(1);
        facts.ending = Some(Ending::ExitCode(0));
        assert_eq!(outcome(&facts), Passed);
    }

    #[test]
    fn what_kata_ci_could_not_do_comes_first() {
        let bad = Tally {
            failed: 1,
            ..Tally::default()
        };
        for (trouble, expected) in [
            (Trouble::Infrastructure("disk full".into()), Error),
            (Trouble::Timeout(1.5), TimedOut),
            (Trouble::Cancelled("interrupted".into()), Cancelled),
        ] {
            let mut facts = facts(Expect::Cases, 0, bad);
            facts.trouble = Some(trouble);
            assert_eq!(outcome(&facts), expected);
        }
    }

    fn circumstance(what: &str) -> Option<Circumstance> {
        Some(Circumstance {
            what: what.to_owned(),
            fix: format!("mend {what}"),
        })
    }

    #[test]
    fn a_limit_that_was_met_is_blamed_for_a_bad_end_and_nothing_else() {
        let failed = facts(Expect::Exit, 2, Tally::default());
        let error = JobFacts {
            trouble: Some(Trouble::Infrastructure("exited with 2".into())),
            fix: Some("another".into()),
            ..failed.clone()
        };
        for facts in [failed.clone(), error] {
            let verdict = verdict(&JobFacts {
                limit_met: circumstance("it reached its limit"),
                limit_suspected: circumstance("perhaps"),
                ..facts
            });
            assert_eq!(verdict.outcome, Failed);
            assert_eq!(verdict.reason, "it reached its limit (exited with 2)");
            assert_eq!(verdict.fix.as_deref(), Some("mend it reached its limit"));
        }
        for trouble in [Trouble::Cancelled("why".into()), Trouble::Timeout(1.0)] {
            let without = JobFacts {
                trouble: Some(trouble),
                ..failed.clone()
            };
            let with = JobFacts {
                limit_met: circumstance("it reached its limit"),
                ..without.clone()
            };
            assert_eq!(verdict(&with), verdict(&without));
        }
    }

    #[test]
    fn a_limit_that_was_met_is_mentioned_with_a_pass() {
        let verdict = verdict(&JobFacts {
            limit_met: circumstance("it reached its limit"),
            ..facts(Expect::Exit, 0, Tally::default())
        });
        assert_eq!(verdict.outcome, Passed);
        assert_eq!(
            verdict.reason,
            "it reached its limit, and passed all the same"
        );
    }

    #[test]
    fn a_limit_that_is_suspected_is_named_with_a_failure_alone() {
        let suspected = |exit, trouble| {
            verdict(&JobFacts {
                trouble,
                limit_suspected: circumstance("perhaps"),
                ..facts(Expect::Exit, exit, Tally::default())
            })
        };
        let failed = suspected(2, None);
        assert_eq!(failed.reason, "exited with 2; perhaps");
        assert_eq!(failed.fix.as_deref(), Some("mend perhaps"));
        assert_eq!(suspected(0, None), Verdict::new(Passed, ""));
        let trouble = Trouble::Infrastructure("disk full".into());
        assert_eq!(suspected(2, Some(trouble)).reason, "disk full");
    }

    #[test]
    fn the_network_explains_last_and_keeps_a_fix_that_is_known() {
        let refused = |facts: JobFacts| {
            verdict(&JobFacts {
                network_refused: circumstance("the network was off"),
                ..facts
            })
        };
        let failed = facts(Expect::Exit, 2, Tally::default());
        let verdict = refused(failed.clone());
        assert_eq!(verdict.reason, "exited with 2; the network was off");
        assert_eq!(verdict.fix.as_deref(), Some("mend the network was off"));
        let timed_out = refused(JobFacts {
            trouble: Some(Trouble::Timeout(60.0)),
            ..failed
        });
        assert_eq!(
            timed_out.reason,
            "did not end within 1m; the network was off"
        );
        assert!(timed_out.fix.unwrap().starts_with("raise `timeout`"));
    }

    #[test]
    fn make_is_asked_only_if_its_answer_decides() {
        let unclear = JobFacts {
            is_unclear: true,
            ..facts(Expect::Commands, 0, Tally::default())
        };
        assert!(unclear.is_in_doubt());
        for other in [
            facts(Expect::Commands, 0, Tally::default()),
            JobFacts {
                expect: Expect::Exit,
                ..unclear.clone()
            },
            JobFacts {
                ending: Some(Ending::ExitCode(2)),
                ..unclear.clone()
            },
            JobFacts {
                trouble: Some(Trouble::Timeout(1.0)),
                ..unclear.clone()
            },
            JobFacts {
                ran_nothing: true,
                ..unclear.clone()
            },
        ] {
            assert!(!other.is_in_doubt(), "{other:?}");
        }
    }

    #[test]
    fn a_job_that_ended_badly_needs_an_explanation() {
        for (facts, expected) in [
            (facts(Expect::Exit, 0, Tally::default()), false),
            (facts(Expect::Cases, 0, Tally::default()), false),
            (facts(Expect::Exit, 1, Tally::default()), true),
            (JobFacts::new(Expect::Exit), true),
        ] {
            assert_eq!(facts.needs_explanation(), expected, "{facts:?}");
        }
    }

    #[test]
    fn an_end_that_was_not_seen_is_an_error() {
        let mut facts = facts(Expect::Exit, 0, Tally::default());
        facts.ending = None;
        assert_eq!(outcome(&facts), Error);
    }
}
