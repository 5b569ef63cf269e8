//! Gives the verdict on one job from the facts established about it.
//!
//! The rules are asked in this order: a failure of kata-ci itself, an end from outside, a bad case,
//! missing proof. Only a job that none of them fits has passed.

use crate::model::Expect;

use crate::model::{Ending, JobOutcome, Tally};

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

/// The facts about a job that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct JobFacts {
    /// The evidence that its step must show.
    pub expect: Expect,
    /// The end of its process, if it ran.
    pub ending: Option<Ending>,
    /// The reason why it did not run to its own end.
    pub trouble: Option<Trouble>,
    /// The number of its cases by status.
    pub cases: Tally,
    /// Programs that its output reports as missing (`command not found`, Error 127), outside of any
    /// failed test.
    pub missing_programs: Vec<String>,
    /// True if make said, in the job or when asked, that no recipe ran.
    pub ran_nothing: bool,
    /// The reasons why nothing was tested, as far as the output tells, each with its fix.
    pub vacuous_causes: Vec<(String, Option<String>)>,
    /// Things that the output claims not to have found although git knows that they are there.
    pub contradictions: Vec<String>,
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
    from_trouble(facts)
        .or_else(|| from_bad_cases(facts))
        .or_else(|| from_missing_programs(facts))
        .or_else(|| from_ending(facts))
        .or_else(|| from_emptiness(facts))
        .unwrap_or_else(|| Verdict::new(JobOutcome::Passed, ""))
}

fn from_trouble(facts: &JobFacts) -> Option<Verdict> {
    match facts.trouble.as_ref()? {
        Trouble::Infrastructure(what) => Some(Verdict::new(JobOutcome::Error, what.as_str())),
        Trouble::Cancelled(why) => Some(Verdict::new(JobOutcome::Cancelled, why.as_str())),
        Trouble::Timeout(seconds) => Some(Verdict {
            outcome: JobOutcome::TimedOut,
            reason: format!("did not end within {}", duration(*seconds)),
            fix: Some("raise `timeout` of the step, or see in its log where it hangs".into()),
        }),
    }
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
            expect,
            ending: Some(Ending::ExitCode(exit)),
            trouble: None,
            cases,
            missing_programs: Vec::new(),
            ran_nothing: false,
            vacuous_causes: Vec::new(),
            contradictions: Vec::new(),
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

    #[test]
    fn an_end_that_was_not_seen_is_an_error() {
        let mut facts = facts(Expect::Exit, 0, Tally::default());
        facts.ending = None;
        assert_eq!(outcome(&facts), Error);
    }
}
