//! The status of a case, and how many there are of each.

use serde::{Deserialize, Serialize};

/// What became of one test inside a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseStatus {
    /// Ended well.
    Passed,
    /// Ended badly.
    Failed,
    /// Said itself that it did not test, or looked at nothing.
    Skipped,
    /// Started and never ended: it hung, or took its process down.
    Unfinished,
    /// Known and never started.
    NotRun,
    /// Failed first, passed in a later attempt.
    Flaky,
}

impl CaseStatus {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unfinished => "unfinished",
            Self::NotRun => "not-run",
            Self::Flaky => "flaky",
        }
    }

    /// Whether the case speaks against its job.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Unfinished)
    }
}

/// How many cases there are of each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Tally {
    /// Cases passed, flaky ones not included.
    pub passed: u64,
    /// Cases failed.
    pub failed: u64,
    /// Cases skipped.
    pub skipped: u64,
    /// Cases that never ended.
    pub unfinished: u64,
    /// Cases that never started.
    pub not_run: u64,
    /// Cases that passed in a later attempt.
    pub flaky: u64,
}

impl Tally {
    /// Counts one more case.
    pub fn add(&mut self, status: CaseStatus) {
        *self.slot(status) += 1;
    }

    /// Takes a case back, when a later status replaces an earlier one.
    pub fn remove(&mut self, status: CaseStatus) {
        let slot = self.slot(status);
        *slot = slot.saturating_sub(1);
    }

    /// Adds the counts of another tally.
    pub fn merge(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.unfinished += other.unfinished;
        self.not_run += other.not_run;
        self.flaky += other.flaky;
    }

    /// Cases that did test something and came to an end.
    pub fn tested(&self) -> u64 {
        self.passed + self.failed + self.flaky
    }

    /// Cases that speak against their job.
    pub fn bad(&self) -> u64 {
        self.failed + self.unfinished
    }

    /// Those in words: `2 failed, 1 never ended`.
    pub fn bad_words(&self) -> String {
        let count = |number: u64, word| (number > 0).then(|| format!("{number} {word}"));
        [
            count(self.failed, "failed"),
            count(self.unfinished, "never ended"),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
    }

    /// All cases.
    pub fn total(&self) -> u64 {
        self.tested() + self.skipped + self.unfinished + self.not_run
    }

    fn slot(&mut self, status: CaseStatus) -> &mut u64 {
        match status {
            CaseStatus::Passed => &mut self.passed,
            CaseStatus::Failed => &mut self.failed,
            CaseStatus::Skipped => &mut self.skipped,
            CaseStatus::Unfinished => &mut self.unfinished,
            CaseStatus::NotRun => &mut self.not_run,
            CaseStatus::Flaky => &mut self.flaky,
        }
    }
}
