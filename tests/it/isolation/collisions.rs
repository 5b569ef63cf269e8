//! Tests components that use the same fixed path in /tmp and the same port in parallel.

use std::process::Command;

use tempfile::TempDir;

use crate::support::isolation::Who;
use crate::support::workspace::fixtures;
use crate::support::{Finished, KataCi};

/// Returns two copies of the fixture.
fn two() -> TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(place.path().join("work")).expect("made");
    for name in ["one", "two"] {
        let copied = Command::new("cp")
            .arg("-a")
            .arg(fixtures().join("collide"))
            .arg(place.path().join("work").join(name))
            .status();
        assert!(copied.expect("cp runs").success());
    }
    place
}

fn run(who: Who, place: &TempDir, arguments: &[&str]) -> Finished {
    let reports = place.path().join("reports");
    let call = KataCi::bare()
        .args(["run", "-j2", "-s", "test", "-C"])
        .args([place.path().join("work")])
        .args(["--report-dir"])
        .args([&reports])
        .args(arguments)
        .reports_in(&reports);
    who.calls(call, place.path()).finish()
}

/// Expects every round to pass, for the user of the tests and for an ordinary user.
fn all_pass(rounds: usize) {
    for who in [Who::Myself, Who::User] {
        let place = two();
        for arguments in [["--isolate", "auto"], ["--isolate", "on"]]
            .iter()
            .cycle()
            .take(rounds)
        {
            let run = run(who, &place, arguments).expect_code(0);
            assert_eq!((run.outcome("one.test"), run.outcome("two.test")), passed());
        }
        eprintln!("{who:?}: {rounds} of {rounds} rounds passed");
    }
}

fn passed() -> (String, String) {
    ("passed".to_owned(), "passed".to_owned())
}

#[test]
fn two_copies_side_by_side_pass() {
    all_pass(2);
}

#[test]
#[ignore = "takes minutes: make soak"]
fn two_copies_side_by_side_pass_fifty_times() {
    all_pass(50);
}

/// Proves that the fixture does collide.
#[test]
fn without_isolation_two_copies_collide() {
    let place = two();
    let collides = |_| {
        let run = run(
            Who::Myself,
            &place,
            &["--isolate", "off", "--network", "on"],
        );
        (run.code == 1).then(|| run.log("one.test") + &run.log("two.test"))
    };
    let log = (0..10).find_map(collides).expect("a round that fails");
    assert!(log.contains("Address already in use"), "{log}");
}
