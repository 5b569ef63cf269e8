//! One case as the comparison sees it.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::model::CheckFinding;

/// The end of a case, as far as the comparison tells ends apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Passed.
    Good,
    /// Failed, broken, or without an end.
    Bad,
    /// Failed once, and passed in another attempt.
    Flaky,
    /// Skipped: nothing was tested.
    Skipped,
}

/// The durations of a case over several runs, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The shortest.
    pub fastest: f64,
    /// The longest.
    pub slowest: f64,
    /// The number of executions.
    pub count: u32,
}

impl Spread {
    /// Adds an execution.
    fn add(&mut self, seconds: f64) {
        self.fastest = self.fastest.min(seconds);
        self.slowest = self.slowest.max(seconds);
        self.count += 1;
    }
}

/// One execution of a case.
#[derive(Debug, Clone)]
pub struct Observed<'a> {
    /// The suite: `COMPONENT.STEP` for a job.
    pub suite: &'a str,
    /// The class; empty for none.
    pub class: &'a str,
    /// The name.
    pub name: &'a str,
    /// The end.
    pub seen: Seen,
    /// The duration in seconds, if known.
    pub seconds: Option<f64>,
    /// The durations of earlier executions, if known ([`add_spread`]).
    pub spread: Option<Spread>,
    /// True if it stands for its job, whose outcome no other case explains.
    pub is_job: bool,
    /// The reason why it did not pass.
    pub message: &'a str,
    /// The source file as the output names it.
    pub file: Option<&'a str>,
    /// The line in the file.
    pub line: Option<u32>,
    /// The findings of a checker.
    pub findings: Cow<'a, [CheckFinding]>,
}

/// Gives each case its durations in earlier runs.
pub fn add_spread(cases: &mut [Observed<'_>], earlier: &[Observed<'_>]) {
    let mut spreads: HashMap<_, Spread> = HashMap::with_capacity(cases.len());
    for case in earlier.iter().chain(&*cases) {
        let Some(seconds) = case.seconds else {
            continue;
        };
        let only = Spread {
            fastest: seconds,
            slowest: seconds,
            count: 0,
        };
        spreads.entry(case.key()).or_insert(only).add(seconds);
    }
    for case in cases {
        case.spread = spreads.get(&case.key()).copied();
    }
}

impl<'a> Observed<'a> {
    /// Returns the identity across runs.
    pub(super) fn key(&self) -> (&'a str, &'a str, &'a str) {
        (self.suite, self.class, self.name)
    }

    /// Returns the findings that the other execution does not have. Lines move, so they do not
    /// count.
    pub(super) fn findings_beyond(&self, before: &Self) -> Vec<CheckFinding> {
        let same = |one: &CheckFinding, other: &CheckFinding| {
            one.file == other.file && one.message == other.message && one.rule == other.rule
        };
        let is_new = |one: &&CheckFinding| {
            let count = |all: &[CheckFinding]| all.iter().filter(|other| same(one, other)).count();
            count(&self.findings) > count(&before.findings)
        };
        match before.findings.is_empty() {
            // A checker whose findings were not understood then says nothing about those of now.
            true => Vec::new(),
            false => self.findings.iter().filter(is_new).cloned().collect(),
        }
    }
}
