//! Tests cancelling and killing a run.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::time::Duration;

use crate::support::exec::Bench;
use kata_ci::event::Event;
use kata_ci::exec::Control;
use kata_ci::model::{Ending, JobOutcome};

const SIGINT: i32 = 2;

/// Creates a file when it has begun, and hangs.
const HANGS: &str = "echo > begun.$$; sleep 1000";

/// Waits until this many scripts have begun.
fn wait_for_begun(bench: &Bench, count: usize) {
    let begun = || {
        std::fs::read_dir(bench.path(""))
            .unwrap()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("begun."))
            .count()
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while begun() < count {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn cancelling_ends_what_runs_and_starts_nothing_more() {
    let mut bench = Bench::new();
    bench.settings.parallel = 1;
    let jobs = [bench.script("a", HANGS), bench.script("b", "touch ran")];
    let ran = bench.run_watched(jobs, |event, control| {
        if let Event::JobStarted(_) = event {
            wait_for_begun(&bench, 1);
            control.send(Control::Cancel(SIGINT)).unwrap();
        }
    });
    assert_eq!(ran.verdict("a"), "cancelled: cancelled by SIGINT");
    assert_eq!(ran.finished("a").ending, Some(Ending::Signal(15)));
    assert_eq!(ran.verdict("b"), "not-run: cancelled by SIGINT");
    assert!(!bench.path("ran").exists());
    ran.assert_within(Duration::from_secs(5));
}

#[test]
fn a_second_word_kills_at_once() {
    let bench = Bench::new();
    let job = bench.script(
        "a",
        "trap '' TERM; echo > begun.1; while :; do sleep 1000; done",
    );
    let ran = bench.run_watched([job], |event, control| {
        if let Event::JobStarted(_) = event {
            wait_for_begun(&bench, 1);
            control.send(Control::Cancel(SIGINT)).unwrap();
            control.send(Control::Kill(SIGINT)).unwrap();
        }
    });
    assert_eq!(ran.finished("a").outcome, JobOutcome::Cancelled);
    assert_eq!(ran.finished("a").ending, Some(Ending::Signal(9)));
    // The grace time is 10 s.
    ran.assert_within(Duration::from_secs(5));
}

#[test]
fn sixty_four_jobs_are_cancelled_together() {
    let mut bench = Bench::new();
    bench.settings.parallel = 64;
    let jobs: Vec<_> = (0..64)
        .map(|number| bench.script(&format!("c{number}"), HANGS))
        .collect();
    let (mut started, mut cancelled) = (0, None);
    let ran = bench.run_watched(jobs, |event, control| {
        started += usize::from(matches!(event, Event::JobStarted(_)));
        if started == 64 && cancelled.is_none() {
            wait_for_begun(&bench, 64);
            cancelled = Some(std::time::Instant::now());
            control.send(Control::Cancel(SIGINT)).unwrap();
        }
    });
    println!("64 jobs cancelled in {:?}", cancelled.unwrap().elapsed());
    for number in 0..64 {
        let finished = ran.finished(&format!("c{number}"));
        assert_eq!(finished.outcome, JobOutcome::Cancelled);
    }
}

#[test]
fn the_limit_of_bad_jobs_ends_the_run() {
    let mut bench = Bench::new();
    bench.settings.parallel = 2;
    bench.settings.max_fail = Some(2);
    let bad = "until [ -e begun.1 ]; do sleep 0.01; done; exit 1";
    let ran = bench.run([
        bench.script("hangs", "echo > begun.1; sleep 1000"),
        bench.script("bad", bad),
        bench.script("good", "true"),
        bench.script("worse", bad),
        bench.script("never", "touch ran"),
    ]);
    assert_eq!(ran.verdict("bad"), "failed: exited with 1");
    assert_eq!(ran.verdict("good"), "passed: ");
    let reason = "stopped by --max-fail 2: worse.test failed";
    assert_eq!(ran.verdict("hangs"), format!("cancelled: {reason}"));
    assert_eq!(ran.verdict("never"), format!("not-run: {reason}"));
    assert!(!bench.path("ran").exists());
}

#[test]
fn when_nobody_listens_the_jobs_end() {
    let bench = Bench::new();
    let plan = kata_ci::plan::Plan {
        jobs: vec![
            bench.script("a", "while :; do echo hello; done"),
            bench.script("b", HANGS),
        ],
    };
    let (sender, receiver) = crossbeam_channel::bounded(1);
    drop(receiver);
    kata_ci::exec::run(&plan, &bench.settings, &sender, &crossbeam_channel::never());
    bench.assert_nothing_left();
}

#[test]
fn signals_become_words() {
    if !crate::support::exec::is_alone("exec::control::signals_become_words") {
        return;
    }
    let (sender, receiver) = crossbeam_channel::unbounded();
    let guard = kata_ci::exec::signals::listen(sender).unwrap();
    let limit = Duration::from_secs(10);
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(receiver.recv_timeout(limit), Ok(Control::Cancel(15)));
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(receiver.recv_timeout(limit), Ok(Control::Kill(15)));
    drop(guard);
    // Reports are written to the end.
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGTERM).unwrap();
}
