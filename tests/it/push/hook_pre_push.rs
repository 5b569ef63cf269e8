//! Tests the refs and ranges of the hook pre-push. A plain git server accepts `refs/for/…` like any
//! other ref.

use crate::support::gerrit::{Answer, Clone, plain};

fn push(clone: &Clone, arguments: &[&str]) -> Answer {
    let mut command = std::process::Command::new("git");
    command
        .arg("push")
        .args(arguments)
        .current_dir(&clone.directory)
        .envs(clone.environment());
    Answer::of(&mut command)
}

fn installed() -> (String, Clone) {
    let (origin, clone) = plain();
    clone.call(&["hook", "install"]).expect(0);
    (origin.to_string_lossy().into_owned(), clone)
}

fn stopped(answer: &Answer, count: &str) {
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(
        answer.errors.contains("was not checked") && answer.errors.contains(count),
        "{answer:?}"
    );
    assert!(answer.errors.contains("kata-ci push"), "{answer:?}");
}

#[test]
fn what_goes_to_review_unchecked_is_stopped_with_its_range() {
    let (_, clone) = installed();
    clone.commit_with_id("file", "proxy: one");
    clone.commit_with_id("file", "proxy: two");
    stopped(
        &push(&clone, &["origin", "HEAD:refs/for/master"]),
        "(2 commits)",
    );
    stopped(
        &push(&clone, &["origin", "HEAD:refs/for/master%topic=a,wip"]),
        "(2 commits)",
    );
    stopped(
        &push(&clone, &["origin", "HEAD~:refs/for/refs/heads/master"]),
        "(1 commit)",
    );
}

#[test]
fn a_push_by_url_finds_the_remote_that_has_it() {
    let (origin, clone) = installed();
    clone.commit_with_id("file", "proxy: one");
    stopped(
        &push(&clone, &[&origin, "HEAD:refs/for/master"]),
        "(1 commit)",
    );
    stopped(
        &push(&clone, &[&format!("{origin}/"), "HEAD:refs/for/master"]),
        "(1 commit)",
    );
}

#[test]
fn other_refs_and_deletions_go_by() {
    let (_, clone) = installed();
    clone.commit_with_id("file", "proxy: one");
    assert_eq!(
        push(
            &clone,
            &["-q", "origin", "HEAD:refs/heads/other", "HEAD:refs/tags/v1"]
        )
        .code,
        Some(0)
    );
    assert_eq!(
        push(
            &clone,
            &["-q", "origin", ":refs/heads/other", ":refs/tags/v1"]
        )
        .code,
        Some(0)
    );
    clone.git(&["push", "-q", "--no-verify", "origin", "HEAD:refs/for/old"]);
    assert_eq!(
        push(&clone, &["-q", "origin", ":refs/for/old"]).code,
        Some(0)
    );
}

#[test]
fn one_of_several_refs_stops_them_all() {
    let (_, clone) = installed();
    clone.commit_with_id("file", "proxy: one");
    let answer = push(
        &clone,
        &[
            "origin",
            "HEAD:refs/heads/other",
            "HEAD:refs/for/master",
            "HEAD:refs/for/stable",
        ],
    );
    stopped(&answer, "refs/for/master");
    assert!(answer.errors.contains("refs/for/stable"), "{answer:?}");
    assert_eq!(clone.git(&["ls-remote", "origin", "refs/heads/other"]), "");
}

#[test]
fn what_a_branch_of_the_remote_has_goes_by() {
    let (_, clone) = installed();
    assert_eq!(
        push(&clone, &["-q", "origin", "HEAD:refs/for/master"]).code,
        Some(0)
    );
}

#[test]
fn commits_of_another_remote_are_still_new_to_this_one() {
    let (_, clone) = installed();
    let other = clone
        .home()
        .join("other.git")
        .to_string_lossy()
        .into_owned();
    clone.git(&["init", "-q", "--bare", &other]);
    clone.git(&["remote", "add", "other", &other]);
    clone.commit_with_id("file", "proxy: one");
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    assert_eq!(
        push(&clone, &["-q", "origin", "HEAD:refs/for/master"]).code,
        Some(0)
    );
    stopped(
        &push(&clone, &["other", "HEAD:refs/for/master"]),
        "(2 commits)",
    );
}

#[test]
fn kata_ci_push_itself_goes_by_and_the_kept_hook_is_still_asked() {
    let (_, clone) = plain();
    let file = clone.directory.join(".git/hooks/pre-push");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let script = "#!/bin/sh\n[ ! -e refuse ] || exit 9\n";
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    clone.call(&["hook", "install"]).expect(0);
    clone.commit_with_id("file", "proxy: one");
    clone.call(&["push", "--no-check"]).expect(0);
    clone.commit_with_id("file", "proxy: two");
    std::fs::write(clone.directory.join("refuse"), "").unwrap();
    let answer = clone.call(&["push", "--no-check"]).expect(1);
    assert!(answer.output.contains("kept from before"), "{answer:?}");
    assert!(answer.output.contains("the push failed"), "{answer:?}");
}
