//! Describes one job or suite for the page.

use crate::model::JobOutcome;
use crate::report::model::{CaseState, Counts, Suite, facts};

/// Returns the outcome of a suite in one word, which is also its class in the style sheet.
pub(super) fn word(suite: &Suite) -> &'static str {
    match outcome(suite) {
        Some(outcome) => outcome.word(),
        None => word_of(&suite.counts()),
    }
}

/// Returns the outcome that kata-ci gave to the suite.
pub(super) fn outcome(suite: &Suite) -> Option<JobOutcome> {
    let word = suite.property(facts::OUTCOME)?;
    JobOutcome::ALL
        .into_iter()
        .find(|outcome| outcome.word() == word)
}

/// Returns the worst state of the cases. A suite without cases, or with skipped ones only, has
/// tested nothing.
pub(super) fn word_of(counts: &Counts) -> &'static str {
    CaseState::ALL
        .into_iter()
        .find(|state| {
            counts.of(*state) > 0
                && (*state != CaseState::Skipped || counts.of(CaseState::Passed) == 0)
        })
        .map_or("skipped", CaseState::word)
}

/// Returns the component and the step of a job.
pub(super) fn job(suite: &Suite) -> Option<(&str, &str)> {
    outcome(suite)?;
    suite.name.split_once('.')
}

/// Returns the symbol of a word: colour never stands alone.
pub(super) fn sign(word: &str) -> &'static str {
    match word {
        "passed" => "✓",
        "failed" | "timed-out" | "error" | "unfinished" => "✗",
        "vacuous" => "!",
        "flaky" => "~",
        _ => "–",
    }
}

/// Returns a word as people write it.
pub(super) fn spoken(word: &str) -> &str {
    match word {
        "timed-out" => "timed out",
        "not-run" => "not run",
        word => word,
    }
}
