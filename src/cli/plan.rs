//! `kata-ci plan`: the jobs of a run, distributed over shards for several machines.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use super::candidates;
use super::global::GlobalArguments;
use super::run::given;
use super::settings::positive;
use crate::env::Environment;
use crate::fs;
use crate::model::{CommandError, ExitCode, Selection};
use crate::plan::{PlanFile, Shard, ShardCount};
use crate::report;
use crate::run::{
    DurationSource, MadePlan, PatchSetName, PlanRequest, RunRequest, RunSettings, make_plan,
};
use crate::say;
use crate::text::for_terminal;

/// The most jobs of a shard that are named to people.
const NAMED: usize = 6;

/// The most bytes of a line.
const LINE_CAP: usize = 4096;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("count").required(true).args(["shards", "max_seconds"]))]
pub(super) struct PlanArguments {
    /// Components to plan [default: as with run].
    #[arg(value_name = "COMPONENT", add = ArgValueCompleter::new(candidates::components))]
    components: Vec<String>,

    /// kata-v1, kata-monorepo, makefile or a file [default: as with run].
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE", add = ArgValueCompleter::new(candidates::pipelines))]
    pipeline: Option<String>,

    /// Steps to plan, with the steps they need [default: all].
    #[arg(short, long = "step", value_name = "STEP", env = "KATACI_STEP", value_delimiter = ',',
          add = ArgValueCompleter::new(candidates::steps))]
    steps: Vec<String>,

    /// Plan only the components that changed since REV, and those that need them.
    #[arg(long, value_name = "REV", env = "KATACI_SINCE")]
    since: Option<String>,

    /// Plan the commit REV [default: the commit of the work tree, which must not differ from it].
    #[arg(long, value_name = "REV", env = "KATACI_REV")]
    rev: Option<String>,

    /// Number of shards. Those without a job are the last.
    #[arg(long, value_name = "N", env = "KATACI_SHARDS", value_parser = positive)]
    shards: Option<usize>,

    /// As few shards as take at most S seconds each, as far as their longest job allows.
    #[arg(long, value_name = "S", env = "KATACI_MAX_SECONDS", value_parser = seconds)]
    max_seconds: Option<f64>,

    /// JUnit file or report directory to take durations from, or a directory of them; of a report
    /// that does not name its jobs, JOB=FILE says which one it is about. They win over those of
    /// kept runs.
    #[arg(
        long,
        value_name = "[JOB=]FILE",
        env = "KATACI_DURATIONS",
        value_delimiter = ':'
    )]
    durations: Vec<String>,

    /// Patch set of a Gerrit that is planned, for the vote: [PROJECT~]NUMBER,PATCHSET [default:
    /// that of gerrit-trigger's or Zuul's variables].
    #[arg(long, value_name = "CHANGE", env = "KATACI_CHANGE")]
    change: Option<PatchSetName>,

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
}

/// The format of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// For people.
    #[value(aliases = ["auto", "progress", "plain"])]
    Human,
    /// The plan file itself.
    Json,
}

