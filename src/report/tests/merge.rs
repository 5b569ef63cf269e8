//! Merging does not depend on order, loses nothing, and combines only executions that name the same
//! job.

use proptest::prelude::*;

use crate::report::model::{AttemptKind, CaseState, Document, Spool};
use crate::report::read::read_junit;
use crate::report::{Dialect, merge, write_document};

fn read(xml: &str) -> Document {
    read_junit(xml.as_bytes(), &Spool::default()).unwrap()
}

fn written(document: &Document) -> String {
    let mut bytes = Vec::new();
    write_document(document, Dialect::Full, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Makes a job's suite as kata-ci writes it, with these cases.
fn job(run: &str, attempt: u32, outcome: &str, cases: &str) -> Document {
    read(&format!(
        r#"<testsuite name="a.test"><properties><property name="run" value="{run}"/>
        <property name="outcome" value="{outcome}"/><property name="attempt" value="{attempt}"/></properties>{cases}</testsuite>"#
    ))
}

const FAILED: &str = r#"<testcase classname="c" name="t"><failure type="failed" message="no"/><system-out>why</system-out></testcase>"#;
const PASSED: &str = r#"<testcase classname="c" name="t"/>"#;

#[test]
fn a_later_attempt_that_passed_makes_it_flaky() {
    let merged = merge(vec![
        job("r", 2, "passed", PASSED),
        job("r", 1, "failed", FAILED),
    ]);
    assert_eq!(merged.suites.len(), 1);
    let case = &merged.suites[0].cases[0];
    assert_eq!(case.state, CaseState::Flaky);
    let attempt = &case.attempts()[0];
    assert_eq!(attempt.kind, AttemptKind::FlakyFailure);
    assert_eq!(attempt.message.as_deref(), Some("no"));
    assert_eq!(attempt.out.load().unwrap(), "why");
}

#[test]
fn attempts_that_all_failed_are_reruns() {
    let attempts = (1..=3).map(|attempt| job("r", attempt, "failed", FAILED));
    let merged = merge(attempts.collect());
    let case = &merged.suites[0].cases[0];
    assert_eq!(case.state, CaseState::Failed);
    let kinds: Vec<_> = case.attempts().iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [AttemptKind::RerunFailure; 2]);
}

#[test]
fn a_rerun_of_what_failed_only_keeps_what_passed_before() {
    let before = format!(r#"<testcase classname="c" name="u"/>{FAILED}"#);
    let merged = merge(vec![
        job("r", 1, "failed", &before),
        job("r", 2, "passed", PASSED),
    ]);
    assert_eq!(merged.counts().sentence(), "1 flaky, 1 passed");
}

#[test]
fn the_case_of_a_whole_job_does_not_stay_bad_when_the_job_passed() {
    let late = r#"<testcase classname="a.test" name="test"><error type="timed-out" message="late"/></testcase>"#;
    let attempts = || {
        vec![
            job("r", 1, "timed-out", late),
            job("r", 2, "passed", PASSED),
        ]
    };
    assert_eq!(merge(attempts()).counts().sentence(), "1 flaky, 1 passed");
    let other = late.replace("\"test\"", "\"other\"");
    let attempts = vec![job("r", 1, "failed", &other), job("r", 2, "passed", PASSED)];
    assert_eq!(merge(attempts).counts().sentence(), "1 error, 1 passed");
}

#[test]
fn an_attempt_that_never_started_makes_no_case_of_one_that_did() {
    let not_run =
        r#"<testcase classname="a.test" name="test"><skipped type="not-run"/></testcase>"#;
    for (outcome, case, expected) in [
        ("passed", PASSED, "1 passed"),
        ("failed", FAILED, "1 failed"),
    ] {
        let attempts = vec![job("r", 0, "not-run", not_run), job("r", 1, outcome, case)];
        assert_eq!(merge(attempts).counts().sentence(), expected);
    }
}

#[test]
fn only_what_says_so_itself_is_the_same() {
    let anonymous = || read(&format!(r#"<testsuite name="a.test">{FAILED}</testsuite>"#));
    assert_eq!(merge(vec![anonymous(), anonymous()]).counts().total(), 2);
    // Two runs are two runs.
    let runs = vec![job("r", 1, "failed", FAILED), job("s", 2, "passed", PASSED)];
    assert_eq!(merge(runs).counts().sentence(), "1 failed, 1 passed");
    // The same report twice is one; two different ones that claim to be the same attempt are both
    // kept, and said.
    let same = vec![job("r", 1, "failed", FAILED), job("r", 1, "failed", FAILED)];
    assert_eq!(merge(same).counts().total(), 1);
    let torn = merge(vec![
        job("r", 1, "failed", FAILED),
        job("r", 1, "passed", PASSED),
    ]);
    assert_eq!(torn.counts().sentence(), "1 failed, 1 passed");
    assert!(
        torn.notices[0]
            .text
            .contains("attempt 1 of a.test in run r")
    );
}

#[test]
fn one_report_in_two_forms_is_one_and_says_all_that_is_known() {
    let case = |inside: &str| format!(r#"<testcase classname="c" name="t" {inside}</testcase>"#);
    let journal = case(r#"time="0.6132" file="a.go" line="7"><failure message="no">why</failure>"#);
    let junit = case(r#"time="0.613"><failure message="no">why</failure>"#);
    let forms = [&journal, &junit].map(|cases| job("r", 1, "failed", cases));
    for forms in [forms.clone(), [forms[1].clone(), forms[0].clone()]] {
        let merged = merge(forms.to_vec());
        assert_eq!((merged.counts().total(), merged.notices.len()), (1, 0));
        let details = merged.suites[0].cases[0].details.as_ref().unwrap();
        assert_eq!(details.file.as_deref(), Some("a.go"));
    }
    // Another run of the same plan is another execution.
    let mut runs = ["r", "s"].map(|run| job(run, 1, "failed", &junit));
    for document in &mut runs {
        let plan = ("plan_id".into(), "p".into());
        document.suites[0].properties.push(plan);
    }
    assert_eq!(merge(runs.to_vec()).counts().total(), 2);
}

#[test]
fn the_plan_stands_for_the_run_where_shards_share_one() {
    let of_plan = |run: &str, attempt, outcome: &str, cases: &str| {
        let mut document = job(run, attempt, outcome, cases);
        let plan = ("plan_id".into(), "p".into());
        document.suites[0].properties.push(plan);
        document
    };
    let merged = merge(vec![
        of_plan("r", 1, "failed", FAILED),
        of_plan("s", 2, "passed", PASSED),
    ]);
    assert_eq!(merged.counts().sentence(), "1 flaky");
}

fn pool() -> Vec<Document> {
    let foreign = |name: &str, case: &str| {
        read(&format!(
            r#"<testsuites><testsuite name="{name}" timestamp="2026-01-01T00:00:00">{case}</testsuite></testsuites>"#
        ))
    };
    vec![
        job("r", 1, "failed", FAILED),
        job("r", 2, "failed", FAILED),
        job("r", 3, "passed", PASSED),
        job("s", 1, "failed", FAILED),
        job("s", 1, "passed", PASSED),
        foreign("x", PASSED),
        foreign("x", FAILED),
        foreign("x", PASSED),
        foreign("", FAILED),
    ]
}

proptest! {
    #[test]
    fn the_order_of_arrival_makes_no_difference(order in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle()) {
        let expected = merge(pool());
        let shuffled = order.iter().map(|index| pool().swap_remove(*index)).collect();
        let merged = merge(shuffled);
        prop_assert_eq!(written(&merged), written(&expected));
        prop_assert_eq!(merged.notices, expected.notices);
    }
}
