//! Real hook managers: husky, lefthook, pre-commit and prek, as `scripts/setup tests` installs
//! them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::gerrit::{Answer, Clone};

/// A hook manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    Husky,
    Lefthook,
    PreCommit,
    Prek,
}

impl Manager {
    /// Returns its program. `None` if it is not installed; the test then reports that and ends.
    pub fn program(self) -> Option<PathBuf> {
        let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/hook-managers");
        let program = all.join(match self {
            Self::Husky => "node_modules/.bin/husky",
            Self::Lefthook => "node_modules/.bin/lefthook",
            Self::PreCommit => "venv/bin/pre-commit",
            Self::Prek => "venv/bin/prek",
        });
        if program.exists() {
            return Some(program);
        }
        let required = std::env::var_os("KATACI_TEST_REQUIRE_HOOK_MANAGERS").is_some();
        assert!(!required, "no {}: scripts/setup tests", program.display());
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let line = format!(
            "SKIPPED {test}: no {}: scripts/setup tests\n",
            program.display()
        );
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
        None
    }

    /// Runs it in a clone.
    pub fn run(self, clone: &Clone, arguments: &[&str]) {
        let mut command = Command::new(self.program().expect("it is installed"));
        command
            .args(arguments)
            .current_dir(&clone.directory)
            .envs(clone.environment());
        Answer::of(&mut command).expect(0);
    }

    /// Installs its hooks.
    pub fn install(self, clone: &Clone) {
        match self {
            Self::Husky => self.run(clone, &[]),
            Self::Lefthook => self.run(clone, &["install"]),
            Self::PreCommit | Self::Prek => {
                self.run(clone, &["install", "-t", "pre-push", "-t", "commit-msg"]);
            }
        }
    }

    /// Commits a configuration that calls this script with the name of the hook.
    pub fn configure(self, clone: &Clone, script: &Path) {
        let script = script.display();
        let write = |name: &str, text: String| {
            let path = clone.directory.join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        match self {
            Self::Husky => {
                for hook in ["pre-push", "commit-msg"] {
                    write(
                        &format!(".husky/{hook}"),
                        format!("{script} {hook} \"$@\"\n"),
                    );
                }
            }
            Self::Lefthook => write(
                "lefthook.yml",
                format!(
                    "pre-push:\n  commands:\n    theirs:\n      run: {script} pre-push {{0}}\n      use_stdin: true\n\
                     commit-msg:\n  commands:\n    theirs:\n      run: {script} commit-msg {{0}}\n"
                ),
            ),
            Self::PreCommit | Self::Prek => write(
                ".pre-commit-config.yaml",
                format!(
                    "repos:\n- repo: local\n  hooks:\n\
                     \x20 - {{id: push, name: push, language: system, entry: {script} pre-push, stages: [pre-push], always_run: true, pass_filenames: false}}\n\
                     \x20 - {{id: message, name: message, language: system, entry: {script} commit-msg, stages: [commit-msg]}}\n"
                ),
            ),
        }
        clone.commit("configured", "proxy: configure the hooks\n");
        clone.git(&[
            "push",
            "-q",
            "--no-verify",
            "origin",
            "HEAD:refs/heads/master",
        ]);
        clone.git(&["fetch", "-q"]);
    }
}
