//! From the arguments to a run that is ready to begin.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::{depends, durations, rerun_failed, rev, since};
use crate::cli::arguments::{Arguments, RunArguments, Switch};
use crate::config;
use crate::config::{IsolatePolicy, NetworkPolicy, Overrides, Pipeline};
use crate::event::{Notice, Since};
use crate::model::Selection;
use crate::plan;
use crate::plan::Plan;
use crate::run::failure::Failure;
use crate::run::pipeline;
use crate::workspace;
use crate::workspace::{Aside, Workspace};

type Environment = BTreeMap<OsString, OsString>;

/// A run that is ready to begin.
pub(crate) struct Prepared {
    /// Where it was started, or what `-C` names; absolute.
    pub directory: PathBuf,
    /// What kata-ci was called with.
    pub environment: Environment,
    pub pipeline: Pipeline,
    pub workspace: Workspace,
    pub plan: Plan,
    /// What `--since` leaves out, where it was given.
    pub since: Option<Since>,
    /// Id of the run whose failures are run again, and which they are, where that was asked.
    pub rerun_of: Option<(String, Notice)>,
    /// Where commits are checked out; removed with this.
    pub aside: Option<Aside>,
}

impl Prepared {
    /// A variable that kata-ci was called with.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
    }
}

/// Reads the pipeline, finds the components and makes the plan.
pub(crate) fn prepare(arguments: &Arguments, run: &RunArguments) -> Result<Prepared, Failure> {
    let environment: BTreeMap<_, _> = std::env::vars_os().collect();
    let directory = fs::canonicalize(&arguments.directory).map_err(|error| {
        Failure::path(
            &arguments.directory,
            &error,
            "name a directory that is there with -C DIR",
        )
    })?;
    let mut selection = Selection {
        components: run.components.clone(),
        steps: run.steps.clone(),
    };
    let mut aside = rev::enter(run, &directory, &selection, &environment)?;
    let source = match &aside {
        Some(aside) => rev::source(run, aside, &directory)?,
        None => pipeline::source(run.pipeline.as_deref(), &directory)?,
    };
    let mut pipeline = config::load(
        &source,
        &overrides(run),
        config::user_file(&environment).as_deref(),
    )?;
    if let Some(aside) = &mut aside {
        depends::bring(aside, &pipeline, &environment)?;
        pipeline.name = rev::name(&pipeline, aside);
    }
    if let Some(branch) = &run.pushed_to {
        rev::compare_with(branch, &mut pipeline);
    }
    let since = affected(
        run,
        &pipeline,
        &directory,
        &mut aside,
        &mut selection,
        &environment,
    )?;
    let (workspace, mut plan) = match &since {
        Some((_, root)) if selection.components.is_empty() => {
            (Workspace::empty(root.clone()), Plan::default())
        }
        _ => planned(&pipeline, &directory, &mut aside, &selection, &environment)?,
    };
    let mut rerun_of = None;
    if run.rerun_failed && !plan.jobs.is_empty() {
        let directories = rerun_failed::directories(run, &environment)?;
        rerun_of = Some(rerun_failed::keep_failed(
            &mut plan,
            &workspace.root,
            &directories,
        )?);
    }
    Ok(Prepared {
        directory,
        environment,
        pipeline,
        workspace,
        plan,
        since: since.map(|(since, _)| since),
        rerun_of,
        aside,
    })
}

/// Narrows the selection to what changed, where that is asked, and says what was decided on the components of which place.
fn affected(
    run: &RunArguments,
    pipeline: &Pipeline,
    directory: &Path,
    aside: &mut Option<Aside>,
    selection: &mut Selection,
    environment: &Environment,
) -> Result<Option<(Since, PathBuf)>, Failure> {
    // An empty variable is none, so that a script need not ask whether there is a base.
    let Some(revision) = run.since.as_deref().filter(|revision| !revision.is_empty()) else {
        return Ok(None);
    };
    let located = match aside {
        Some(aside) => workspace::locate_aside(pipeline, aside, selection, environment)?,
        None => workspace::locate(pipeline, directory, selection, environment)?,
    };
    let since = since::decide(revision, pipeline, &located, environment)?;
    // Names that are no component's are left to be refused.
    selection.components = located.selected;
    selection.components.retain(|name| !since.leaves_out(name));
    Ok(Some((since, located.root)))
}

fn planned(
    pipeline: &Pipeline,
    directory: &Path,
    aside: &mut Option<Aside>,
    selection: &Selection,
    environment: &Environment,
) -> Result<(Workspace, Plan), Failure> {
    let workspace = match aside {
        Some(aside) => workspace::open_aside(pipeline, aside, selection, environment)?,
        None => workspace::open(pipeline, directory, selection, environment)?,
    };
    let mut plan = plan::build(pipeline, &workspace, selection, environment)?;
    let kept = rerun_failed::kept(environment);
    plan.expect(&durations::durations(&kept, &workspace.root));
    Ok((workspace, plan))
}

/// What the options change in every pipeline.
pub(crate) fn overrides(run: &RunArguments) -> Overrides {
    Overrides {
        timeout: run.timeout,
        grace: run.grace,
        retries: run.retries,
        network: run.network.map(|switch| match switch {
            Switch::Off => NetworkPolicy::Off,
            Switch::Auto => NetworkPolicy::Auto,
            Switch::On => NetworkPolicy::On,
        }),
        isolate: run.isolate.map(|switch| match switch {
            Switch::Off => IsolatePolicy::Off,
            Switch::Auto => IsolatePolicy::Auto,
            Switch::On => IsolatePolicy::On,
        }),
    }
}
