use std::time::Instant;

use super::*;
use crate::model::CheckFinding;

fn case(name: &str, seen: Seen) -> Observed<'_> {
    Observed {
        suite: "proxy.test",
        class: "proxy.test.pkg",
        name,
        seen,
        seconds: None,
        spread: None,
        is_job: false,
        message: "",
        file: None,
        line: None,
        findings: Vec::new().into(),
    }
}

fn names(cases: &[ComparedCase]) -> Vec<&str> {
    cases.iter().map(|case| case.name.as_str()).collect()
}

fn compared(old: &[Observed<'_>], new: &[Observed<'_>]) -> Classes {
    compare(old, new, SlowerBounds::default())
}

#[test]
fn every_pair_of_ends_has_its_class() {
    use Seen::*;
    let old = [
        case("stays good", Good),
        case("breaks", Good),
        case("stays bad", Bad),
        case("is mended", Bad),
        case("was flaky", Flaky),
        case("becomes flaky", Good),
        case("goes", Good),
        case("goes bad", Bad),
        case("was skipped and goes", Skipped),
        case("is silenced", Good),
    ];
    let new = [
        case("stays good", Good),
        case("breaks", Bad),
        case("stays bad", Bad),
        case("is mended", Good),
        case("was flaky", Bad),
        case("becomes flaky", Flaky),
        case("is silenced", Skipped),
        case("comes", Good),
        case("comes bad", Bad),
    ];
    let classes = compared(&old, &new);
    assert_eq!(names(&classes.new_failures), ["breaks", "comes bad"]);
    assert_eq!(names(&classes.known), ["stays bad"]);
    assert_eq!(names(&classes.fixed), ["is mended"]);
    assert_eq!(names(&classes.flaky), ["was flaky", "becomes flaky"]);
    assert_eq!(names(&classes.vanished), ["goes", "goes bad"]);
    assert_eq!(names(&classes.silenced), ["is silenced"]);
    assert_eq!(names(&classes.new_cases), ["comes"]);
    assert_eq!(classes.same, 1);
}

#[test]
fn a_case_that_stands_for_its_job_is_never_gone_or_new() {
    let job = |seen| Observed {
        is_job: true,
        ..case("test", seen)
    };
    let classes = compared(&[job(Seen::Bad)], &[case("a", Seen::Good)]);
    assert_eq!(names(&classes.fixed), ["test"]);
    assert!(classes.vanished.is_empty());
    let classes = compared(&[case("a", Seen::Good)], &[job(Seen::Bad)]);
    assert_eq!(names(&classes.new_failures), ["test"]);
    assert_eq!(names(&classes.vanished), ["a"]);
    let classes = compared(&[job(Seen::Good)], &[]);
    assert_eq!(classes, Classes::default());
}

#[test]
fn a_check_that_failed_before_is_new_with_a_further_finding() {
    let finding = |line, message: &str| CheckFinding {
        file: Some("main.go".to_owned()),
        line: Some(line),
        message: message.to_owned(),
        ..CheckFinding::default()
    };
    let check = |findings: Vec<CheckFinding>| Observed {
        findings: findings.into(),
        ..case("golint", Seen::Bad)
    };
    let old = [check(vec![finding(3, "unused")])];
    let classes = compared(&old, &[check(vec![finding(9, "unused")])]);
    assert_eq!(names(&classes.known), ["golint"]);
    let classes = compared(
        &old,
        &[check(vec![finding(3, "unused"), finding(5, "long")])],
    );
    assert_eq!(classes.new_failures[0].findings, [finding(5, "long")]);
    // The same complaint once more is one more.
    let twice = check(vec![finding(3, "unused"), finding(5, "unused")]);
    assert_eq!(compared(&old, &[twice]).new_failures.len(), 1);
    let silent = [check(Vec::new())];
    assert_eq!(compared(&silent, &old).known.len(), 1);
}

#[test]
fn repetitions_are_compared_in_their_order() {
    let old = [case("a", Seen::Good), case("a", Seen::Bad)];
    let classes = compared(&old, &[case("a", Seen::Good)]);
    assert_eq!(names(&classes.vanished), ["a"]);
    let classes = compared(&old, &old);
    assert_eq!((classes.same, classes.known.len()), (1, 1));
}

#[test]
fn slower_needs_factor_and_difference() {
    let timed = |seconds| Observed {
        seconds: Some(seconds),
        ..case("a", Seen::Good)
    };
    let slower = |before, now| compared(&[timed(before)], &[timed(now)]).slower.len();
    assert_eq!(slower(0.01, 0.9), 0);
    assert_eq!(slower(10.0, 19.0), 0);
    assert_eq!(slower(1.0, 2.5), 1);
}

#[test]
fn a_hundred_thousand_cases_are_compared_in_a_moment() {
    let texts: Vec<_> = (0..150_000)
        .map(|number| format!("Test/{number}"))
        .collect();
    let all: Vec<_> = texts.iter().map(|name| case(name, Seen::Good)).collect();
    let clock = Instant::now();
    let classes = compared(&all[..100_000], &all[50_000..]);
    // Optimised it takes a fraction of a second; a quadratic one would take minutes.
    assert!(clock.elapsed().as_secs_f64() < 5.0, "{:?}", clock.elapsed());
    assert_eq!(classes.vanished.len(), 50_000);
    assert_eq!((classes.new_cases.len(), classes.same), (50_000, 50_000));
}

#[test]
fn slower_means_beyond_every_earlier_run() {
    let timed = |seconds| Observed {
        seconds: Some(seconds),
        ..case("a", Seen::Good)
    };
    let earlier = [timed(9.0), timed(1.0)];
    let mut old = [timed(2.0)];
    assert_eq!(compared(&old, &[timed(10.0)]).slower.len(), 1);
    add_spread(&mut old, &earlier);
    assert!(compared(&old, &[timed(10.0)]).slower.is_empty());
    let slower = compared(&old, &[timed(20.0)]).slower;
    assert_eq!(
        slower[0].times(),
        "20.0s, before 2.0s, 1.0s to 9.0s in 3 runs"
    );
}
