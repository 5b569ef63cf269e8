//! Tests stamps: jobs that passed are not run again, and all others are.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::gerrit::{Answer, Clone, plain};
use crate::support::workspace::kata;

/// `test` reads the tree, `check` the commits. Each records that it ran.
const PIPELINE: &str = r#"
version = 1
[[step]]
name = "test"
run = ["make", "test"]
expect = "exit"
[[step]]
name = "check"
run = ["make", "check"]
expect = "commands"
reads = "commits"
[[component]]
name = "proxy"
path = "."
"#;

const MAKEFILE: &str = "test:\n\techo test >> $(HOME)/ran\n\tgrep -x good verdict\n\
                        check:\n\techo check >> $(HOME)/ran\n";

/// Publishes the pipeline, and commits a good change on top.
fn prepared() -> Clone {
    let (_, clone) = plain();
    publish(&clone, PIPELINE);
    commit(&clone, "good\n");
    clone
}

fn publish(clone: &Clone, pipeline: &str) {
    for (file, text) in [
        ("kata-ci.toml", pipeline),
        ("Makefile", MAKEFILE),
        ("verdict", "good\n"),
    ] {
        fs::write(clone.directory.join(file), text).unwrap();
    }
    clone.commit_with_id("file", "proxy: have a pipeline");
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
}

fn commit(clone: &Clone, verdict: &str) {
    fs::write(clone.directory.join("verdict"), verdict).unwrap();
    clone.commit_with_id("file", "proxy: say it");
}

/// Returns the steps that ran since the last call.
fn ran(clone: &Clone) -> Vec<String> {
    let file = clone.home().join("ran");
    let text = fs::read_to_string(&file).unwrap_or_default();
    let _ = fs::remove_file(file);
    let mut steps: Vec<_> = text.lines().map(str::to_owned).collect();
    steps.sort();
    steps
}

/// Removes the pushed branch, because a plain server takes `refs/for/…` for a branch and refuses
/// amended commits.
fn amend(clone: &Clone) {
    clone.git(&["push", "-q", "--no-verify", "origin", ":refs/for/master"]);
    clone.git(&[
        "commit",
        "-q",
        "--amend",
        "-m",
        &format!(
            "proxy: say it again\n\nChange-Id: {}",
            crate::support::gerrit::fresh_id()
        ),
    ]);
}

fn run(clone: &Clone) -> Answer {
    clone.call(&["run"])
}

#[test]
fn what_passed_is_not_checked_again() {
    let clone = prepared();
    let answer = clone.call(&["push"]).expect(0);
    assert!(answer.output.contains("2 passed"), "{answer:?}");
    assert_eq!(ran(&clone), ["check", "test"]);
    let answer = clone.call(&["push"]).expect(0);
    assert!(answer.output.contains("2 passed before, "), "{answer:?}");
    assert_eq!(ran(&clone), Vec::<String>::new());
    let answer = clone.call(&["push", "--no-check"]).expect(0);
    assert!(
        answer.output.contains("not checked (--no-check)"),
        "{answer:?}"
    );
}

#[test]
fn another_message_is_checked_and_the_tree_not_tested_again() {
    let clone = prepared();
    clone.call(&["push"]).expect(0);
    ran(&clone);
    amend(&clone);
    let answer = clone.call(&["push"]).expect(0);
    assert_eq!(ran(&clone), ["check"], "{answer:?}");
    assert!(
        answer.output.contains("1 passed; 1 passed before"),
        "{answer:?}"
    );
    clone.call(&["push"]).expect(0);
    assert_eq!(ran(&clone), Vec::<String>::new());
    // The base of the comparison has moved.
    clone.git(&["update-ref", "refs/remotes/origin/master", "HEAD~2"]);
    clone.call(&["push"]).expect(0);
    assert_eq!(ran(&clone), ["check"]);
}

#[test]
fn a_run_of_a_clean_tree_counts_for_the_push() {
    let clone = prepared();
    // `main` is the default base of a plain layout.
    clone.git(&["update-ref", "refs/remotes/origin/main", "origin/master"]);
    run(&clone).expect(0);
    ran(&clone);
    let answer = clone.call(&["push"]).expect(0);
    assert!(answer.output.contains("2 passed before"), "{answer:?}");
    assert_eq!(ran(&clone), Vec::<String>::new());
}

#[test]
fn a_run_of_anything_else_does_not() {
    let clone = prepared();
    let write = |file: &str, text: &str| fs::write(clone.directory.join(file), text).unwrap();
    // Tracked and different; not tracked; narrowed to a step, which makes no stamp for the other.
    write("verdict", "good\n\n");
    run(&clone).expect(0);
    clone.git(&["checkout", "-q", "."]);
    write("new_test.go", "");
    run(&clone).expect(0);
    fs::remove_file(clone.directory.join("new_test.go")).unwrap();
    clone.call(&["run", "-s", "test"]).expect(0);
    ran(&clone);
    let answer = clone.call(&["push"]).expect(0);
    assert!(
        answer.output.contains("1 passed; 1 passed before"),
        "{answer:?}"
    );
    assert_eq!(ran(&clone), ["check"]);
}

