//! The request of a run, whoever makes it: the command line, a push or a hook.
//!
//! It holds plain values, no arguments or variables. An empty text counts as not given.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::prune::KeepLimits;
use crate::config::{IsolatePolicy, NetworkPolicy, Overrides};
use crate::env::Environment;
use crate::model::{CasePattern, Selection};
use crate::plan::PlanFile;
use crate::report::ci::Ci;

/// The request of one run.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Directory to start from, relative to that of the process.
    pub directory: PathBuf,
    /// Environment that kata-ci was called with.
    pub environment: Environment,
    /// Revision to run in a clean checkout; `None` for the work tree.
    pub revision: Option<String>,
    /// Name or file of the pipeline; `None` to detect it.
    pub pipeline: Option<String>,
    /// Components and steps to run.
    pub selection: Selection,
    /// Revision that a component must differ from.
    pub since: Option<String>,
    /// True to run only the failures of the last run of the workspace.
    pub rerun_failed: bool,
    /// Pattern of the cases to run; `None` for all.
    pub case: Option<CasePattern>,
    /// True to continue the last run of the workspace that did not end.
    pub resume: bool,
    /// True to repeat the failures without isolation, and to show which cases differ.
    pub compare_isolation: bool,
    /// True to show the plan and run nothing.
    pub dry_run: bool,
    /// Number of failed jobs that ends the run.
    pub max_fail: Option<usize>,
    /// Files and directories for the reports.
    pub reports: ReportPaths,
    /// Branch that the commits are pushed to. If it is set, components of other repositories are
    /// left out, and so are jobs that passed before.
    pub pushed_to: Option<String>,
    /// Account that owns the commits. Strict runs share builds and stamps with its other commits
    /// only.
    pub author: Option<String>,
    /// The commits under review, if the run is of a review. Its pipeline comes from elsewhere.
    pub reviewed: Option<Reviewed>,
    /// The shard of a plan to run. Commits and pipeline are then the plan's.
    pub shard: Option<PlannedShard>,
    /// The number of a part, and the number of parts, of the jobs that are selected. They are
    /// parted without regard to durations, so that all machines part them alike.
    pub slice: Option<(usize, usize)>,
    /// Settings that do not depend on what is run.
    pub settings: RunSettings,
}

/// A shard of a plan.
#[derive(Debug, Clone)]
pub struct PlannedShard {
    /// The plan.
    pub plan: Arc<PlanFile>,
    /// The number of the shard.
    pub index: usize,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

impl PlannedShard {
    /// Returns the components of its jobs, in order.
    pub fn components(&self) -> Vec<&str> {
        let jobs = self
            .plan
            .shards
            .get(self.index)
            .into_iter()
            .flat_map(|shard| &shard.jobs);
        let names: BTreeSet<&str> = jobs.map(|job| job.id.component()).collect();
        names.into_iter().collect()
    }
}

/// Commits under review: nobody vouches for them, so they decide about nothing but the jobs.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// The target branch, without `refs/heads/`.
    pub branch: String,
    /// The tip of the target branch. The pipeline is read from it, unless one is named.
    pub target: String,
    /// The name of the remote whose tracking branch stands for the target branch.
    pub remote: String,
    /// Commits of other repositories to check out beside the first, each with its reason.
    pub companions: Vec<Companion>,
    /// The least isolation. A pipeline of the target branch can only tighten it.
    pub least_isolate: IsolatePolicy,
    /// The least separation from the network, as above.
    pub least_network: NetworkPolicy,
    /// The components to run, of those that are found; empty for all.
    pub only: Vec<String>,
    /// Files of the operator that strict jobs do not see, such as credentials.
    pub hidden: Vec<PathBuf>,
    /// True for the code of a stranger: no program reads the tree outside of the sandbox.
    pub is_of_stranger: bool,
}

/// A commit of another repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companion {
    /// The top of the user's work tree of its repository.
    pub top: PathBuf,
    /// The commit, which the repository has.
    pub commit: String,
    /// The reason, in words.
    pub why: String,
}

/// The paths of the reports of a run.
#[derive(Debug, Clone, Default)]
pub struct ReportPaths {
    /// The report directory; `None` for one in the store.
    pub directory: Option<PathBuf>,
    /// A further copy of the JUnit file.
    pub junit: Option<PathBuf>,
}

/// The settings that do not depend on what is run: machine, output, store.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Number of parallel jobs; `None` for the number of processors.
    pub jobs: Option<usize>,
    /// Options that override every pipeline.
    pub overrides: Overrides,
    /// True to make an unmet requirement an error.
    pub require_all: bool,
    /// Output during the run.
    pub display: Display,
    /// Limits of the store of runs.
    pub keep: KeepLimits,
}

impl RunSettings {
    /// Returns the settings of a command that only looks at the workspace.
    pub fn to_look(color: anstream::ColorChoice) -> Self {
        Self {
            jobs: None,
            overrides: Overrides::default(),
            require_all: false,
            display: Display {
                format: Format::Auto,
                ci: CiChoice::None,
                color,
                verbose: false,
            },
            keep: KeepLimits {
                runs: None,
                days: None,
            },
        }
    }
}

/// The output during a run.
#[derive(Debug, Clone, Copy)]
pub struct Display {
    /// The format.
    pub format: Format,
    /// The CI system that gets the output.
    pub ci: CiChoice,
    /// When to use colours.
    pub color: anstream::ColorChoice,
    /// True to explain decisions.
    pub verbose: bool,
}

/// The format of the output during a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `Progress` on a terminal, `Plain` elsewhere and on CI systems.
    Auto,
    /// A live display, on standard error.
    Progress,
    /// A line for each event, on standard output.
    Plain,
    /// The events as JSON, an object a line, on standard output.
    Json,
    /// As `Auto`, but on standard error, because standard output holds another command's result.
    Errors,
    /// Nothing but the summary of a run that did not pass.
    Quiet,
}

/// The CI system that gets the output of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CiChoice {
    /// The system whose variables are set, if there is one.
    Detected,
    /// No system, whatever is set.
    None,
    /// This system.
    Named(Ci),
}

impl RunRequest {
    /// Creates the request of everything in a directory.
    pub fn new(directory: PathBuf, environment: Environment, settings: RunSettings) -> Self {
        Self {
            directory,
            environment,
            revision: None,
            pipeline: None,
            selection: Selection::default(),
            since: None,
            rerun_failed: false,
            case: None,
            resume: false,
            compare_isolation: false,
            dry_run: false,
            max_fail: None,
            reports: ReportPaths::default(),
            pushed_to: None,
            author: None,
            reviewed: None,
            shard: None,
            slice: None,
            settings,
        }
    }
}
