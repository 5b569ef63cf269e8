//! Tests that a failure of kata-ci's environment is an error with cause, place and hint.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::path::Path;
use std::time::Duration;

use crate::support::exec::Bench;
use kata_ci::model::Command;
use kata_ci::model::JobOutcome;
use kata_ci::plan::Job;

fn command(bench: &Bench, words: &[&str]) -> Job {
    let words = words.iter().map(ToString::to_string).collect();
    bench.job("a", Command::Run(words))
}

/// Returns the reason and the hint of a job that must be an error.
fn error(bench: &Bench, job: Job) -> (String, String) {
    let ran = bench.run([job]);
    let finished = ran.finished("a");
    assert_eq!(finished.outcome, JobOutcome::Error, "{finished:?}");
    (
        finished.reason.clone(),
        finished.fix.clone().unwrap_or_default(),
    )
}

#[test]
fn a_program_that_is_not_there_is_named_with_the_path() {
    let bench = Bench::new();
    let mut job = command(&bench, &["no-such-program", "x"]);
    job.environment.set("PATH", "/one:/two");
    let (reason, fix) = error(&bench, job);
    assert_eq!(
        reason,
        "program `no-such-program` is not in PATH (/one:/two)"
    );
    assert_eq!(fix, "install no-such-program, or add its directory to PATH");
    assert!(!bench.settings.logs.path().join("a.test.log").exists());
}

#[test]
fn the_path_is_the_jobs_own() {
    let bench = Bench::new();
    let mut job = command(&bench, &["true"]);
    job.environment.remove(std::ffi::OsStr::new("PATH"));
    let (reason, _) = error(&bench, job);
    assert_eq!(reason, "program `true`: PATH is not set");
}

#[test]
fn a_program_below_the_directory_is_found_from_there() {
    let bench = Bench::new();
    write_script(&bench.path("here"), "#!/bin/sh\necho found\n", 0o755);
    let ran = bench.run([command(&bench, &["./here"])]);
    assert_eq!(ran.log("a"), "found\n");
    write_script(&bench.path("plain"), "echo\n", 0o644);
    let (reason, _) = error(&bench, command(&bench, &["./plain"]));
    assert!(reason.starts_with("not an executable file: /"), "{reason}");
}

#[test]
fn an_interpreter_that_is_not_there_is_told_from_a_missing_program() {
    let bench = Bench::new();
    write_script(&bench.path("odd"), "#!/no/such/interpreter\n", 0o755);
    let (reason, fix) = error(&bench, command(&bench, &["./odd"]));
    assert!(reason.contains("odd"), "{reason}");
    assert!(fix.contains("interpreter"), "{fix}");
}

fn write_script(path: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let bench = Bench::new();
    let mut job = bench.script("a", "true");
    job.directory = bench.path("gone");
    let (reason, _) = error(&bench, job);
    assert!(reason.contains("/gone: No such file"), "{reason}");
    let mut job = bench.script("a", "true");
    job.directory = "/dev/null".into();
    let (reason, _) = error(&bench, job);
    assert_eq!(reason, "/dev/null is not a directory");
}

#[test]
fn a_log_that_cannot_be_made_is_an_error() {
    let bench = Bench::new();
    let log = bench.settings.logs.path().join("a.test.log");
    std::fs::create_dir(&log).unwrap();
    let (reason, _) = error(&bench, bench.script("a", "touch ran"));
    assert!(reason.contains(log.to_str().unwrap()), "{reason}");
    assert!(!bench.path("ran").exists());
}

#[test]
fn a_full_disk_ends_the_job_and_is_an_error() {
    let may_mount = ["unshare", "--user", "--map-root-user", "--mount"];
    let name = "exec::trouble::a_full_disk_ends_the_job_and_is_an_error";
    if !crate::support::exec::is_alone_behind(&may_mount, name) {
        return;
    }
    let bench = Bench::new();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "none"])
        .arg(bench.settings.logs.path())
        .status();
    assert!(mounted.unwrap().success());
    let mut job = bench.script("a", "trap 'exit 0' TERM; while :; do echo hello; done");
    job.grace = Duration::from_secs(5);
    let ran = bench.run([job]);
    let verdict = ran.verdict("a");
    assert!(
        verdict.starts_with("error: cannot write the log"),
        "{verdict}"
    );
    assert!(verdict.contains("No space left"), "{verdict}");
    assert!(ran.finished("a").fix.as_ref().unwrap().contains("space"));
    ran.assert_within(Duration::from_secs(5));
}

#[test]
fn a_helper_that_cannot_be_started_is_an_error() {
    let mut bench = Bench::new();
    bench.settings.program = "/no/such/kata-ci".into();
    let (reason, _) = error(&bench, bench.script("a", "true"));
    assert!(reason.contains("/no/such/kata-ci"), "{reason}");
}

#[test]
fn a_helper_that_is_no_helper_is_an_error() {
    let mut bench = Bench::new();
    bench.settings.program = "/bin/true".into();
    let (reason, _) = error(&bench, bench.script("a", "touch ran"));
    // Either of the two is noticed first.
    let said = ["process that watches the job", "handing over the job"];
    assert!(said.iter().any(|words| reason.contains(words)), "{reason}");
}

#[test]
fn the_helper_called_by_hand_says_what_to_call() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kata-ci"))
        .arg("__job")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("kata-ci run"));
}

#[test]
fn too_few_files_is_an_error_with_what_to_do() {
    use nix::sys::resource::{Resource, setrlimit};
    if !crate::support::exec::is_alone("exec::trouble::too_few_files_is_an_error_with_what_to_do") {
        return;
    }
    let bench = Bench::new();
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    let mut fixes = Vec::new();
    // The failure is reported wherever it happens.
    for more in 0..12 {
        setrlimit(Resource::RLIMIT_NOFILE, open + more, open + 100).unwrap();
        let ran = bench.run_unchecked([bench.script("a", "true")]);
        let finished = ran.finished("a");
        match finished.outcome {
            JobOutcome::Passed => break,
            outcome => assert_eq!(outcome, JobOutcome::Error, "{finished:?}"),
        }
        assert!(
            finished.reason.contains("Too many open files"),
            "{finished:?}"
        );
        fixes.push(finished.fix.clone().unwrap());
    }
    assert!(
        fixes.iter().all(|fix| fix.contains("ulimit -n")),
        "{fixes:?}"
    );
    assert!((3..12).contains(&fixes.len()), "{fixes:?}");
}
