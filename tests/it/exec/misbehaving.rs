//! Tests every way to misbehave: each job ends in time, and leaves nothing ([`Bench::run`] checks
//! that).

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::time::Duration;

use crate::support::exec::{Bench, Ran, is_alone};
use kata_ci::event::Event;
use kata_ci::model::Command;
use kata_ci::model::{Ending, JobOutcome};
use kata_ci::plan::Job;

const TIMEOUT: Duration = Duration::from_millis(400);
const GRACE: Duration = Duration::from_millis(300);

/// Runs a script with short limits; asserts that it ended in time.
fn misbehave(bench: &Bench, text: &str) -> Ran {
    limited(bench, bench.script("a", text))
}

fn limited(bench: &Bench, mut job: Job) -> Ran {
    job.timeout = TIMEOUT;
    job.grace = GRACE;
    let ran = bench.run([job]);
    ran.assert_within(TIMEOUT + GRACE + Duration::from_secs(1));
    ran
}

fn perl(bench: &Bench, text: &str) -> Ran {
    let words = ["perl", "-e", text].map(String::from).to_vec();
    limited(bench, bench.job("a", Command::Run(words)))
}

#[test]
fn hanging() {
    let ran = misbehave(&Bench::new(), "echo begin; sleep 1000");
    assert_eq!(ran.verdict("a"), "timed-out: did not end within 400ms");
    assert_eq!(ran.finished("a").ending, Some(Ending::Signal(15)));
    assert_eq!(ran.log("a"), "begin\n");
}

#[test]
fn being_busy() {
    let ran = misbehave(&Bench::new(), "while :; do :; done");
    assert_eq!(ran.finished("a").outcome, JobOutcome::TimedOut);
    assert!(ran.finished("a").cpu_seconds.unwrap() > 0.0);
}

#[test]
fn having_a_last_word_after_term() {
    let ran = misbehave(
        &Bench::new(),
        "trap 'echo last word; exit 7' TERM; while :; do sleep 0.05; done",
    );
    assert_eq!(ran.finished("a").outcome, JobOutcome::TimedOut);
    assert_eq!(ran.finished("a").ending, Some(Ending::ExitCode(7)));
    assert!(ran.log("a").ends_with("last word\n"), "{}", ran.log("a"));
}

#[test]
fn ignoring_term() {
    let ran = misbehave(&Bench::new(), "trap '' TERM; while :; do sleep 1000; done");
    assert_eq!(ran.finished("a").outcome, JobOutcome::TimedOut);
    assert_eq!(ran.finished("a").ending, Some(Ending::Signal(9)));
}

#[test]
fn being_stopped() {
    let ran = misbehave(&Bench::new(), "kill -STOP $$; sleep 1000");
    assert_eq!(ran.finished("a").ending, Some(Ending::Signal(15)));
}

#[test]
fn keeping_the_pipe() {
    let ran = misbehave(&Bench::new(), "sleep 1000 & echo done");
    assert_eq!(ran.verdict("a"), "passed: ");
    let left = &ran.finished("a").left_behind.processes;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].contains("sleep 1000"), "{left:?}");
    assert_eq!(ran.log("a"), "done\n");
    ran.assert_within(TIMEOUT);
}

#[test]
fn forking_and_exiting_with_everything_closed() {
    let ran = misbehave(
        &Bench::new(),
        "(sleep 1000 </dev/null >/dev/null 2>&1 &) ; exit 3",
    );
    assert_eq!(ran.verdict("a"), "failed: exited with 3");
    assert_eq!(ran.finished("a").left_behind.processes.len(), 1);
}

#[test]
fn escaping_by_setsid_and_a_double_fork() {
    let text = "setsid sh -c 'trap \"\" TERM HUP; setsid sleep 1000 & wait; sleep 1000' & sleep 0.1; exit 0";
    let ran = misbehave(&Bench::new(), text);
    assert_eq!(ran.finished("a").outcome, JobOutcome::Passed);
    assert!(ran.finished("a").left_behind.processes.len() >= 2);
}

#[test]
fn escaping_and_hanging() {
    let text =
        "setsid sh -c 'trap \"echo got it; exit\" TERM; while :; do sleep 0.05; done' & sleep 1000";
    let ran = misbehave(&Bench::new(), text);
    assert_eq!(ran.finished("a").outcome, JobOutcome::TimedOut);
    // TERM reached the one that had left.
    assert!(ran.log("a").contains("got it"), "{}", ran.log("a"));
}

#[test]
fn killing_its_own_group() {
    let ran = misbehave(&Bench::new(), "sleep 1000 & kill -9 0; sleep 1000");
    assert_eq!(ran.verdict("a"), "failed: ended by signal 9");
    ran.assert_within(TIMEOUT);
}

#[test]
fn fifty_sleepers_in_sessions_of_their_own() {
    let text = "i=0; while [ $i -lt 50 ]; do setsid sh -c 'trap \"\" TERM; sleep 1000' & i=$((i+1)); done; sleep 0.2";
    let bench = Bench::new();
    let mut job = bench.script("a", text);
    job.timeout = Duration::from_secs(20);
    let ran = bench.run([job]);
    assert_eq!(ran.verdict("a"), "passed: ");
    let left = &ran.finished("a").left_behind;
    assert_eq!(left.processes.len(), 20, "{left:?}");
    assert!(left.more_processes >= 30, "{left:?}");
}

