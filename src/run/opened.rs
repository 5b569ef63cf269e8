//! Opens the workspace of a source.

use std::path::Path;

use super::request::RunRequest;
use super::source::Source;
use super::{since, strict};
use crate::config::Pipeline;
use crate::event::Since;
use crate::model::{CommandError, Selection};
use crate::workspace::{Located, Workspace, resolve_words};

/// An open workspace and the selection to run in it.
pub(super) struct Opened {
    /// The source of the run.
    pub source: Source,
    /// The resolved pipeline.
    pub pipeline: Pipeline,
    /// The components with their directories.
    pub workspace: Workspace,
    /// The components and steps to run.
    pub selection: Selection,
    /// The decisions of `--since`, if it was given.
    pub since: Option<Since>,
}

/// The components and steps that a request means, not inspected yet.
pub(super) struct Chosen {
    /// The components that were found.
    pub located: Located,
    /// The components and steps to run.
    pub selection: Selection,
    /// The decisions of `--since`, if it was given.
    pub since: Option<Since>,
}

/// Finds the components, and narrows them to those that the request means.
pub(super) fn choose(
    source: &mut Source,
    pipeline: &Pipeline,
    request: &RunRequest,
) -> Result<Chosen, CommandError> {
    let (mut selection, environment) = (request.selection.clone(), &request.environment);
    let mut located = source.locate(pipeline, &selection, environment)?;
    if !selection.components.is_empty() {
        let user_path = |path: &Path| source.as_user_knows(path);
        let placed = &located.placed;
        selection = resolve_words(&selection, pipeline, placed, &request.directory, user_path);
        located.selected.clone_from(&selection.components);
    }
    let placed = located.placed.iter();
    let directories = placed.map(|placed| placed.directory.as_path());
    strict::follow(directories.clone(), environment)?;
    strict::check(directories, environment)?;
    let mut asked = request.since.clone();
    if let Some(reviewed) = &request.reviewed {
        let own = source.under_review(&located);
        asked = own.since(reviewed);
        selection.components = own.selected(reviewed, &request.selection);
        located.selected.clone_from(&selection.components);
    }
    let since = match &asked {
        None => None,
        Some(revision) => {
            let since = since::decide(revision, pipeline, &located, environment)?;
            // Names that belong to no component stay, and are refused later.
            let mut selected = located.selected.clone();
            selected.retain(|name| !since.leaves_out(name));
            selection.components.clone_from(&selected);
            located.selected = selected;
            Some(since)
        }
    };
    Ok(Chosen {
        located,
        selection,
        since,
    })
}

/// Finds the components, narrows them to those that `--since` selects, and opens the workspace.
pub(super) fn open(
    mut source: Source,
    pipeline: Pipeline,
    request: &RunRequest,
) -> Result<Opened, CommandError> {
    let Chosen {
        located,
        selection,
        since,
    } = choose(&mut source, &pipeline, request)?;
    let workspace = match since.is_some() && selection.components.is_empty() {
        true => Workspace::empty(located.root),
        false => source.workspace(&pipeline, located, &selection, &request.environment)?,
    };
    Ok(Opened {
        source,
        pipeline,
        workspace,
        selection,
        since,
    })
}
