//! Finds the repositories of a push of several, and their order.

use std::path::{Path, PathBuf};

use crate::config::{Component, Pipeline};
use crate::env::Environment;
use crate::git::{Repository, without_credentials};
use crate::model::{CommandError, Selection};
use crate::push::request::PushRequest;
use crate::workspace;
use crate::workspace::WorkspaceError;

/// A repository of a workspace.
#[derive(Debug)]
pub struct PushTarget {
    /// Names of its components.
    pub components: Vec<String>,
    /// Names of the components that go first.
    pub needs: Vec<String>,
    /// The repository.
    pub repository: Repository,
    /// The request of its push. `dry_run`, `yes` and the topic are the same in all targets.
    pub request: PushRequest,
}

impl PushTarget {
    pub(super) fn needs(&self, other: &Self) -> bool {
        self.needs
            .iter()
            .any(|need| other.components.contains(need))
    }
}

/// Sorts targets after those they need, and keeps their order otherwise. Repositories that need
/// each other keep their order.
pub fn in_order_of_needs(mut targets: Vec<PushTarget>) -> Vec<PushTarget> {
    let mut ordered: Vec<PushTarget> = Vec::with_capacity(targets.len());
    while !targets.is_empty() {
        let is_free = |at: &usize| {
            let others = targets.iter().enumerate().filter(|(other, _)| other != at);
            !others
                .into_iter()
                .any(|(_, other)| targets[*at].needs(other))
        };
        let next = (0..targets.len()).find(is_free).unwrap_or(0);
        ordered.push(targets.remove(next));
    }
    ordered
}

/// Finds the repositories of the components below the directory, needed ones first. `repository` is
/// the directory with the environment that git is called in.
pub(crate) fn targets(
    pipeline: &Pipeline,
    repository: &Repository,
    environment: &Environment,
    request: &PushRequest,
) -> Result<Vec<PushTarget>, CommandError> {
    let directory = repository.directory();
    refuse_a_url(request)?;
    let selection = Selection::default();
    let located = workspace::locate(pipeline, directory, &selection, environment);
    let placed = match located {
        Ok(located) => located.placed,
        Err(WorkspaceError::NoComponents { .. }) => return Err(nothing(directory)),
        Err(error) => return Err(error.into()),
    };
    let mut targets: Vec<(PathBuf, PushTarget)> = Vec::new();
    for placed in placed {
        let Some(top) = top_level(repository, &placed.directory) else {
            continue;
        };
        match targets.iter_mut().find(|(known, _)| *known == top) {
            Some((_, target)) => add(target, placed.component),
            None => {
                let target = begin(
                    repository.clone().in_directory(&top),
                    request,
                    placed.component,
                );
                targets.push((top, target));
            }
        }
    }
    match targets.is_empty() {
        true => Err(nothing(directory)),
        false => Ok(in_order_of_needs(
            targets.into_iter().map(|(_, target)| target).collect(),
        )),
    }
}

fn refuse_a_url(request: &PushRequest) -> Result<(), CommandError> {
    let remote = request.destination.remote.as_ref();
    match remote.filter(|name| name.contains(['/', ':'])) {
        None => Ok(()),
        Some(url) => Err(CommandError::usage(format!(
            "`{}` is a place for one repository, and this is a push of several",
            without_credentials(url)
        ))
        .hint("name a remote that all of them have")),
    }
}

fn nothing(directory: &Path) -> CommandError {
    CommandError::usage(format!(
        "{} is in no git repository, and no component below it is in one",
        directory.display()
    ))
    .hint("go into a checkout, or into the directory that holds the components")
}

/// Returns the top of the work tree; `None` outside of a repository, where there is nothing to
/// push.
fn top_level(repository: &Repository, directory: &Path) -> Option<PathBuf> {
    repository.clone().in_directory(directory).top_level().ok()
}

fn begin(repository: Repository, request: &PushRequest, component: Component) -> PushTarget {
    let mut target = PushTarget {
        components: Vec::new(),
        needs: Vec::new(),
        repository,
        request: request.clone(),
    };
    add(&mut target, component);
    target
}

fn add(target: &mut PushTarget, component: Component) {
    target.components.push(component.name);
    target.needs.extend(component.needs);
    let project = &mut target.request.destination.project;
    *project = project.take().or(component.project);
}

/// Returns the project that the pipeline names for the repository with this top.
pub(crate) fn project(
    pipeline: &Pipeline,
    repository: &Repository,
    top: &Path,
    environment: &Environment,
) -> Option<String> {
    pipeline.gerrit.url.as_ref()?;
    let selection = Selection::default();
    let located =
        workspace::locate(pipeline, repository.directory(), &selection, environment).ok()?;
    let own = located.placed.into_iter().filter(|placed| {
        let directory = placed.directory.canonicalize();
        directory.is_ok_and(|directory| directory.starts_with(top))
    });
    own.filter_map(|placed| placed.component.project).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, needs: &[&str]) -> PushTarget {
        PushTarget {
            components: vec![name.to_owned()],
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            repository: Repository::at("/nonexistent", &Environment::default()),
            request: PushRequest::default(),
        }
    }

    fn ordered(targets: Vec<PushTarget>) -> Vec<String> {
        let ordered = in_order_of_needs(targets);
        ordered
            .into_iter()
            .flat_map(|target| target.components)
            .collect()
    }

    #[test]
    fn what_is_needed_goes_first_and_the_rest_stays() {
        let targets = vec![
            target("runtime", &["agent", "shim"]),
            target("agent", &[]),
            target("shim", &["proxy"]),
            target("proxy", &["elsewhere"]),
        ];
        assert_eq!(ordered(targets), ["agent", "proxy", "shim", "runtime"]);
        let circle = vec![
            target("a", &["b"]),
            target("b", &["a"]),
            target("c", &["c"]),
        ];
        assert_eq!(ordered(circle), ["c", "a", "b"]);
    }
}
