//! Tests `kata-ci logs`: the log of a job, while it runs and afterwards.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::support::workspace::makefiles;
use crate::support::{Finished, KataCi, run_in};

fn logs(run: &std::path::Path, arguments: &[&str]) -> Finished {
    KataCi::bare()
        .args(["logs", "--run"])
        .args([run])
        .args(arguments)
        .finish()
}

#[test]
fn the_logs_of_a_run_are_listed_and_shown() {
    let place = makefiles(&[
        (
            "one",
            "test:\n @echo '1..1'; echo '  ok 1 - a'; printf '\\033[31mred'\n.PHONY: test",
        ),
        ("two", "test:\n @exit 1\n.PHONY: test"),
    ]);
    let run = run_in(place.path()).args(["-s", "test"]).finish();
    let list = logs(&run.reports, &[]).expect_code(0).stdout;
    assert!(
        list.contains("two.test  failed  ") && list.contains("one.test.log"),
        "{list}"
    );
    let shown = logs(&run.reports, &["one.test"]).expect_code(0).stdout;
    assert_eq!(shown, "1..1\n  ok 1 - a\nred\n");
    assert_eq!(
        logs(&run.reports, &["one.test", "-f"])
            .expect_code(0)
            .stdout,
        shown
    );
    let unknown = logs(&run.reports, &["three.test"]).expect_code(2);
    assert!(
        unknown.stderr.contains("its jobs are one.test, two.test"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn a_running_job_is_followed_to_its_end_and_a_dead_run_is_told() {
    let held =
        "test:\n @echo 1..1; while [ ! -e go ]; do sleep 0.05; done; echo 'ok 1 - a'\n.PHONY: test";
    let place = makefiles(&[("one", held)]);
    for killed in [false, true] {
        let run = run_in(place.path()).args(["-s", "test"]).start();
        run.wait_for_log("one.test", "1..1");
        let mut follower = Command::new(env!("CARGO_BIN_EXE_kata-ci"))
            .args(["logs", "one.test", "-f", "--run"])
            .arg(&run.reports)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let mut lines = BufReader::new(follower.stdout.take().expect("piped")).lines();
        assert_eq!(lines.next().expect("a line").expect("text"), "1..1");
        match killed {
            true => run.signal(Signal::SIGKILL),
            false => fs::write(place.path().join("one/go"), "").expect("written"),
        }
        let rest: Vec<_> = lines.map(|line| line.expect("text")).collect();
        let output = follower.wait_with_output().expect("ended");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match killed {
            false => assert_eq!(
                (rest, output.status.code()),
                (vec!["ok 1 - a".to_owned()], Some(0))
            ),
            true => {
                assert_eq!(output.status.code(), Some(75), "{said}");
                assert!(said.contains("the run ended before one.test did"), "{said}");
            }
        }
        run.finish();
        let _ = fs::remove_file(place.path().join("one/go"));
    }
}
