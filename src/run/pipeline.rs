//! Loads the pipeline of a command.

use std::path::{Path, PathBuf};

use super::request::RunRequest;
use super::review_pipeline;
use super::source::Source;
use super::strict;
use crate::config;
use crate::config::{Layout, Overrides, Pipeline};
use crate::env::Environment;
use crate::model::CommandError;
use crate::workspace;
use crate::workspace::WorkspaceError;

/// Loads the pipeline of a source, and completes the source with what the pipeline's commits depend
/// on. The branch that is pushed to becomes the one to compare with, unless the pipeline names one.
pub(super) fn load(source: &mut Source, request: &RunRequest) -> Result<Pipeline, CommandError> {
    let (environment, overrides) = (&request.environment, &request.settings.overrides);
    let user = config::user_file(environment);
    if let Some(shard) = &request.shard {
        let name = format!("{} of plan {}", shard.plan.name, shard.plan.short_id());
        let (written, base) = (&shard.plan.pipeline, source.started_in().to_owned());
        let planned = config::load_written(written, &name, base, overrides, user.as_deref())?;
        return Ok(planned);
    }
    let mut pipeline = match &request.reviewed {
        Some(reviewed) => review_pipeline::load(source, reviewed, request)?,
        None => {
            let found = source.pipeline(request.pipeline.as_deref())?;
            if !source.is_checkout() {
                let files = config::files(&found)?;
                strict::follow(files.iter().map(PathBuf::as_path), environment)?;
            }
            config::load(&found, overrides, user.as_deref())?
        }
    };
    if let Some(branch) = &request.pushed_to {
        compare_with(branch, &mut pipeline);
    }
    let target = request.reviewed.as_ref().map(|reviewed| &*reviewed.target);
    source.complete(&mut pipeline, target, environment)?;
    Ok(pipeline)
}

/// Sets the branch in the environment, where kata v1's scripts look for it.
fn compare_with(branch: &str, pipeline: &mut Pipeline) {
    match pipeline.layout {
        Layout::Gopath => {
            let given = pipeline.env.entry("branch".to_owned());
            given.or_insert_with(|| branch.to_owned());
        }
        Layout::Plain => pipeline.gerrit.branch = Some(branch.to_owned()),
    }
}

/// Loads the pipeline of a command that also works outside of a workspace: there it is `makefile`,
/// without components.
pub(crate) fn anywhere(
    asked: Option<&str>,
    directory: &Path,
    environment: &Environment,
) -> Result<Pipeline, CommandError> {
    let found = match config::locate(asked, directory)? {
        Some(source) => source,
        None => config::PipelineSource::Shipped(match workspace::detect(directory) {
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
