//! A report: its suites, and the facts about the whole.

use super::{Case, CaseState, Text, properties};
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

/// Cases that belong together. Nested suites are flat here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suite {
    /// The name: `COMPONENT.STEP` for a job.
    pub name: Box<str>,
    /// The time at which it started, as the writer formats it.
    pub timestamp: Option<Box<str>>,
    /// The machine.
    pub hostname: Option<Box<str>>,
    /// The duration in seconds, if known.
    pub seconds: Option<f64>,
    /// Other attributes of the schema (`package`, `file`, …), by name.
    pub attributes: Vec<(&'static str, Box<str>)>,
    /// The properties, in order.
    pub properties: Vec<(Box<str>, Box<str>)>,
    /// The cases, in order.
    pub cases: Vec<Case>,
    /// The suite's own `system-out`.
    pub out: Text,
    /// The suite's own `system-err`.
    pub err: Text,
}

impl Suite {
    /// Returns the value of the first property of this name.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| &**value)
    }

    /// Returns the leftovers of the job, each with the label of its kind.
    pub fn left_behind(&self) -> Vec<(&'static str, &str)> {
        properties::LEFT_BEHIND
            .iter()
            .filter_map(|(name, label)| Some((*label, self.property(name)?)))
            .collect()
    }

    /// Returns the reason of the job's outcome, unless the numbers of its cases say it already.
    pub fn reason(&self) -> Option<&str> {
        let counts = self.counts().sentence();
        self.property(properties::REASON)
            .filter(|reason| !counts.starts_with(reason))
    }

    /// Returns the number of cases by state.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.cases.iter().for_each(|case| counts.add(case.state));
        counts
    }
}

#[cfg(test)]
mod document_tests {
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

#[cfg(test)]
mod suite_tests {
    use super::*;
    use crate::report::model::CaseState;

    #[test]
    fn a_reason_that_the_numbers_say_already_is_not_said_again() {
        let suite = |reason: &str| Suite {
            properties: vec![(properties::REASON.into(), reason.into())],
            cases: vec![Case {
                class: "proxy.test".into(),
                name: "TestUpdateRoutes".into(),
                state: CaseState::Failed,
                seconds: None,
                details: None,
            }],
            ..Suite::default()
        };
        assert_eq!(suite("1 failed").reason(), None);
        assert_eq!(
            suite("1 failed in 2 attempts").reason(),
            Some("1 failed in 2 attempts")
        );
    }
}
