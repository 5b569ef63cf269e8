//! `--resume`: continues the last run of the workspace that did not end.
//!
//! Finished jobs stay finished; all others start again, in the same report directory and under the
//! same run id. It is refused if anything changed that outcomes depend on, so that a report never
//! mixes two states.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::planned::Planned;
use super::{durations, fingerprint, strict};
use crate::env::Environment;
use crate::event::{Journal, Record, RunStarted, read_start};
use crate::exec::RunOptions;
use crate::model::{CommandError, JobId, JobOutcome};
use crate::outcome::Run;
use crate::plan::Plan;
use crate::run::report_directory::{Occupied, ReportDirectory};
use crate::run::store;

/// An interrupted run, locked so that nobody else continues it.
pub(crate) struct Interrupted {
    /// The directory of its reports.
    pub directory: ReportDirectory,
    /// Its journal, at the end of the last complete line.
    pub journal: Journal,
    /// The fold of its events.
    pub run: Run,
    /// Sequence number of its next record.
    pub next: u64,
    /// Seconds from its first record to its last.
    pub seconds: f64,
    /// Outcomes of the finished jobs.
    pub done: BTreeMap<JobId, JobOutcome>,
}

/// Finds and locks the run, and narrows the plan to its jobs. It looks in the named directory, else
/// in the store.
///
/// # Errors
/// Fails if there is no such run, if it still goes on, or if anything changed.
pub(super) fn take_over(
    mut planned: Planned,
    named: Option<&Path>,
    environment: &Environment,
) -> Result<(Planned, Interrupted), CommandError> {
    let directories = store::candidates(named, environment)?;
    let (plan, root) = (&planned.plan, &planned.workspace.root);
    strict::believe(plan, root, &directories, "--resume", environment)?;
    // A directory that the user named is not ignored if it cannot be read.
    if let Some(journal) = named.map(|named| named.join("events.jsonl"))
        && let Err(error) = read_start(&journal)
        && journal.exists()
    {
        return Err(CommandError::machine(format!("--resume: {error}")));
    }
    let root = &planned.workspace.root;
    let (path, started) = find(&directories, root).ok_or_else(|| {
        let said = format!("--resume: every run of {} has ended", root.display());
        CommandError::nothing_to_do(said).hint("run without --resume to begin a new one")
    })?;
    // The lock comes before anything is believed, because the run may still go on.
    let directory = ReportDirectory::occupy(&path).map_err(|error| refused(&started, &error))?;
    planned.plan = narrowed(&started, planned.plan)?;
    check(&started, &planned, environment)?;
    let (journal, records) =
        Journal::resume(&directory.path.join("events.jsonl")).map_err(CommandError::machine)?;
    Ok((planned, interrupted(directory, journal, &records)))
}

/// Finds the newest run that did not end. The very last run also counts if a signal ended it, or if
/// a job of it ended with an `error`.
fn find(directories: &[PathBuf], root: &Path) -> Option<(PathBuf, RunStarted)> {
    let mut of_workspace = directories.iter().filter_map(|path| {
        let started = store::start(path)?;
        (Path::new(&started.workspace) == root).then(|| (path.clone(), started))
    });
    let is_open = |path: &Path| !store::has_ended(path);
    let last = of_workspace.next()?;
    match is_open(&last.0) || durations::can_go_on(&last.0) {
        true => Some(last),
        false => of_workspace.find(|(path, _)| is_open(path)),
    }
}

fn refused(started: &RunStarted, occupied: &Occupied) -> CommandError {
    let id = &started.run_id;
    match occupied {
        Occupied::InUse => CommandError::usage(format!("--resume: run {id} is going on"))
            .hint("wait for its end, or end it"),
        Occupied::Error(error) => CommandError::machine(format!("--resume: run {id}: {error}")),
    }
}

fn check(
    started: &RunStarted,
    planned: &Planned,
    environment: &Environment,
) -> Result<(), CommandError> {
    let refuse = |why: String| Err(cannot_go_on(started, &why));
    if let Some(other) = &started.rerun_of {
        return refuse(format!("it ran the failed tests of run {other} only"));
    }
    let Some(before) = &started.fingerprint else {
        return refuse("it does not say what it ran on".to_owned());
    };
    let unknown = (started.components.iter()).find(|name| !before.trees.contains_key(*name));
    if let Some(component) = unknown {
        return refuse(format!(
            "{component} is in no git repository, so whether it changed cannot be told"
        ));
    }
    let mut now = fingerprint::take(planned, environment, &started.run_id);
    // Components outside of the run may have changed.
    now.trees.retain(|name, _| before.trees.contains_key(name));
    match before.differences(&now) {
        differences if differences.is_empty() => Ok(()),
        differences => refuse(format!("these changed: {}", differences.join("; "))),
    }
}

/// Narrows the plan to the jobs of the run, in its order. Fails if one is missing.
fn narrowed(started: &RunStarted, mut plan: Plan) -> Result<Plan, CommandError> {
    let jobs = &mut plan.jobs;
    jobs.retain(|job| started.jobs.contains(&job.id));
    let missing = (started.jobs.iter()).find(|id| !jobs.iter().any(|job| job.id == **id));
    match missing {
        None => Ok(plan),
        Some(id) => Err(CommandError::usage(format!(
            "--resume: run {} has the job {id}, which is not selected",
            started.run_id
        ))
        .hint(format!(
            "name no components or steps, or begin a new run: {}",
            started.again
        ))),
    }
}

fn cannot_go_on(started: &RunStarted, why: &str) -> CommandError {
    let said = format!("--resume: run {} cannot go on: {why}", started.run_id);
    CommandError::usage(said).hint(format!("begin a new one: {}", started.again))
}

/// Checks that the isolation is that of the interrupted run, because the report states it once for
/// all jobs.
///
/// # Errors
/// Fails if the host enforces something else than it did.
pub(crate) fn check_isolation(run: &Run, options: &RunOptions) -> Result<(), CommandError> {
    let now = options.isolated.overall();
    match &run.started {
        Some(started) if started.isolation != now => {
            Err(cannot_go_on(started, "how far jobs are isolated changed"))
        }
        _ => Ok(()),
    }
}

fn interrupted(directory: ReportDirectory, journal: Journal, records: &[Record]) -> Interrupted {
    let mut run = Run::default();
    records.iter().for_each(|record| run.apply(record));
    let seconds = match (records.first(), records.last()) {
        (Some(first), Some(last)) => last.time.duration_since(first.time).as_secs_f64(),
        _ => 0.0,
    };
    Interrupted {
        directory,
        journal,
        next: records.last().map_or(0, |record| record.seq + 1),
        seconds: seconds.max(0.0),
        done: done(&run),
        run,
    }
}

/// Returns the finished jobs. A job that was cancelled or not run because the run ended is not
/// finished, and neither is one with an `error`. A skipped job is decided again, since its
/// requirement may be met by now.
fn done(run: &Run) -> BTreeMap<JobId, JobOutcome> {
    use JobOutcome::{Cancelled, Error, NotRun, Skipped};
    let is_over = |outcome: &JobOutcome| !matches!(outcome, Cancelled | Error | NotRun | Skipped);
    run.jobs()
        .filter_map(|job| Some((job.queued.job.clone(), job.outcome().filter(is_over)?)))
        .collect()
}
