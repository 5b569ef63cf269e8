//! Compares the counts that suites declare with their cases. So the report of a writer that was
//! interrupted, or leaves cases out, does not look complete.

use crate::event::Notice;
use crate::report::model::{Case, Suite};

/// The most suites named in one notice.
const NAMED: usize = 5;

/// The counts in the attributes of a suite, or of the root.
#[derive(Debug, Default)]
pub(super) struct DeclaredCounts {
    cases: u64,
    bad: u64,
}

impl DeclaredCounts {
    /// Takes an attribute. A value that is no number is ignored.
    pub(super) fn take(&mut self, name: &str, value: &str) {
        let number = value.trim().parse().unwrap_or(0);
        match name {
            "tests" => self.cases = number,
            "failures" | "errors" => self.bad = self.bad.saturating_add(number),
            _ => {}
        }
    }
}

/// The declared counts that are wrong.
#[derive(Debug, Default)]
pub(super) struct WrongCounts {
    broken: Vec<String>,
}

impl WrongCounts {
    /// Compares declared counts with the cases of these suites. Writers do not agree on the meaning
    /// of a failure (gotestsum counts a package's own, TAP::Formatter::JUnit an exit code), but one
    /// that counts some has seen some.
    pub(super) fn check(&mut self, who: &str, claim: &DeclaredCounts, suites: &[Suite]) {
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

    /// Returns one notice about all of them.
    pub(super) fn notice(&self) -> Option<Notice> {
        let more = self.broken.len().saturating_sub(NAMED);
        let mut named = self.broken[..self.broken.len() - more].join("; ");
        if more > 0 {
            named.push_str(&format!("; and {more} more"));
        }
        (!self.broken.is_empty()).then(|| {
            Notice::warning(format!(
                "suites hold fewer cases than they declare: {named}"
            ))
        })
    }
}
