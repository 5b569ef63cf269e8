//! Tests that a refusal is shown whole, and told from a lost connection.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::gerrit::plain;

/// Lets the server answer a push with this script.
fn answer_with(origin: &Path, script: &str) {
    let hook = origin.join("hooks/pre-receive");
    fs::create_dir_all(origin.join("hooks")).unwrap();
    fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn every_line_of_the_server_is_shown_and_a_refusal_is_final() {
    let (origin, clone) = plain();
    let said = [
        "Policy 7 was asked.",
        "error: the tracker timed out",
        "fatal: read error: Connection reset by peer",
        "  - src/agent.c: no licence",
        "See https://policy.example.com/7",
    ];
    let lines: String = said.map(|line| format!("echo '{line}'\n")).concat();
    answer_with(&origin, &format!("{lines}exit 1"));
    clone.commit_with_id("file", "proxy: refused");
    let answer = clone.call(&["push", "--no-check"]).expect(1);
    for line in said {
        assert!(answer.output.contains(line.trim()), "{line}: {answer:#?}");
    }
    let answer = clone.call(&["push", "--no-check", "--format", "json"]);
    let report = answer.expect(1).json();
    let whole = report["said"].to_string();
    assert!(
        said.iter().all(|line| whole.contains(line.trim())),
        "{whole}"
    );
    assert_eq!(report["rejection"]["by_server"], true, "{report:#}");
}

#[test]
fn a_connection_that_breaks_is_worth_another_try() {
    let (origin, clone) = plain();
    answer_with(&origin, "kill -9 $PPID");
    clone.commit_with_id("file", "proxy: lost");
    let answer = clone.call(&["push", "--no-check"]).expect(75);
    assert!(answer.output.contains("the push failed"), "{answer:?}");
    assert!(!answer.output.contains("rejected the push"), "{answer:?}");
    fs::remove_file(origin.join("hooks/pre-receive")).unwrap();
    clone.call(&["push", "--no-check"]).expect(0);
}
