//! Tests that nothing in a stranger's tree is started before its job runs in the sandbox.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::isolation::{Lab, Who};
use crate::support::workspace::{git, write};
use crate::support::{Finished, run_in};

/// A repository with a component `a` and a program that leaves a mark.
struct Tree {
    place: TempDir,
}

impl Tree {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a temporary directory");
        let tree = Self { place };
        write(&tree.path("work/a/Makefile"), "check test:\n\t@echo ran\n");
        let program = tree.path("work/a/tool/bin/cargo");
        let mark = tree.path("mark").display().to_string();
        write(&program, &format!("#!/bin/sh\necho x > '{mark}'\nexit 1\n"));
        fs::set_permissions(program, PermissionsExt::from_mode(0o755)).expect("set");
        git(&tree.path("work"), &["init", "-q"]);
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn run(&self, step: &str) -> Finished {
        run_in(&self.path("work"))
            .args(["a", "--isolate", "on", "-s", step])
            .finish()
    }

    fn assert_nothing_ran(&self) {
        assert!(!self.path("mark").exists());
    }
}

#[test]
fn a_toolchain_of_rust_that_the_tree_names_by_its_path() {
    let tree = Tree::new();
    let manifest = "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    write(&tree.path("work/a/Cargo.toml"), manifest);
    write(&tree.path("work/a/src/lib.rs"), "");
    let pipeline = "version = 1\nextends = 'makefile'\n[[component]]\nname = 'a'\npath = 'a'\nrequires = ['cargo']\n";
    for text in [
        "[toolchain]\npath = \"tool\"\n".to_owned(),
        format!("{}\n", tree.path("work/a/tool").display()),
    ] {
        write(&tree.path("work/a/rust-toolchain"), &text);
        for pipeline in [None, Some(pipeline)] {
            if let Some(pipeline) = pipeline {
                write(&tree.path("work/kata-ci.toml"), pipeline);
            }
            let run = tree.run("test");
            tree.assert_nothing_ran();
            assert!(run.log("a.test").contains("ran"), "{}", run.printed());
        }
        fs::remove_file(tree.path("work/kata-ci.toml")).expect("removed");
    }
}

#[test]
fn a_repository_without_a_work_tree_that_lies_in_the_tree() {
    let tree = Tree::new();
    let component = tree.path("work/a");
    let inner = |arguments: &[&str]| {
        let options = ["--git-dir=.", "--work-tree=."];
        git(&component, &[&options, arguments].concat());
    };
    git(&component, &["init", "-q", "--bare", "."]);
    write(&component.join(".gitattributes"), "* filter=mark\n");
    inner(&["add", "Makefile"]);
    inner(&["commit", "-qm", "begin"]);
    let cargo = component.join("tool/bin/cargo");
    inner(&["config", "core.bare", "false"]);
    inner(&["config", "core.worktree", "."]);
    inner(&["config", "filter.mark.clean", &cargo.display().to_string()]);
    touch(&component.join("Makefile"));
    let run = tree.run("check");
    tree.assert_nothing_ran();
    assert!(run.log("a.check").contains("ran"), "{}", run.printed());
}

/// Changes the time of a file, so that git has to read it again.
fn touch(path: &Path) {
    let file = fs::File::options().append(true).open(path).expect("opened");
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .expect("set");
}

#[test]
fn a_repository_of_another_user_ends_its_own_jobs_and_is_said_with_gits_way_out() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: another owner needs root");
        return;
    }
    let lab = Lab::new("echo checked");
    let theirs = lab.path("work/b");
    for path in [theirs.clone(), theirs.join(".git")] {
        std::os::unix::fs::chown(path, Some(54321), None).expect("given");
    }
    let run = || {
        let call = lab.call(Who::Myself, &["--isolate", "on"]);
        call.env("HOME", lab.path("nowhere")).finish()
    };
    let refused = run().expect_code(69);
    let fix = format!("safe.directory {}", theirs.display());
    assert!(refused.stderr.contains(&fix), "{}", refused.stderr);
    let pipeline = "version = 1\nextends = \"makefile\"\n[[component]]\nname = \"a\"\n\
                    [[component]]\nname = \"b\"\nrequires = [\"origin\"]\n";
    write(&lab.path("work/kata-ci.toml"), pipeline);
    let run = run().expect_code(69);
    assert_eq!(run.outcome("a.check"), "passed");
    assert_eq!(run.outcome("b.check"), "error");
}
