//! The command line: arguments → a request, one file a command; no logic of its own.
//!
//! Every option can be given by the environment as `KATACI_OPTION`; the options' help names the variable. `KATA_CI_…` is
//! kata's own and is never read here.

mod arguments;
mod check;
mod completions;
mod dry_run;
mod failure;
mod faults;
mod format;
mod grounds;
mod hook;
mod kept_runs;
mod pipeline;
mod push;
mod push_several;
mod report;
mod report_directory;
mod run;
mod say;
mod stamps;

use std::ffi::OsStr;
use std::io;

use anstream::ColorChoice;
use clap::Parser;

use arguments::{Arguments, Command};
use failure::Failure;

use crate::exec;

/// Runs what the command line asks for and returns the exit code.
pub fn main() -> i32 {
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new(exec::helper::ARGUMENT)) {
        return exec::helper::main();
    }
    faults::prepare();
    say::code(faults::guarded(parse_and_call))
}

fn parse_and_call() -> i32 {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(other) => return answer(&other),
    };
    call(&arguments).unwrap_or_else(|failure| {
        say::aside(failure.render(arguments.color() != ColorChoice::Never));
        failure.exit_code().code()
    })
}

/// Shows what was asked for instead of a command, or what is wrong with the arguments.
fn answer(other: &clap::Error) -> i32 {
    match other.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let failure = Failure::output(error);
            say::aside(failure.render(false));
            match other.exit_code() {
                0 => failure.exit_code().code(),
                code => code,
            }
        }
        _ => other.exit_code(),
    }
}

fn call(arguments: &Arguments) -> Result<i32, Failure> {
    match &arguments.command {
        Command::Run(run) => run::call(arguments, run),
        Command::Report(report) => report::call(arguments, report),
        Command::Push(push) => push::call(arguments, push),
        Command::Hook(hook) => Ok(hook::run(arguments, hook).code()),
        Command::Completions { shell } => completions::shell(*shell),
        Command::Man => completions::man(),
    }
}
