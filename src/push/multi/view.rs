//! Shows a push of several repositories to people: first the findings of each, then a line for
//! each.

use std::fmt::Write;

use super::report::{MultiReport, RepositoryReport};
use crate::gerrit::push_output::clean;
use crate::push::report::{Outcome, PushReport};
use crate::push::view;
use crate::push::view::{BOLD, DIM, GREEN, RED, YELLOW};

/// Shows the commits to push and the findings of the preflight.
pub fn plan(report: &MultiReport, columns: usize) -> String {
    let mut text = String::new();
    if let Some(topic) = &report.topic {
        let _ = writeln!(text, "topic {BOLD}{}{BOLD:#}", clean(topic));
    }
    for push in report
        .repositories
        .iter()
        .filter_map(|one| one.push.as_ref())
    {
        if !push.commits.is_empty() || !push.findings.is_empty() {
            text.push_str(&view::plan(push, columns));
        }
    }
    text
}

/// Shows the outcome.
pub fn outcome(report: &MultiReport) -> String {
    let mut text = String::new();
    for one in report.repositories.iter().filter(|one| is_bad(one)) {
        let _ = writeln!(text, "{BOLD}{}{BOLD:#}", name(one));
        text.push_str(&trouble(one));
    }
    if report.repositories.iter().any(is_unchecked) {
        let _ = writeln!(text, "{YELLOW}!{YELLOW:#} not checked (--no-check)");
    }
    text.push_str(&table(report));
    text.push_str(&again(report));
    text
}

fn name(one: &RepositoryReport) -> String {
    clean(&one.components.join(", "))
}

fn is_bad(one: &RepositoryReport) -> bool {
    let is_good = |push: &PushReport| {
        matches!(
            push.outcome,
            Outcome::Pushed | Outcome::NothingNew | Outcome::DryRun | Outcome::Held
        )
    };
    !one.push.as_ref().is_some_and(is_good)
}

fn is_unchecked(one: &RepositoryReport) -> bool {
    let sent = |push: &PushReport| {
        let outcomes = [Outcome::Pushed, Outcome::NothingNew, Outcome::Rejected];
        outcomes.contains(&push.outcome) && push.checked.is_none() && !push.commits.is_empty()
    };
    one.push.as_ref().is_some_and(sent)
}

fn trouble(one: &RepositoryReport) -> String {
    match (&one.push, &one.error) {
        (Some(push), _) => view::outcome(push),
        (None, error) => {
            let error = error.as_deref().unwrap_or_default();
            format!("{RED}✗{RED:#} {}\n", clean(error))
        }
    }
}

fn table(report: &MultiReport) -> String {
    let width = |one: &RepositoryReport| console::measure_text_width(&name(one));
    let widest = report.repositories.iter().map(width).max().unwrap_or(0);
    let mut text = String::new();
    for one in &report.repositories {
        let pad = " ".repeat(widest - width(one));
        let (mark, word, details) = cells(one);
        let mut details = details.into_iter();
        let first = details.next().unwrap_or_default();
        let line = format!("{mark} {}{pad}  {word:<13} {first}", name(one));
        let _ = writeln!(text, "{}", line.trim_end());
        for more in details {
            let _ = writeln!(text, "{}{more}", " ".repeat(2 + widest + 2 + 14));
        }
    }
    text
}

/// Returns mark, word, and lines of text.
fn cells(one: &RepositoryReport) -> (String, &'static str, Vec<String>) {
    let good = format!("{GREEN}✓{GREEN:#}");
    let bad = format!("{RED}✗{RED:#}");
    let held = format!("{YELLOW}-{YELLOW:#}");
    let Some(push) = &one.push else {
        return (bad, "error", Vec::new());
    };
    match push.outcome {
        Outcome::Pushed => (good, "pushed", changes(push)),
        Outcome::NothingNew => (good, "nothing new", Vec::new()),
        Outcome::Rejected => (bad, "rejected", reason(push)),
        Outcome::Refused => (bad, "refused", findings(push)),
        Outcome::NotChecked => (bad, "not passed", Vec::new()),
        Outcome::Declined => (held, "not pushed", Vec::new()),
        Outcome::DryRun => (held, "not pushed", vec!["--dry-run".to_owned()]),
        Outcome::Held => (
            held,
            "not pushed",
            push.notes.iter().map(|note| clean(note)).collect(),
        ),
    }
}

fn changes(push: &PushReport) -> Vec<String> {
    let urls: Vec<_> = push
        .changes
        .iter()
        .map(|one| clean(&one.change.url))
        .collect();
    match urls.is_empty() {
        true => vec![format!("to {}", push.reference)],
        false => urls,
    }
}

fn reason(push: &PushReport) -> Vec<String> {
    let reason = push.rejection.iter().map(|rejection| &rejection.reason);
    reason.map(|text| clean(&text.replace('\n', " "))).collect()
}

fn findings(push: &PushReport) -> Vec<String> {
    let word = match push.findings.len() {
        1 => "finding",
        _ => "findings",
    };
    vec![format!("{} {word} above", push.findings.len())]
}

/// Tells what the next push will do, if this one left something.
fn again(report: &MultiReport) -> String {
    let has = |wanted: &[Outcome]| {
        let mut pushes = report
            .repositories
            .iter()
            .filter_map(|one| one.push.as_ref());
        pushes.any(|push| wanted.contains(&push.outcome))
    };
    let begun = has(&[Outcome::Pushed, Outcome::NothingNew]);
    if !begun || !has(&[Outcome::Held, Outcome::Rejected]) {
        return String::new();
    }
    let topic = match &report.topic {
        Some(topic) => format!(", under the same topic ({})", clean(topic)),
        None => String::new(),
    };
    format!("{DIM}once that is mended, the same command pushes what is left{topic}{DIM:#}\n")
}
