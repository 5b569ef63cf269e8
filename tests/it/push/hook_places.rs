//! Tests where the hooks hold: with and without a Gerrit, in places that others have too, and
//! around hooks that look at their own name.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::gerrit::{Answer, Clone, fresh_id, hub, plain};

fn write_script(file: &Path, script: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, script).unwrap();
    fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
}

fn git(clone: &Clone, arguments: &[&str]) -> Answer {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(&clone.directory)
        .envs(clone.environment());
    Answer::of(&mut command)
}

fn commit(clone: &Clone, message: &str) -> String {
    fs::write(clone.directory.join("file"), fresh_id()).unwrap();
    clone.git(&["commit", "-q", "-a", "-m", message]);
    clone.git(&["log", "-1", "--format=%B"])
}

const PIPELINE: &str = "version = 1\n[[step]]\nname = \"test\"\nrun = [\"make\", \"test\"]\nexpect = \"exit\"\n\
    [[component]]\nname = \"proxy\"\npath = \".\"\n";

#[test]
fn without_a_gerrit_each_branch_is_guarded_and_no_ids_are_added() {
    let (_, clone) = hub();
    fs::write(clone.directory.join("kata-ci.toml"), PIPELINE).unwrap();
    fs::write(clone.directory.join("Makefile"), "test:\n\ttest -e file\n").unwrap();
    clone.commit("file", "proxy: have a pipeline\n");
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    let said = clone.call(&["hook", "install"]).expect(0);
    assert!(
        said.output.contains("guards every branch that is pushed"),
        "{said:?}"
    );
    let message = commit(&clone, "proxy: no id");
    assert!(!message.contains("Change-Id"), "{message}");
    for refspec in [
        "HEAD:refs/heads/topic",
        "HEAD:refs/heads/master",
        "HEAD:refs/for/master",
    ] {
        let answer = git(&clone, &["push", "origin", refspec]);
        assert_ne!(answer.code, Some(0), "{answer:?}");
        assert!(answer.errors.contains("was not checked"), "{answer:?}");
    }
    git(&clone, &["push", "origin", "HEAD:refs/tags/v1"]).expect(0);
    clone.call(&["run"]).expect(0);
    git(&clone, &["push", "origin", "HEAD:refs/heads/topic"]).expect(0);
    git(&clone, &["push", "origin", ":refs/heads/topic"]).expect(0);
    commit(&clone, "proxy: by kata-ci itself");
    clone.git(&["switch", "-q", "-c", "direct"]);
    clone.call(&["push", "--direct"]).expect(0);
}

#[test]
fn one_sign_of_a_gerrit_makes_it_one() {
    let (_, clone) = hub();
    clone.call(&["hook", "install"]).expect(0);
    assert!(!commit(&clone, "proxy: none").contains("Change-Id"));
    fs::write(
        clone.directory.join(".gitreview"),
        "[gerrit]\nhost=127.0.0.1\nproject=proxy\n",
    )
    .unwrap();
    assert!(commit(&clone, "proxy: a Gerrit").contains("Change-Id: I"));
    let said = clone.call(&["hook", "status"]).expect(0);
    assert!(said.output.contains("known by .gitreview"), "{said:?}");
    git(&clone, &["push", "-q", "origin", "HEAD:refs/heads/topic"]).expect(0);
}

#[test]
fn hooks_of_other_repositories_are_not_touched() {
    let (_, clone) = plain();
    let shared = clone.home().join("shared");
    let shared_text = shared.to_string_lossy().into_owned();
    let global = clone
        .home()
        .join("gitconfig")
        .to_string_lossy()
        .into_owned();
    for set in [
        &["config", "--file", &global, "core.hooksPath", &shared_text][..],
        &["config", "core.hooksPath", &shared_text],
    ] {
        clone.git(set);
        let said = clone.call(&["hook", "install"]).expect(1);
        assert!(
            said.errors.contains("other repositories have too"),
            "{said:?}"
        );
        assert!(!shared.exists());
    }
    let status = clone.call(&["hook", "status"]).expect(0);
    assert!(
        status.output.contains("for other repositories too"),
        "{status:?}"
    );
    // The advice works.
    let common = clone.git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    clone.git(&["config", "core.hooksPath", &format!("{common}/hooks")]);
    let said = clone.call(&["hook", "install"]).expect(0);
    assert!(said.output.contains("in this repository only"), "{said:?}");
}

#[test]
fn a_relative_place_begins_at_the_top_and_is_that_of_one_work_tree() {
    let (_, clone) = plain();
    clone.git(&["config", "core.hooksPath", "hooks"]);
    let below = clone.directory.join("below");
    fs::create_dir(&below).unwrap();
    let mut install = clone.kata_ci(&["hook", "install"]);
    let said = Answer::of(install.current_dir(&below)).expect(0);
    assert!(said.output.contains("in this work tree only"), "{said:?}");
    assert!(clone.directory.join("hooks/pre-push").exists());
    assert!(commit(&clone, "proxy: by the hook").contains("Change-Id: I"));
}

