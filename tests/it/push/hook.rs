//! Tests the installation and work of the hooks, with a plain git server.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::gerrit::{Answer, Clone, fresh_id, plain};

fn write_hook(file: &Path, script: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, script).unwrap();
    fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
}

fn hook_file(clone: &Clone, name: &str) -> PathBuf {
    let path = clone.git(&["rev-parse", "--git-path", &format!("hooks/{name}")]);
    clone.directory.join(path)
}

fn git(clone: &Clone, arguments: &[&str]) -> Answer {
    let mut command = std::process::Command::new("git");
    command
        .args(arguments)
        .current_dir(&clone.directory)
        .envs(clone.environment());
    Answer::of(&mut command)
}

fn has_change_id(message: &str) -> bool {
    message
        .lines()
        .any(|line| line.starts_with("Change-Id: I") && line.len() == 52)
}

fn commit(clone: &Clone, message: &str) -> String {
    fs::write(clone.directory.join("file"), fresh_id()).unwrap();
    clone.git(&["commit", "-q", "-a", "-m", message]);
    clone.git(&["log", "-1", "--format=%B"])
}

#[test]
fn commits_get_ids_once_installed_and_not_after() {
    let (_, clone) = plain();
    assert!(!has_change_id(&commit(&clone, "proxy: before")));
    clone.call(&["hook", "install"]).expect(0);
    let first = commit(&clone, "proxy: with it");
    assert!(has_change_id(&first), "{first}");
    clone.git(&["commit", "-q", "--amend", "--no-edit"]);
    assert_eq!(
        clone.git(&["log", "-1", "--format=%B"]),
        first,
        "an amended commit keeps its id"
    );
    clone.call(&["hook", "uninstall"]).expect(0);
    assert!(!has_change_id(&commit(&clone, "proxy: after")));
    assert!(!hook_file(&clone, "pre-push").exists());
}

#[test]
fn outside_of_a_repository_that_is_said_as_a_mistake_of_the_call() {
    let place = tempfile::tempdir().unwrap();
    for command in ["install", "uninstall", "status"] {
        let said = crate::support::KataCi::bare()
            .args(["hook", command, "-C"])
            .args([place.path()])
            .finish()
            .expect_code(2);
        assert!(
            said.stderr.contains("not in a git repository"),
            "{}",
            said.stderr
        );
    }
}

#[test]
fn installing_twice_is_installing_once() {
    let (_, clone) = plain();
    clone.call(&["hook", "install"]).expect(0);
    let script = fs::read(hook_file(&clone, "pre-push")).unwrap();
    let again = clone.call(&["hook", "install"]).expect(0);
    assert!(again.output.contains("up to date"), "{again:?}");
    assert_eq!(fs::read(hook_file(&clone, "pre-push")).unwrap(), script);
    clone.call(&["hook", "uninstall"]).expect(0);
    let again = clone.call(&["hook", "uninstall"]).expect(0);
    assert!(again.output.contains("was not installed"), "{again:?}");
}

#[test]
fn a_hook_that_was_there_is_kept_called_and_restored() {
    let (_, clone) = plain();
    let file = hook_file(&clone, "commit-msg");
    // Without `#!`, git runs it with sh.
    let before = "echo 'Reviewed-by: the old hook' >> \"$1\"\n";
    write_hook(&file, before);
    let said = clone.call(&["hook", "install"]).expect(0);
    assert!(
        said.output.contains("calls") && said.output.contains("before-kata-ci"),
        "{said:?}"
    );
    let message = commit(&clone, "proxy: both hooks\n\nBody.\n");
    assert!(
        message.contains("the old hook") && has_change_id(&message),
        "{message}"
    );
    clone.call(&["hook", "uninstall"]).expect(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o755
    );
}

