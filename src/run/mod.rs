//! One run, from the request to its result.
//!
//! ```text
//! RunRequest ─▶ Source ─▶ Pipeline ─▶ Opened ─▶ Planned ─▶ Session ─▶ JobsEnded ─▶ RunResult
//! request       source    pipeline    planned   planned    session    session      finish
//! ```
//! `carry_out` alone calls the stations, in this order. Each takes the value before it and the
//! request, and returns the next value:
//!
//! 1. `request`: the request, made by the command line, a push or a hook.
//! 2. `source`: the work tree, or a checkout of a revision.
//! 3. `pipeline`: the named pipeline, or the one found in the source. `depends` adds to the source
//!    what its commits name.
//! 4. `planned`: the open workspace and the selection (`since` keeps the changed components).
//! 5. `planned`: the jobs (`durations` orders them, `rerun_failed` keeps the failures).
//! 6. `session`: the run from its first event on, new or continued (`resume`). `repeat` names the
//!    command that repeats it.
//! 7. `session`: the run whose jobs have ended.
//! 8. `finish`: reports, summary, exit code; `prune` removes runs that exceed the limits.
//!
//! `Source` travels inside of the values, and stations 3 to 6 ask it. Three more values accompany
//! the line from before the session to its end: the stamp recorder (`crate::stamp::recorder`, which
//! takes jobs that passed before out of the plan), the screen (`show`) and the files outside of the
//! report directory (`output_files`).

pub(crate) mod depends;
mod dry_run;
mod durations;
mod fingerprint;
mod finish;
mod list;
mod one_case;
mod output_files;
pub(crate) mod pipeline;
mod planned;
mod prune;
mod repeat;
pub(crate) mod report_directory;
mod request;
mod rerun_failed;
mod resume;
mod session;
mod show;
mod since;
mod source;
pub(crate) mod store;
mod strict;

use crate::dirs;
use crate::model::{CommandError, ExitCode};
use crate::stamp::recorder::{StampRecorder, StampedRun};

pub(crate) use finish::RunResult;
pub(crate) use list::{Listing, list};
pub use prune::KeepLimits;
pub use request::{CiChoice, Display, Format, ReportPaths, RunRequest, RunSettings};

use output_files::OutputFiles;
use planned::Planned;
use session::Session;
use show::Screen;
use source::Source;

/// Carries out the run of a request.
pub(crate) fn carry_out(request: &RunRequest) -> Result<RunResult, CommandError> {
    strict::check([request.directory.as_path()], &request.environment)?;
    let mut source = Source::open(request)?;
    let pipeline = pipeline::load(&mut source, request)?;
    let opened = planned::open(source, pipeline, request)?;
    let mut planned = planned::plan(opened, request)?;
    if request.dry_run {
        return Ok(RunResult::without_jobs(dry_run::print(&planned)?));
    }
    planned = planned.with_builds(request);
    let left = strict::notice(&planned.plan, &planned.workspace, &request.environment);
    planned.workspace.notices.extend(left);
    let recorder = recorder(request, &planned);
    let mut stamps = Vec::new();
    if request.pushed_to.is_some() {
        (planned.plan, stamps) = recorder.without_passed(planned.plan, &request.environment);
        if planned.plan.jobs.is_empty() && !stamps.is_empty() {
            recorder.record_job_lists();
            return Ok(RunResult::without_jobs(ExitCode::Success).with_stamps(stamps));
        }
    }
    let screen = Screen::new(request.settings.display, &request.environment);
    let files = OutputFiles::find(request, &screen)?;
    let noted = strict::begin(&planned.plan, &planned.source, &request.environment)?;
    let session = Session::open(planned, request, &screen)?;
    let (planned, ended) = session.carry_out()?;
    drop(noted);
    let root = &planned.workspace.root;
    let result = finish::finish(ended, root, &screen, &files, request);
    // Looks at the trees of the run, so it comes before a checkout is removed.
    recorder.record(&result.run);
    drop(planned);
    Ok(result.with_stamps(stamps))
}

/// Seals the repositories before the jobs. Partial and resumed runs get no stamps.
fn recorder(request: &RunRequest, planned: &Planned) -> StampRecorder {
    if request.resume || planned.rerun_of.is_some() || request.case.is_some() {
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
