//! Formats the last line: `1 failed, 1 vacuous, 6 passed · 412 cases: 405 passed, 6 failed · 2:31 ·
//! enforced: network, processes`.

use std::collections::BTreeMap;

use super::{SummaryContext, isolation, outcome};
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
    pieces.extend(isolation::enforced(context));
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
