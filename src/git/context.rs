//! The place that the user works in: work tree, branch, configuration, and an unfinished rebase or
//! merge. It is read once, with three calls of git.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::configuration::Configuration;
use super::{GitError, Repository};

/// A work tree with its branch and configuration.
#[derive(Debug, Clone)]
pub struct GitContext {
    /// The repository.
    pub repository: Repository,
    /// Its configuration, with the user's and the machine's.
    pub configuration: Configuration,
    /// The root of the work tree.
    pub root: PathBuf,
    /// The branch that is checked out, without `refs/heads/`; `None` if HEAD is detached.
    pub branch: Option<String>,
    /// The command that was begun and not finished: `rebase`, `merge`, …
    pub unfinished: Option<&'static str>,
    /// The commits that a shallow clone has without their parents; empty in a whole repository.
    pub boundary: BTreeSet<String>,
}

/// The file or directory that git leaves while a command is unfinished.
const MARKS: [(&str, &str); 7] = [
    ("rebase-merge", "rebase"),
    ("rebase-apply/applying", "am"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
];

/// The most bytes of the file `shallow`; each commit takes 41.
const LARGEST: u64 = 256 << 20;

impl GitContext {
    /// Asks git.
    ///
    /// # Errors
    /// [`GitError`] outside of a work tree.
    pub fn of(repository: &Repository) -> Result<Self, GitError> {
        let names = ["shallow"].into_iter().chain(MARKS.map(|(mark, _)| mark));
        let names = names.flat_map(|name| ["--git-path", name]);
        let paths = repository.text(["rev-parse", "--show-toplevel"].into_iter().chain(names))?;
        let mut paths = paths.lines();
        let root = PathBuf::from(paths.next().unwrap_or_default());
        let place = |path: &str| repository.directory().join(Path::new(path));
        let shallow = crate::fs::read(&place(paths.next().unwrap_or_default()), LARGEST);
        let there = |path: &str| place(path).exists();
        let unfinished = paths
            .zip(MARKS)
            .find(|(path, _)| there(path))
            .map(|(_, (_, name))| name);
        Ok(Self {
            configuration: Configuration::of(repository)?,
            branch: repository.branch()?,
            repository: repository.clone(),
            root,
            unfinished,
            boundary: String::from_utf8_lossy(&shallow.unwrap_or_default())
                .lines()
                .map(str::to_owned)
                .collect(),
        })
    }
}
