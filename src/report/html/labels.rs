//! The words and symbols of one job or suite, and text whose every character is visible.

use std::borrow::Cow;

use crate::model::JobOutcome;
use crate::report::model::{CaseState, Counts, Suite, properties};

/// Returns the outcome of a suite in one word, which is also its class in the style sheet.
pub(super) fn word(suite: &Suite) -> &'static str {
    match outcome(suite) {
        Some(outcome) => outcome.word(),
        None => word_of(&suite.counts()),
    }
}

/// Returns the outcome that kata-ci gave to the suite.
pub(super) fn outcome(suite: &Suite) -> Option<JobOutcome> {
    let word = suite.property(properties::OUTCOME)?;
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

/// Spells out characters that reorder or hide the text beside them.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(crate::text::is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut spelled = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if crate::text::is_deceptive(character) {
            spelled.push_str(&format!("[U+{:04X}]", u32::from(character)));
        } else {
            spelled.push(character);
        }
    }
    Cow::Owned(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_spelled_out() {
        assert_eq!(visible("a\u{202e}b\u{200b}"), "a[U+202E]b[U+200B]");
        assert_eq!(visible("שלום <b>"), "שלום <b>");
    }
}
