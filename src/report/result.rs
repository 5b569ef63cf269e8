//! Writes `result.json`: the run for programs, in one object. Field names are a contract: add,
//! never rename.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use crate::event::{Isolation, JobFinished, LeftBehind, Since};
use crate::model::{Ending, JobOutcome, Tally};
use crate::outcome::{JobResult, Run};

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct ResultFile<'a> {
    version: u32,
    run_id: &'a str,
    /// The version of kata-ci that made the run.
    kata_ci: &'a str,
    exit: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    started: Option<jiff::Timestamp>,
    seconds: f64,
    pipeline: &'a str,
    /// The absolute path.
    workspace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<usize>,
    /// That of the shard; 1 for any other run.
    attempt: u32,
    worker: Option<&'a str>,
    revisions: BTreeMap<&'a str, &'a str>,
    isolation: Option<&'a Isolation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'a Since>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rerun_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<&'a str>,
    jobs: Vec<ResultJob<'a>>,
}

#[derive(Serialize)]
struct ResultJob<'a> {
    id: &'a str,
    component: &'a str,
    step: &'a str,
    outcome: JobOutcome,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<&'a str>,
    attempt: u32,
    /// The attempts that another one followed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier_attempts: Vec<ResultAttempt<'a>>,
    #[serde(flatten)]
    ending: Option<Ending>,
    seconds: f64,
    cpu_seconds: Option<f64>,
    peak_memory: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_memory_of: Option<&'static str>,
    cases: Tally,
    packages_known: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    isolation: Option<&'a Isolation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_behind: Option<&'a LeftBehind>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    network_tried: &'a [String],
    log: Option<&'a str>,
}

#[derive(Serialize)]
struct ResultAttempt<'a> {
    attempt: u32,
    outcome: JobOutcome,
    reason: &'a str,
    #[serde(flatten)]
    ending: Option<Ending>,
    seconds: f64,
    cases: Tally,
    log: Option<&'a str>,
}

/// Returns the whole file, pretty-printed, with a newline at its end. A run without an end (it was
/// killed) gets the exit code that its jobs add up to. A job without an end is an `error`.
pub fn result_json(run: &Run) -> io::Result<Vec<u8>> {
    let started = run.started.as_ref();
    let finished = run.finished.as_ref();
    let shard = started.and_then(|started| started.shard.as_ref());
    let document = ResultFile {
        version: VERSION,
        run_id: started.map_or("", |started| &started.run_id),
        kata_ci: started.map_or("", |started| &started.version),
        exit: finished.map_or_else(|| run.exit_code(None).code(), |finished| finished.exit),
        signal: finished.and_then(|finished| finished.signal),
        started: run.start_time,
        seconds: milliseconds(finished.map_or(0.0, |finished| finished.seconds)),
        pipeline: started.map_or("", |started| &started.pipeline),
        workspace: started.map_or("", |started| &started.workspace),
        plan_id: shard.map(|shard| &*shard.plan_id),
        shard: shard.map(|shard| shard.index),
        attempt: shard.map_or(1, |shard| shard.attempt),
        worker: started.and_then(|started| started.machine.as_deref()),
        revisions: started
            .iter()
            .flat_map(|started| &started.revisions)
            .map(|(component, revision)| (component.as_str(), revision.as_str()))
            .collect(),
        isolation: started.map(|started| &started.isolation),
        since: started.and_then(|started| started.since.as_ref()),
        rerun_of: started.and_then(|started| started.rerun_of.as_deref()),
        case: started.and_then(|started| started.case.as_deref()),
        jobs: run.jobs().map(job).collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn job(job: &JobResult) -> ResultJob<'_> {
    let id = &job.queued.job;
    let finished = job.finished.as_ref();
    ResultJob {
        id: id.as_str(),
        component: id.component(),
        step: id.step(),
        outcome: finished.map_or(JobOutcome::Error, |finished| finished.outcome),
        reason: finished.map_or(super::summary::NO_END, |finished| &finished.reason),
        fix: finished.and_then(|finished| finished.fix.as_deref()),
        allowed: finished.and_then(|finished| finished.allowed.as_deref()),
        attempt: finished.map_or(job.attempt, |finished| finished.attempt),
        earlier_attempts: job.attempts.iter().map(attempt).collect(),
        ending: finished.and_then(|finished| finished.ending),
        seconds: milliseconds(finished.map_or(0.0, |finished| finished.seconds)),
        cpu_seconds: finished.and_then(|finished| finished.cpu_seconds.map(milliseconds)),
        peak_memory: finished.and_then(|finished| finished.peak_memory),
        peak_memory_of: finished
            .filter(|finished| finished.peak_memory.is_some())
            .map(|finished| finished.peak_memory_of.word()),
        cases: job.tally,
        isolation: job.isolation.as_ref(),
        packages_known: finished.is_some_and(|finished| finished.packages_known),
        left_behind: finished
            .map(|finished| &finished.left_behind)
            .filter(|left| !left.is_empty()),
        network_tried: finished.map_or(&[], |finished| &finished.network_tried),
        log: finished.and_then(|finished| finished.log.as_deref()),
    }
}

fn attempt(finished: &JobFinished) -> ResultAttempt<'_> {
    ResultAttempt {
        attempt: finished.attempt,
        outcome: finished.outcome,
        reason: &finished.reason,
        ending: finished.ending,
        seconds: milliseconds(finished.seconds),
        cases: finished.cases,
        log: finished.log.as_deref(),
    }
}

/// Rounds seconds to milliseconds.
fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
