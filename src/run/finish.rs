//! The end of a run: its journal is closed, its reports are written, and its summary is shown.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::prune;
use super::prune::Limits;
use super::request::ReportPlaces;
use super::session::Ended;
use super::show::Screen;
use crate::event::{Event, RunFinished};
use crate::model::ExitCode;
use crate::outcome::Run;
use crate::report;
use crate::report::Followed;
use crate::report::ci::Published;
use crate::report::model::Document;
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

/// Ends the journal, writes the files and shows the summary. What could not be written turns a good end into an error.
/// `root` is that of the workspace.
pub(super) fn finish(
    ended: Ended,
    root: &Path,
    screen: &Screen,
    places: &ReportPlaces,
    keep: Limits,
    environment: &BTreeMap<OsString, OsString>,
) -> RunResult {
    let Ended {
        directory,
        mut live,
        signal,
        seconds,
    } = ended;
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
        report::write_all(&run, &document, &directory.path, places.junit.as_deref());
    let published = publish(screen, root, &document, &directory.path, environment);
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
    let pruned = match (signal, &places.directory) {
        // A directory that was named is not among those that are kept.
        (None, None) => prune_earlier(screen, keep, &directory.path),
        _ => Vec::new(),
    };
    screen.summary(&run, &directory.path);
    for warning in published.warnings.iter().chain(&pruned) {
        anstream::eprintln!("warning: {warning}");
    }
    for trouble in &troubles {
        anstream::eprintln!("error: {trouble}");
    }
    RunResult {
        code: match troubles.is_empty() {
            true => code,
            false => code.at_least_an_error(),
        },
        run,
        stamps: Vec::new(),
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
    directory: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Published {
    match &screen.system {
        Some(system) => report::ci::publish(system, document, root, directory, environment),
        None => Published::default(),
    }
}
