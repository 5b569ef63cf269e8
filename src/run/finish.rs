//! The end of a run: its journal is closed, its reports are written, and its summary is shown.
use std::path::Path;

use super::prune;
use super::prune::Limits;
use super::report_directory::ReportDirectory;
use super::request::ReportPlaces;
use super::session::Ended;
use super::show::Screen;
use crate::env::Environment;
use crate::event::{Event, RunFinished};
use crate::fs::Place;
use crate::model::{CommandError, ExitCode};
use crate::outcome::Run;
use crate::report;
use crate::report::ci::Published;
use crate::report::model::Document;
use crate::report::{Followed, Live};
use crate::say;
use crate::stamp::Stamp;

/// A run that is over.
pub(crate) struct RunResult {
    /// The exit code.
    pub code: ExitCode,
    /// What its jobs came to; nothing after `--dry-run`.
    pub run: Run,
    /// The stamps of jobs that did not run again because they have passed before.
    pub stamps: Vec<Stamp>,
}

impl RunResult {
    /// The result of a run without a job.
    pub(super) fn without_jobs(code: ExitCode) -> Self {
        Self {
            code,
            run: Run::default(),
            stamps: Vec::new(),
        }
    }

    /// Adds what passed before, which counts as passed: then it is not so that nothing was tested.
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

/// Files besides the report directory, found before the jobs: later a name may lead elsewhere.
pub(super) struct FilePlaces {
    junit: Option<Place>,
    summary: Option<Place>,
    /// The report directory was named by the user.
    is_named: bool,
}

impl FilePlaces {
    /// Finds them.
    ///
    /// # Errors
    /// A name that no file can be written to.
    pub(super) fn find(
        screen: &Screen,
        places: &ReportPlaces,
        environment: &Environment,
    ) -> Result<Self, CommandError> {
        let junit = places.junit.as_deref().map(junit_place).transpose()?;
        let summary = match &screen.system {
            Some(system) => report::ci::summary_place(system, environment),
            None => Ok(None),
        };
        let summary = summary.map_err(|error| {
            CommandError::usage(format!(
                "GITHUB_STEP_SUMMARY names no place for a file: {error}"
            ))
        })?;
        Ok(Self {
            junit,
            summary,
            is_named: places.directory.is_some(),
        })
    }
}

fn junit_place(path: &Path) -> Result<Place, CommandError> {
    report::check_place(path).map_err(CommandError::usage)?;
    Place::of(path)
        .map_err(|error| CommandError::usage(format!("--junit {}: {error}", path.display())))
}

/// Ends the journal, writes the files and shows the summary. What could not be written turns a good
/// end into an error. If it is a report of the run's own, the run has not ended: `--resume` writes
/// it. `root` is that of the workspace.
pub(super) fn finish(
    ended: Ended,
    root: &Path,
    screen: &Screen,
    places: &FilePlaces,
    keep: Limits,
    environment: &Environment,
) -> RunResult {
    let Ended {
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
    let document = report::from_run(&run, &directory.path);
    let put_back = journal.and_then(|journal| journal.put_back(&directory.held).err());
    let mut file_errors = report::write_all(&document, &directory.held);
    let published = publish(screen, root, &document, (&directory, places), environment);
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
    if is_whole {
        if let Some(finished) = &mut run.finished {
            finished.exit = ended_with(code, &troubles).code();
        }
        let unwritten = report::write_result(&run, &directory.held).err();
        troubles.extend(unwritten.map(|error| error.to_string()));
    }
    screen.commands(&published.commands);
    let pruned = match (signal, places.is_named) {
        // A directory that was named is not among those that are kept.
        (None, false) => prune_earlier(screen, keep, &directory.path),
        _ => Vec::new(),
    };
    screen.summary(&run, &directory.path);
    let mut warnings = published.warnings;
    warnings.extend(pruned);
    complain(&warnings, &troubles, is_whole);
    RunResult {
        code: ended_with(code, &troubles),
        run,
        stamps: Vec::new(),
    }
}

/// Says the last event; a run that is not recorded whole has no good end.
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

/// Removes runs that are kept no longer, says so, and returns what could not be removed.
fn prune_earlier(screen: &Screen, keep: Limits, own: &Path) -> Vec<String> {
    let pruned = prune::prune(own, keep);
    for line in pruned.lines(keep) {
        screen.detail(&line);
    }
    pruned.errors
}

/// Gives the CI system what it reads.
fn publish(
    screen: &Screen,
    root: &Path,
    document: &Document,
    (directory, places): (&ReportDirectory, &FilePlaces),
    environment: &Environment,
) -> Published {
    match &screen.system {
        Some(system) => report::ci::publish(
            system,
            document,
            root,
            &directory.held,
            places.summary.as_ref(),
            environment,
        ),
        None => Published::default(),
    }
}
