//! `kata-ci run`: from the arguments to a plan, the run itself, its reports and its exit code.

mod depends;
mod earlier;
mod fingerprint;
mod history;
mod prepare;
mod prune;
mod resume;
mod rev;
mod show;
mod since;
mod started;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use self::prepare::prepare;
pub(super) use self::prepare::{Prepared, overrides};
use self::show::Screen;
use self::started::{run_id, started};
use super::arguments::{Arguments, RunArguments};
use super::dry_run;
use super::failure::Failure;
use super::report_directory::{ReportDirectory, state_home};
use super::say;
use super::stamps::Stamping;
use crate::config;
use crate::event::{Event, Journal, RunFinished, RunResumed, Since};
use crate::exec::{self, Decided, Scene, Settings};
use crate::fs::Place;
use crate::outcome::{ExitCode, Run};
use crate::plan::Plan;
use crate::report::ci::Published;
use crate::report::model::Document;
use crate::report::{self, Followed, Live};
use crate::stamp::Stamp;
use crate::workspace::{self, Aside};

/// Events that may wait for the one thread that draws; more than that and the jobs wait for it.
const EVENTS_IN_FLIGHT: usize = 1024;

/// A run that is over.
pub(super) struct Over {
    pub code: i32,
    /// What its jobs came to; nothing after `--dry-run`.
    pub run: Run,
    /// Of jobs that did not run again because they have passed before.
    pub stamps: Vec<Stamp>,
}

/// Runs, and returns the exit code.
pub(super) fn call(arguments: &Arguments, run: &RunArguments) -> Result<i32, Failure> {
    carry_out(arguments, run).map(|over| over.code)
}

/// Runs.
pub(super) fn carry_out(arguments: &Arguments, run: &RunArguments) -> Result<Over, Failure> {
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
        return Ok(Over {
            code,
            run,
            stamps: Vec::new(),
        });
    }
    let stamping = Stamping::begin(&prepared, run, &overrides(run));
    let mut stamps = Vec::new();
    if run.pushed_to.is_some() {
        stamps = stamping.take_out(&mut prepared);
        if prepared.plan.jobs.is_empty() && !stamps.is_empty() {
            stamping.call_rolls();
            let run = Run::default();
            return Ok(Over {
                code: 0,
                run,
                stamps,
            });
        }
    }
    let clock = Instant::now();
    let screen = Screen::new(arguments, run, &prepared.environment);
    let places = Places::find(&screen, run, &prepared)?;
    let mut begun = match run.resume {
        true => go_on(&screen, run, &mut prepared)?,
        false => begin(arguments, &screen, run, &prepared)?,
    };
    let signal = follow(&mut begun.live, &prepared.plan, &begun.settings)?;
    let seconds = begun.seconds + clock.elapsed().as_secs_f64();
    let over = finish(&screen, run, &prepared, (begun, &places), signal, seconds);
    stamping.record(&prepared, &over.run);
    Ok(with_stamps(over, stamps))
}

/// What passed before counts as passed: then it is not so that nothing was tested.
fn with_stamps(over: Over, stamps: Vec<Stamp>) -> Over {
    let nothing = over.code == ExitCode::NothingToDo.code() && !stamps.is_empty();
    Over {
        code: if nothing { 0 } else { over.code },
        stamps,
        ..over
    }
}

/// A run that has begun, or goes on.
struct Begun {
    directory: ReportDirectory,
    settings: Settings,
    live: Live,
    /// Seconds that it took before.
    seconds: f64,
}

/// Where files go besides the report directory, found before the jobs: later a name may lead elsewhere.
struct Places {
    junit: Option<Place>,
    summary: Option<Place>,
}

impl Places {
    fn find(screen: &Screen, options: &RunArguments, prepared: &Prepared) -> Result<Self, Failure> {
        let junit = match &options.junit {
            Some(path) => Some(junit_place(path)?),
            None => None,
        };
        let summary = match &screen.system {
            Some(system) => report::ci::summary_place(system, &prepared.environment),
            None => Ok(None),
        };
        let summary = summary.map_err(|error| {
            Failure::Usage(format!(
                "GITHUB_STEP_SUMMARY names no place for a file: {error}"
            ))
        })?;
        Ok(Self { junit, summary })
    }
}

fn junit_place(path: &Path) -> Result<Place, Failure> {
    report::check_place(path).map_err(|error| Failure::Usage(error.to_string()))?;
    Place::of(path).map_err(|error| Failure::Usage(format!("--junit {}: {error}", path.display())))
}

