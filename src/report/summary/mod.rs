//! Formats the end of a run, for the person who has to act on it.
//!
//! It is quiet on success: totals, with the enforced isolation, and the path of the report.
//! Otherwise there is a block for each job that did not pass, worst first: what happened, each
//! failing case with its message and location, what to do, the command that runs just that again,
//! and the log.
//!
//! At most [`CASES`] failing cases are shown in all. Totals come last, where the screen stops.

mod block;
mod leftovers;
mod totals;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::ci::neutralize::harmless;
use super::format;
use super::format::LINE_CAP;
use super::{Style, excerpt};
use crate::fs::Directory;
use crate::model::{CaseStatus, JobOutcome};
use crate::outcome::{JobResult, REMARK, Run};

/// The reason of a job whose end is in no event: kata-ci was killed while it ran.
pub const NO_END: &str = "its end was not seen: the run was killed";

/// The most failing cases shown in all.
const CASES: usize = 50;

/// The most flaky tests shown of a job.
const FLAKY: usize = 10;

/// The number of last lines of a log that are shown if no case explains the outcome.
const LAST_LINES: usize = 10;

/// Returns the summary as text that ends in a newline. The last lines of logs are read from the
/// report directory `directory`, which is shown as `named`.
pub fn render(run: &Run, directory: &Directory, named: &Path, style: &Style) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let context = SummaryContext {
        run,
        directory: named,
        home: home.as_deref(),
        style,
        tail: &|log| excerpt::tail(directory, log, LAST_LINES),
    };
    context.render()
}

/// The input of a summary.
struct SummaryContext<'a> {
    run: &'a Run,
    directory: &'a Path,
    home: Option<&'a Path>,
    style: &'a Style,
    /// Returns the last lines of the log with this name.
    tail: &'a dyn Fn(&str) -> io::Result<Vec<String>>,
}

/// Returns the outcome of a job. A job whose end was not seen is an error.
fn outcome(job: &JobResult) -> JobOutcome {
    job.outcome().unwrap_or(JobOutcome::Error)
}

impl SummaryContext<'_> {
    fn render(&self) -> String {
        let mut lines = Vec::new();
        let mut cases_left = CASES;
        for outcome in JobOutcome::ALL {
            match outcome {
                JobOutcome::Passed => {}
                JobOutcome::Cancelled | JobOutcome::NotRun | JobOutcome::Skipped => {
                    // What a cancelled job had found is not lost.
                    self.blocks(&mut lines, &mut cases_left, |job| {
                        self::outcome(job) == outcome && has_found(job)
                    });
                    self.never_tested(outcome, &mut lines);
                }
                _ => self.blocks(&mut lines, &mut cases_left, |job| {
                    self::outcome(job) == outcome
                }),
            }
        }
        self.reservations(&mut lines);
        self.flaky(&mut lines);
        leftovers::lines(self, &mut lines);
        lines.extend(totals::advisory(self));
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(totals::line(self));
        let place = format::path(self.directory, self.home, self.style);
        lines.push(format!("report: {place}"));
        let harmless: Vec<_> = lines.iter().map(|line| harmless(line)).collect();
        harmless.join("\n") + "\n"
    }

    fn blocks(
        &self,
        lines: &mut Vec<String>,
        cases_left: &mut usize,
        is_wanted: impl Fn(&JobResult) -> bool,
    ) {
        for job in self.run.jobs().filter(|job| is_wanted(job)) {
            lines.extend(block::bad(self, job, cases_left));
        }
    }

    /// Adds jobs that did not test. Those with the same reason share a line.
    fn never_tested(&self, wanted: JobOutcome, lines: &mut Vec<String>) {
        let mut groups: BTreeMap<(&str, Option<&str>), Vec<&str>> = BTreeMap::new();
        let told = |job: &&JobResult| outcome(job) == wanted && !has_found(job);
        for job in self.run.jobs().filter(told) {
            if let Some(finished) = &job.finished {
                groups
                    .entry((&finished.reason, finished.fix.as_deref()))
                    .or_default()
                    .push(job.queued.job.as_str());
            }
        }
        for ((reason, fix), jobs) in groups {
            let jobs = self.style.foreign(&jobs.join(", "), LINE_CAP);
            let reason = self.style.foreign(reason, LINE_CAP);
            let what = format::with_reason(format::outcome(wanted), &reason);
            lines.push(format!("{} {jobs} {what}", self.style.mark(wanted)));
            if let Some(fix) = fix {
                lines.push(format!("    fix: {}", self.style.foreign(fix, LINE_CAP)));
            }
        }
    }

    /// Adds jobs that passed with a remark, such as a limit that was reached.
    fn reservations(&self, lines: &mut Vec<String>) {
        let is_remark = |is_flaky: bool, reason: &str| match is_flaky {
            true => reason.contains(REMARK),
            false => !reason.is_empty(),
        };
        let passed = (self.run.jobs())
            .filter_map(|job| Some((is_flaky(job), job.finished.as_ref()?)))
            .filter(|(_, finished)| finished.outcome == JobOutcome::Passed)
            .filter(|(is_flaky, finished)| is_remark(*is_flaky, &finished.reason));
        for (_, finished) in passed {
            let id = self.style.foreign(finished.job.as_str(), LINE_CAP);
            let reason = self.style.foreign(&finished.reason, LINE_CAP);
            lines.push(format!("{} {id} passed: {reason}", self.style.warning()));
        }
    }

    /// Adds tests that passed only when they were run again; jobs if no test is known.
    fn flaky(&self, lines: &mut Vec<String>) {
        for job in self.run.jobs().filter(|job| is_flaky(job)) {
            let flaky = job
                .cases
                .iter()
                .filter(|case| case.status == CaseStatus::Flaky);
            let mut names: Vec<_> = (flaky.take(FLAKY))
                .map(|case| {
                    format!("{} {}", case.package, case.name)
                        .trim_start()
                        .to_owned()
                })
                .collect();
            let more = job.tally.flaky as usize - names.len();
            if more > 0 {
                names.push(format!("{more} more"));
            }
            if names.is_empty() {
                names.push("its command, and no test of it".to_owned());
            }
            let names = self.style.foreign(&names.join(", "), LINE_CAP);
            let id = self.style.foreign(job.queued.job.as_str(), LINE_CAP);
            lines.push(format!("{} {id} flaky: {names}", self.style.warning()));
        }
    }
}

/// Returns true if a case of the job failed before the job was cancelled.
fn has_found(job: &JobResult) -> bool {
    job.tally.failed > 0
}

/// Returns true if the job, or a test of it, passed only when it was run again.
fn is_flaky(job: &JobResult) -> bool {
    let has_passed = job.outcome() == Some(JobOutcome::Passed);
    job.tally.flaky > 0 || (has_passed && !job.attempts.is_empty())
}

#[cfg(test)]
mod tests;
