//! A session: a run from its first event to the end of its jobs, new or resumed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use nix::unistd::gethostname;

use super::fingerprint;
use super::planned::Planned;
use super::repeat;
use super::report_directory::ReportDirectory;
use super::request::RunRequest;
use super::resume;
use super::show::Screen;
use crate::config;
use crate::dirs;
use crate::event::{Event, Journal, Notice, RunResumed, RunShard, RunStarted, Since};
use crate::exec;
use crate::exec::{IsolationPlan, RunOptions, RunPaths};
use crate::model::CommandError;
use crate::plan::Plan;
use crate::report::Live;

/// Capacity of the channel of events to the thread that draws. Jobs wait if it is full.
const EVENTS_IN_FLIGHT: usize = 1024;

/// A run that has begun.
pub(super) struct Session {
    planned: Planned,
    directory: ReportDirectory,
    live: Live,
    options: RunOptions,
    /// Seconds that the run took before it was interrupted.
    earlier: f64,
    clock: Instant,
}

/// A run whose jobs have ended.
pub(super) struct JobsEnded {
    /// The directory of its reports.
    pub directory: ReportDirectory,
    /// Its events and reporters.
    pub live: Live,
    /// The signal that ended it, if any.
    pub signal: Option<i32>,
    /// Seconds that it took, including those before an interruption.
    pub seconds: f64,
}

impl Session {
    /// Begins the run, or resumes the interrupted one.
    pub(super) fn open(
        planned: Planned,
        request: &RunRequest,
        screen: &Screen,
    ) -> Result<Self, CommandError> {
        match request.resume {
            true => Self::resume(planned, request, screen),
            false => Self::begin(planned, request, screen),
        }
    }

    fn begin(
        planned: Planned,
        request: &RunRequest,
        screen: &Screen,
    ) -> Result<Self, CommandError> {
        let clock = Instant::now();
        let run_id = run_id();
        let isolation = isolation(&planned)?;
        let named = request.reports.directory.as_deref();
        let directory = match named {
            Some(path) => ReportDirectory::named(path)?,
            None => ReportDirectory::default(&run_id, &request.environment)?,
        };
        let options = run_options(request, &planned, &directory, isolation);
        let journal = Journal::create(&directory.path.join("events.jsonl"));
        let journal = journal.map_err(CommandError::machine)?;
        if named.is_none() {
            directory.become_latest()?;
        }
        let mut live = Live::new(Some(journal), screen.reporters(&directory.held));
        let started = started(run_id, request, &planned, &directory, &options);
        live.take(Event::RunStarted(started));
        Ok(Self {
            planned,
            directory,
            live,
            options,
            earlier: 0.0,
            clock,
        })
    }

    fn resume(
        planned: Planned,
        request: &RunRequest,
        screen: &Screen,
    ) -> Result<Self, CommandError> {
        let clock = Instant::now();
        let named = request.reports.directory.as_deref();
        let (planned, interrupted) = resume::take_over(planned, named, &request.environment)?;
        let isolation = isolation(&planned)?;
        let kept = interrupted.done.len();
        let options = RunOptions {
            done: interrupted.done,
            ..run_options(request, &planned, &interrupted.directory, isolation)
        };
        resume::check_isolation(&interrupted.run, &options)?;
        interrupted.directory.reopen()?;
        let mut live = Live::resumed(
            interrupted.journal,
            interrupted.run,
            interrupted.next,
            screen.reporters(&interrupted.directory.held),
        );
        live.take(Event::RunResumed(RunResumed {
            kept,
            left: planned.plan.jobs.len() - kept,
            parallel: options.parallel,
        }));
        Ok(Self {
            planned,
            directory: interrupted.directory,
            live,
            options,
            earlier: interrupted.seconds,
            clock,
        })
    }

    /// Runs the jobs to their end. Returns the plan as well, because dropping it removes a
    /// checkout.
    pub(super) fn carry_out(mut self) -> Result<(Planned, JobsEnded), CommandError> {
        let signal = follow(&mut self.live, &self.planned.plan, &self.options)?;
        let ended = JobsEnded {
            directory: self.directory,
            live: self.live,
            signal,
            seconds: self.earlier + self.clock.elapsed().as_secs_f64(),
        };
        Ok((self.planned, ended))
    }
}

