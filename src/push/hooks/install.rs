//! Installs and removes the hooks.
//!
//! An existing hook is moved to a name beside it and called first. `uninstall` moves it back
//! unchanged, a link as a link. Nothing of others is ever overwritten.
//!
//! A manager that itself calls an earlier hook (pre-commit, prek) stays in place, and ours goes
//! where it looks for that. A manager that writes its scripts anew whenever it likes (husky) has to
//! call ours from its own configuration.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::hook::Hook;
use super::hook_file::{CHAIN, HookFile, HookState, MARK, is_ours, is_there};
use super::install_error::InstallError;
use super::manager::HookManager;
use super::place::{HooksDirectory, Situation};
use super::stage::Stage;
use crate::fs::replace;
use crate::git::Repository;

/// The change to a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The hook was installed.
    Installed,
    /// The hook was installed; the previous one is kept here and called first.
    InstalledAndKept(PathBuf),
    /// The hook was installed where this manager, which stays in place, calls it.
    Behind(HookManager),
    /// This configuration calls the hook, so no file was written or removed.
    Configured(String),
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

/// Installs both hooks; they call this program.
///
/// # Errors
/// [`InstallError`]; earlier changes stay.
pub fn install(
    repository: &Repository,
    program: &Path,
) -> Result<Vec<(HookFile, Change)>, InstallError> {
    let directory = HooksDirectory::of(repository)?;
    if let Some(shared) = directory.shared() {
        return Err(InstallError::Shared(shared.to_owned()));
    }
    // Either both or none: half a guard would look like a whole one.
    let all = Situation::of_all(repository, &directory)?;
    for found in &all {
        permitted(repository, found)?;
    }
    all.into_iter()
        .map(|found| {
            let change = install_one(&found, program)?;
            Ok((found.place, change))
        })
        .collect()
}

/// Removes both hooks and restores the previous ones.
///
/// # Errors
/// [`InstallError`]; earlier changes stay.
pub fn uninstall(repository: &Repository) -> Result<Vec<(HookFile, Change)>, InstallError> {
    let directory = HooksDirectory::of(repository)?;
    let all = Situation::of_all(repository, &directory)?;
    let mut changes = Vec::new();
    for found in all {
        let change = uninstall_one(&found).map_err(|source| unusable(&found.place, source))?;
        changes.push((found.place, change));
    }
    clear_stage(&changes)?;
    let mut hidden = Vec::new();
    for hook in Hook::ALL {
        hidden.extend(uninstall_hidden(repository, hook)?);
    }
    clear_stage(&hidden)?;
    changes.extend(hidden);
    Ok(changes)
}

/// Removes a hook that was installed before `core.hooksPath` was set, as husky does.
fn uninstall_hidden(
    repository: &Repository,
    hook: Hook,
) -> Result<Option<(HookFile, Change)>, InstallError> {
    let Some(place) = HookFile::hidden(repository, hook)? else {
        return Ok(None);
    };
    let found = Situation::alone(place)?;
    if !matches!(found.state, HookState::Ours | HookState::Called) {
        return Ok(None);
    }
    let change = uninstall_one(&found).map_err(|source| unusable(&found.place, source))?;
    Ok(Some((found.place, change)))
}

/// Removes the stage once no hook is kept.
fn clear_stage(changes: &[(HookFile, Change)]) -> Result<(), InstallError> {
    let Some((place, _)) = changes.first() else {
        return Ok(());
    };
    if changes.iter().any(|(place, _)| is_there(&place.kept)) {
        return Ok(());
    }
    let cleared = Stage::of(place).and_then(|stage| stage.clear());
    cleared.map_err(|source| unusable(place, source))
}

/// Returns an error if the hook has to be left alone.
fn permitted(repository: &Repository, found: &Situation) -> Result<(), InstallError> {
    let place = &found.place;
    if found.state != HookState::Foreign {
        return Ok(());
    }
    let (file, hook) = (place.file.clone(), place.hook);
    if let Some(manager @ HookManager::Husky) = found.manager {
        return Err(InstallError::Managed {
            file,
            manager,
            hook,
        });
    }
    let asked = repository.answer([
        "ls-files".as_ref(),
        "--error-unmatch".as_ref(),
        file.as_os_str(),
    ])?;
    if asked.status.success() {
        return Err(InstallError::Tracked { file, hook });
    }
    let manager = found.manager;
    let other = match manager.is_some_and(HookManager::calls_legacy) {
        true => is_there(&place.legacy).then_some(&place.legacy),
        // What the same manager wrote before is no other hook.
        false => {
            (manager.is_none() || manager != HookManager::of(&place.kept)).then_some(&place.file)
        }
    };
    match (other, manager) {
        (Some(_), Some(manager)) if is_there(&place.kept) => Err(InstallError::Managed {
            file,
            manager,
            hook,
        }),
        (Some(other), None) if is_there(&place.kept) => Err(InstallError::TwoOthers {
            file: other.clone(),
            kept: place.kept.clone(),
        }),
        _ => Ok(()),
    }
}

