//! Finishes a run: closes its journal, writes its reports and shows its summary.

use std::path::{Path, PathBuf};

use super::output_files::OutputFiles;
use super::prune;
use super::report_directory::ReportDirectory;
use super::request::{RunRequest, RunSettings};
use super::session::JobsEnded;
use super::show::Screen;
use crate::env::Environment;
use crate::event::{Event, RunFinished};
use crate::model::ExitCode;
use crate::outcome::Run;
use crate::report;
use crate::report::ci::Published;
use crate::report::model::Document;
use crate::report::{Followed, Live};
use crate::say;
use crate::stamp::Stamp;

/// The result of a finished run.
pub(crate) struct RunResult {
    /// Exit code of the run.
    pub code: ExitCode,
    /// The fold of its events; empty after `--dry-run`.
    pub run: Run,
    /// Directory of its reports; `None` if it has none.
    pub directory: Option<PathBuf>,
    /// Stamps of the jobs that did not run because they had passed before.
    pub stamps: Vec<Stamp>,
}

impl RunResult {
    /// Creates the result of a run without jobs.
    pub(super) fn without_jobs(code: ExitCode) -> Self {
        Self {
            code,
            run: Run::default(),
            directory: None,
            stamps: Vec::new(),
        }
    }

    /// Adds the stamps of jobs that passed before. Those count as passed, so a run without jobs can
    /// succeed.
    pub(super) fn with_stamps(self, stamps: Vec<Stamp>) -> Self {
        let nothing = self.code == ExitCode::NothingToDo && !stamps.is_empty();
        Self {
            code: if nothing {
                ExitCode::Success
            } else {
                self.code
            },
            stamps,
            ..self
        }
    }
}

/// Closes the journal, writes the files and shows the summary. A file that cannot be written turns
/// a good exit code into an error. If it is one of the run's own reports, the run counts as not
/// ended, and `--resume` writes it. `root` is the root of the workspace.
pub(super) fn finish(
    ended: JobsEnded,
    root: &Path,
    screen: &Screen,
    files: &OutputFiles,
    request: &RunRequest,
) -> RunResult {
    let JobsEnded {
        directory,
        live,
        signal,
        seconds,
    } = ended;
    let (code, followed) = close(live, signal, seconds);
    let Followed {
        mut run,
        journal_error,
        journal,
        output_errors,
    } = followed;
    let document = report::from_run(&run, &directory.held);
    let put_back = journal.and_then(|journal| journal.put_back(&directory.held).err());
    let mut file_errors = report::write_all(&document, &directory.held);
    let published = publish(
        screen,
        root,
        &document,
        (&directory, files),
        &request.environment,
    );
    file_errors.extend(published.errors);
    let is_whole = put_back.is_none() && file_errors.is_empty();
    let copy = (files.junit.as_ref()).map(|place| report::write_copy(&document, place));
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
    if is_whole {
        if let Some(finished) = &mut run.finished {
            finished.exit = ended_with(code, &troubles).code();
        }
        let unwritten = report::write_result(&run, &directory.held).err();
        troubles.extend(unwritten.map(|error| error.to_string()));
    }
    screen.commands(&published.commands);
    let pruned = match (signal, &request.reports.directory) {
        // A directory that the user named is not in the store.
        (None, None) => prune_earlier(screen, &request.settings, &directory.path),
        _ => Vec::new(),
    };
    screen.summary(&run, &directory.held);
    let mut warnings = published.warnings;
    warnings.extend(pruned);
    complain(&warnings, &troubles, is_whole);
    RunResult {
        code: ended_with(code, &troubles),
        run,
        directory: Some(directory.path.clone()),
        stamps: Vec::new(),
    }
}

/// Closes the journal with the last event. A run that is not recorded completely ends with an
/// error.
fn close(mut live: Live, signal: Option<i32>, seconds: f64) -> (ExitCode, Followed) {
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
    (code, live.finish())
}

fn complain(warnings: &[String], troubles: &[String], is_whole: bool) {
    for warning in warnings {
        say::aside(format_args!("warning: {warning}"));
    }
    for trouble in troubles {
        say::aside(format_args!("error: {trouble}"));
    }
    if !is_whole {
        say::aside(
            "  = help: `kata-ci run --resume` writes what is missing; what is over does not run again",
        );
    }
}

fn ended_with(code: ExitCode, troubles: &[String]) -> ExitCode {
    match troubles {
        [] => code,
        _ => code.at_least_an_error(),
    }
}

/// Removes the runs that exceed the limits, and returns the errors. That each run removes one is no
/// news, so the number is told with `--verbose` only.
fn prune_earlier(screen: &Screen, settings: &RunSettings, own: &Path) -> Vec<String> {
    let pruned = prune::prune(own, settings.keep);
    if settings.display.verbose {
        for line in pruned.lines(settings.keep) {
            screen.detail(&line);
        }
    }
    pruned.errors
}

/// Writes the files and log lines of the CI system.
fn publish(
    screen: &Screen,
    root: &Path,
    document: &Document,
    (directory, files): (&ReportDirectory, &OutputFiles),
    environment: &Environment,
) -> Published {
    match &screen.system {
        Some(system) => report::ci::publish(
            system,
            document,
            root,
            &directory.held,
            files.summary.as_ref(),
            environment,
        ),
        None => Published::default(),
    }
}
