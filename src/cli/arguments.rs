//! The definition of the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use super::check_config::CheckConfigArguments;
use super::console::ConsoleArguments;
use super::debug::DebugArguments;
use super::diag::DiagArguments;
use super::docker::DockerArguments;
use super::doctor::DoctorArguments;
use super::global::GlobalArguments;
use super::hook::HookArguments;
use super::init::InitArguments;
use super::list::ListArguments;
use super::plan::PlanArguments;
use super::push::PushArguments;
use super::report::{LogsArguments, ReportArguments};
use super::review::ReviewArguments;
use super::run::RunArguments;
use super::submit::SubmitArguments;

/// Runs make check and make test across kata components and reports truthfully what was tested.
#[derive(Debug, Parser)]
#[command(name = "kata-ci", version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub global: GlobalArguments,

    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes, the first that fits:
  128+n  ended by signal n
  70     a bug in kata-ci
  2      usage or configuration
  1      something failed, timed out or was vacuous
  69     an error kept something from being tested, and its cause lasts: see to it first
  75     an error kept something from being tested: worth another try
  4      nothing selected, or everything selected was skipped
  0      at least one job passed, and none of the above";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the steps of a pipeline in its components.
    Run(RunArguments),
    /// Write a first kata-ci.toml, with comments, for what this directory holds.
    Init(InitArguments),
    /// Check kata-ci.toml and the user's configuration, or print their schema.
    CheckConfig(CheckConfigArguments),
    /// List components, steps and requirements, and the cases of the last run.
    List(ListArguments),
    /// Distribute the jobs of a run over shards, for several machines.
    Plan(PlanArguments),
    /// Hand the jobs of a run over to an engine, and follow them to their end.
    Submit(SubmitArguments),
    /// Open the console of a guest, or the debug console of its agent.
    Console(ConsoleArguments),
    /// Collect what a bug report about a kata host needs, without secrets.
    Diag(DiagArguments),
    /// Find out what this host can do, with the commands that mend the rest.
    Doctor(DoctorArguments),
    /// Show the log of a job, also while it runs.
    Logs(LogsArguments),
    /// Merge, convert and show reports of runs, and JUnit files of other programs.
    Report(ReportArguments),
    /// Check commits and push them to Gerrit for review (refs/for/BRANCH).
    Push(PushArguments),
    /// Debug a runtime with dlv, from GoLand, VS Code or dlv itself.
    Debug(DebugArguments),
    /// Show docker's runtimes, make kata one of them, and take that back.
    Docker(DockerArguments),
    /// Run a change of a Gerrit, compare it with its base, and vote (with --vote).
    #[command(after_help = super::review::EXIT_CODES)]
    Review(ReviewArguments),
    /// Install, show and run the git hooks pre-push and commit-msg.
    Hook(HookArguments),
    /// Write the completions of a shell to standard output.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the manual page of kata-ci, or of a command, to standard output.
    Man {
        /// The command: `run`, or two words for `report show`.
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
        /// Write all pages into this directory instead.
        #[arg(long = "directory", value_name = "DIR", conflicts_with = "command")]
        into: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_option_of_a_command_has_its_variable() {
        let command = Arguments::command();
        for name in ["run", "push", "review"] {
            let command = command.find_subcommand(name).expect("it is a command");
            for option in command.get_opts() {
                let variable = option
                    .get_env()
                    .map(|name| name.to_string_lossy().into_owned());
                assert!(
                    variable
                        .as_deref()
                        .is_some_and(|name| name.starts_with("KATACI_")),
                    "{} has {variable:?}",
                    option.get_id()
                );
            }
        }
    }
}
