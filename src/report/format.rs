//! Formats texts that several reporters share: durations, counts, results of jobs.

use std::path::Path;

use super::Style;
use super::model::{Case, Suite};
use crate::event::{Enforcement, Isolation, JobFinished, RunStarted};
use crate::model::{CasePattern, CaseStatus, CheckFindings, JobId, JobOutcome, Tally};
use crate::outcome::{CaseResult, JobResult};
use crate::parse::STATIC_CHECKS;
use crate::text;

/// The most bytes of a reason, a message or a name on a terminal.
pub(super) const LINE_CAP: usize = 1024;

/// Formats seconds for people: `6.1s`, `2:31`, `1:02:31`.
pub(super) fn duration(seconds: f64) -> String {
    // From 59.95 on it would be rounded to 60.0s.
    match seconds.max(0.0) {
        seconds if seconds < 59.95 => format!("{seconds:.1}s"),
        seconds => clock(seconds.round()),
    }
}

/// Formats seconds as a running clock: `0:41`, `2:10`, `1:02:31`.
pub(super) fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Returns the seconds between two moments; 0 if the clock was set back between them.
pub(super) fn seconds_between(start: jiff::Timestamp, end: jiff::Timestamp) -> f64 {
    end.duration_since(start).as_secs_f64().max(0.0)
}

/// Formats counts: `405 passed, 6 failed, 1 unfinished`. Zeros are left out.
pub(super) fn counts(tally: &Tally) -> String {
    counts_with_cached(tally, 0)
}

/// Formats counts with the number of passed cases that came from a cache: `405 passed (3 cached), 6
/// failed`.
fn counts_with_cached(tally: &Tally, cached: usize) -> String {
    let passed = match cached {
        0 => "passed".to_owned(),
        cached => format!("passed ({cached} cached)"),
    };
    [
        (tally.passed, &*passed),
        (tally.flaky, "flaky"),
        (tally.failed, "failed"),
        (tally.unfinished, "unfinished"),
        (tally.skipped, "skipped"),
        (tally.not_run, "not run"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect::<Vec<_>>()
    .join(", ")
}

/// Formats a count with its noun: `1 case`, `2 cases`.
pub(crate) fn plural(count: usize, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    }
}

/// Returns an outcome as a word of a sentence.
pub(super) fn outcome(outcome: JobOutcome) -> &'static str {
    match outcome {
        JobOutcome::TimedOut => "timed out",
        JobOutcome::NotRun => "not run",
        other => other.word(),
    }
}

/// Describes a job's result in one line without its name and time: `15 passed (3 cached)`,
/// `vacuous: …`.
pub(super) fn result(job: &JobResult, style: &Style) -> String {
    let Some(finished) = &job.finished else {
        return String::new();
    };
    let cached = job.cases.iter().filter(|case| case.cached).count();
    let counted = counts_with_cached(&job.tally, cached);
    let explained = match finished.outcome {
        JobOutcome::Passed => true,
        JobOutcome::Failed => job.tally.bad() > 0,
        _ => false,
    };
    if explained && !counted.is_empty() {
        return counted;
    }
    let word = outcome(finished.outcome);
    let reason = style.foreign(&finished.reason, LINE_CAP);
    let allowed = match &finished.allowed {
        Some(why) => format!(" (allowed: {})", style.foreign(why, LINE_CAP)),
        None => String::new(),
    };
    with_reason(&format!("{word}{allowed}"), &reason)
}

/// Formats `failed: exited with 2`. A reason that begins with the word stands alone: `cancelled by
/// SIGINT`.
pub(super) fn with_reason(word: &str, reason: &str) -> String {
    match reason {
        "" => word.to_owned(),
        reason if reason.starts_with(word) => reason.to_owned(),
        reason => format!("{word}: {reason}"),
    }
}

