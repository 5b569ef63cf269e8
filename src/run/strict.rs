//! Has the work trees remembered in which strict jobs run, so that nothing that they leave is run
//! or believed by a later command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::env::Environment;
use crate::event::Notice;
use crate::exec;
use crate::git::strict_runs::{StrictRun, StrictRuns, StrictTree};
use crate::git::{Git, GitError};
use crate::model::{CommandError, Readiness};
use crate::plan::{Job, Plan};
use crate::workspace::Workspace;

/// The files of a run that are read back, and their directory.
const FILES: [&str; 3] = ["", "events.jsonl", "result.json"];

const NOT_NOTED: &str = "the jobs under `isolate on` cannot be noted";

/// The deepest nesting of submodules.
const DEPTH: usize = 4;

/// Notes the work trees that the strict jobs of the plan may write to. Of a checkout nothing is
/// noted, since nobody asks git there afterwards.
///
/// # Errors
/// Fails if that cannot be written down, or git cannot be asked for submodules.
pub(super) fn begin(
    plan: &Plan,
    root: &Path,
    is_checkout: bool,
    environment: &Environment,
) -> Result<Vec<StrictRun>, CommandError> {
    if is_checkout {
        return Ok(Vec::new());
    }
    let trees = trees(plan, root);
    if trees.is_empty() {
        return Ok(Vec::new());
    }
    for job in starting(plan) {
        let paths = exec::paths_of_strict_job(job);
        follow(paths.iter().map(PathBuf::as_path), environment)?;
    }
    let git = Git::find(environment).map_err(refused)?;
    let runs = StrictRuns::of(environment);
    let noted = trees.into_iter().map(|mut tree| {
        if has_repository(&tree.top) {
            submodules(&git, &tree.top, DEPTH, &mut tree.inner)?;
            tree.led = git.at(&tree.top).leads().map_err(refused)?;
        }
        runs.begin(tree).map_err(not_noted)
    });
    noted.collect()
}

/// Returns the strict jobs that can start. The others leave nothing; git may not even read their
/// tree.
fn starting(plan: &Plan) -> impl Iterator<Item = &Job> {
    let can_start = |job: &&Job| job.readiness == Readiness::Ready;
    plan.strict_jobs().filter(can_start)
}

/// Returns the work trees of the strict jobs, each with the other repositories of the plan in it.
/// Directories outside of any repository share the tree of the workspace.
fn trees(plan: &Plan, root: &Path) -> Vec<StrictTree> {
    let mut trees: BTreeMap<PathBuf, StrictTree> = BTreeMap::new();
    for job in starting(plan) {
        let directory = top(&job.directory);
        let is_shared = !has_repository(directory) && directory.starts_with(root);
        let top = if is_shared { root } else { directory };
        let tree = trees.entry(top.to_owned()).or_insert_with(|| StrictTree {
            top: top.to_owned(),
            directories: Vec::new(),
            inner: repositories(plan, top),
            led: Vec::new(),
        });
        tree.directories.push(directory.to_owned());
    }
    trees.into_values().collect()
}

/// Returns the repositories of the plan below a directory.
fn repositories(plan: &Plan, above: &Path) -> Vec<PathBuf> {
    let tops = plan.jobs.iter().map(|job| top(&job.directory));
    let within = tops.filter(|top| *top != above && top.starts_with(above) && has_repository(top));
    let mut within: Vec<_> = within.map(Path::to_owned).collect();
    within.sort();
    within.dedup();
    within
}

fn has_repository(top: &Path) -> bool {
    top.join(".git").symlink_metadata().is_ok()
}

/// Ends the run because git cannot tell which repositories a strict job could change.
fn refused(error: GitError) -> CommandError {
    let text = format!("{NOT_NOTED}: {error}");
    CommandError {
        error: text.into(),
        ..CommandError::from(error)
    }
}

fn not_noted(error: impl std::error::Error) -> CommandError {
    CommandError::machine(format!("{NOT_NOTED}: {error}"))
        .hint("see to that, or run a commit of the tree in a checkout: --rev HEAD")
}

/// Returns the top of the repository of a directory, or the directory if it is in none.
fn top(directory: &Path) -> &Path {
    let mut above = directory.ancestors();
    above
        .find(|above| has_repository(above))
        .unwrap_or(directory)
}

