//! From the arguments to a run that is ready to begin.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;

use super::super::arguments::{Arguments, RunArguments, Switch};
use super::super::failure::Failure;
use super::super::pipeline;
use super::{rev, since};
use crate::config::{self, NetworkPolicy, Overrides, Pipeline};
use crate::event::Since;
use crate::plan::{self, Plan, Selection};
use crate::workspace::{self, Aside, Workspace};

/// A run that is ready to begin.
pub(super) struct Prepared {
    /// Where it was started, or what `-C` names; absolute.
    pub directory: PathBuf,
    /// What kata-ci was called with.
    pub environment: BTreeMap<OsString, OsString>,
    pub pipeline: Pipeline,
    pub workspace: Workspace,
    pub plan: Plan,
    /// What `--since` leaves out, where it was given.
    pub since: Option<Since>,
    /// Where commits are checked out; removed with this.
    pub _aside: Option<Aside>,
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
pub(super) fn prepare(arguments: &Arguments, run: &RunArguments) -> Result<Prepared, Failure> {
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
    if let Some(aside) = &aside {
        pipeline.name = rev::name(&pipeline, aside);
    }
    let mut since = None;
    // An empty variable is none, so that a script need not ask whether there is a base.
    if let Some(revision) = run.since.as_deref().filter(|revision| !revision.is_empty()) {
        let located = match &mut aside {
            Some(aside) => workspace::locate_aside(&pipeline, aside, &selection, &environment)?,
            None => workspace::locate(&pipeline, &directory, &selection, &environment)?,
        };
        let decided = since::decide(revision, &pipeline, &located, &environment)?;
        // Names that are no component's are left to be refused.
        selection.components = located.selected;
        selection
            .components
            .retain(|name| !decided.leaves_out(name));
        if selection.components.is_empty() {
            return Ok(Prepared {
                directory,
                environment,
                pipeline,
                workspace: Workspace::empty(located.root),
                plan: Plan::default(),
                since: Some(decided),
                _aside: aside,
            });
        }
        since = Some(decided);
    }
    let workspace = match &mut aside {
        Some(aside) => workspace::open_aside(&pipeline, aside, &selection, &environment)?,
        None => workspace::open(&pipeline, &directory, &selection, &environment)?,
    };
    let plan = plan::build(&pipeline, &workspace, &selection, &environment)?;
    Ok(Prepared {
        directory,
        environment,
        pipeline,
        workspace,
        plan,
        since,
        _aside: aside,
    })
}

fn overrides(run: &RunArguments) -> Overrides {
    Overrides {
        timeout: run.timeout,
        grace: run.grace,
        network: run.network.map(|switch| match switch {
            Switch::Off => NetworkPolicy::Off,
            Switch::Auto => NetworkPolicy::Auto,
            Switch::On => NetworkPolicy::On,
        }),
    }
}

/// What a user would rely on and this version cannot give is an error, never a quiet run without it.
pub(super) fn refuse_what_is_not_built(
    run: &RunArguments,
    pipeline: &Pipeline,
) -> Result<(), Failure> {
    if run.isolate == Some(Switch::On) {
        return Err(Failure::Machine(
            "--isolate on: this version of kata-ci cannot isolate jobs yet\n  = help: run with --isolate auto"
                .to_owned(),
        ));
    }
    match pipeline
        .steps
        .iter()
        .find(|step| step.network == NetworkPolicy::Off)
    {
        Some(step) => Err(Failure::Machine(format!(
            "network off is asked for step `{}`: this version of kata-ci cannot take the network away yet\n  \
             = help: run with --network auto",
            step.name
        ))),
        None => Ok(()),
    }
}