#[test]
fn a_hook_that_is_a_file_of_the_repository_is_not_replaced() {
    let (_, clone) = plain();
    clone.git(&["config", "core.hooksPath", ".githooks"]);
    let file = clone.directory.join(".githooks/pre-push");
    let seen = clone.home().join("seen");
    let script = format!("cat > '{}'\n", seen.display());
    write_script(&file, &format!("#!/bin/sh\n{script}"));
    clone.commit("file", "proxy: a hook for all\n");
    clone.git(&[
        "push",
        "-q",
        "--no-verify",
        "origin",
        "HEAD:refs/heads/master",
    ]);
    let said = clone.call(&["hook", "install"]).expect(1);
    let line = said
        .errors
        .split_once("as the first line: ")
        .unwrap()
        .1
        .trim();
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
    assert!(!clone.directory.join(".githooks/commit-msg").exists());
    // The advice works: ours refuses, and theirs still gets the lines.
    let program = env!("CARGO_BIN_EXE_kata-ci");
    let line = line.replace("kata-ci hook", &format!("{program} hook"));
    write_script(&file, &format!("#!/bin/sh -e\n{line}\n{script}"));
    clone.git(&["commit", "-q", "-a", "--no-verify", "-m", "proxy: guarded"]);
    let refused = git(&clone, &["push", "origin", "HEAD:refs/for/master"]);
    assert!(refused.errors.contains("was not checked"), "{refused:?}");
    assert_ne!(refused.code, Some(0));
    assert!(!seen.exists());
    git(&clone, &["push", "-q", "origin", "HEAD:refs/heads/other"]).expect(0);
    assert!(
        fs::read_to_string(&seen)
            .unwrap()
            .contains("refs/heads/other")
    );
}

/// Overcommit's hooks are links to one program, which looks at its name. It is a gem that Debian
/// does not have, so this is an imitation.
#[test]
fn a_kept_hook_has_its_own_name_and_the_files_beside_it() {
    let (_, clone) = plain();
    let hooks = clone.directory.join(".git/hooks");
    let seen = clone.home().join("seen");
    fs::create_dir_all(&hooks).unwrap();
    fs::write(
        hooks.join("library"),
        format!("note() {{ echo \"$*\" >> '{}'; }}\n", seen.display()),
    )
    .unwrap();
    write_script(
        &hooks.join("overcommit-hook"),
        "#!/bin/sh\n# overcommit\n. \"$(dirname \"$0\")/library\"\n\
         cd \"$(dirname \"$0\")/../..\" && note \"$(basename \"$0\") $(ls file)\"\n",
    );
    for name in ["pre-push", "commit-msg"] {
        symlink("overcommit-hook", hooks.join(name)).unwrap();
    }
    let said = clone.call(&["hook", "install"]).expect(0);
    assert!(said.output.contains("put into .overcommit.yml"), "{said:?}");
    commit(&clone, "proxy: named");
    git(&clone, &["push", "-q", "origin", "HEAD:refs/heads/other"]).expect(0);
    assert_eq!(
        fs::read_to_string(&seen).unwrap(),
        "commit-msg file\npre-push file\n"
    );
    clone.call(&["hook", "uninstall"]).expect(0);
    assert_eq!(
        fs::read_link(hooks.join("pre-push")).unwrap(),
        Path::new("overcommit-hook")
    );
    assert!(!clone.directory.join(".git/hooks.kata-ci").exists());
}

/// Git runs them from 2.54 on, which no Debian has yet: what is tested is what is told.
#[test]
fn hooks_of_gits_own_configuration_are_told() {
    let (_, clone) = plain();
    for (key, value) in [
        ("hook.lint.event", "pre-push"),
        ("hook.lint.command", "make lint"),
    ] {
        clone.git(&["config", key, value]);
    }
    let said = clone.call(&["hook", "status"]).expect(0);
    assert!(
        said.output.contains("hook.lint of its configuration"),
        "{said:?}"
    );
}

/// The script of an earlier kata-ci does not ask for the kept hook; it is called all the same.
#[test]
fn a_call_from_elsewhere_does_not_run_the_kept_hook_again() {
    let (_, clone) = plain();
    let seen = clone.home().join("seen");
    let hook = clone.directory.join(".git/hooks/commit-msg");
    write_script(
        &hook,
        &format!("#!/bin/sh\necho ran >> '{}'\n", seen.display()),
    );
    clone.call(&["hook", "install"]).expect(0);
    let file = clone.home().join("message");
    fs::write(&file, "proxy: by hand\n").unwrap();
    let file = file.to_string_lossy().into_owned();
    clone.call(&["hook", "commit-msg", &file]).expect(0);
    assert!(!seen.exists());
    let script = fs::read_to_string(&hook).unwrap();
    fs::write(&hook, script.replace(" --chain", "")).unwrap();
    commit(&clone, "proxy: an earlier script");
    assert_eq!(fs::read_to_string(&seen).unwrap(), "ran\n");
}
