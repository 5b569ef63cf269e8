//! Opens the workspace of a request for a command that only looks at it.

use super::request::RunRequest;
use super::source::Source;
use super::{opened, pipeline};
use crate::config::Pipeline;
use crate::model::CommandError;
use crate::workspace::Workspace;

/// Returns the pipeline of a request, and its workspace with what the preflight found.
pub(crate) fn look(request: &RunRequest) -> Result<(Pipeline, Workspace), CommandError> {
    let mut source = Source::open(request)?;
    let pipeline = pipeline::load(&mut source, request)?;
    let opened = opened::open(source, pipeline, request)?;
    Ok((opened.pipeline, opened.workspace))
}
