//! Installs and removes the hooks.
//!
//! An existing hook is moved to a name beside it and called first. `uninstall` moves it back
//! unchanged, a link as a link. Nothing is ever overwritten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::hook_file::{Hook, HookFile, HookState, MARK};
use crate::fs::replace;
use crate::git::{GitError, Repository};

/// The reason why a hook was left alone.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file cannot be read or written.
    #[error("the hook {path} cannot be changed: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// There are two other hooks, and only one can be kept.
    #[error("both {file} and {kept} are hooks of others: one must be moved away by hand first", file = file.display(), kept = kept.display())]
    TwoOthers {
        /// The hook in place.
        file: PathBuf,
        /// The hook that was kept before.
        kept: PathBuf,
    },
}

/// The change to a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The hook was installed.
    Installed,
    /// The hook was installed; the previous one is kept here and called first.
    InstalledAndKept(PathBuf),
    /// The hook was there, and was updated to this version.
    Refreshed,
    /// The hook was removed.
    Removed,
    /// The hook was removed, and the previous one restored.
    Restored,
    /// There was no hook of kata-ci.
    NotThere,
    /// Another hook is there and stays; the kept one lies here.
    Foreign(Option<PathBuf>),
}

/// The state of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The hook.
    pub hook: Hook,
    /// The file that git calls.
    pub file: PathBuf,
    /// The content of that file.
    pub state: HookState,
    /// The kept hook that is called first, if there is one.
    pub kept: Option<PathBuf>,
    /// The value of `core.hooksPath`, if it is set. Several repositories may share that directory.
    pub hooks_path: Option<String>,
}

/// Returns the state of both hooks.
///
/// # Errors
/// [`InstallError`].
pub fn status(repository: &Repository) -> Result<Vec<Status>, InstallError> {
    let hooks_path = repository.find(["config", "--show-origin", "--get", "core.hooksPath"])?;
    Hook::ALL
        .into_iter()
        .map(|hook| {
            let found = HookFile::of(repository, hook)?;
            let state = found.state().map_err(|source| unusable(&found, source))?;
            let kept = is_there(&found.kept).then(|| found.kept.clone());
            Ok(Status {
                hook,
                state,
                kept,
                file: found.file,
                hooks_path: hooks_path.as_ref().map(|line| line.replace('\t', " ")),
            })
        })
        .collect()
}

/// Installs both hooks; they call this program.
///
/// # Errors
/// [`InstallError`]; earlier changes stay.
pub fn install(
    repository: &Repository,
    program: &Path,
) -> Result<Vec<(HookFile, Change)>, InstallError> {
    each(repository, |hook| install_one(hook, program))
}

/// Removes both hooks and restores the previous ones.
///
/// # Errors
/// [`InstallError`]; earlier changes stay.
pub fn uninstall(repository: &Repository) -> Result<Vec<(HookFile, Change)>, InstallError> {
    each(repository, uninstall_one)
}

fn each(
    repository: &Repository,
    act: impl Fn(&HookFile) -> Result<Change, InstallError>,
) -> Result<Vec<(HookFile, Change)>, InstallError> {
    Hook::ALL
        .into_iter()
        .map(|hook| {
            let hook = HookFile::of(repository, hook)?;
            let change = act(&hook)?;
            Ok((hook, change))
        })
        .collect()
}

fn install_one(hook: &HookFile, program: &Path) -> Result<Change, InstallError> {
    let failed = |source| unusable(hook, source);
    let content = script(hook.hook, program);
    let change = match hook.state().map_err(failed)? {
        HookState::Absent if is_there(&hook.kept) => Change::InstalledAndKept(hook.kept.clone()),
        HookState::Absent => Change::Installed,
        HookState::Ours => Change::Refreshed,
        HookState::Foreign if is_there(&hook.kept) => {
            return Err(InstallError::TwoOthers {
                file: hook.file.clone(),
                kept: hook.kept.clone(),
            });
        }
        HookState::Foreign => {
            fs::rename(&hook.file, &hook.kept).map_err(failed)?;
            Change::InstalledAndKept(hook.kept.clone())
        }
    };
    replace(&hook.file, 0o755, content.as_bytes()).map_err(failed)?;
    Ok(change)
}

fn uninstall_one(hook: &HookFile) -> Result<Change, InstallError> {
    let failed = |source| unusable(hook, source);
    let kept = is_there(&hook.kept);
    match (hook.state().map_err(failed)?, kept) {
        (HookState::Ours | HookState::Absent, true) => {
            fs::rename(&hook.kept, &hook.file).map_err(failed)?;
            Ok(Change::Restored)
        }
        (HookState::Ours, false) => {
            fs::remove_file(&hook.file).map_err(failed)?;
            Ok(Change::Removed)
        }
        (HookState::Absent, false) => Ok(Change::NotThere),
        (HookState::Foreign, kept) => Ok(Change::Foreign(kept.then(|| hook.kept.clone()))),
    }
}

fn unusable(hook: &HookFile, source: io::Error) -> InstallError {
    InstallError::File {
        path: hook.file.clone(),
        source,
    }
}

/// Returns true if the path exists, also as a link that leads nowhere.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Returns the script of the hook. If the program has moved, it takes the one on PATH. Without any,
/// it stops with an error instead of letting commits through.
fn script(hook: Hook, program: &Path) -> String {
    let program = program.to_string_lossy().replace('\'', r"'\''");
    format!(
        "#!/bin/sh\n\
         {MARK} `kata-ci hook uninstall` removes it and puts back what was here before.\n\
         kata_ci='{program}'\n\
         [ -x \"$kata_ci\" ] || kata_ci=$(command -v kata-ci) || {{\n\
         \techo 'kata-ci is gone, and its hook {hook} cannot do without: install it, or remove the file '\"$0\" >&2\n\
         \texit 1\n\
         }}\n\
         exec \"$kata_ci\" hook {hook} \"$@\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_quotes_in_its_path_is_quoted() {
        let text = script(Hook::PrePush, Path::new("/tmp/it's $(here)/kata-ci"));
        assert!(
            text.contains(r"kata_ci='/tmp/it'\''s $(here)/kata-ci'"),
            "{text}"
        );
    }
}
