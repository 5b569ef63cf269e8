//! Checks out the changes that the commits of `--rev` name in their messages (`Depends-on:`).

use std::path::{Path, PathBuf};

use crate::config::Pipeline;
use crate::env::Environment;
use crate::gerrit::depends::{
    Dependency, DependencyError, Revision, WorkspaceRepository, dependencies, fetch, resolve,
};
use crate::git::Repository;
use crate::git::range::{above, read, unpublished};
use crate::model::{CommandError, Selection};
use crate::workspace;
use crate::workspace::CheckoutSet;

/// Finds, fetches and checks out the dependencies of the commit that the user stands in, and of its
/// ancestors that no remote has (above `target`, if that is given).
pub(crate) fn bring(
    checkouts: &mut CheckoutSet,
    pipeline: &Pipeline,
    target: Option<&str>,
    user: &Environment,
) -> Result<(), CommandError> {
    let Some((source, commit)) = checkouts.standing() else {
        return Ok(());
    };
    let (source, commit) = (source.to_owned(), commit.to_owned());
    let mut environment = user.clone();
    pipeline.network.set_variables(&mut environment);
    pipeline.network.tell_git(&mut environment);
    let repository = Repository::at(&source, &environment);
    let named = named(&repository, &commit, target)?;
    if named.is_empty() {
        return Ok(());
    }
    let own = candidate(&repository, source.clone());
    let candidates = candidates(checkouts, pipeline, &own, user);
    for revision in revisions(&named, &candidates, &own, &commit)? {
        let there = repository.clone().in_directory(&revision.top);
        if checkouts.has_brought(&revision.top, &revision.commit) {
            continue;
        }
        let why = format!("Depends-on: {}", revision.dependency);
        checkouts.bring(&revision.top, &revision.commit, &why, |objects| {
            fetched(&there, &revision, objects)
        })?;
    }
    Ok(())
}

/// Returns the dependencies that the messages name, each once.
fn named(
    repository: &Repository,
    commit: &str,
    target: Option<&str>,
) -> Result<Vec<Dependency>, CommandError> {
    let commits = match target {
        Some(target) => above(repository, commit, &[target]),
        None => unpublished(repository, commit, None),
    };
    let mut named = Vec::new();
    for commit in read(repository, &commits?)? {
        named.extend(dependencies(&commit.message).map_err(failure)?);
    }
    named.sort();
    named.dedup();
    Ok(named)
}

/// Converts the error. A server that does not answer may answer another time.
fn failure(error: DependencyError) -> CommandError {
    let hint = error.fix().to_string();
    match error {
        DependencyError::Git { ref source, .. } if source.lasts() => {
            CommandError::unavailable(error)
        }
        DependencyError::Git { .. } => CommandError::machine(error),
        _ => CommandError::usage(error),
    }
    .hint(hint)
}

fn candidate(repository: &Repository, top: PathBuf) -> WorkspaceRepository {
    let name = top.file_name().unwrap_or(top.as_os_str());
    WorkspaceRepository {
        name: name.to_string_lossy().into_owned(),
        repository: repository.clone().in_directory(&top),
        top,
    }
}

/// Returns the repositories to look in: this one, those of the pipeline's components, and those
/// beside it (such as kata's tests).
fn candidates(
    checkouts: &CheckoutSet,
    pipeline: &Pipeline,
    own: &WorkspaceRepository,
    user: &Environment,
) -> Vec<WorkspaceRepository> {
    let located = workspace::locate(pipeline, &own.top, &Selection::default(), user);
    let placed = located.map(|located| located.placed).unwrap_or_default();
    let beside = own.top.parent().and_then(|parent| parent.read_dir().ok());
    let beside = beside.into_iter().flatten().flatten();
    let mut found = beside.map(|entry| entry.path()).collect::<Vec<_>>();
    found.retain(|path| path.join(".git").exists());
    found.sort();
    let listed = placed
        .iter()
        .map(|placed| checkouts.as_user_knows(&placed.directory));
    let mut all = vec![own.clone()];
    for directory in listed.chain(found) {
        let Some(top) = top(&own.repository, &directory) else {
            continue;
        };
        if !all.iter().any(|known| known.top == top) {
            all.push(candidate(&own.repository, top));
        }
    }
    all
}

fn top(repository: &Repository, directory: &Path) -> Option<PathBuf> {
    repository.clone().in_directory(directory).top_level().ok()
}

/// Checks that no repository is named with two revisions.
fn revisions(
    named: &[Dependency],
    candidates: &[WorkspaceRepository],
    own: &WorkspaceRepository,
    tip: &str,
) -> Result<Vec<Revision>, CommandError> {
    let mut revisions: Vec<Revision> = Vec::new();
    for dependency in named {
        let found = resolve(dependency, candidates, own, tip).map_err(failure)?;
        let Some(found) = found else { continue };
        match revisions.iter().find(|known| known.top == found.top) {
            None => revisions.push(found),
            Some(known) if known.commit == found.commit => {}
            Some(known) => {
                return Err(failure(DependencyError::Different {
                    one: known.dependency.clone(),
                    other: found.dependency,
                    repository: found.top.display().to_string(),
                }));
            }
        }
    }
    Ok(revisions)
}

fn fetched(
    repository: &Repository,
    revision: &Revision,
    objects: &Path,
) -> Result<(), CommandError> {
    let Some((url, reference)) = &revision.from else {
        return Ok(());
    };
    fetch(repository, url, reference, objects).map_err(|source| {
        failure(DependencyError::Git {
            dependency: revision.dependency.clone(),
            source,
        })
    })
}
