//! Lists everything that did not pass, for readers without scripts.

use maud::{Markup, html};

use super::data::place;
use super::facts;
use super::visible::visible;
use crate::report::excerpt::ends;
use crate::report::model::{Case, CaseState, Document, Suite, facts as names};

/// The most bytes of one case's output.
const OUTPUT_CAP: usize = 4 * 1024;

/// The most bytes of all outputs.
const OUTPUTS_CAP: usize = 4 * 1024 * 1024;

/// Returns the list, each state under a heading.
pub(super) fn not_passed(document: &Document) -> Markup {
    let mut left = OUTPUTS_CAP;
    html! {
        section.card.plain {
            h2 { "Everything that did not pass" }
            @for state in CaseState::ALL.into_iter().filter(|state| *state != CaseState::Passed) {
                @let cases: Vec<_> = of_state(document, state).collect();
                @if !cases.is_empty() {
                    h3 { (cases.len()) " " (state.word()) }
                    ul { @for (suite, case) in cases { (item(suite, case, &mut left)) } }
                }
            }
            @if document.counts().of(CaseState::Passed) == document.counts().total() { p { "Nothing." } }
        }
    }
}

fn of_state(document: &Document, state: CaseState) -> impl Iterator<Item = (&Suite, &Case)> {
    document
        .suites
        .iter()
        .flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)))
        .filter(move |(_, case)| case.state == state)
}

fn item(suite: &Suite, case: &Case, left: &mut usize) -> Markup {
    let word = case.word();
    let output = if case.state.is_bad() {
        output(case, left)
    } else {
        String::new()
    };
    html! { li {
        span.state.(word) { (facts::sign(word)) " " (facts::spoken(word)) } " "
        span.mono.foreign { (visible(&suite.name)) " " (visible(&case.class)) " " (visible(&case.name)) }
        @if let Some(place) = place(case) { " " span.dim { (place) } }
        @if !case.message().is_empty() { div.foreign { (visible(case.message())) } }
        @if case.state.is_bad() { @if let Some(again) = suite.property(names::AGAIN) { div { "again: " code { (visible(again)) } } } }
        @if !output.is_empty() { pre.foreign { (output) } }
    } }
}

fn output(case: &Case, left: &mut usize) -> String {
    let Some(details) = &case.details else {
        return String::new();
    };
    let bodies = details.problems.iter().map(|problem| &problem.body);
    let longest = bodies
        .chain([&details.out, &details.err])
        .max_by_key(|text| text.len());
    let Some(text) = longest.filter(|text| !text.is_empty() && *left >= OUTPUT_CAP) else {
        return String::new();
    };
    let shown = text.load().map_or_else(
        |error| format!("[cannot be read: {error}]"),
        |text| ends(&text, OUTPUT_CAP),
    );
    *left -= shown.len().min(*left);
    if shown.trim() == case.message() {
        return String::new();
    }
    visible(&shown).into_owned()
}
