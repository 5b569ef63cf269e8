//! The command line: arguments → a request, one file a command; no logic of its own.
//!
//! Every option can be given by the environment as `KATACI_OPTION`; the options' help names the variable. `KATA_CI_…` is
//! kata's own and is never read here.

pub(crate) mod arguments;
mod completions;
pub(crate) mod format;
mod hook;
mod push;
mod report;

use std::ffi::OsStr;

use anstream::ColorChoice;
use clap::Parser;

use crate::run::failure::Failure;
use arguments::{Arguments, Command};

use crate::exec;

/// Runs what the command line asks for and returns the exit code.
pub fn main() -> i32 {
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new(exec::helper::ARGUMENT)) {
        return exec::helper::main();
    }
    let arguments = Arguments::parse();
    match call(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            anstream::eprintln!(
                "{}",
                failure.render(arguments.color() != ColorChoice::Never)
            );
            failure.exit_code().code()
        }
    }
}

fn call(arguments: &Arguments) -> Result<i32, Failure> {
    match &arguments.command {
        Command::Run(run) => crate::run::call(arguments, run),
        Command::Report(report) => report::call(arguments, report),
        Command::Push(push) => push::call(arguments, push),
        Command::Hook(hook) => Ok(hook::run(arguments, hook).code()),
        Command::Completions { shell } => completions::shell(*shell),
        Command::Man => completions::man(),
    }
}
