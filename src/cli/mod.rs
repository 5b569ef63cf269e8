//! The command line: arguments become a request, errors become text, results become an exit code.
//! Each command has one file here, and its work is done in a room below.
//!
//! Every option has an environment variable `KATACI_OPTION`, which its help names. `KATA_CI_…`
//! belongs to kata and is never read here.

mod answer_format;
mod arguments;
mod candidates;
mod check_config;
mod completions;
mod console;
mod debug;
mod definition;
mod diag;
mod docker;
mod doctor;
mod error;
mod faults;
mod global;
mod hook;
mod init;
mod list;
mod man;
mod plan;
mod planning;
mod print;
mod push;
mod report;
mod review;
mod run;
mod settings;
mod submit;
mod watch;

use std::ffi::OsStr;
use std::io;

use clap::FromArgMatches;

use crate::exec;
use crate::host;
use crate::model::CommandError;
use arguments::{Arguments, Command};
use definition::definition;

/// Runs the command of the command line and returns the exit code.
pub fn main() -> i32 {
    faults::catch_aborts();
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new(exec::HELPER_ARGUMENT)) {
        return exec::helper::main();
    }
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new(host::debug::DEBUG_EXEC)) {
        return host::debug::debug_exec(std::env::args_os().skip(2));
    }
    faults::prepare();
    if let Some(code) = completions::answer() {
        return code;
    }
    crate::say::code(faults::guarded(parse_and_call))
}

fn parse_and_call() -> i32 {
    let parsed = definition().try_get_matches();
    let parsed = parsed.and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(other) => return answer(&other),
    };
    call(&arguments).unwrap_or_else(|failed| {
        crate::say::aside(error::render(&failed, arguments.global.color()));
        failed.kind.code()
    })
}

/// Prints the help or version, or the error in the arguments.
fn answer(other: &clap::Error) -> i32 {
    match other.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let failed = CommandError::machine(format!("standard output: {error}"));
            crate::say::aside(error::render(&failed, anstream::ColorChoice::Never));
            match other.exit_code() {
                0 => failed.kind.code(),
                code => code,
            }
        }
        _ => other.exit_code(),
    }
}

fn call(arguments: &Arguments) -> Result<i32, CommandError> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Run(arguments) => run::call(global, arguments).map(|code| code.code()),
        Command::Plan(arguments) => plan::call(global, arguments).map(|code| code.code()),
        Command::Init(arguments) => init::call(global, arguments),
        Command::CheckConfig(arguments) => check_config::call(global, arguments),
        Command::Submit(arguments) => submit::call(global, arguments).map(|code| code.code()),
        Command::List(arguments) => list::call(global, arguments).map(|code| code.code()),
        Command::Console(arguments) => console::call(arguments),
        Command::Diag(arguments) => diag::call(global, arguments),
        Command::Doctor(arguments) => doctor::call(global, arguments),
        Command::Logs(arguments) => report::logs(global, arguments),
        Command::Report(arguments) => report::call(global, arguments),
        Command::Push(arguments) => push::call(global, arguments),
        Command::Debug(arguments) => debug::call(global, arguments).map(|code| code.code()),
        Command::Docker(arguments) => docker::call(arguments).map(|code| code.code()),
        Command::Review(arguments) => review::call(global, arguments),
        Command::Hook(arguments) => Ok(hook::call(global, arguments).code()),
        Command::Completions { shell } => completions::shell(*shell),
        Command::Man { command, into } => man::call(command, into.as_deref()),
    }
}
