//! `kata-ci run`: from the arguments to a plan, the run itself, its reports and its exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crossbeam_channel::{Receiver, Sender};

use super::arguments::{Arguments, Format, RunArguments, Switch};
use super::dry_run;
use super::failure::Failure;
use super::report_directory::ReportDirectory;
use crate::config::{self, NetworkPolicy, Overrides, Pipeline, Source};
use crate::event::{Event, Isolation, Journal, Notice, RunFinished, RunStarted};
use crate::exec::{self, Settings};
use crate::outcome::{ExitCode, Run};
use crate::plan::{self, Plan, Selection};
use crate::report;
use crate::workspace::{self, Workspace};

/// Events that may wait for the one thread that draws; more than that and the jobs wait for it.
const EVENTS_IN_FLIGHT: usize = 1024;

/// A run that is ready to begin.
struct Prepared {
    directory: PathBuf,
    environment: BTreeMap<OsString, OsString>,
    pipeline: Pipeline,
    workspace: Workspace,
    plan: Plan,
}

/// Runs, and returns the exit code.
pub(super) fn call(arguments: &Arguments, run: &RunArguments) -> Result<i32, Failure> {
    let prepared = prepare(arguments, run)?;
    if prepared.plan.jobs.is_empty() {
        return Err(Failure::NothingToDo(
            "nothing selected: none of the components has one of the steps".to_owned(),
        ));
    }
    if run.dry_run {
        return dry_run::print(&prepared.pipeline, &prepared.plan);
    }
    refuse_what_is_not_built(run, &prepared.pipeline)?;
    execute(arguments, run, &prepared)
}

fn prepare(arguments: &Arguments, run: &RunArguments) -> Result<Prepared, Failure> {
    let environment: BTreeMap<_, _> = std::env::vars_os().collect();
    let directory = fs::canonicalize(&arguments.directory).map_err(|error| {
        Failure::path(&arguments.directory, &error, "name a directory that is there with -C DIR")
    })?;
    let (source, standing_in) = source(run, &directory)?;
    let pipeline =
        config::load(&source, &overrides(run), config::user_file(&environment).as_deref())?;
    let selection = Selection {
        components: match run.components.as_slice() {
            [] => standing_in.into_iter().collect(),
            named => named.to_vec(),
        },
        steps: run.steps.clone(),
    };
    let workspace = workspace::open(&pipeline, &directory, &selection, &environment)?;
    let plan = plan::build(&pipeline, &workspace, &selection, &environment)?;
    Ok(Prepared { directory, environment, pipeline, workspace, plan })
}

/// The pipeline asked for, else what lies there; with the component the user stands in.
fn source(run: &RunArguments, directory: &Path) -> Result<(Source, Option<String>), Failure> {
    let asked = run.pipeline.as_deref().filter(|name| !name.is_empty());
    match config::locate(asked, directory)? {
        Some(source) => Ok((source, None)),
        None => {
            let detected = workspace::detect(directory)?;
            Ok((Source::Shipped(detected.pipeline), detected.component))
        }
    }
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
fn refuse_what_is_not_built(run: &RunArguments, pipeline: &Pipeline) -> Result<(), Failure> {
    if run.isolate == Some(Switch::On) {
        return Err(Failure::Machine(
            "--isolate on: this version of kata-ci cannot isolate jobs yet\n  = help: run with --isolate auto"
                .to_owned(),
        ));
    }
    match pipeline.steps.iter().find(|step| step.network == NetworkPolicy::Off) {
        Some(step) => Err(Failure::Machine(format!(
            "network off is asked for step `{}`: this version of kata-ci cannot take the network away yet\n  \
             = help: run with --network auto",
            step.name
        ))),
        None => Ok(()),
    }
}

fn execute(
    arguments: &Arguments,
    options: &RunArguments,
    prepared: &Prepared,
) -> Result<i32, Failure> {
    let run_id = run_id();
    let directory = match &options.report_dir {
        Some(path) => ReportDirectory::named(path)?,
        None => ReportDirectory::default(&run_id, &prepared.environment)?,
    };
    let parallel = options.jobs.unwrap_or_else(processors);
    let settings = settings(options, prepared, &directory, parallel)?;
    let journal = Journal::create(&directory.path.join("events.jsonl"))
        .map_err(|error| Failure::Machine(error.to_string()))?;
    let started = started(run_id, arguments, options, prepared, &directory, parallel);
    let mut live = report::live::Live::new(journal, reporters(arguments, options));
    let signal = live_run(&mut live, started, &prepared.plan, &settings)?;
    finish(arguments, options, &directory, live, signal)
}

/// Runs the plan on a thread of its own while this one draws; returns the signal that ended the run, if one did.
fn live_run(
    live: &mut report::live::Live,
    started: RunStarted,
    plan: &Plan,
    settings: &Settings,
) -> Result<Option<i32>, Failure> {
    let (events, received): (Sender<Event>, Receiver<Event>) =
        crossbeam_channel::bounded(EVENTS_IN_FLIGHT);
    let (control, controlled) = crossbeam_channel::unbounded();
    let _signals = exec::signals::listen(control)
        .map_err(|error| Failure::Machine(format!("signals cannot be caught: {error}")))?;
    live.send(Event::RunStarted(started));
    Ok(thread::scope(|scope| {
        let runner = scope.spawn(move || exec::run(plan, settings, &events, &controlled));
        live.follow(&received);
        runner.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }))
}

/// Ends the journal, writes the files and shows the summary. What could not be written turns a good end into an error.
fn finish(
    arguments: &Arguments,
    options: &RunArguments,
    directory: &ReportDirectory,
    mut live: report::live::Live,
    signal: Option<i32>,
) -> Result<i32, Failure> {
    let mut code = live.run().exit_code(signal);
    live.send(Event::RunFinished(RunFinished {
        exit: code.code(),
        seconds: live.seconds(),
        signal,
    }));
    let (run, trouble) = live.end();
    let mut troubles: Vec<String> = trouble.iter().map(ToString::to_string).collect();
    if let Err(error) = write_files(&run, options, directory) {
        troubles.push(error.to_string());
    }
    if !troubles.is_empty() {
        code = worse(code);
    }
    show_summary(arguments, options, &run, directory);
    for trouble in troubles {
        anstream::eprintln!("error: {trouble}");
    }
    Ok(code.code())
}

fn settings(
    options: &RunArguments,
    prepared: &Prepared,
    directory: &ReportDirectory,
    parallel: usize,
) -> Result<Settings, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::Machine(format!("kata-ci does not find itself: {error}")))?;
    Ok(Settings {
        parallel,
        max_fail: if options.fail_fast { Some(1) } else { options.max_fail },
        logs: directory.path.join("logs"),
        require_all: options.require_all || config::is_set(variable(prepared, "CI")),
        program,
    })
}

