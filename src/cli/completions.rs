//! `kata-ci completions SHELL`: the script of a shell, and the answers that it asks for.
//!
//! The script of a shell calls kata-ci again with [`VARIABLE`] set, and gets the candidates of this
//! moment: components, steps, runs and pipelines of the workspace. Where there is no workspace, or
//! a mistake in its file, there are none: nobody wants an error while typing.

use std::ffi::OsString;

use clap_complete::Shell;
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use super::definition::definition;
use super::print::print;
use crate::model::CommandError;

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
