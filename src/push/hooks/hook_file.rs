//! Where git looks for a hook, and what lies there.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::git::{GitError, Repository};

/// A hook of git's that kata-ci answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Before a push connects… nearly: the connection is already open.
    PrePush,
    /// When a message has been written.
    CommitMsg,
}

impl Hook {
    /// Both.
    pub const ALL: [Self; 2] = [Self::PrePush, Self::CommitMsg];

    /// The name of its file.
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

/// The line by which a hook of ours is known.
pub(super) const MARK: &str = "# A hook of kata-ci.";

/// The place of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFile {
    /// Which.
    pub hook: Hook,
    /// The file git calls: right with `core.hooksPath` and in linked work trees.
    pub file: PathBuf,
    /// Where a hook that was there before is kept.
    pub kept: PathBuf,
}

/// What lies in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookState {
    /// Nothing.
    Absent,
    /// A hook of kata-ci.
    Ours,
    /// Another hook.
    Foreign,
}

impl HookFile {
    /// Asks git.
    ///
    /// # Errors
    /// [`GitError`] outside of a repository.
    pub fn of(repository: &Repository, hook: Hook) -> Result<Self, GitError> {
        let path = repository.text(["rev-parse", "--git-path", &format!("hooks/{hook}")])?;
        let file = repository.directory().join(path);
        let kept = file.with_file_name(format!("{hook}.before-kata-ci"));
        Ok(Self { hook, file, kept })
    }

    /// Looks.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn state(&self) -> io::Result<HookState> {
        match fs::symlink_metadata(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HookState::Absent),
            Err(error) => return Err(error),
            // A link may lead anywhere, even nowhere: it is not of our making.
            Ok(metadata) if !metadata.is_file() => return Ok(HookState::Foreign),
            Ok(_) => {}
        }
        let content = fs::read(&self.file)?;
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
