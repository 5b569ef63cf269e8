//! Describes the leftovers of jobs, in a few lines.

use std::collections::BTreeMap;

use super::SummaryContext;
use crate::event::{JobFinished, LeftBehind};
use crate::model::JobId;
use crate::model::JobOutcome;
use crate::report::Style;
use crate::report::format::LINE_CAP;

/// The most jobs shown.
const JOBS: usize = 20;

/// The most files named of a job.
const FILES: usize = 4;

/// The most processes, mounts and sockets named of a job, for each kind.
const OTHERS: usize = 4;

/// The most bytes of a list of names.
const NAMES_CAP: usize = 600;

/// Adds a line for each job and kind, and one for the things that are unknown of several jobs for
/// the same reason. Leftovers of a cancelled job are no news, because it was told to stop in the
/// middle.
pub(super) fn lines(context: &SummaryContext<'_>, lines: &mut Vec<String>) {
    let finished = (context.run.jobs()).filter_map(|job| job.finished.as_ref());
    let news: Vec<_> = finished
        .filter(|finished| finished.outcome != JobOutcome::Cancelled)
        .collect();
    let left: Vec<_> = (news.iter())
        .filter(|finished| !finished.left_behind.describe(0).is_empty())
        .collect();
    for finished in left.iter().take(JOBS) {
        lines.extend(of_job(context, finished));
    }
    if left.len() > JOBS {
        let more = left.len() - JOBS;
        lines.push(format!(
            "  {more} more jobs left something behind: see result.json"
        ));
    }
    lines.extend(unknown(context, &news));
}

fn of_job(context: &SummaryContext<'_>, finished: &JobFinished) -> Vec<String> {
    let style = context.style;
    let left = &finished.left_behind;
    let job = style.foreign(finished.job.as_str(), LINE_CAP);
    let others = left.describe_others(OTHERS).into_iter();
    let others = others.filter(|(_, names)| !names.is_empty());
    let others = others.map(|(kind, names)| {
        let fate = match kind {
            "processes" => "which were killed",
            "mounts" => "which are gone",
            "set-user-ID programs" => "which are no such any more",
            _ => "which are closed",
        };
        (format!("{kind} behind, {fate}"), names, None)
    });
    let files = (left.file_count() > 0).then(|| {
        let names = left.describe_files(FILES);
        ("files behind".to_owned(), names, shared(left))
    });
    (files.into_iter().chain(others))
        .map(|(what, names, note)| {
            let names = style.foreign(&names, NAMES_CAP);
            let note = note.map_or_else(String::new, |note| {
                format!(" {}", style.foreign(&note, NAMES_CAP))
            });
            format!("{} {job} left {what}: {names}{note}", style.warning())
        })
        .collect()
}

/// Formats `(or proxy.check did, at the same time)`.
fn shared(left: &LeftBehind) -> Option<String> {
    const NAMED: usize = 3;
    let mut jobs: Vec<_> = (left.shared_with.iter().take(NAMED))
        .map(|job| job.as_str().to_owned())
        .collect();
    let more = left.shared_with.len() - jobs.len();
    if more > 0 {
        jobs.push(format!("{more} more"));
    }
    let jobs = jobs.join(", ");
    (!jobs.is_empty()).then(|| format!("(or {jobs} did, at the same time)"))
}

fn unknown(context: &SummaryContext<'_>, news: &[&JobFinished]) -> Vec<String> {
    let mut jobs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for finished in news {
        for why in &finished.left_behind.unknown {
            jobs.entry(why)
                .or_default()
                .push(JobId::as_str(&finished.job));
        }
    }
    let lines = (jobs.into_iter()).map(|(why, jobs)| unknown_line(context.style, why, &jobs));
    lines.take(JOBS).collect()
}

/// Formats `60 jobs: cannot tell what files they left (not in git)`. Such a line has no mark:
/// nobody has to care about it.
fn unknown_line(style: &Style, why: &str, jobs: &[&str]) -> String {
    let (who, they) = match jobs {
        [job] => (style.foreign(job, LINE_CAP), "it"),
        jobs => (format!("{} jobs", jobs.len()), "they"),
    };
    let (mark, line) = match why.strip_prefix("files: ") {
        Some(cause) => {
            let line = format!("{who}: cannot tell what files {they} left ({cause})");
            (" ".to_owned(), line)
        }
        None => {
            let line = format!("{who}: cannot tell what {they} left behind: {why}");
            (style.warning(), line)
        }
    };
    format!("{mark} {}", style.foreign(&line, LINE_CAP))
}
