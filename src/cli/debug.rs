//! `kata-ci debug`: a runtime under a debugger.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Subcommand};

use super::answer_format::AnswerFormat;
use super::docker::{HostArguments, refused, tell_changes, tell_then, unchanged};
use super::global::GlobalArguments;
use crate::env::Environment;
use crate::host::debug::{
    Check, CheckResult, DebugError, DebugPlan, DebugRequest, DebugWay, Enabled, LISTEN, disable,
    enable, enabled, katadbg_words, plan_debug, settings,
};
use crate::host::docker::{DockerFacts, diff};
use crate::host::root::HostRoot;
use crate::model::{CommandError, ExitCode};
use crate::say;
use crate::text::for_terminal;

/// The most bytes of a line.
const LINE_CAP: usize = 4096;

/// Debug a runtime with dlv, from GoLand, VS Code or dlv itself
#[derive(Debug, Args)]
pub(super) struct DebugArguments {
    #[command(subcommand)]
    command: DebugCommand,
}

#[derive(Debug, Subcommand)]
enum DebugCommand {
    /// Register a runtime with a debugger beside the runtime itself
    Enable(Box<EnableArguments>),
    /// Take it out again
    Disable {
        #[command(flatten)]
        host: HostArguments,
        /// Name of the runtime in daemon.json
        #[arg(long, value_name = "NAME", env = "KATACI_NAME", default_value = "dlv")]
        name: String,
    },
    /// Show which runtimes are debugged, and whether debugging works
    Status {
        #[command(flatten)]
        host: HostArguments,
        /// Format of the output
        #[arg(long, value_enum, default_value_t, env = "KATACI_FORMAT")]
        format: AnswerFormat,
    },
}

#[derive(Debug, Args)]
struct EnableArguments {
    /// Runtime, or shim [default: the kata that is found]
    runtime: Option<PathBuf>,
    #[command(flatten)]
    host: HostArguments,
    /// Name for `docker run --runtime`
    #[arg(long, value_name = "NAME", env = "KATACI_NAME", default_value = "dlv")]
    name: String,
    /// Subcommands of the runtime that start stopped
    #[arg(
        long,
        value_name = "COMMAND",
        env = "KATACI_ON",
        default_value = "create",
        value_delimiter = ','
    )]
    on: Vec<String>,
    /// Place where dlv listens: ADDRESS:PORT or unix:PATH
    #[arg(long, value_name = "PLACE", env = "KATACI_LISTEN", default_value = LISTEN)]
    listen: String,
    /// The debugger [default: dlv on PATH, or in Go's places]
    #[arg(long, value_name = "FILE", env = "KATACI_DLV")]
    dlv: Option<PathBuf>,
    /// The script that is written [default: /usr/local/bin/RUNTIME.swapper]
    #[arg(long, value_name = "FILE", env = "KATACI_SWAPPER")]
    swapper: Option<PathBuf>,
    /// Let clients of every user of this machine in, not of root only
    #[arg(long, env = "KATACI_ANY_USER", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    any_user: bool,
    /// Debug a program of a Go that dlv was not made for
    #[arg(long, env = "KATACI_ANY_GO", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    any_go: bool,
    /// Directory of the lock and of dlv's log [default: /run/kata-ci]
    #[arg(long, value_name = "DIR", env = "KATACI_RUN_DIR")]
    run_dir: Option<PathBuf>,
    /// Socket of the system's log [default: /dev/log]
    #[arg(long, value_name = "FILE", env = "KATACI_LOG_SOCKET")]
    log_socket: Option<PathBuf>,
    /// Show what would be written, and write nothing
    #[arg(long, env = "KATACI_DRY_RUN", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    dry_run: bool,
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &DebugArguments,
) -> Result<ExitCode, CommandError> {
    let environment = Environment::current();
    match &arguments.command {
        DebugCommand::Enable(arguments) => call_enable(global, &environment, arguments)?,
        DebugCommand::Disable { host, name } => {
            let root = host.root.root()?;
            let facts = facts(&root, &environment, host)?;
            let found = disable(&root, &environment, &facts, name).map_err(failed)?;
            let Some(found) = found else {
                let place = facts.daemon_json.display();
                return Err(CommandError::nothing_to_do(format!(
                    "{place} has no runtime `{name}` that kata-ci debug enable made"
                )));
            };
            line(format_args!(
                "removed: {}, and `{name}` from {}",
                found.path.display(),
                facts.daemon_json.display()
            ));
            line("then: systemctl reload docker");
        }
        DebugCommand::Status { host, format } => {
            let root = host.root.root()?;
            let facts = facts(&root, &environment, host)?;
            let all = enabled(&root, &environment, &facts);
            match format {
                AnswerFormat::Json => {
                    say::answer(serde_json::to_string_pretty(&all).unwrap_or_default())
                }
                AnswerFormat::Human => tell(&all, &facts),
            }
        }
    }
    Ok(ExitCode::Success)
}

