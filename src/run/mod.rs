//! `kata-ci run`: from the arguments to a plan, the run itself, its reports and its exit code.

pub(crate) mod depends;
pub(crate) mod dry_run;
pub(crate) mod durations;
pub(crate) mod failure;
pub(crate) mod fingerprint;
pub(crate) mod pipeline;
pub(crate) mod prepare;
pub(crate) mod prune;
pub(crate) mod report_directory;
pub(crate) mod rerun_failed;
pub(crate) mod resume;
pub(crate) mod rev;
pub(crate) mod show;
pub(crate) mod since;
pub(crate) mod stamp_recorder;
pub(crate) mod started;
pub(crate) mod store;

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Instant;

use super::cli::arguments::{Arguments, RunArguments};
use crate::config;
use crate::event::{Event, Journal, RunFinished, RunResumed, Since};
use crate::exec;
use crate::exec::{IsolationPlan, RunPaths, Settings};
use crate::model::ExitCode;
use crate::outcome::Run;
use crate::plan::Plan;
use crate::report;
use crate::report::ci::Published;
use crate::report::model::Document;
use crate::report::{Followed, Live};
use crate::stamp::Stamp;
use crate::workspace::Aside;
use failure::Failure;
use prepare::prepare;
pub(crate) use prepare::{Prepared, overrides};
use report_directory::ReportDirectory;
use show::Screen;
use stamp_recorder::StampRecorder;
use started::{run_id, started};

/// Events that may wait for the one thread that draws; more than that and the jobs wait for it.
const EVENTS_IN_FLIGHT: usize = 1024;

/// A run that is over.
pub(crate) struct RunResult {
    pub code: i32,
    /// What its jobs came to; nothing after `--dry-run`.
    pub run: Run,
    /// Of jobs that did not run again because they have passed before.
    pub stamps: Vec<Stamp>,
}

/// Runs, and returns the exit code.
pub(crate) fn call(arguments: &Arguments, run: &RunArguments) -> Result<i32, Failure> {
    carry_out(arguments, run).map(|over| over.code)
}

