//! The pipeline that a command works with.
use std::path::Path;

use super::source::Source;
use crate::config;
use crate::config::{Layout, Overrides, Pipeline};
use crate::env::Environment;
use crate::model::CommandError;
use crate::workspace;
use crate::workspace::WorkspaceError;

/// Loads the pipeline of a source. What differs is compared with the branch `pushed_to` then, unless the pipeline names
/// one.
pub(super) fn load(
    source: &Source,
    asked: Option<&str>,
    overrides: &Overrides,
    pushed_to: Option<&str>,
    environment: &Environment,
) -> Result<Pipeline, CommandError> {
    let user = config::user_file(environment);
    let mut pipeline = config::load(&source.pipeline(asked)?, overrides, user.as_deref())?;
    if let Some(branch) = pushed_to {
        compare_with(branch, &mut pipeline);
    }
    Ok(pipeline)
}

/// kata v1's scripts take the branch from the environment.
fn compare_with(branch: &str, pipeline: &mut Pipeline) {
    match pipeline.layout {
        Layout::Gopath => {
            let given = pipeline.env.entry("branch".to_owned());
            given.or_insert_with(|| branch.to_owned());
        }
        Layout::Plain => pipeline.gerrit.branch = Some(branch.to_owned()),
    }
}

/// Loads the pipeline of a command that works where nothing can be run, too: there it is `makefile`, whose components are
/// none.
pub(crate) fn anywhere(
    asked: Option<&str>,
    directory: &Path,
    environment: &Environment,
) -> Result<Pipeline, CommandError> {
    let found = match config::locate(asked, directory)? {
        Some(source) => source,
        None => config::Source::Shipped(match workspace::detect(directory) {
            Ok(detected) => detected.pipeline,
            Err(WorkspaceError::Nothing { .. }) => "makefile",
            Err(error) => return Err(error.into()),
        }),
    };
    let user = config::user_file(environment);
    Ok(config::load(
        &found,
        &Overrides::default(),
        user.as_deref(),
    )?)
}
