//! `--fix` rewrites only what is the user's, and leaves a repository that is whole.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::gerrit::{Clone, fresh_id, plain};
use crate::support::{chance, kill_after, processes, until};

fn is_whole(clone: &Clone) {
    clone.git(&["fsck", "--connectivity-only"]);
    clone.git(&["log", "--oneline"]);
    clone.git(&["status"]);
}

#[test]
fn a_shallow_clone_whose_boundary_moved_is_named_and_left_alone() {
    let (origin, clone) = plain();
    let upstream = |count: usize| {
        for _ in 0..count {
            clone.commit("file", "proxy: upstream\n");
        }
        clone.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    };
    upstream(3);
    let url = format!("file://{}", origin.display());
    let shallow = clone.beside(&url, "shallow");
    shallow.git(&["fetch", "-q", "--depth=1"]);
    // A clone of depth 1, made by hand: the support clones whole.
    std::fs::remove_dir_all(&shallow.directory).unwrap();
    let place = shallow.directory.to_string_lossy().into_owned();
    clone.git(&["clone", "-q", "--depth=1", &url, &place]);
    shallow.commit("mine", "proxy: mine\n");
    upstream(2);
    shallow.git(&["fetch", "-q", "--depth=1"]);
    let tip = shallow.git(&["rev-parse", "HEAD"]);
    let answer = shallow.call(&["push", "--no-check", "--fix"]).expect(1);
    assert!(
        answer.output.contains("the clone is shallow")
            && answer.output.contains("git fetch --unshallow origin"),
        "{answer:?}"
    );
    assert_eq!(shallow.git(&["rev-parse", "HEAD"]), tip);
    is_whole(&shallow);
    shallow.git(&["fetch", "-q", "--unshallow", "origin"]);
    shallow.call(&["push", "--no-check", "--fix"]).expect(0);
    is_whole(&shallow);
}

#[test]
fn nothing_is_rewritten_while_something_else_is_wrong() {
    let (_, clone) = plain();
    clone.commit("one", "proxy: one\n");
    clone.commit("two", "proxy: two\n\nChange-Id: I123\n");
    let tip = clone.git(&["rev-parse", "HEAD"]);
    let answer = clone.call(&["push", "--no-check", "--fix"]).expect(1);
    assert!(answer.output.contains("rewrote nothing"), "{answer:?}");
    assert_eq!(clone.git(&["rev-parse", "HEAD"]), tip);
}

#[test]
fn the_way_back_is_printed_and_leads_back() {
    let (_, clone) = plain();
    clone.git(&["config", "core.logAllRefUpdates", "false"]);
    std::fs::remove_dir_all(clone.directory.join(".git/logs")).unwrap();
    clone.commit("one", "proxy: one\n");
    let tip = clone.git(&["rev-parse", "HEAD"]);
    let answer = clone.call(&["push", "--no-check", "--fix"]).expect(0);
    let way = format!("git reset --soft {tip}");
    assert!(answer.output.contains(&way), "{answer:?}");
    clone.git(&["gc", "-q", "--prune=now"]);
    clone.git(&["reset", "-q", "--soft", &tip]);
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_a_remote_has_is_not_rewritten() {
    let (_, clone) = plain();
    clone.commit("one", "proxy: one\n");
    let fork = clone.home().join("fork.git");
    clone.git(&["init", "-q", "--bare", &fork.to_string_lossy()]);
    clone.git(&["remote", "add", "fork", &fork.to_string_lossy()]);
    clone.git(&["push", "-q", "fork", "HEAD:refs/heads/topic"]);
    let tip = clone.git(&["rev-parse", "HEAD"]);
    let answer = clone
        .call(&["push", "--no-check", "--fix", "origin"])
        .expect(2);
    assert!(
        answer
            .errors
            .contains("`refs/remotes/fork/topic` has already"),
        "{answer:?}"
    );
    assert_eq!(clone.git(&["rev-parse", "HEAD"]), tip);
}

#[test]
fn a_repository_with_holes_is_left_alone() {
    let (_, clone) = plain();
    clone.commit("one", "proxy: one\n");
    let blob = clone.git(&["rev-parse", "HEAD:one"]);
    let (head, tail) = blob.split_at(2);
    std::fs::remove_file(clone.directory.join(".git/objects").join(head).join(tail)).unwrap();
    let tip = clone.git(&["rev-parse", "HEAD"]);
    let answer = clone.call(&["push", "--no-check", "--fix"]).expect(2);
    assert!(answer.errors.contains("not whole"), "{answer:?}");
    assert_eq!(clone.git(&["rev-parse", "HEAD"]), tip);
}

#[test]
fn a_commit_with_a_replacement_is_left_alone() {
    let (_, clone) = plain();
    clone.commit("one", "proxy: one\n");
    let tip = clone.git(&["rev-parse", "HEAD"]);
    clone.git(&["replace", "--graft", "HEAD"]);
    let answer = clone.call(&["push", "--no-check", "--fix"]);
    assert_ne!(answer.code, Some(0), "{answer:?}");
    assert_eq!(clone.git(&["rev-parse", "HEAD"]), tip);
}

/// A call of `push --fix` that rewrites and pushes nothing: the server is nowhere.
fn fix(clone: &Clone) -> Command {
    let mut command = clone.kata_ci(&["push", "--no-check", "--fix", "--yes"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Kills calls at moments spread over the time that an undisturbed call takes, until this many were
/// killed before their end.
fn kill_often(clone: &Clone, old: &str, kills: u32) {
    let start = Instant::now();
    fix(clone).status().unwrap();
    let mut whole_time = start.elapsed();
    assert_ne!(clone.git(&["rev-parse", "HEAD"]), old);
    let mut killed = 0;
    while killed < kills {
        clone.git(&["reset", "-q", "--soft", old]);
        let share = f64::from(killed) + chance();
        let moment = whole_time.mul_f64(share / f64::from(kills));
        match kill_after(moment, &mut fix(clone)) {
            true => killed += 1,
            // The call was faster than the one that was measured.
            false => whole_time = whole_time.mul_f64(0.9),
        }
        let place = clone.directory.to_string_lossy().into_owned();
        until("the end of a git that was under way", || {
            processes::with(&place).is_empty()
        });
        is_whole(clone);
        let ids = clone.git(&[
            "log",
            "--format=%(trailers:key=Change-Id)",
            "origin/master..",
        ]);
        let ids = ids.lines().filter(|line| !line.is_empty()).count();
        assert!(ids == 0 || ids == 20, "kill {killed}: {ids}");
    }
}

#[test]
fn killed_at_any_moment_the_repository_is_the_old_or_the_new_one() {
    let (_, clone) = plain();
    for number in 0..20 {
        clone.commit("file", &format!("proxy: {number}\n\n{}\n", fresh_id()));
    }
    clone.git(&["remote", "set-url", "--push", "origin", "/nowhere/at/all"]);
    let old = clone.git(&["rev-parse", "HEAD"]);
    let side_by_side: Vec<_> = (0..5).map(|n| clone.copied(&format!("copy-{n}"))).collect();
    std::thread::scope(|scope| {
        for copy in &side_by_side {
            scope.spawn(|| kill_often(copy, &old, 10));
        }
    });
}
