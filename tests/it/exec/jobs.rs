//! Tests that a job gets exactly its environment, and that its end is reported exactly.

use std::time::Duration;

use crate::support::exec::Bench;
use kata_ci::event::Event;
use kata_ci::model::{Command, JobId, Readiness};
use kata_ci::model::{Ending, Expect, JobOutcome};

#[test]
fn a_job_that_ends_well_passes_with_its_resources() {
    let bench = Bench::new();
    let job = bench.script(
        "a",
        "echo out; echo err >&2; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done",
    );
    let ran = bench.run([job]);
    let finished = ran.finished("a");
    assert_eq!(ran.verdict("a"), "passed: ");
    assert_eq!(finished.ending, Some(Ending::ExitCode(0)));
    assert_eq!(finished.attempt, 1);
    assert_eq!(finished.log.as_deref(), Some("logs/a.test.log"));
    assert_eq!(finished.log_size, 8);
    assert_eq!(ran.log("a"), "out\nerr\n");
    assert!(finished.seconds > 0.0);
    assert!(finished.cpu_seconds.unwrap() > 0.0);
    assert!(finished.peak_memory.unwrap() > 100 * 1024);
    assert!(finished.left_behind.processes.is_empty());
    let kinds: Vec<_> = ran.events.iter().map(kind).collect();
    assert_eq!(kinds, ["queued", "started", "finished"]);
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::JobQueued(_) => "queued",
        Event::JobStarted(_) => "started",
        Event::JobFinished(_) => "finished",
        _ => "other",
    }
}

#[test]
fn an_exit_code_and_a_signal_are_told_apart() {
    let bench = Bench::new();
    let ran = bench.run([
        bench.script("code", "exit 130"),
        bench.script("signal", "kill -INT $$"),
    ]);
    assert_eq!(ran.finished("code").ending, Some(Ending::ExitCode(130)));
    assert_eq!(ran.finished("signal").ending, Some(Ending::Signal(2)));
    assert_eq!(ran.verdict("signal"), "failed: ended by signal 2");
}

#[test]
fn a_job_sees_its_own_environment_directory_and_three_files_only() {
    let bench = Bench::new();
    // Left open without close-on-exec, as make's jobserver leaves its pipe.
    let inherited = std::fs::File::open("/dev/zero").unwrap();
    nix::fcntl::fcntl(
        &inherited,
        nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()),
    )
    .unwrap();
    let mut job = bench.script(
        "a",
        "pwd; env; ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> /fd \\1 /p'",
    );
    job.environment.set("GREETING", "hello world");
    let ran = bench.run([job]);
    let log = ran.log("a");
    assert!(
        log.starts_with(bench.path("").to_str().unwrap().trim_end_matches('/')),
        "{log}"
    );
    assert!(log.contains("\nGREETING=hello world\n"), "{log}");
    assert!(!log.contains("CARGO"), "{log}");
    let files: Vec<_> = log.lines().filter(|line| line.starts_with("fd ")).collect();
    // The last one is the directory that ls itself reads.
    assert_eq!(files.len(), 4, "{log}");
    assert_eq!(files[0], "fd 0 /dev/null");
    assert!(
        files[1].starts_with("fd 1 pipe:") && files[2].starts_with("fd 2 pipe:"),
        "{log}"
    );
    assert!(files[3].starts_with("fd 3 /proc/"), "{log}");
}

