//! Finds the file of a hook, and recognises its content.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::hook::Hook;
use super::manager::{HookManager, text_of};
use crate::git::{GitError, Repository};

/// The line that marks a hook of kata-ci.
pub(super) const MARK: &str = "# A hook of kata-ci.";

/// The option by which the script asks for the kept hook.
pub(super) const CHAIN: &str = "--chain";

/// The files of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFile {
    /// The hook.
    pub hook: Hook,
    /// The file that git calls; respects `core.hooksPath` and linked work trees.
    pub file: PathBuf,
    /// The path of a hook that was installed before.
    pub kept: PathBuf,
    /// The path to which pre-commit and prek move an earlier hook.
    pub legacy: PathBuf,
    /// The path to which lefthook moves an earlier hook.
    pub old: PathBuf,
}

/// The content of a hook's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookState {
    /// No file.
    Absent,
    /// A hook of kata-ci.
    Ours,
    /// Another hook, which calls that of kata-ci.
    Called,
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
        Ok(Self::at(hook, repository.directory().join(path)))
    }

    /// Returns the files of a hook by the one that git calls.
    fn at(hook: Hook, file: PathBuf) -> Self {
        let beside = |end: &str| file.with_file_name(format!("{hook}.{end}"));
        Self {
            hook,
            kept: beside("before-kata-ci"),
            legacy: beside("legacy"),
            old: beside("old"),
            file,
        }
    }

    /// Returns the files in the repository's own directory of hooks, if `core.hooksPath` hides it.
    ///
    /// # Errors
    /// [`GitError`] outside of a repository.
    pub(super) fn hidden(repository: &Repository, hook: Hook) -> Result<Option<Self>, GitError> {
        let common = repository.text(["rev-parse", "--git-common-dir"])?;
        let hooks = repository.directory().join(common).join("hooks");
        let found = Self::at(hook, hooks.join(hook.name()));
        let used = Self::of(repository, hook)?.file;
        let real = |file: &Path| file.parent().and_then(|hooks| hooks.canonicalize().ok());
        Ok((real(&used) != real(&found.file)).then_some(found))
    }

    /// Reads the files.
    ///
    /// # Errors
    /// Fails if the file exists and cannot be read.
    pub fn state(&self) -> io::Result<HookState> {
        Ok(match state_of(&self.file)? {
            HookState::Foreign if self.is_behind_manager() => HookState::Called,
            state => state,
        })
    }

    /// Returns true if a manager is in place that calls the hook of kata-ci by its path.
    fn is_behind_manager(&self) -> bool {
        let manager = HookManager::of(&self.file);
        manager.is_some_and(HookManager::calls_legacy) && is_ours(&self.legacy)
    }

    /// Returns true if an installed script of an earlier kata-ci runs, which does not ask for the
    /// kept hook.
    pub(super) fn has_early_script(&self) -> bool {
        let early = |file: &Path| {
            let text = text_of(file).unwrap_or_default();
            text.contains(MARK) && !text.contains(CHAIN)
        };
        early(&self.file) || early(&self.legacy)
    }
}

/// Returns true if the path exists, also as a link that leads nowhere.
pub(super) fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Returns true if the file is a hook of kata-ci.
pub(super) fn is_ours(file: &Path) -> bool {
    state_of(file).is_ok_and(|state| state == HookState::Ours)
}

fn state_of(file: &Path) -> io::Result<HookState> {
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HookState::Absent),
        Err(error) => return Err(error),
        // A link may lead anywhere, even nowhere, so it is not ours.
        Ok(metadata) if !metadata.is_file() => return Ok(HookState::Foreign),
        Ok(_) => {}
    }
    let ours = text_of(file)?.lines().any(|line| line.starts_with(MARK));
    Ok(if ours {
        HookState::Ours
    } else {
        HookState::Foreign
    })
}
