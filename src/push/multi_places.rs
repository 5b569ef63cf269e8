//! `kata-ci push` in the directory of a workspace: which repositories it means, and in which order they go.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::{Component, Pipeline};
use crate::git::plumbing::{Repository, without_credentials};
use crate::model::Selection;
use crate::push::PushRequest;
use crate::push::multi::{PushTarget, in_order_of_needs};
use crate::run::failure::Failure;
use crate::workspace;
use crate::workspace::WorkspaceError;

/// The repositories of the components found from the directory, those that are needed first. `repository` is the
/// directory, with the environment that git is called in.
pub(crate) fn places(
    pipeline: &Pipeline,
    repository: &Repository,
    environment: &BTreeMap<OsString, OsString>,
    request: &PushRequest,
) -> Result<Vec<PushTarget>, Failure> {
    let directory = repository.directory();
    refuse_a_url(request)?;
    let selection = Selection::default();
    let located = workspace::locate(pipeline, directory, &selection, environment);
    let placed = match located {
        Ok(located) => located.placed,
        Err(WorkspaceError::NoComponents { .. }) => return Err(nothing(directory)),
        Err(error) => return Err(error.into()),
    };
    let mut places: Vec<(PathBuf, PushTarget)> = Vec::new();
    for placed in placed {
        let Some(top) = top_level(repository, &placed.directory) else {
            continue;
        };
        match places.iter_mut().find(|(known, _)| *known == top) {
            Some((_, place)) => add(place, placed.component),
            None => {
                let place = begin(
                    repository.clone().in_directory(&top),
                    request,
                    placed.component,
                );
                places.push((top, place));
            }
        }
    }
    match places.is_empty() {
        true => Err(nothing(directory)),
        false => Ok(in_order_of_needs(
            places.into_iter().map(|(_, place)| place).collect(),
        )),
    }
}

fn refuse_a_url(request: &PushRequest) -> Result<(), Failure> {
    let remote = request.place.remote.as_ref();
    match remote.filter(|name| name.contains(['/', ':'])) {
        None => Ok(()),
        Some(url) => Err(Failure::Usage(format!(
            "`{}` is a place for one repository, and this is a push of several\n  = help: name a remote that all of them have",
            without_credentials(url)
        ))),
    }
}

fn nothing(directory: &Path) -> Failure {
    Failure::Usage(format!(
        "{} is in no git repository, and no component below it is in one\n  = help: go into a checkout, or into the directory that holds the components",
        directory.display()
    ))
}

/// None where the directory is no part of a repository: there is nothing to push then.
fn top_level(repository: &Repository, directory: &Path) -> Option<PathBuf> {
    let there = repository.clone().in_directory(directory);
    there
        .text(["rev-parse", "--show-toplevel"])
        .ok()
        .map(PathBuf::from)
}

fn begin(repository: Repository, request: &PushRequest, component: Component) -> PushTarget {
    let mut place = PushTarget {
        components: Vec::new(),
        needs: Vec::new(),
        repository,
        request: request.clone(),
    };
    add(&mut place, component);
    place
}

fn add(place: &mut PushTarget, component: Component) {
    place.components.push(component.name);
    place.needs.extend(component.needs);
    let project = &mut place.request.place.project;
    *project = project.take().or(component.project);
}

/// The project that the pipeline names for the repository, where it names one.
pub(crate) fn project(
    pipeline: &Pipeline,
    repository: &Repository,
    environment: &BTreeMap<OsString, OsString>,
) -> Option<String> {
    pipeline.gerrit.url.as_ref()?;
    let selection = Selection::default();
    let located =
        workspace::locate(pipeline, repository.directory(), &selection, environment).ok()?;
    let top = top_level(repository, repository.directory())?;
    let own = located.placed.into_iter().filter(|placed| {
        let directory = placed.directory.canonicalize();
        directory.is_ok_and(|directory| directory.starts_with(&top))
    });
    own.filter_map(|placed| placed.component.project).next()
}
