//! Tests of the verdict on one job.

use super::verdict::*;
use crate::model::JobOutcome::*;
use crate::model::{CheckFinding, Ending, Expect, FindingLevel, JobOutcome, ProvenFailure, Tally};

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

fn proven(what: &str) -> ProvenFailure {
    ProvenFailure {
        what: what.to_owned(),
        is_own: true,
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
    facts.contradictions = vec!["static_check_json found no JSON file, git knows a.json".into()];
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
fn what_the_output_proves_fails_a_job_that_exited_with_0() {
    let mut facts = facts(Expect::Cases, 0, passed(3));
    facts.proven_failures = vec![proven("error: could not compile `x`")];
    let judged = verdict(&facts);
    assert_eq!(judged.outcome, Failed);
    assert!(
        judged.reason.contains("although the command exited with 0"),
        "{}",
        judged.reason
    );
    facts.missing_programs = vec!["linter".into()];
    assert_eq!(outcome(&facts), Failed);
    facts.proven_failures[0].is_own = false;
    assert_eq!(outcome(&facts), Error);
    facts.missing_programs.clear();
    facts.allow_errors = Some("a known one".into());
    let judged = verdict(&facts);
    assert_eq!(judged.outcome, Passed);
    assert!(judged.reason.contains("a known one"), "{}", judged.reason);
    facts.cases.failed = 1;
    assert_eq!(outcome(&facts), Failed);
}

#[test]
fn a_missing_program_does_not_hide_a_crash() {
    let mut facts = facts(
        Expect::Cases,
        2,
        Tally {
            unfinished: 1,
            ..Tally::default()
        },
    );
    facts.missing_programs = vec!["linter".into()];
    facts.proven_failures = vec![proven("go test reports a failed package")];
    assert_eq!(outcome(&facts), Failed);
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
    assert!(unclear.needs_make_query());
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
        assert!(!other.needs_make_query(), "{other:?}");
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

#[test]
fn findings_explain_a_bad_exit_and_outweigh_a_missing_program() {
    let mut facts = facts(Expect::Commands, 2, Tally::default());
    let finding = |line| CheckFinding {
        file: Some("a.go".into()),
        line: Some(line),
        message: "broken".into(),
        ..CheckFinding::default()
    };
    facts.findings.list = vec![finding(3)];
    assert_eq!(verdict(&facts).reason, "exited with 2: a.go:3: broken");
    facts.findings.list.push(finding(4));
    facts.missing_programs = vec!["linter".into()];
    let judged = verdict(&facts);
    assert_eq!(judged.outcome, Failed);
    assert_eq!(
        judged.reason,
        "exited with 2: 2 findings, the first is a.go:3: broken"
    );
    for finding in &mut facts.findings.list {
        finding.level = FindingLevel::Warning;
    }
    assert_eq!(outcome(&facts), Error);
}

#[test]
fn a_job_without_the_cases_that_were_asked_for_is_skipped_unless_it_failed() {
    let unmatched = |exit, cases| JobFacts {
        unmatched: Some("TestX".into()),
        ..facts(Expect::Cases, exit, cases)
    };
    let judged = verdict(&unmatched(0, passed(3)));
    assert_eq!(judged.outcome, Skipped);
    assert_eq!(judged.reason, "no case matches `TestX`");
    assert_eq!(outcome(&unmatched(0, Tally::default())), Skipped);
    assert_eq!(outcome(&unmatched(1, passed(3))), Failed);
}

#[test]
fn packages_without_single_tests_are_said() {
    let verdict = verdict(&JobFacts {
        packages_alone: 27,
        ..facts(Expect::Cases, 0, passed(27))
    });
    assert_eq!(verdict.outcome, Passed);
    assert!(
        verdict
            .reason
            .starts_with("27 packages, single tests are not shown: "),
        "{}",
        verdict.reason
    );
}
