//! Finds the file of a failing case, and its path as the CI system knows it.

use std::path::{Component, Path, PathBuf};

use super::DetectedCi;
use crate::report::model::{Case, Suite, properties};

/// The sources that a run ran on.
#[derive(Debug, Clone)]
pub struct SourceTree {
    /// The workspace of the run. The directories of jobs are relative to it.
    workspace: PathBuf,
    /// The directory that the system's paths are relative to.
    root: Option<PathBuf>,
}

impl SourceTree {
    /// Makes a checkout whose paths are relative to the workspace.
    pub fn at(workspace: &Path) -> Self {
        Self {
            workspace: workspace.to_owned(),
            root: Some(workspace.to_owned()),
        }
    }

    /// Makes a checkout for a workspace inside of the directory that the CI system has checked out.
    pub fn on(detected: &DetectedCi, workspace: &Path) -> Self {
        Self {
            workspace: workspace.to_owned(),
            root: detected.workspace.clone(),
        }
    }

    /// Finds the absolute path of a case's file. Outputs name it relative to a package, to a
    /// component, or not at all.
    pub(in crate::report) fn find(&self, suite: &Suite, case: &Case) -> Option<PathBuf> {
        let file = case.details.as_ref()?.file.as_deref()?;
        self.find_file(suite, case, file)
    }

    /// Finds the absolute path of a file that a case names.
    pub(in crate::report) fn find_file(
        &self,
        suite: &Suite,
        case: &Case,
        file: &str,
    ) -> Option<PathBuf> {
        let directory = suite.property(properties::DIRECTORY).unwrap_or("");
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
        // Joining leaves an absolute path (the race detector's) as it is.
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

    /// Returns a file's path as the system knows it: below its checkout, else below the file's own
    /// repository, else below the workspace. The second is needed for a commit that was checked out
    /// elsewhere.
    pub(in crate::report) fn name(&self, file: &Path) -> String {
        let below = |base: &Path| file.strip_prefix(base).ok().map(Path::to_owned);
        let named = (self.root.as_deref().and_then(below))
            .or_else(|| repository(file).and_then(below))
            .or_else(|| below(&self.workspace));
        named.as_deref().unwrap_or(file).display().to_string()
    }
}

/// Returns the directory of the git repository that a file lies in.
pub(super) fn repository(file: &Path) -> Option<&Path> {
    file.ancestors()
        .skip(1)
        .find(|directory| directory.join(".git").exists())
}
