//! `kata-ci run`: arguments → a request.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};

use super::global::GlobalArguments;
use super::settings::{SettingsArguments, positive};
use crate::env::Environment;
use crate::model::{CommandError, ExitCode, Selection};
use crate::run;
use crate::run::{ReportPlaces, RunRequest};

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// Components to run; all of the workspace when none is named, or the one -C lies in.
    #[arg(value_name = "COMPONENT")]
    components: Vec<String>,

    /// kata-v1, kata-monorepo, makefile or a file. Without it: kata-ci.toml upwards from DIR, else what DIR is found to be.
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE")]
    pipeline: Option<String>,

    /// Steps to run, with those they need; all when none is named.
    #[arg(
        short,
        long = "step",
        value_name = "STEP",
        env = "KATACI_STEP",
        value_delimiter = ','
    )]
    steps: Vec<String>,

    #[command(flatten)]
    settings: SettingsArguments,

    /// End the run at the first job that is bad.
    #[arg(long, env = "KATACI_FAIL_FAST", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    fail_fast: bool,

    /// End the run when N jobs are bad.
    #[arg(long, value_name = "N", env = "KATACI_MAX_FAIL", value_parser = positive, conflicts_with = "fail_fast")]
    max_fail: Option<usize>,

    /// Run what was committed in REV, in a clean checkout aside, instead of what lies in the work tree.
    #[arg(long, value_name = "REV", env = "KATACI_REV")]
    rev: Option<String>,

    /// Go on with the last run of the workspace that did not end: what is finished is kept.
    #[arg(long, env = "KATACI_RESUME", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(),
          conflicts_with_all = ["since", "rerun_failed", "dry_run"])]
    resume: bool,

    /// Run only what failed in the last run of the workspace.
    #[arg(long, env = "KATACI_RERUN_FAILED", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    rerun_failed: bool,

    /// Run only components that changed since REV, committed or not, and those that need them.
    #[arg(long, value_name = "REV", env = "KATACI_SINCE")]
    since: Option<String>,

    /// Show what would run, and run nothing.
    #[arg(long, env = "KATACI_DRY_RUN", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    dry_run: bool,

    /// Write the JUnit file here too; a relative path begins where kata-ci was started, not at -C.
    #[arg(long, value_name = "FILE", env = "KATACI_JUNIT")]
    junit: Option<PathBuf>,

    /// Directory of the reports, from where kata-ci was started [default: $XDG_STATE_HOME/kata-ci/runs/ID, with a link
    /// `latest`].
    #[arg(long, value_name = "DIR", env = "KATACI_REPORT_DIR")]
    report_dir: Option<PathBuf>,

    /// How the run is shown.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "KATACI_FORMAT",
        default_value = "auto"
    )]
    format: Format,
}

/// How a run is shown while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// progress on a terminal, plain elsewhere and where a CI system reads along.
    #[value(alias = "human")]
    Auto,
    /// Lines that move, on standard error.
    Progress,
    /// A line for each thing that happens, on standard output.
    Plain,
    /// The events, a JSON object a line, on standard output.
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

/// Carries the command out and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &RunArguments,
) -> Result<ExitCode, CommandError> {
    run::carry_out(&request(global, arguments)).map(|result| result.code)
}

fn request(global: &GlobalArguments, arguments: &RunArguments) -> RunRequest {
    RunRequest {
        directory: global.directory.clone(),
        environment: Environment::current(),
        revision: given(arguments.rev.as_ref()),
        pipeline: given(arguments.pipeline.as_ref()),
        selection: Selection {
            components: arguments.components.clone(),
            steps: arguments.steps.clone(),
        },
        since: given(arguments.since.as_ref()),
        rerun_failed: arguments.rerun_failed,
        resume: arguments.resume,
        dry_run: arguments.dry_run,
        max_fail: match arguments.fail_fast {
            true => Some(1),
            false => arguments.max_fail,
        },
        reports: ReportPlaces {
            directory: arguments.report_dir.clone(),
            junit: arguments.junit.clone(),
        },
        pushed_to: None,
        author: None,
        settings: arguments.settings.settings(global, arguments.format.into()),
    }
}

/// An empty text is none, so that a script need not ask whether there is something to give.
pub(super) fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}
