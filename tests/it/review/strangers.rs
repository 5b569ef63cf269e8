//! The code of owners who are in no trusted group.

use std::process::Command;

use super::patch_set::{Reviewed, vote};
use crate::support::gerrit::{Answer, Transport, User};
use crate::support::isolation::without_namespaces;

/// A pipeline whose job tells what it sees.
const LOOKS: &str = "version = 1\n[[component]]\nname = 'proxy'\npath = '.'\n[[step]]\nname = 'check'\nexpect = 'exit'\n\
    script = 'sh ./look.sh'\n";

#[test]
fn a_stranger_is_run_in_the_strict_sandbox_and_sees_no_credentials() {
    let Some(one) = Reviewed::new("review-stranger", &["first"]) else {
        return;
    };
    one.write("kata-ci.toml", LOOKS);
    one.write("look.sh", "true\n");
    one.clone.commit("file", "proxy: look\n");
    one.clone
        .git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    one.trust();
    std::fs::write(one.operator().join("token"), "admin:s3cret\n").unwrap();
    let port = one.project.server.value("http_port");
    let look = format!(
        "set -e\n! cat {home}/config/kata-ci/token\n! cat {home}/credentials.store\n[ -z \"$SSH_AUTH_SOCK\" ]\n! ls {home}/state/kata-ci/runs/*\n\
         ! (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null\ntouch {home}/left || true\n",
        home = one.clone.home().display()
    );
    let guest = one.project.clone_as(User::Guest, Transport::Http);
    std::fs::write(guest.directory.join("look.sh"), look).unwrap();
    let id = guest.commit_with_id("file", "proxy: look around");
    guest.git(&["push", "-q", "origin", "HEAD:refs/for/master"]);
    let number = one.project.change(&id).unwrap()["_number"].to_string();
    let answer = one
        .clone
        .kata_ci(&["review", &number, "--vote"])
        .env("SSH_AUTH_SOCK", "/x")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&answer.stderr).into_owned();
    let output = String::from_utf8_lossy(&answer.stdout).into_owned();
    if answer.status.code() == Some(69) {
        // This machine has no strict sandbox: then nothing ran, and that is said.
        assert!(
            output.contains("runs in the strict sandbox only"),
            "{output}{errors}"
        );
        return;
    }
    assert_eq!(answer.status.code(), Some(0), "{output}{errors}");
    assert!(
        output.contains("strict sandbox, without a network: Guest"),
        "{output}"
    );
    let change = one.project.change(&id).unwrap();
    assert_eq!(vote(&change, "admin"), 1);
    assert!(!one.clone.home().join("left").exists());
}

#[test]
fn a_trusted_change_on_a_strangers_is_a_strangers() {
    let Some(one) = Reviewed::new("review-above", &["first"]) else {
        return;
    };
    one.trust();
    let guest = one.project.clone_as(User::Guest, Transport::Http);
    guest.commit_with_id("file", "proxy: below");
    guest.git(&["push", "-q", "origin", "HEAD:refs/for/master"]);
    let below = guest.git(&["rev-parse", "HEAD"]);
    one.clone.git(&[
        "fetch",
        "-q",
        &guest.directory.display().to_string(),
        &below,
    ]);
    one.clone.git(&["checkout", "-q", "--detach", &below]);
    let id = one.clone.commit_with_id("other", "proxy: above");
    one.clone
        .git(&["push", "-q", "origin", "HEAD:refs/for/master"]);
    let number = one.project.change(&id).unwrap()["_number"].to_string();
    let answer = one.clone.call(&["review", &number]);
    assert!(
        answer.output.contains("Guest") && answer.output.contains("strict sandbox"),
        "{answer:?}"
    );
}

#[test]
fn where_the_sandbox_cannot_be_had_nothing_is_run_and_that_is_said() {
    let Some(one) = Reviewed::new("review-without", &["first"]) else {
        return;
    };
    one.write("cases.sh", "exit 1\n");
    one.patch_set();
    let number = one.number();
    let before = without_namespaces();
    let mut command = Command::new(&before[0]);
    command
        .args(&before[1..])
        .arg(env!("CARGO_BIN_EXE_kata-ci"))
        .args(["review", &number, "--vote"])
        .current_dir(&one.clone.directory)
        .envs(one.clone.environment());
    let answer = Answer::of(&mut command);
    assert_eq!(answer.code, Some(69), "{answer:?}");
    let said = one.messages().remove(0);
    assert!(
        said.contains("not run: a stranger's code runs in the strict sandbox only"),
        "{said}"
    );
    assert_eq!(one.vote(), 0);
}