fn install_one(found: &Situation, program: &Path) -> Result<Change, InstallError> {
    let place = &found.place;
    let content = script(place.hook, program);
    let done = match (found.state, &found.configured) {
        (HookState::Called, Some(configuration)) => {
            return Ok(Change::Configured(configuration.clone()));
        }
        (HookState::Called, None) => {
            replace(&place.legacy, 0o755, content.as_bytes()).map(|()| Change::Refreshed)
        }
        (HookState::Foreign, _) => match found.manager.filter(|one| one.calls_legacy()) {
            Some(manager) => install_behind(place, manager, &content),
            None => take_place(place, &content),
        },
        (HookState::Ours, _) => match HookManager::of(&place.kept).filter(|one| one.calls_legacy())
        {
            // An earlier kata-ci moved it, where its next installation would take ours for its own.
            Some(manager) if !is_there(&place.legacy) => fs::rename(&place.kept, &place.file)
                .and_then(|()| install_behind(place, manager, &content)),
            _ => replace(&place.file, 0o755, content.as_bytes()).map(|()| Change::Refreshed),
        },
        (HookState::Absent, _) => {
            let kept = is_there(&place.kept).then(|| place.kept.clone());
            replace(&place.file, 0o755, content.as_bytes())
                .map(|()| kept.map_or(Change::Installed, Change::InstalledAndKept))
        }
    };
    done.map_err(|source| unusable(place, source))
}

/// Moves the hook in place aside, and puts ours there.
fn take_place(place: &HookFile, content: &str) -> io::Result<Change> {
    fs::rename(&place.file, &place.kept)?;
    replace(&place.file, 0o755, content.as_bytes())?;
    forget_old(place)?;
    Ok(Change::InstalledAndKept(place.kept.clone()))
}

/// Puts ours where the manager in place calls it, and what was there behind ours.
fn install_behind(place: &HookFile, manager: HookManager, content: &str) -> io::Result<Change> {
    if is_there(&place.legacy) {
        fs::rename(&place.legacy, &place.kept)?;
    }
    replace(&place.legacy, 0o755, content.as_bytes())?;
    Ok(Change::Behind(manager))
}

/// Removes a hook of ours that lefthook has moved away: its uninstallation would bring it back.
fn forget_old(place: &HookFile) -> io::Result<bool> {
    let there = is_ours(&place.old);
    if there {
        fs::remove_file(&place.old)?;
    }
    Ok(there)
}

fn uninstall_one(found: &Situation) -> io::Result<Change> {
    let place = &found.place;
    let kept = is_there(&place.kept);
    let was_moved = forget_old(place)?;
    Ok(match (found.state, kept) {
        (HookState::Ours | HookState::Absent, true) => {
            fs::rename(&place.kept, &place.file)?;
            Change::Restored
        }
        (HookState::Ours, false) => {
            fs::remove_file(&place.file)?;
            Change::Removed
        }
        (HookState::Called, _) if found.configured.is_some() => {
            Change::Configured(found.configured.clone().unwrap_or_default())
        }
        // Restored behind a script of the same manager, the kept one would call itself.
        (HookState::Called, true) if HookManager::of(&place.kept) != found.manager => {
            fs::rename(&place.kept, &place.legacy)?;
            Change::Restored
        }
        (HookState::Called, _) => {
            fs::remove_file(&place.legacy)?;
            Change::Removed
        }
        (HookState::Absent, false) => Change::NotThere,
        (HookState::Foreign, false) if was_moved => Change::Removed,
        (HookState::Foreign, kept) => Change::Foreign(kept.then(|| place.kept.clone())),
    })
}

fn unusable(place: &HookFile, source: io::Error) -> InstallError {
    InstallError::File {
        path: place.file.clone(),
        source,
    }
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
         exec \"$kata_ci\" hook {hook} {CHAIN} \"$@\"\n"
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
