//! `kata-ci completions SHELL`: the words that fit, from the definition of the command line and from
//! the workspace.
//!
//! The script of a shell calls kata-ci again with [`VARIABLE`] set, and gets the candidates of this
//! moment: components, steps, runs and pipelines of the workspace. Where there is no workspace, or
//! a mistake in its file, there are none: nobody wants an error while typing.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap_complete::Shell;
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use super::definition::definition;
use crate::config;
use crate::env::Environment;
use crate::model::CommandError;
use crate::run;

/// The variable with which a shell asks for candidates.
const VARIABLE: &str = "KATACI_COMPLETE";

/// Answers a shell that asks for candidates. Returns the exit code; `None` for every other call.
pub(super) fn answer() -> Option<i32> {
    std::env::var_os(VARIABLE)?;
    let words: Vec<OsString> = std::env::args_os().collect();
    let here = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(definition)
        .var(VARIABLE)
        .try_complete(words, here.as_deref());
    match asked {
        Ok(true) => Some(0),
        Ok(false) => None,
        Err(_) => Some(1),
    }
}

/// Writes the completions of a shell to standard output.
pub(super) fn shell(shell: Shell) -> Result<i32, CommandError> {
    let completer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::PowerShell => &Powershell,
        Shell::Zsh => &Zsh,
        other => {
            let said = format!("there are no completions for {other}");
            return Err(CommandError::usage(said));
        }
    };
    let mut text = Vec::new();
    completer
        .write_registration(VARIABLE, "kata-ci", "kata-ci", "kata-ci", &mut text)
        .map_err(CommandError::output)?;
    print(&text)
}

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

/// Prints a text. A reader that has gone away has seen enough.
pub(super) fn print(text: &[u8]) -> Result<i32, CommandError> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::output(error)),
        _ => Ok(0),
    }
}
