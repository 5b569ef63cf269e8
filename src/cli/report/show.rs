//! `kata-ci report show`: an earlier run on the terminal, one case's output, the runs that are kept.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::place::Place;
use super::sources::Sources;
use super::{Failure, deliver, exit_code};
use crate::cli::arguments::Arguments;
use crate::cli::report_directory;
use crate::report::model::{Case, Document, Suite};
use crate::report::{self, Style, read, text};

/// What `result.json` says of a run, as far as a list needs it.
#[derive(Deserialize, serde::Serialize)]
struct Kept {
    run_id: String,
    exit: i32,
    seconds: f64,
    pipeline: String,
    #[serde(skip_deserializing)]
    directory: String,
}

/// The summary of one run.
pub(super) fn summary(arguments: &Arguments, from: &Path) -> Result<i32, Failure> {
    let found = read::find(from).map_err(|error| Failure::Machine(error.to_string()))?;
    let [read::Found::Journal(journal)] = found.as_slice() else {
        return cases(from, "", false);
    };
    let run = read::run(journal).map_err(|error| Failure::Machine(error.to_string()))?;
    let directory = journal.parent().unwrap_or(from);
    let style = Style::of(&io::stdout(), arguments.color());
    let summary = report::summarise(&run, directory, &style);
    deliver(None, |out| out.write_all(summary.as_bytes()))?;
    Ok(0)
}

/// Cases whose name or class holds `wanted`, with what is stored of them; the bad ones only when none is wanted.
pub(super) fn cases(from: &Path, wanted: &str, whole: bool) -> Result<i32, Failure> {
    let sources = Sources::one(from);
    let found = chosen(sources.document(), wanted, whole);
    if found.is_empty() && whole {
        return Err(Failure::NothingToDo(format!(
            "no case has a name with `{wanted}` in it"
        )));
    }
    deliver(None, |out| {
        for (suite, case) in &found {
            out.write_all(told(suite, case, whole)?.as_bytes())?;
        }
        writeln!(out, "{}", sources.document().counts().sentence())
    })?;
    Ok(exit_code(sources.unread()))
}

fn chosen<'a>(document: &'a Document, wanted: &str, whole: bool) -> Vec<(&'a Suite, &'a Case)> {
    let matches = |case: &Case| match whole {
        true => case.name.contains(wanted) || case.class.contains(wanted),
        false => case.state.is_bad(),
    };
    let all = document
        .suites
        .iter()
        .flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)));
    all.filter(|(_, case)| matches(case)).collect()
}

fn told(suite: &Suite, case: &Case, whole: bool) -> io::Result<String> {
    let line = |text: &str| text::for_terminal(text, 4096);
    let mut told = format!(
        "{} {} {}\n",
        case.word(),
        line(&suite.name),
        line(&case.name)
    );
    if !case.message().is_empty() {
        let message = format!("    {}", line(case.message()));
        told.push_str(&report::harmless(&message));
        told.push('\n');
    }
    let Some(details) = case.details.as_ref().filter(|_| whole) else {
        return Ok(told);
    };
    let bodies = details.problems.iter().map(|problem| &problem.body);
    for text in bodies.chain([&details.out, &details.err]) {
        for each in text.load()?.lines() {
            let line = format!("    | {}", text::for_terminal(each, 64 * 1024));
            told.push_str(&report::harmless(&line));
            told.push('\n');
        }
    }
    Ok(told)
}

/// The runs that are kept, newest first.
pub(super) fn list(json: bool) -> Result<i32, Failure> {
    let runs = report_directory::runs_directory(&std::env::vars_os().collect())?;
    let mut kept = kept(&runs);
    kept.sort_by(|one, other| other.run_id.cmp(&one.run_id));
    deliver(None, |out| {
        if json {
            serde_json::to_writer_pretty(&mut *out, &kept)?;
            return writeln!(out);
        }
        for run in &kept {
            let pipeline = text::for_terminal(&run.pipeline, 60);
            let id = text::for_terminal(&run.run_id, 60);
            writeln!(
                out,
                "{id}  exit {:<3}  {:>7.1}s  {pipeline}",
                run.exit, run.seconds
            )?;
        }
        match kept.is_empty() {
            true => writeln!(out, "no run is kept in {}", runs.display()),
            false => Ok(()),
        }
    })?;
    Ok(0)
}

fn kept(runs: &Path) -> Vec<Kept> {
    let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| {
            let bytes = std::fs::read(entry.path().join("result.json")).ok()?;
            let mut run: Kept = serde_json::from_slice(&bytes).ok()?;
            run.directory = entry.path().display().to_string();
            Some(run)
        })
        .collect()
}

/// The command as it was given.
pub(super) fn call(
    arguments: &Arguments,
    place: &Place<'_>,
    show: &super::arguments::Show,
) -> Result<i32, Failure> {
    if show.list {
        return list(show.format == super::arguments::ListFormat::Json);
    }
    let from = place.from(show.run.as_deref())?;
    match &show.case {
        Some(name) => cases(&from, name, true),
        None => summary(arguments, &from),
    }
}
