//! A repository for tests, made by git alone: tests of every file of this room can use it.
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::env::Environment;

/// An environment in which git knows who it is, and nothing of the machine's configuration.
pub(crate) fn environment() -> Environment {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Environment::from([
        ("PATH".into(), path),
        ("HOME".into(), "/nonexistent".into()),
        ("GIT_CONFIG_GLOBAL".into(), "/dev/null".into()),
        ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
        ("GIT_AUTHOR_NAME".into(), "kata".into()),
        ("GIT_AUTHOR_EMAIL".into(), "kata@example.org".into()),
        ("GIT_COMMITTER_NAME".into(), "kata".into()),
        ("GIT_COMMITTER_EMAIL".into(), "kata@example.org".into()),
    ])
}

/// A repository in a directory of its own.
pub(crate) struct TestRepository {
    directory: tempfile::TempDir,
    path: PathBuf,
}

impl TestRepository {
    /// On branch `master`, with the file `file` committed.
    pub(crate) fn with_a_commit() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().canonicalize().expect("its path");
        let repository = Self { directory, path };
        repository.git(&["init", "--quiet", "--initial-branch=master", "."]);
        repository.commit("file", "one\n");
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        debug_assert!(self.directory.path().exists());
        &self.path
    }

    /// Runs git, which has to succeed; returns its output without the last newline.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(environment())
            .output()
            .expect("git");
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        let text = String::from_utf8(output.stdout).expect("text");
        text.trim_end_matches('\n').to_owned()
    }

    pub(crate) fn commit(&self, file: &str, text: &str) -> String {
        std::fs::write(self.path.join(file), text).expect("a file");
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", file]);
        self.git(&["rev-parse", "HEAD"])
    }
}
