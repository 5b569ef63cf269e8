//! Reads paths from a job's environment.

use std::path::{Path, PathBuf};

use crate::plan::Job;

/// Returns the job's home directory; `None` for `/`, which is nobody's.
pub(super) fn home(job: &Job) -> Option<&Path> {
    variable(job, "HOME").filter(|home| *home != Path::new("/"))
}

/// Returns the path in a variable of the job, if it is absolute.
pub(super) fn variable<'a>(job: &'a Job, name: &str) -> Option<&'a Path> {
    let value = job.environment.get(name)?;
    Some(Path::new(value)).filter(|path| path.is_absolute())
}

/// Iterates over the absolute paths in a variable of the job that holds several.
pub(super) fn paths<'a>(job: &'a Job, name: &str) -> impl Iterator<Item = PathBuf> + 'a {
    let value = job.environment.get(name);
    value
        .into_iter()
        .flat_map(std::env::split_paths)
        .filter(|path| path.is_absolute())
}
