//! `--resume`: going on with the last run of the workspace that did not end.
//!
//! What is finished stays finished; all else starts from its beginning, in the same report directory, under the same run
//! id. Refused when something changed that outcomes depend on, so that one report never tells of two states.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::prepare::Prepared;
use super::{fingerprint, rerun_failed};
use crate::cli::arguments::RunArguments;
use crate::event::{Journal, Record, RunStarted, read_start};
use crate::exec::Settings;
use crate::model::JobId;
use crate::model::JobOutcome;
use crate::outcome::Run;
use crate::run::failure::Failure;
use crate::run::report_directory::{Occupied, ReportDirectory};
use crate::run::store;

/// A run that was interrupted, and is held so that nobody else goes on with it.
pub(crate) struct Interrupted {
    /// Its reports.
    pub directory: ReportDirectory,
    /// Its journal, behind its last whole line.
    pub journal: Journal,
    /// What its events add up to.
    pub run: Run,
    /// The number of its next record.
    pub next: u64,
    /// Seconds from its first record to its last.
    pub seconds: f64,
    /// Jobs that are over, and how they ended.
    pub done: BTreeMap<JobId, JobOutcome>,
}

/// Finds the run and takes it over; the plan is narrowed to its jobs.
///
/// # Errors
/// When there is none, it still goes on, or something changed.
pub(crate) fn take_over(
    options: &RunArguments,
    prepared: &mut Prepared,
) -> Result<Interrupted, Failure> {
    let directories = rerun_failed::directories(options, &prepared.environment)?;
    // A place that was named is not passed over because it cannot be read.
    if let (Some(named), [directory]) = (&options.report_dir, directories.as_slice())
        && let Err(error) = read_start(&directory.join("events.jsonl"))
        && named.join("events.jsonl").exists()
    {
        return Err(Failure::Machine(format!("--resume: {error}")));
    }
    let root = prepared.workspace.root.clone();
    let (path, started) = find(&directories, &root).ok_or_else(|| {
        Failure::NothingToDo(format!(
            "--resume: every run of {} has ended\n  = help: run without --resume to begin a new one",
            root.display()
        ))
    })?;
    // Locked before anything of it is believed: it may be going on.
    let directory = ReportDirectory::occupy(&path).map_err(|error| refused(&started, &error))?;
    narrow(&started, prepared)?;
    check(&started, prepared)?;
    let (journal, records) = Journal::resume(&directory.path.join("events.jsonl"))
        .map_err(|error| Failure::Machine(error.to_string()))?;
    Ok(interrupted(directory, journal, &records))
}

fn find(directories: &[PathBuf], root: &Path) -> Option<(PathBuf, RunStarted)> {
    let mut interrupted = directories.iter().filter(|path| !store::has_ended(path));
    interrupted.find_map(|path| {
        let started = store::start(path)?;
        (Path::new(&started.workspace) == root).then(|| (path.clone(), started))
    })
}

fn refused(started: &RunStarted, occupied: &Occupied) -> Failure {
    let id = &started.run_id;
    match occupied {
        Occupied::InUse => Failure::Usage(format!(
            "--resume: run {id} is going on\n  = help: wait for its end, or end it"
        )),
        Occupied::Error(error) => Failure::Machine(format!("--resume: run {id}: {error}")),
    }
}

fn check(started: &RunStarted, prepared: &Prepared) -> Result<(), Failure> {
    let id = &started.run_id;
    let refuse = |why: String| {
        Err(Failure::Usage(format!(
            "--resume: run {id} cannot go on: {why}\n  = help: begin a new one: {}",
            started.again
        )))
    };
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
    let mut now = fingerprint::take(prepared, id);
    // Components that the run had no part of may be what they like.
    now.trees.retain(|name, _| before.trees.contains_key(name));
    match before.differences(&now) {
        differences if differences.is_empty() => Ok(()),
        differences => refuse(format!("these changed: {}", differences.join("; "))),
    }
}

/// The plan is the run's own, in its order; all of it must be there.
fn narrow(started: &RunStarted, prepared: &mut Prepared) -> Result<(), Failure> {
    let jobs = &mut prepared.plan.jobs;
    jobs.retain(|job| started.jobs.contains(&job.id));
    let missing = (started.jobs.iter()).find(|id| !jobs.iter().any(|job| job.id == **id));
    match missing {
        None => Ok(()),
        Some(id) => Err(Failure::Usage(format!(
            "--resume: run {} has the job {id}, which is not selected\n  = help: name no components or steps, or begin a \
             new run: {}",
            started.run_id, started.again
        ))),
    }
}

/// The report says once what holds for all jobs.
///
/// # Errors
/// When the host can keep jobs from other things than it could.
pub(crate) fn check_isolation(run: &Run, settings: &Settings) -> Result<(), Failure> {
    let now = settings.isolated.overall();
    match &run.started {
        Some(started) if started.isolation != now => Err(Failure::Usage(format!(
            "--resume: run {} cannot go on: how far jobs are isolated changed\n  = help: begin a new one: {}",
            started.run_id, started.again
        ))),
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

/// A job that was ended or left out because the run was, is not done. One that was skipped never ran: whether it can, and
/// whether that is an error, is asked again.
fn done(run: &Run) -> BTreeMap<JobId, JobOutcome> {
    use JobOutcome::{Cancelled, NotRun, Skipped};
    let is_over = |outcome: &JobOutcome| !matches!(outcome, Cancelled | NotRun | Skipped);
    run.jobs()
        .filter_map(|job| Some((job.queued.job.clone(), job.outcome().filter(is_over)?)))
        .collect()
}
