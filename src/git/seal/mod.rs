//! A repository before a job and after it, compared by nothing but reading files: no program is asked, git least of all.
//!
//! What a job leaves can lead git to run something: a configuration, `commondir`, hooks, attributes with filters, the
//! repository of a submodule. So git is asked before the first job, when the tree is as its user left it, and what it said
//! is kept here; after the job [`Seal::holds`] looks at the files themselves. [`Own`] is git's part of it, `Tracked` that
//! of the work tree.
//!
//! Invariants: nothing is opened that is not a regular file, links are not followed, and what is read is bounded. What
//! cannot be found out counts as changed.

mod own;
mod tracked;

use std::path::{Path, PathBuf};

pub use own::Own;
use tracked::Tracked;

use super::{Git, GitError};

/// How deep submodules are followed.
const DEPTH: usize = 4;

/// A repository with its submodules, at a moment.
#[derive(Debug)]
pub struct Seal {
    top: PathBuf,
    own: Own,
    tracked: Tracked,
    submodules: Vec<Self>,
    /// Directories of submodules that are not there: whoever fills one has git look into it.
    vacant: Vec<PathBuf>,
}

impl Seal {
    /// Looks at the repository whose work tree has this top. Asks git which files are tracked: to be called before any job.
    /// None where its own files cannot be read, or are too many.
    ///
    /// # Errors
    /// When git refuses.
    pub fn of(git: &Git, top: &Path) -> Result<Option<Self>, GitError> {
        Self::within(git, top, DEPTH)
    }

    fn within(git: &Git, top: &Path, depth: usize) -> Result<Option<Self>, GitError> {
        let Some(own) = Own::look(top) else {
            return Ok(None);
        };
        let listed = git.at(top).tracked()?;
        let submodules = listed.iter().filter(|(_, listed)| listed.is_repository());
        let (there, vacant): (Vec<_>, Vec<_>) = submodules
            .map(|(path, _)| top.join(path))
            .partition(|directory| directory.join(".git").symlink_metadata().is_ok());
        let mut submodules = Vec::new();
        for directory in there {
            let seal = (depth > 0).then(|| Self::within(git, &directory, depth - 1));
            match seal.transpose()?.flatten() {
                Some(seal) => submodules.push(seal),
                None => return Ok(None),
            }
        }
        Ok(Some(Self {
            top: top.to_owned(),
            own,
            tracked: Tracked::look(top, listed),
            submodules,
            vacant,
        }))
    }

    /// Whether git is led by what led it before, and no tracked file is another one. Index, refs, logs and objects may be
    /// others.
    pub fn holds(&self) -> bool {
        let own = Own::look(&self.top).is_some_and(|now| now == self.own);
        let is_vacant = |directory: &PathBuf| directory.join(".git").symlink_metadata().is_err();
        own && self.vacant.iter().all(is_vacant)
            && self.tracked.holds(&self.top)
            && self.submodules.iter().all(Self::holds)
    }
}

#[cfg(test)]
mod tests;
