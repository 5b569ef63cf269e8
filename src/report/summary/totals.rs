//! Formats the last line of a summary, with the isolation that was enforced.
//!
//! `1 failed, 1 vacuous, 6 passed · 412 cases: 405 passed, 6 failed · 2:31 · enforced: network,
//! processes`
//!
//! The isolation that was only advisory is a line of its own.

use std::collections::BTreeMap;

use super::{LINE_CAP, SummaryContext, outcome};
use crate::event::{Enforcement, Isolation};
use crate::model::JobOutcome;
use crate::outcome::Run;
use crate::report::{Meaning, Style, format};

/// Returns the totals of a run in one line.
pub(super) fn line(context: &SummaryContext<'_>) -> String {
    let (run, style) = (context.run, context.style);
    let mut pieces = vec![jobs(run, style)];
    let tally = run.tally();
    if tally.total() > 0 {
        let count = format::plural(tally.total() as usize, "case");
        pieces.push(format!("{count}: {}", format::counts(&tally)));
    }
    if let Some(finished) = &run.finished {
        pieces.push(format::duration(finished.seconds));
        if let Some(signal) = finished.signal {
            let text = format!("ended by signal {signal}");
            pieces.push(style.paint(Meaning::Warning, &text));
        }
    } else {
        pieces.push(style.paint(Meaning::Bad, "the run was killed"));
    }
    pieces.extend(enforced(context));
    pieces.join(style.dot())
}

fn jobs(run: &Run, style: &Style) -> String {
    let mut counts: BTreeMap<JobOutcome, (usize, usize)> = BTreeMap::new();
    for job in run.jobs() {
        let (count, allowed) = counts.entry(outcome(job)).or_default();
        *count += 1;
        let finished = job.finished.as_ref();
        *allowed += usize::from(finished.is_some_and(|finished| finished.allowed.is_some()));
    }
    if counts.is_empty() {
        return "no jobs".to_owned();
    }
    JobOutcome::ALL
        .into_iter()
        .filter_map(|outcome| {
            let (count, allowed) = counts.get(&outcome)?;
            Some(part(outcome, *count, *allowed, style))
        })
        .collect::<Vec<_>>()
        .join(", ")
}

fn part(outcome: JobOutcome, count: usize, allowed: usize, style: &Style) -> String {
    let meaning = match outcome {
        JobOutcome::Passed => Meaning::Good,
        JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Error => Meaning::Bad,
        _ => Meaning::Warning,
    };
    let word = match (outcome, count) {
        (JobOutcome::Error, 2..) => "errors",
        (outcome, _) => format::outcome(outcome),
    };
    let allowed = match allowed {
        0 => String::new(),
        allowed if allowed == count => " (allowed)".to_owned(),
        allowed => format!(" ({allowed} allowed)"),
    };
    style.paint(meaning, &format!("{count} {word}{allowed}"))
}

/// Describes the isolation that is not enforced although it was requested, in one line.
pub(super) fn advisory(context: &SummaryContext<'_>) -> Option<String> {
    let advisories = advisories(&context.run.started.as_ref()?.isolation);
    let parts = context.style.foreign(&advisories.join("; "), LINE_CAP);
    let warning = context.style.warning();
    (!parts.is_empty()).then(|| format!("{warning} isolation is advisory only: {parts}"))
}

/// Describes the enforced isolation in a few words.
pub(super) fn enforced(context: &SummaryContext<'_>) -> Option<String> {
    let isolation = &context.run.started.as_ref()?.isolation;
    let parts: Vec<_> = (parts(isolation).iter())
        .filter_map(|(part, reach)| match reach {
            Enforcement::Enforced { except } if except.is_empty() => Some((*part).to_owned()),
            Enforcement::Enforced { except } => Some(format!("{part} (but off for {except})")),
            _ => None,
        })
        .collect();
    let parts = context.style.foreign(&parts.join(", "), LINE_CAP);
    (!parts.is_empty()).then(|| format!("enforced: {parts}"))
}

fn parts(isolation: &Isolation) -> [(&'static str, &Enforcement); 3] {
    [
        ("network", &isolation.network),
        ("processes", &isolation.processes),
        ("files", &isolation.files),
    ]
}

/// Returns the advisory kinds, those with the same reason together: `network, files (not built
/// yet)`.
fn advisories(isolation: &Isolation) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    let limits = [
        ("limit of memory", "memory"),
        ("limit of processes", "processes"),
    ];
    let limits =
        (limits.into_iter()).filter_map(|(part, limit)| Some((part, isolation.limits.get(limit)?)));
    for (part, reach) in parts(isolation).into_iter().chain(limits) {
        let Enforcement::Advisory(reason) = reach else {
            continue;
        };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, parts)) => parts.push(part),
            None => reasons.push((reason, vec![part])),
        }
    }
    reasons
        .into_iter()
        .map(|(reason, parts)| match reason {
            "" => parts.join(", "),
            reason => format!("{} ({reason})", parts.join(", ")),
        })
        .collect()
}
