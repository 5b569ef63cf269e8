//! `kata-ci run --plan FILE --shard I`: one shard of a plan, on a machine that an engine chose.
//!
//! The results of a plan lie in one directory, `shard-I/attempt-K`, which may be shared by all
//! machines. An attempt counts once its `result.json` is there, which is written last. A finished
//! shard does not run again. A try that is worth another ends with 75, and the last one that is
//! allowed with 69, so that an engine that repeats on 75 ends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::carry_out;
use super::request::{PlannedShard, ReportPaths, RunRequest};
use crate::dirs;
use crate::env::Environment;
use crate::model::{CommandError, ExitCode, JobId};
use crate::plan::PlanFile;
use crate::report::{ShardResult, attempt_directories, plural, read_shard_result};
use crate::say;

/// The most bytes of a plan.
const LARGEST: u64 = 256 << 20;

/// The variables of engines that number shards: the name, and the number of the first one.
const NUMBERS: [(&str, usize); 5] = [
    ("SLURM_ARRAY_TASK_ID", 0),
    ("JOB_COMPLETION_INDEX", 0),
    ("CI_NODE_INDEX", 1),
    ("BUILDKITE_PARALLEL_JOB", 0),
    ("CIRCLE_NODE_INDEX", 0),
];

/// The request of a shard, beside that of its run.
#[derive(Debug, Clone)]
pub struct ShardRequest {
    /// The plan file.
    pub plan: PathBuf,
    /// The number of the shard; `None` for that of the engine's variables.
    pub index: Option<usize>,
    /// The number of the attempt; `None` for the next one.
    pub attempt: Option<u32>,
    /// The most attempts.
    pub most_attempts: u32,
}

/// Reads a plan file.
///
/// # Errors
/// Fails for a file that is no plan (usage).
pub(crate) fn read_plan(path: &Path) -> Result<PlanFile, CommandError> {
    let hint = "kata-ci plan --shards N -o FILE makes one";
    let bytes =
        crate::fs::read(path, LARGEST).map_err(|error| CommandError::path(path, &error, hint))?;
    PlanFile::parse(&bytes)
        .map_err(|error| CommandError::usage(format!("{}: {error}", path.display())).hint(hint))
}

/// Runs a shard, and returns the exit code for the engine. The request has no selection.
pub(crate) fn carry_out_shard(
    request: &RunRequest,
    asked: &ShardRequest,
) -> Result<ExitCode, CommandError> {
    let plan = Arc::new(read_plan(&asked.plan)?);
    let index = number(asked.index, &plan, &request.environment)?;
    let shard = &plan.shards[index];
    if shard.jobs.is_empty() {
        say::aside(format_args!(
            "shard {index} of plan {} is empty",
            plan.short_id()
        ));
        return Ok(ExitCode::Success);
    }
    demand_secrets(&plan, &request.environment)?;
    let results = match &request.reports.directory {
        Some(directory) => directory.clone(),
        None => plans_directory(&request.environment)?.join(&plan.plan_id),
    };
    let place = results.join(format!("shard-{index}"));
    let earlier = attempt_directories(&place);
    if let Some((attempt, result)) = finished(&earlier, &plan, index)? {
        say::aside(format_args!(
            "shard {index} of plan {} has ended in attempt {attempt}: see {}",
            plan.short_id(),
            place.display()
        ));
        return Ok(result.exit_code());
    }
    let (attempt, tries) = claim(&place, &earlier, asked, &request.environment)?;
    let is_last = tries >= asked.most_attempts;
    let ids: Vec<JobId> = shard.jobs.iter().map(|job| job.id.clone()).collect();
    let mut run = request.clone();
    run.selection.components = ids.iter().map(JobId::to_string).collect();
    run.reports = ReportPaths {
        directory: Some(place.join(format!("attempt-{attempt}"))),
        junit: request.reports.junit.clone(),
    };
    run.shard = Some(PlannedShard {
        plan: Arc::clone(&plan),
        index,
        attempt,
    });
    say::aside(format_args!(
        "shard {index} of plan {}: {}, attempt {attempt}",
        plan.short_id(),
        plural(ids.len(), "job")
    ));
    match carry_out(&run) {
        Ok(result) if result.code == ExitCode::Error && is_last => {
            say::aside(no_more(index, tries));
            Ok(ExitCode::Unavailable)
        }
        Ok(result) => Ok(result.code),
        Err(mut error) if error.kind == ExitCode::Error && is_last => {
            error.kind = ExitCode::Unavailable;
            Err(error.hint(no_more(index, tries)))
        }
        Err(error) => Err(error),
    }
}

