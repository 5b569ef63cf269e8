//! `--case`: narrows a job to the cases that a pattern names.

use std::ffi::OsStr;

use super::{LONGEST, flags, is_limit_of_go};
use crate::model::{CasePattern, Command, Expect};
use crate::plan::Job;

/// Returns the job narrowed to the pattern. `known` are the cases that it is known to have, as
/// `(package, name)`.
///
/// # Errors
/// Returns the reason why all of the job has to run.
pub fn narrow(
    job: &Job,
    pattern: &CasePattern,
    known: &[(String, String)],
) -> Result<Job, &'static str> {
    if job.expect != Expect::Cases {
        return Err("it is no step of tests");
    }
    let mut narrowed = match (&job.command, job.go_root.is_some()) {
        (_, true) => by_run_flag(job, pattern)?,
        (Command::Run(words), false) if is_cargo_test(words) => {
            by_exact_names(job, words, pattern, known)?
        }
        _ => return Err("its command takes no names of tests"),
    };
    narrowed.only = Some(pattern.to_string());
    Ok(narrowed)
}

/// Narrows every `go test` below the job. `-v` or `-json` of kata's own flags stay.
fn by_run_flag(job: &Job, pattern: &CasePattern) -> Result<Job, &'static str> {
    if flags(job).any(|flag| is_limit_of_go(&flag)) {
        return Err("its flags for go test choose tests already");
    }
    let run = pattern.go_run();
    if run.len() > LONGEST {
        return Err("the pattern is too long for a command line");
    }
    let name = OsStr::new("GOFLAGS");
    let mut value = (job.environment.get(name)).map_or_else(Default::default, OsStr::to_owned);
    value.push(format!(" -count=1 -v -run={run}"));
    let mut job = job.clone();
    job.environment.set(name.to_owned(), value);
    Ok(job)
}

fn is_cargo_test(words: &[String]) -> bool {
    let first = |at: usize| words.get(at).map(String::as_str);
    first(0) == Some("cargo") && first(1) == Some("test")
}

fn by_exact_names(
    job: &Job,
    words: &[String],
    pattern: &CasePattern,
    known: &[(String, String)],
) -> Result<Job, &'static str> {
    let mut names = pattern.exact_names();
    let matching = known
        .iter()
        .filter(|(package, name)| pattern.matches(package, name));
    names.extend(matching.map(|(_, name)| crate::model::without_number(name).to_owned()));
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Err("cargo test wants whole names, and no earlier run tells which ones match");
    }
    if names.iter().map(String::len).sum::<usize>() > LONGEST {
        return Err("more tests match than a command line holds");
    }
    let mut words = words.to_vec();
    if !words.iter().any(|word| word == "--") {
        words.push("--".to_owned());
    }
    words.push("--exact".to_owned());
    words.extend(names);
    Ok(Job {
        command: Command::Run(words),
        ..job.clone()
    })
}
