//! The check of a push: the run of exactly the commits that would be pushed, by the same way as `run --rev`.

use clap::{CommandFactory, FromArgMatches, Parser};

use super::arguments::{Arguments, Command, Format, RunArguments};
use super::failure::Failure;
use super::run;
use crate::exec;
use crate::gerrit::push::{Check, CheckRequest, CheckResult};
use crate::outcome::{ExitCode, Run};

/// Options of a run whose variables hold for a check too: how much of the machine it takes, and how it is shown. Others
/// (`KATACI_STEP`, `KATACI_DRY_RUN`) would make it a part of a check.
const HELD: [&str; 8] = [
    "jobs",
    "timeout",
    "grace",
    "retries",
    "network",
    "isolate",
    "require_all",
    "format",
];

/// Runs the pipeline on commits.
pub(super) struct RunCheck<'a> {
    pub arguments: &'a Arguments,
    /// As given with `-p`.
    pub pipeline: Option<String>,
    /// Standard output is for the answer of the push.
    pub quiet: bool,
}

/// The options of `run`, as a command of their own.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    run: RunArguments,
}

impl Check for RunCheck<'_> {
    fn check(&self, request: &CheckRequest<'_>) -> CheckResult {
        let commits: Vec<&str> = match request.each {
            true => (request.commits.iter())
                .map(|commit| commit.oid.as_str())
                .collect(),
            false => vec![request.tip],
        };
        if commits.is_empty() {
            let said = "--each: there are too many commits to check them all";
            return CheckResult::NotPassed(said.to_owned(), ExitCode::Usage);
        }
        let mut said = Vec::new();
        for commit in commits {
            match self.one(request, commit) {
                Ok(passed) => said.push(passed),
                Err((failed, code)) => return CheckResult::NotPassed(failed, code),
            }
        }
        CheckResult::Passed(said.join("; "))
    }
}

impl RunCheck<'_> {
    /// What is to be said of a commit that passed, or of one that did not, with the exit code of its run.
    fn one(&self, request: &CheckRequest<'_>, commit: &str) -> Result<String, (String, ExitCode)> {
        let short = commit.get(..7).unwrap_or(commit);
        let over = self.run(request, commit).map_err(|failure| {
            let choice = self.arguments.color();
            anstream::eprintln!("{}", failure.render(choice != anstream::ColorChoice::Never));
            let said = format!("{short} was not checked; --no-check pushes it all the same");
            (said, failure.exit_code())
        })?;
        // What follows is ended by a signal as any other program.
        let _ = exec::signals::let_go();
        let told = counts(&over.run);
        match over.code {
            0 => Ok(format!("{short}: {told}")),
            code => Err((format!("{short}: {told}"), exit_code(code))),
        }
    }

    fn run(&self, request: &CheckRequest<'_>, commit: &str) -> Result<run::Over, Failure> {
        let top = (request.repository.text(["rev-parse", "--show-toplevel"]))
            .map_err(|error| Failure::Machine(error.to_string()))?;
        let mut options = options()?;
        options.pipeline = self.pipeline.clone();
        options.rev = Some(commit.to_owned());
        options.pushed_to = Some(request.branch.to_owned());
        if self.quiet || options.format == Format::Json {
            options.format = Format::Errors;
        }
        let arguments = (self.arguments).elsewhere(top.into(), Command::Run(options.clone()));
        run::carry_out(&arguments, &options)
    }
}

/// The defaults of a run, with what the environment says of those that hold.
fn options() -> Result<RunArguments, Failure> {
    let command =
        Options::command().mut_args(
            |argument| match HELD.contains(&argument.get_id().as_str()) {
                true => argument,
                false => argument.env(None::<&str>),
            },
        );
    let matches = command.try_get_matches_from(["kata-ci"]);
    let options = matches.and_then(|matches| Options::from_arg_matches(&matches));
    Ok(options
        .map_err(|error| Failure::Usage(error.to_string()))?
        .run)
}

/// `3 passed, 1 failed`
fn counts(run: &Run) -> String {
    let counts: Vec<_> = (run.outcomes().iter())
        .map(|(outcome, count)| format!("{count} {}", outcome.word()))
        .collect();
    match counts.is_empty() {
        true => "nothing was run".to_owned(),
        false => counts.join(", "),
    }
}

fn exit_code(code: i32) -> ExitCode {
    let known = [
        ExitCode::Success,
        ExitCode::Failed,
        ExitCode::Usage,
        ExitCode::NothingToDo,
        ExitCode::Error,
    ];
    match known.into_iter().find(|known| known.code() == code) {
        Some(known) => known,
        None if code > 128 => ExitCode::Signal(code - 128),
        None => ExitCode::Bug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_environment_may_say_are_options_of_a_run() {
        let command = Options::command();
        let known: Vec<_> = command
            .get_arguments()
            .map(|one| one.get_id().as_str())
            .collect();
        for name in HELD.iter().filter(|name| **name != "retries") {
            assert!(known.contains(name), "{name}");
        }
    }

    #[test]
    fn exit_codes_are_those_of_the_run() {
        for code in [0, 1, 2, 4, 70, 75, 130, 143] {
            assert_eq!(exit_code(code).code(), code);
        }
    }
}
