//! Renders the table of components × steps, or of suites that do not come from kata-ci.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::facts;
use super::visible::visible;
use crate::report::format::duration;
use crate::report::model::{CaseState, Document, Suite};

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
        .all(|suite| facts::job(suite).is_some());
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
        let Some((component, step)) = facts::job(suite) else {
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
    let word = facts::word(suite);
    html! {
        a href=(job_link(suite)) {
            span.state.(word) { (facts::sign(word)) " " (facts::spoken(word)) }
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
    let word = facts::word(suite);
    let name = match &*suite.name {
        "" => "(no name)".into(),
        name => visible(name),
    };
    html! { tr {
        th.foreign scope="row" { a href=(job_link(suite)) { (name) } }
        td { span.state.(word) { (facts::sign(word)) " " (facts::spoken(word)) } }
        td { (counts.sentence()) }
        td.right { @if let Some(seconds) = suite.seconds { (duration(seconds)) } }
    } }
}
