//! One suite: a job of kata-ci's, or whatever a writer calls a suite.

use super::{Case, Counts, Text, facts};

/// Cases that belong together. Suites inside suites are flat here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suite {
    /// Its name: `COMPONENT.STEP` for a job.
    pub name: Box<str>,
    /// When it started, as the writer says it.
    pub timestamp: Option<Box<str>>,
    /// The machine.
    pub hostname: Option<Box<str>>,
    /// Duration in seconds, where known.
    pub seconds: Option<f64>,
    /// Other attributes of the schema (`package`, `file`, …), by name.
    pub attributes: Vec<(&'static str, Box<str>)>,
    /// Its properties, in order.
    pub properties: Vec<(Box<str>, Box<str>)>,
    /// Its cases, in order.
    pub cases: Vec<Case>,
    /// Its own `system-out`.
    pub out: Text,
    /// Its own `system-err`.
    pub err: Text,
}

impl Suite {
    /// The value of the first property of this name.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| &**value)
    }

    /// What the job left behind, by what each kind of it is called.
    pub fn left_behind(&self) -> Vec<(&'static str, &str)> {
        facts::LEFT_BEHIND
            .iter()
            .filter_map(|(name, label)| Some((*label, self.property(name)?)))
            .collect()
    }

    /// Why the job came to its outcome, where the numbers of its cases do not say it already.
    pub fn reason(&self) -> Option<&str> {
        let counts = self.counts().sentence();
        self.property(facts::REASON)
            .filter(|reason| !counts.starts_with(reason))
    }

    /// How many cases of which state.
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