#[test]
fn starting_again_when_killed() {
    // Two processes watch and restart each other, each time in a session of its own.
    let text = r#"
        use POSIX;
        $SIG{TERM} = "IGNORE";
        sub guard {
            my $depth = shift;
            my $child = fork;
            if (!$child) { POSIX::setsid(); guard($depth + 1) if $depth < 5; sleep 1000 while 1 }
            while (1) { waitpid $child, 0; $child = fork; if (!$child) { POSIX::setsid(); sleep 1000 while 1 } }
        }
        guard(0);"#;
    let ran = perl(&Bench::new(), text);
    assert_eq!(ran.finished("a").outcome, JobOutcome::TimedOut);
}

#[test]
fn forking_faster_than_anybody_looks() {
    // A comet: no process lives longer than it takes to fork the next one.
    let text = r#"use POSIX; $SIG{TERM} = "IGNORE"; for (1..3) { if (!fork) { while (1) { POSIX::setsid(); exit if fork } } } sleep 1000 while 1"#;
    let ran = perl(&Bench::new(), text);
    assert_eq!(ran.finished("a").outcome, JobOutcome::TimedOut);
    assert_eq!(ran.finished("a").ending, Some(Ending::Signal(9)));
}

#[test]
fn killing_its_parent() {
    if !is_alone("exec::misbehaving::killing_its_parent") {
        return;
    }
    let bench = Bench::new();
    let ran = misbehave(&bench, "setsid sleep 1000 & kill -9 $PPID; sleep 1000");
    let verdict = ran.verdict("a");
    assert!(
        verdict.starts_with("error: the process that watches the job was stopped or killed"),
        "{verdict}"
    );
    ran.assert_within(TIMEOUT);
}

#[test]
fn stopping_its_parent() {
    if !is_alone("exec::misbehaving::stopping_its_parent") {
        return;
    }
    let ran = misbehave(
        &Bench::new(),
        "kill -STOP $PPID; setsid sleep 1000 & sleep 1000",
    );
    assert_eq!(ran.finished("a").outcome, JobOutcome::TimedOut);
}

#[test]
fn terminating_its_parent_does_nothing() {
    let ran = misbehave(
        &Bench::new(),
        "kill -TERM $PPID; kill -INT $PPID; kill -HUP $PPID; echo still here",
    );
    assert_eq!(ran.verdict("a"), "passed: ");
    assert_eq!(ran.log("a"), "still here\n");
}

#[test]
fn a_parent_that_is_killed_takes_the_job_with_it() {
    if std::env::var_os("KATA_CI_TEST_VICTIM").is_some() {
        let bench = Bench::new();
        bench.run_watched(
            [bench.script(
                "a",
                "setsid sleep 1000 & sleep 0.1; echo > begun; sleep 1000",
            )],
            |event, _| {
                if let Event::JobStarted(_) = event {
                    while !bench.path("begun").exists() {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    let own = nix::unistd::Pid::this();
                    nix::sys::signal::kill(own, nix::sys::signal::Signal::SIGKILL).unwrap();
                }
            },
        );
        return;
    }
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "exec::misbehaving::a_parent_that_is_killed_takes_the_job_with_it",
        ])
        .env("KATA_CI_TEST_VICTIM", "1")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let victim = child.id();
    let status = child.wait_with_output().unwrap().status;
    assert!(!status.success());
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    // Benches are named after their process, so those of the victim can be found.
    while !crate::support::exec::left_of(victim).is_empty() {
        assert!(
            std::time::Instant::now() < deadline,
            "{:?}",
            crate::support::exec::left_of(victim)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn flooding() {
    if !is_alone("exec::misbehaving::flooding") {
        return;
    }
    let bench = Bench::new();
    let log = bench.settings.logs.path().join("a.test.log");
    // Only the way to the log counts; on the disk it would be a gigabyte.
    std::os::unix::fs::symlink("/dev/null", log).unwrap();
    let ran = bench.run([bench.script("a", "head -c 1G /dev/zero | tr '\\0' x")]);
    assert_eq!(ran.verdict("a"), "passed: ");
    assert_eq!(ran.finished("a").log_size, 1 << 30);
    let peak = peak_memory();
    println!("1 GiB in {:?}, peak memory {} KiB", ran.elapsed, peak);
    assert!(peak < 64 * 1024, "{peak} KiB");
}

/// Returns the VmHWM of this process in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let words = line.unwrap().split_whitespace().next().unwrap();
    words.parse().unwrap()
}

#[test]
fn flooding_without_end() {
    let bench = Bench::new();
    let log = bench.settings.logs.path().join("a.test.log");
    std::os::unix::fs::symlink("/dev/null", log).unwrap();
    let ran = misbehave(&bench, "trap '' TERM; exec yes");
    assert_eq!(ran.finished("a").outcome, JobOutcome::TimedOut);
}

#[test]
fn flooding_somebody_who_does_not_listen() {
    let bench = Bench::new();
    let mut job = bench.script(
        "a",
        "trap '' TERM; while :; do echo '--- PASS: TestA (0.00s)'; done",
    );
    job.timeout = TIMEOUT;
    job.grace = GRACE;
    // The job must be gone in time; the run itself ends when the consumer has taken the last event.
    // It takes its time as long as the job runs, and catches up afterwards.
    let slow_until = std::time::Instant::now() + TIMEOUT + GRACE;
    let ran = bench.run_watched([job], |event, _| match event {
        Event::JobQueued(_) | Event::JobFinished(_) => {}
        _ if std::time::Instant::now() > slow_until => {}
        _ => std::thread::sleep(Duration::from_millis(1)),
    });
    let finished = ran.finished("a");
    assert_eq!(finished.outcome, JobOutcome::TimedOut);
    assert!(finished.seconds < 30.0);
}
