//! Compares a repository before a job and after it. It only reads files and starts no program, not
//! even git.
//!
//! A job can leave files that lead git to run something: a configuration, `commondir`, hooks,
//! attributes with filters, the repository of a submodule. So git is asked before the first job,
//! when the tree is as its user left it, and its answer is kept here. After the job [`Seal::holds`]
//! looks at the files themselves. `Own` is git's part of it, `Tracked` that of the work tree.
//!
//! Invariants: only regular files are opened, links are not followed, and reading is bounded. A
//! file that cannot be read counts as changed.

mod tracked;

use std::path::{Path, PathBuf};

use tracked::Tracked;

use super::own::Own;
use super::{Git, GitError};

/// The depth to which submodules are followed.
const DEPTH: usize = 4;

/// The state of a repository with its submodules at a moment.
#[derive(Debug)]
pub struct Seal {
    top: PathBuf,
    own: Own,
    tracked: Tracked,
    submodules: Vec<Self>,
    /// The directories of submodules that are missing. If a job fills one, git looks into it.
    vacant: Vec<PathBuf>,
}

impl Seal {
    /// Looks at the repository whose work tree has this top; `None` if its own files cannot be read
    /// or are too many.
    ///
    /// It asks git which files are tracked, so call it before any job.
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

    /// Returns true if git would be led by the same files as before, and no tracked file is another
    /// one. Index, refs, logs and objects may have changed.
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
