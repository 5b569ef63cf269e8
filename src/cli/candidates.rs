//! The words that a shell offers for a value: components, jobs, steps, runs and pipelines of the
//! workspace. Where there is none, or a mistake in its file, there are no words.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap_complete::engine::CompletionCandidate;

use crate::config;
use crate::env::Environment;
use crate::run;

/// Returns the components, and behind the dot of one its jobs.
pub(super) fn components(begun: &OsStr) -> Vec<CompletionCandidate> {
    let Some(names) = names() else {
        return Vec::new();
    };
    let begun = begun.to_string_lossy();
    match begun.split_once('.') {
        None => candidates(names.components, &begun),
        Some((component, _)) => {
            let jobs = names.steps.iter().map(|step| format!("{component}.{step}"));
            candidates(jobs.collect(), &begun)
        }
    }
}

/// Returns the steps of the pipeline; behind a comma further ones.
pub(super) fn steps(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let before = begun.rfind(',').map_or("", |comma| &begun[..=comma]);
    let steps = names().map_or_else(Vec::new, |names| names.steps);
    let steps = steps.iter().map(|step| format!("{before}{step}")).collect();
    candidates(steps, &begun)
}

/// Returns the ids of the runs that are kept, the newest first.
pub(super) fn runs(begun: &OsStr) -> Vec<CompletionCandidate> {
    candidates(
        run::kept_ids(&Environment::current()),
        &begun.to_string_lossy(),
    )
}

/// Returns the names of the shipped pipelines, and the files that may hold one.
pub(super) fn pipelines(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let mut names: Vec<String> = config::shipped()
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let (directory, _) = begun.split_at(begun.rfind('/').map_or(0, |slash| slash + 1));
    let listed = std::fs::read_dir(Path::new(".").join(directory)).ok();
    let files = listed.into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let is_directory = entry.path().is_dir();
        (is_directory || name.ends_with(".toml")).then(|| match is_directory {
            true => format!("{directory}{name}/"),
            false => format!("{directory}{name}"),
        })
    });
    names.extend(files);
    candidates(names, &begun)
}

fn candidates(words: Vec<String>, begun: &str) -> Vec<CompletionCandidate> {
    (words.into_iter())
        .filter(|word| word.starts_with(begun))
        .map(CompletionCandidate::new)
        .collect()
}

fn names() -> Option<run::Names> {
    let asked = given(&["-p", "--pipeline"]).and_then(|name| name.into_string().ok());
    let directory = given(&["-C"]).map_or_else(|| PathBuf::from("."), PathBuf::from);
    run::names(asked.as_deref(), &directory, &Environment::current()).ok()
}

/// Returns the value of an option on the line that is being typed.
fn given(options: &[&str]) -> Option<OsString> {
    let mut words = std::env::args_os().skip_while(|word| word != "--");
    words.find(|word| options.iter().any(|option| word == option))?;
    words.next()
}