/// Describes why a case did not pass, with its location: `network_test.go:148: no such device`.
pub(super) fn case_message(case: &CaseResult, style: &Style) -> String {
    let place = match (&case.file, case.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        (None, _) => String::new(),
    };
    let message = match (&case.message, case.status) {
        (Some(message), _) => message.as_str(),
        (None, CaseStatus::Unfinished) => "started and never ended",
        (None, _) => "",
    };
    let whole = match (place.as_str(), message) {
        (place, "") => place.to_owned(),
        ("", message) => message.to_owned(),
        (place, message) if message.starts_with(place) => message.to_owned(),
        (place, message) => format!("{place}: {message}"),
    };
    style.foreign(&whole, LINE_CAP)
}

/// Lists findings of a check, but for the first `skipped`, at most `most` of them.
pub(super) fn findings(
    findings: &CheckFindings,
    skipped: usize,
    most: usize,
    style: &Style,
) -> Vec<String> {
    let rest = findings.list.get(skipped..).unwrap_or_default();
    let shown = &rest[..rest.len().min(most)];
    let mut lines: Vec<_> = shown
        .iter()
        .map(|finding| match finding.origin().as_str() {
            "" => style.foreign(&finding.to_string(), LINE_CAP),
            origin => style.foreign(&format!("{finding} ({origin})"), LINE_CAP),
        })
        .collect();
    let more = (rest.len() - shown.len()) as u64 + findings.more;
    if more > 0 {
        lines.push(format!("{} {more} more", style.ellipsis()));
    }
    lines
}

/// Lists the findings of a job that failed, at most `most` of them. The first one is left out if
/// the reason says all of it.
pub(super) fn job_findings(finished: &JobFinished, most: usize, style: &Style) -> Vec<String> {
    let first = finished.findings.list.first();
    let is_said = first
        .is_some_and(|first| first.rule.is_none() && finished.reason.ends_with(&first.to_string()));
    findings(&finished.findings, usize::from(is_said), most, style)
}

/// Returns the command that runs just this job again, narrowed as it was.
pub(super) fn again_job(started: &RunStarted, id: &JobId) -> Option<String> {
    let mut words = vec![id.component(), "-s", id.step()];
    if let Some(pattern) = &started.case {
        words.extend(["--case", pattern]);
    }
    // A NUL cannot be quoted; no component and no step has one.
    let words = shlex::try_join(words).ok()?;
    Some(format!("{} {words}", started.again))
}

/// Returns the command that runs just this case again; `None` for a case that stands for more than
/// a test.
pub(super) fn again_case(started: &RunStarted, case: &CaseResult) -> Option<String> {
    let id = &case.job;
    if case.name.starts_with('(') || case.package == STATIC_CHECKS {
        return None;
    }
    let pattern = CasePattern::of_case(&case.package, &case.name);
    let words = [id.component(), "-s", id.step(), "--case", &pattern];
    let words = shlex::try_join(words).ok()?;
    Some(format!("{} {words}", started.again))
}

/// Formats a path as a person would type it: `~` for the home directory.
pub(super) fn path(path: &Path, home: Option<&Path>, style: &Style) -> String {
    let shown = match home
        .filter(|home| *home != Path::new("/"))
        .map(|home| path.strip_prefix(home))
    {
        Some(Ok(rest)) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(Ok(rest)) => format!("~/{}", rest.display()),
        _ => path.display().to_string(),
    };
    style.foreign(&shown, 4096)
}

/// Returns the pipeline's name. A pipeline file of the workspace is named by its path from there.
pub(super) fn pipeline(started: &RunStarted) -> &str {
    let below = Path::new(&started.pipeline).strip_prefix(&started.workspace);
    below
        .ok()
        .and_then(Path::to_str)
        .unwrap_or(&started.pipeline)
}

/// Formats the header: `kata-v1 · 4 components × check, test · 2 at a time · network off
/// (enforced)`. A run without jobs has only the pipeline.
pub(super) fn header(started: &RunStarted, style: &Style) -> String {
    let pipeline = style.foreign(pipeline(started), 200);
    if started.components.is_empty() {
        return style.fit(&pipeline, style.width());
    }
    let pieces = [
        pipeline,
        format!(
            "{} {} {}",
            plural(started.components.len(), "component"),
            style.times(),
            style.foreign(&started.steps.join(", "), 200)
        ),
        format!("{} at a time", started.parallel),
        network(&started.isolation).to_owned(),
    ];
    style.fit(&pieces.join(style.dot()), style.width())
}

