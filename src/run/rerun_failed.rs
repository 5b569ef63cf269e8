//! `--rerun-failed`: narrows a plan by the result of an earlier run.

use std::path::{Path, PathBuf};

use crate::event::{Notice, RunStarted, read_journal};
use crate::model::{CommandError, JobId, JobOutcome};
use crate::outcome::{JobResult, Run};
use crate::plan::{Job, Plan, rerun};
use crate::run::report_directory::{Occupied, lock};
use crate::run::store::start;

/// Narrows a plan to the failures of the last run of the workspace, and returns the id of that run.
pub(super) fn failed(
    mut plan: Plan,
    workspace: &Path,
    directories: &[PathBuf],
) -> Result<(Plan, String, Notice), CommandError> {
    // A run without jobs (`--since` with nothing affected) has no failures to tell.
    let is_ours = |started: &RunStarted| {
        Path::new(&started.workspace) == workspace && !started.jobs.is_empty()
    };
    let found = directories.iter().find_map(|directory| {
        let started = start(directory).filter(is_ours)?;
        Some((directory, started.run_id))
    });
    let (directory, id) = found.ok_or_else(|| {
        CommandError::usage(format!(
            "--rerun-failed: there is no earlier run of {}",
            workspace.display()
        ))
        .hint("run without it first")
    })?;
    if matches!(lock(directory), Err(Occupied::InUse)) {
        let said = format!("--rerun-failed: run {id}, the last one, is going on");
        return Err(CommandError::usage(said).hint("wait for its end, or end it"));
    }
    let last = fold(directory)?;
    let left = not_selected(&last, &plan);
    let again = keep(&mut plan, &last);
    if plan.jobs.is_empty() {
        return Err(CommandError::nothing_to_do(format!(
            "--rerun-failed: nothing of what is selected failed in run {id}"
        )));
    }
    let mut text = format!("runs again what failed in run {id}: {}", again.join(", "));
    if !left.is_empty() {
        text.push_str(&format!("; not selected: {}", left.join(", ")));
    }
    Ok((plan, id, Notice::fact(text)))
}

/// Keeps what failed in a run, and returns it in words.
pub(super) fn keep(plan: &mut Plan, last: &Run) -> Vec<String> {
    let mut again = Vec::new();
    plan.jobs.retain_mut(|job| {
        let result = last.jobs.get(&job.id).filter(|result| has_failed(result));
        result.is_some_and(|result| {
            narrow(job, result);
            again.push(match &job.only {
                Some(only) => format!("{} ({only})", job.id),
                None => job.id.to_string(),
            });
            true
        })
    });
    again
}

/// Returns the failures that the plan does not have.
fn not_selected(last: &Run, plan: &Plan) -> Vec<String> {
    let is_planned = |id: &JobId| plan.jobs.iter().any(|job| job.id == *id);
    let failed = last.jobs().filter(|result| has_failed(result));
    failed
        .map(|result| &result.queued.job)
        .filter(|id| !is_planned(id))
        .map(JobId::to_string)
        .collect()
}

fn fold(directory: &Path) -> Result<Run, CommandError> {
    let records = read_journal(&directory.join("events.jsonl")).map_err(CommandError::machine)?;
    let mut run = Run::default();
    records.iter().for_each(|record| run.apply(record));
    Ok(run)
}

/// Returns true if the job has a failure to repeat. A skipped job has none.
fn has_failed(result: &JobResult) -> bool {
    match result.outcome() {
        Some(JobOutcome::Passed | JobOutcome::Skipped) => false,
        Some(JobOutcome::Vacuous) => {
            let allowed = result.finished.as_ref();
            allowed.is_some_and(|finished| finished.allowed.is_none())
        }
        Some(_) | None => true,
    }
}

/// Narrows a job to its failed tests. Only the outcome `failed` names them: after any other, some
/// tests never ran. A job that left something behind does not tell which test did it.
fn narrow(job: &mut Job, result: &JobResult) {
    let Some(finished) = &result.finished else {
        return;
    };
    let is_left_behind = job.left_behind_fails && !finished.left_behind.is_empty();
    if finished.outcome == JobOutcome::Failed && !is_left_behind {
        *job = rerun(job, &result.cases);
    }
    if job.only.is_some() {
        job.reach = finished.reach.clone();
    }
}
