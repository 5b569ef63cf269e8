//! `kata-ci submit`: a plan on an engine, followed to its end.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};

use super::global::GlobalArguments;
use super::planning::PlanningArguments;
use super::report::summarise;
use crate::engines::submit;
use crate::engines::submit::Submission;
use crate::env::Environment;
use crate::model::{CommandError, ExitCode};
use crate::plan::PlanFile;
use crate::report;
use crate::report::{Dialect, MergedPlan};
use crate::run::{plans_directory, read_plan};
use crate::say;

/// The number of looks at results that are not there yet: a shared directory lags.
const LOOKS: usize = 6;

/// The name of the last submission in the directory of all.
const LATEST: &str = "latest";

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("planned").args(["plan", "shards", "max_seconds", "resume"]))]
pub(super) struct SubmitArguments {
    #[command(flatten)]
    planning: PlanningArguments,

    /// Engine to submit to.
    #[arg(long, env = "KATACI_ENGINE")]
    engine: SubmitEngine,

    /// Plan to submit.
    #[arg(long, value_name = "FILE", env = "KATACI_PLAN")]
    plan: Option<PathBuf>,

    /// Follow a submission whose terminal was lost: the last one, or that of --report-dir.
    #[arg(long, env = "KATACI_RESUME", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    resume: bool,

    /// Directory for plan and results, which all machines share [default:
    /// $XDG_STATE_HOME/kata-ci/plans/ID, with a link `latest`].
    #[arg(long, value_name = "DIR", env = "KATACI_REPORT_DIR")]
    report_dir: Option<PathBuf>,

    /// Most attempts of a shard.
    #[arg(long, value_name = "N", env = "KATACI_ATTEMPTS", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    attempts: u32,
}

/// An engine that kata-ci submits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SubmitEngine {
    /// Slurm: a job array, and a job behind it that merges.
    Slurm,
}

/// Calls the command and returns the exit code: that of one run of all jobs.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &SubmitArguments,
) -> Result<ExitCode, CommandError> {
    let SubmitEngine::Slurm = arguments.engine;
    let environment = Environment::current();
    let named = arguments.report_dir.as_deref().map(absolute).transpose()?;
    let (plan, place) = match (arguments.resume, &arguments.plan) {
        (true, _) => {
            let place = match named {
                Some(named) => named,
                None => latest(&environment)?,
            };
            (read_plan(&submit::plan_path(&place))?, place)
        }
        (false, given) => {
            let plan = match given {
                Some(path) => read_plan(path)?,
                None => arguments.planning.make(global)?.file,
            };
            let place = match named {
                Some(named) => named,
                None => new_place(&plan, &environment)?,
            };
            (plan, place)
        }
    };
    let workspace = absolute(&global.directory)?;
    say::aside(format_args!(
        "plan {} in {}; `kata-ci submit --engine slurm --resume --report-dir {}` follows it again",
        plan.short_id(),
        place.display(),
        place.display()
    ));
    let submission = Submission {
        plan: &plan,
        place: &place,
        workspace: &workspace,
        attempts: arguments.attempts,
        environment: &environment,
    };
    let signal = submit::submit(&submission, arguments.resume)?;
    let merged = merged(&plan, &place, signal.is_some())?;
    report::write_aside(&place.join("junit.xml"), |out| {
        report::write_document(&merged.document, Dialect::Full, out)
    })
    .map_err(CommandError::machine)?;
    summarise(&merged, global);
    Ok(match signal {
        Some(signal) => ExitCode::Signal(signal),
        None => merged.code,
    })
}

fn absolute(path: &Path) -> Result<PathBuf, CommandError> {
    let hint = "name a directory that is there";
    std::path::absolute(path).map_err(|error| CommandError::path(path, &error, hint))
}

/// Returns the directory of the last submission.
fn latest(environment: &Environment) -> Result<PathBuf, CommandError> {
    let link = plans_directory(environment)?.join(LATEST);
    link.canonicalize().map_err(|error| {
        CommandError::path(
            &link,
            &error,
            "name the directory of the submission with --report-dir",
        )
    })
}

/// Makes the directory of a submission in that of all, and has the link lead there.
fn new_place(plan: &PlanFile, environment: &Environment) -> Result<PathBuf, CommandError> {
    let plans = plans_directory(environment)?;
    let place = plans.join(&plan.plan_id);
    let link = || {
        std::fs::create_dir_all(&place)?;
        let aside = plans.join(format!(".{LATEST}-{}", plan.plan_id));
        let _ = std::fs::remove_file(&aside);
        std::os::unix::fs::symlink(&plan.plan_id, &aside)?;
        std::fs::rename(&aside, plans.join(LATEST))
    };
    link().map_err(|error| {
        CommandError::path(&place, &error, "name another place with --report-dir DIR")
    })?;
    Ok(place)
}

/// Merges the results. What is not there is looked for again for a moment, unless all was
/// cancelled.
fn merged(plan: &PlanFile, place: &Path, is_cancelled: bool) -> Result<MergedPlan, CommandError> {
    let results = [submit::results(place)];
    let merge = || report::merge_plan(plan, &results).map_err(CommandError::machine);
    let mut merged = merge()?;
    for _ in 0..LOOKS {
        if merged.lost.is_empty() || is_cancelled {
            break;
        }
        thread::sleep(Duration::from_millis(500));
        merged = merge()?;
    }
    Ok(merged)
}
