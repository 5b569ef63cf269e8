//! Tests the exit codes of the contract, a test for each row.

use nix::sys::signal::Signal;

use crate::support::workspace::{makefiles, write};
use crate::support::{KataCi, run_in};

const GOOD: &str = "test:\n @echo '=== RUN   TestA'; echo '--- PASS: TestA (0.00s)'; echo 'ok  \tx\t0.1s'\ncheck:\n echo checked\n.PHONY: test check";
const BAD: &str = "test:\n @echo '=== RUN   TestA'; echo '--- FAIL: TestA (0.00s)'; exit 1\ncheck:\n echo checked\n.PHONY: test check";
const EMPTY: &str = "test:\ncheck:\n echo checked\n.PHONY: test check";
const HANG: &str = "test:\n sleep 60\ncheck:\n echo checked\n.PHONY: test check";
const NO_PROGRAM: &str =
    "test:\n no-such-program-of-kata-ci\ncheck:\n echo checked\n.PHONY: test check";

#[test]
fn code_0_when_a_job_passed_and_nothing_is_wrong() {
    let place = makefiles(&[("good", GOOD)]);
    let run = run_in(place.path()).finish().expect_code(0);
    assert_eq!(run.outcome("good.test"), "passed");
    assert_eq!(run.result()["exit"], 0);
}

#[test]
fn code_1_when_something_failed() {
    let place = makefiles(&[("good", GOOD), ("bad", BAD)]);
    let run = run_in(place.path()).finish().expect_code(1);
    assert_eq!(run.outcome("bad.test"), "failed");
    assert_eq!(run.outcome("good.test"), "passed");
}

#[test]
fn code_1_when_something_timed_out() {
    let place = makefiles(&[("hang", HANG)]);
    let run = run_in(place.path())
        .args(["--timeout", "1s", "--grace", "1s"])
        .finish()
        .expect_code(1);
    assert_eq!(run.outcome("hang.test"), "timed-out");
}

#[test]
fn code_1_when_something_was_vacuous() {
    let place = makefiles(&[("good", GOOD), ("empty", EMPTY)]);
    let run = run_in(place.path()).finish().expect_code(1);
    assert_eq!(run.outcome("empty.test"), "vacuous");
}

#[test]
fn code_69_when_an_error_that_lasts_kept_something_from_being_tested() {
    let place = makefiles(&[("good", GOOD), ("lacking", NO_PROGRAM)]);
    let run = run_in(place.path()).finish().expect_code(69);
    assert_eq!(run.outcome("lacking.test"), "error");
    assert!(
        run.printed().contains("no-such-program-of-kata-ci"),
        "{}",
        run.printed()
    );
}

#[test]
fn code_1_comes_before_69() {
    let place = makefiles(&[("bad", BAD), ("lacking", NO_PROGRAM)]);
    run_in(place.path()).finish().expect_code(1);
}

#[test]
fn code_4_when_everything_selected_was_skipped() {
    let place = makefiles(&[("good", GOOD)]);
    write(
        &place.path().join("kata-ci.toml"),
        "version = 1\n[[step]]\nname = \"test\"\nrun = [\"make\", \"test\"]\n\
         [[component]]\nname = \"good\"\npath = \"good\"\nrequires = [\"program:no-such-program-of-kata-ci\"]\n",
    );
    let run = run_in(place.path()).finish().expect_code(4);
    assert_eq!(run.outcome("good.test"), "skipped");
    let strict = run_in(place.path())
        .args(["--require-all"])
        .finish()
        .expect_code(69);
    assert_eq!(strict.outcome("good.test"), "error");
    run_in(place.path())
        .env("CI", "true")
        .finish()
        .expect_code(69);
}

#[test]
fn code_2_for_usage_and_configuration() {
    let place = makefiles(&[("good", GOOD)]);
    for arguments in [
        vec!["--no-such-option"],
        vec!["-p", "no-such-pipeline"],
        vec!["nobody"],
    ] {
        run_in(place.path())
            .args(&arguments)
            .finish()
            .expect_code(2);
    }
    KataCi::bare()
        .args(["run", "-C", "/no/such/place"])
        .finish()
        .expect_code(2);
}

#[test]
fn code_2_for_a_report_directory_that_cannot_be_made() {
    let place = makefiles(&[("good", GOOD)]);
    let run = KataCi::bare()
        .args(["run", "--report-dir", "/proc/kata-ci", "-C"])
        .args([place.path()])
        .finish()
        .expect_code(2);
    assert!(run.stderr.contains("/proc/kata-ci"), "{}", run.stderr);
}

#[test]
fn code_128_and_the_signal_when_one_ended_the_run() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let place = makefiles(&[("hang", HANG)]);
        let run = run_in(place.path()).args(["-s", "test"]).start();
        run.wait_for_event("job-started");
        run.signal(signal);
        let run = run.finish().expect_code(code);
        assert_eq!(run.outcome("hang.test"), "cancelled");
    }
}