fn facts(
    root: &HostRoot,
    environment: &Environment,
    host: &HostArguments,
) -> Result<DockerFacts, CommandError> {
    let version = host.docker_version.as_deref();
    DockerFacts::of(root, environment, version, host.daemon_json.as_deref())
        .map_err(|error| refused(error.into()))
}

fn call_enable(
    global: &GlobalArguments,
    environment: &Environment,
    arguments: &EnableArguments,
) -> Result<(), CommandError> {
    let root = arguments.host.root.root()?;
    let kata_ci =
        std::env::current_exe().map_err(|error| CommandError::machine(error.to_string()))?;
    let request = DebugRequest {
        runtime: arguments.runtime.clone(),
        name: arguments.name.clone(),
        swapper: arguments.swapper.clone(),
        on: arguments.on.clone(),
        listen: arguments.listen.clone(),
        dlv: arguments.dlv.clone(),
        any_user: arguments.any_user,
        any_go: arguments.any_go,
        run_dir: arguments.run_dir.clone(),
        log_socket: arguments.log_socket.clone(),
        checkout: global.directory.clone(),
        daemon_json: arguments.host.daemon_json.clone(),
    };
    let plan = plan_debug(&root, environment, &request, &kata_ci).map_err(failed)?;
    plan.checks.iter().for_each(tell_check);
    let script = plan.script.path.display().to_string();
    say::text(&diff(
        None,
        Some(plan.script.text.as_bytes()),
        ("/dev/null", &script),
    ));
    if let DebugWay::Swapper { plan, .. } = &plan.way {
        tell_changes(plan);
    }
    if arguments.dry_run {
        line("nothing was written (--dry-run)");
        return Ok(());
    }
    enable(&root, &plan).map_err(failed)?;
    line(format_args!(
        "written: {script}; `kata-ci debug disable` takes it back"
    ));
    tell_way(&plan);
    Ok(())
}

fn tell_way(plan: &DebugPlan) {
    match &plan.way {
        DebugWay::Swapper {
            swapper,
            plan,
            is_trimmed,
        } => {
            tell_then(plan);
            say::text(&settings(swapper, &plan.name, *is_trimmed));
        }
        DebugWay::Katadbg { shim, port } => say::text(&katadbg_words(shim, port)),
    }
}

fn tell(all: &[Enabled], facts: &DockerFacts) {
    if all.is_empty() {
        line(format_args!(
            "{} has no runtime that is debugged",
            facts.daemon_json.display()
        ));
    }
    for one in all {
        let use_now = if one.is_in_use {
            "in use now"
        } else {
            "not in use"
        };
        line(format_args!(
            "{}  {} by {}, on {}: {use_now}",
            one.name,
            one.swapper.runtime.display(),
            one.path.display(),
            one.swapper.on.join(", ")
        ));
        line(format_args!("dlv listens on {}", one.swapper.listen));
        one.checks.iter().for_each(tell_check);
    }
}

fn tell_check(check: &Check) {
    let mark = match check.result {
        CheckResult::Good => "✓",
        CheckResult::Less => "!",
        CheckResult::Bad => "✗",
    };
    line(format_args!("{mark} {}", check.message));
    if !check.fix.is_empty() {
        line(format_args!("  → {}", check.fix));
    }
}

fn line(text: impl std::fmt::Display) {
    say::answer(for_terminal(&text.to_string(), LINE_CAP));
}

fn failed(error: DebugError) -> CommandError {
    let hint = error.hint();
    let text = error.to_string();
    let words = match error {
        DebugError::Plan(error) => return refused(error),
        DebugError::Change(error) => return unchanged(error),
        DebugError::Io { .. } => CommandError::machine(text),
        DebugError::NotGo(_)
        | DebugError::Check(_)
        | DebugError::Runtime(_)
        | DebugError::Helper(_) => CommandError::unavailable(text),
        DebugError::Taken(_) | DebugError::Script(_) | DebugError::Listen(_) => {
            CommandError::usage(text)
        }
    };
    match hint {
        Some(hint) => words.hint(hint),
        None => words,
    }
}
