//! Describes the isolation of the run: the kinds that the kernel enforced, and the kinds that were
//! only advisory.

use super::{LINE_CAP, SummaryContext};
use crate::event::Isolation;

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
        .filter_map(|(part, reach)| Some(in_parentheses(part, reach.strip_prefix("enforced")?)))
        .collect();
    let parts = context.style.foreign(&parts.join(", "), LINE_CAP);
    (!parts.is_empty()).then(|| format!("enforced: {parts}"))
}

fn parts(isolation: &Isolation) -> [(&'static str, &str); 3] {
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
    let limit = |what| isolation.limits.get(what).map_or("", String::as_str);
    let limits = [
        ("limit of memory", limit("memory")),
        ("limit of processes", limit("processes")),
    ];
    for (part, reach) in parts(isolation).into_iter().chain(limits) {
        let Some(reason) = reach.strip_prefix("advisory") else {
            continue;
        };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, parts)) => parts.push(part),
            None => reasons.push((reason, vec![part])),
        }
    }
    reasons
        .into_iter()
        .map(|(reason, parts)| in_parentheses(&parts.join(", "), reason))
        .collect()
}

/// Formats `network (but off for a.fetch)` from `network` and `: but off for a.fetch`.
fn in_parentheses(parts: &str, reason: &str) -> String {
    match reason.trim_start_matches(':').trim() {
        "" => parts.to_owned(),
        reason => format!("{parts} ({reason})"),
    }
}
