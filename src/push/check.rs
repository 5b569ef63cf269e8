//! Checks a push: runs the pipeline on exactly the commits to push, in the same way as `run --rev`.

use std::time::Duration;

use crate::dirs;
use crate::env::Environment;
use crate::exec;
use crate::git::Repository;
use crate::git::range::Commit;
use crate::model::{CommandError, ExitCode};
use crate::run;
use crate::run::{RunRequest, RunResult, RunSettings};
use crate::stamp::Stamp;
use crate::stamp::key::{StampQuery, StampScope};

/// The commits to check.
#[derive(Debug)]
pub struct CheckRequest<'a> {
    /// The user's repository; it is only read.
    pub repository: &'a Repository,
    /// The commit to push.
    pub tip: &'a str,
    /// All commits of the push, oldest first; the last is the tip. Empty for more than 200 commits.
    pub commits: &'a [Commit],
    /// True to check every commit, not only the tip.
    pub each: bool,
    /// The target branch, which checks of changed files compare with.
    pub branch: &'a str,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    /// All of it passed; the text for the report (`passed 1:12 ago (stamp), tests at 02cdce9`).
    Passed(String),
    /// Something did not pass; the text for the report, and the exit code of the run.
    NotPassed(String, ExitCode),
}

/// Checks the commits of a push.
pub trait Check {
    /// Checks the commits in a clean checkout.
    fn check(&self, request: &CheckRequest<'_>) -> CheckResult;
}

/// Checks commits by running the pipeline.
pub(crate) struct RunCheck<'a> {
    /// The settings of the run.
    pub settings: RunSettings,
    /// The pipeline as given with `-p`.
    pub pipeline: Option<String>,
    /// The environment that kata-ci was called with.
    pub environment: Environment,
    /// Receives the reason if a commit cannot be run.
    pub tell: &'a dyn Fn(&CommandError),
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
    /// Checks one commit. Returns the text for the report, and for a failure the exit code of its
    /// run.
    fn one(&self, request: &CheckRequest<'_>, commit: &str) -> Result<String, (String, ExitCode)> {
        let short = commit.get(..7).unwrap_or(commit);
        if let Some(stamps) = self.stamps(request.repository, commit, request.branch) {
            return Ok(format!("{short}: {}", before(&stamps)));
        }
        let over = self.run(request, commit).map_err(|error| {
            (self.tell)(&error);
            let said = format!("{short} was not checked; --no-check pushes it all the same");
            (said, error.kind)
        })?;
        // From here on, a signal ends kata-ci like any other program.
        let _ = exec::signals::let_go();
        let told = counts(&over);
        match over.code {
            ExitCode::Success => Ok(format!("{short}: {told}")),
            code => Err((format!("{short}: {told}"), code)),
        }
    }

    /// Returns the stamps of all jobs that a check of this commit has; `None` if one is missing.
    pub(crate) fn stamps(
        &self,
        repository: &Repository,
        commit: &str,
        branch: &str,
    ) -> Option<Vec<Stamp>> {
        let top = repository.top_level().ok()?;
        let question = StampQuery {
            top: &top,
            parent: top.parent()?,
            commit,
            branch,
            asked: self.pipeline.as_deref(),
            overrides: &self.settings.overrides,
            author: None,
            state: &dirs::state(&self.environment)?,
            environment: &self.environment,
        };
        StampScope::of(&question)?.all(&self.environment)
    }

    fn run(&self, request: &CheckRequest<'_>, commit: &str) -> Result<RunResult, CommandError> {
        let top = request.repository.top_level()?;
        let (environment, settings) = (self.environment.clone(), self.settings.clone());
        run::carry_out(&RunRequest {
            pipeline: self.pipeline.clone(),
            revision: Some(commit.to_owned()),
            pushed_to: Some(request.branch.to_owned()),
            ..RunRequest::new(top, environment, settings)
        })
    }
}

/// Formats as `3 passed, 1 failed; 2 passed before, 3m ago (stamps)`.
fn counts(over: &RunResult) -> String {
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

/// Formats as `2 passed before, 3m ago (stamps), tests at 02cdce9`, with the age of the oldest
/// stamp.
fn before(stamps: &[Stamp]) -> String {
    let oldest = stamps.iter().map(|stamp| stamp.passed).min();
    let age = oldest.map_or(0, |passed| {
        crate::clock::now().as_second() - passed.as_second()
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
