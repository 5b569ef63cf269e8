//! `--rev`: the run of what was committed.
//!
//! The pipeline, too, is the commit's where its file lies in the repository: what is not committed has no say. A file above
//! the repository, and one that is named with `-p`, is taken as it is.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::cli::arguments::RunArguments;
use crate::config;
use crate::config::{Layout, Pipeline, Source};
use crate::model::Selection;
use crate::run::failure::Failure;
use crate::workspace;
use crate::workspace::{Aside, WorkspaceError};

/// Checks the revision out, where one is asked for.
pub(crate) fn enter(
    run: &RunArguments,
    directory: &Path,
    selection: &Selection,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Option<Aside>, Failure> {
    let Some(revision) = run.rev.as_deref().filter(|revision| !revision.is_empty()) else {
        return Ok(None);
    };
    let aside = Aside::enter(directory, revision, selection, environment);
    let mut aside = aside.map_err(WorkspaceError::from)?;
    if run.pushed_to.is_some() {
        aside.keep_alone();
    }
    Ok(Some(aside))
}

/// What differs is compared with the branch that the commits are for, unless the pipeline names one. kata v1's scripts take
/// it from the environment.
pub(crate) fn compare_with(branch: &str, pipeline: &mut Pipeline) {
    match pipeline.layout {
        Layout::Gopath => {
            let given = pipeline.env.entry("branch".to_owned());
            given.or_insert_with(|| branch.to_owned());
        }
        Layout::Plain => pipeline.gerrit.branch = Some(branch.to_owned()),
    }
}

/// The pipeline asked for, else the commit's own, else one above the repository, else what lies there.
pub(crate) fn source(
    run: &RunArguments,
    aside: &Aside,
    directory: &Path,
) -> Result<Source, Failure> {
    if let Some(name) = run.pipeline.as_deref().filter(|name| !name.is_empty())
        && let Some(source) = config::locate(Some(name), directory)?
    {
        return Ok(source);
    }
    let found = match aside.top() {
        Some(top) => match config::locate_below(aside.directory(), top)? {
            Some(source) => Some(source),
            None => above(&aside.as_user_knows(top))?,
        },
        None => config::locate(None, directory)?,
    };
    if let Some(source) = found {
        return Ok(source);
    }
    let detected = workspace::detect(aside.directory());
    let detected = detected.map_err(|error| aside.explain_error(error))?;
    Ok(Source::Shipped(detected.pipeline))
}

/// The pipeline's name, with its file where the user knows it.
pub(crate) fn name(pipeline: &Pipeline, aside: &Aside) -> String {
    let path = Path::new(&pipeline.name);
    match path.is_absolute() {
        true => aside.as_user_knows(path).display().to_string(),
        false => pipeline.name.clone(),
    }
}

fn above(repository: &Path) -> Result<Option<Source>, Failure> {
    match repository.parent() {
        Some(parent) => Ok(config::locate(None, parent)?),
        None => Ok(None),
    }
}
