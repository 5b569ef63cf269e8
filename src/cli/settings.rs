//! Options of a run that do not depend on what is run: of `run`, and of the checks of a push and
//! its hook.

use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};

use super::global::GlobalArguments;
use crate::config::{IsolatePolicy, NetworkPolicy, Overrides};
use crate::report::ci::Ci;
use crate::run;
use crate::run::{Display, KeepLimits, RunSettings};

#[derive(Debug, Args)]
pub(super) struct SettingsArguments {
    /// Number of jobs to run in parallel [default: the number of processors].
    #[arg(short, long, value_name = "N", env = "KATACI_JOBS", value_parser = positive)]
    jobs: Option<usize>,

    /// Time limit of a job (90s, 30m, 1h 30m); overrides the pipeline.
    #[arg(long, value_name = "DURATION", env = "KATACI_TIMEOUT", value_parser = duration)]
    timeout: Option<Duration>,

    /// Time between TERM and KILL for a job; overrides the pipeline.
    #[arg(long, value_name = "DURATION", env = "KATACI_GRACE", value_parser = humantime::parse_duration)]
    grace: Option<Duration>,

    /// Run failed tests again, up to N times; overrides the pipeline.
    #[arg(long, value_name = "N", env = "KATACI_RETRIES", value_parser = clap::value_parser!(u32).range(..=10))]
    retries: Option<u32>,

    /// Network of jobs: off is enforced or an error, auto is off if the host can enforce it.
    #[arg(long, value_name = "WHETHER", env = "KATACI_NETWORK")]
    network: Option<Switch>,

    /// Sandbox of jobs: auto gives each job its own processes and /tmp if the host can; on also
    /// makes the file system read-only except for work tree and caches, and is an error if the host
    /// cannot.
    #[arg(long, value_name = "WHETHER", env = "KATACI_ISOLATE")]
    isolate: Option<Switch>,

    /// Leave out the tests that kata repeats as root through sudo. The report says so.
    #[arg(long, env = "KATACI_WITHOUT_ROOT", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    without_root: bool,

    /// Make an unmet requirement an error instead of skipping the job [default if CI is set].
    #[arg(long, env = "KATACI_REQUIRE_ALL", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    require_all: bool,

    /// CI system whose features are used: groups in the log, annotations, summary.
    #[arg(long, value_name = "SYSTEM", env = "KATACI_CI", default_value = "auto")]
    ci: CiChoice,

    /// Number of runs to keep without --report-dir, or all. Always kept: the last run of each
    /// workspace, resumable runs, and runs that time estimates use.
    #[arg(long, value_name = "N|all", env = "KATACI_KEEP_RUNS", default_value = "50", value_parser = keep)]
    keep_runs: Keep,

    /// Number of days to keep runs, or all.
    #[arg(long, value_name = "DAYS|all", env = "KATACI_KEEP_DAYS", default_value = "30", value_parser = keep)]
    keep_days: Keep,
}

impl SettingsArguments {
    /// Returns the settings of a run with this format.
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
                without_root: self.without_root,
            },
            require_all: self.require_all,
            display: Display {
                format,
                ci: self.ci.into(),
                color: global.color(),
                verbose: global.verbose(),
            },
            keep: KeepLimits {
                runs: self.keep_runs.0,
                days: self.keep_days.0,
            },
        }
    }
}

/// The words of the pipeline file for the network and the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// No.
    Off,
    /// Yes if the host can; reported either way.
    Auto,
    /// Yes.
    On,
}

/// The CI system that gets the output of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CiChoice {
    /// The system whose variables are set, if there is one.
    Auto,
    /// No system, whatever is set.
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

/// The number of kept items; `None` keeps all.
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
        Err(_) => Err(format!("`{text}` is not a whole number")),
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
