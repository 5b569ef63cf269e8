//! Tests that nothing in a stranger's tree is started after its job has run in the sandbox, in the
//! same run or in the next.

mod settings;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::isolation::Who;
use crate::support::workspace::{git, write};
use crate::support::{Finished, KataCi};

const PIPELINE: &str = "version = 1\n[[step]]\nname = 'check'\nrun = ['make', 'check']\nexpect = 'commands'\n\
    [[step]]\nname = 'test'\nrun = ['make', 'test']\nexpect = 'exit'\n[[component]]\nname = 'a'\npath = 'a'\n";

/// Points git to a repository of the job's, whose configuration and attributes name the program.
const COMMONDIR: &str = "mkdir loot; cp -r .git/objects .git/refs .git/HEAD loot
    git config -f loot/config core.repositoryformatversion 0
    git config -f loot/config filter.mark.clean \"$MARK\"; git config -f loot/config diff.external \"$MARK\"
    mkdir loot/info; echo '* filter=mark diff=mark' > loot/info/attributes; echo ../loot > .git/commondir; again";

/// Fills the directory of a submodule.
const GITLINK: &str = "cd sub; git init -q .; echo x > x; git add x; git -c user.name=A -c user.email=a@b commit -qm x
    echo '* filter=mark' > .gitattributes; git config filter.mark.clean \"$MARK\"; echo y > x; cd ..";

/// Makes a nearer repository, in the component's own directory.
const NEARER: &str =
    "cd a; git init -q .; git add Makefile; git -c user.name=A -c user.email=a@b commit -qm x
    echo '* filter=mark' > .gitattributes; git config filter.mark.clean \"$MARK\"; cd ..; again";

/// Files that cargo, rustup and go read.
const TOOLCHAINS: &str = "mkdir -p .cargo a/src; printf '[toolchain]\\npath = \"%s\"\\n' \"$PWD/a/tool\" > rust-toolchain.toml
    printf '[build]\\nrustc = \"%s\"\\nrustc-wrapper = \"%s\"\\n' \"$MARK\" \"$MARK\" > .cargo/config.toml
    printf '[package]\\nname = \"a\"\\nversion = \"0.1.0\"\\nedition = \"2021\"\\n' > a/Cargo.toml; touch a/src/lib.rs
    printf 'module m\\n\\ngo 1.21\\n\\ntoolchain go9.99.9\\n' > a/go.mod; printf 'Signature: 8a477f597d28d172789f06886806bc55\\n' > .cargo/CACHEDIR.TAG";

/// A stranger's tree with a job that runs a script. Its program `$MARK` leaves a mark in a place
/// that is not writable inside of the sandbox.
struct Tree {
    place: TempDir,
}