/// Runs the plan on a thread of its own while this one draws. Returns the signal that ended the
/// run, if any.
fn follow(live: &mut Live, plan: &Plan, options: &RunOptions) -> Result<Option<i32>, CommandError> {
    let (control, controlled) = crossbeam_channel::unbounded();
    let _signals = exec::signals::listen(control)
        .map_err(|error| CommandError::machine(format!("signals cannot be caught: {error}")))?;
    let (events, received) = crossbeam_channel::bounded(EVENTS_IN_FLIGHT);
    thread::scope(|scope| {
        let runner = thread::Builder::new()
            .name("run".to_owned())
            .spawn_scoped(scope, move || {
                exec::run(plan, options, &events, &controlled)
            })
            .map_err(|error| CommandError::machine(format!("a thread for the jobs: {error}")))?;
        live.follow(&received);
        Ok(runner
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn isolation(planned: &Planned) -> Result<IsolationPlan, CommandError> {
    IsolationPlan::of(&planned.plan, &exec::own_program()).map_err(CommandError::unavailable)
}

fn run_options(
    request: &RunRequest,
    planned: &Planned,
    directory: &ReportDirectory,
    isolation: IsolationPlan,
) -> RunOptions {
    let view = planned.workspace.view.as_ref().map(|view| view.path());
    let paths = RunPaths {
        workspace: &planned.workspace.root,
        view: view.or(planned.source.gopath()),
        reports: &directory.path,
        own: &own_directories(request),
    };
    let ci = request.environment.get("CI");
    RunOptions {
        isolated: isolation.settle(&planned.plan, &paths),
        parallel: request.settings.jobs.unwrap_or_else(processors),
        max_fail: request.max_fail,
        done: BTreeMap::new(),
        logs: directory.logs.clone(),
        written_meanwhile: directory.written_meanwhile(),
        require_all: request.settings.require_all || config::is_set(ci),
        program: exec::own_program(),
    }
}

/// Returns the directories that hold kata-ci's own state, cache and configuration, and what else of
/// the operator's is to be hidden in a review.
fn own_directories(request: &RunRequest) -> Vec<PathBuf> {
    let environment = &request.environment;
    let hidden = request
        .reviewed
        .iter()
        .flat_map(|one| one.hidden.iter().cloned());
    (dirs::state(environment).into_iter())
        .chain(hidden)
        .chain(dirs::config(environment))
        .chain([dirs::cache(environment)])
        .collect()
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Returns a run id of time and process: unique on a machine, and sorted by age.
fn run_id() -> String {
    format!(
        "{}-{}",
        crate::clock::now().strftime("%Y%m%dT%H%M%SZ"),
        std::process::id()
    )
}

/// Returns the first event, which describes the run.
fn started(
    run_id: String,
    request: &RunRequest,
    planned: &Planned,
    directory: &ReportDirectory,
    options: &RunOptions,
) -> RunStarted {
    let workspace = &planned.workspace;
    let fingerprint = fingerprint::take(planned, &request.environment, &run_id);
    let machine = gethostname().ok();
    // Several nodes of an engine can be one host.
    let named = |name: &str| request.environment.variable(name).map(ToOwned::to_owned);
    let of_engine = named("KATACI_WORKER").or_else(|| named("SLURMD_NODENAME"));
    RunStarted {
        run_id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline: planned.pipeline.name.clone(),
        workspace: workspace.root.display().to_string(),
        components: unique(planned.plan.jobs.iter().map(|job| job.id.component())),
        steps: unique(planned.plan.jobs.iter().map(|job| job.id.step())),
        jobs: (planned.plan.jobs.iter())
            .map(|job| job.id.clone())
            .collect(),
        parallel: options.parallel,
        fingerprint: Some(Box::new(fingerprint)),
        revisions: workspace
            .components
            .iter()
            .filter_map(|found| Some((found.component.name.clone(), found.revision.clone()?)))
            .collect(),
        again: repeat::command(request, planned.source.started_in()),
        isolation: options.isolated.overall(),
        since: planned.since.clone(),
        rerun_of: planned.rerun_of.as_ref().map(|(id, _)| id.clone()),
        case: request.case.as_ref().map(ToString::to_string),
        notices: notices(planned, directory),
        machine: of_engine
            .or(machine)
            .map(|name| name.to_string_lossy().into_owned()),
        shard: request.shard.as_ref().map(|shard| RunShard {
            plan_id: shard.plan.plan_id.clone(),
            index: shard.index,
            attempt: shard.attempt,
        }),
    }
}

/// Returns the notices to show before the jobs.
fn notices(planned: &Planned, directory: &ReportDirectory) -> Vec<Notice> {
    let mut notices = planned.workspace.notices.clone();
    notices.extend(planned.rerun_of.iter().map(|(_, notice)| notice.clone()));
    notices.extend(planned.since.iter().flat_map(Since::notices));
    if directory.replaced {
        notices.push(Notice::warning(format!(
            "replaces the earlier run in {}",
            directory.path.display()
        )));
    }
    notices
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.fold(Vec::new(), |mut unique, name| {
        if !unique.iter().any(|known| known == name) {
            unique.push(name.to_owned());
        }
        unique
    })
}
