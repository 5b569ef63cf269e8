//! Tests that the check of a push covers exactly the pushed commits.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::push::review::everything;
use crate::support::gerrit::{Answer, Clone, Transport, User, plain, server};
use crate::support::{chance, kill_after, until};

/// Its test passes if the file `verdict` says `good`.
const PIPELINE: &str = r#"
version = 1
[[step]]
name = "test"
run = ["make", "test"]
expect = "exit"
[[component]]
name = "proxy"
path = "."
"#;

const MAKEFILE: &str = "test:\n\tgrep -x good verdict\n";

fn write(clone: &Clone, file: &str, text: &str) {
    fs::write(clone.directory.join(file), text).unwrap();
}

/// Commits the pipeline and publishes it.
fn publish(clone: &Clone, makefile: &str) {
    write(clone, "kata-ci.toml", PIPELINE);
    write(clone, "Makefile", makefile);
    write(clone, "verdict", "good\n");
    clone.commit("file", "proxy: have a pipeline\n");
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
}

fn prepared() -> Clone {
    let (_, clone) = plain();
    publish(&clone, MAKEFILE);
    clone
}

fn commit_verdict(clone: &Clone, verdict: &str) {
    write(clone, "verdict", verdict);
    clone.commit_with_id("file", &format!("proxy: say {verdict}"));
}

fn in_review(clone: &Clone) -> String {
    let listed = clone.git(&["ls-remote", "origin", "refs/for/master"]);
    listed.split('\t').next().unwrap_or_default().to_owned()
}

fn head(clone: &Clone) -> String {
    clone.git(&["rev-parse", "HEAD"])
}

/// Returns true if no checkout is left.
fn is_clear(clone: &Clone) -> bool {
    let aside = clone.home().join(".cache/kata-ci/aside");
    fs::read_dir(aside).map_or(true, |mut entries| entries.next().is_none())
}

#[test]
fn the_commits_verdict_counts_and_not_the_work_trees() {
    let clone = prepared();
    commit_verdict(&clone, "good\n");
    write(&clone, "verdict", "bad\n");
    write(&clone, "Makefile", "test:\n\tfalse\n");
    let answer = clone.call(&["push"]).expect(0);
    assert!(
        answer.output.contains("checked in a clean checkout: "),
        "{answer:?}"
    );
    assert!(answer.output.contains("1 passed"), "{answer:?}");
    assert_eq!(in_review(&clone), head(&clone));
    clone.git(&["checkout", "-q", "."]);
    commit_verdict(&clone, "bad\n");
    write(&clone, "verdict", "good\n");
    let before = in_review(&clone);
    let answer = clone.call(&["push"]).expect(1);
    assert!(
        answer.output.contains("the check did not pass"),
        "{answer:?}"
    );
    assert_eq!(in_review(&clone), before);
    assert!(is_clear(&clone));
}

#[test]
fn the_tip_is_checked_or_each_commit() {
    let clone = prepared();
    commit_verdict(&clone, "bad\n");
    let bad = head(&clone);
    commit_verdict(&clone, "good\n");
    let answer = clone.call(&["push", "--each"]).expect(1);
    assert!(
        answer.output.contains(&format!("{}: 1 failed", &bad[..7])),
        "{answer:?}"
    );
    assert_eq!(in_review(&clone), "");
    clone.call(&["push"]).expect(0);
    assert_eq!(in_review(&clone), head(&clone));
}

#[test]
fn what_kept_it_from_being_checked_is_no_rejection() {
    let (_, clone) = plain();
    publish(&clone, "test:\n\tno-such-program\n");
    commit_verdict(&clone, "good\n");
    let answer = clone.call(&["push"]).expect(69);
    assert!(answer.output.contains("could not be checked"), "{answer:?}");
    assert!(answer.output.contains("no-such-program"), "{answer:?}");
    assert!(!answer.output.contains("rejected"), "{answer:?}");
    assert_eq!(in_review(&clone), "");
}

