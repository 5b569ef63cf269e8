//! Putting the hooks in place, and taking them away again.
//!
//! A hook that was there is moved beside, and called first; `uninstall` moves it back as it was, a link as a link. Nothing
//! is ever overwritten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::hook_file::{Hook, HookFile, HookState, MARK};
use crate::fs::replace;
use crate::git::{GitError, Repository};

/// Why a hook was left alone.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Not in a repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The place cannot be written or read.
    #[error("the hook {path} cannot be changed: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There are two hooks to keep.
    #[error("both {file} and {kept} are hooks of others: one must be moved away by hand first", file = file.display(), kept = kept.display())]
    TwoOthers {
        /// The one in place.
        file: PathBuf,
        /// The one kept before.
        kept: PathBuf,
    },
}

/// What was done about a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is there now.
    Installed,
    /// It is there now, and calls the one that was there.
    InstalledAndKept(PathBuf),
    /// It was there; it is as this version has it.
    Refreshed,
    /// It is gone.
    Removed,
    /// It is gone, and the one before is back.
    Restored,
    /// There was nothing of ours.
    NotThere,
    /// Another hook is there, which stays; the one kept before lies here.
    Foreign(Option<PathBuf>),
}

/// What is known of a hook's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Which.
    pub hook: Hook,
    /// Where git looks.
    pub file: PathBuf,
    /// What lies there.
    pub state: HookState,
    /// The hook that is called first, if there is one.
    pub kept: Option<PathBuf>,
    /// Where `core.hooksPath` is set, if it is: then the place may be shared by several repositories.
    pub hooks_path: Option<String>,
}

/// Looks at both hooks.
///
/// # Errors
/// [`InstallError`].
pub fn status(repository: &Repository) -> Result<Vec<Status>, InstallError> {
    let hooks_path = repository.find(["config", "--show-origin", "--get", "core.hooksPath"])?;
    Hook::ALL
        .into_iter()
        .map(|hook| {
            let place = HookFile::of(repository, hook)?;
            let state = place.state().map_err(|source| unusable(&place, source))?;
            let kept = is_there(&place.kept).then(|| place.kept.clone());
            Ok(Status {
                hook,
                state,
                kept,
                file: place.file,
                hooks_path: hooks_path.as_ref().map(|line| line.replace('\t', " ")),
            })
        })
        .collect()
}

/// Installs both hooks; they call this program.
///
/// # Errors
/// [`InstallError`]; what was done before stays.
pub fn install(
    repository: &Repository,
    program: &Path,
) -> Result<Vec<(HookFile, Change)>, InstallError> {
    each(repository, |place| install_one(place, program))
}

/// Removes both hooks and puts back what was there.
///
/// # Errors
/// [`InstallError`]; what was done before stays.
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
            let place = HookFile::of(repository, hook)?;
            let change = act(&place)?;
            Ok((place, change))
        })
        .collect()
}

fn install_one(place: &HookFile, program: &Path) -> Result<Change, InstallError> {
    let failed = |source| unusable(place, source);
    let content = script(place.hook, program);
    let change = match place.state().map_err(failed)? {
        HookState::Absent if is_there(&place.kept) => Change::InstalledAndKept(place.kept.clone()),
        HookState::Absent => Change::Installed,
        HookState::Ours => Change::Refreshed,
        HookState::Foreign if is_there(&place.kept) => {
            return Err(InstallError::TwoOthers {
                file: place.file.clone(),
                kept: place.kept.clone(),
            });
        }
        HookState::Foreign => {
            fs::rename(&place.file, &place.kept).map_err(failed)?;
            Change::InstalledAndKept(place.kept.clone())
        }
    };
    replace(&place.file, 0o755, content.as_bytes()).map_err(failed)?;
    Ok(change)
}

fn uninstall_one(place: &HookFile) -> Result<Change, InstallError> {
    let failed = |source| unusable(place, source);
    let kept = is_there(&place.kept);
    match (place.state().map_err(failed)?, kept) {
        (HookState::Ours | HookState::Absent, true) => {
            fs::rename(&place.kept, &place.file).map_err(failed)?;
            Ok(Change::Restored)
        }
        (HookState::Ours, false) => {
            fs::remove_file(&place.file).map_err(failed)?;
            Ok(Change::Removed)
        }
        (HookState::Absent, false) => Ok(Change::NotThere),
        (HookState::Foreign, kept) => Ok(Change::Foreign(kept.then(|| place.kept.clone()))),
    }
}

fn unusable(place: &HookFile, source: io::Error) -> InstallError {
    InstallError::File {
        path: place.file.clone(),
        source,
    }
}

/// Also a link that leads nowhere.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// The program may move; then the one on the PATH is taken, and without that the hook says so instead of letting things by.
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
