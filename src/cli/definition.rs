//! The definition of the command line as it is parsed and shown: options in groups, examples, and
//! the variables in one place instead of a line for each option.
//!
//! An option of `run` has the variable `KATACI_OPTION`. One of another command has
//! `KATACI_COMMAND_OPTION`, and keeps the short name as an alias. Options that take a decision for
//! once (`--yes`, `--no-check`, `--direct`, `--vote`) have none: a variable that was forgotten must
//! not push or vote.

use std::env;

use clap::builder::Resettable;
use clap::{Arg, Command, CommandFactory};

use super::arguments::Arguments;

/// The options without a variable.
const FOR_ONCE: [&str; 4] = ["yes", "no_check", "direct", "vote"];

/// The groups of `run`, in the order of its help, with the options of each.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "Selection",
        &[
            "components",
            "pipeline",
            "steps",
            "since",
            "rerun_failed",
            "case",
        ],
    ),
    (
        "Execution",
        &[
            "jobs",
            "timeout",
            "grace",
            "retries",
            "fail_fast",
            "max_fail",
            "rev",
            "resume",
            "dry_run",
        ],
    ),
    (
        "Isolation",
        &[
            "network",
            "isolate",
            "without_root",
            "require_all",
            "compare_isolation",
        ],
    ),
    (
        "Reports",
        &[
            "quiet",
            "format",
            "junit",
            "report_dir",
            "diag",
            "keep_runs",
            "keep_days",
        ],
    ),
    ("CI", &["ci"]),
    (
        "Several machines",
        &["plan", "shard", "attempt", "attempts"],
    ),
];

const EXAMPLES: &str = "\
Examples:
  kata-ci run                          check and test of all components
  kata-ci run agent src/runtime        of two, by name and by path
  kata-ci run 'agent.test' -j4         one job
  kata-ci run --since origin/main      what changed, and what needs it
  kata-ci run --rev HEAD               the commit, in a clean checkout
  kata-ci run agent --case 'TestUpdate*'   single tests
  kata-ci run --rerun-failed           what failed last time";

/// Returns the definition.
pub(super) fn definition() -> Command {
    Arguments::command()
        .mut_args(|option| match option.is_global_set() {
            true => option.hide_env(true).help_heading("Global"),
            false => option,
        })
        .mut_subcommands(|command| {
            let name = command.get_name().to_owned();
            let command = of_command(command, &name);
            match name.as_str() {
                "run" => grouped(command).after_help(format!("{EXAMPLES}\n\n{}", variables(&name))),
                _ => command,
            }
        })
}

/// Gives the options of a command, and of its own commands, their variables.
fn of_command(command: Command, name: &str) -> Command {
    let has_variables = command
        .get_arguments()
        .any(|option| option.get_env().is_some());
    let command = command
        .mut_args(|option| with_variable(option, name))
        .mut_subcommands(|inner| of_command(inner, name));
    match has_variables && command.get_after_help().is_none() {
        true => command.after_help(variables(name)),
        false => command,
    }
}

fn with_variable(option: Arg, command: &str) -> Arg {
    if FOR_ONCE.contains(&option.get_id().as_str()) {
        return option.env(Resettable::Reset);
    }
    let Some(short) = option.get_env().and_then(|name| name.to_str()) else {
        return option;
    };
    let own = own_variable(short, command);
    let is_given = env::var_os(&own).is_some();
    let option = option.hide_env(true);
    match is_given {
        // clap wants names that last as long as the program.
        true => option.env(&*own.leak()),
        false => option,
    }
}

/// Returns `KATACI_PUSH_TOPIC` for `KATACI_TOPIC`; the same for an option of `run`.
fn own_variable(short: &str, command: &str) -> String {
    match (command, short.strip_prefix("KATACI_")) {
        ("run", _) | (_, None) => short.to_owned(),
        (command, Some(rest)) => format!("KATACI_{}_{rest}", command.to_uppercase()),
    }
}

fn variables(command: &str) -> String {
    match command {
        "run" => "Environment:\n  Each option has a variable, KATACI_ and its name: KATACI_MAX_FAIL=2 is --max-fail 2,\n  KATACI_PIPELINE=FILE is --pipeline FILE. An option that is given wins."
            .to_owned(),
        command => format!(
            "Environment:\n  Each option has a variable, KATACI_{}_ and its name; without the command's name it holds\n  for `run` too. An option that is given wins. --yes, --no-check, --direct and --vote have none.",
            command.to_uppercase()
        ),
    }
}

fn grouped(command: Command) -> Command {
    command.mut_args(|option| {
        let id = option.get_id().as_str();
        let group = GROUPS.iter().find(|(_, ids)| ids.contains(&id));
        match group {
            Some((heading, _)) => option.help_heading(*heading),
            None => option,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_run_is_in_one_group() {
        let run = definition();
        let run = run.find_subcommand("run").unwrap();
        for option in run.get_arguments() {
            assert!(option.get_help_heading().is_some(), "{}", option.get_id());
        }
        for (_, ids) in GROUPS {
            for id in ids {
                assert!(
                    run.get_arguments().any(|option| option.get_id() == id),
                    "{id}"
                );
            }
        }
    }

    #[test]
    fn what_is_for_once_has_no_variable() {
        let all = definition();
        let push = all.find_subcommand("push").unwrap();
        for option in push.get_arguments() {
            let is_for_once = FOR_ONCE.contains(&option.get_id().as_str());
            assert!(
                !is_for_once || option.get_env().is_none(),
                "{}",
                option.get_id()
            );
        }
    }

    #[test]
    fn a_variable_names_its_command() {
        assert_eq!(own_variable("KATACI_TOPIC", "push"), "KATACI_PUSH_TOPIC");
        assert_eq!(own_variable("KATACI_JOBS", "run"), "KATACI_JOBS");
    }

    #[test]
    fn the_definition_is_sound() {
        definition().debug_assert();
    }
}