#[test]
fn what_the_environment_says_of_runs_does_not_thin_the_check() {
    let clone = prepared();
    commit_verdict(&clone, "bad\n");
    for (name, value) in [
        ("KATACI_STEP", "none"),
        ("KATACI_SINCE", "HEAD"),
        ("KATACI_REV", "HEAD~"),
    ] {
        let mut push = clone.kata_ci(&["push"]);
        Answer::of(push.env(name, value)).expect(1);
    }
    assert_eq!(in_review(&clone), "");
}

#[test]
fn the_answer_for_programs_is_alone_on_standard_output() {
    let clone = prepared();
    commit_verdict(&clone, "bad\n");
    for format in [&["--format", "json"][..], &["--format=json", "--each"]] {
        let answer = clone.call(&[&["push"], format].concat()).expect(1);
        assert_eq!(answer.json()["outcome"], "not-checked");
        assert!(answer.errors.contains("proxy.test"), "{answer:?}");
    }
    commit_verdict(&clone, "good\n");
    let answer = clone.call(&["push", "--format", "json"]).expect(0);
    assert!(
        answer.json()["checked"]
            .as_str()
            .unwrap()
            .ends_with("1 passed")
    );
}

#[test]
fn a_signal_ends_the_check_and_nothing_goes() {
    let (_, clone) = plain();
    let started = clone.home().join("started");
    publish(
        &clone,
        &format!("test:\n\ttouch {}; sleep 300\n", started.display()),
    );
    commit_verdict(&clone, "good\n");
    let mut push = clone.kata_ci(&["push"]);
    let child = push.stdout(std::process::Stdio::piped()).spawn().unwrap();
    until("the check", || started.exists());
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(128 + 15));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("the check was ended"), "{text}");
    assert_eq!(in_review(&clone), "");
    assert!(is_clear(&clone));
}

#[test]
fn a_direct_push_is_checked_too() {
    let clone = prepared();
    clone.git(&["switch", "-q", "-c", "topic"]);
    commit_verdict(&clone, "bad\n");
    clone.call(&["push", "--direct"]).expect(1);
    assert_eq!(clone.git(&["ls-remote", "origin", "refs/heads/topic"]), "");
    commit_verdict(&clone, "good\n");
    clone.call(&["push", "--direct"]).expect(0);
    assert!(
        !clone
            .git(&["ls-remote", "origin", "refs/heads/topic"])
            .is_empty()
    );
}

#[test]
fn what_gerrit_takes_was_checked() {
    let Some(server) = server() else { return };
    for transport in [Transport::Ssh, Transport::Http] {
        let project = server.project("checked");
        let clone = project.clone_as(User::Admin, transport);
        publish(&clone, MAKEFILE);
        commit_verdict(&clone, "bad\n");
        clone.call(&["push"]).expect(1);
        assert_eq!(project.count(), 0);
        clone.git(&["reset", "-q", "--hard", "HEAD~"]);
        commit_verdict(&clone, "good\n \n");
        let answer = clone.call(&["push", "--format", "json"]).expect(0);
        assert_eq!(answer.json()["changes"][0]["new"], true);
        assert_eq!(project.count(), 1);
    }
}

#[test]
fn killed_at_any_moment_of_the_check_it_leaves_everything_as_it_was() {
    let clone = prepared();
    commit_verdict(&clone, "good\n");
    write(&clone, "verdict", "stashed\n");
    clone.git(&["stash", "-q"]);
    write(&clone, "verdict", "dirty\n");
    let before = everything(&clone);
    // Without stamps each round makes the whole check.
    let push = |round: u32| {
        let mut push = clone.kata_ci(&["push"]);
        push.env(
            "XDG_STATE_HOME",
            clone.home().join(format!("state-{round}")),
        );
        push.stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        push
    };
    let started = std::time::Instant::now();
    assert!(push(0).status().unwrap().success());
    let whole = started.elapsed();
    for round in 1..=30u32 {
        // A random moment of each thirtieth of a push.
        let moment = whole.mul_f64((f64::from(round - 1) + chance()) / 30.0);
        kill_after(moment, &mut push(round));
        assert_eq!(everything(&clone), before, "killed after {moment:?}");
    }
    assert!(push(31).status().unwrap().success());
    until("what the killed ones left to be cleared", || {
        push(32).status().unwrap().success() && is_clear(&clone)
    });
}
