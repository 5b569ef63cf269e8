//! Repeats the failures of a run without isolation, and shows which cases differ
//! (`--compare-isolation`).
//!
//! Strict jobs are left out: they must never run without a sandbox.

use super::finish::RunResult;
use super::request::{CiChoice, Format, ReportPaths, RunRequest};
use super::show::Screen;
use crate::config::{IsolatePolicy, NetworkPolicy};
use crate::model::{CaseStatus, CommandError, ExitCode, JobOutcome};
use crate::outcome::{CaseResult, JobResult, Run};
use crate::say;

/// The directory of the second run's reports, below that of the first.
const BESIDE: &str = "without-isolation";

/// Repeats the failures with `run`, and shows the differences. The result of the first run stands.
pub(super) fn compare(
    request: &RunRequest,
    result: &RunResult,
    run: impl Fn(&RunRequest, Option<&Run>) -> Result<RunResult, CommandError>,
) {
    let Some(directory) = &result.directory else {
        return;
    };
    if matches!(result.code, ExitCode::Signal(_)) {
        return;
    }
    let screen = Screen::new(request.settings.display, &request.environment);
    let mut failed = result.run.clone();
    failed.jobs.retain(|_, job| is_comparable(job));
    if failed.jobs.is_empty() {
        screen.detail("--compare-isolation: nothing failed that can run without isolation");
        return;
    }
    let mut again = request.clone();
    again.settings.overrides.isolate = Some(IsolatePolicy::Off);
    again.settings.overrides.network = Some(NetworkPolicy::On);
    again.settings.overrides.retries = Some(0);
    again.settings.display.ci = CiChoice::None;
    if again.settings.display.format == Format::Json {
        again.settings.display.format = Format::Errors;
    }
    (again.since, again.rerun_failed, again.resume) = (None, false, false);
    again.selection.components = (failed.jobs.keys())
        .map(|job| job.component().to_owned())
        .collect();
    again.selection.components.dedup();
    again.reports = ReportPaths {
        directory: Some(directory.join(BESIDE)),
        junit: None,
    };
    screen
        .detail("--compare-isolation: what failed runs once more with --isolate off --network on");
    match run(&again, Some(&failed)) {
        Ok(second) => differences(&failed, &second.run)
            .iter()
            .for_each(|line| screen.detail(line)),
        Err(error) => say::aside(format_args!("error: --compare-isolation: {error}")),
    }
}

fn is_comparable(job: &JobResult) -> bool {
    let is_bad = matches!(
        job.outcome(),
        Some(JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Error)
    );
    let mode = job.isolation.as_ref().map(|isolation| &*isolation.mode);
    is_bad && mode.is_some_and(|mode| mode != "on")
}

/// Returns a line for each case that failed, and for each job that failed without one.
fn differences(first: &Run, second: &Run) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, job) in &first.jobs {
        let again = second.jobs.get(id);
        let bad: Vec<&CaseResult> = (&job.cases)
            .into_iter()
            .filter(|case| case.status.is_bad())
            .collect();
        if bad.is_empty() {
            let is_better = again.and_then(JobResult::outcome) == Some(JobOutcome::Passed);
            lines.push(line(&id.to_string(), is_better));
        }
        for case in bad {
            let found = again.and_then(|again| status(again, case));
            let name = format!("{} {}", case.package, case.name);
            let name = format!("{id}: {}", name.trim_start());
            lines.push(match found {
                None => format!("{name}: did not run without isolation"),
                Some(status) => line(&name, status == CaseStatus::Passed),
            });
        }
    }
    lines
}

fn status(job: &JobResult, case: &CaseResult) -> Option<CaseStatus> {
    let is_same = |other: &&CaseResult| other.package == case.package && other.name == case.name;
    Some((&job.cases).into_iter().find(is_same)?.status)
}

fn line(name: &str, is_better: bool) -> String {
    match is_better {
        true => format!("{name}: passes without isolation, which is the cause"),
        false => format!("{name}: fails without isolation too"),
    }
}
