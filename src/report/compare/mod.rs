//! Compares two sets of cases: what fails newly, what did before, what is gone.
//!
//! [`compare`] is pure: cases in, classes out. It takes time in proportion to the cases.
//! [`Comparison`] is that of two documents, with its forms for people and programs.
//!
//! Invariants: every case of the new set that is bad is in exactly one of `new_failures`, `known`
//! and `flaky`. A case of the old set that tested something and is not in the new one is in
//! `vanished`, however good the rest is.

mod classes;
mod comparison;
mod document;
mod markdown;
mod observed;
mod plain;

#[cfg(test)]
mod tests;

pub use classes::{CaseClass, Classes, ComparedCase, Slower};
pub use comparison::Comparison;
pub use document::of_document;
pub use markdown::write_markdown;
pub use observed::{Observed, Seen, Spread, add_spread};
pub use plain::write_plain;

use std::collections::HashMap;

/// The bounds from which on a case is slower.
#[derive(Debug, Clone, Copy)]
pub struct SlowerBounds {
    /// The least factor.
    pub factor: f64,
    /// The least difference in seconds.
    pub seconds: f64,
}

impl Default for SlowerBounds {
    fn default() -> Self {
        Self {
            factor: 2.0,
            seconds: 1.0,
        }
    }
}

/// Compares the cases of an old and a new run. Of several executions of one name, the first is
/// compared with the first, the second with the second.
pub fn compare(old: &[Observed<'_>], new: &[Observed<'_>], bounds: SlowerBounds) -> Classes {
    let (mut first, following) = by_name(old);
    let mut classes = Classes::default();
    let mut is_met = vec![false; old.len()];
    for case in new {
        let known = first.get_mut(&case.key()).and_then(|head| {
            let index = (*head)?;
            *head = following[index];
            Some(index)
        });
        if let Some(index) = known {
            is_met[index] = true;
        }
        classify(&mut classes, known.map(|index| &old[index]), case, bounds);
    }
    for (case, _) in old.iter().zip(is_met).filter(|(_, met)| !met) {
        gone(&mut classes, case);
    }
    classes
}

/// Suite, class and name.
type Key<'a> = (&'a str, &'a str, &'a str);

/// Returns the index of the first execution of each name, and for each execution that of the next
/// one.
fn by_name<'a>(cases: &[Observed<'a>]) -> (HashMap<Key<'a>, Option<usize>>, Vec<Option<usize>>) {
    let mut first = HashMap::with_capacity(cases.len());
    let mut following = vec![None; cases.len()];
    for (index, case) in cases.iter().enumerate().rev() {
        following[index] = first.insert(case.key(), Some(index)).flatten();
    }
    (first, following)
}

fn classify(
    classes: &mut Classes,
    before: Option<&Observed<'_>>,
    case: &Observed<'_>,
    bounds: SlowerBounds,
) {
    let compared = || ComparedCase::of(case);
    match (before.map(|before| before.seen), case.seen) {
        (_, Seen::Flaky) | (Some(Seen::Flaky), Seen::Bad) => classes.flaky.push(compared()),
        (Some(Seen::Bad), Seen::Bad) => match before.map(|before| case.findings_beyond(before)) {
            Some(findings) if !findings.is_empty() => {
                let mut compared = compared();
                compared.findings = findings;
                classes.new_failures.push(compared);
            }
            _ => classes.known.push(compared()),
        },
        (_, Seen::Bad) => classes.new_failures.push(compared()),
        (Some(Seen::Bad), Seen::Good) => classes.fixed.push(compared()),
        (Some(Seen::Good | Seen::Bad | Seen::Flaky), Seen::Skipped) if !case.is_job => {
            classes.silenced.push(compared());
        }
        (None, _) if !case.is_job => classes.new_cases.push(compared()),
        _ => classes.same += 1,
    }
    classes.slower.extend(slower(before, case, bounds));
}

/// Returns the case if it took longer than before, and longer than in every earlier run, by more
/// than the bounds.
fn slower(
    before: Option<&Observed<'_>>,
    case: &Observed<'_>,
    bounds: SlowerBounds,
) -> Option<Slower> {
    let (before, now) = (before?, case.seconds?);
    let seconds = before.seconds?;
    let slowest = before.spread.map_or(seconds, |spread| spread.slowest);
    let is_slower = now >= slowest * bounds.factor && now - slowest >= bounds.seconds;
    is_slower.then(|| Slower {
        case: ComparedCase::of(case),
        before: seconds,
        now,
        earlier: before.spread,
    })
}

/// Classifies a case of the old set that is not in the new one. A job that explained itself by a
/// case of its own, and no longer has to, is fixed.
fn gone(classes: &mut Classes, case: &Observed<'_>) {
    match (case.is_job, case.seen) {
        (true, Seen::Bad) => classes.fixed.push(ComparedCase::of(case)),
        (true, _) | (_, Seen::Skipped) => {}
        _ => classes.vanished.push(ComparedCase::of(case)),
    }
}
