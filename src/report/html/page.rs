//! Renders the page around the data block.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::labels::{self, visible};
use super::sections;
use super::timeline::Timeline;
use crate::event::Notice;
use crate::model::JobOutcome;
use crate::report::format::duration;
use crate::report::model::{CaseState, Counts, Document};

const STYLE: &str = include_str!("assets/report.css");
const SCRIPT: &str = include_str!("assets/report.js");

/// Returns the parts before and behind the data block.
pub(super) fn around(document: &Document) -> (String, String) {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(document))
            body {
                a.skip href="#cases" { "Skip to the cases" }
                (header(document))
                main { (sections(document)) }
                footer {
                    "Made by kata-ci " (env!("CARGO_PKG_VERSION")) "." span.keys { " Keys: " kbd { "/" } " search, " kbd { "↑" } " " kbd { "↓" } " move, " kbd { "Enter" } " unfold." }
                }
                (PreEscaped(DATA))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let page = page.into_string();
    match page.split_once(DATA) {
        Some((before, after)) => (before.to_owned(), after.to_owned()),
        None => (page, String::new()),
    }
}

/// The mark that the data block replaces. Escaped text cannot hold it.
const DATA: &str = "<!--data-->";

/// Returns the content security policy: only this page's own script and style may run, known by
/// their digests, and nothing is fetched.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(SCRIPT),
        digest(STYLE)
    )
}

fn head(document: &Document) -> Markup {
    let (word, sentence) = verdict(document);
    html! { head {
        meta charset="utf-8";
        meta http-equiv="Content-Security-Policy" content=(policy());
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="referrer" content="no-referrer";
        title { (labels::sign(word)) " " (visible(&document.title)) ": " (sentence) }
        style { (PreEscaped(STYLE)) }
    } }
}

/// Returns the worst word of all, and the numbers of jobs by outcome, or of cases if there are no
/// jobs.
fn verdict(document: &Document) -> (&'static str, String) {
    let outcomes: Vec<_> = document.suites.iter().filter_map(labels::outcome).collect();
    let counts = document.counts();
    if outcomes.is_empty() || outcomes.len() < document.suites.len() {
        let word = labels::word_of(&counts);
        return (word, counts.sentence());
    }
    let allowed = |outcome: JobOutcome| outcomes.iter().filter(|one| **one == outcome).count();
    let parts: Vec<_> = JobOutcome::ALL
        .into_iter()
        .map(|outcome| (outcome, allowed(outcome)))
        .filter(|(_, count)| *count > 0)
        .collect();
    let word = parts
        .first()
        .map_or("skipped", |(outcome, _)| outcome.word());
    let sentence: Vec<_> = parts
        .iter()
        .map(|(outcome, count)| format!("{count} {}", labels::spoken(outcome.word())))
        .collect();
    (word, sentence.join(", "))
}

fn header(document: &Document) -> Markup {
    let (word, sentence) = verdict(document);
    let title = match document.title.as_str() {
        "" => "kata-ci".into(),
        title => visible(title),
    };
    html! { header.top {
        div {
            h1.foreign { (title) }
            p.verdict.badge.(word) { span aria-hidden="true" { (labels::sign(word)) } (sentence) }
            dl.facts { @for (name, value) in &document.facts { div { dt { (name) } dd.foreign { (visible(value)) } } } }
        }
        button #theme type="button" hidden { "Theme" }
    } }
}

fn sections(document: &Document) -> Markup {
    let counts = document.counts();
    html! {
        (notices(&document.notices))
        (tiles(document, &counts))
        (bar(&counts))
        @if let Some(timeline) = Timeline::of(document) { (timeline.markup()) }
        (sections::table(document))
        (sections::leftovers(document))
        noscript { (sections::not_passed(document)) }
        (cases(&counts))
    }
}

fn notices(notices: &[Notice]) -> Markup {
    html! { @if !notices.is_empty() { section.card.notices aria-label="Notices" { ul { @for notice in notices {
        li.foreign { (visible(&notice.text)) @if let Some(fix) = &notice.fix { " – fix: " (visible(fix)) } }
    } } } } }
}

fn tiles(document: &Document, counts: &Counts) -> Markup {
    html! { div.tiles {
        div.tile { b { (document.suites.len()) } span { @if document.suites.iter().all(|suite| labels::job(suite).is_some()) { "jobs" } @else { "suites" } } }
        div.tile { b { (counts.total()) } span { "cases" } }
        @for state in CaseState::ALL {
            @if counts.of(state) > 0 || matches!(state, CaseState::Failed | CaseState::Passed) {
                div.tile { b.state.(tile_class(state, counts)) { (counts.of(state)) } span { (labels::sign(state.word())) " " (state.word()) } }
            }
        }
        @if let Some(seconds) = document.seconds { div.tile { b { (duration(seconds)) } span { "wall time" } } }
    } }
}

/// Returns the class of a tile. A zero has no colour of its own.
fn tile_class(state: CaseState, counts: &Counts) -> &'static str {
    if counts.of(state) == 0 {
        "skipped"
    } else {
        state.word()
    }
}

/// Renders the shares of the cases as a bar.
fn bar(counts: &Counts) -> Markup {
    let total = counts.total().max(1) as f64;
    let mut at = 0.0;
    let parts: Vec<_> = CaseState::ALL
        .into_iter()
        .filter(|state| counts.of(*state) > 0)
        .map(|state| {
            let (start, width) = (at, counts.of(state) as f64 / total * 100.0);
            at += width;
            (state, format!("{start:.3}%"), format!("{width:.3}%"))
        })
        .collect();
    html! { svg.bar role="img" aria-label=(counts.sentence()) {
        @for (state, start, width) in parts { rect.fill.(state.word()) x=(start) width=(width) height="8" { title { (counts.of(state)) " " (state.word()) } } }
    } }
}

fn cases(counts: &Counts) -> Markup {
    html! {
        section.card #cases aria-labelledby="cases-title" {
            h2 #cases-title { "Cases" }
            div #live hidden {
                div.tools role="search" {
                    input #search type="search" placeholder="Search name, class, job, message" aria-label="Search the cases" autocomplete="off" spellcheck="false";
                    button.chip type="button" data-state="all" aria-pressed="true" { "all " (counts.total()) }
                    @for state in CaseState::ALL { @if counts.of(state) > 0 {
                        button.chip.(state.word()) type="button" data-state=(state.word()) aria-pressed="false" { (labels::sign(state.word())) " " (state.word()) " " (counts.of(state)) }
                    } }
                    select #job aria-label="Job" { option value="-1" { "every job" } }
                    select #sort aria-label="Order" {
                        option value="worst" { "worst first" } option value="report" { "as reported" } option value="slowest" { "slowest first" } option value="name" { "by name" }
                    }
                }
                p #found role="status" aria-live="polite" {}
                p #none hidden { "No case matches." }
                div #list tabindex="-1" { ul #rows role="list" aria-label="Cases" {} }
            }
            noscript { p.dim { "With scripts, all cases can be searched here." } }
        }
    }
}