impl FromStr for PatchSetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is not of the form [PROJECT~]NUMBER,PATCHSET");
        let (project, rest) = match text.rsplit_once('~') {
            Some((project, rest)) => (Some(project.to_owned()), rest),
            None => (None, text),
        };
        let (number, patch_set) = rest.split_once(',').ok_or_else(wrong)?;
        Ok(Self {
            project: project.filter(|project| !project.is_empty()),
            number: number.trim().parse().map_err(|_| wrong())?,
            patch_set: patch_set.trim().parse().map_err(|_| wrong())?,
        })
    }
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &PlanArguments,
) -> Result<ExitCode, CommandError> {
    let environment = Environment::current();
    let asked = PlanRequest {
        count: match (arguments.max_seconds, arguments.shards) {
            (Some(seconds), _) => ShardCount::MaxSeconds(seconds),
            (None, shards) => ShardCount::Shards(shards.unwrap_or(1)),
        },
        durations: (arguments.durations.iter().filter(|text| !text.is_empty()))
            .map(|text| duration_source(text))
            .collect(),
        change: match &arguments.change {
            Some(change) => Some(change.clone()),
            None => change_of(&environment),
        },
    };
    let settings = RunSettings::to_look(global.color());
    let request = RunRequest {
        pipeline: given(arguments.pipeline.as_ref()),
        revision: given(arguments.rev.as_ref()),
        since: given(arguments.since.as_ref()),
        selection: Selection {
            components: arguments.components.clone(),
            steps: arguments.steps.clone(),
            ..Selection::default()
        },
        ..RunRequest::new(global.directory.clone(), environment, settings)
    };
    let made = make_plan(&request, &asked)?;
    for warning in &made.warnings {
        let warning = for_terminal(warning, LINE_CAP);
        say::aside(format_args!("warning: {warning}"));
    }
    if let Some(path) = &arguments.output {
        fs::replace(path, 0o644, &made.file.to_bytes()).map_err(|error| {
            CommandError::path(path, &error, "name a file that can be written with -o FILE")
        })?;
    }
    print(&made, arguments)?;
    Ok(ExitCode::Success)
}

fn print(made: &MadePlan, arguments: &PlanArguments) -> Result<(), CommandError> {
    let text = match arguments.format {
        PlanFormat::Human => human(made).into_bytes(),
        PlanFormat::Json => made.file.to_bytes(),
    };
    match io::stdout().write_all(&text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::output(error)),
        _ => Ok(()),
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

/// Reads `JOB=FILE`, or `FILE`. A path with `=` in it is written as `./PATH`.
fn duration_source(text: &str) -> DurationSource {
    let is_job = |job: &&str| !job.contains('/') && job.contains('.');
    match text.split_once('=').filter(|(job, _)| is_job(job)) {
        Some((job, path)) => DurationSource {
            job: Some(job.to_owned()),
            path: path.into(),
        },
        None => DurationSource {
            job: None,
            path: text.into(),
        },
    }
}

/// Returns the change that Jenkins' gerrit-trigger or Zuul tells of.
fn change_of(environment: &Environment) -> Option<PatchSetName> {
    let text = |name: &str| environment.variable(name)?.to_str().map(str::to_owned);
    let of = |project: &str, number: &str, patch_set: &str| {
        Some(PatchSetName {
            project: Some(text(project)?),
            number: text(number)?.parse().ok()?,
            patch_set: text(patch_set)?.parse().ok()?,
        })
    };
    let gerrit = of(
        "GERRIT_PROJECT",
        "GERRIT_CHANGE_NUMBER",
        "GERRIT_PATCHSET_NUMBER",
    );
    gerrit.or_else(|| of("ZUUL_PROJECT", "ZUUL_CHANGE", "ZUUL_PATCHSET"))
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds > 0.0 => Ok(seconds),
        _ => Err(format!("`{text}` is no number of seconds above 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_named_with_its_patch_set() {
        let change = |text: &str| text.parse::<PatchSetName>();
        let of = |project: Option<&str>| PatchSetName {
            project: project.map(str::to_owned),
            number: 42,
            patch_set: 3,
        };
        assert_eq!(change("42,3"), Ok(of(None)));
        assert_eq!(change("kata/proxy~42,3"), Ok(of(Some("kata/proxy"))));
        for wrong in ["42", "a,b", "", "42,", "-1,2"] {
            assert!(change(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_name_their_job_where_the_report_does_not() {
        let path = |text: &str| duration_source(text);
        assert_eq!(path("proxy.test=a.xml").job.as_deref(), Some("proxy.test"));
        assert_eq!(path("./proxy.test=a.xml").job, None);
        assert_eq!(path("a.xml").path, PathBuf::from("a.xml"));
        assert!(seconds("0").is_err() && seconds("nan").is_err() && seconds("x").is_err());
    }
}
