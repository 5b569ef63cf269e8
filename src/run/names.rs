//! The names of a workspace, for completions: found quickly, without a preflight.

use std::path::Path;

use super::{pipeline, store};
use crate::env::Environment;
use crate::model::{CommandError, Selection};
use crate::workspace;

/// The names that a command line can use.
pub(crate) struct Names {
    /// The components that are there.
    pub components: Vec<String>,
    /// The steps of the pipeline.
    pub steps: Vec<String>,
}

/// Returns the names of the workspace of a directory. `asked` is the pipeline.
pub(crate) fn names(
    asked: Option<&str>,
    directory: &Path,
    environment: &Environment,
) -> Result<Names, CommandError> {
    let pipeline = pipeline::anywhere(asked, directory, environment)?;
    let all = Selection::default();
    let located = workspace::locate(&pipeline, directory, &all, environment)?;
    let placed = located.placed.into_iter();
    Ok(Names {
        components: placed.map(|placed| placed.component.name).collect(),
        steps: (pipeline.steps.into_iter()).map(|step| step.name).collect(),
    })
}

/// Returns the ids of the runs that are kept, the newest first.
pub(crate) fn kept_ids(environment: &Environment) -> Vec<String> {
    let kept = store::kept(environment);
    let names = kept.iter().filter_map(|path| store::name(path));
    names.map(str::to_owned).collect()
}