/// Runs.
pub(crate) fn carry_out(arguments: &Arguments, run: &RunArguments) -> Result<RunResult, Failure> {
    let mut prepared = prepare(arguments, run)?;
    let is_unaffected = prepared.since.as_ref().is_some_and(Since::is_empty);
    if prepared.plan.jobs.is_empty() && !is_unaffected {
        return Err(Failure::NothingToDo(
            "nothing selected: none of the components has one of the steps".to_owned(),
        ));
    }
    if run.dry_run {
        let code = dry_run::print(&prepared.pipeline, &prepared.plan, prepared.since.as_ref())?;
        let run = Run::default();
        return Ok(RunResult {
            code,
            run,
            stamps: Vec::new(),
        });
    }
    let stamping = StampRecorder::begin(&prepared, run, &overrides(run));
    let mut stamps = Vec::new();
    if run.pushed_to.is_some() {
        stamps = stamping.take_out(&mut prepared);
        if prepared.plan.jobs.is_empty() && !stamps.is_empty() {
            stamping.record_job_lists();
            let run = Run::default();
            return Ok(RunResult {
                code: 0,
                run,
                stamps,
            });
        }
    }
    if let Some(junit) = &run.junit {
        report::check_place(junit).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let clock = Instant::now();
    let screen = Screen::new(arguments, run, &prepared.environment);
    let mut begun = match run.resume {
        true => go_on(&screen, run, &mut prepared)?,
        false => begin(arguments, &screen, run, &prepared)?,
    };
    let signal = follow(&mut begun.live, &prepared.plan, &begun.settings)?;
    let seconds = begun.seconds + clock.elapsed().as_secs_f64();
    let over = finish(&screen, run, &prepared, begun, signal, seconds);
    stamping.record(&prepared, &over.run);
    Ok(with_stamps(over, stamps))
}

/// What passed before counts as passed: then it is not so that nothing was tested.
fn with_stamps(over: RunResult, stamps: Vec<Stamp>) -> RunResult {
    let nothing = over.code == ExitCode::NothingToDo.code() && !stamps.is_empty();
    RunResult {
        code: if nothing { 0 } else { over.code },
        stamps,
        ..over
    }
}

/// A run that has begun, or goes on.
struct Session {
    directory: ReportDirectory,
    settings: Settings,
    live: Live,
    /// Seconds that it took before.
    seconds: f64,
}

fn begin(
    arguments: &Arguments,
    screen: &Screen,
    options: &RunArguments,
    prepared: &Prepared,
) -> Result<Session, Failure> {
    let run_id = run_id();
    let decided = decide(prepared)?;
    let directory = match &options.report_dir {
        Some(path) => ReportDirectory::named(path)?,
        None => ReportDirectory::default(&run_id, &prepared.environment)?,
    };
    let settings = settings(options, prepared, &directory, decided);
    let journal = Journal::create(&directory.path.join("events.jsonl"))
        .map_err(|error| Failure::Machine(error.to_string()))?;
    if options.report_dir.is_none() {
        directory.become_latest()?;
    }
    let mut live = Live::new(Some(journal), screen.reporters(&directory.path));
    let started = started(run_id, arguments, options, prepared, &directory, &settings);
    live.take(Event::RunStarted(started));
    Ok(Session {
        directory,
        settings,
        live,
        seconds: 0.0,
    })
}

fn go_on(
    screen: &Screen,
    options: &RunArguments,
    prepared: &mut Prepared,
) -> Result<Session, Failure> {
    let interrupted = resume::take_over(options, prepared)?;
    let decided = decide(prepared)?;
    let kept = interrupted.done.len();
    let settings = Settings {
        done: interrupted.done,
        ..settings(options, prepared, &interrupted.directory, decided)
    };
    resume::check_isolation(&interrupted.run, &settings)?;
    let mut live = Live::resumed(
        interrupted.journal,
        interrupted.run,
        interrupted.next,
        screen.reporters(&interrupted.directory.path),
    );
    live.take(Event::RunResumed(RunResumed {
        kept,
        left: prepared.plan.jobs.len() - kept,
        parallel: settings.parallel,
    }));
    Ok(Session {
        directory: interrupted.directory,
        settings,
        live,
        seconds: interrupted.seconds,
    })
}

fn decide(prepared: &Prepared) -> Result<IsolationPlan, Failure> {
    IsolationPlan::of(&prepared.plan, &exec::own_program())
        .map_err(|unmet| Failure::Machine(unmet.to_string()))
}

/// Runs the plan on a thread of its own while this one draws; returns the signal that ended the run, if one did.
fn follow(live: &mut Live, plan: &Plan, settings: &Settings) -> Result<Option<i32>, Failure> {
    let (control, controlled) = crossbeam_channel::unbounded();
    let _signals = exec::signals::listen(control)
        .map_err(|error| Failure::Machine(format!("signals cannot be caught: {error}")))?;
    let (events, received) = crossbeam_channel::bounded(EVENTS_IN_FLIGHT);
    Ok(thread::scope(|scope| {
        let runner = scope.spawn(move || exec::run(plan, settings, &events, &controlled));
        live.follow(&received);
        runner
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }))
}

/// Ends the journal, writes the files and shows the summary. What could not be written turns a good end into an error.
fn finish(
    screen: &Screen,
    options: &RunArguments,
    prepared: &Prepared,
    begun: Session,
    signal: Option<i32>,
    seconds: f64,
) -> RunResult {
    let Session {
        directory,
        mut live,
        ..
    } = begun;
    let code = live.run().exit_code(signal);
    let code = if live.is_recorded() {
        code
    } else {
        code.at_least_an_error()
    };
    live.take(Event::RunFinished(RunFinished {
        exit: code.code(),
        seconds,
        signal,
    }));
    let Followed {
        run,
        journal_error,
        output_errors,
    } = live.finish();
    let document = report::from_run(&run, &directory.path);
    let mut file_errors =
        report::write_all(&run, &document, &directory.path, options.junit.as_deref());
    let published = publish(screen, prepared, &document, &directory.path);
    file_errors.extend(published.errors);
    let troubles: Vec<String> = (journal_error.iter().map(ToString::to_string))
        .chain(file_errors.iter().map(ToString::to_string))
        .chain(
            output_errors
                .iter()
                .map(|error| format!("the run could not be shown: {error}")),
        )
        .collect();
    screen.commands(&published.commands);
    let pruned = match signal {
        None => prune_earlier(screen, options, &directory.path),
        Some(_) => Vec::new(),
    };
    screen.summary(&run, &directory.path);
    for warning in published.warnings.iter().chain(&pruned) {
        anstream::eprintln!("warning: {warning}");
    }
    for trouble in &troubles {
        anstream::eprintln!("error: {trouble}");
    }
    let code = match troubles.is_empty() {
        true => code,
        false => code.at_least_an_error(),
    };
    RunResult {
        code: code.code(),
        run,
        stamps: Vec::new(),
    }
}

/// Removes runs that are kept no longer, says so, and returns what could not be removed. A directory that was named is not
/// among those that are kept.
fn prune_earlier(screen: &Screen, options: &RunArguments, own: &Path) -> Vec<String> {
    if options.report_dir.is_some() {
        return Vec::new();
    }
    let limits = prune::Limits {
        runs: options.keep_runs,
        days: options.keep_days,
    };
    let pruned = prune::prune(own, limits);
    for line in pruned.lines(limits) {
        screen.detail(&line);
    }
    pruned.errors
}

/// Gives the CI system what it reads.
fn publish(
    screen: &Screen,
    prepared: &Prepared,
    document: &Document,
    directory: &Path,
) -> Published {
    match &screen.system {
        Some(system) => report::ci::publish(
            system,
            document,
            &prepared.workspace.root,
            directory,
            &prepared.environment,
        ),
        None => Published::default(),
    }
}

fn settings(
    options: &RunArguments,
    prepared: &Prepared,
    directory: &ReportDirectory,
    decided: IsolationPlan,
) -> Settings {
    let view = prepared.workspace.view.as_ref().map(|view| view.path());
    let scene = RunPaths {
        workspace: &prepared.workspace.root,
        view: view.or(prepared.aside.as_ref().map(Aside::gopath)),
        reports: &directory.path,
    };
    Settings {
        isolated: decided.settle(&prepared.plan, &scene),
        parallel: options.jobs.unwrap_or_else(processors),
        max_fail: if options.fail_fast {
            Some(1)
        } else {
            options.max_fail
        },
        done: BTreeMap::new(),
        logs: directory.path.join("logs"),
        written_meanwhile: directory.written_meanwhile(),
        require_all: options.require_all || config::is_set(prepared.variable("CI")),
        program: exec::own_program(),
    }
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