/// Adds the directories of submodules, filled or not.
fn submodules(
    git: &Git,
    top: &Path,
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<(), CommandError> {
    let listed = git.at(top).tracked().map_err(refused)?;
    let listed = listed.iter().filter(|(_, listed)| listed.is_repository());
    for (path, _) in listed {
        let directory = top.join(path);
        if depth > 0 && has_repository(&directory) {
            submodules(git, &directory, depth - 1, found)?;
        }
        found.push(directory);
    }
    Ok(())
}

/// Refuses directories in which git could run what strict jobs left.
///
/// # Errors
/// Fails with the names of the files.
pub(super) fn check<'a>(
    directories: impl IntoIterator<Item = &'a Path>,
    environment: &Environment,
) -> Result<(), CommandError> {
    // Git need not be there.
    if !StrictRuns::of(environment).are_there() {
        return Ok(());
    }
    let mut directories = directories.into_iter();
    let checked = Git::find(environment)
        .and_then(|git| directories.try_for_each(|directory| git.at(directory).may_be_asked()));
    checked.map_err(|error| {
        let fix = error.fix();
        let refused = CommandError::usage(error);
        match fix {
            Some(fix) => refused.hint(fix),
            None => refused,
        }
    })
}

/// Refuses a path that kata-ci goes by, if strict jobs wrote that file, or made a link on the way
/// to it: what the pipeline opens to later jobs is not theirs to say.
///
/// # Errors
/// Fails with the name of the file or link.
pub(super) fn follow<'a>(
    paths: impl IntoIterator<Item = &'a Path>,
    environment: &Environment,
) -> Result<(), CommandError> {
    let runs = StrictRuns::of(environment);
    let mut theirs = paths
        .into_iter()
        .filter_map(|path| runs.made_on_the_way(path));
    match theirs.next() {
        None => Ok(()),
        Some(theirs) => Err(CommandError::usage(format!(
            "jobs under `isolate on` wrote {}, so it is not gone by",
            theirs.display()
        ))
        .hint(format!(
            "look at it, and restore it (`git checkout`), or keep it as it is: touch -h {}",
            theirs.display()
        ))),
    }
}

/// Returns a notice about files that strict jobs left in a work tree, because a build of theirs can
/// make a test pass.
pub(super) fn notice(
    plan: &Plan,
    workspace: &Workspace,
    environment: &Environment,
) -> Option<Notice> {
    if plan.strict_jobs().next().is_some() {
        return None;
    }
    let runs = StrictRuns::of(environment);
    let mut tops: Vec<&Path> = (workspace.components.iter())
        .map(|found| top(&found.directory))
        .collect();
    tops.dedup();
    let file = tops.iter().find_map(|top| runs.first_changed(top))?;
    let text = format!(
        "jobs under `isolate on` left {} in this work tree: what uses it may pass because of them, \
         so no stamp is given",
        file.display()
    );
    Some(Notice::warning(text).with_fix(
        "remove what they built (`git clean -fdx`), or check a commit apart: kata-ci run --rev HEAD",
    ))
}

/// Refuses an earlier run that strict jobs could have written themselves: those of the plan, or
/// those of a run since. Reports may still be written there, because only people read those.
///
/// # Errors
/// Fails if the directories are writable by such jobs.
pub(super) fn believe(
    plan: &Plan,
    workspace: &Path,
    directories: &[PathBuf],
    option: &str,
    environment: &Environment,
) -> Result<(), CommandError> {
    let runs = StrictRuns::of(environment);
    let is_theirs = |directory: &&PathBuf| {
        let mut jobs = plan.strict_jobs();
        jobs.any(|job| exec::strict_job_may_write(job, workspace, directory))
            || FILES.iter().any(|name| runs.changed(&directory.join(name)))
    };
    // All of them are in one directory.
    match directories.first().filter(is_theirs) {
        None => Ok(()),
        Some(directory) => Err(CommandError::usage(format!(
            "{option}: jobs under `isolate on` may write to {}: what lies there says nothing of an earlier run",
            directory.display()
        ))
        .hint(format!(
            "name a directory outside of the repositories with --report-dir, or run without {option}"
        ))),
    }
}
