//! Tests pushes and checks of commits with submodules, and of merges.

use std::fs;

use crate::support::gerrit::{Clone, Transport, User, fresh_id, plain, server};

/// Its test needs a file of the submodule, and one of the submodule's submodule.
const PIPELINE: &str = "version = 1\n[[step]]\nname = \"test\"\nrun = [\"make\", \"test\"]\nexpect = \"exit\"\n\
    [[component]]\nname = \"proxy\"\npath = \".\"\n";
const MAKEFILE: &str =
    "test:\n\tgrep -x inner 'libs/a b/inner/file'\n\tgrep -x two 'libs/a b/file'\n";

/// Makes a plain repository with a commit of this file, and returns its URL.
fn library(clone: &Clone, name: &str) -> String {
    let place = clone.home().join(name).to_string_lossy().into_owned();
    clone.git(&["init", "-q", &place]);
    fs::write(clone.home().join(name).join("file"), format!("{name}\n")).unwrap();
    clone.git(&["-C", &place, "add", "-A"]);
    clone.git(&["-C", &place, "commit", "-q", "-m", "a library"]);
    place
}

/// Commits a submodule with a submodule, whose second commit no server has.
fn with_submodules() -> Clone {
    let (_, clone) = plain();
    let global = clone
        .home()
        .join("gitconfig")
        .to_string_lossy()
        .into_owned();
    clone.git(&["config", "--file", &global, "protocol.file.allow", "always"]);
    let inner = library(&clone, "inner");
    let one = library(&clone, "one");
    clone.git(&["-C", &one, "submodule", "--quiet", "add", &inner, "inner"]);
    clone.git(&["-C", &one, "commit", "-q", "-m", "with a library"]);
    clone.git(&[
        "submodule",
        "--quiet",
        "add",
        "--name",
        "lib/one",
        &one,
        "libs/a b",
    ]);
    clone.git(&["submodule", "--quiet", "update", "--init", "--recursive"]);
    fs::write(clone.directory.join("libs/a b/file"), "two\n").unwrap();
    clone.git(&["-C", "libs/a b", "commit", "-q", "-a", "-m", "not pushed"]);
    fs::write(clone.directory.join("kata-ci.toml"), PIPELINE).unwrap();
    fs::write(clone.directory.join("Makefile"), MAKEFILE).unwrap();
    clone.commit_with_id("file", "proxy: with a library");
    // Whoever has the libraries has them here only.
    fs::remove_dir_all(clone.home().join("one")).unwrap();
    fs::remove_dir_all(clone.home().join("inner")).unwrap();
    clone
}

#[test]
fn submodules_are_in_the_checkout_from_the_users_own_clone() {
    let clone = with_submodules();
    let before = clone.git(&["submodule", "status", "--recursive"]);
    clone.git(&["config", "push.recurseSubmodules", "check"]);
    clone.git(&["config", "submodule.recurse", "true"]);
    let answer = clone.call(&["push"]).expect(0);
    assert!(answer.output.contains("1 passed"), "{answer:?}");
    assert_eq!(clone.git(&["submodule", "status", "--recursive"]), before);
    // The work tree of the submodule is not needed.
    clone.git(&["submodule", "--quiet", "deinit", "--force", "--all"]);
    clone.call(&["run", "--rev", "HEAD"]).expect(0);
    // Nor is the user's own work tree.
    let tree = clone.home().join("linked").to_string_lossy().into_owned();
    clone.git(&["worktree", "add", "-q", "--detach", &tree]);
    let mut run = clone.kata_ci(&["run", "--rev", "HEAD"]);
    crate::support::gerrit::Answer::of(run.current_dir(&tree)).expect(0);
}

#[test]
fn a_submodule_that_is_not_there_is_an_error_with_the_command_that_brings_it() {
    let clone = with_submodules();
    clone.git(&["submodule", "--quiet", "deinit", "--force", "--all"]);
    fs::remove_dir_all(clone.directory.join(".git/modules")).unwrap();
    let answer = clone.call(&["push"]).expect(75);
    let said = format!("{}{}", answer.output, answer.errors);
    assert!(
        said.contains("the submodule libs/a b is not in")
            && said.contains("submodule update --init -- 'libs/a b'"),
        "{said}"
    );
    assert!(!said.contains("1 failed"), "{said}");
}

#[test]
fn gerrit_takes_merges_and_commits_with_submodules() {
    let Some(server) = server() else { return };
    let project = server.project("merged");
    let clone = project.clone_as(User::Admin, Transport::Ssh);
    clone.git(&["checkout", "-q", "-b", "side"]);
    clone.commit_with_id("side", "proxy: aside");
    clone.git(&["checkout", "-q", "master"]);
    clone.commit_with_id("file", "proxy: on master");
    let id = fresh_id();
    let message = format!("Merge side\n\nChange-Id: {id}");
    clone.git(&["merge", "-q", "--no-ff", "-m", &message, "side"]);
    let answer = clone.call(&["push", "--no-check"]).expect(0);
    assert!(answer.output.contains("is a merge commit"), "{answer:?}");
    assert_eq!(project.count(), 3);
    assert!(project.change(&id).is_some());
    let library = library(&clone, "one");
    let allow = ["-c", "protocol.file.allow=always"];
    let add = ["submodule", "--quiet", "add", &library, "libs/one"];
    clone.git(&[&allow[..], &add].concat());
    clone.commit_with_id("file", "proxy: with a library");
    fs::write(clone.directory.join("libs/one/file"), "two\n").unwrap();
    clone.git(&["-C", "libs/one", "commit", "-q", "-a", "-m", "not pushed"]);
    clone.commit_with_id("file", "proxy: a newer library");
    for value in ["check", "only", "on-demand"] {
        clone.git(&["config", "push.recurseSubmodules", value]);
        clone.git(&["commit", "-q", "--amend", "--no-edit", "--date=now"]);
        let answer = clone.call(&["push", "--no-check"]).expect(0);
        assert!(answer.output.contains("pushed"), "{value}: {answer:?}");
    }
    assert_eq!(project.count(), 5);
}
