//! Makes the case that carries a job's outcome if the job's own cases do not explain it.
//!
//! Readers of JUnit see cases, not suites. A job that timed out after its last case passed would be
//! green to them. A job whose command failed before it passed would not be flaky.

use super::output::JobLog;
use super::{findings, line};
use crate::event::JobFinished;
use crate::model::{CheckFindings, JobOutcome};
use crate::outcome::JobResult;
use crate::report::model::{
    Attempt, AttemptKind, Case, CaseState, Details, Problem, ProblemKind, Text,
};
use crate::report::summary::NO_END;

/// Returns the case that a job needs, named after the step, if it needs one.
pub(super) fn of(job: &JobResult, log: &mut JobLog<'_, '_>) -> Option<Case> {
    let Some(finished) = &job.finished else {
        let lost = (JobOutcome::Error, NO_END.to_owned());
        return Some(case(job, CaseState::Error, Some(lost), 0.0, log));
    };
    let explained = match finished.outcome {
        JobOutcome::Passed if bad_attempts(job).next().is_some() => job.tally.flaky > 0,
        JobOutcome::Passed => job.tally.passed + job.tally.flaky > 0,
        JobOutcome::Failed => job.tally.bad() > 0,
        _ => false,
    };
    if explained {
        return None;
    }
    let state = match state(finished.outcome, finished.allowed.is_some()) {
        CaseState::Passed if bad_attempts(job).next().is_some() => CaseState::Flaky,
        state => state,
    };
    let is_good = matches!(state, CaseState::Passed | CaseState::Flaky);
    let why = (!is_good).then(|| (finished.outcome, message(finished)));
    Some(case(job, state, why, finished.seconds, log))
}

fn message(finished: &JobFinished) -> String {
    match (&finished.allowed, &finished.fix) {
        (Some(why), _) => format!("allowed: {why}; {}", finished.reason),
        (None, Some(fix)) => format!("{}; fix: {fix}", finished.reason),
        (None, None) => finished.reason.clone(),
    }
}

/// Returns the state of the case. An allowed vacuous job is skipped, with the word and the reason,
/// because it proves nothing and fails nothing.
fn state(outcome: JobOutcome, allowed: bool) -> CaseState {
    match outcome {
        JobOutcome::Passed => CaseState::Passed,
        JobOutcome::Failed => CaseState::Failed,
        JobOutcome::Vacuous if allowed => CaseState::Skipped,
        JobOutcome::TimedOut | JobOutcome::Error | JobOutcome::Vacuous => CaseState::Error,
        JobOutcome::Skipped | JobOutcome::NotRun | JobOutcome::Cancelled => CaseState::Skipped,
    }
}

fn case(
    job: &JobResult,
    state: CaseState,
    why: Option<(JobOutcome, String)>,
    seconds: f64,
    log: &mut JobLog<'_, '_>,
) -> Case {
    let id = &job.queued.job;
    let problem = why.and_then(|(outcome, message)| problem(state, outcome, &message));
    let found = job.finished.as_ref().map(|finished| &finished.findings);
    let found = found.filter(|found| state.is_bad() && !found.is_empty());
    let first = found.and_then(CheckFindings::first_error);
    let out = match state.is_bad() {
        true => log.whole(),
        false => String::new(),
    };
    let details = Details {
        file: first.and_then(|first| Some(line(first.file.as_ref()?).into())),
        line: first.and_then(|first| first.line),
        problems: (problem.into_iter())
            .map(|problem| with_findings(problem, found))
            .collect(),
        properties: found.map(findings::properties).unwrap_or_default(),
        attempts: (bad_attempts(job))
            .map(|one| attempt(one, state == CaseState::Flaky, log))
            .collect(),
        out: Text::here(out),
        ..Details::default()
    };
    Case {
        class: line(id.as_str()).into(),
        name: line(id.step()).into(),
        state,
        seconds: Some(seconds),
        details: (details != Details::default()).then(|| Box::new(details)),
    }
}

/// Makes the first finding the message, and lists all of them below.
fn with_findings(problem: Problem, found: Option<&CheckFindings>) -> Problem {
    let Some(found) = found else {
        return problem;
    };
    Problem {
        message: match found.first_error() {
            Some(first) => Some(line(&first.to_string()).into()),
            None => problem.message,
        },
        body: findings::body(found),
        ..problem
    }
}

/// Iterates over attempts that ended badly and were followed by another one.
fn bad_attempts(job: &JobResult) -> impl Iterator<Item = &JobFinished> {
    let attempts = job.attempts.iter();
    attempts.filter(|attempt| attempt.outcome != JobOutcome::Passed)
}

fn attempt(end: &JobFinished, is_flaky: bool, log: &mut JobLog<'_, '_>) -> Attempt {
    let kind = match (is_flaky, end.outcome) {
        (true, JobOutcome::Failed) => AttemptKind::FlakyFailure,
        (true, _) => AttemptKind::FlakyError,
        (false, JobOutcome::Failed) => AttemptKind::RerunFailure,
        (false, _) => AttemptKind::RerunError,
    };
    Attempt {
        kind,
        word: Some(end.outcome.word().into()),
        message: Some(line(&end.reason).into()),
        body: Text::Empty,
        out: Text::here(log.whole_of(end.attempt, end.log_size)),
        err: Text::Empty,
    }
}

fn problem(state: CaseState, outcome: JobOutcome, message: &str) -> Option<Problem> {
    let kind = match state {
        CaseState::Failed => ProblemKind::Failure,
        CaseState::Error => ProblemKind::Error,
        CaseState::Skipped => ProblemKind::Skipped,
        CaseState::Flaky | CaseState::Passed => return None,
    };
    let message = if message.is_empty() {
        outcome.word()
    } else {
        message
    };
    Some(Problem {
        kind,
        word: Some(outcome.word().into()),
        message: Some(line(message).into()),
        body: Text::Empty,
    })
}
