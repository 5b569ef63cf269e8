//! Where a failing case's file lies, as the system that shows it knows it.

use std::path::{Component, Path, PathBuf};

use super::Detected;
use crate::report::model::{Case, Suite, facts};

/// The sources a run ran on.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// The workspace of the run: what jobs' directories are relative to.
    workspace: PathBuf,
    /// What the system's paths are relative to.
    root: Option<PathBuf>,
}

impl Checkout {
    /// A workspace that paths are relative to.
    pub fn at(workspace: &Path) -> Self {
        Self {
            workspace: workspace.to_owned(),
            root: Some(workspace.to_owned()),
        }
    }

    /// A workspace somewhere in what a CI system has checked out.
    pub fn on(detected: &Detected, workspace: &Path) -> Self {
        Self {
            workspace: workspace.to_owned(),
            root: detected.workspace.clone(),
        }
    }

    /// The file of a case, absolute, where it can be found: outputs name it relative to a package, a component, or not at all.
    pub(in crate::report) fn find(&self, suite: &Suite, case: &Case) -> Option<PathBuf> {
        let file = case.details.as_ref()?.file.as_deref()?;
        let directory = suite.property(facts::DIRECTORY).unwrap_or("");
        let package = case
            .class
            .strip_prefix(&*suite.name)
            .unwrap_or("")
            .trim_start_matches('.')
            .replace('.', "/");
        let candidates = [
            Path::new(directory).join(&package).join(file),
            Path::new(directory).join(file),
        ];
        // An absolute path (the race detector's) stays what it is when it is joined.
        let mut candidates = candidates.map(|path| self.workspace.join(path)).into_iter();
        candidates.find(|path| self.is_inside(path) && path.is_file())
    }

    fn is_inside(&self, path: &Path) -> bool {
        let bases = [Some(&self.workspace), self.root.as_ref()];
        let mut below = bases
            .into_iter()
            .flatten()
            .filter_map(|base| path.strip_prefix(base).ok());
        below.any(|below| {
            let mut parts = below.components();
            parts.all(|part| matches!(part, Component::Normal(_)))
        })
    }

    /// A file's path as the system knows it: below its checkout; else, as with a commit that is checked out aside, below the
    /// file's own repository; else below the workspace.
    pub(in crate::report) fn name(&self, file: &Path) -> String {
        let below = |base: &Path| file.strip_prefix(base).ok().map(Path::to_owned);
        let named = (self.root.as_deref().and_then(below))
            .or_else(|| repository(file).and_then(below))
            .or_else(|| below(&self.workspace));
        named.as_deref().unwrap_or(file).display().to_string()
    }
}

/// The directory of the git repository that a file lies in.
pub(super) fn repository(file: &Path) -> Option<&Path> {
    file.ancestors()
        .skip(1)
        .find(|directory| directory.join(".git").exists())
}