fn begin(
    arguments: &Arguments,
    screen: &Screen,
    options: &RunArguments,
    prepared: &Prepared,
) -> Result<Begun, Failure> {
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
    Ok(Begun {
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
) -> Result<Begun, Failure> {
    let interrupted = resume::take_over(options, prepared)?;
    let decided = decide(prepared)?;
    let kept = interrupted.done.len();
    let settings = Settings {
        done: interrupted.done,
        ..settings(options, prepared, &interrupted.directory, decided)
    };
    resume::check_isolation(&interrupted.run, &settings)?;
    interrupted.directory.reopen()?;
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
    Ok(Begun {
        directory: interrupted.directory,
        settings,
        live,
        seconds: interrupted.seconds,
    })
}

fn decide(prepared: &Prepared) -> Result<Decided, Failure> {
    Decided::of(&prepared.plan, &exec::own_program())
        .map_err(|unmet| Failure::Machine(unmet.to_string()))
}

/// Runs the plan on a thread of its own while this one draws; returns the signal that ended the run, if one did.
fn follow(live: &mut Live, plan: &Plan, settings: &Settings) -> Result<Option<i32>, Failure> {
    let (control, controlled) = crossbeam_channel::unbounded();
    let _signals = exec::signals::listen(control)
        .map_err(|error| Failure::Machine(format!("signals cannot be caught: {error}")))?;
    let (events, received) = crossbeam_channel::bounded(EVENTS_IN_FLIGHT);
    thread::scope(|scope| {
        let runner = thread::Builder::new()
            .name("run".to_owned())
            .spawn_scoped(scope, move || {
                exec::run(plan, settings, &events, &controlled)
            })
            .map_err(|error| Failure::Machine(format!("a thread for the jobs: {error}")))?;
        live.follow(&received);
        Ok(runner
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Ends the journal, writes the files and shows the summary. What could not be written turns a good end into an error; where
/// it is a report of the run's own, the run has not ended: `--resume` writes it.
fn finish(
    screen: &Screen,
    options: &RunArguments,
    prepared: &Prepared,
    (begun, places): (Begun, &Places),
    signal: Option<i32>,
    seconds: f64,
) -> Over {
    let Begun {
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
        mut run,
        journal_error,
        journal,
        output_errors,
    } = live.finish();
    let document = report::from_run(&run, &directory.path);
    let put_back = journal.and_then(|journal| journal.put_back(&directory.held).err());
    let mut file_errors = report::write_all(&document, &directory.held);
    let published = publish(screen, prepared, &document, (&directory, places));
    file_errors.extend(published.errors);
    let is_whole = put_back.is_none() && file_errors.is_empty();
    let copy = (places.junit.as_ref()).map(|place| report::write_copy(&document, place));
    file_errors.extend(copy.and_then(Result::err));
    let mut troubles: Vec<String> = (journal_error.iter().chain(&put_back))
        .map(ToString::to_string)
        .chain(file_errors.iter().map(ToString::to_string))
        .chain(
            output_errors
                .iter()
                .map(|error| format!("the run could not be shown: {error}")),
        )
        .collect();
    let code = ended_with(code, &troubles);
    if is_whole {
        if let Some(finished) = &mut run.finished {
            finished.exit = code.code();
        }
        let unwritten = report::write_result(&run, &directory.held).err();
        troubles.extend(unwritten.map(|error| error.to_string()));
    }
    let code = ended_with(code, &troubles);
    screen.commands(&published.commands);
    let pruned = match signal {
        None => prune_earlier(screen, options, &directory.path),
        Some(_) => Vec::new(),
    };
    screen.summary(&run, &directory.path);
    for warning in published.warnings.iter().chain(&pruned) {
        say::aside(format_args!("warning: {warning}"));
    }
    for trouble in &troubles {
        say::aside(format_args!("error: {trouble}"));
    }
    if !is_whole {
        say::aside(format_args!(
            "  = help: `kata-ci run --resume` writes what is missing; what is over does not run again"
        ));
    }
    Over {
        code: code.code(),
        run,
        stamps: Vec::new(),
    }
}

fn ended_with(code: ExitCode, troubles: &[String]) -> ExitCode {
    match troubles {
        [] => code,
        _ => code.at_least_an_error(),
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
    (directory, places): (&ReportDirectory, &Places),
) -> Published {
    match &screen.system {
        Some(system) => report::ci::publish(
            system,
            document,
            &prepared.workspace.root,
            &directory.held,
            places.summary.as_ref(),
            &prepared.environment,
        ),
        None => Published::default(),
    }
}

fn settings(
    options: &RunArguments,
    prepared: &Prepared,
    directory: &ReportDirectory,
    decided: Decided,
) -> Settings {
    let view = prepared.workspace.view.as_ref().map(|view| view.path());
    let scene = Scene {
        workspace: &prepared.workspace.root,
        view: view.or(prepared.aside.as_ref().map(Aside::gopath)),
        reports: &directory.path,
        own: &own_directories(&prepared.environment),
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
        logs: directory.logs.clone(),
        written_meanwhile: directory.written_meanwhile(),
        require_all: options.require_all || config::is_set(prepared.variable("CI")),
        program: exec::own_program(),
    }
}

/// Where kata-ci keeps what it believes later on.
fn own_directories(environment: &BTreeMap<OsString, OsString>) -> Vec<PathBuf> {
    let state = state_home(environment)
        .ok()
        .map(|home| home.join("kata-ci"));
    let configuration = config::user_file(environment);
    let configuration = configuration.and_then(|file| Some(file.parent()?.to_owned()));
    (state.into_iter())
        .chain(configuration)
        .chain([workspace::cache(environment)])
        .collect()
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