fn no_more(index: usize, tries: u32) -> String {
    format!(
        "shard {index} was tried {}: it is not tried again",
        times(tries)
    )
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

/// Returns the number of the shard: the given one, else the engine's.
fn number(
    given: Option<usize>,
    plan: &PlanFile,
    environment: &Environment,
) -> Result<usize, CommandError> {
    let (index, said) = match given {
        Some(index) => (index, "--shard".to_owned()),
        None => of_engine(environment)?,
    };
    let count = plan.shards.len();
    match index < count {
        true => Ok(index),
        false => Err(CommandError::usage(format!(
            "{said}: there is no shard {index}, the plan has {}",
            plural(count, "shard")
        ))
        .hint("shards are numbered from 0")),
    }
}

fn of_engine(environment: &Environment) -> Result<(usize, String), CommandError> {
    let mut set = NUMBERS.iter().filter_map(|(name, first)| {
        let text = environment.variable(name)?.to_string_lossy().into_owned();
        Some((*name, *first, text))
    });
    let Some((name, first, text)) = set.next() else {
        return Err(CommandError::usage("--plan: which shard is to be run?")
            .hint("name it with --shard I, from 0; engines that number their jobs are asked"));
    };
    let number = text.parse::<usize>().ok();
    let number = number.and_then(|number| number.checked_sub(first));
    let number = number.ok_or_else(|| {
        CommandError::usage(format!("{name}={text} is no number from {first} on"))
            .hint("name the shard with --shard I")
    })?;
    Ok((number, name.to_owned()))
}

fn demand_secrets(plan: &PlanFile, environment: &Environment) -> Result<(), CommandError> {
    let missing: Vec<_> = (plan.secrets.iter())
        .filter(|name| environment.variable(name.as_str()).is_none())
        .map(String::as_str)
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(CommandError::unavailable(format!(
            "the plan's jobs need {}, which this machine's environment does not have",
            missing.join(", ")
        ))
        .hint("a plan holds no secret: set it on each machine, as a secret of the engine")),
    }
}

/// Returns the directory of this user's plans, which hold their results.
pub(crate) fn plans_directory(environment: &Environment) -> Result<PathBuf, CommandError> {
    let state = dirs::state(environment).ok_or_else(|| {
        CommandError::usage("neither XDG_STATE_HOME nor HOME says where reports go")
            .hint("name a place with --report-dir DIR")
    })?;
    Ok(state.join("plans"))
}

/// Returns the latest attempt that leaves nothing to be tried again.
///
/// # Errors
/// Fails if there are results of another plan.
fn finished(
    attempts: &[(u32, PathBuf)],
    plan: &PlanFile,
    index: usize,
) -> Result<Option<(u32, ShardResult)>, CommandError> {
    for (attempt, directory) in attempts.iter().rev() {
        let Ok(Some(result)) = read_shard_result(directory) else {
            continue;
        };
        if result.plan_id.as_deref() != Some(&*plan.plan_id) || result.shard != Some(index) {
            return Err(CommandError::usage(format!(
                "{} has results of another plan",
                directory.display()
            ))
            .hint("name another place with --report-dir DIR"));
        }
        if result.is_final() {
            return Ok(Some((*attempt, result)));
        }
    }
    Ok(None)
}

/// Claims the next attempt, and returns its number and that of all tries so far.
fn claim(
    place: &Path,
    earlier: &[(u32, PathBuf)],
    asked: &ShardRequest,
    environment: &Environment,
) -> Result<(u32, u32), CommandError> {
    let restarts = environment.variable("SLURM_RESTART_COUNT");
    let restarts = restarts.and_then(|count| count.to_str()?.parse::<u32>().ok());
    let of_engine = restarts.map_or(1, |count| count.saturating_add(1));
    let next = earlier.last().map_or(1, |(last, _)| last + 1);
    let mut attempt = asked.attempt.unwrap_or(next.max(of_engine));
    let tries = (earlier.len() as u32 + 1).max(of_engine);
    if tries > asked.most_attempts {
        let said = format!(
            "{} was tried {} without a result",
            place.file_name().unwrap_or_default().display(),
            times(tries - 1)
        );
        return Err(CommandError::unavailable(said)
            .hint(format!("see {}; --attempts N allows more", place.display())));
    }
    let refused = |error: io::Error| {
        CommandError::usage(format!("{} cannot be used: {error}", place.display()))
            .hint("name another place with --report-dir DIR")
    };
    fs::create_dir_all(place).map_err(refused)?;
    loop {
        match fs::create_dir(place.join(format!("attempt-{attempt}"))) {
            Ok(()) => return Ok((attempt, tries)),
            // Another machine was quicker, or the caller named an attempt that is there.
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists && asked.attempt.is_none() =>
            {
                attempt += 1;
            }
            Err(error) => return Err(refused(error)),
        }
    }
}
