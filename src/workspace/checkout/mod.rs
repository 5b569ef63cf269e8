//! Clean checkouts of commits, so that a run does not depend on the user's work tree.
//!
//! All checkouts of a run lie in one directory that is a GOPATH, as
//! `src/github.com/kata-containers/NAME`, because v1 needs that. For other layouts the place has no
//! meaning. Each checkout is a repository with the remote-tracking branches and URLs of the user's
//! own (see [`repository`]). Nothing of the user's repository is touched: work tree, index, stash,
//! refs, settings, work trees. The directory is removed with the [`CheckoutSet`]; only builds are
//! kept (see [`builds`]), within their [`Trust`].

mod builds;
mod dependency;
mod error;
mod pinned;
mod repository;
mod settings;
mod submodules;
mod trust;
use std::path::{Component as Segment, Path, PathBuf};

pub use builds::are_dated_ahead;
pub use error::CheckoutError;
pub use pinned::PinnedRepository;
pub use trust::Trust;

use super::copy;
use super::fs::subdirectories;
use super::scratch::{OwnDirectory, unique_name};
use super::v1;
use super::v1::IMPORT_ROOT;
use super::{Workspace, WorkspaceError};
use crate::config::{Component, Layout};
use crate::dirs;
use crate::env::Environment;
use crate::event::Notice;
use crate::git::{Git, GitError};
use crate::model::{Readiness, Selection};
use builds::Builds;
use repository::{Checkout, Drivers};

/// The checkouts of one run.
#[derive(Debug)]
pub struct CheckoutSet {
    git: Git,
    revision: String,
    /// The directory above the user's repositories.
    parent: PathBuf,
    /// The store of builds.
    kept: PathBuf,
    /// The builds of the checkouts, once they were restored.
    builds: Vec<Builds>,
    checkouts: Vec<Checkout>,
    /// Repositories that a commit depends on, at the named revisions.
    dependencies: Vec<Checkout>,
    directory: PathBuf,
    alone: bool,
    is_review: bool,
    drivers: Drivers,
    is_of_stranger: bool,
    /// Revisions for repositories that do not have the one that is asked for.
    elsewhere: Vec<String>,
    notices: Vec<Notice>,
    own: OwnDirectory,
}