#[test]
fn a_kept_hook_that_says_no_is_obeyed() {
    let (_, clone) = plain();
    write_hook(
        &hook_file(&clone, "commit-msg"),
        "#!/bin/sh\necho no >&2\nexit 3\n",
    );
    clone.call(&["hook", "install"]).expect(0);
    fs::write(clone.directory.join("file"), "x").unwrap();
    let answer = git(&clone, &["commit", "-a", "-m", "proxy: refused"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.errors.contains("kept from before"), "{answer:?}");
}

#[test]
fn a_kept_hook_gets_gits_arguments_and_lines() {
    let (origin, clone) = plain();
    let seen = clone.home().join("seen");
    let script = format!(
        "#!/bin/sh\necho \"$@\" > '{0}'\ncat >> '{0}'\n",
        seen.display()
    );
    write_hook(&hook_file(&clone, "pre-push"), &script);
    clone.call(&["hook", "install"]).expect(0);
    commit(&clone, "proxy: seen");
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/other"]);
    let seen = fs::read_to_string(seen).unwrap();
    let head = clone.git(&["rev-parse", "HEAD"]);
    let zero = "0".repeat(40);
    assert_eq!(
        seen,
        format!(
            "origin {}\nHEAD {head} refs/heads/other {zero}\n",
            origin.display()
        )
    );
}

#[test]
fn links_and_files_nobody_may_run_are_kept_as_they_are() {
    let (_, clone) = plain();
    let link = hook_file(&clone, "commit-msg");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink("/nowhere/at/all", &link).unwrap();
    let plain_file = hook_file(&clone, "pre-push");
    fs::write(&plain_file, "exit 1\n").unwrap();
    clone.call(&["hook", "install"]).expect(0);
    assert!(has_change_id(&commit(&clone, "proxy: not called")));
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/other"]);
    clone.call(&["hook", "uninstall"]).expect(0);
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("/nowhere/at/all"));
    assert_eq!(
        fs::metadata(&plain_file).unwrap().permissions().mode() & 0o111,
        0
    );
}

#[test]
fn the_place_is_where_git_looks() {
    let (_, clone) = plain();
    clone.git(&["config", "core.hooksPath", "my hooks"]);
    let said = clone.call(&["hook", "install"]).expect(0);
    assert!(said.output.contains("core.hooksPath is set"), "{said:?}");
    assert!(clone.directory.join("my hooks/commit-msg").exists());
    assert!(has_change_id(&commit(&clone, "proxy: hooks path")));
    clone.git(&["config", "--unset", "core.hooksPath"]);
    let tree = clone.home().join("linked tree");
    clone.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "linked",
        &tree.to_string_lossy(),
    ]);
    let mut install = clone.kata_ci(&["hook", "install"]);
    Answer::of(install.current_dir(&tree)).expect(0);
    assert!(clone.directory.join(".git/hooks/commit-msg").exists());
    fs::write(tree.join("file"), "x").unwrap();
    clone.git(&[
        "-C",
        &tree.to_string_lossy(),
        "commit",
        "-q",
        "-a",
        "-m",
        "proxy: linked",
    ]);
    let message = clone.git(&["-C", &tree.to_string_lossy(), "log", "-1", "--format=%B"]);
    assert!(has_change_id(&message), "{message}");
}

#[test]
fn status_tells_what_lies_there() {
    let (_, clone) = plain();
    let state = |clone: &Clone| -> Vec<String> {
        let said = clone
            .call(&["hook", "status", "--format", "json"])
            .expect(0)
            .json();
        said.as_array()
            .unwrap()
            .iter()
            .map(|one| one["state"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(state(&clone), ["absent", "absent"]);
    write_hook(&hook_file(&clone, "commit-msg"), "#!/bin/sh\n");
    assert_eq!(state(&clone), ["absent", "foreign"]);
    clone.call(&["hook", "install"]).expect(0);
    assert_eq!(state(&clone), ["ours", "ours"]);
    let said = clone.call(&["hook", "status"]).expect(0);
    assert!(said.output.contains("installed; calls"), "{said:?}");
}

#[test]
fn a_hook_that_came_later_is_not_touched() {
    let (_, clone) = plain();
    let file = hook_file(&clone, "commit-msg");
    write_hook(&file, "#!/bin/sh\n# the first\n");
    clone.call(&["hook", "install"]).expect(0);
    write_hook(&file, "#!/bin/sh\n# a later one\n");
    let said = clone.call(&["hook", "install"]).expect(1);
    assert!(said.errors.contains("moved away by hand"), "{said:?}");
    let said = clone.call(&["hook", "uninstall"]).expect(1);
    assert!(said.output.contains("stays"), "{said:?}");
    assert!(fs::read_to_string(&file).unwrap().contains("a later one"));
    let kept = fs::read_to_string(file.with_file_name("commit-msg.before-kata-ci")).unwrap();
    assert!(kept.contains("the first"));
}

#[test]
fn a_program_that_is_gone_stops_the_push_instead_of_letting_it_by() {
    let (_, clone) = plain();
    clone.call(&["hook", "install"]).expect(0);
    let file = hook_file(&clone, "pre-push");
    let script = fs::read_to_string(&file)
        .unwrap()
        .replace(env!("CARGO_BIN_EXE_kata-ci"), "/nowhere/kata-ci");
    fs::write(&file, script).unwrap();
    let answer = git(&clone, &["push", "origin", "HEAD:refs/heads/other"]);
    assert_ne!(answer.code, Some(0));
    assert!(answer.errors.contains("kata-ci is gone"), "{answer:?}");
}
