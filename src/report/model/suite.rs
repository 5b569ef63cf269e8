//! One suite: a job of kata-ci, or a suite of another writer.

use super::{Case, Counts, Text, facts};

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
        facts::LEFT_BEHIND
            .iter()
            .filter_map(|(name, label)| Some((*label, self.property(name)?)))
            .collect()
    }

    /// Returns the reason of the job's outcome, unless the numbers of its cases say it already.
    pub fn reason(&self) -> Option<&str> {
        let counts = self.counts().sentence();
        self.property(facts::REASON)
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
mod tests {
    use super::*;
    use crate::report::model::CaseState;

    #[test]
    fn a_reason_that_the_numbers_say_already_is_not_said_again() {
        let suite = |reason: &str| Suite {
            properties: vec![(facts::REASON.into(), reason.into())],
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
