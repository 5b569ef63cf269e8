//! Tests the output of a run, and its files.

use serde_json::Value;

use crate::support::workspace::makefiles;
use crate::support::{KataCi, run_in};

const GOOD: &str = "test:\n @echo '=== RUN   TestA'; echo '--- PASS: TestA (0.00s)'; echo 'ok  \tx\t0.1s'\n.PHONY: test";
const BAD: &str = "test:\n @echo '=== RUN   TestB'; echo '    b_test.go:7: the clock stands'; echo '--- FAIL: TestB (0.01s)'; echo 'FAIL\tx\t0.1s'; exit 1\n.PHONY: test";

#[test]
fn success_is_quiet() {
    let place = makefiles(&[("good", GOOD)]);
    let run = run_in(place.path())
        .args(["-s", "test"])
        .finish()
        .expect_code(0);
    assert!(run.printed().lines().count() <= 6, "{}", run.printed());
    assert!(run.printed().contains("1 passed"), "{}", run.printed());
    assert!(
        run.printed().contains(run.reports.to_str().unwrap()),
        "{}",
        run.printed()
    );
}

#[test]
fn a_failure_says_what_where_and_how_to_run_just_that_again() {
    let place = makefiles(&[("good", GOOD), ("bad", BAD)]);
    let run = run_in(place.path())
        .args(["-s", "test"])
        .finish()
        .expect_code(1);
    let again = format!(
        "kata-ci run -C {} bad -s test",
        place.path().canonicalize().unwrap().display()
    );
    for part in [
        "TestB",
        "b_test.go:7",
        "the clock stands",
        &again,
        "logs/bad.test.log",
    ] {
        assert!(
            run.printed().contains(part),
            "{part} is not in:\n{}",
            run.printed()
        );
    }
    let words: Vec<_> = again.split(' ').skip(1).collect();
    let narrowed = KataCi::bare().args(words).finish().expect_code(1);
    assert!(
        !narrowed.printed().contains("good.test"),
        "{}",
        narrowed.printed()
    );
}

#[test]
fn json_is_the_journal_and_nothing_else() {
    let place = makefiles(&[("good", GOOD), ("bad", BAD)]);
    let run = run_in(place.path())
        .args(["-s", "test", "--format", "json"])
        .finish()
        .expect_code(1);
    let journal = std::fs::read_to_string(run.reports.join("events.jsonl")).unwrap();
    assert_eq!(run.stdout, journal);
    let events: Vec<Value> = journal
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], number);
        assert_eq!(event["v"], 1);
        assert!(event["time"].is_string());
    }
    assert_eq!(events.first().unwrap()["event"], "run-started");
    assert_eq!(events.last().unwrap()["event"], "run-finished");
    assert_eq!(events.last().unwrap()["exit"], 1);
}

#[test]
fn an_extra_junit_file_is_the_same() {
    let place = makefiles(&[("good", GOOD)]);
    let file = place.path().join("out/extra.xml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let run = run_in(place.path())
        .args(["-s", "test", "-p", "makefile", "--junit"])
        .args([&file])
        .args(["good"])
        .finish()
        .expect_code(0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), run.junit());
}

#[test]
fn without_a_report_directory_the_runs_are_kept_in_the_users_state() {
    let place = makefiles(&[("good", GOOD)]);
    let state = tempfile::tempdir().unwrap();
    KataCi::bare()
        .env("XDG_STATE_HOME", state.path())
        .args(["run", "-s", "test", "-C"])
        .args([place.path()])
        .finish()
        .expect_code(0);
    let latest = state.path().join("kata-ci/runs/latest");
    for file in [
        "junit.xml",
        "result.json",
        "events.jsonl",
        "logs/good.test.log",
    ] {
        assert!(latest.join(file).is_file(), "{file}");
    }
}

#[test]
fn a_dry_run_runs_and_writes_nothing() {
    let touching = "test:\n touch ran\n.PHONY: test";
    let place = makefiles(&[("good", touching)]);
    let run = run_in(place.path())
        .args(["--dry-run"])
        .finish()
        .expect_code(0);
    assert!(
        run.stdout.contains("good.test  make test"),
        "{}",
        run.stdout
    );
    assert!(!place.path().join("good/ran").exists());
    assert!(!run.reports.exists());
}

#[test]
fn a_job_has_no_terminal_no_input_and_only_the_contracts_environment() {
    let looking = "test:\n @env | sort; ls -l /proc/self/fd/0; echo '--- PASS: TestA (0.00s)'; (exec </dev/tty) 2>&1 | head -1\n.PHONY: test";
    let place = makefiles(&[("looking", looking)]);
    let run = run_in(place.path())
        .args(["-s", "test"])
        .env("MAKEFLAGS", "n")
        .env("GNUMAKEFLAGS", "n")
        .env("GIT_DIR", "/nowhere")
        .env("GITHUB_TOKEN", "secret")
        .finish()
        .expect_code(0);
    let log = run.log("looking.test");
    for absent in ["secret", "GIT_DIR", "GNUMAKEFLAGS", "KATACI_"] {
        assert!(!log.contains(absent), "{absent} is in\n{log}");
    }
    assert!(log.contains("/dev/null"), "{log}");
    assert!(log.contains("/dev/tty: No such device or address"), "{log}");
}

#[test]
fn a_quiet_run_tells_only_what_did_not_pass() {
    let passes = "test:\n @echo '1..1'; echo 'ok 1 - a'\n.PHONY: test";
    let fails = "test:\n @echo '1..1'; echo 'not ok 1 - b'; exit 1\n.PHONY: test";
    let quiet = |makefile: &str, code: i32| {
        let place = makefiles(&[("one", makefile)]);
        let run = run_in(place.path()).args(["-s", "test", "-q"]).finish();
        run.expect_code(code)
    };
    let passed = quiet(passes, 0);
    assert_eq!((passed.stdout.as_str(), passed.stderr.as_str()), ("", ""));
    let failed = quiet(fails, 1);
    assert!(
        failed.stdout.contains("one.test failed"),
        "{}",
        failed.stdout
    );
    assert!(!failed.stdout.contains("ok 1"), "{}", failed.stdout);
}
