//! A work tree in which strict jobs are about to run.

use std::path::PathBuf;

/// A work tree in which strict jobs are about to run.
#[derive(Debug, Clone)]
pub struct StrictTree {
    /// The top of the repository, or a directory outside of any.
    pub top: PathBuf,
    /// The directories in it that the jobs can write to.
    pub directories: Vec<PathBuf>,
    /// The directories of submodules and of other repositories in these, filled or not.
    pub inner: Vec<PathBuf>,
    /// The paths that git's configuration leads to: further configurations, and programs.
    pub led: Vec<PathBuf>,
}
