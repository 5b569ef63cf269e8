//! Checks out the repositories that a commit depends on, at the named revisions. They lie beside
//! its checkout, and nothing runs in them.

use std::path::Path;

use super::repository::{self, Checkout};
use super::submodules;
use super::{CheckoutError, CheckoutSet, repository_name};
use crate::event::Notice;
use crate::workspace::scratch::unique_name;

impl CheckoutSet {
    /// Checks out a commit of a repository beside the others. `fetch` adds missing objects to the
    /// given object store. `why` explains the dependency to the user.
    ///
    /// # Errors
    /// Returns [`CheckoutError`] and the errors of `fetch`.
    pub fn bring<E: From<CheckoutError>>(
        &mut self,
        source: &Path,
        commit: &str,
        why: &str,
        fetch: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let name = repository_name(source, &self.git);
        let root = self.import_root();
        let directory = match root.join(&name) {
            taken if taken.exists() => root.join(unique_name(source)),
            free => free,
        };
        let drivers = self.drivers;
        repository::begin(&self.git, &self.git.at(source), &directory, drivers)?;
        fetch(&directory.join(".git/objects"))?;
        repository::finish(&self.git, &directory, commit)?;
        submodules::bring(&self.git, source, &directory, drivers)?;
        let short = commit.get(..7).unwrap_or(commit);
        self.notices.push(Notice::fact(format!(
            "checking {name} at {short} ({why}) in a clean checkout"
        )));
        self.dependencies.push(Checkout {
            source: source.to_owned(),
            directory,
            commit: commit.to_owned(),
        });
        Ok(())
    }

    /// Returns true if this commit of a repository lies beside the others already.
    pub fn has_brought(&self, source: &Path, commit: &str) -> bool {
        let mut brought = self.dependencies.iter();
        brought.any(|one| one.source == source && one.commit == commit)
    }

    /// Returns true for a directory in a checkout that was brought beside the others.
    pub fn is_brought(&self, directory: &Path) -> bool {
        let mut brought = self.dependencies.iter();
        brought.any(|one| directory.starts_with(&one.directory))
    }

    /// Returns true if a directory of the user's is in a repository that was brought.
    pub(super) fn has_brought_any(&self, directory: &Path) -> bool {
        let directory = self.as_user_knows(directory);
        let mut brought = self.dependencies.iter();
        brought.any(|one| directory.starts_with(&one.source))
    }

    /// Returns the commit that the user stands in, and the top of that work tree; `None` above the
    /// repositories.
    pub fn standing(&self) -> Option<(&Path, &str)> {
        let top = self.top()?;
        let standing = self.checkouts.iter().find(|one| one.directory == top)?;
        Some((&standing.source, &standing.commit))
    }
}
