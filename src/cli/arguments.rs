//! The definition of the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::hook::HookArguments;
use super::push::PushArguments;

/// Runs make check and make test across kata components and says truthfully what was tested.
#[derive(Debug, Parser)]
#[command(name = "kata-ci", version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Work as if started in DIR.
    #[arg(
        short = 'C',
        value_name = "DIR",
        global = true,
        env = "KATACI_DIRECTORY",
        default_value = "."
    )]
    pub directory: PathBuf,

    /// When to use colours.
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        env = "KATACI_COLOR",
        default_value = "auto"
    )]
    pub color: ColorChoice,

    /// Say what is decided on the way, on standard error.
    #[arg(short, long, global = true, env = "KATACI_VERBOSE", action = ArgAction::SetTrue,
          value_parser = FalseyValueParser::new())]
    pub verbose: bool,

    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// The same user, with another command in another place.
    pub fn elsewhere(&self, directory: PathBuf, command: Command) -> Self {
        Self {
            directory,
            color: self.color,
            verbose: self.verbose,
            command,
        }
    }

    /// When to use colours, for those who write them.
    pub fn color(&self) -> anstream::ColorChoice {
        match self.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
    }
}

const EXIT_CODES: &str = "\
Exit codes, the first that fits:
  128+n  ended by signal n
  70     a bug in kata-ci
  2      usage or configuration
  1      something failed, timed out or was vacuous
  75     an error kept something from being tested: worth another try
  4      nothing selected, or everything selected was skipped
  0      at least one job passed, and none of the above";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the steps of a pipeline in its components.
    Run(RunArguments),
    /// Merge, convert and show the reports of runs, and JUnit files of any writer.
    Report(super::report::ReportArguments),
    /// Check commits and take them to Gerrit for review (refs/for/BRANCH).
    Push(PushArguments),
    /// Install, show and answer git's hooks pre-push and commit-msg.
    Hook(HookArguments),
    /// Write a shell's completions to standard output.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the manual page to standard output.
    Man,
}

/// How a run is shown while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// progress on a terminal, plain elsewhere and where a CI system reads along.
    #[value(alias = "human")]
    Auto,
    /// Lines that move, on standard error.
    Progress,
    /// A line for each thing that happens, on standard output.
    Plain,
    /// The events, a JSON object a line, on standard output.
    Json,
    /// As `plain`, on standard error: where standard output is for another command's answer.
    #[value(skip)]
    Errors,
}

/// Whether jobs get what is named; the words of the pipeline file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// No.
    Off,
    /// As far as the host allows, and said.
    Auto,
    /// Yes.
    On,
}

