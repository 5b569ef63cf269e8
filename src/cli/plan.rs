//! `kata-ci plan`: the jobs of a run, distributed over shards for several machines.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::global::GlobalArguments;
use super::planning::PlanningArguments;
use crate::engines;
use crate::engines::{EmitOptions, Engine};
use crate::fs;
use crate::model::{CommandError, ExitCode};
use crate::plan::{PlanFile, Shard};
use crate::report;
use crate::run::MadePlan;
use crate::text::for_terminal;

/// The most jobs of a shard that are named to people.
const NAMED: usize = 6;

/// The most bytes of a line.
const LINE_CAP: usize = 4096;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("count").args(["shards", "max_seconds"]).multiple(false))]
pub(super) struct PlanArguments {
    #[command(flatten)]
    planning: PlanningArguments,

    /// Write the plan to this file. Standard output has the format.
    #[arg(short, long, value_name = "FILE", env = "KATACI_OUTPUT")]
    output: Option<PathBuf>,

    /// Format of standard output.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "KATACI_FORMAT",
        default_value = "human"
    )]
    format: PlanFormat,

    /// Most attempts of a shard, for the engines.
    #[arg(long, value_name = "N", env = "KATACI_ATTEMPTS", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    attempts: u32,

    /// Image with kata-ci for the pods of Kubernetes.
    #[arg(
        long,
        value_name = "IMAGE",
        env = "KATACI_IMAGE",
        default_value = "kata-ci:latest"
    )]
    image: String,

    /// Runtime class of the pods.
    #[arg(
        long,
        value_name = "NAME",
        env = "KATACI_RUNTIME_CLASS",
        default_value = "kata"
    )]
    runtime_class: String,

    /// Claim of the volume that all pods share, for the results.
    #[arg(
        long,
        value_name = "NAME",
        env = "KATACI_CLAIM",
        default_value = "kata-ci-results"
    )]
    claim: String,
}

/// The format of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// For people.
    #[value(aliases = ["auto", "progress", "plain"])]
    Human,
    /// The plan file itself.
    Json,
    /// GitHub Actions: a line for $GITHUB_OUTPUT, with the matrix.
    Github,
    /// GitLab CI: a child pipeline.
    Gitlab,
    /// Jenkins: a script for the step load.
    Jenkins,
    /// Slurm: a shell script that submits an array, and the merge behind it.
    Slurm,
    /// Buildbot: the builds to trigger, as JSON.
    Buildbot,
    /// Kubernetes: an Indexed Job with all that it needs.
    Kubernetes,
    /// Zuul: jobs and their dependencies.
    Zuul,
}

impl PlanFormat {
    fn engine(self) -> Option<Engine> {
        match self {
            Self::Human | Self::Json => None,
            Self::Github => Some(Engine::GitHub),
            Self::Gitlab => Some(Engine::GitLab),
            Self::Jenkins => Some(Engine::Jenkins),
            Self::Slurm => Some(Engine::Slurm),
            Self::Buildbot => Some(Engine::Buildbot),
            Self::Kubernetes => Some(Engine::Kubernetes),
            Self::Zuul => Some(Engine::Zuul),
        }
    }
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &PlanArguments,
) -> Result<ExitCode, CommandError> {
    let made = arguments.planning.make(global)?;
    let text = match arguments.format.engine() {
        Some(engine) => {
            engines::emit(engine, &made.file, &options(global, arguments))?.into_bytes()
        }
        None if arguments.format == PlanFormat::Json => made.file.to_bytes(),
        None => human(&made).into_bytes(),
    };
    if let Some(path) = &arguments.output {
        fs::replace(path, 0o644, &made.file.to_bytes()).map_err(|error| {
            CommandError::path(path, &error, "name a file that can be written with -o FILE")
        })?;
    }
    match io::stdout().write_all(&text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::output(error)),
        _ => Ok(ExitCode::Success),
    }
}

fn options(global: &GlobalArguments, arguments: &PlanArguments) -> EmitOptions {
    let workspace = std::path::absolute(&global.directory);
    EmitOptions {
        plan: match &arguments.output {
            Some(path) => path.display().to_string(),
            None => "plan.json".to_owned(),
        },
        workspace: workspace.unwrap_or_else(|_| global.directory.clone()),
        image: arguments.image.clone(),
        runtime_class: arguments.runtime_class.clone(),
        claim: arguments.claim.clone(),
        attempts: arguments.attempts,
    }
}

fn human(made: &MadePlan) -> String {
    let plan = &made.file;
    let jobs: usize = plan.shards.iter().map(|shard| shard.jobs.len()).sum();
    let mut text = format!(
        "plan {} of {}: {} on {}{}\n",
        plan.short_id(),
        plan.name,
        report::plural(jobs, "job"),
        report::plural(plan.shards.len(), "shard"),
        times(made, jobs)
    );
    for shard in &plan.shards {
        let _ = writeln!(text, "{}", line(shard));
    }
    text.lines()
        .map(|line| format!("{}\n", indented(line)))
        .collect()
}

/// Describes how long the shards take, and how good that is.
fn times(made: &MadePlan, jobs: usize) -> String {
    let longest = longest(&made.file);
    match made.unknown {
        _ if jobs == 0 => ", because nothing that is selected changed".to_owned(),
        unknown if unknown == jobs => {
            ", none with a recorded duration: all count the same".to_owned()
        }
        unknown => {
            let unknown = match unknown {
                0 => String::new(),
                unknown => format!("; {unknown} without a recorded duration count as the average"),
            };
            let ratio = longest / made.lower_bound.max(0.001);
            format!(
                ", the longest about {longest:.1} s ({ratio:.2} of the least possible){unknown}"
            )
        }
    }
}

fn longest(plan: &PlanFile) -> f64 {
    let estimates = plan.shards.iter().map(|shard| shard.estimate);
    estimates.fold(0.0, f64::max)
}

fn line(shard: &Shard) -> String {
    let mut jobs: Vec<_> = (shard.jobs.iter().take(NAMED))
        .map(|job| match &job.part {
            Some(part) => format!("{} {}/{}", job.id, part.index + 1, part.of),
            None => job.id.to_string(),
        })
        .collect();
    match shard.jobs.len() {
        0 => jobs.push("nothing".to_owned()),
        count if count > NAMED => jobs.push(format!("and {} more", count - NAMED)),
        _ => {}
    }
    let jobs = jobs.join(", ");
    format!(
        "  shard {:<3} {:>8.1} s  {jobs}",
        shard.index, shard.estimate
    )
}

/// Cleans a line and keeps the blanks at its beginning.
fn indented(line: &str) -> String {
    let text = line.trim_start_matches(' ');
    let blanks = line.len() - text.len();
    format!("{}{}", " ".repeat(blanks), for_terminal(text, LINE_CAP))
}
