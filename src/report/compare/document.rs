//! The cases of a document.

use super::{Observed, Seen};
use crate::report::model::{Case, CaseState, Document, Suite};

/// Returns the cases of a document for a comparison.
pub fn of_document(document: &Document) -> Vec<Observed<'_>> {
    let cases = |suite| move |case| observed(suite, case);
    let suites = document.suites.iter();
    suites
        .flat_map(|suite| suite.cases.iter().map(cases(suite)))
        .collect()
}

fn observed<'a>(suite: &'a Suite, case: &'a Case) -> Observed<'a> {
    let details = case.details.as_deref();
    Observed {
        suite: &suite.name,
        class: &case.class,
        name: &case.name,
        seen: match case.state {
            CaseState::Passed => Seen::Good,
            CaseState::Failed | CaseState::Error => Seen::Bad,
            CaseState::Flaky => Seen::Flaky,
            CaseState::Skipped => Seen::Skipped,
        },
        seconds: case.seconds,
        spread: None,
        is_job: stands_for_job(suite, case),
        message: case.message(),
        file: details.and_then(|details| details.file.as_deref()),
        line: details.and_then(|details| details.line),
        findings: case.findings().into(),
    }
}

/// Returns true for the case that carries the outcome of its job: it has the name of the step.
fn stands_for_job(suite: &Suite, case: &Case) -> bool {
    let step = suite.name.split_once('.').map(|(_, step)| step);
    *case.class == *suite.name && step == Some(&case.name)
}
