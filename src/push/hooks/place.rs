//! Looks at the place of the hooks: what lies there, who calls it, and who else has it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::configured::{are_run, configured};
use super::hook::Hook;
use super::hook_file::{HookFile, HookState, is_ours, is_there};
use super::install_error::InstallError;
use super::manager::HookManager;
use crate::git::configuration::Configuration;
use crate::git::{GitError, Repository};

/// The directory of the hooks.
#[derive(Debug)]
pub(super) struct HooksDirectory {
    configuration: Configuration,
    /// The top of the work tree; the directory of the repository if it has none.
    top: PathBuf,
    /// `core.hooksPath`.
    configured: Option<String>,
    /// True if `core.hooksPath` leads to hooks of other repositories.
    is_shared: bool,
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
    /// The manager that wrote that file, if it is known.
    pub manager: Option<HookManager>,
    /// The configuration that calls kata-ci, if one does.
    pub configured: Option<String>,
    /// The kept hook that is called first, if there is one.
    pub kept: Option<PathBuf>,
    /// A hook of kata-ci that another program has moved away, so that nothing calls it.
    pub moved: Option<PathBuf>,
    /// Further hooks of git's configuration (`hook.NAME.event`), which git runs too.
    pub also: Vec<String>,
    /// The value of `core.hooksPath`, if it is set.
    pub hooks_path: Option<String>,
    /// The repositories and work trees that the place belongs to, if `core.hooksPath` is set.
    pub scope: Option<String>,
}

impl Status {
    /// Returns the manager that is kept and may take the place again, so that ours is not called.
    pub fn overtaken_by(&self) -> Option<HookManager> {
        let manager = HookManager::of(self.kept.as_ref()?)?;
        let is_ours = self.state == HookState::Ours;
        (is_ours && !manager.calls_legacy()).then_some(manager)
    }
}

/// A hook with all that decides on its installation.
#[derive(Debug)]
pub(super) struct Situation {
    pub(super) place: HookFile,
    pub(super) state: HookState,
    /// The manager that wrote the file in place.
    pub(super) manager: Option<HookManager>,
    /// The configuration that calls kata-ci.
    pub(super) configured: Option<String>,
    also: Vec<String>,
}

/// Returns the state of both hooks.
///
/// # Errors
/// [`InstallError`].
pub fn status(repository: &Repository) -> Result<Vec<Status>, InstallError> {
    let directory = HooksDirectory::of(repository)?;
    let all = Situation::of_all(repository, &directory)?;
    let origin = repository.find(["config", "--show-origin", "--get", "core.hooksPath"])?;
    let of = |found: Situation| {
        let place = found.place;
        let moved = [&place.old, &place.legacy]
            .into_iter()
            .find(|path| is_ours(path));
        let is_called = matches!(found.state, HookState::Ours | HookState::Called);
        Status {
            hook: place.hook,
            state: found.state,
            manager: found.manager,
            configured: found.configured,
            kept: is_there(&place.kept).then(|| place.kept.clone()),
            moved: moved.filter(|_| !is_called).cloned(),
            also: found.also,
            hooks_path: origin.as_ref().map(|line| line.replace('\t', " ")),
            scope: directory.scope(&place.file),
            file: place.file,
        }
    };
    Ok(all.into_iter().map(of).collect())
}

impl HooksDirectory {
    pub(super) fn of(repository: &Repository) -> Result<Self, GitError> {
        let configuration = Configuration::of(repository)?;
        let configured = configuration.get("core.hooksPath").map(str::to_owned);
        let top = repository.top_level();
        let top = top.unwrap_or_else(|_| repository.directory().to_owned());
        let is_shared = match &configured {
            None => false,
            Some(_) if configuration.own("core.hooksPath").is_none() => true,
            Some(path) if Path::new(path).is_relative() && !path.starts_with('~') => false,
            Some(_) => !Self::is_own(repository, &top)?,
        };
        Ok(Self {
            configuration,
            top,
            configured,
            is_shared,
        })
    }

    /// Returns true if the directory is in the repository or its work tree.
    fn is_own(repository: &Repository, top: &Path) -> Result<bool, GitError> {
        let file = HookFile::of(repository, Hook::PrePush)?.file;
        let common = repository.text(["rev-parse", "--git-common-dir"])?;
        let common = repository.directory().join(common);
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let file = file.parent().map(real).unwrap_or_default();
        Ok([real(&common), real(top)]
            .iter()
            .any(|own| file.starts_with(own)))
    }

    /// Returns `core.hooksPath` if it leads to hooks of other repositories.
    pub(super) fn shared(&self) -> Option<&str> {
        self.configured.as_deref().filter(|_| self.is_shared)
    }

    fn scope(&self, file: &Path) -> Option<String> {
        let configured = self.configured.as_deref()?;
        let directory = file.parent().unwrap_or(file).display();
        Some(match self.is_shared {
            true => format!("{directory} is there for other repositories too"),
            false if Path::new(configured).is_relative() => {
                format!(
                    "the hooks in {directory} hold in this work tree only; others have their own"
                )
            }
            false => format!("the hooks in {directory} hold in this repository only"),
        })
    }
}

impl Situation {
    pub(super) fn of_all(
        repository: &Repository,
        directory: &HooksDirectory,
    ) -> Result<Vec<Self>, InstallError> {
        Hook::ALL
            .into_iter()
            .map(|hook| Self::of(repository, directory, HookFile::of(repository, hook)?))
            .collect()
    }

    /// Looks at the files only.
    pub(super) fn alone(place: HookFile) -> Result<Self, InstallError> {
        let state = place.state().map_err(|source| InstallError::File {
            path: place.file.clone(),
            source,
        })?;
        Ok(Self {
            state,
            manager: HookManager::of(&place.file).filter(|_| state != HookState::Ours),
            configured: None,
            also: Vec::new(),
            place,
        })
    }

    fn of(
        repository: &Repository,
        directory: &HooksDirectory,
        place: HookFile,
    ) -> Result<Self, InstallError> {
        let mut found = Self::alone(place)?;
        let hook = found.place.hook;
        let (ours, also): (Vec<_>, Vec<_>) = configured(&directory.configuration, hook)
            .into_iter()
            .partition(|one| one.is_ours);
        found.also = also.into_iter().map(|one| one.name).collect();
        if matches!(found.state, HookState::Ours | HookState::Called) {
            return Ok(found);
        }
        let by_git = match ours.first() {
            Some(one) if are_run(repository)? => {
                Some(format!("hook.{} in git's configuration", one.name))
            }
            _ => None,
        };
        let by_manager = || found.manager?.calls_from(&directory.top, hook);
        found.configured = by_git.or_else(by_manager);
        if found.configured.is_some() {
            found.state = HookState::Called;
        }
        Ok(found)
    }
}
