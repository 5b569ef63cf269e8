//! Resolves the paths that the command line names.

use std::path::{Path, PathBuf};

use crate::env::Environment;
use crate::model::CommandError;
use crate::report::read::INPUT;
use crate::run::{report_directory, store};
use crate::text;

/// Resolves paths relative to `-C`.
pub(super) struct PathResolver<'a> {
    directory: &'a Path,
}

impl<'a> PathResolver<'a> {
    pub(super) fn new(directory: &'a Path) -> Self {
        Self { directory }
    }

    pub(super) fn all(&self, paths: &[PathBuf]) -> Vec<PathBuf> {
        paths.iter().map(|path| self.input(path)).collect()
    }

    fn input(&self, path: &Path) -> PathBuf {
        match path == Path::new(INPUT) {
            true => path.to_owned(),
            false => self.directory.join(path),
        }
    }

    /// Returns the output file; `None` for standard output, also for `-`.
    pub(super) fn output(&self, output: Option<&Path>) -> Option<PathBuf> {
        output
            .filter(|path| *path != Path::new("-"))
            .map(|path| self.directory.join(path))
    }

    /// Returns the path to read: a path as it is, a run's id, or the latest run, of the workspace
    /// that this directory is in if it has one.
    pub(super) fn from(&self, from: Option<&Path>) -> Result<PathBuf, CommandError> {
        let environment = Environment::current();
        let Some(from) = from else {
            let runs = report_directory::runs_directory(&environment)?;
            let own = self.directory.canonicalize().ok();
            let own = own.and_then(|directory| store::latest_of(&runs, &directory));
            let latest = own.unwrap_or_else(|| runs.join("latest"));
            return present(latest, "there is no run yet: name a report");
        };
        let path = self.input(from);
        if from == Path::new(INPUT) {
            return Ok(path);
        }
        if path.exists() || from.components().count() != 1 {
            return present(
                path,
                "name a report directory, a journal, a JUnit file or a run's id",
            );
        }
        let run = report_directory::runs_directory(&environment)?.join(from);
        match run.exists() {
            true => Ok(run),
            false => Err(CommandError::usage(format!(
                "{}: no such file, and no run of that name",
                text::for_terminal(&from.to_string_lossy(), 200)
            ))
            .hint("`kata-ci report show --list` lists the runs")),
        }
    }
}

fn present(path: PathBuf, help: &str) -> Result<PathBuf, CommandError> {
    match path.metadata() {
        Ok(_) => Ok(path),
        Err(error) => Err(CommandError::path(&path, &error, help)),
    }
}
