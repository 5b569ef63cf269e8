//! `kata-ci run`: from the arguments to a plan, the run itself, its reports and its exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use nix::unistd::gethostname;

use super::arguments::{Arguments, Format, RunArguments, Switch};
use super::dry_run;
use super::failure::Failure;
use super::report_directory::ReportDirectory;
use crate::config::{self, NetworkPolicy, Overrides, Pipeline, Source};
use crate::event::{Event, Isolation, Journal, Notice, RunFinished, RunStarted};
use crate::exec::{self, Settings};
use crate::outcome::Run;
use crate::plan::{self, Plan, Selection};
use crate::report::{
    self, Followed, JsonReporter, Live, PlainReporter, ProgressReporter, Reporter, Style,
};
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
        Failure::path(
            &arguments.directory,
            &error,
            "name a directory that is there with -C DIR",
        )
    })?;
    let source = source(run, &directory)?;
    let pipeline = config::load(
        &source,
        &overrides(run),
        config::user_file(&environment).as_deref(),
    )?;
    let selection = Selection {
        components: run.components.clone(),
        steps: run.steps.clone(),
    };
    let workspace = workspace::open(&pipeline, &directory, &selection, &environment)?;
    let plan = plan::build(&pipeline, &workspace, &selection, &environment)?;
    Ok(Prepared {
        directory,
        environment,
        pipeline,
        workspace,
        plan,
    })
}

/// The pipeline asked for, else what lies there.
fn source(run: &RunArguments, directory: &Path) -> Result<Source, Failure> {
    let asked = run.pipeline.as_deref().filter(|name| !name.is_empty());
    match config::locate(asked, directory)? {
        Some(source) => Ok(source),
        None => Ok(Source::Shipped(workspace::detect(directory)?.pipeline)),
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
    match pipeline
        .steps
        .iter()
        .find(|step| step.network == NetworkPolicy::Off)
    {
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
    let clock = Instant::now();
    let run_id = run_id();
    let directory = match &options.report_dir {
        Some(path) => ReportDirectory::named(path)?,
        None => ReportDirectory::default(&run_id, &prepared.environment)?,
    };
    let settings = settings(options, prepared, &directory);
    let journal = Journal::create(&directory.path.join("events.jsonl"))
        .map_err(|error| Failure::Machine(error.to_string()))?;
    let mut live = Live::new(Some(journal), reporters(arguments, options));
    let started = started(
        run_id,
        arguments,
        options,
        prepared,
        &directory,
        settings.parallel,
    );
    live.take(Event::RunStarted(started));
    let signal = follow(&mut live, &prepared.plan, &settings)?;
    let seconds = clock.elapsed().as_secs_f64();
    Ok(finish(
        arguments,
        options,
        &directory.path,
        live,
        signal,
        seconds,
    ))
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
    arguments: &Arguments,
    options: &RunArguments,
    directory: &Path,
    mut live: Live,
    signal: Option<i32>,
    seconds: f64,
) -> i32 {
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
    let file_errors = report::write_all(&run, directory, options.junit.as_deref());
    let troubles: Vec<String> = (journal_error.iter().map(ToString::to_string))
        .chain(file_errors.iter().map(ToString::to_string))
        .chain(
            output_errors
                .iter()
                .map(|error| format!("the run could not be shown: {error}")),
        )
        .collect();
    show_summary(arguments, options, &run, directory);
    for trouble in &troubles {
        anstream::eprintln!("error: {trouble}");
    }
    if troubles.is_empty() {
        code.code()
    } else {
        code.at_least_an_error().code()
    }
}

/// The summary goes where the run was shown; with `--format json` standard output is for machines alone.
fn show_summary(arguments: &Arguments, options: &RunArguments, run: &Run, directory: &Path) {
    let choice = arguments.color();
    if show(options) == Format::Plain {
        let style = Style::of(&io::stdout(), choice);
        let _ = io::stdout().write_all(report::summarise(run, directory, &style).as_bytes());
    } else {
        let style = Style::of(&io::stderr(), choice);
        let _ = io::stderr().write_all(report::summarise(run, directory, &style).as_bytes());
    }
}

/// The format asked for, with `auto` decided: lines that move need a terminal that can redraw them.
fn show(options: &RunArguments) -> Format {
    match options.format {
        Format::Auto | Format::Progress if report::can_redraw() => Format::Progress,
        Format::Auto | Format::Progress => Format::Plain,
        given => given,
    }
}

fn reporters(arguments: &Arguments, options: &RunArguments) -> Vec<Box<dyn Reporter>> {
    let choice = arguments.color();
    let progress = || ProgressReporter::stderr(Style::of(&io::stderr(), choice));
    match show(options) {
        Format::Json => vec![Box::new(JsonReporter::new(io::stdout()))],
        Format::Progress => progress()
            .into_iter()
            .map(|one| Box::new(one) as _)
            .collect(),
        Format::Auto | Format::Plain => {
            let style = Style::of(&io::stdout(), choice);
            vec![Box::new(PlainReporter::new(io::stdout(), style))]
        }
    }
}

fn settings(options: &RunArguments, prepared: &Prepared, directory: &ReportDirectory) -> Settings {
    Settings {
        parallel: options.jobs.unwrap_or_else(processors),
        max_fail: if options.fail_fast {
            Some(1)
        } else {
            options.max_fail
        },
        logs: directory.path.join("logs"),
        require_all: options.require_all || config::is_set(variable(prepared, "CI")),
        program: exec::own_program(),
    }
}

fn variable<'a>(prepared: &'a Prepared, name: &str) -> Option<&'a std::ffi::OsStr> {
    prepared
        .environment
        .get(std::ffi::OsStr::new(name))
        .map(OsString::as_os_str)
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The time and the process: unique on a machine, and sorted by age.
fn run_id() -> String {
    format!(
        "{}-{}",
        jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ"),
        std::process::id()
    )
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
        worker: gethostname()
            .ok()
            .map(|name| name.to_string_lossy().into_owned()),
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
    let open = pipeline
        .steps
        .iter()
        .all(|step| step.network == NetworkPolicy::On);
    let advisory = |what: &str| format!("advisory: {what}");
    Isolation {
        network: if open {
            "off".to_owned()
        } else {
            advisory("jobs are asked to stay off the network, nothing keeps them off it")
        },
        processes: advisory(
            "a job's processes are ended with it by a subreaper, not by a PID namespace",
        ),
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
    option(
        "--timeout",
        options
            .timeout
            .map(|time| humantime::format_duration(time).to_string()),
    );
    option(
        "--grace",
        options
            .grace
            .map(|time| humantime::format_duration(time).to_string()),
    );
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}
