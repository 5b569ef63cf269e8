//! Runs kata-ci as root, as an ordinary user, and without user namespaces.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::workspace::{git, write};
use crate::support::{Finished, KataCi};

/// The user who runs kata-ci.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The user of the tests.
    Myself,
    /// A user who is not root.
    User,
    /// A user who is not root and may not create user namespaces.
    Forbidden,
}

impl Who {
    /// Changes a call to run as this user, in a directory of that user. It runs a copy of kata-ci
    /// from there, because the user may not reach this checkout.
    pub fn calls(self, call: KataCi, place: &Path) -> KataCi {
        let call = call
            .env("HOME", place.join("home"))
            .env("XDG_STATE_HOME", place.join("state"))
            .env("XDG_CONFIG_HOME", place.join("config"));
        let binary = copy_of_kata_ci(place);
        if self == Self::User {
            give_to_user(place);
        }
        match self {
            Self::Myself => call.through(&["env"], &binary),
            Self::User => call.through(&as_user(), &binary),
            Self::Forbidden => call.through(&without_namespaces(), &binary),
        }
    }
}

/// An id that no user has.
const USER: u32 = 54321;

/// Forbids user namespaces below a new one, and continues as an ordinary user without privileges in
/// it.
const FORBID: &str = "echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --inh-caps=-all --ambient-caps=-all \"$@\"";

/// A machine in miniature: repositories of the components `a` and `b`, a home with secrets, and a
/// directory for reports.
pub struct Lab {
    place: TempDir,
}

impl Lab {
    /// Creates it. `a` runs `script` with sh in its step `check`; `b` does nothing.
    pub fn new(script: &str) -> Self {
        let lab = Self {
            place: tempfile::tempdir().expect("a temporary directory"),
        };
        write(&lab.path("work/a/Makefile"), "check:\n\t@sh probe.sh\n");
        write(&lab.path("work/a/probe.sh"), script);
        write(&lab.path("work/b/Makefile"), "check:\n\t@echo checked\n");
        for component in ["a", "b"] {
            let directory = lab.path("work").join(component);
            git(&directory, &["init", "-q"]);
            git(&directory, &["add", "."]);
            git(&directory, &["commit", "-qm", "begin"]);
        }
        let identity = "[user]\nname = A\nemail = a@example.com\n[safe]\ndirectory = *\n";
        write(&lab.path("home/.gitconfig"), identity);
        for secret in [".ssh/id_rsa", ".netrc", ".git-credentials"] {
            write(&lab.path("home").join(secret), "SECRET\n");
        }
        lab
    }

    /// Returns a path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Returns a call that has not started.
    pub fn call(&self, who: Who, arguments: &[&str]) -> KataCi {
        let reports = self.path("reports");
        let call = KataCi::bare()
            .args(["run", "-C"])
            .args([self.path("work")])
            .args(["-s", "check", "--report-dir"])
            .args([&reports])
            .args(arguments)
            .reports_in(&reports);
        who.calls(call, self.place.path())
    }

    /// Runs it.
    pub fn run(&self, who: Who, arguments: &[&str]) -> Finished {
        self.call(who, arguments).finish()
    }
}

fn copy_of_kata_ci(place: &Path) -> PathBuf {
    let copy = place.join("kata-ci");
    let original = Path::new(env!("CARGO_BIN_EXE_kata-ci"));
    if !copy.exists() {
        std::fs::hard_link(original, &copy)
            .or_else(|_| std::fs::copy(original, &copy).map(drop))
            .expect("copied");
    }
    copy
}

/// Changes the owner of everything except for the copy of kata-ci, which may be a hard link.
fn give_to_user(place: &Path) {
    if nix::unistd::geteuid().is_root() {
        let given = Command::new("find")
            .arg(place)
            .args(["-path", "*/kata-ci", "-type", "f", "-prune", "-o"])
            // The time of change of what is the user's already stays.
            .args(["!", "-user", &USER.to_string()])
            .args(["-exec", "chown", "-h", &format!("{USER}:{USER}"), "{}", "+"])
            .status();
        assert!(given.expect("find runs").success());
    }
}

/// Returns the command that starts a program as an ordinary user.
pub fn as_user() -> Vec<String> {
    if !nix::unistd::geteuid().is_root() {
        return vec!["env".to_owned()];
    }
    let (user, group) = (format!("--reuid={USER}"), format!("--regid={USER}"));
    [
        "setpriv",
        &user,
        &group,
        "--clear-groups",
        "--inh-caps=-all",
    ]
    .map(str::to_owned)
    .into()
}

/// Returns the command that starts a program without namespaces. Root outside is the user inside
/// without privileges, so the files are its own.
pub fn without_namespaces() -> Vec<String> {
    let (user, group) = (format!("--map-user={USER}"), format!("--map-group={USER}"));
    [
        "unshare",
        "--user",
        &user,
        &group,
        "--keep-caps",
        "sh",
        "-ec",
        FORBID,
        "sh",
    ]
    .map(str::to_owned)
    .into()
}
