//! `kata-ci plan`: the jobs of a run with their commits, distributed over shards.
//!
//! Nothing is inspected but the repositories: requirements are those of the machines that run the
//! shards.

use std::collections::BTreeMap;
use std::path::Path;

use super::imported::DurationSource;
use super::opened::{Chosen, choose};
use super::pins::{Pins, pin};
use super::request::RunRequest;
use super::source::Source;
use super::{durations, imported, pipeline, store};
use crate::config;
use crate::config::Pipeline;
use crate::event::Since;
use crate::model::CommandError;
use crate::plan;
use crate::plan::{
    Plan, PlanContent, PlanFile, PlannedChange, Portion, ShardCount, balance, lower_bound,
};
use crate::workspace::{Located, uninspected};

/// The request of a plan, beside that of its run.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// The number of shards.
    pub count: ShardCount,
    /// Reports to take durations from; they win over those of the store.
    pub durations: Vec<DurationSource>,
    /// The change that is planned.
    pub change: Option<PatchSetName>,
}

/// A patch set of a Gerrit, as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchSetName {
    /// The project; `None` for that of the only repository.
    pub project: Option<String>,
    /// The number of the change.
    pub number: u64,
    /// The number of the patch set.
    pub patch_set: u32,
}

/// A plan that was made, and what is worth knowing about it.
#[derive(Debug)]
pub(crate) struct MadePlan {
    /// The plan.
    pub file: PlanFile,
    /// The least seconds that the longest shard can take.
    pub lower_bound: f64,
    /// The number of jobs whose time is not known.
    pub unknown: usize,
    /// Notes for the user.
    pub warnings: Vec<String>,
}

/// Makes the plan of a request.
///
/// # Errors
/// Fails for what is not committed (usage), and for what a run of everything would fail for before
/// its first job.
pub(crate) fn make_plan(
    request: &RunRequest,
    asked: &PlanRequest,
) -> Result<MadePlan, CommandError> {
    let mut source = Source::open(request)?;
    let pipeline = pipeline::load(&mut source, request)?;
    let chosen = choose(&mut source, &pipeline, request)?;
    let pins = pin(
        &chosen.located,
        pipeline.layout,
        &source,
        &request.environment,
    )?;
    let plan = jobs(&chosen, &pipeline, &source, request, asked)?;
    let portions: Vec<_> = plan.jobs.iter().map(Portion::of).collect();
    let unknown = portions.iter().filter(|one| one.job.estimate.is_none());
    let unknown = unknown.count();
    if let (ShardCount::MaxSeconds(_), true) = (asked.count, unknown == portions.len())
        && !portions.is_empty()
    {
        let said = "--max-seconds: no job has a recorded duration";
        return Err(CommandError::usage(said)
            .hint("run once before, import durations with --durations FILE, or use --shards N"));
    }
    let shards = balance(&portions, asked.count);
    let lower_bound = lower_bound(&portions, shards.len());
    let written = write_pipeline(&pipeline, &chosen.located, &pins)?;
    let mut warnings = pins.warnings;
    warnings.extend(written.secrets.iter().map(|name| {
        format!("the value of {name} is a secret and not in the plan: each machine must have it")
    }));
    let change = change(asked.change.as_ref(), &pins.sources, &pins.revisions)?;
    let file = PlanFile::new(PlanContent {
        name: pipeline.name.clone(),
        pipeline: written.value,
        secrets: written.secrets,
        sources: pins.sources,
        repositories: pins.repositories,
        revisions: pins.revisions,
        change,
        shards,
    });
    Ok(MadePlan {
        file: file.map_err(CommandError::machine)?,
        lower_bound,
        unknown,
        warnings,
    })
}

