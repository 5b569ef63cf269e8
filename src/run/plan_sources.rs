//! The repositories of a plan on the machine that runs a shard: those of the workspace, if they
//! have the commits, else clones of their sources, which are kept for the next shard.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::dirs;
use crate::env::Environment;
use crate::event::digest;
use crate::fs::remove_tree;
use crate::git::{Git, GitError};
use crate::model::CommandError;
use crate::plan::{PlanFile, TESTS_CLONE};
use crate::workspace::PinnedRepository;

/// The time that a fetch may take.
const FETCHING: Duration = Duration::from_secs(30 * 60);

/// Returns the directory that the plan's paths start at: the nearest at or above `directory` that
/// has all repositories of these components, else the directory itself.
pub(super) fn workspace(plan: &PlanFile, components: &[&str], directory: &Path) -> PathBuf {
    let paths: Vec<_> = (components.iter())
        .filter_map(|name| plan.repositories.get(*name))
        .collect();
    let has_all = |root: &&Path| {
        paths
            .iter()
            .all(|path| root.join(path).join(".git").exists())
    };
    let found = directory.ancestors().find(has_all);
    found.unwrap_or(directory).to_owned()
}

/// Returns the repositories of these components, each with a repository that has its commit.
///
/// # Errors
/// Fails if a commit can be had from nowhere. Another try may go well, because a server that
/// replicates may lag.
pub(super) fn repositories(
    plan: &PlanFile,
    components: &[&str],
    root: &Path,
    environment: &Environment,
) -> Result<Vec<PinnedRepository>, CommandError> {
    let git = Git::find(environment).map_err(CommandError::unavailable)?;
    let tests = plan
        .revisions
        .contains_key(TESTS_CLONE)
        .then_some(TESTS_CLONE);
    let mut repositories: BTreeMap<PathBuf, PinnedRepository> = BTreeMap::new();
    for component in components.iter().copied().chain(tests) {
        let (Some(path), Some(commit)) = (
            plan.repositories.get(component),
            plan.revisions.get(component),
        ) else {
            return Err(CommandError::usage(format!(
                "the plan has no commit of component `{component}`"
            )));
        };
        let top = without_ups(&root.join(path));
        if repositories.contains_key(&top) {
            continue;
        }
        let is_whole = plan_path(plan, component) == Some(path.as_path());
        let source = plan.sources.get(component).map(String::as_str);
        let lender = lender(&git, plan, &top, commit, source, environment)?;
        let pinned = PinnedRepository {
            lender,
            commit: commit.clone(),
            name: (is_whole && path != Path::new(".")).then(|| component.to_owned()),
            top: top.clone(),
        };
        repositories.insert(top, pinned);
    }
    Ok(repositories.into_values().collect())
}

/// Returns the path of a component from the root of the workspace.
fn plan_path<'a>(plan: &'a PlanFile, component: &str) -> Option<&'a Path> {
    let components = plan.pipeline.get("component")?.as_array()?;
    let found = components.iter().find(|one| one["name"] == component)?;
    found.get("path")?.as_str().map(Path::new)
}

/// Returns the repository that has a commit: the one of the workspace, or a clone of its source.
fn lender(
    git: &Git,
    plan: &PlanFile,
    top: &Path,
    commit: &str,
    source: Option<&str>,
    environment: &Environment,
) -> Result<PathBuf, CommandError> {
    let has = |directory: &Path| {
        let is_repository = directory.join(".git").exists();
        is_repository && matches!(git.at(directory).commit(commit), Ok(Some(_)))
    };
    if has(top) {
        return Ok(top.to_owned());
    }
    let short = commit.get(..7).unwrap_or(commit);
    let Some(url) = source else {
        let said = format!("{} does not have commit {short}", top.display());
        return Err(CommandError::unavailable(said).hint(
            "its repository had no remote when the plan was made: name a workspace that has it with -C",
        ));
    };
    let clone = dirs::cache(environment)
        .join("clones")
        .join(&digest([url.as_bytes()])[..16]);
    let failed = |error: GitError| {
        CommandError::machine(format!("{short} of {url} cannot be fetched: {error}"))
            .hint("a server that replicates may lag: worth another try")
    };
    if !has(&clone) {
        begin(git, &clone, url).map_err(|error| match error {
            Failure::Git(error) => failed(error),
            Failure::File(error) => CommandError::machine(format!("{}: {error}", clone.display())),
        })?;
        let why = fetch(git, plan, &clone, commit).err();
        if !has(&clone) {
            return Err(match why {
                Some(error) => failed(error),
                None => CommandError::machine(format!("{url} does not have commit {short}"))
                    .hint("push it; a server that replicates may lag: worth another try"),
            });
        }
    }
    Ok(clone)
}

enum Failure {
    Git(GitError),
    File(std::io::Error),
}

/// Makes an empty clone, unless there is one.
fn begin(git: &Git, clone: &Path, url: &str) -> Result<(), Failure> {
    if clone.join(".git").is_dir() {
        return Ok(());
    }
    let parent = clone.parent().unwrap_or(clone);
    fs::create_dir_all(parent).map_err(Failure::File)?;
    let aside = tempfile::Builder::new()
        .prefix(".new-")
        .tempdir_in(parent)
        .map_err(Failure::File)?;
    let run = |words: &[&str]| git.at(aside.path()).run(words).map(drop);
    run(&["init", "--quiet", "--template="]).map_err(Failure::Git)?;
    run(&["remote", "add", "origin", url]).map_err(Failure::Git)?;
    match fs::rename(aside.path(), clone) {
        // Another shard was quicker.
        Err(_) if clone.join(".git").is_dir() => remove_tree(aside.path()).map_err(Failure::File),
        renamed => renamed.map_err(Failure::File),
    }
}

/// Fetches the branches, with which a check of changed files compares, and the commit itself: by
/// its name, else by the ref of its change.
fn fetch(git: &Git, plan: &PlanFile, clone: &Path, commit: &str) -> Result<(), GitError> {
    let repository = git.clone().with_deadline(FETCHING).at(clone);
    let fetch = |what: &[&str]| {
        let words = ["fetch", "--quiet", "--no-write-fetch-head", "origin"];
        repository.run(words.iter().chain(what)).map(drop)
    };
    fetch(&[])?;
    let _ = repository.run(["remote", "set-head", "origin", "--auto"]);
    if repository.commit(commit)?.is_some() {
        return Ok(());
    }
    let by_name = fetch(&[commit]);
    match plan.change.as_ref().filter(|change| change.sha == commit) {
        Some(change) if by_name.is_err() => fetch(&[&format!(
            "refs/changes/{:02}/{}/{}",
            change.number % 100,
            change.number,
            change.patch_set
        )]),
        _ => by_name,
    }
}

fn without_ups(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, part| {
        match part {
            std::path::Component::ParentDir => drop(clean.pop()),
            std::path::Component::CurDir => {}
            part => clean.push(part),
        }
        clean
    })
}
