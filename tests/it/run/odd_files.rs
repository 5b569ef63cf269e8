//! Tests that a pipe, a directory, a device or a huge file in the place of a file that git or
//! kata-ci reads keeps nobody waiting, and takes no memory. What cannot be read is named.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use crate::support::workspace::{git, write};
use crate::support::{Finished, KataCi};

const PIPELINE: &str = "version = 1\n[[step]]\nname = 'check'\nrun = ['make', 'check']\nexpect = 'commands'\n\
    [[component]]\nname = 'a'\npath = 'a'\n";

/// Time limit of a command that has next to nothing to do, in seconds. Git alone would wait for 20
/// s, several times over.
const LONGEST: f64 = 19.0;

/// Bounds the memory of every process to 1 GiB, and gives a pre-push hook its line.
const BOUNDED: &str = "ulimit -d 1048576; echo \"$LINE\" | \"$@\"";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Odd {
    Pipe,
    Directory,
    Huge,
    Endless,
}

const ODD: [Odd; 4] = [Odd::Pipe, Odd::Huge, Odd::Endless, Odd::Directory];

impl Odd {
    fn replaces(self, path: &Path) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
        match self {
            Self::Pipe => mkfifo(path, Mode::S_IRWXU).expect("made"),
            Self::Directory => fs::create_dir(path).expect("made"),
            Self::Huge => {
                let file = fs::File::create(path).expect("made");
                file.set_len(10 << 30).expect("sparse");
            }
            Self::Endless => std::os::unix::fs::symlink("/dev/zero", path).expect("linked"),
        }
    }
}

/// A repository with a server, and a commit to push.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary directory"));
        let work = place.path("work");
        write(&work.join("a/Makefile"), "check:\n\t@echo ran\n");
        write(&work.join("kata-ci.toml"), PIPELINE);
        let identity = "[user]\nname = A\nemail = a@example.com\n";
        write(&place.path("home/.gitconfig"), identity);
        git(&place.path(""), &["init", "-q", "--bare", "origin.git"]);
        git(&work, &["init", "-q", "-b", "master"]);
        git(&work, &["add", "."]);
        git(&work, &["commit", "-qm", "begin"]);
        let origin = place.path("origin.git").display().to_string();
        git(&work, &["remote", "add", "origin", &origin]);
        git(&work, &["push", "-q", "origin", "HEAD:refs/heads/master"]);
        git(&work, &["fetch", "-q"]);
        write(&work.join("change"), "x\n");
        git(&work, &["add", "change"]);
        let id = "Change-Id: I0123456789012345678901234567890123456789";
        git(&work, &["commit", "-qm", "change", "-m", id]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn call(&self, arguments: &[&str]) -> Finished {
        let work = self.path("work").display().to_string();
        let words = ["sh", "-c", BOUNDED, "sh"];
        let commit = "1".repeat(40);
        let line = format!("refs/heads/x {commit} refs/for/master {}", "0".repeat(40));
        KataCi::bare()
            .args(arguments)
            .args(["-C", &work])
            .env("LINE", line)
            .env("HOME", self.path("home"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .through(&words, Path::new(env!("CARGO_BIN_EXE_kata-ci")))
            .finish()
    }
}

const CALLS: [&[&str]; 4] = [
    &["run"],
    &["run", "--rev", "HEAD"],
    &["push", "--direct", "-y", "origin"],
    &["hook", "pre-push", "origin", "x"],
];

/// Puts odd things in the place of a file; each call ends in time, and well or with its name. Git
/// says by itself that a directory is no file.
fn keeps_nobody_waiting(names: &[&str]) {
    for name in names {
        for odd in &ODD[..3] {
            let place = Place::new();
            odd.replaces(&place.path(name));
            for arguments in CALLS {
                let said = place.call(arguments);
                let printed = said.printed();
                let what = format!("{odd:?} {name} {arguments:?} {} s: {printed}", said.seconds);
                assert!(said.seconds < LONGEST, "{what}");
                assert!(matches!(said.code, 0..=4 | 69 | 75), "{} {what}", said.code);
                let last = name.rsplit('/').next().expect("a name");
                let is_hook = arguments[0] == "hook";
                assert!(
                    said.code == 0 || is_hook || printed.contains(last),
                    "{what}"
                );
            }
        }
    }
}

#[test]
fn the_entry_and_the_settings_of_git() {
    keeps_nobody_waiting(&["work/.git", "work/.git/config", "work/.git/info/exclude"]);
}

#[test]
fn what_git_keeps_of_commits() {
    keeps_nobody_waiting(&["work/.git/HEAD", "work/.git/index", "work/.git/packed-refs"]);
}

#[test]
fn a_reference_and_a_border() {
    keeps_nobody_waiting(&["work/.git/refs/heads/x", "work/.git/shallow"]);
}

#[test]
fn files_of_the_tree() {
    let names = ["work/.gitignore", "work/.gitattributes", "work/.gitreview"];
    keeps_nobody_waiting(&names);
    keeps_nobody_waiting(&["work/kata-ci.toml", "work/change"]);
}

#[test]
fn files_that_say_how_a_component_is_built() {
    keeps_nobody_waiting(&["work/a/go.mod", "work/a/rust-toolchain.toml"]);
}

#[test]
fn the_users_configuration() {
    keeps_nobody_waiting(&["config/kata-ci/config.toml"]);
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            true => files(&entry.path(), found),
            false => found.push(entry.path()),
        }
    }
}

#[test]
fn stamps_runs_and_whatever_else_is_kept() {
    for odd in ODD {
        let place = Place::new();
        for arguments in [CALLS[0], CALLS[2]] {
            assert_eq!(place.call(arguments).code, 0);
        }
        let mut kept = Vec::new();
        files(&place.path("state"), &mut kept);
        assert!(kept.len() > 8, "{kept:?}");
        kept.iter().for_each(|path| odd.replaces(path));
        let shown: [&[&str]; 5] = [
            &["report", "show"],
            &["report", "show", "--list"],
            &["run", "--resume"],
            &["run", "--rerun-failed"],
            &["run", "--keep-runs", "1"],
        ];
        for arguments in shown.iter().chain(&CALLS) {
            let said = place.call(arguments);
            let what = format!("{odd:?} {arguments:?}: {}", said.printed());
            assert!(said.seconds < LONGEST, "{what}");
            assert!(matches!(said.code, 0..=4 | 69 | 75), "{} {what}", said.code);
        }
    }
}

#[test]
fn a_makefile_that_is_a_pipe() {
    let place = Place::new();
    Odd::Pipe.replaces(&place.path("work/a/Makefile"));
    let said = place.call(&["run"]);
    assert!(said.seconds < LONGEST, "{}", said.printed());
    assert!(said.printed().contains("Makefile"), "{}", said.printed());
}
