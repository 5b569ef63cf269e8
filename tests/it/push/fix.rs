//! Tests that `--fix` adds missing Change-Ids and changes nothing else.

use std::process::Command;

use crate::support::gerrit::{Clone, Transport, User, plain, server};

const WHO_AND_WHEN: &str = "--format=%an %ae %ad|%cn %ce %cd|%T|%N";

fn facts(clone: &Clone, revision: &str) -> String {
    clone.git(&[
        "log",
        "-1",
        "--date=raw",
        "--notes=refs/notes/*",
        WHO_AND_WHEN,
        revision,
    ])
}

fn commit_as_others(clone: &Clone, file: &str, message: &str) {
    std::fs::write(clone.directory.join(file), message).unwrap();
    clone.git(&["add", "-A"]);
    let status = Command::new("git")
        .args(["commit", "-q", "-m", message])
        .current_dir(&clone.directory)
        .envs(clone.environment())
        .env("GIT_AUTHOR_NAME", "Zoë")
        .env("GIT_AUTHOR_EMAIL", "zoe@example.com")
        .env("GIT_AUTHOR_DATE", "2001-02-03T04:05:06+0730")
        .env("GIT_COMMITTER_DATE", "2002-02-03T04:05:06-0330")
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn authors_dates_trees_and_notes_stay() {
    let (_, clone) = plain();
    commit_as_others(&clone, "one", "proxy: one");
    let id = clone.commit_with_id("two", "proxy: two");
    commit_as_others(
        &clone,
        "three",
        "proxy: three\n\nBody\n#12 is no comment\n---\nnor this a divider\n\nSigned-off-by: Zoë <zoe@example.com>",
    );
    clone.git(&["notes", "add", "-m", "a note", "HEAD~2"]);
    clone.git(&["notes", "--ref", "review", "add", "-m", "another", "HEAD"]);
    std::fs::write(clone.directory.join("one"), "not committed\n").unwrap();
    let revisions = ["HEAD~2", "HEAD~1", "HEAD"];
    let before = revisions.map(|revision| facts(&clone, revision));
    let index = std::fs::read(clone.directory.join(".git/index")).unwrap();
    let old = clone.git(&["rev-parse", "HEAD"]);
    let answer = clone.call(&["push", "--no-check", "--fix"]).expect(0);
    assert_eq!(
        answer.output.matches("Change-Id added").count(),
        3,
        "{answer:?}"
    );
    assert_eq!(revisions.map(|revision| facts(&clone, revision)), before);
    assert_eq!(
        std::fs::read(clone.directory.join(".git/index")).unwrap(),
        index
    );
    assert_eq!(
        std::fs::read_to_string(clone.directory.join("one")).unwrap(),
        "not committed\n"
    );
    assert_eq!(
        clone.git(&["rev-parse", "HEAD@{1}"]),
        old,
        "the reflog leads back"
    );
    let messages = revisions.map(|revision| clone.git(&["log", "-1", "--format=%B", revision]));
    assert!(messages[1].contains(&id) && messages[1].matches("Change-Id").count() == 1);
    let last: Vec<_> = messages[2].lines().rev().take(2).collect();
    assert!(
        last[0].starts_with("Signed-off-by: Zo") && last[1].starts_with("Change-Id: I"),
        "{last:?}"
    );
    assert!(messages[2].contains("#12 is no comment\n---\nnor this a divider"));
    assert_ne!(
        messages[0].lines().last(),
        messages[2].lines().rev().nth(1),
        "each has its own"
    );
}

#[test]
fn it_is_not_done_where_more_than_the_branch_would_be_affected() {
    let (_, clone) = plain();
    clone.commit("file", "proxy: one\n");
    clone.git(&["branch", "other"]);
    let before = clone.git(&["for-each-ref"]);
    let answer = clone.call(&["push", "--no-check", "--fix"]).expect(2);
    assert!(
        answer.errors.contains("`refs/heads/other` behind"),
        "{answer:?}"
    );
    clone.git(&["branch", "-D", "other"]);
    clone.git(&["checkout", "-q", "--detach"]);
    clone.git(&["branch", "-f", "master", "origin/master"]);
    let answer = clone.call(&["push", "--no-check", "--fix"]).expect(2);
    assert!(answer.errors.contains("HEAD is on none"), "{answer:?}");
    clone.git(&["checkout", "-q", "-B", "master"]);
    assert_eq!(
        clone.git(&["for-each-ref"]),
        before
            .lines()
            .filter(|line| !line.contains("other"))
            .collect::<Vec<_>>()
            .join("\n")
    );
    clone.git(&["tag", "v1"]);
    let answer = clone.call(&["push", "--no-check", "--fix"]).expect(2);
    assert!(answer.errors.contains("refs/tags/v1"), "{answer:?}");
}

#[test]
fn a_signature_is_not_broken() {
    let (_, clone) = plain();
    clone.commit("file", "proxy: one\n");
    let raw = clone.git(&["cat-file", "commit", "HEAD"]);
    let signed = raw.replacen(
        "\n\n",
        "\ngpgsig -----BEGIN SSH SIGNATURE-----\n -----END SSH SIGNATURE-----\n\n",
        1,
    ) + "\n";
    let file = clone.home().join("signed");
    std::fs::write(&file, signed).unwrap();
    let oid = clone.git(&["hash-object", "-t", "commit", "-w", &file.to_string_lossy()]);
    clone.git(&["reset", "-q", "--hard", &oid]);
    let answer = clone.call(&["push", "--no-check", "--fix"]).expect(2);
    assert!(answer.errors.contains("signature"), "{answer:?}");
    assert_eq!(clone.git(&["rev-parse", "HEAD"]), oid);
}

#[test]
fn gerrit_takes_what_was_fixed() {
    for transport in [Transport::Ssh, Transport::Http] {
        let Some(server) = server() else { return };
        let project = server.project("fixed");
        let clone = project.clone_as(User::Admin, transport);
        clone.commit("one", "proxy: one\n");
        clone.commit(
            "two",
            "proxy: two\n\nBody.\n\nFixes: #1\nSigned-off-by: A <a@example.com>\n",
        );
        let answer = clone.call(&["push", "--no-check"]).expect(1);
        assert!(answer.output.contains("kata-ci push --fix"), "{answer:?}");
        assert_eq!(project.count(), 0);
        clone.call(&["push", "--no-check", "--fix"]).expect(0);
        assert_eq!(project.count(), 2);
    }
}
