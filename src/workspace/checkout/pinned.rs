//! Checks out repositories at the commits that a plan pins, each from whoever has its objects.

use std::path::{Path, PathBuf};

use super::repository::Checkout;
use super::{CheckoutError, CheckoutSet, repository_name, submodules};
use crate::env::Environment;
use crate::git::Git;
use crate::workspace::scratch::unique_name;

/// A repository of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedRepository {
    /// The top of its work tree, as the user knows it. It need not exist.
    pub top: PathBuf,
    /// The top of the repository that has the commit: the same, or a clone.
    pub lender: PathBuf,
    /// The commit.
    pub commit: String,
    /// The name of its checkout; `None` for that of the repository.
    pub name: Option<String>,
}

impl CheckoutSet {
    /// Checks out these repositories. `directory` is that of the user, `user` the environment that
    /// kata-ci was called with.
    ///
    /// # Errors
    /// Returns [`CheckoutError`].
    pub fn pinned(
        directory: &Path,
        repositories: &[PinnedRepository],
        user: &Environment,
    ) -> Result<Self, CheckoutError> {
        let git = Git::find(user)?;
        let standing = repositories
            .iter()
            .find(|one| directory.starts_with(&one.top));
        let parent = match standing {
            Some(one) => one.top.parent().unwrap_or(&one.top),
            None => directory,
        };
        let mut checkouts = Self::begin(git, "the plan", directory, parent.to_owned(), user)?;
        for one in repositories {
            checkouts.check_out_pinned(one)?;
        }
        checkouts.directory = match standing {
            Some(_) => checkouts.place(directory, None)?,
            None => checkouts.import_root(),
        };
        match checkouts.directory.is_dir() || standing.is_none() {
            true => Ok(checkouts),
            false => Err(CheckoutError::NotInCommit {
                path: directory.to_owned(),
                commit: standing.map_or_else(String::new, |one| one.commit.clone()),
                revision: "the plan".to_owned(),
            }),
        }
    }

    fn check_out_pinned(&mut self, pinned: &PinnedRepository) -> Result<(), CheckoutError> {
        let name = match (&pinned.name, pinned.top.is_dir()) {
            (Some(name), _) => name.clone(),
            (None, true) => repository_name(&pinned.top, &self.git),
            (None, false) => {
                let last = pinned.top.file_name().unwrap_or_default();
                last.to_string_lossy().into_owned()
            }
        };
        let directory = match self.import_root().join(name) {
            taken if taken.exists() => self.import_root().join(unique_name(&pinned.top)),
            free => free,
        };
        let (git, commit) = (&self.git, &pinned.commit);
        let made = submodules::make(git, &pinned.lender, commit, directory, self.drivers)?;
        self.checkouts.push(Checkout {
            source: pinned.top.clone(),
            ..made
        });
        Ok(())
    }
}
