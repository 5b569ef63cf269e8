//! The command line: arguments → a request, errors → text, and the exit code; one file a command, and no logic of its own.
//!
//! Every option can be given by the environment as `KATACI_OPTION`; the options' help names the variable. `KATA_CI_…` is
//! kata's own and is never read here.

mod arguments;
mod completions;
mod error;
mod format;
mod global;
mod hook;
mod push;
mod report;
mod run;
mod settings;

use std::ffi::OsStr;

use clap::Parser;

use crate::exec;
use crate::model::CommandError;
use arguments::{Arguments, Command};

/// Runs what the command line asks for and returns the exit code.
pub fn main() -> i32 {
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new(exec::helper::ARGUMENT)) {
        return exec::helper::main();
    }
    let arguments = Arguments::parse();
    call(&arguments).unwrap_or_else(|failed| {
        anstream::eprintln!("{}", error::render(&failed, arguments.global.color()));
        failed.kind.code()
    })
}

fn call(arguments: &Arguments) -> Result<i32, CommandError> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Run(arguments) => run::call(global, arguments).map(|code| code.code()),
        Command::Report(arguments) => report::call(global, arguments),
        Command::Push(arguments) => push::call(global, arguments),
        Command::Hook(arguments) => Ok(hook::call(global, arguments).code()),
        Command::Completions { shell } => completions::shell(*shell),
        Command::Man => completions::man(),
    }
}
