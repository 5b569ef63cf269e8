//! `kata-ci run`: arguments become a request.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use super::candidates;
use super::diag;
use super::global::GlobalArguments;
use super::settings::{SettingsArguments, positive};
use crate::env::Environment;
use crate::model::{CasePattern, CommandError, ExitCode, Selection};
use crate::run;
use crate::run::{ReportPaths, RunRequest, ShardRequest};

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// Components to run [default: the one that -C is in, else all of the workspace].
    #[arg(value_name = "COMPONENT", add = ArgValueCompleter::new(candidates::components))]
    components: Vec<String>,

    /// kata-v1, kata-monorepo, makefile or a file [default: kata-ci.toml in or above DIR, else
    /// detected from DIR].
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE", add = ArgValueCompleter::new(candidates::pipelines))]
    pipeline: Option<String>,

    /// Steps to run, with the steps they need [default: all].
    #[arg(
        short,
        long = "step",
        value_name = "STEP",
        add = ArgValueCompleter::new(candidates::steps),
        env = "KATACI_STEP",
        value_delimiter = ','
    )]
    steps: Vec<String>,

    #[command(flatten)]
    settings: SettingsArguments,

    /// End the run at the first failure.
    #[arg(long, env = "KATACI_FAIL_FAST", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    fail_fast: bool,

    /// End the run after N failed jobs.
    #[arg(long, value_name = "N", env = "KATACI_MAX_FAIL", value_parser = positive, conflicts_with = "fail_fast")]
    max_fail: Option<usize>,

    /// Run the commit REV in a clean checkout, instead of the work tree.
    #[arg(long, value_name = "REV", env = "KATACI_REV")]
    rev: Option<String>,

    /// Continue the last run of the workspace that did not end; finished jobs are kept.
    #[arg(long, env = "KATACI_RESUME", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(),
          conflicts_with_all = ["since", "rerun_failed", "dry_run"])]
    resume: bool,

    /// Run only the failures of the last run of the workspace.
    #[arg(long, env = "KATACI_RERUN_FAILED", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    rerun_failed: bool,

    /// Run only the cases that match: a glob over the whole name (`TestUpdate*`), or PACKAGE::NAME.
    #[arg(long, value_name = "PATTERN", env = "KATACI_CASE", value_parser = CasePattern::new,
          conflicts_with_all = ["resume", "rerun_failed"])]
    case: Option<CasePattern>,

    /// Run only the components that changed since REV, committed or not, and those that need them.
    #[arg(long, value_name = "REV", env = "KATACI_SINCE")]
    since: Option<String>,

    /// Repeat the failures with --isolate off --network on, and show which cases differ. The exit
    /// code stays that of the first run. Jobs of --isolate on are left out.
    #[arg(long, env = "KATACI_COMPARE_ISOLATION", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(),
          conflicts_with = "dry_run")]
    compare_isolation: bool,

    /// Show what would run, and run nothing.
    #[arg(long, env = "KATACI_DRY_RUN", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    dry_run: bool,

    /// Run one shard of this plan, at the commits of the plan, in a clean checkout. The reports of
    /// each attempt go to shard-I/attempt-K below --report-dir. A shard that has ended does not
    /// run again.
    #[arg(long, value_name = "FILE", env = "KATACI_PLAN",
          conflicts_with_all = ["components", "pipeline", "steps", "since", "rerun_failed", "case", "rev", "resume", "dry_run", "compare_isolation"])]
    plan: Option<PathBuf>,

    /// With --plan: the shard, from 0 [default: that of the variables of Slurm, GitLab, Kubernetes,
    /// Buildkite or CircleCI]. Without: I/N, one of N parts of the selected jobs.
    #[arg(long, value_name = "I|I/N", env = "KATACI_SHARD", value_parser = shard)]
    shard: Option<(usize, Option<usize>)>,

    /// Number of this attempt of the shard [default: the next one].
    #[arg(long, value_name = "N", env = "KATACI_ATTEMPT", value_parser = clap::value_parser!(u32).range(1..), requires = "plan")]
    attempt: Option<u32>,

    /// Most attempts of a shard. The last one ends with 69 instead of 75.
    #[arg(long, value_name = "N", env = "KATACI_ATTEMPTS", value_parser = clap::value_parser!(u32).range(1..), default_value = "3")]
    attempts: u32,

    /// Also write the JUnit file here; a relative path starts at the current directory, not at -C.
    #[arg(long, value_name = "FILE", env = "KATACI_JUNIT")]
    junit: Option<PathBuf>,

    /// Directory for the reports, relative to the current directory [default:
    /// $XDG_STATE_HOME/kata-ci/runs/ID, with a link `latest`].
    #[arg(long, value_name = "DIR", env = "KATACI_REPORT_DIR")]
    report_dir: Option<PathBuf>,

    /// Collect a diagnosis of this host, since the run began, beside its reports.
    #[arg(
        long,
        value_name = "WHEN",
        env = "KATACI_DIAG",
        default_value = "never"
    )]
    diag: Diag,

    /// Print nothing but the summary of a run that did not pass.
    #[arg(short, long, env = "KATACI_QUIET", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(),
          conflicts_with = "format")]
    quiet: bool,

    /// Format of the output during the run.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "KATACI_FORMAT",
        default_value = "auto"
    )]
    format: Format,
}

