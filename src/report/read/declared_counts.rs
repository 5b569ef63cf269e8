//! What suites say they hold, compared with what they do: a writer that was interrupted, or leaves something out, is not
//! taken at less than its word.

use crate::event::Notice;
use crate::report::model::{Case, Suite};

/// Suites named in one notice.
const NAMED: usize = 5;

/// Numbers in the attributes of a suite, or of the root.
#[derive(Debug, Default)]
pub(super) struct Claim {
    cases: u64,
    bad: u64,
}

impl Claim {
    /// Takes an attribute. What is no number says nothing.
    pub(super) fn take(&mut self, name: &str, value: &str) {
        let number = value.trim().parse().unwrap_or(0);
        match name {
            "tests" => self.cases = number,
            "failures" | "errors" => self.bad = self.bad.saturating_add(number),
            _ => {}
        }
    }
}

/// What was said, and does not hold.
#[derive(Debug, Default)]
pub(super) struct Claims {
    broken: Vec<String>,
}

impl Claims {
    /// Compares a claim with what is in these suites. Writers do not agree on what to count as a failure (gotestsum counts a
    /// package's own, TAP::Formatter::JUnit an exit code), but one that counts some has seen some.
    pub(super) fn check(&mut self, who: &str, claim: &Claim, suites: &[Suite]) {
        let cases = || suites.iter().flat_map(|suite| &suite.cases);
        let held = cases().count();
        let is_bad = |case: &Case| case.state.is_bad() || !case.attempts().is_empty();
        if claim.cases > held as u64 {
            self.broken
                .push(format!("{who} says {} cases, holds {held}", claim.cases));
        } else if claim.bad > 0 && !cases().any(is_bad) {
            self.broken
                .push(format!("{who} says {} failures, holds none", claim.bad));
        }
    }

    /// A word about them all.
    pub(super) fn notice(&self) -> Option<Notice> {
        let more = self.broken.len().saturating_sub(NAMED);
        let mut named = self.broken[..self.broken.len() - more].join("; ");
        if more > 0 {
            named.push_str(&format!("; and {more} more"));
        }
        (!self.broken.is_empty()).then(|| Notice {
            text: format!("suites hold less than they say: {named}"),
            fix: None,
        })
    }
}
