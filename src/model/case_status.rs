//! The status of a case, and the count of cases by status.

use serde::{Deserialize, Serialize};

/// The final status of one test inside a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseStatus {
    /// Ended well.
    Passed,
    /// Ended badly.
    Failed,
    /// The test skipped itself, or a check looked at nothing.
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

    /// Returns true if the case counts against its job.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Unfinished)
    }
}

/// The number of cases by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Tally {
    /// Passed cases, without the flaky ones.
    pub passed: u64,
    /// Failed cases.
    pub failed: u64,
    /// Skipped cases.
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

    /// Takes a case back, because a later status replaces an earlier one.
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

    /// Returns the number of cases that tested something and came to an end.
    pub fn tested(&self) -> u64 {
        self.passed + self.failed + self.flaky
    }

    /// Returns the number of cases that count against their job.
    pub fn bad(&self) -> u64 {
        self.failed + self.unfinished
    }

    /// Describes the bad cases in words: `2 failed, 1 never ended`.
    pub fn describe_bad(&self) -> String {
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

    /// Returns the number of all cases.
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
