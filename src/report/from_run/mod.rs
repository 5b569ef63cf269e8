//! Converts a run of kata-ci into the common form: a suite for each job, named `COMPONENT.STEP`.
//!
//! Invariants: no job is without a case, and no outcome without a case that carries it
//! ([`job_case`]). Stored output is bounded for a case, a suite and a document ([`output`]).
//!
//! The document is made from the fold and the logs alone. So one made later from the journal equals
//! the one made when the run ended.

mod case;
mod findings;
mod job_case;
mod output;

use std::path::Path;

use super::format::pipeline;
use super::model::{Document, Suite, Text, properties};
use crate::event::{Enforcement, LeftBehind, RunStarted};
use crate::fs::Directory;
use crate::model::Ending;
use crate::model::JobId;
use crate::outcome::{JobResult, Run};
use crate::text;
use output::OutputBudget;

/// The most bytes of a single line.
const LINE_CAP: usize = 1024;

/// The most files left behind that are named.
const LEFT_FILES: usize = 10;

/// Returns the run's results. The logs lie in the report directory `directory`; bad cases carry
/// excerpts of them.
pub fn from_run(run: &Run, directory: &Directory) -> Document {
    let mut stored = OutputBudget::new(directory);
    let started = run.started.as_ref();
    Document {
        title: started.map_or_else(String::new, |started| line(pipeline(started))),
        facts: started.map_or_else(Vec::new, |started| facts_of_run(run, started)),
        notices: started.map_or_else(Vec::new, |started| started.notices.clone()),
        seconds: run.finished.as_ref().map(|finished| finished.seconds),
        suites: run.jobs().map(|job| suite(run, job, &mut stored)).collect(),
    }
}

fn line(text: &str) -> String {
    text::one_line(text, LINE_CAP)
}

/// Describes the reach of an isolation for people, because "off" could be read as "network off".
fn reach(enforcement: &Enforcement) -> String {
    match enforcement {
        Enforcement::Off => "not isolated".to_owned(),
        other => line(&other.to_string()),
    }
}

