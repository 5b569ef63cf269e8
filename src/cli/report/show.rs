//! `kata-ci report show`: an earlier run on the terminal, the output of one case, the kept runs.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::arguments::{ListFormat, Show};
use super::paths::PathResolver;
use super::sources::Sources;
use super::{deliver, exit_code};
use crate::cli::global::GlobalArguments;
use crate::env::Environment;
use crate::fs;
use crate::model::CommandError;
use crate::outcome::Run;
use crate::report;
use crate::report::model::{Case, Details, Document, Suite, Text};
use crate::report::{Style, read};
use crate::run::{report_directory, store};
use crate::text;

/// Largest `result.json` to read, in bytes.
const LARGEST: u64 = 16 << 20;

/// A run in the list.
#[derive(Serialize)]
struct KeptRun {
    run_id: String,
    /// `None` if the run still goes on or was killed.
    exit: Option<i32>,
    seconds: Option<f64>,
    pipeline: String,
    workspace: String,
    directory: String,
}

/// The parts of `result.json` that the list shows.
#[derive(Deserialize)]
struct RunEnd {
    exit: i32,
    seconds: f64,
}

/// A case, for programs.
#[derive(Serialize)]
struct Shown<'a> {
    suite: &'a str,
    class: &'a str,
    name: &'a str,
    state: &'a str,
    message: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    output: String,
}

/// Shows the summary of one run; for programs, its `result.json`.
fn summary(global: &GlobalArguments, from: &Path, json: bool) -> Result<i32, CommandError> {
    let found = read::find_run(from);
    let [Ok(read::ReportSource::Journal(journal))] = found.as_slice() else {
        return cases(from, "", false, json);
    };
    let run = read::run(journal).map_err(CommandError::machine)?;
    if json {
        deliver(None, |out| {
            let result = report::result_json(&run)?;
            let result = String::from_utf8_lossy(&result);
            out.write_all(report::harmless_json(&result).as_bytes())
        })?;
        return Ok(0);
    }
    let named = journal.parent().unwrap_or(from);
    let directory = fs::Directory::expect(named).map_err(CommandError::machine)?;
    let style = Style::of(&io::stdout(), global.color());
    let summary = report::summarise(&run, &directory, named, &style);
    let head = head(&run);
    deliver(None, |out| {
        out.write_all(head.as_bytes())?;
        out.write_all(summary.as_bytes())
    })?;
    Ok(0)
}

/// Formats as `run 20260503T100000Z-42 of /home/ann/kata, 2026-05-03 12:00 +02`.
fn head(run: &Run) -> String {
    let Some(started) = &run.started else {
        return String::new();
    };
    let foreign = |text: &str| text::for_terminal(text, 200);
    let time = run.start_time.map(|time| {
        let local = time.to_zoned(jiff::tz::TimeZone::system());
        format!(", {}", local.strftime("%Y-%m-%d %H:%M %:::z"))
    });
    format!(
        "run {} of {}{}\n",
        foreign(&started.run_id),
        foreign(&started.workspace),
        time.unwrap_or_default()
    )
}

/// Shows the cases with `wanted` in their name or class if `whole` is set, else the cases that did
/// not pass.
fn cases(from: &Path, wanted: &str, whole: bool, json: bool) -> Result<i32, CommandError> {
    let sources = Sources::one(from);
    sources.check()?;
    let found = chosen(sources.document(), wanted, whole);
    if found.is_empty() && whole {
        return Err(CommandError::nothing_to_do(format!(
            "no case has a name with `{wanted}` in it"
        )));
    }
    deliver(None, |out| {
        if json {
            let shown: io::Result<Vec<_>> = found
                .iter()
                .map(|(suite, case)| shown(suite, case))
                .collect();
            let text = serde_json::to_string_pretty(&shown?)?;
            return writeln!(out, "{}", report::harmless_json(&text));
        }
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

fn shown<'a>(suite: &'a Suite, case: &'a Case) -> io::Result<Shown<'a>> {
    let details = case.details.as_deref();
    let mut output = String::new();
    for text in details.iter().flat_map(|details| texts(details)) {
        output.push_str(&text.load()?);
    }
    Ok(Shown {
        suite: &suite.name,
        class: &case.class,
        name: &case.name,
        state: case.word(),
        message: case.message(),
        file: details.and_then(|details| details.file.as_deref()),
        line: details.and_then(|details| details.line),
        output,
    })
}

/// Returns the stored output of a case.
fn texts(details: &Details) -> impl Iterator<Item = &Text> {
    let bodies = details.problems.iter().map(|problem| &problem.body);
    bodies.chain([&details.out, &details.err])
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
    for text in texts(details) {
        for each in text.load()?.lines() {
            let line = format!("    | {}", text::for_terminal(each, 64 * 1024));
            told.push_str(&report::harmless(&line));
            told.push('\n');
        }
    }
    Ok(told)
}

/// Lists the kept runs, newest first.
fn list(json: bool) -> Result<i32, CommandError> {
    let runs = report_directory::runs_directory(&Environment::current())?;
    let directories = store::directories(&runs);
    let kept: Vec<_> = directories.iter().filter_map(|one| kept(one)).collect();
    deliver(None, |out| {
        if json {
            let text = serde_json::to_string_pretty(&kept)?;
            return writeln!(out, "{}", report::harmless_json(&text));
        }
        for run in &kept {
            writeln!(out, "{}", line(run))?;
        }
        match kept.is_empty() {
            true => writeln!(out, "no run is kept in {}", runs.display()),
            false => Ok(()),
        }
    })?;
    Ok(0)
}

fn kept(directory: &Path) -> Option<KeptRun> {
    let started = store::start(directory)?;
    let result = fs::read(&directory.join("result.json"), LARGEST).ok();
    let ended: Option<RunEnd> = result.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Some(KeptRun {
        run_id: started.run_id,
        exit: ended.as_ref().map(|ended| ended.exit),
        seconds: ended.as_ref().map(|ended| ended.seconds),
        pipeline: started.pipeline,
        workspace: started.workspace,
        directory: directory.display().to_string(),
    })
}

/// Formats as `20260503T100000Z-42  exit 1     151.2s  kata-v1  /home/ann/kata`.
fn line(run: &KeptRun) -> String {
    let end = match (run.exit, run.seconds) {
        (Some(exit), Some(seconds)) => format!("exit {exit:<3}  {seconds:>7.1}s"),
        _ => format!("{:<18}", "not ended"),
    };
    let foreign = |text: &str| text::for_terminal(text, 200);
    format!(
        "{}  {end}  {}  {}",
        foreign(&run.run_id),
        foreign(&run.pipeline),
        foreign(&run.workspace)
    )
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    resolver: &PathResolver<'_>,
    show: &Show,
) -> Result<i32, CommandError> {
    let json = show.format == ListFormat::Json;
    if show.list {
        return list(json);
    }
    let from = resolver.from(show.run.as_deref())?;
    match &show.case {
        Some(name) => cases(&from, name, true, json),
        None => summary(global, &from, json),
    }
}
