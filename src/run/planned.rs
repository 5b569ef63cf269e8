//! Plans the jobs of an open workspace.

use std::collections::BTreeSet;

use super::opened::Opened;
use super::request::RunRequest;
use super::source::Source;
use super::{durations, one_case, rerun_failed, store, strict};
use crate::config::Pipeline;
use crate::event::{Notice, Since};
use crate::model::CommandError;
use crate::plan;
use crate::plan::{Plan, Portion, ShardCount, balance};
use crate::workspace::{Trust, Workspace};

/// A run that is ready to begin.
pub(super) struct Planned {
    /// The source of the run. Dropping it removes a checkout.
    pub source: Source,
    /// The resolved pipeline.
    pub pipeline: Pipeline,
    /// The components with their directories.
    pub workspace: Workspace,
    /// The jobs.
    pub plan: Plan,
    /// The decisions of `--since`, if it was given.
    pub since: Option<Since>,
    /// True if components run in some of their steps only.
    pub has_some_steps: bool,
    /// The id of the run whose failures run again and a notice that lists them, with
    /// `--rerun-failed`.
    pub rerun_of: Option<(String, Notice)>,
}

/// Plans the jobs. With `--rerun-failed`, it keeps only the failures of the last run, with `--case`
/// only the cases that match. The reports of that run are in the named directory or in the store.
pub(super) fn plan(opened: Opened, request: &RunRequest) -> Result<Planned, CommandError> {
    let environment = &request.environment;
    let Opened {
        source,
        pipeline,
        mut workspace,
        selection,
        since,
    } = opened;
    let mut plan = Plan::default();
    if since.is_none() || !selection.components.is_empty() {
        plan = plan::build(&pipeline, &workspace, &selection, environment)?;
        let kept = store::kept(environment);
        plan.expect(&durations::durations(&kept, &workspace.root));
    }
    if let Some((index, count)) = request.slice {
        plan = slice(plan, index, count);
    }
    if plan.jobs.is_empty() && !since.as_ref().is_some_and(Since::is_empty) {
        let said = "nothing selected: none of the components has one of the steps";
        return Err(CommandError::nothing_to_do(said));
    }
    if let (Some(pattern), false) = (&request.case, plan.jobs.is_empty()) {
        let directories = store::candidates(request.reports.directory.as_deref(), environment)?;
        // Names that strict jobs could have written choose nothing.
        let is_believed =
            strict::believe(&plan, &workspace.root, &directories, "--case", environment).is_ok();
        let last = is_believed
            .then(|| one_case::last_run(&workspace.root, &directories))
            .flatten();
        let has_steps = selection.has_some_steps();
        let (narrowed, notice) = one_case::narrow(plan, pattern, has_steps, last.as_ref())?;
        plan = narrowed;
        workspace.notices.extend(notice);
    }
    let mut rerun_of = None;
    if request.rerun_failed && !plan.jobs.is_empty() {
        let directories = store::candidates(request.reports.directory.as_deref(), environment)?;
        strict::believe(
            &plan,
            &workspace.root,
            &directories,
            "--rerun-failed",
            environment,
        )?;
        let (failed, id, notice) = rerun_failed::failed(plan, &workspace.root, &directories)?;
        plan = failed;
        rerun_of = Some((id, notice));
    }
    Ok(Planned {
        source,
        pipeline,
        workspace,
        plan,
        since,
        has_some_steps: selection.has_some_steps(),
        rerun_of,
    })
}

/// Keeps the jobs of one of so many parts.
fn slice(mut plan: Plan, index: usize, count: usize) -> Plan {
    let mut portions: Vec<_> = plan.jobs.iter().map(Portion::of).collect();
    portions.iter_mut().for_each(|one| one.job.estimate = None);
    let shards = balance(&portions, ShardCount::Shards(count));
    let kept = shards.get(index).into_iter().flat_map(|one| &one.jobs);
    let kept: BTreeSet<_> = kept.map(|job| &job.id).collect();
    plan.jobs.retain(|job| kept.contains(&job.id));
    plan
}

impl Planned {
    /// Restores the builds of earlier runs that this run may trust. `author` is the account that
    /// owns the commits, where that matters.
    pub(super) fn with_builds(mut self, author: Option<&str>) -> Self {
        let trust = trust(&self.plan, author);
        let notices = self.source.bring_builds(&trust);
        self.workspace.notices.extend(notices);
        self
    }
}

/// Returns the trust of the run. One strict job decides it, because it can write to the builds that
/// the others use.
fn trust(plan: &Plan, author: Option<&str>) -> Trust {
    match (plan.strict_jobs().next().is_some(), author) {
        (false, _) => Trust::of_the_user(),
        (true, Some(author)) => Trust::of_author(author),
        (true, None) => Trust::of_nobody(),
    }
}