/// Returns the jobs with their durations.
fn jobs(
    chosen: &Chosen,
    pipeline: &Pipeline,
    source: &Source,
    request: &RunRequest,
    asked: &PlanRequest,
) -> Result<Plan, CommandError> {
    let is_unaffected = chosen.since.as_ref().is_some_and(Since::is_empty);
    if is_unaffected {
        return Ok(Plan::default());
    }
    let root = source.as_user_knows(&chosen.located.root);
    let workspace = uninspected(&chosen.located);
    let mut plan = plan::build(
        pipeline,
        &workspace,
        &chosen.selection,
        &request.environment,
    )?;
    if plan.jobs.is_empty() {
        let said = "nothing selected: none of the components has one of the steps";
        return Err(CommandError::nothing_to_do(said));
    }
    plan.expect(&known_durations(&plan, &root, request, asked)?);
    Ok(plan)
}

fn known_durations(
    plan: &Plan,
    root: &Path,
    request: &RunRequest,
    asked: &PlanRequest,
) -> Result<BTreeMap<String, f64>, CommandError> {
    let kept = store::kept(&request.environment);
    let mut known = durations::durations(&kept, root);
    let names: std::collections::BTreeSet<&str> =
        plan.jobs.iter().map(|job| job.id.as_str()).collect();
    let of_files = imported::durations(&asked.durations, |name| names.contains(name))?;
    known.extend(of_files);
    Ok(known)
}

fn write_pipeline(
    pipeline: &Pipeline,
    located: &Located,
    pins: &Pins,
) -> Result<config::WrittenPipeline, CommandError> {
    let components = located.placed.iter().filter_map(|placed| {
        let path = pins.paths.get(&placed.component.name)?;
        Some((&placed.component, path.as_path()))
    });
    let mut written = config::write(pipeline, components).map_err(|error| {
        CommandError::usage(error).hint("let the command read it from a variable in `pass_env`")
    })?;
    leave_out_strangers(&mut written.value, pins);
    Ok(written)
}

/// Takes the needs of components that are not in the plan out of it: a pipeline's file cannot name
/// them.
fn leave_out_strangers(pipeline: &mut serde_json::Value, pins: &Pins) {
    let components = pipeline["component"].as_array_mut();
    for component in components.into_iter().flatten() {
        if let Some(needs) = component
            .get_mut("needs")
            .and_then(|one| one.as_array_mut())
        {
            needs.retain(|need| {
                need.as_str()
                    .is_some_and(|name| pins.paths.contains_key(name))
            });
        }
    }
}

/// Returns the change with its commit: that of the repository of its project.
fn change(
    named: Option<&PatchSetName>,
    sources: &BTreeMap<String, String>,
    revisions: &BTreeMap<String, String>,
) -> Result<Option<PlannedChange>, CommandError> {
    let Some(named) = named else { return Ok(None) };
    let refuse = |why: &str| {
        CommandError::usage(format!(
            "--change {},{}: {why}",
            named.number, named.patch_set
        ))
        .hint("name the project: --change PROJECT~NUMBER,PATCHSET")
    };
    let is_of = |url: &str, project: &str| {
        let url = url.trim_end_matches(".git").trim_end_matches('/');
        url == project
            || url.ends_with(&format!("/{project}"))
            || url.ends_with(&format!(":{project}"))
    };
    let fitting = revisions
        .iter()
        .filter(|(component, _)| match &named.project {
            None => true,
            Some(project) => (sources.get(*component)).is_some_and(|url| is_of(url, project)),
        });
    let mut fitting: Vec<_> = fitting
        .map(|(component, sha)| (sources.get(component), sha))
        .collect();
    fitting.sort();
    fitting.dedup();
    let [(url, sha)] = fitting.as_slice() else {
        return Err(match fitting.len() {
            0 => refuse("no component is of this project"),
            _ => refuse("several repositories are planned"),
        });
    };
    let last = |url: &&String| url.rsplit(['/', ':']).next().map(str::to_owned);
    let project = named
        .project
        .clone()
        .or_else(|| url.as_ref().and_then(last));
    Ok(Some(PlannedChange {
        project: project.ok_or_else(|| refuse("its repository has no URL"))?,
        number: named.number,
        patch_set: named.patch_set,
        sha: (*sha).clone(),
    }))
}
