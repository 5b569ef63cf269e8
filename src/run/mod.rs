//! One run, from the request to its result.
//!
//! ```text
//! RunRequest ─▶ Source ─▶ Pipeline ─▶ Opened ─▶ Planned ─▶ Session ─▶ Ended ─▶ RunResult
//! request       source    pipeline    planned   planned    session    session  finish
//! ```
//! Each value is made by one function from the one before and passed on; none is gone back to.
//! `carry_out` alone holds the line together:
//!
//! 1. `request`: the request, made by the command line, a push or a hook.
//! 2. `source`: the work tree, or a checkout of a revision (`depends` adds what its commits name).
//! 3. `pipeline`: the named pipeline, or the one found in the source.
//! 4. `planned`: the workspace (`since` keeps the changed components), then the jobs (`durations`
//!    orders them, `rerun_failed` keeps the failures). Jobs that passed before leave the plan
//!    (`crate::stamp::recorder`).
//! 5. `session`: a run from its first event to the end of its jobs, new or continued (`resume`).
//! 6. `finish`: reports, summary, exit code; `prune` removes runs that exceed the limits.

pub(crate) mod depends;
mod dry_run;
mod durations;
mod fingerprint;
mod finish;
pub(crate) mod pipeline;
mod planned;
mod prune;
pub(crate) mod report_directory;
mod request;
mod rerun_failed;
mod resume;
mod session;
mod show;
mod since;
mod source;
pub(crate) mod store;

use crate::dirs;
use crate::model::{CommandError, ExitCode};
use crate::stamp::recorder::{StampRecorder, StampedRun};

pub(crate) use finish::RunResult;
pub use prune::KeepLimits;
pub use request::{CiChoice, Display, Format, ReportPaths, RunRequest, RunSettings};

use finish::OutputFiles;
use planned::Planned;
use session::Session;
use show::Screen;
use source::Source;

/// Carries out the run of a request.
pub(crate) fn carry_out(request: &RunRequest) -> Result<RunResult, CommandError> {
    let (selection, environment) = (&request.selection, &request.environment);
    let (asked, overrides) = (request.pipeline.as_deref(), &request.settings.overrides);
    let (revision, pushed_to) = (request.revision.as_deref(), request.pushed_to.as_deref());
    let alone = pushed_to.is_some();
    let mut source = Source::open(&request.directory, revision, alone, selection, environment)?;
    let mut pipeline = pipeline::load(&source, asked, overrides, pushed_to, environment)?;
    source.complete(&mut pipeline, environment)?;
    let since = request.since.as_deref();
    let opened = planned::open(source, pipeline, selection.clone(), since, environment)?;
    let reports = request.reports.directory.as_deref();
    let mut planned = planned::plan(opened, request.rerun_failed, reports, environment)?;
    if request.dry_run {
        return Ok(RunResult::without_jobs(dry_run::print(&planned)?));
    }
    planned = planned.with_builds(request.author.as_deref());
    let recorder = recorder(request, &planned);
    let mut stamps = Vec::new();
    if pushed_to.is_some() {
        (planned.plan, stamps) = recorder.without_passed(planned.plan, environment);
        if planned.plan.jobs.is_empty() && !stamps.is_empty() {
            recorder.record_job_lists();
            return Ok(RunResult::without_jobs(ExitCode::Success).with_stamps(stamps));
        }
    }
    let screen = Screen::new(request.settings.display, environment);
    let files = OutputFiles::find(&screen, &request.reports, environment)?;
    let session = Session::open(planned, request, &screen)?;
    let (planned, ended) = session.carry_out()?;
    let (root, keep) = (&planned.workspace.root, request.settings.keep);
    let result = finish::finish(ended, root, &screen, &files, keep, environment);
    // Looks at the trees of the run, so it comes before a checkout is removed.
    recorder.record(&result.run);
    drop(planned);
    Ok(result.with_stamps(stamps))
}

/// Seals the repositories before the jobs. Partial and resumed runs get no stamps.
fn recorder(request: &RunRequest, planned: &Planned) -> StampRecorder {
    if request.resume || planned.rerun_of.is_some() {
        return StampRecorder::default();
    }
    StampRecorder::begin(&StampedRun {
        pipeline: &planned.pipeline,
        workspace: &planned.workspace,
        plan: &planned.plan,
        started_in: planned.source.started_in(),
        directory: planned.source.directory(),
        user_path: &|path| planned.source.as_user_knows(path),
        asked: request.pipeline.as_deref(),
        overrides: &request.settings.overrides,
        pushed_to: request.pushed_to.as_deref(),
        author: request.author.as_deref(),
        has_all_steps: request.selection.steps.is_empty() && planned.since.is_none(),
        state: dirs::state(&request.environment),
        environment: &request.environment,
    })
}