/// The CI system that a run is shown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CiChoice {
    /// The one whose variables are set, if there is one.
    Auto,
    /// None, whatever is set.
    None,
    /// GitHub Actions: groups, annotations, step summary.
    Github,
    /// GitLab CI: sections, files for artifacts:reports.
    Gitlab,
    /// Jenkins: its step junit reads junit.xml.
    Jenkins,
    /// Zuul: a file for zuul_return.
    Zuul,
    /// Buildbot: reads nothing by itself.
    Buildbot,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RunArguments {
    /// Components to run; all of the workspace when none is named, or the one -C lies in.
    #[arg(value_name = "COMPONENT")]
    pub components: Vec<String>,

    /// kata-v1, kata-monorepo, makefile or a file. Without it: kata-ci.toml upwards from DIR, else what DIR is found to be.
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE")]
    pub pipeline: Option<String>,

    /// Steps to run, with those they need; all when none is named.
    #[arg(
        short,
        long = "step",
        value_name = "STEP",
        env = "KATACI_STEP",
        value_delimiter = ','
    )]
    pub steps: Vec<String>,

    /// Jobs side by side [default: the number of processors].
    #[arg(short, long, value_name = "N", env = "KATACI_JOBS", value_parser = positive)]
    pub jobs: Option<usize>,

    /// How long a job may take (90s, 30m, 1h 30m), over the pipeline's.
    #[arg(long, value_name = "DURATION", env = "KATACI_TIMEOUT", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// How long a job has after TERM before KILL, over the pipeline's.
    #[arg(long, value_name = "DURATION", env = "KATACI_GRACE", value_parser = humantime::parse_duration)]
    pub grace: Option<Duration>,

    /// Run what failed again, up to N times, over the pipeline's.
    #[arg(long, value_name = "N", env = "KATACI_RETRIES", value_parser = clap::value_parser!(u32).range(..=10))]
    pub retries: Option<u32>,

    /// End the run at the first job that is bad.
    #[arg(long, env = "KATACI_FAIL_FAST", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub fail_fast: bool,

    /// End the run when N jobs are bad.
    #[arg(long, value_name = "N", env = "KATACI_MAX_FAIL", value_parser = positive, conflicts_with = "fail_fast")]
    pub max_fail: Option<usize>,

    /// Run what was committed in REV, in a clean checkout aside, instead of what lies in the work tree.
    #[arg(long, value_name = "REV", env = "KATACI_REV")]
    pub rev: Option<String>,

    /// Whether jobs get a network: off is enforced or an error, auto is enforced where the host allows it.
    #[arg(long, value_name = "WHETHER", env = "KATACI_NETWORK")]
    pub network: Option<Switch>,

    /// Whether jobs are kept in a sandbox: on also makes the file system read-only but for work tree and caches, or is an
    /// error; auto gives each job its own processes and /tmp where the host allows it.
    #[arg(long, value_name = "WHETHER", env = "KATACI_ISOLATE")]
    pub isolate: Option<Switch>,

    /// A requirement that is not met is an error instead of a skipped job [default when CI is set].
    #[arg(long, env = "KATACI_REQUIRE_ALL", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub require_all: bool,

    /// Go on with the last run of the workspace that did not end: what is finished is kept.
    #[arg(long, env = "KATACI_RESUME", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(),
          conflicts_with_all = ["since", "rerun_failed", "dry_run"])]
    pub resume: bool,

    /// Run only what failed in the last run of the workspace.
    #[arg(long, env = "KATACI_RERUN_FAILED", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub rerun_failed: bool,

    /// Run only components that changed since REV, committed or not, and those that need them.
    #[arg(long, value_name = "REV", env = "KATACI_SINCE")]
    pub since: Option<String>,

    /// Show what would run, and run nothing.
    #[arg(long, env = "KATACI_DRY_RUN", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub dry_run: bool,

    /// Write the JUnit file here too; a relative path begins where kata-ci was started, not at -C.
    #[arg(long, value_name = "FILE", env = "KATACI_JUNIT")]
    pub junit: Option<PathBuf>,

    /// Directory of the reports, from where kata-ci was started [default: $XDG_STATE_HOME/kata-ci/runs/ID, with a link
    /// `latest`].
    #[arg(long, value_name = "DIR", env = "KATACI_REPORT_DIR")]
    pub report_dir: Option<PathBuf>,

    /// How the run is shown.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "KATACI_FORMAT",
        default_value = "auto"
    )]
    pub format: Format,

    /// The CI system to give what it reads: groups in the log, annotations, summary.
    #[arg(long, value_name = "SYSTEM", env = "KATACI_CI", default_value = "auto")]
    pub ci: CiChoice,

    /// Runs kept where no --report-dir says where reports go: the N newest, or all. The last of each workspace, one that can
    /// be gone on with, and those whose times are needed yet stay in any case.
    #[arg(long, value_name = "N|all", env = "KATACI_KEEP_RUNS", default_value = "50", value_parser = keep)]
    pub keep_runs: Keep,

    /// How many days they are kept, or all for ever.
    #[arg(long, value_name = "DAYS|all", env = "KATACI_KEEP_DAYS", default_value = "30", value_parser = keep)]
    pub keep_days: Keep,

    /// Of a push: the branch that the commits are for, and only components of their own repository.
    #[arg(skip)]
    pub pushed_to: Option<String>,
}

/// How many of something are kept; all without a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keep(pub Option<u32>);

fn keep(text: &str) -> Result<Keep, String> {
    match (text, text.parse()) {
        ("all", _) => Ok(Keep(None)),
        (_, Ok(0)) => Err("must be 1 or more, or `all`".to_owned()),
        (_, Ok(number)) => Ok(Keep(Some(number))),
        (_, Err(error)) => Err(format!("neither a number nor `all`: {error}")),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be 1 or more".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("not a number: {error}")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be more than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write it like 90s, 30m or 1h 30m")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn numbers_and_durations_of_nothing_are_refused() {
        assert!(positive("0").is_err() && positive("x").is_err() && positive("-1").is_err());
        assert_eq!(positive("3"), Ok(3));
        assert!(keep("0").is_err() && keep("-1").is_err() && keep("").is_err());
        assert_eq!(
            (keep("7"), keep("all")),
            (Ok(Keep(Some(7))), Ok(Keep(None)))
        );
        assert!(duration("0s").is_err() && duration("5").is_err());
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
    }

    #[test]
    fn every_option_of_run_has_its_variable() {
        let command = Arguments::command();
        let run = command.find_subcommand("run").expect("run is a command");
        for option in run.get_opts() {
            let variable = option
                .get_env()
                .map(|name| name.to_string_lossy().into_owned());
            assert!(
                variable
                    .as_deref()
                    .is_some_and(|name| name.starts_with("KATACI_")),
                "{} has {variable:?}",
                option.get_id()
            );
        }
    }
}