/// The runs after which the host is diagnosed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Diag {
    /// None.
    Never,
    /// The runs that failed or had an error.
    OnFailure,
}

/// The format of the output during a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// progress on a terminal, plain elsewhere and on CI systems.
    #[value(alias = "human")]
    Auto,
    /// A live display, on standard error.
    Progress,
    /// A line for each event, on standard output.
    Plain,
    /// The events as JSON, an object a line, on standard output.
    Json,
}

impl From<Format> for run::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Auto => Self::Auto,
            Format::Progress => Self::Progress,
            Format::Plain => Self::Plain,
            Format::Json => Self::Json,
        }
    }
}

impl RunArguments {
    fn shown_as(&self) -> run::Format {
        match self.quiet {
            true => run::Format::Quiet,
            false => self.format.into(),
        }
    }
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &RunArguments,
) -> Result<ExitCode, CommandError> {
    let since = crate::clock::now();
    let request = request(global, arguments)?;
    if let Some(plan) = &arguments.plan {
        return run::carry_out_shard(
            &request,
            &ShardRequest {
                plan: plan.clone(),
                index: arguments.shard.map(|(index, _)| index),
                attempt: arguments.attempt,
                most_attempts: arguments.attempts,
            },
        );
    }
    let result = run::carry_out(&request)?;
    let has_failed = matches!(
        result.code,
        ExitCode::Failed | ExitCode::Error | ExitCode::Unavailable
    );
    if let (Diag::OnFailure, true, Some(reports)) = (arguments.diag, has_failed, &result.directory)
    {
        diag::of_run(reports, since);
    }
    Ok(result.code)
}

fn request(global: &GlobalArguments, arguments: &RunArguments) -> Result<RunRequest, CommandError> {
    Ok(RunRequest {
        directory: global.directory.clone(),
        environment: Environment::current(),
        revision: given(arguments.rev.as_ref()),
        pipeline: given(arguments.pipeline.as_ref()),
        selection: Selection {
            components: arguments.components.clone(),
            steps: arguments.steps.clone(),
            ..Selection::default()
        },
        since: given(arguments.since.as_ref()),
        rerun_failed: arguments.rerun_failed,
        case: arguments.case.clone(),
        resume: arguments.resume,
        compare_isolation: arguments.compare_isolation,
        dry_run: arguments.dry_run,
        max_fail: match arguments.fail_fast {
            true => Some(1),
            false => arguments.max_fail,
        },
        reports: ReportPaths {
            directory: arguments.report_dir.clone(),
            junit: arguments.junit.clone(),
        },
        pushed_to: None,
        author: None,
        reviewed: None,
        shard: None,
        slice: slice(arguments)?,
        settings: arguments.settings.settings(global, arguments.shown_as()),
    })
}

/// Returns the part of the jobs that `--shard I/N` asks for.
fn slice(arguments: &RunArguments) -> Result<Option<(usize, usize)>, CommandError> {
    match (&arguments.plan, arguments.shard) {
        (None, Some((index, Some(count)))) => Ok(Some((index, count))),
        (None, Some((_, None))) => Err(CommandError::usage("--shard I: of which plan?")
            .hint("name it with --plan FILE, or write I/N for one of N parts")),
        (Some(_), Some((_, Some(_)))) => Err(CommandError::usage(
            "--shard I/N: the plan says how many shards there are",
        )
        .hint("write --shard I")),
        _ => Ok(None),
    }
}

/// Reads `I`, or `I/N`; shards are numbered from 0.
fn shard(text: &str) -> Result<(usize, Option<usize>), String> {
    let wrong = || format!("`{text}` is neither a number from 0 nor of the form I/N");
    match text.split_once('/') {
        None => Ok((text.parse().map_err(|_| wrong())?, None)),
        Some((index, count)) => {
            let (index, count) = (index.parse(), count.parse());
            match (index, count) {
                (Ok(index), Ok(count)) if index < count => Ok((index, Some(count))),
                (Ok(index), Ok(count)) => Err(format!(
                    "there is no shard {index} of {count}: they are numbered from 0"
                )),
                _ => Err(wrong()),
            }
        }
    }
}

/// Treats an empty text as absent, so that a script can always pass the option.
pub(super) fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}
