//! The check of a push: the run of exactly the commits that would be pushed, by the same way as `run --rev`.

use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser};

use crate::cli::arguments::{Arguments, Command, Format, RunArguments};
use crate::exec;
use crate::git::plumbing::Repository;
use crate::model::ExitCode;
use crate::push::{Check, CheckRequest, CheckResult};
use crate::run;
use crate::run::failure::Failure;
use crate::stamp::Stamp;
use crate::stamp::key;
use crate::stamp::key::{StampQuery, StampScope};

/// Options of a run whose variables hold for a check too: how much of the machine it takes, how it is shown, and
/// what is kept of it. Others
/// (`KATACI_STEP`, `KATACI_DRY_RUN`) would make it a part of a check.
const HELD: [&str; 11] = [
    "jobs",
    "timeout",
    "grace",
    "retries",
    "network",
    "isolate",
    "require_all",
    "format",
    "ci",
    "keep_runs",
    "keep_days",
];

/// Runs the pipeline on commits.
pub(crate) struct RunCheck<'a> {
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
        if let Some(stamps) = self.stamps(request.repository, commit, request.branch) {
            return Ok(format!("{short}: {}", before(&stamps)));
        }
        let over = self.run(request, commit).map_err(|failure| {
            let choice = self.arguments.color();
            anstream::eprintln!("{}", failure.render(choice != anstream::ColorChoice::Never));
            let said = format!("{short} was not checked; --no-check pushes it all the same");
            (said, failure.exit_code())
        })?;
        // What follows is ended by a signal as any other program.
        let _ = exec::signals::let_go();
        let told = counts(&over);
        match over.code {
            0 => Ok(format!("{short}: {told}")),
            code => Err((format!("{short}: {told}"), exit_code(code))),
        }
    }

    /// The stamps of all jobs that a check of this commit would have, where there are such.
    pub(crate) fn stamps(
        &self,
        repository: &Repository,
        commit: &str,
        branch: &str,
    ) -> Option<Vec<Stamp>> {
        let top = key::top(repository)?;
        let environment = std::env::vars_os().collect();
        let question = StampQuery {
            top: &top,
            parent: top.parent()?,
            commit,
            branch,
            asked: self.pipeline.as_deref(),
            overrides: &run::overrides(&options().ok()?),
            environment: &environment,
        };
        StampScope::of(&question)?.all(&environment)
    }

    fn run(&self, request: &CheckRequest<'_>, commit: &str) -> Result<run::RunResult, Failure> {
        let top = key::top(request.repository).ok_or_else(|| {
            let place = request.repository.directory().display();
            Failure::Machine(format!("{place}: git cannot tell where the work tree is"))
        })?;
        let mut options = options()?;
        options.pipeline = self.pipeline.clone();
        options.rev = Some(commit.to_owned());
        options.pushed_to = Some(request.branch.to_owned());
        if self.quiet || options.format == Format::Json {
            options.format = Format::Errors;
        }
        let arguments = (self.arguments).elsewhere(top, Command::Run(options.clone()));
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

/// `3 passed, 1 failed; 2 passed before, 3m ago (stamps)`
fn counts(over: &run::RunResult) -> String {
    let counts: Vec<_> = (over.run.outcomes().iter())
        .map(|(outcome, count)| format!("{count} {}", outcome.word()))
        .collect();
    match (counts.is_empty(), over.stamps.is_empty()) {
        (true, true) => "nothing was run".to_owned(),
        (true, false) => before(&over.stamps),
        (false, true) => counts.join(", "),
        (false, false) => format!("{}; {}", counts.join(", "), before(&over.stamps)),
    }
}

/// `2 passed before, 3m ago (stamps), tests at 02cdce9`: as old as the oldest.
fn before(stamps: &[Stamp]) -> String {
    let oldest = stamps.iter().map(|stamp| stamp.passed).min();
    let age = oldest.map_or(0, |passed| {
        jiff::Timestamp::now().as_second() - passed.as_second()
    });
    let age = Duration::from_secs(u64::try_from(age).unwrap_or(0));
    let tests = stamps.iter().find_map(|stamp| stamp.facts.tests.as_deref());
    let tests = tests.and_then(|commit| commit.get(..7));
    format!(
        "{} passed before, {} ago (stamps){}",
        stamps.len(),
        humantime::format_duration(age),
        tests
            .map(|commit| format!(", tests at {commit}"))
            .unwrap_or_default()
    )
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