impl Tree {
    fn new(script: &str) -> Self {
        let tree = Self {
            place: tempfile::tempdir().expect("a temporary directory"),
        };
        let again =
            "again() { for f in a/Makefile kata-ci.toml; do touch -d 2001-01-01 $f; done; }";
        let script = format!("set -e\ncd ..\nMARK=$PWD/a/tool/bin/cargo\n{again}\n{script}\n");
        let work = tree.path("work");
        write(&work.join("a/plant.sh"), &script);
        let makefile =
            "check:\n\t@test -e planted || sh plant.sh\n\t@touch planted\ntest:\n\t@echo ran\n";
        write(&work.join("a/Makefile"), makefile);
        write(&work.join("kata-ci.toml"), PIPELINE);
        write(&work.join(".gitignore"), "planted\n");
        write(
            &tree.path("other.toml"),
            &PIPELINE.replace("path = 'a'", "path = 'work/a'"),
        );
        let mark = tree.path("mark").display().to_string();
        for program in ["bin/cargo", "bin/rustc", "mark"] {
            let path = work.join("a/tool").join(program);
            write(
                &path,
                &format!("#!/bin/sh\necho \"$0 $*\" >> '{mark}'\ncat\nexit 1\n"),
            );
            fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("set");
        }
        git(&tree.path(""), &["init", "-q", "--bare", "origin.git"]);
        git(&work, &["init", "-q", "-b", "master"]);
        git(&work, &["add", "."]);
        let gitlink = "160000,587be6b4c3f93f93c489c0111bba5596147a26cb,sub";
        git(&work, &["update-index", "--add", "--cacheinfo", gitlink]);
        fs::create_dir(work.join("sub")).expect("made");
        git(&work, &["commit", "-qm", "begin"]);
        let origin = tree.path("origin.git").display().to_string();
        git(&work, &["remote", "add", "origin", &origin]);
        git(&work, &["push", "-q", "origin", "HEAD:refs/heads/master"]);
        git(&work, &["fetch", "-q"]);
        write(&work.join("change"), "x\n");
        git(&work, &["add", "change"]);
        git(
            &work,
            &[
                "commit",
                "-qm",
                "change\n\nChange-Id: I0123456789012345678901234567890123456789",
            ],
        );
        let identity = "[user]\nname = A\nemail = a@example.com\n[safe]\ndirectory = *\n";
        write(&tree.path("home/.gitconfig"), identity);
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn call(&self, who: Who, arguments: &[&str]) -> Finished {
        let call = KataCi::bare()
            .args(arguments)
            .env("KATACI_ISOLATE", "on")
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("TOKEN", "secret")
            .reports_in(&self.path("reports"));
        who.calls(call, self.place.path()).finish()
    }

    fn run(&self, who: Who, directory: &Path, arguments: &[&str]) -> Finished {
        let (directory, reports) = (directory.display().to_string(), self.path("reports"));
        let reports = reports.display().to_string();
        let words = ["run", "-C", &directory, "--report-dir", &reports];
        self.call(who, &[&words, arguments].concat())
    }

    /// Calls kata-ci in one of four ways.
    fn call_by(&self, who: Who, way: &str) -> Finished {
        let (work, other) = (self.path("work"), self.path("other.toml"));
        let directory = work.display().to_string();
        match way {
            "-p" => self.run(who, &self.path(""), &["-p", &other.display().to_string()]),
            "--rev" => self.run(who, &work, &["--rev", "HEAD"]),
            "push" => self.call(who, &["push", "-C", &directory, "--direct", "-y", "origin"]),
            _ => self.run(who, &work, &[]),
        }
    }

    /// Returns the programs that were started outside of the sandbox.
    fn marks(&self) -> String {
        fs::read_to_string(self.path("mark")).unwrap_or_default()
    }

    /// Counts the stamps of jobs.
    fn stamps(&self) -> usize {
        let all = self.path("state/kata-ci/stamps").read_dir();
        let is_stamp =
            |path: PathBuf| fs::read_to_string(path).is_ok_and(|it| it.contains("passed"));
        let files = all.into_iter().flatten().flatten();
        files.filter(|file| is_stamp(file.path())).count()
    }

    fn assert_nothing_ran(&self, what: &str) {
        assert_eq!(self.marks(), "", "{what}");
    }
}

/// Tests each way to call kata-ci.
fn nothing_runs_in_the_same_run(script: &str) {
    for who in [Who::Myself, Who::User] {
        for way in ["-C", "-p", "--rev", "push"] {
            let tree = Tree::new(script);
            let finished = tree.call_by(who, way);
            let printed = finished.printed();
            tree.assert_nothing_ran(&format!("{way} {who:?}: {printed}"));
            assert_eq!(finished.code, 0, "{way} {who:?}: {printed}");
            if way == "-C" || way == "-p" {
                assert!(tree.path("work/a/planted").exists(), "{printed}");
            }
        }
    }
}

#[test]
fn a_common_directory_with_a_filter() {
    nothing_runs_in_the_same_run(COMMONDIR);
}

#[test]
fn a_submodule_that_the_job_fills() {
    nothing_runs_in_the_same_run(GITLINK);
}

#[test]
fn a_nearer_repository() {
    nothing_runs_in_the_same_run(NEARER);
}

#[test]
fn toolchains_are_not_started_by_the_next_run_either() {
    for who in [Who::Myself, Who::User] {
        for rev in [&[][..], &["--rev", "HEAD"]] {
            let tree = Tree::new(TOOLCHAINS);
            for _ in 0..2 {
                let finished = tree.run(who, &tree.path("work"), rev);
                tree.assert_nothing_ran(&format!("{rev:?} {who:?}: {}", finished.printed()));
            }
        }
    }
}