fn network(isolation: &Isolation) -> &'static str {
    match &isolation.network {
        Enforcement::Enforced { except } if except.is_empty() => "network off (enforced)",
        Enforcement::Enforced { .. } => "network off (enforced for some)",
        Enforcement::Advisory(_) => "network off (advisory only)",
        _ => "network on",
    }
}

/// Returns the width that holds the longest of the names, at most 40 columns.
pub(super) fn column<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(text::width).max().unwrap_or(0).min(40)
}

/// Formats seconds with at most three decimals. Anything that is no duration is 0.
pub(super) fn seconds(seconds: f64) -> String {
    let seconds = if seconds.is_finite() {
        seconds.max(0.0)
    } else {
        0.0
    };
    let text = format!("{seconds:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Describes a failing case in a line: `agent.test TestRoute failed: no such device`.
pub(super) fn sentence(suite: &Suite, case: &Case) -> String {
    let said = match case.message() {
        "" => String::new(),
        message => format!(": {message}"),
    };
    let words = format!("{} {} {}{said}", suite.name, case.name, case.word());
    text::one_line(&words, LINE_CAP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::sample::Script;

    #[test]
    fn times_have_at_most_three_decimals_and_no_exponent() {
        assert_eq!(seconds(0.0), "0");
        assert_eq!(seconds(1.5), "1.5");
        assert_eq!(seconds(0.0004), "0");
        assert_eq!(seconds(120.0), "120");
        assert_eq!(seconds(1e-9), "0");
        assert_eq!(seconds(-1.0), "0");
        assert_eq!(seconds(f64::NAN), "0");
        assert_eq!(seconds(1234.5678), "1234.568");
    }

    #[test]
    fn durations() {
        assert_eq!(duration(0.04), "0.0s");
        assert_eq!(duration(59.94), "59.9s");
        assert_eq!(duration(59.96), "1:00");
        assert_eq!(duration(151.4), "2:31");
        assert_eq!(duration(3751.0), "1:02:31");
        assert_eq!(duration(f64::NAN), "0.0s");
        assert_eq!(clock(41.9), "0:41");
        assert_eq!(clock(-1.0), "0:00");
    }

    #[test]
    fn no_reason_repeats_the_word() {
        for (word, reason, expected) in [
            ("failed", "", "failed"),
            ("failed", "exited with 2", "failed: exited with 2"),
            ("cancelled", "cancelled by SIGINT", "cancelled by SIGINT"),
            (
                "not run",
                "cancelled by SIGINT",
                "not run: cancelled by SIGINT",
            ),
        ] {
            assert_eq!(with_reason(word, reason), expected);
        }
    }

    #[test]
    fn home_is_a_tilde_only_where_it_is_one() {
        let style = Style::new(false, true, 80);
        let home = Some(Path::new("/home/ann"));
        assert_eq!(path(Path::new("/home/ann/runs"), home, &style), "~/runs");
        assert_eq!(path(Path::new("/home/anna"), home, &style), "/home/anna");
        assert_eq!(path(Path::new("/home/ann"), home, &style), "~");
        assert_eq!(
            path(Path::new("/tmp"), Some(Path::new("/")), &style),
            "/tmp"
        );
    }

    #[test]
    fn a_pipeline_of_the_workspace_is_named_as_seen_from_there() {
        let mut started = Script::new(&["proxy.test"]).run().started.unwrap();
        for (pipeline, expected) in [
            ("kata-v1", "kata-v1"),
            ("/home/ann/kata/kata-ci.toml", "kata-ci.toml"),
            ("/home/ann/kata-ci.toml", "/home/ann/kata-ci.toml"),
        ] {
            started.pipeline = pipeline.to_owned();
            assert_eq!(super::pipeline(&started), expected);
        }
    }
}