fn facts_of_run(run: &Run, started: &RunStarted) -> Vec<(&'static str, String)> {
    let time = run
        .start_time
        .map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let exit = run
        .finished
        .as_ref()
        .map_or_else(|| run.exit_code(None).code(), |finished| finished.exit);
    let [network, processes, files] = properties::ISOLATION;
    [
        Some(("run", line(&started.run_id))),
        time.map(|time| ("started", time)),
        started
            .machine
            .as_ref()
            .map(|machine| ("machine", line(machine))),
        Some(("workspace", line(&started.workspace))),
        Some(("at a time", started.parallel.to_string())),
        Some((network, reach(&started.isolation.network))),
        Some((processes, reach(&started.isolation.processes))),
        Some((files, reach(&started.isolation.files))),
        Some(("exit code", exit.to_string())),
        Some(("again", line(&started.again))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn suite(run: &Run, job: &JobResult, stored: &mut OutputBudget<'_>) -> Suite {
    let id = job.queued.job.as_str();
    let mut log = stored.of_job(job);
    let mut class = case::ClassCache::default();
    let earlier = case::EarlierEnds::of(job.cases.earlier());
    let mut cases: Vec<_> = job
        .cases
        .iter()
        .map(|one| {
            case::of(
                id,
                one,
                &earlier,
                run.started.as_ref(),
                &mut class,
                &mut log,
            )
        })
        .collect();
    cases.extend(job_case::of(job, &mut log));
    let machine = run
        .started
        .as_ref()
        .and_then(|started| started.machine.as_deref());
    let moment = job.started.or(run.start_time);
    Suite {
        name: line(id).into(),
        timestamp: moment.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S").to_string().into()),
        hostname: Some(line(machine.unwrap_or("unknown")).into()),
        seconds: Some(
            job.finished
                .as_ref()
                .map_or(0.0, |finished| finished.seconds),
        ),
        attributes: Vec::new(),
        properties: properties(run, job),
        cases,
        out: Text::Empty,
        err: Text::Empty,
    }
}

fn properties(run: &Run, job: &JobResult) -> Vec<(Box<str>, Box<str>)> {
    let mut all = vec![(properties::COMMAND, job.queued.command.clone())];
    if let Some(started) = &run.started {
        all.extend(run_properties(started, job));
    }
    all.extend(end_properties(job));
    if let Some(time) = job.started {
        let time = time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        all.extend([
            (properties::LANE, job.slot.to_string()),
            (properties::STARTED, time),
        ]);
    }
    all.extend(again(run, job).map(|again| (properties::AGAIN, again)));
    all.extend(directory(run, job).map(|place| (properties::DIRECTORY, place)));
    all.into_iter()
        .map(|(name, value)| (name.into(), line(&value).into()))
        .collect()
}

fn run_properties(started: &RunStarted, job: &JobResult) -> Vec<(&'static str, String)> {
    let revision = started.revisions.get(job.queued.job.component());
    let isolation = job.isolation.as_ref().unwrap_or(&started.isolation);
    let mode = Some(isolation.mode.clone()).filter(|mode| !mode.is_empty());
    revision
        .map(|revision| (properties::REVISION, revision.clone()))
        .into_iter()
        .chain([
            ("isolation.network", isolation.network.to_string()),
            ("isolation.processes", isolation.processes.to_string()),
            ("isolation.files", isolation.files.to_string()),
        ])
        .chain(mode.map(|mode| ("isolation.mode", mode)))
        .chain(isolation.limits.iter().filter_map(limit_property))
        .chain([
            (properties::RUN, started.run_id.clone()),
            (properties::VERSION, started.version.clone()),
        ])
        .chain(started.shard.iter().flat_map(|shard| {
            [
                (properties::PLAN, shard.plan_id.clone()),
                ("shard", shard.index.to_string()),
                ("shard_attempt", shard.attempt.to_string()),
            ]
        }))
        .collect()
}

fn limit_property((what, reach): (&String, &Enforcement)) -> Option<(&'static str, String)> {
    let name = match what.as_str() {
        "memory" => "limits.memory",
        "processes" => "limits.processes",
        "file_size" => "limits.file_size",
        _ => return None,
    };
    Some((name, reach.to_string()))
}

fn end_properties(job: &JobResult) -> Vec<(&'static str, String)> {
    let Some(finished) = &job.finished else {
        return vec![
            (properties::OUTCOME, "error".to_owned()),
            (properties::REASON, super::summary::NO_END.to_owned()),
        ];
    };
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let ending = finished.ending.map(|ending| match ending {
        Ending::ExitCode(code) => ("exit_code", code.to_string()),
        Ending::Signal(signal) => ("signal", signal.to_string()),
    });
    let cpu = finished.cpu_seconds.map(super::format::seconds);
    let peak = finished.peak_memory.map(|peak| peak.to_string());
    [
        Some((properties::OUTCOME, finished.outcome.word().to_owned())),
        filled(finished.reason.clone()).map(|reason| (properties::REASON, reason)),
        finished.fix.clone().map(|fix| (properties::FIX, fix)),
        finished
            .allowed
            .clone()
            .map(|why| (properties::ALLOWED, why)),
        Some((properties::ATTEMPT, finished.attempt.to_string())),
        ending,
        cpu.map(|cpu| ("cpu_seconds", cpu)),
        peak.map(|peak| ("peak_memory", peak)),
        (finished.peak_memory)
            .map(|_| ("peak_memory_of", finished.peak_memory_of.word().to_owned())),
        filled(finished.network_tried.join(", ")).map(|tried| ("network_tried", tried)),
        finished.log.clone().map(|log| (properties::LOG, log)),
    ]
    .into_iter()
    .flatten()
    .chain(left_properties(&finished.left_behind))
    .collect()
}

/// Returns the properties of [`properties::LEFT_BEHIND`].
fn left_properties(left: &LeftBehind) -> Vec<(&'static str, String)> {
    let shared_with: Vec<_> = left.shared_with.iter().map(JobId::as_str).collect();
    let [processes, mounts, sockets, set_id] =
        left.describe_others(usize::MAX).map(|(_, names)| names);
    let values = [
        left.describe_files(LEFT_FILES),
        shared_with.join(", "),
        processes,
        mounts,
        sockets,
        set_id,
        left.unknown.join("; "),
    ];
    (properties::LEFT_BEHIND.iter().zip(values))
        .filter(|(_, value)| !value.is_empty())
        .map(|((name, _), value)| (*name, value))
        .collect()
}

/// Returns the directory that the job ran in, if it is below the workspace.
fn directory(run: &Run, job: &JobResult) -> Option<String> {
    let workspace = &run.started.as_ref()?.workspace;
    let below = Path::new(&job.queued.directory).strip_prefix(workspace);
    below.ok().map(|place| place.display().to_string())
}

/// Returns the command that runs just this job again.
fn again(run: &Run, job: &JobResult) -> Option<String> {
    super::format::again_job(run.started.as_ref()?, &job.queued.job)
}
