//! `kata-ci console`: the console of a guest.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;

use super::answer_format::AnswerFormat;
use crate::env::Environment;
use crate::host::console::{self, ConsoleRequest, Escape, PORT};
use crate::model::{CommandError, ExitCode};
use crate::say;

#[derive(Debug, Args)]
pub(super) struct ConsoleArguments {
    /// Id of a sandbox, the beginning of one, a name that docker or crictl has for it, or the path
    /// of a socket.
    #[arg(value_name = "SANDBOX|PATH", required_unless_present = "list")]
    target: Option<String>,

    /// List the sandboxes with the state of their consoles: alive, busy, dead.
    #[arg(long, env = "KATACI_CONSOLE_LIST", value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue,
          conflicts_with_all = ["target", "debug"])]
    list: bool,

    /// Open the debug console of the agent: a shell of its own in the guest.
    #[arg(long, env = "KATACI_CONSOLE_DEBUG", value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    debug: bool,

    /// Port of the debug console.
    #[arg(long, value_name = "PORT", env = "KATACI_CONSOLE_VPORT", default_value_t = PORT)]
    vport: u32,

    /// Byte that detaches, when typed at a terminal: 0x11, ^Q, ctrl-q, or none.
    #[arg(long, value_name = "BYTE", env = "KATACI_CONSOLE_ESCAPE", default_value = "0x11", value_parser = Escape::parse)]
    escape: Escape,

    /// Append everything that the console says to FILE.
    #[arg(long, value_name = "FILE", env = "KATACI_CONSOLE_LOG")]
    log: Option<PathBuf>,

    /// Read on for this long after the end of piped input, as long as something comes.
    #[arg(long, value_name = "DURATION", env = "KATACI_CONSOLE_LINGER", default_value = "1s", value_parser = humantime::parse_duration)]
    linger: Duration,

    /// Type `stty rows R cols C` first, since the size of the terminal does not cross the line.
    #[arg(long, env = "KATACI_CONSOLE_STTY", value_parser = FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    stty: bool,

    /// Directory of the runtimes' state.
    #[arg(
        long,
        value_name = "DIR",
        env = "KATACI_CONSOLE_RUN_DIR",
        default_value = "/run"
    )]
    run_dir: PathBuf,

    /// Format of the list.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "KATACI_FORMAT",
        default_value = "human"
    )]
    format: AnswerFormat,
}

/// Calls the command and returns the exit code.
pub(super) fn call(arguments: &ConsoleArguments) -> Result<i32, CommandError> {
    let Some(target) = arguments.target.clone().filter(|_| !arguments.list) else {
        return list(arguments).map(ExitCode::code);
    };
    if target.is_empty() {
        return Err(
            CommandError::usage("an empty name means no sandbox").hint("kata-ci console --list")
        );
    }
    let request = ConsoleRequest {
        target,
        debug: arguments.debug,
        port: arguments.vport,
        escape: arguments.escape,
        log: arguments.log.clone(),
        linger: arguments.linger,
        types_size: arguments.stty,
        run: arguments.run_dir.clone(),
        environment: Environment::current(),
    };
    console::open(&request).map(ExitCode::code)
}

fn list(arguments: &ConsoleArguments) -> Result<ExitCode, CommandError> {
    let listed = console::list(&arguments.run_dir)?;
    match arguments.format {
        AnswerFormat::Json => {
            let json = serde_json::to_string_pretty(&listed).map_err(CommandError::machine)?;
            say::answer(json);
        }
        AnswerFormat::Human if listed.is_empty() => {
            let place = arguments.run_dir.display();
            say::aside(format_args!("there is no sandbox of kata below {place}"));
        }
        AnswerFormat::Human => say::text(&console::shown(&listed)),
    }
    Ok(match listed.is_empty() {
        true => ExitCode::NothingToDo,
        false => ExitCode::Success,
    })
}