impl CheckoutSet {
    /// Checks out a revision of the repository that the directory is in. Outside of any repository,
    /// it checks out each selected one directly below (in a GOPATH, each of kata v1's). `user` is
    /// the environment that kata-ci was called with.
    ///
    /// # Errors
    /// Returns [`CheckoutError`].
    pub fn enter(
        directory: &Path,
        revision: &str,
        selection: &Selection,
        user: &Environment,
    ) -> Result<Self, CheckoutError> {
        let git = Git::find(user)?;
        let top = match git.at(directory).top_level() {
            Ok(top) => Some(top),
            Err(GitError::NoRepository { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let parent = match &top {
            Some(top) => top.parent().unwrap_or(top).to_owned(),
            None => workspace_root(directory, &git),
        };
        let mut checkouts = Self::begin(
            git,
            revision,
            top.as_deref().unwrap_or(directory),
            parent,
            user,
        )?;
        match top {
            Some(top) => checkouts.enter_repository(&top, directory)?,
            None => checkouts.enter_workspace(directory, selection)?,
        }
        Ok(checkouts)
    }

    /// Checks out a commit under review, of the repository with this top. Its `.gitattributes` has
    /// no program run. If it is a stranger's, no other program reads it before its jobs. Further
    /// repositories are checked out at `elsewhere`, else as they are.
    ///
    /// # Errors
    /// Returns [`CheckoutError`].
    pub fn review(
        top: &Path,
        commit: &str,
        is_of_stranger: bool,
        elsewhere: &str,
        user: &Environment,
    ) -> Result<Self, CheckoutError> {
        let git = Git::find(user)?;
        let parent = top.parent().unwrap_or(top).to_owned();
        let mut checkouts = Self::begin(git, commit, top, parent, user)?;
        checkouts.drivers = Drivers::Unused;
        checkouts.is_review = true;
        checkouts.is_of_stranger = is_of_stranger;
        checkouts.elsewhere = vec![elsewhere.to_owned(), "HEAD".to_owned()];
        checkouts.enter_repository(top, top)?;
        Ok(checkouts)
    }

    /// Returns true for the commits of a stranger, which no program reads outside of the sandbox.
    pub(super) fn is_of_stranger(&self) -> bool {
        self.is_of_stranger
    }

    /// Sets a ref of the checkout that the user stands in, such as a tracking branch that the
    /// user's own repository has at an older commit.
    ///
    /// # Errors
    /// Returns [`CheckoutError`].
    pub fn set_reference(&self, reference: &str, commit: &str) -> Result<(), CheckoutError> {
        let top = self.top().unwrap_or(&self.directory);
        // A hook of a relative `core.hooksPath` would be one of the commit.
        let words = [
            "-c",
            "core.hooksPath=/dev/null",
            "update-ref",
            reference,
            commit,
        ];
        self.git.at(top).run(words)?;
        Ok(())
    }

    fn begin(
        git: Git,
        revision: &str,
        key: &Path,
        parent: PathBuf,
        user: &Environment,
    ) -> Result<Self, CheckoutError> {
        let cache = dirs::cache(user);
        let name = unique_name(key);
        let place = cache.join("aside");
        let failed = |source| CheckoutError::File {
            path: place.join(&name),
            source,
        };
        let own = OwnDirectory::create(&place, &name).map_err(failed)?;
        std::fs::create_dir(own.path().join("bin")).map_err(failed)?;
        Ok(Self {
            git,
            revision: revision.to_owned(),
            parent,
            kept: cache.join("builds").join(&name),
            builds: Vec::new(),
            checkouts: Vec::new(),
            dependencies: Vec::new(),
            directory: own.path().to_owned(),
            alone: false,
            is_review: false,
            drivers: Drivers::Used,
            is_of_stranger: false,
            elsewhere: Vec::new(),
            notices: Vec::new(),
            own,
        })
    }

    fn enter_repository(&mut self, top: &Path, directory: &Path) -> Result<(), CheckoutError> {
        let name = repository_name(top, &self.git);
        let checkout = self.check_out(top, &name)?;
        let below = directory.strip_prefix(top).unwrap_or(Path::new(""));
        self.directory = checkout.directory.join(below);
        match self.directory.is_dir() {
            true => Ok(()),
            false => Err(CheckoutError::NotInCommit {
                path: directory.to_owned(),
                commit: checkout.commit,
                revision: self.revision.clone(),
            }),
        }
    }

    fn enter_workspace(
        &mut self,
        directory: &Path,
        selection: &Selection,
    ) -> Result<(), CheckoutError> {
        let failed = |error| CheckoutError::File {
            path: directory.to_owned(),
            source: std::io::Error::other(error),
        };
        let wanted = |name: &String| name != "tests" && selection.may_select(name);
        for path in subdirectories(&self.parent.clone()).map_err(failed)? {
            let name = repository_name(&path, &self.git);
            if path.join(".git").exists() && wanted(&name) {
                self.check_out(&path, &name)?;
            }
        }
        self.directory = self.import_root();
        match self.checkouts.is_empty() {
            true => Err(CheckoutError::NoRepository {
                directory: directory.to_owned(),
            }),
            false => Ok(()),
        }
    }

    /// Leaves out components of other repositories, because the revision belongs to this one only.
    pub fn keep_alone(&mut self) {
        self.alone = true;
    }

    /// Restores the builds of earlier runs of this trust, and keeps the new ones for later runs.
    /// Call it after all checkouts and before the first job. Returns notices for the user.
    pub fn bring_builds(&mut self, trust: &Trust) -> Vec<Notice> {
        let kept = |one: &Checkout| {
            let name = one.directory.file_name().unwrap_or_default();
            Builds::bring(&self.kept.join(name), trust, &one.directory)
        };
        self.builds = self.checkouts.iter().filter_map(kept).collect();
        let refused = self.builds.iter().flat_map(|builds| &builds.refused);
        let notice = |cache: &PathBuf| {
            Notice::fact(format!(
                "what was kept of {} has files that are newer than the checkout: it is built anew",
                self.as_user_knows(cache).display()
            ))
        };
        refused.map(notice).collect()
    }

    /// Returns the directory of the checkout that corresponds to the user's directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the top of that checkout; `None` if the user stands above the repositories.
    pub fn top(&self) -> Option<&Path> {
        let holds = |checkout: &&Checkout| self.directory.starts_with(&checkout.directory);
        let found = self.checkouts.iter().find(holds)?;
        Some(&found.directory)
    }

    /// Returns the user's path for one in a checkout, and any other path unchanged. `..` is
    /// resolved in the text, because its directories may not exist.
    pub fn as_user_knows(&self, path: &Path) -> PathBuf {
        let path = without_ups(path);
        let known = |checkout: &Checkout| {
            let below = path.strip_prefix(&checkout.directory).ok()?;
            Some(joined(&checkout.source, below))
        };
        let above = || {
            let below = path.strip_prefix(self.import_root()).ok()?;
            Some(joined(&self.parent, below))
        };
        (self.checkouts.iter().find_map(known))
            .or_else(above)
            .unwrap_or(path)
    }

    /// Replaces paths of checkouts with the user's paths in a text.
    pub(super) fn in_the_users_words(&self, text: &str) -> String {
        self.checkouts.iter().fold(text.to_owned(), |text, one| {
            text.replace(
                &*one.directory.to_string_lossy(),
                &one.source.to_string_lossy(),
            )
        })
    }

    /// Returns the notices: the commits, and what was left out.
    pub(super) fn notices(&self) -> Vec<Notice> {
        let checkouts = self.checkouts.iter().map(|one| {
            let short = one.commit.get(..7).unwrap_or(&one.commit);
            let source = one.source.display();
            Notice::fact(format!(
                "checking commit {short} of {source} in a clean checkout"
            ))
        });
        checkouts.chain(self.notices.iter().cloned()).collect()
    }

    /// Returns the GOPATH that holds the checkouts.
    pub fn gopath(&self) -> &Path {
        self.own.path()
    }

    /// Returns the directory above the user's repositories.
    pub(super) fn parent(&self) -> &Path {
        &self.parent
    }

    /// Returns the directory of a listed component in its checkout. In a GOPATH, a whole repository
    /// has the name of its component.
    ///
    /// # Errors
    /// Returns [`CheckoutError`].
    pub(super) fn place_component(
        &mut self,
        layout: Layout,
        component: &Component,
        directory: &Path,
    ) -> Result<PathBuf, CheckoutError> {
        let name = (layout == Layout::Gopath).then_some(component.name.as_str());
        self.place(directory, name)
    }

    /// Replaces the paths in a workspace with the user's, except for those that jobs run in.
    pub(super) fn explain(&self, mut workspace: Workspace) -> Workspace {
        workspace.root = self.as_user_knows(&workspace.root);
        for found in &mut workspace.components {
            let of_steps = found.unready_steps.values_mut();
            for readiness in of_steps.chain([&mut found.readiness]) {
                if let Readiness::Unmet { what, fix } | Readiness::Broken { what, fix } = readiness
                {
                    let said = self.in_the_users_words(what);
                    if said != *what {
                        *what = said + ", as committed";
                    }
                    *fix = self.in_the_users_words(fix);
                }
            }
        }
        workspace.notices.splice(0..0, self.notices());
        workspace
    }

    /// Replaces paths of checkouts with the user's paths in an error.
    pub fn explain_error(&self, error: WorkspaceError) -> WorkspaceError {
        match error {
            WorkspaceError::Nothing { directory } => WorkspaceError::Nothing {
                directory: self.as_user_knows(&directory),
            },
            WorkspaceError::NoComponents {
                pipeline,
                directory,
                known,
            } => WorkspaceError::NoComponents {
                pipeline,
                directory: self.as_user_knows(&directory),
                known,
            },
            WorkspaceError::MissingComponent {
                pipeline,
                component,
                path,
            } => WorkspaceError::MissingComponent {
                pipeline,
                component,
                path: self.as_user_knows(&path),
            },
            other => other,
        }
    }

    /// Returns the directory that holds the checkouts.
    pub(super) fn import_root(&self) -> PathBuf {
        self.own.path().join(IMPORT_ROOT)
    }

    /// Returns true if a component in this directory is left out, because the revision says nothing
    /// about its repository. A review keeps those of companions.
    pub(super) fn leaves_out(&self, directory: &Path) -> bool {
        let is_beside = self.is_review && self.has_brought_any(directory);
        (self.alone || self.is_review) && !self.knows(directory) && !is_beside
    }

    /// Returns true if a directory is in one of the checkouts, or in the repository of one.
    pub(super) fn knows(&self, directory: &Path) -> bool {
        let directory = self.as_user_knows(directory);
        let mut checkouts = self.checkouts.iter();
        checkouts.any(|one| directory.starts_with(&one.source))
    }

    /// Returns the directory in a checkout for a directory of the user's. Checks out its repository
    /// if that has not been done. `name` is the name for the checkout of a whole repository.
    ///
    /// # Errors
    /// Returns [`CheckoutError`].
    pub(super) fn place(
        &mut self,
        directory: &Path,
        name: Option<&str>,
    ) -> Result<PathBuf, CheckoutError> {
        let source = self.as_user_knows(directory);
        let top = match self
            .checkouts
            .iter()
            .find(|one| source.starts_with(&one.source))
        {
            Some(known) => known.source.clone(),
            None => self.git.at(&source).top_level()?,
        };
        let below = source
            .strip_prefix(&top)
            .unwrap_or(Path::new(""))
            .to_owned();
        let known = self.checkouts.iter().find(|one| one.source == top);
        let name = match (name, known) {
            (Some(name), _) if below.as_os_str().is_empty() => name.to_owned(),
            (_, Some(known)) => return Ok(joined(&known.directory, &below)),
            (_, None) => repository_name(&top, &self.git),
        };
        Ok(joined(&self.check_out(&top, &name)?.directory, &below))
    }

    /// Checks out the commit of kata's tests repository, or copies it if it is not a repository.
    ///
    /// # Errors
    /// Returns [`CheckoutError`].
    pub(super) fn bring_tests_clone(&mut self, clone: &Path) -> Result<(), CheckoutError> {
        let target = self.import_root().join("tests");
        if target.exists() {
            // A commit depends on a revision of it, which is there already.
            return Ok(());
        }
        let commit = match self.git.at(clone).top_level() {
            Ok(top) if top == clone.canonicalize().unwrap_or_default() => {
                self.git.at(clone).commit("HEAD")?
            }
            _ => None,
        };
        let Some(commit) = commit else {
            return copy::tree(clone, &target).map_err(|source| CheckoutError::File {
                path: target,
                source,
            });
        };
        if self.git.at(clone).revision()? != Some(commit.clone()) {
            self.notices.push(Notice::warning(format!(
                "what is not committed in {} is left out",
                clone.display()
            )));
        }
        submodules::make(&self.git, clone, &commit, target, self.drivers).map(drop)
    }

    fn check_out(&mut self, source: &Path, name: &str) -> Result<Checkout, CheckoutError> {
        if let Some(named) = self.dependencies.iter().find(|one| one.source == source) {
            let named = named.clone();
            self.checkouts.push(named.clone());
            return Ok(named);
        }
        let mut directory = self.import_root().join(name);
        if let Some(known) = self.checkouts.iter().find(|one| one.directory == directory) {
            if known.source == source {
                return Ok(known.clone());
            }
            directory = self.import_root().join(unique_name(source));
        }
        let repository = self.git.at(source);
        let mut commit = repository.commit(&self.revision)?;
        // The first checkout is that of the revision itself.
        for other in self.elsewhere.iter().filter(|_| !self.checkouts.is_empty()) {
            commit = match commit {
                None => repository.commit(other)?,
                known => known,
            };
        }
        let commit = commit.ok_or_else(|| CheckoutError::UnknownRevision {
            revision: self.revision.clone(),
            repository: source.to_owned(),
        })?;
        let made = submodules::make(&self.git, source, &commit, directory, self.drivers)?;
        self.checkouts.push(made.clone());
        Ok(made)
    }
}

impl Drop for CheckoutSet {
    fn drop(&mut self) {
        self.builds.iter().for_each(Builds::keep);
    }
}

/// Returns the directory of kata v1's repositories for a directory outside of any; else the
/// directory itself.
fn workspace_root(directory: &Path, git: &Git) -> PathBuf {
    match v1::locate(directory, Some(git)) {
        Ok(Some(place)) => place.root,
        _ => directory.to_owned(),
    }
}

/// Returns v1's name of the repository, else the name of its directory.
fn repository_name(top: &Path, git: &Git) -> String {
    match v1::repository_name(top, Some(git)) {
        Some(name) => name.to_owned(),
        None => top
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    }
}

fn without_ups(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, part| {
        match part {
            Segment::ParentDir => drop(clean.pop()),
            part => clean.push(part),
        }
        clean
    })
}

/// Joins the paths. An empty path below adds no slash.
fn joined(directory: &Path, below: &Path) -> PathBuf {
    directory.join(below).components().collect()
}
