//! The tests that run again, and the cases in which narrowing would hide tests that never ran.

use super::*;
use crate::model::Reach;
use crate::model::{CasePattern, JobId};
use std::collections::BTreeMap;

fn job(command: &[&str]) -> Job {
    let words = command.iter().map(|word| (*word).to_owned()).collect();
    Job {
        expect: Expect::Cases,
        retries: 1,
        ..Job::new(JobId::new("proxy", "test"), Command::Run(words), "/".into())
    }
}

fn go() -> Job {
    Job {
        packages: Some(vec!["".to_owned()]),
        go_root: Some("github.com/kata-containers/proxy".to_owned()),
        ..job(&["make", "test"])
    }
}

fn case(name: &str, status: CaseStatus, message: &str) -> CaseResult {
    CaseResult {
        job: JobId::new("proxy", "test"),
        attempt: 1,
        package: String::new(),
        name: name.to_owned(),
        status,
        seconds: None,
        message: Some(message.to_owned()),
        file: None,
        line: None,
        cached: false,
        findings: Default::default(),
        output: Vec::new(),
    }
}

fn failed(names: &[&str]) -> Vec<CaseResult> {
    let mut cases = vec![case("TestGood", CaseStatus::Passed, "")];
    cases.extend(
        names
            .iter()
            .map(|name| case(name, CaseStatus::Failed, "no")),
    );
    cases
}

fn go_flags(job: &Job) -> Option<String> {
    let value = job.environment.get("GOFLAGS")?;
    Some(value.to_string_lossy().into_owned())
}

#[test]
fn failed_go_tests_run_again_with_their_subtests_and_nothing_else() {
    let mut job = go();
    job.environment.set("GOFLAGS", "-mod=vendor");
    let again = rerun(
        &job,
        &failed(&["TestB/sub case", "TestA", "TestB", "TestA #2"]),
    );
    assert_eq!(again.only.as_deref(), Some("TestA, TestB"));
    let flags = go_flags(&again);
    assert_eq!(
        flags.as_deref(),
        Some("-mod=vendor -count=1 -v -run=^(TestA|TestB)$")
    );
    assert_eq!(again.command, job.command);
}

#[test]
fn all_runs_again_where_something_may_never_have_run() {
    let more = [
        case("(package)", CaseStatus::NotRun, "the job ended before it"),
        case("TestHung", CaseStatus::Unfinished, "started, never ended"),
        case("TestPanics", CaseStatus::Failed, "panic: nil map"),
        case(
            "TestRaces",
            CaseStatus::Failed,
            "fatal error: concurrent map writes",
        ),
        case("(package)", CaseStatus::Failed, "build failed"),
        case("no name of a test", CaseStatus::Failed, ""),
    ];
    for case in more {
        let mut cases = failed(&["TestA"]);
        cases.push(case);
        assert_eq!(rerun(&go(), &cases), go(), "{cases:?}");
    }
    let unknown = Job {
        packages: None,
        ..go()
    };
    assert_eq!(rerun(&unknown, &failed(&["TestA"])), unknown);
    assert_eq!(rerun(&go(), &failed(&[])), go());
    let check = Job {
        expect: Expect::Commands,
        ..go()
    };
    assert_eq!(rerun(&check, &failed(&["TestA"])), check);
}

#[test]
fn flags_that_narrow_already_are_not_narrowed_again() {
    for flags in [
        "-v -run TestA",
        "-run=TestA",
        "-json --run=.",
        "-failfast",
        "'-test.run=x'",
    ] {
        let mut job = go();
        job.environment.set("KATA_GO_TEST_FLAGS", flags);
        assert_eq!(rerun(&job, &failed(&["TestA"])), job, "{flags}");
    }
    let mut job = go();
    job.environment
        .set("KATA_GO_TEST_FLAGS", "-json -race -timeout 60s");
    assert!(rerun(&job, &failed(&["TestA"])).only.is_some());
}

