//! All results of one report.

use super::{CaseState, Suite};
use crate::event::Notice;

/// A report: suites, and the facts about the whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The subject: the pipeline's name, or that of a file.
    pub title: String,
    /// Facts about the whole (`run`, `workspace`, …) as name and value, in the order of display.
    pub facts: Vec<(&'static str, String)>,
    /// Notes to the user about the whole.
    pub notices: Vec<Notice>,
    /// The wall time in seconds, if known.
    pub seconds: Option<f64>,
    /// The suites, in order.
    pub suites: Vec<Suite>,
}

impl Document {
    /// Returns the number of cases by state.
    pub fn counts(&self) -> Counts {
        self.suites
            .iter()
            .fold(Counts::default(), |mut sum, suite| {
                sum.merge(&suite.counts());
                sum
            })
    }
}

/// The numbers of cases by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; CaseState::ALL.len()]);

impl Counts {
    /// Counts one more case.
    pub fn add(&mut self, state: CaseState) {
        self.0[state as usize] += 1;
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// Returns the number of cases in this state.
    pub fn of(&self, state: CaseState) -> u64 {
        self.0[state as usize]
    }

    /// Returns the number of all cases.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Formats the counts, worst first: `2 failed, 1 flaky, 405 passed`. Zeros are left out;
    /// without cases it is `no cases`.
    pub fn sentence(&self) -> String {
        if self.total() == 0 {
            return "no cases".to_owned();
        }
        let parts: Vec<_> = CaseState::ALL
            .into_iter()
            .filter(|state| self.of(*state) > 0)
            .map(|state| format!("{} {}", self.of(state), state.word()))
            .collect();
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_sums_and_say_the_worst_first() {
        let mut counts = Counts::default();
        assert_eq!(counts.sentence(), "no cases");
        for state in [
            CaseState::Passed,
            CaseState::Passed,
            CaseState::Failed,
            CaseState::Flaky,
        ] {
            counts.add(state);
        }
        let mut twice = counts;
        twice.merge(&counts);
        assert_eq!(twice.total(), 8);
        assert_eq!(twice.of(CaseState::Passed), 4);
        assert_eq!(counts.sentence(), "1 failed, 1 flaky, 2 passed");
    }
}
