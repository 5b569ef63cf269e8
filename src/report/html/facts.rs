//! What the page says of one job or suite.

use crate::model::JobOutcome;
use crate::report::model::{CaseState, Counts, Suite, facts};

/// What became of a suite, in one word, which is also its class in the style sheet.
pub(super) fn word(suite: &Suite) -> &'static str {
    match outcome(suite) {
        Some(outcome) => outcome.word(),
        None => word_of(&suite.counts()),
    }
}

/// The outcome kata-ci gave it.
pub(super) fn outcome(suite: &Suite) -> Option<JobOutcome> {
    let word = suite.property(facts::OUTCOME)?;
    JobOutcome::ALL
        .into_iter()
        .find(|outcome| outcome.word() == word)
}

/// The worst state there is one of; a suite without cases, or with skipped ones only, has tested nothing.
pub(super) fn word_of(counts: &Counts) -> &'static str {
    CaseState::ALL
        .into_iter()
        .find(|state| {
            counts.of(*state) > 0
                && (*state != CaseState::Skipped || counts.of(CaseState::Passed) == 0)
        })
        .map_or("skipped", CaseState::word)
}

/// Component and step of a job.
pub(super) fn job(suite: &Suite) -> Option<(&str, &str)> {
    outcome(suite)?;
    suite.name.split_once('.')
}

/// The sign of a word: never colour alone.
pub(super) fn sign(word: &str) -> &'static str {
    match word {
        "passed" => "✓",
        "failed" | "timed-out" | "error" | "unfinished" => "✗",
        "vacuous" => "!",
        "flaky" => "~",
        _ => "–",
    }
}

/// A word as people write it.
pub(super) fn spoken(word: &str) -> &str {
    match word {
        "timed-out" => "timed out",
        "not-run" => "not run",
        word => word,
    }
}
