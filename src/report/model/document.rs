//! All results of one report.

use super::{CaseState, Suite};
use crate::event::Notice;

/// A report: suites, and what is known beyond them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// What it is about: the pipeline's name, or that of a file.
    pub title: String,
    /// Facts about the whole (`run`, `workspace`, …) as name and value, in the order in which they are shown.
    pub facts: Vec<(&'static str, String)>,
    /// What the user should know about the whole.
    pub notices: Vec<Notice>,
    /// Wall time in seconds, where known.
    pub seconds: Option<f64>,
    /// The suites, in order.
    pub suites: Vec<Suite>,
}

impl Document {
    /// How many cases of which state.
    pub fn counts(&self) -> Counts {
        self.suites
            .iter()
            .fold(Counts::default(), |mut sum, suite| {
                sum.merge(&suite.counts());
                sum
            })
    }
}

/// Numbers of cases by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; CaseState::ALL.len()]);

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, state: CaseState) {
        self.0[state as usize] += 1;
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// Cases of this state.
    pub fn of(&self, state: CaseState) -> u64 {
        self.0[state as usize]
    }

    /// All cases.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// `2 failed, 1 flaky, 405 passed`: worst first, what is none left out; `no cases`.
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
