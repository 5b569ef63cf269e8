//! Finds the file of a hook, and recognises its content.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::git::{GitError, Repository};

/// The most bytes of a hook that are read.
const LARGEST: u64 = 16 << 20;

/// A git hook that kata-ci can install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Runs when a push has connected but has not sent anything.
    PrePush,
    /// Runs when a commit message is complete.
    CommitMsg,
}

impl Hook {
    /// Both hooks.
    pub const ALL: [Self; 2] = [Self::PrePush, Self::CommitMsg];

    /// Returns the name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::PrePush => "pre-push",
            Self::CommitMsg => "commit-msg",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The line that marks a hook of kata-ci.
pub(super) const MARK: &str = "# A hook of kata-ci.";

/// The files of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFile {
    /// The hook.
    pub hook: Hook,
    /// The file that git calls; respects `core.hooksPath` and linked work trees.
    pub file: PathBuf,
    /// The path of a hook that was installed before.
    pub kept: PathBuf,
}

/// The content of a hook's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookState {
    /// No file.
    Absent,
    /// A hook of kata-ci.
    Ours,
    /// Another hook.
    Foreign,
}

impl HookFile {
    /// Asks git for the path of the hook.
    ///
    /// # Errors
    /// [`GitError`] outside of a repository.
    pub fn of(repository: &Repository, hook: Hook) -> Result<Self, GitError> {
        let path = repository.text(["rev-parse", "--git-path", &format!("hooks/{hook}")])?;
        let file = repository.directory().join(path);
        let kept = file.with_file_name(format!("{hook}.before-kata-ci"));
        Ok(Self { hook, file, kept })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// Fails if the file exists and cannot be read.
    pub fn state(&self) -> io::Result<HookState> {
        match fs::symlink_metadata(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HookState::Absent),
            Err(error) => return Err(error),
            // A link may lead anywhere, even nowhere, so it is not ours.
            Ok(metadata) if !metadata.is_file() => return Ok(HookState::Foreign),
            Ok(_) => {}
        }
        let content = crate::fs::read(&self.file, LARGEST)?;
        let ours = String::from_utf8_lossy(&content)
            .lines()
            .any(|line| line.starts_with(MARK));
        Ok(if ours {
            HookState::Ours
        } else {
            HookState::Foreign
        })
    }
}