#[test]
fn what_failed_or_was_vacuous_gets_none() {
    let clone = prepared();
    commit(&clone, "bad\n");
    for _ in 0..2 {
        clone.call(&["push"]).expect(1);
        assert!(ran(&clone).contains(&"test".to_owned()));
    }
    let (_, clone) = plain();
    publish(
        &clone,
        &PIPELINE.replace(
            "[[component]]",
            "allow_vacuous = \"a reason\"\n[[component]]",
        ),
    );
    fs::write(
        clone.directory.join("Makefile"),
        MAKEFILE.replace("check:\n\techo check >> $(HOME)/ran\n", "check:\n"),
    )
    .unwrap();
    commit(&clone, "good\n");
    for vacuous in ["1 vacuous", "1 vacuous; 1 passed before"] {
        let answer = clone.call(&["push"]).expect(0);
        let said = answer
            .output
            .lines()
            .find(|line| line.starts_with("checked in a clean checkout"))
            .unwrap_or_default();
        assert!(
            vacuous.split("; ").all(|part| said.contains(part)),
            "{vacuous}: {answer:?}"
        );
    }
}

#[test]
fn another_program_or_environment_is_another_matter() {
    let clone = prepared();
    clone.call(&["push"]).expect(0);
    ran(&clone);
    let bin = clone.home().join("bin");
    fs::create_dir(&bin).unwrap();
    let path = format!("{}:{}", std::env::var("PATH").unwrap(), bin.display());
    let with = |name: &str, value: &str| {
        Answer::of(clone.kata_ci(&["push"]).env(name, value)).expect(0);
        ran(&clone)
    };
    assert_eq!(with("PATH", &path), Vec::<String>::new());
    fs::write(bin.join("xurls"), "").unwrap();
    fs::set_permissions(
        bin.join("xurls"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    assert_eq!(with("PATH", &path), ["check", "test"]);
    assert_eq!(with("GOFLAGS", "-mod=vendor"), ["check", "test"]);
    assert_eq!(with("KATACI_TIMEOUT", "7m"), ["check", "test"]);
}

#[test]
fn the_hook_lets_by_what_has_stamps_and_can_make_the_check() {
    let clone = prepared();
    clone.call(&["hook", "install"]).expect(0);
    let push = || {
        let mut command = Command::new("git");
        command
            .args(["push", "origin", "HEAD:refs/for/master"])
            .current_dir(&clone.directory);
        Answer::of(command.envs(clone.environment()))
    };
    let stopped = push();
    assert!(stopped.errors.contains("was not checked"), "{stopped:?}");
    clone.git(&["config", "kata-ci.prePush", "check"]);
    let checked = push().expect(0);
    assert!(checked.errors.contains("2 passed"), "{checked:?}");
    assert_eq!(ran(&clone), ["check", "test"]);
    clone.git(&["config", "kata-ci.prePush", "stop"]);
    push().expect(0);
    assert_eq!(ran(&clone), Vec::<String>::new());
    clone.git(&["config", "kata-ci.prePush", "check"]);
    commit(&clone, "bad\n");
    let failed = push();
    assert!(
        failed.code != Some(0) && failed.errors.contains("1 failed"),
        "{failed:?}"
    );
    clone.git(&["config", "kata-ci.prePush", "sometimes"]);
    assert!(push().errors.contains("`sometimes`"));
}

#[test]
fn katas_tests_repository_is_a_part_of_it() {
    let place = kata("side-by-side");
    let home = tempfile::tempdir().unwrap();
    let call = |directory: &Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kata-ci"));
        command
            .args(arguments)
            .current_dir(directory)
            .env("NO_COLOR", "1");
        command.env("XDG_STATE_HOME", home.path().join("state"));
        command.env("XDG_CACHE_HOME", home.path().join("cache"));
        command.env("XDG_CONFIG_HOME", home.path().join("config"));
        command.env_remove("CI");
        Answer::of(&mut command).expect(0)
    };
    let git = |directory: &str, arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
            .args(arguments);
        Answer::of(command.current_dir(place.path().join(directory))).expect(0);
    };
    let proxy = place.path().join("proxy");
    git(
        "proxy",
        &[
            "commit",
            "-q",
            "--allow-empty",
            "-sm",
            "proxy: test stamps\n\nThey are new.\n\nFixes: #1",
        ],
    );
    call(&proxy, &["run"]);
    let push = |branch: &str| {
        let tracking = format!("refs/remotes/origin/{branch}");
        git("proxy", &["update-ref", &tracking, "origin/master"]);
        call(&proxy, &["push", "--direct", "--branch", branch]).output
    };
    // A direct push is compared with its own branch, so only the stamp of the tree is the same.
    let said = push("one");
    assert!(
        said.contains("passed before") && said.contains("tests at "),
        "{said}"
    );
    git(
        "tests",
        &["commit", "-q", "--allow-empty", "-m", "ci: another"],
    );
    git(
        "proxy",
        &[
            "commit",
            "-q",
            "--amend",
            "--allow-empty",
            "-sm",
            "proxy: test again\n\nThey are new.\n\nFixes: #1",
        ],
    );
    let said = push("two");
    assert!(!said.contains("passed before"), "{said}");
}
