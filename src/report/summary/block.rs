//! Formats the block of one job that did not pass.

use super::{NO_END, SummaryContext};
use crate::event::JobFinished;
use crate::model::{CaseStatus, JobOutcome};
use crate::outcome::{CaseResult, JobResult};
use crate::report::Meaning;
use crate::report::excerpt::is_inside;
use crate::report::format;
use crate::report::format::LINE_CAP;
use crate::text;

/// The most failed cases that get a command of their own.
const AGAIN: usize = 3;

/// The most findings of a check shown.
const FINDINGS: usize = 10;

/// The most packages named that did not run.
const PACKAGES: usize = 3;

/// Returns the lines of a job that failed, timed out, was vacuous or an error. `cases_left` counts
/// down over all blocks.
pub(super) fn bad(
    context: &SummaryContext<'_>,
    job: &JobResult,
    cases_left: &mut usize,
) -> Vec<String> {
    let mut lines = vec![head(context, job)];
    let explained = job.tally.bad() > 0;
    lines.extend(cases(context, job, cases_left));
    lines.extend(not_run(context, job));
    let Some(finished) = &job.finished else {
        return lines;
    };
    if !finished.findings.is_empty() {
        let found = format::job_findings(finished, FINDINGS, context.style);
        lines.extend(found.into_iter().map(|line| format!("    {line}")));
    } else if finished.outcome != JobOutcome::Vacuous && !explained {
        lines.extend(last_lines(context, finished));
    }
    if let Some(why) = &finished.allowed {
        let why = context.style.foreign(why, LINE_CAP);
        lines.push(format!("    allowed by the pipeline: {why}"));
        return lines;
    }
    if let Some(fix) = &finished.fix {
        lines.push(format!("    fix: {}", context.style.foreign(fix, LINE_CAP)));
    }
    lines.extend(again(context, job));
    lines.extend(log(context, finished));
    lines
}

/// Formats `✗ agent.test failed in 56.6s: 6 failed`.
fn head(context: &SummaryContext<'_>, job: &JobResult) -> String {
    let style = context.style;
    let name = style.foreign(job.queued.job.as_str(), LINE_CAP);
    let name = style.paint(Meaning::Strong, &name);
    let Some(finished) = &job.finished else {
        return format!("{} {name} error: {NO_END}", style.mark(JobOutcome::Error));
    };
    let took = format::duration(finished.seconds);
    let what = match finished.outcome {
        JobOutcome::Vacuous => "is vacuous".to_owned(),
        JobOutcome::Error => "error".to_owned(),
        JobOutcome::TimedOut => format!("timed out after {took}"),
        other => format!("{} in {took}", format::outcome(other)),
    };
    let reason = match finished.reason.as_str() {
        "" => String::new(),
        reason => format!(": {}", style.foreign(reason, LINE_CAP)),
    };
    format!("{} {name} {what}{reason}", style.mark(finished.outcome))
}

/// Returns the failing cases, as many as are left to show.
fn cases(context: &SummaryContext<'_>, job: &JobResult, cases_left: &mut usize) -> Vec<String> {
    let bad: Vec<_> = job
        .cases
        .iter()
        .filter(|case| case.status.is_bad())
        .collect();
    let shown = &bad[..bad.len().min(*cases_left)];
    *cases_left -= shown.len();
    let packages = format::column(shown.iter().map(|case| case.package.as_str()));
    let names = format::column(shown.iter().map(|case| case.name.as_str()));
    let mut lines: Vec<_> = shown
        .iter()
        .flat_map(|case| {
            let mut lines = case_lines(context, case, packages, names);
            lines.extend(more_findings(context, case));
            lines
        })
        .collect();
    if bad.len() > shown.len() {
        let more = bad.len() - shown.len();
        let ellipsis = context.style.ellipsis();
        lines.push(format!(
            "      {ellipsis} {more} more, in junit.xml and in the log"
        ));
    }
    lines
}

