//! The request of a run, whoever makes it: the command line, a push, a hook.
//!
//! Plain values. Nothing of it is an argument or a variable any more: an empty text counts as not given.
use std::path::{Path, PathBuf};

use super::prune::Limits;
use crate::config::{IsolatePolicy, NetworkPolicy, Overrides};
use crate::env::Environment;
use crate::model::Selection;
use crate::report::ci::Ci;

/// The request of one run.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The directory to start from; relative to that of the process.
    pub directory: PathBuf,
    /// The environment that kata-ci was called with.
    pub environment: Environment,
    /// The revision to run in a clean checkout; none for what lies in the work tree.
    pub revision: Option<String>,
    /// The pipeline's name or file; none for the one that is found.
    pub pipeline: Option<String>,
    /// Components and steps to run.
    pub selection: Selection,
    /// The revision since which a component has to have changed.
    pub since: Option<String>,
    /// Run only what failed in the last run of the workspace.
    pub rerun_failed: bool,
    /// Go on with the last run of the workspace that did not end.
    pub resume: bool,
    /// Show what would run, and run nothing.
    pub dry_run: bool,
    /// The number of bad jobs that ends the run.
    pub max_fail: Option<usize>,
    /// Files and directories that the reports go to.
    pub reports: ReportPlaces,
    /// The branch that the commits are pushed to. Components of other repositories are left out then, and so are jobs that
    /// passed before.
    pub pushed_to: Option<String>,
    /// The account whose commits these are. Strict runs keep builds and stamps for its other commits
    /// only.
    pub author: Option<String>,
    /// How it is run, whatever is run.
    pub settings: RunSettings,
}

/// Where the reports of a run go.
#[derive(Debug, Clone, Default)]
pub struct ReportPlaces {
    /// The report directory; none for one among those that are kept.
    pub directory: Option<PathBuf>,
    /// One more copy of the JUnit file.
    pub junit: Option<PathBuf>,
}

/// How a run is carried out, whatever it runs: how much of the machine it takes, how it is shown, what is kept.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Jobs side by side; none for the number of processors.
    pub jobs: Option<usize>,
    /// What is changed in every pipeline.
    pub overrides: Overrides,
    /// A requirement that is not met is an error.
    pub require_all: bool,
    /// How the run is shown.
    pub display: Display,
    /// Earlier runs that are kept.
    pub keep: Limits,
}

/// How a run is shown.
#[derive(Debug, Clone, Copy)]
pub struct Display {
    /// The form.
    pub format: Format,
    /// The CI system that reads along.
    pub ci: CiChoice,
    /// When to use colours.
    pub color: anstream::ColorChoice,
}

/// The form in which a run is shown while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `Progress` on a terminal, `Plain` elsewhere and where a CI system reads along.
    Auto,
    /// Lines that move, on standard error.
    Progress,
    /// A line for each thing that happens, on standard output.
    Plain,
    /// The events, a JSON object a line, on standard output.
    Json,
    /// As `Auto`, on standard error alone: standard output is for another command's answer.
    Errors,
}

/// The CI system that a run is shown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CiChoice {
    /// The one whose variables are set, if there is one.
    Detected,
    /// None, whatever is set.
    None,
    /// This one.
    Named(Ci),
}

impl RunRequest {
    /// The request for all that a directory holds.
    pub fn new(directory: PathBuf, environment: Environment, settings: RunSettings) -> Self {
        Self {
            directory,
            environment,
            revision: None,
            pipeline: None,
            selection: Selection::default(),
            since: None,
            rerun_failed: false,
            resume: false,
            dry_run: false,
            max_fail: None,
            reports: ReportPlaces::default(),
            pushed_to: None,
            author: None,
            settings,
        }
    }

    /// The command that runs all of this again from anywhere, as typed in a shell. `directory` is the absolute one.
    pub(super) fn again(&self, directory: &Path) -> String {
        let mut words = vec!["kata-ci".to_owned(), "run".to_owned()];
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                words.push(name.to_owned());
                words.push(value);
            }
        };
        let elsewhere = self.directory != Path::new(".");
        option("-C", elsewhere.then(|| directory.display().to_string()));
        option("-p", self.pipeline.clone());
        option("--rev", self.revision.clone());
        let overrides = &self.settings.overrides;
        let duration = |time| humantime::format_duration(time).to_string();
        option("--timeout", overrides.timeout.map(duration));
        option("--grace", overrides.grace.map(duration));
        let network = overrides.network.map(|policy| match policy {
            NetworkPolicy::Off => "off".to_owned(),
            NetworkPolicy::Auto => "auto".to_owned(),
            NetworkPolicy::On => "on".to_owned(),
        });
        option("--network", network);
        let isolate = overrides.isolate.map(|policy| match policy {
            IsolatePolicy::Off => "off".to_owned(),
            IsolatePolicy::Auto => "auto".to_owned(),
            IsolatePolicy::On => "on".to_owned(),
        });
        option("--isolate", isolate);
        let retries = overrides.retries.map(|retries| retries.to_string());
        option("--retries", retries);
        shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
    }
}
