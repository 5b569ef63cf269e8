//! Tests Ctrl-C: once to end in order, twice to end at once.

use nix::sys::signal::Signal;

use crate::support::workspace::makefiles;
use crate::support::{processes, run_in};

/// Returns a Makefile that reports TERM and continues.
fn stubborn(marker: &str) -> String {
    format!(
        "test:\n @MARK={marker} bash -c 'trap \"echo got TERM\" TERM; echo ready; while :; do sleep 0.05; done'\n.PHONY: test"
    )
}

#[test]
fn once_ends_the_jobs_by_term_and_writes_the_reports() {
    let polite = "test:\n @bash -c 'trap \"echo tidied up; exit 3\" TERM; echo waiting; sleep 60 & wait'\n.PHONY: test";
    let place = makefiles(&[("polite", polite), ("second", polite)]);
    let run = run_in(place.path())
        .args(["-s", "test", "-j1", "--grace", "20s"])
        .start();
    run.wait_for_log("polite.test", "waiting");
    run.signal(Signal::SIGINT);
    let run = run.finish().expect_code(130);
    assert!(
        run.seconds < 15.0,
        "the grace time was not waited for: {} s",
        run.seconds
    );
    assert_eq!(run.outcome("polite.test"), "cancelled");
    assert_eq!(run.outcome("second.test"), "not-run");
    assert!(run.log("polite.test").contains("tidied up"));
    let said = "! cancelled by SIGINT: waiting for 1 job to end; press Ctrl-C again to kill it\n";
    assert!(run.printed().contains(said), "{}", run.printed());
    assert!(run.junit().contains("type=\"cancelled\""));
    assert_eq!(run.result()["exit"], 130);
}

#[test]
fn a_plan_that_was_cancelled_is_no_failure() {
    let tap = "test:\n @printf '1..3\\nok 1 - a\\n'; sleep 60\n.PHONY: test";
    let place = makefiles(&[("stream", tap)]);
    let run = run_in(place.path()).args(["-s", "test"]).start();
    run.wait_for_log("stream.test", "ok 1 - a");
    run.signal(Signal::SIGINT);
    let run = run.finish().expect_code(130);
    assert_eq!(run.outcome("stream.test"), "cancelled");
    assert!(!run.printed().contains("(plan)"), "{}", run.printed());
    assert!(!run.junit().contains("(plan)"), "{}", run.junit());
    assert!(run.junit().contains("planned, and never came"));
}

#[test]
fn twice_kills_at_once() {
    let marker = format!("kata-ci-twice-{}", std::process::id());
    let place = makefiles(&[("stubborn", &stubborn(&marker))]);
    let run = run_in(place.path())
        .args(["-s", "test", "--grace", "50s"])
        .start();
    run.wait_for_log("stubborn.test", "ready");
    run.signal(Signal::SIGINT);
    run.wait_for_log("stubborn.test", "got TERM");
    run.signal(Signal::SIGINT);
    let run = run.finish().expect_code(130);
    assert!(
        run.seconds < 30.0,
        "the grace time was waited for: {} s",
        run.seconds
    );
    assert_eq!(processes::with(&marker), Vec::<String>::new());
}

#[test]
fn a_killed_kata_ci_takes_its_jobs_along() {
    let marker = format!("kata-ci-killed-{}", std::process::id());
    let place = makefiles(&[("stubborn", &stubborn(&marker))]);
    let run = run_in(place.path()).args(["-s", "test"]).start();
    run.wait_for_log("stubborn.test", "ready");
    run.signal(Signal::SIGKILL);
    run.finish().expect_code(137);
    crate::support::until("its processes to end", || {
        processes::with(&marker).is_empty()
    });
}