/// Returns one line if the case fits, else the message on a line of its own.
fn case_lines(
    context: &SummaryContext<'_>,
    case: &CaseResult,
    packages: usize,
    names: usize,
) -> Vec<String> {
    let style = context.style;
    let name = style.foreign(&case.name, LINE_CAP);
    let message = format::case_message(case, style);
    let left = match packages {
        0 => "    ".to_owned(),
        packages => {
            let package = style.foreign(&case.package, LINE_CAP);
            format!("    {}  ", text::pad(&package, packages))
        }
    };
    let padded = format!("{left}{}  ", text::pad(&name, names));
    if message.is_empty() {
        return vec![format!("{left}{name}")];
    }
    if text::width(&padded) + text::width(&message) <= style.width() {
        return vec![format!("{padded}{message}")];
    }
    vec![format!("{left}{name}"), format!("        {message}")]
}

/// Returns the findings of a static check behind the first one, which is its message.
fn more_findings(context: &SummaryContext<'_>, case: &CaseResult) -> Vec<String> {
    let more = format::findings(&case.findings, 1, FINDINGS, context.style);
    (more.into_iter())
        .map(|line| format!("        {line}"))
        .collect()
}

/// Formats `not run: 5 packages (protocols/client, pkg/uevent, …)`.
fn not_run(context: &SummaryContext<'_>, job: &JobResult) -> Option<String> {
    let style = context.style;
    let names: Vec<_> = job
        .cases
        .iter()
        .filter(|case| case.status == CaseStatus::NotRun)
        .map(|case| match case.package.as_str() {
            "" if case.name == "(package)" => ".",
            "" => case.name.as_str(),
            package => package,
        })
        .collect();
    let finished = job.finished.as_ref()?;
    if names.is_empty() {
        let unknown = !finished.packages_known
            && finished.outcome == JobOutcome::Failed
            && job.cases.iter().any(|case| !case.package.is_empty());
        return unknown.then(|| {
            "    not run: unknown, the packages could not be listed beforehand".to_owned()
        });
    }
    let mut shown = names[..names.len().min(PACKAGES)].join(", ");
    if names.len() > PACKAGES {
        shown.push_str(", ");
        shown.push_str(style.ellipsis());
    }
    let is_package = |case: &CaseResult| case.name == "(package)";
    let mut not_run = (job.cases.iter()).filter(|case| case.status == CaseStatus::NotRun);
    let what = match not_run.all(is_package) {
        true => "package",
        false => "test",
    };
    let count = format::plural(names.len(), what);
    Some(format!(
        "    not run: {count} ({})",
        style.foreign(&shown, LINE_CAP)
    ))
}

fn last_lines(context: &SummaryContext<'_>, finished: &JobFinished) -> Vec<String> {
    let Some(log) = log_name(finished) else {
        return Vec::new();
    };
    let style = context.style;
    match (context.tail)(log) {
        Ok(lines) => lines
            .iter()
            .map(|line| {
                let line = style.fit(&style.foreign(line, LINE_CAP), style.width() - 6);
                format!("    {} {line}", style.paint(Meaning::Detail, "|"))
            })
            .collect(),
        Err(error) => vec![format!("    the log cannot be read: {error}")],
    }
}

/// Returns the commands that run just the failed cases again, if they are few, else the job.
fn again(context: &SummaryContext<'_>, job: &JobResult) -> Vec<String> {
    let Some(started) = &context.run.started else {
        return Vec::new();
    };
    let bad: Vec<_> = (job.cases.iter())
        .filter(|case| case.status.is_bad())
        .take(AGAIN + 1)
        .collect();
    let of_cases: Option<Vec<_>> = (bad.iter())
        .map(|case| format::again_case(started, case))
        .collect();
    let commands = match of_cases {
        Some(commands) if (1..=AGAIN).contains(&commands.len()) => commands,
        _ => (format::again_job(started, &job.queued.job).into_iter()).collect(),
    };
    let shown = commands.iter().map(|command| {
        let command = context.style.foreign(command, 4096);
        format!("    again: {command}")
    });
    shown.collect()
}

fn log_name(finished: &JobFinished) -> Option<&str> {
    finished.log.as_deref().filter(|name| is_inside(name))
}

fn log(context: &SummaryContext<'_>, finished: &JobFinished) -> Option<String> {
    let log = context.directory.join(log_name(finished)?);
    let shown = format::path(&log, context.home, context.style);
    Some(format!("    log: {shown}"))
}
