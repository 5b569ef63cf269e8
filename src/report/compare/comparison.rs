//! The comparison of two documents, for people and programs.

use std::collections::HashSet;

use serde::Serialize;

use super::{
    Classes, ComparedCase, Observed, Seen, SlowerBounds, add_spread, compare, of_document,
};
use crate::report::model::{Counts, Document};

/// The version of the format.
const VERSION: u32 = 1;

/// One of the two sides.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// The name that the user gave.
    pub name: String,
    /// The number of cases.
    pub cases: u64,
    /// The counts in words.
    pub counts: String,
}

/// The result of a comparison of two documents. Names of fields are a contract.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The version of the format.
    version: u32,
    /// The earlier run.
    pub old: Side,
    /// The later run.
    pub new: Side,
    /// The cases by class.
    #[serde(flatten)]
    pub classes: Classes,
}

impl Comparison {
    /// Compares two documents, each with the name that the user gave it. `earlier` is what ran
    /// before both.
    pub fn of(old: (&str, &Document), new: (&str, &Document), earlier: &[Document]) -> Self {
        let mut before = of_document(old.1);
        if !earlier.is_empty() {
            let earlier: Vec<_> = earlier.iter().flat_map(of_document).collect();
            add_spread(&mut before, &earlier);
        }
        let now = of_document(new.1);
        let mut classes = compare(&before, &now, SlowerBounds::default());
        classes.vanished.extend(vanished_jobs(&before, &now));
        Self {
            version: VERSION,
            old: side(old),
            new: side(new),
            classes,
        }
    }
}

fn side((name, document): (&str, &Document)) -> Side {
    let counts: Counts = document.counts();
    Side {
        name: name.to_owned(),
        cases: counts.total(),
        counts: counts.sentence(),
    }
}

/// Returns the jobs without other cases that tested something and are gone, in their order.
fn vanished_jobs(old: &[Observed<'_>], new: &[Observed<'_>]) -> Vec<ComparedCase> {
    let there: HashSet<_> = new.iter().map(|case| case.suite).collect();
    let is_gone = |case: &&Observed<'_>| {
        case.is_job && case.seen != Seen::Skipped && !there.contains(case.suite)
    };
    old.iter().filter(is_gone).map(ComparedCase::of).collect()
}