fn variable<'a>(prepared: &'a Prepared, name: &str) -> Option<&'a std::ffi::OsStr> {
    prepared.environment.get(std::ffi::OsStr::new(name)).map(OsString::as_os_str)
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The time and the process: unique on a machine, and sorted by age.
fn run_id() -> String {
    format!("{}-{}", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ"), std::process::id())
}

fn started(
    run_id: String,
    arguments: &Arguments,
    options: &RunArguments,
    prepared: &Prepared,
    directory: &ReportDirectory,
    parallel: usize,
) -> RunStarted {
    let workspace = &prepared.workspace;
    let mut notices = workspace.notices.clone();
    if directory.replaced {
        notices.push(Notice {
            text: format!("replaces the earlier run in {}", directory.path.display()),
            fix: None,
        });
    }
    RunStarted {
        run_id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline: prepared.pipeline.name.clone(),
        workspace: workspace.root.display().to_string(),
        components: unique(prepared.plan.jobs.iter().map(|job| job.id.component())),
        steps: unique(prepared.plan.jobs.iter().map(|job| job.id.step())),
        parallel,
        revisions: workspace
            .components
            .iter()
            .filter_map(|found| Some((found.component.name.clone(), found.revision.clone()?)))
            .collect(),
        again: again(arguments, options, &prepared.directory),
        isolation: isolation(&prepared.pipeline),
        notices,
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.fold(Vec::new(), |mut unique, name| {
        if !unique.iter().any(|known| known == name) {
            unique.push(name.to_owned());
        }
        unique
    })
}

/// This version isolates nothing by namespaces; it says so instead of letting anyone believe otherwise.
fn isolation(pipeline: &Pipeline) -> Isolation {
    let open = pipeline.steps.iter().all(|step| step.network == NetworkPolicy::On);
    let advisory = |what: &str| format!("advisory: {what}");
    Isolation {
        network: if open {
            "off".to_owned()
        } else {
            advisory("jobs are asked to stay off the network, nothing keeps them off it")
        },
        processes: advisory("a job's processes are ended with it by a subreaper, not by a PID namespace"),
        files: "off".to_owned(),
    }
}

/// The command that runs all of this again, as typed in a shell.
fn again(arguments: &Arguments, options: &RunArguments, directory: &Path) -> String {
    let mut words = vec!["kata-ci".to_owned(), "run".to_owned()];
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(name.to_owned());
            words.push(value);
        }
    };
    let elsewhere = arguments.directory != Path::new(".");
    option("-C", elsewhere.then(|| directory.display().to_string()));
    option("-p", options.pipeline.clone());
    option("--timeout", options.timeout.map(|time| humantime::format_duration(time).to_string()));
    option("--grace", options.grace.map(|time| humantime::format_duration(time).to_string()));
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}
