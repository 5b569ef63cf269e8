//! Broken and unusual streams of TAP.

use super::{Parsed, parse};
use crate::model::Ending;
use crate::parse::{CaseContext, Parser};

fn cases(text: &str, code: i32) -> Vec<String> {
    parse(&CaseContext::default(), text, code).cases()
}

#[test]
fn text_that_looks_like_a_test_is_none_in_a_job_that_passed() {
    let text = "ok 1 file copied\nnot ok 2 or so\ndone\n";
    assert_eq!(cases(text, 0), Vec::<String>::new());
    // It failed: nothing is kept back that may say why.
    assert_eq!(
        cases(text, 1),
        ["|file copied|passed", "|or so|failed", "|(plan)|unfinished"]
    );
}

#[test]
fn a_block_that_nothing_ends_hides_no_test() {
    let text = "1..3\nok 1 - a\nok 2 - b\n  ---\n  message: gone\n\nnot ok 3 - c\n";
    assert_eq!(cases(text, 0), ["|a|passed", "|b|passed", "|c|failed"]);
    let quoted = "1..2\nok 1 - a\n  ---\n  output: |\n    not ok 2 - inner\n  ...\nok 2 - b\n";
    assert_eq!(cases(quoted, 0), ["|a|passed", "|b|passed"]);
}

#[test]
fn a_version_without_a_plan_is_no_pass() {
    let found = cases("TAP version 13\nok 1 - a\n", 0);
    assert_eq!(found, ["|a|passed", "|(plan)|unfinished"]);
}

#[test]
fn tests_that_were_planned_and_never_came_are_told() {
    assert_eq!(
        cases("1..3\nok 1 - a\nsegmentation fault\n", 139),
        [
            "|a|passed",
            "|(plan)|failed",
            "|test 2|not-run",
            "|test 3|not-run"
        ]
    );
    let many = cases("1..1000\nok 1 - a\n", 1);
    assert_eq!(many.len(), 103);
    assert_eq!(many[102], "|tests 102 to 1000|not-run");
    let nested = cases(
        "1..1\n# Subtest: g\n    1..2\n    ok 1 - a\nnot ok 1 - g\n",
        1,
    );
    let expected = [
        "|g/a|passed",
        "|g/(plan)|failed",
        "|g/test 2|not-run",
        "|g|failed",
    ];
    assert_eq!(nested, expected);
}

#[test]
fn more_tests_than_planned_fail() {
    assert_eq!(
        cases("1..1\nok 1 - a\nok 2 - b\n", 0),
        ["|a|passed", "|b|passed", "|(plan)|failed"]
    );
}

#[test]
fn giving_up_is_a_failure_with_its_reason() {
    let text = "1..3\nok 1 - a\nBail out! the database is gone\n";
    let parsed = parse(&CaseContext::default(), text, 0);
    assert_eq!(
        parsed.cases(),
        [
            "|a|passed",
            "|(bail out)|failed",
            "|test 2|not-run",
            "|test 3|not-run"
        ]
    );
    let message = parsed.end("(bail out)").message.as_deref();
    assert_eq!(message, Some("the database is gone"));
}

#[test]
fn a_plan_of_nothing_is_skipped_with_its_reason() {
    let parsed = parse(&CaseContext::default(), "1..0 # SKIP no database\n", 0);
    assert_eq!(parsed.cases(), ["|(package)|skipped"]);
    assert_eq!(
        parsed.end("(package)").message.as_deref(),
        Some("no database")
    );
}

#[test]
fn streams_that_follow_one_another_do_not_mix() {
    let text =
        "1..2\nok 1 - a\nok 2 - b\nTAP version 14\nok 1 - a\n1..1\nmake: done\nok 1 - c\n1..1\n";
    assert_eq!(
        cases(text, 0),
        ["|a|passed", "|b|passed", "|a #2|passed", "|c|passed"]
    );
    // The first one died.
    let died = "1..3\nok 1 - a\n1..1\nok 1 - b\n";
    assert_eq!(
        cases(died, 1),
        [
            "|a|passed",
            "|(plan)|failed",
            "|test 2|not-run",
            "|test 3|not-run",
            "|b|passed"
        ]
    );
}

#[test]
fn a_test_has_what_was_printed_before_and_told_after_it() {
    let text = "1..2\nok 1 - a\nnoise\nnot ok 2 - b\n# why\nafter\n";
    let parsed: Parsed = parse(&CaseContext::default(), text, 1);
    let span = parsed.end("b").output[0];
    let part = &text[span.start as usize..span.end as usize];
    assert_eq!(part, "noise\nnot ok 2 - b\n# why\n");
}

#[test]
fn output_between_tests_is_no_part_of_the_stream() {
    let text = "1..2\nok 1 - a\nok  \texample.com/x\t0.01s\nokay\n  ok 9\nok 2 - b\n";
    let found = cases(text, 0);
    assert!(found.contains(&"|a|passed".to_owned()) && found.contains(&"|b|passed".to_owned()));
    assert!(
        !found
            .iter()
            .any(|case| case.contains("not-run") || case.contains('9')),
        "{found:?}"
    );
}

#[test]
fn a_plan_that_a_cancelled_job_did_not_keep_is_no_failure() {
    let text = b"1..3\nok 1 - a\nnot ok 2 - b\n    1..2\n    ok 1 - c\n";
    let cases = |is_cancelled: bool| {
        let mut findings = Vec::new();
        let mut parser = Parser::new(CaseContext::default());
        parser.feed(text, &mut |finding| findings.push(finding));
        if is_cancelled {
            parser.cancelled();
        }
        let ending = Some(Ending::Signal(15));
        let observations = parser.finish(ending, &mut |finding| findings.push(finding));
        Parsed {
            findings,
            observations,
        }
        .cases()
    };
    let (cancelled, failed) = (cases(true), cases(false));
    let plans = |cases: &[String]| cases.iter().filter(|case| case.contains("(plan)")).count();
    assert_eq!((plans(&cancelled), plans(&failed)), (0, 2), "{cancelled:?}");
    for case in ["|b|failed", "|(subtest)/test 2|not-run", "|test 3|not-run"] {
        assert!(cancelled.contains(&case.to_owned()), "{cancelled:?}");
    }
}
