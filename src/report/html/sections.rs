//! Renders the sections of the page that are plain markup.
//!
//! These are the table of components × steps (or of suites that do not come from kata-ci), the
//! leftovers of jobs, and for readers without scripts everything that did not pass.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::data::place;
use super::labels::{self, visible};
use crate::report::excerpt::ends;
use crate::report::format::duration;
use crate::report::model::{Case, CaseState, Document, Suite, properties};

/// The most suites listed. The cases of the others are in the list below the table.
const SUITES: usize = 200;

/// Returns the link to the view of a suite's cases.
pub(super) fn job_link(suite: &Suite) -> String {
    let mut link = String::from("#job=");
    for byte in visible(&suite.name).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => link.push(byte as char),
            byte => link.push_str(&format!("%{byte:02X}")),
        }
    }
    link
}

/// Renders the table that suits the document.
pub(super) fn table(document: &Document) -> Markup {
    let all_jobs = document
        .suites
        .iter()
        .all(|suite| labels::job(suite).is_some());
    if document.suites.is_empty() {
        html! {}
    } else if all_jobs {
        matrix(document)
    } else {
        suites(document)
    }
}

fn matrix(document: &Document) -> Markup {
    let mut steps: Vec<&str> = Vec::new();
    let mut order: Vec<&str> = Vec::new();
    let mut cells: BTreeMap<(&str, &str), Vec<&Suite>> = BTreeMap::new();
    for suite in &document.suites {
        let Some((component, step)) = labels::job(suite) else {
            continue;
        };
        if !steps.contains(&step) {
            steps.push(step);
        }
        if !order.contains(&component) {
            order.push(component);
        }
        cells.entry((component, step)).or_default().push(suite);
    }
    html! {
        section.card aria-labelledby="jobs" {
            h2 #jobs { "Jobs" }
            div.scroll { table aria-labelledby="jobs" {
                thead { tr { th scope="col" { "Component" } @for step in &steps { th scope="col" { (visible(step)) } } } }
                tbody { @for component in order { tr {
                    th.foreign scope="row" { (visible(component)) }
                    @for step in &steps { td { @for suite in cells.get(&(component, *step)).into_iter().flatten() { (cell(suite)) } } }
                } } }
            } }
        }
    }
}

fn cell(suite: &Suite) -> Markup {
    let word = labels::word(suite);
    html! {
        a href=(job_link(suite)) {
            span.state.(word) { (labels::sign(word)) " " (labels::spoken(word)) }
            @if let Some(seconds) = suite.seconds.filter(|seconds| *seconds > 0.0) { span.dim { " · " (duration(seconds)) } }
            small.foreign { (suite.counts().sentence()) @if let Some(reason) = suite.reason() { br; (visible(reason)) } }
        }
    }
}

fn suites(document: &Document) -> Markup {
    let mut sorted: Vec<_> = document.suites.iter().collect();
    sorted.sort_by_key(|suite| {
        let counts = suite.counts();
        std::cmp::Reverse(counts.of(CaseState::Failed) + counts.of(CaseState::Error))
    });
    let more = sorted.len().saturating_sub(SUITES);
    html! {
        section.card aria-labelledby="suites" {
            h2 #suites { "Suites" }
            div.scroll { table aria-labelledby="suites" {
                thead { tr {
                    th scope="col" { "Suite" } th scope="col" { "CaseState" } th scope="col" { "Cases" } th.right scope="col" { "Time" }
                } }
                tbody { @for suite in sorted.iter().take(SUITES) { (suite_row(suite)) } }
            } }
            @if more > 0 { p.dim { "and " (more) " more suites, with the fewest failures" } }
        }
    }
}

fn suite_row(suite: &Suite) -> Markup {
    let counts = suite.counts();
    let word = labels::word(suite);
    let name = match &*suite.name {
        "" => "(no name)".into(),
        name => visible(name),
    };
    html! { tr {
        th.foreign scope="row" { a href=(job_link(suite)) { (name) } }
        td { span.state.(word) { (labels::sign(word)) " " (labels::spoken(word)) } }
        td { (counts.sentence()) }
        td.right { @if let Some(seconds) = suite.seconds { (duration(seconds)) } }
    } }
}

/// The most jobs listed.
const JOBS: usize = 200;

/// Returns a list of jobs with their leftovers; nothing if there are none.
pub(super) fn leftovers(document: &Document) -> Markup {
    let all: Vec<_> = (document.suites.iter())
        .map(|suite| (suite, suite.left_behind()))
        .filter(|(_, left)| !left.is_empty())
        .collect();
    let more = all.len().saturating_sub(JOBS);
    if all.is_empty() {
        return html! {};
    }
    html! {
        section.card aria-labelledby="left" {
            h2 #left { "Left behind" }
            ul { @for (suite, left) in all.iter().take(JOBS) { li {
                a.foreign href=(job_link(suite)) { (visible(&suite.name)) }
                ul { @for (what, names) in left { li { span.dim { (what) ": " } span.foreign { (visible(names)) } } } }
            } } }
            @if more > 0 { p.dim { "and " (more) " more jobs" } }
        }
    }
}

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
        span.state.(word) { (labels::sign(word)) " " (labels::spoken(word)) } " "
        span.mono.foreign { (visible(&suite.name)) " " (visible(&case.class)) " " (visible(&case.name)) }
        @if let Some(place) = place(case) { " " span.dim { (place) } }
        @if !case.message().is_empty() { div.foreign { (visible(case.message())) } }
        @if case.state.is_bad() { @if let Some(again) = case.property(properties::AGAIN).or(suite.property(properties::AGAIN)) { div { "again: " code { (visible(again)) } } } }
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