#[test]
fn crates_tests_run_again_by_name_where_cargo_went_on_after_a_failure() {
    let again = rerun(
        &job(&["cargo", "test", "--no-fail-fast", "--", "--nocapture"]),
        &failed(&["tests::a", "tests::b #2"]),
    );
    let Command::Run(words) = &again.command else {
        panic!("{again:?}");
    };
    let expected = ["--", "--nocapture", "--exact", "tests::a", "tests::b"];
    assert_eq!(words[3..], expected);
    for whole in [&["cargo", "test"][..], &["make", "test"]] {
        assert_eq!(rerun(&job(whole), &failed(&["tests::a"])), job(whole));
    }
    let whole = job(&["cargo", "test", "--no-fail-fast"]);
    for other in ["(package)", "src/lib.rs - thing (line 3)", "(unnamed)"] {
        assert_eq!(
            rerun(&whole, &failed(&["tests::a", other])),
            whole,
            "{other}"
        );
    }
}

#[test]
fn many_names_are_shown_as_a_few() {
    let names: Vec<_> = (0..9).map(|number| format!("Test{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let again = rerun(&go(), &failed(&names));
    assert_eq!(
        again.only.as_deref(),
        Some("Test0, Test1, Test2, and 6 more")
    );
}

#[test]
fn a_package_more_or_once_more_is_further_than_the_whole_job_came() {
    let reach = |ends: &[(&str, u32)]| {
        let owned = |(package, count): &(&str, u32)| ((*package).to_owned(), *count);
        Reach::from(ends.iter().map(owned).collect::<BTreeMap<_, _>>())
    };
    let mut whole = reach(&[("a", 2), ("b", 1)]);
    whole.extend(&reach(&[("a", 1), ("c", 1)]));
    for within in [&[][..], &[("a", 2), ("b", 1), ("c", 1)]] {
        assert!(!reach(within).exceeds(&whole), "{within:?}");
    }
    for beyond in [&[("b", 2)][..], &[("a", 1), ("d", 1)]] {
        assert!(reach(beyond).exceeds(&whole), "{beyond:?}");
    }
}

fn asked(job: &Job, pattern: &str, known: &[&str]) -> Result<Job, &'static str> {
    let known: Vec<_> = known
        .iter()
        .map(|name| ("a".to_owned(), (*name).to_owned()))
        .collect();
    narrow(job, &CasePattern::new(pattern).unwrap(), &known)
}

#[test]
fn a_pattern_chooses_tests_of_go_by_run() {
    let mut job = go();
    job.environment.set("GOFLAGS", "-v");
    let narrowed = asked(&job, "TestUpdate*", &[]).unwrap();
    assert_eq!(narrowed.only.as_deref(), Some("TestUpdate*"));
    let flags = go_flags(&narrowed);
    assert_eq!(flags.as_deref(), Some("-v -count=1 -v -run=^TestUpdate.*$"));
    job.environment.set("KATA_GO_TEST_FLAGS", "-json -run X");
    assert!(asked(&job, "TestA", &[]).is_err());
}

#[test]
fn a_pattern_chooses_tests_of_cargo_by_whole_names() {
    let whole = job(&["cargo", "test"]);
    let words = |pattern: &str, known: &[&str]| {
        let narrowed = asked(&whole, pattern, known)?;
        match narrowed.command {
            Command::Run(words) => Ok(words[2..].join(" ")),
            Command::Script(_) => Err("a script"),
        }
    };
    assert_eq!(words("tests::a", &[]).unwrap(), "-- --exact a tests::a");
    let known = ["tests::a", "tests::ab #2", "other"];
    assert_eq!(
        words("tests::a*", &known).unwrap(),
        "-- --exact tests::a tests::ab"
    );
    assert!(
        words("tests::a*", &[])
            .unwrap_err()
            .contains("no earlier run")
    );
    assert!(asked(&job(&["make", "test"]), "a", &[]).is_err());
}
