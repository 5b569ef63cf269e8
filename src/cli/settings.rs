//! Options of a run that hold whatever it runs: of `run`, and of the checks that a push and its hook make.

use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};

use super::global::GlobalArguments;
use crate::config::{IsolatePolicy, NetworkPolicy, Overrides};
use crate::report::ci::Ci;
use crate::run;
use crate::run::{Display, Limits, RunSettings};

#[derive(Debug, Args)]
pub(super) struct SettingsArguments {
    /// Jobs side by side [default: the number of processors].
    #[arg(short, long, value_name = "N", env = "KATACI_JOBS", value_parser = positive)]
    jobs: Option<usize>,

    /// How long a job may take (90s, 30m, 1h 30m), over the pipeline's.
    #[arg(long, value_name = "DURATION", env = "KATACI_TIMEOUT", value_parser = duration)]
    timeout: Option<Duration>,

    /// How long a job has after TERM before KILL, over the pipeline's.
    #[arg(long, value_name = "DURATION", env = "KATACI_GRACE", value_parser = humantime::parse_duration)]
    grace: Option<Duration>,

    /// Run what failed again, up to N times, over the pipeline's.
    #[arg(long, value_name = "N", env = "KATACI_RETRIES", value_parser = clap::value_parser!(u32).range(..=10))]
    retries: Option<u32>,

    /// Whether jobs get a network: off is enforced or an error, auto is enforced where the host allows it.
    #[arg(long, value_name = "WHETHER", env = "KATACI_NETWORK")]
    network: Option<Switch>,

    /// Whether jobs are kept in a sandbox: on also makes the file system read-only but for work tree and caches, or is an
    /// error; auto gives each job its own processes and /tmp where the host allows it.
    #[arg(long, value_name = "WHETHER", env = "KATACI_ISOLATE")]
    isolate: Option<Switch>,

    /// A requirement that is not met is an error instead of a skipped job [default when CI is set].
    #[arg(long, env = "KATACI_REQUIRE_ALL", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    require_all: bool,

    /// The CI system to give what it reads: groups in the log, annotations, summary.
    #[arg(long, value_name = "SYSTEM", env = "KATACI_CI", default_value = "auto")]
    ci: CiChoice,

    /// Runs kept where no --report-dir says where reports go: the N newest, or all. Always kept: the last run of each
    /// workspace, resumable runs, and runs that time estimates use.
    #[arg(long, value_name = "N|all", env = "KATACI_KEEP_RUNS", default_value = "50", value_parser = keep)]
    keep_runs: Keep,

    /// How many days they are kept, or all for ever.
    #[arg(long, value_name = "DAYS|all", env = "KATACI_KEEP_DAYS", default_value = "30", value_parser = keep)]
    keep_days: Keep,
}

impl SettingsArguments {
    /// The settings of a run that is shown in this form.
    pub(super) fn settings(&self, global: &GlobalArguments, format: run::Format) -> RunSettings {
        RunSettings {
            jobs: self.jobs,
            overrides: Overrides {
                timeout: self.timeout,
                grace: self.grace,
                retries: self.retries,
                network: self.network.map(|switch| match switch {
                    Switch::Off => NetworkPolicy::Off,
                    Switch::Auto => NetworkPolicy::Auto,
                    Switch::On => NetworkPolicy::On,
                }),
                isolate: self.isolate.map(|switch| match switch {
                    Switch::Off => IsolatePolicy::Off,
                    Switch::Auto => IsolatePolicy::Auto,
                    Switch::On => IsolatePolicy::On,
                }),
            },
            require_all: self.require_all,
            display: Display {
                format,
                ci: self.ci.into(),
                color: global.color(),
            },
            keep: Limits {
                runs: self.keep_runs.0,
                days: self.keep_days.0,
            },
        }
    }
}

/// Whether jobs get what is named; the words of the pipeline file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// No.
    Off,
    /// As far as the host allows, and said.
    Auto,
    /// Yes.
    On,
}

/// The CI system that a run is shown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CiChoice {
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

impl From<CiChoice> for run::CiChoice {
    fn from(choice: CiChoice) -> Self {
        match choice {
            CiChoice::Auto => Self::Detected,
            CiChoice::None => Self::None,
            CiChoice::Github => Self::Named(Ci::GitHub),
            CiChoice::Gitlab => Self::Named(Ci::GitLab),
            CiChoice::Jenkins => Self::Named(Ci::Jenkins),
            CiChoice::Zuul => Self::Named(Ci::Zuul),
            CiChoice::Buildbot => Self::Named(Ci::Buildbot),
        }
    }
}

/// How many of something are kept; all without a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Keep(Option<u32>);

fn keep(text: &str) -> Result<Keep, String> {
    match (text, text.parse()) {
        ("all", _) => Ok(Keep(None)),
        (_, Ok(0)) => Err("must be 1 or more, or `all`".to_owned()),
        (_, Ok(number)) => Ok(Keep(Some(number))),
        (_, Err(error)) => Err(format!("neither a number nor `all`: {error}")),
    }
}

/// Reads a number of at least 1.
pub(super) fn positive(text: &str) -> Result<usize, String> {
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
}