#[test]
fn a_job_starts_with_default_signals_in_a_group_of_its_own() {
    let bench = Bench::new();
    let words = ["cat", "/proc/self/status"].map(String::from).to_vec();
    let job = bench.job("a", Command::Run(words));
    let ran = bench.run([job]);
    let log = ran.log("a");
    let value = |name: &str| {
        let line = log.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    for name in ["SigBlk:", "SigIgn:", "SigCgt:"] {
        let mask = u64::from_str_radix(&value(name), 16).unwrap();
        // 32 and 33 are the C library's own: nobody can set them.
        assert_eq!(mask & !(0b11 << 31), 0, "{name} {log}");
    }
    assert_eq!(value("NSpgid:"), value("Pid:"));
}

#[test]
fn reading_standard_input_ends_at_once() {
    let bench = Bench::new();
    let ran = bench.run([bench.script("a", "cat; echo read: $?")]);
    assert_eq!(ran.log("a"), "read: 0\n");
}

#[test]
fn there_is_no_terminal_to_ask_on() {
    let bench = Bench::new();
    let ran = bench.run([bench.script("a", "read answer </dev/tty")]);
    assert_eq!(ran.finished("a").outcome, JobOutcome::Failed);
    assert!(
        ran.log("a").contains("No such device or address"),
        "{}",
        ran.log("a")
    );
}

#[test]
fn output_of_a_pipe_behind_the_shell_is_not_lost() {
    let bench = Bench::new();
    let text = "exec > >(sleep 0.02; cat); echo to the last line";
    let words = ["bash", "-c", text].map(String::from).to_vec();
    let ran = bench.run([bench.job("a", Command::Run(words))]);
    assert_eq!(ran.log("a"), "to the last line\n");
    assert!(ran.finished("a").left_behind.processes.is_empty());
}

#[test]
fn jobs_with_a_lock_never_run_side_by_side() {
    let bench = Bench::new();
    let jobs: Vec<_> = (0..6)
        .map(|number| {
            let text = "mkdir held; sleep 0.02; rmdir held";
            let mut job = bench.script(&format!("c{number}"), text);
            job.locks = vec!["one".into()];
            job
        })
        .collect();
    let ran = bench.run(jobs);
    for number in 0..6 {
        assert_eq!(ran.verdict(&format!("c{number}")), "passed: ");
    }
}

#[test]
fn jobs_without_a_lock_do_and_workers_have_numbers() {
    let bench = Bench::new();
    // Each waits for the other: one after the other they would never end.
    let meet = |own, other: &str| {
        let text = format!("touch {own}; until [ -e {other} ]; do sleep 0.01; done");
        bench.script(own, &text)
    };
    let ran = bench.run([meet("a", "b"), meet("b", "a")]);
    let mut workers: Vec<_> = ran
        .events
        .iter()
        .filter_map(|event| match event {
            Event::JobStarted(started) => Some(started.slot),
            _ => None,
        })
        .collect();
    workers.sort_unstable();
    assert_eq!(workers, [0, 1]);
}

#[test]
fn a_job_whose_need_is_lost_is_not_run() {
    let bench = Bench::new();
    let mut needy = bench.script("needy", "touch ran");
    needy.needs = vec![JobId::new("bad", "test")];
    let mut late = bench.script("late", "test -e first");
    late.after = vec![JobId::new("bad", "test")];
    let ran = bench.run([needy, late, bench.script("bad", "touch first; exit 1")]);
    assert_eq!(ran.verdict("needy"), "not-run: bad.test failed");
    assert_eq!(ran.finished("needy").attempt, 0);
    assert_eq!(ran.verdict("late"), "passed: ");
    assert!(!bench.path("ran").exists());
}

#[test]
fn a_job_that_is_not_ready_never_starts() {
    let mut bench = Bench::new();
    let unready = |name, readiness| {
        let mut job = bench.script(name, "touch ran");
        job.readiness = readiness;
        job
    };
    let (what, fix) = (String::from("no kvm"), String::from("load it"));
    let jobs = [
        unready(
            "unmet",
            Readiness::Unmet {
                what: what.clone(),
                fix: fix.clone(),
            },
        ),
        unready("broken", Readiness::Broken { what, fix }),
    ];
    let ran = bench.run(jobs.clone());
    assert_eq!(ran.verdict("unmet"), "skipped: no kvm");
    assert_eq!(ran.finished("unmet").fix.as_deref(), Some("load it"));
    assert_eq!(ran.verdict("broken"), "error: no kvm");
    bench.settings.require_all = true;
    assert_eq!(bench.run(jobs).verdict("unmet"), "error: no kvm");
    assert!(!bench.path("ran").exists());
}

#[test]
fn a_slow_consumer_loses_nothing() {
    let bench = Bench::new();
    let jobs: Vec<_> = (0..40)
        .map(|number| bench.script(&format!("c{number}"), "echo hello"))
        .collect();
    let ran = bench.run_watched(jobs, |_, _| std::thread::sleep(Duration::from_millis(2)));
    assert_eq!(ran.events.len(), 120);
}

#[test]
fn a_step_that_expects_cases_and_shows_none_is_vacuous() {
    let bench = Bench::new();
    let mut job = bench.script("a", "true");
    job.expect = Expect::Cases;
    let mut allowed = bench.script("b", "true");
    allowed.expect = Expect::Cases;
    allowed.allow_vacuous = Some("no tests yet".into());
    let ran = bench.run([job, allowed]);
    assert_eq!(
        ran.verdict("a"),
        "vacuous: the command passed, but no case was recognised: it printed nothing"
    );
    assert_eq!(ran.finished("a").allowed, None);
    assert_eq!(ran.finished("b").allowed.as_deref(), Some("no tests yet"));
}
