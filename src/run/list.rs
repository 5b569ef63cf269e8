//! `kata-ci list`: what a pipeline has, and what its last run found.

use std::collections::BTreeMap;

use serde::Serialize;

use super::request::RunRequest;
use super::source::Source;
use super::{one_case, opened, pipeline, planned, store};
use crate::model::{CaseStatus, CommandError, Expect, JobOutcome, Readiness};
use crate::outcome::Run;

/// The components and steps of a pipeline. Its fields are a contract: add, never rename.
#[derive(Debug, Serialize)]
pub(crate) struct Listing {
    version: u32,
    /// The pipeline.
    pub pipeline: String,
    /// The absolute path of the workspace.
    pub workspace: String,
    /// The steps in order.
    pub steps: Vec<ListedStep>,
    /// The components in order.
    pub components: Vec<ListedComponent>,
    /// The id of the run whose cases are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The cases of the last run, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<Vec<ListedCase>>,
}

/// A step.
#[derive(Debug, Serialize)]
pub(crate) struct ListedStep {
    /// The name.
    pub name: String,
    /// The command as a person would type it.
    pub command: String,
    /// The evidence that it must show.
    pub expect: Expect,
    /// The steps of the same component that come first.
    pub needs: Vec<String>,
}

/// A component.
#[derive(Debug, Serialize)]
pub(crate) struct ListedComponent {
    /// The name.
    pub name: String,
    /// The absolute path.
    pub directory: String,
    /// The steps that it has.
    pub steps: Vec<String>,
    /// The components whose jobs come first.
    pub needs: Vec<String>,
    /// The requirements.
    pub requires: Vec<String>,
    /// True if the requirements are met.
    pub is_ready: bool,
    /// The requirement that is not met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The outcomes of its jobs in the last run, by step.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub last: BTreeMap<String, JobOutcome>,
}

/// A case of the last run.
#[derive(Debug, Serialize)]
pub(crate) struct ListedCase {
    /// The job.
    pub job: String,
    /// The package; empty for none.
    pub package: String,
    /// The name.
    pub name: String,
    /// The status.
    pub status: CaseStatus,
    /// The reason why it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Makes the list of a request, with the cases of the last run if they are asked for.
pub(crate) fn list(request: &RunRequest, has_cases: bool) -> Result<Listing, CommandError> {
    let mut source = Source::open(request)?;
    let pipeline = pipeline::load(&mut source, request)?;
    let opened = opened::open(source, pipeline, request)?;
    let planned = planned::plan(opened, request)?;
    let root = planned.workspace.root.clone();
    let reports = request.reports.directory.as_deref();
    let directories = store::candidates(reports, &request.environment)?;
    let last = one_case::last_run(&root, &directories);
    let run = (last.as_ref()).and_then(|last| Some(last.started.as_ref()?.run_id.clone()));
    Ok(Listing {
        version: 1,
        pipeline: planned.pipeline.name.clone(),
        workspace: root.display().to_string(),
        steps: steps(&planned),
        components: components(&planned, last.as_ref()),
        run: run.filter(|_| has_cases),
        cases: has_cases.then(|| cases(&planned, last.as_ref())),
    })
}

fn steps(planned: &planned::Planned) -> Vec<ListedStep> {
    let steps = planned.pipeline.steps.iter();
    steps
        .map(|step| ListedStep {
            name: step.name.clone(),
            command: step.command.to_string(),
            expect: step.expect,
            needs: step.needs.clone(),
        })
        .collect()
}

fn components(planned: &planned::Planned, last: Option<&Run>) -> Vec<ListedComponent> {
    let is_planned = |name: &str| (planned.plan.jobs.iter()).any(|job| job.id.component() == name);
    let found =
        (planned.workspace.components.iter()).filter(|found| is_planned(&found.component.name));
    found
        .map(|found| {
            let component = &found.component;
            let jobs =
                (planned.plan.jobs.iter()).filter(|job| job.id.component() == component.name);
            let (problem, fix) = match &found.readiness {
                Readiness::Ready => (None, None),
                Readiness::Unmet { what, fix } | Readiness::Broken { what, fix } => {
                    (Some(what.clone()), Some(fix.clone()))
                }
            };
            let outcome = |id| last.and_then(|run| run.jobs.get(id)?.outcome());
            ListedComponent {
                name: component.name.clone(),
                directory: found.directory.display().to_string(),
                steps: jobs.clone().map(|job| job.id.step().to_owned()).collect(),
                needs: component.needs.clone(),
                requires: component.requires.iter().map(ToString::to_string).collect(),
                is_ready: problem.is_none(),
                problem,
                fix,
                last: jobs
                    .filter_map(|job| Some((job.id.step().to_owned(), outcome(&job.id)?)))
                    .collect(),
            }
        })
        .collect()
}

fn cases(planned: &planned::Planned, last: Option<&Run>) -> Vec<ListedCase> {
    let jobs = planned.plan.jobs.iter();
    let results = jobs.filter_map(|job| last?.jobs.get(&job.id));
    results
        .flat_map(|result| result.cases.iter())
        .map(|case| ListedCase {
            job: case.job.to_string(),
            package: case.package.clone(),
            name: case.name.clone(),
            status: case.status,
            message: case.message.clone(),
        })
        .collect()
}
