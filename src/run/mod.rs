//! One run, from the request to its result.
//!
//! ```text
//! RunRequest ─▶ Source ─▶ Pipeline ─▶ Opened ─▶ Planned ─▶ Session ─▶ JobsEnded ─▶ RunResult
//! request       source    pipeline    opened    planned    session    session      finish
//! ```
//! `carry_out` alone calls the stations, in this order. Each takes the value before it and returns
//! the next one. All but station 7 take the request as well:
//!
//! 1. `request`: the request, made by the command line, a push or a hook.
//! 2. `source`: the work tree, or a checkout of a revision.
//! 3. `pipeline`: the named pipeline, or the one found in the source. `depends` adds to the source
//!    what its commits name.
//! 4. `opened`: the open workspace and the selection (`since` keeps the changed components).
//! 5. `planned`: the jobs (`durations` orders them, `rerun_failed` keeps the failures). Here a
//!    `--dry-run` ends (`dry_run`). Then the plan gets kept builds, and loses the jobs of a push
//!    that passed before; if none is left, the line ends.
//! 6. `session`: the run from its first event on, new or continued (`resume`). `repeat` names the
//!    command that repeats it.
//! 7. `session`: the run whose jobs have ended, and the plan, since dropping it removes a checkout.
//! 8. `finish`: reports, summary, exit code; `prune` removes runs that exceed the limits.
//!
//! `Source` travels inside of the values; stations 3 and 4 and the kept builds ask it. Beside the
//! line go the stamp recorder (`crate::stamp::recorder`), the screen (`show`), the files outside of
//! the report directory (`output_files`), and the notes on strict jobs (`strict`): these refuse a
//! work tree in stations 2 and 4, an earlier run in 5 and 6, and are kept around the jobs.

mod compare;
pub(crate) mod depends;
mod dry_run;
mod durations;
mod fingerprint;
mod finish;
mod imported;
mod list;
mod look;
mod make_plan;
mod names;
mod one_case;
mod opened;
mod output_files;
mod pins;
pub(crate) mod pipeline;
mod plan_sources;
mod planned;
mod prune;
mod repeat;
pub(crate) mod report_directory;
mod request;
mod rerun_failed;
mod resume;
mod review_pipeline;
mod session;
mod shard;
mod show;
mod since;
mod source;
pub(crate) mod store;
mod strict;

use std::collections::BTreeSet;

use crate::dirs;
use crate::model::{CommandError, ExitCode};
use crate::outcome::Run;
use crate::plan::Plan;
use crate::say;
use crate::stamp::recorder::{StampRecorder, StampedRun};

pub(crate) use finish::RunResult;
pub use imported::DurationSource;
pub(crate) use list::{Listing, list};
pub(crate) use look::look;
pub(crate) use make_plan::{MadePlan, make_plan};
pub use make_plan::{PatchSetName, PlanRequest};
pub(crate) use names::{Names, kept_ids, names};
pub use prune::KeepLimits;
pub(crate) use report_directory::DIAG_DIRECTORY;
pub use request::{
    CiChoice, Companion, Display, Format, PlannedShard, ReportPaths, Reviewed, RunRequest,
    RunSettings,
};
pub use shard::ShardRequest;
pub(crate) use shard::{carry_out_shard, plans_directory, read_plan};

use output_files::OutputFiles;
use planned::Planned;
use session::Session;
use show::Screen;
use source::Source;

/// Carries out the run of a request, and its comparison with a run without isolation.
pub(crate) fn carry_out(request: &RunRequest) -> Result<RunResult, CommandError> {
    let result = carry_out_once(request, None)?;
    if request.compare_isolation {
        compare::compare(request, &result, carry_out_once);
    }
    Ok(result)
}

/// Carries out one run. If an earlier run `failed` is given, only its failures run.
fn carry_out_once(request: &RunRequest, failed: Option<&Run>) -> Result<RunResult, CommandError> {
    let mut source = Source::open(request)?;
    let pipeline = pipeline::load(&mut source, request)?;
    let opened = opened::open(source, pipeline, request)?;
    let mut planned = planned::plan(opened, request)?;
    if let Some(failed) = failed {
        rerun_failed::keep(&mut planned.plan, failed);
    }
    if request.settings.display.verbose {
        explain_held_back(&planned.plan);
    }
    if request.dry_run {
        return Ok(RunResult::without_jobs(dry_run::print(&planned)?));
    }
    planned = planned.with_builds(request.author.as_deref());
    let left = strict::notice(&planned.plan, &planned.workspace, &request.environment);
    planned.workspace.notices.extend(left);
    let recorder = match failed {
        None => recorder(request, &planned),
        Some(_) => StampRecorder::default(),
    };
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
    let noted = strict::begin(
        &planned.plan,
        &planned.workspace.root,
        planned.source.is_checkout(),
        &request.environment,
    )?;
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

/// Lists the variables of the caller that jobs do not get.
fn explain_held_back(plan: &Plan) {
    let jobs = plan.jobs.iter();
    let names: BTreeSet<&str> = jobs
        .flat_map(|job| job.held_back.iter().map(String::as_str))
        .collect();
    let names: Vec<_> = names.into_iter().collect();
    say::aside(format_args!(
        "held back from jobs: {} (`pass_env` lets variables through)",
        match names.is_empty() {
            true => "nothing".to_owned(),
            false => names.join(", "),
        }
    ));
}

/// Seals the repositories before the jobs. Partial and resumed runs get no stamps.
fn recorder(request: &RunRequest, planned: &Planned) -> StampRecorder {
    let is_part = request.case.is_some() || request.slice.is_some() || request.shard.is_some();
    if request.resume || planned.rerun_of.is_some() || is_part {
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
        has_all_steps: !planned.has_some_steps && planned.since.is_none(),
        state: dirs::state(&request.environment),
        environment: &request.environment,
    })
}
