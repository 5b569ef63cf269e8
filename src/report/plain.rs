//! Writes a line for each job that ends, for output that is no terminal.
//!
//! The failing cases of a job stand right below it, so that the log of a CI system shows them where
//! the reader stops. A run that is silent for a minute names the running jobs, so that nobody takes
//! it for dead.

use std::io::{self, Write};

use signal_hook::consts::SIGINT;

use super::ci::{DetectedCi, Folds};
use super::format;
use super::format::LINE_CAP;
use super::line_writer::LineWriter;
use super::{Meaning, Reporter, Style};
use crate::event::{Event, JobFinished, JobStarted, Record, RunResumed, RunStarted, RunStopping};
use crate::fs::Directory;
use crate::model::JobOutcome;
use crate::outcome::{CaseResult, JobResult, Run};
use crate::text;

/// The most failing cases shown under a job.
const CASES: usize = 20;

/// The most findings of a check shown under a job.
const FINDINGS: usize = 20;

/// The seconds of silence before the running jobs are named.
const SILENCE: f64 = 60.0;

/// Writes a line for each job.
pub struct PlainReporter {
    output: LineWriter,
    style: Style,
    last_line: Option<jiff::Timestamp>,
    /// Lines about the CI system, below the header.
    system: Vec<String>,
    folds: Option<Folds>,
}

impl PlainReporter {
    /// Makes a reporter that writes to this stream.
    pub fn new(writer: impl Write + Send + 'static, style: Style) -> Self {
        Self {
            output: LineWriter::new(writer),
            style,
            last_line: None,
            system: Vec::new(),
            folds: None,
        }
    }

    /// Adapts the reporter to the log of a CI system: the header names the system, and output is
    /// folded if the system can fold. The reports go to `directory`.
    pub fn on(self, detected: &DetectedCi, directory: &Directory) -> Self {
        let said = self.style.foreign(&detected.line(), LINE_CAP);
        let mut system = vec![self.style.paint(Meaning::Detail, &said)];
        if let Some(misplaced) = detected.misplaced(directory.path()) {
            let misplaced = self.style.foreign(&misplaced, LINE_CAP);
            system.push(format!("{} {misplaced}", self.style.warning()));
        }
        Self {
            system,
            folds: Folds::new(detected.system, directory.clone()),
            ..self
        }
    }

    fn run_started(&mut self, started: &RunStarted) {
        self.output.line(&format::header(started, &self.style));
        self.system_lines();
        for line in notices(started, &self.style) {
            self.output.line(&line);
        }
    }

    fn system_lines(&mut self) {
        for line in &self.system {
            self.output.line(line);
        }
    }

    fn fold(&mut self, finished: &JobFinished, now: jiff::Timestamp) {
        let folds = self.folds.as_mut();
        let Some(fold) = folds.and_then(|folds| folds.of(finished, now, &self.style)) else {
            return;
        };
        fold.open.iter().for_each(|mark| self.output.mark(mark));
        fold.lines.iter().for_each(|line| self.output.line(line));
        fold.close.iter().for_each(|mark| self.output.mark(mark));
    }

    fn attempt_finished(&mut self, finished: &JobFinished, run: &Run) {
        let name_column = format::column(run.order.iter().map(|id| id.as_str()));
        self.output
            .line(&attempt_line(finished, name_column, &self.style));
    }

    fn job_finished(&mut self, finished: &JobFinished, run: &Run) {
        let Some(job) = run.jobs.get(&finished.job) else {
            return;
        };
        let over = run.jobs().filter(|job| job.finished.is_some()).count();
        let total = run.order.len().to_string();
        let count = format!("[{over:>digits$}/{total}]", digits = total.len());
        let name_column = format::column(run.order.iter().map(|id| id.as_str()));
        if let Some(line) = repeated_line(finished, run, name_column, &self.style) {
            self.output.line(&format!("{count} {line}"));
            return;
        }
        let line = job_line(job, finished, name_column, &self.style);
        self.output.line(&format!("{count} {line}"));
        for line in details(job, finished, &self.style) {
            self.output.line(&format!("    {line}"));
        }
    }
}

/// Formats `resumes run 20260503T100000Z-42: 5 jobs are finished, 3 are left`.
pub(super) fn resumed_line(resumed: &RunResumed, run: &Run) -> String {
    let id = (run.started.as_ref()).map_or("", |started| &started.run_id);
    let verb = if resumed.kept == 1 { "is" } else { "are" };
    format!(
        "resumes run {id}: {} {verb} finished, {} left",
        format::plural(resumed.kept, "job"),
        resumed.left
    )
}

/// Formats `! cancelled by SIGINT: waiting for 2 jobs to end; press Ctrl-C again to kill them`.
pub(super) fn stopping_line(stopping: &RunStopping, style: &Style) -> String {
    let them = if stopping.running == 1 { "it" } else { "them" };
    let killing = match stopping.signal {
        None => String::new(),
        Some(SIGINT) => format!("; press Ctrl-C again to kill {them}"),
        Some(_) => format!("; a second signal kills {them}"),
    };
    let reason = style.foreign(&stopping.reason, LINE_CAP);
    let jobs = format::plural(stopping.running, "job");
    let mark = style.warning();
    format!("{mark} {reason}: waiting for {jobs} to end{killing}")
}

/// Formats the notices of the run, each in a line or two.
pub(super) fn notices(started: &RunStarted, style: &Style) -> Vec<String> {
    let mut lines = Vec::new();
    for notice in &started.notices {
        let text = style.foreign(&notice.text, LINE_CAP);
        lines.push(match notice.is_fact {
            true => format!("  {text}"),
            false => format!("{} {text}", style.warning()),
        });
        if let Some(fix) = &notice.fix {
            lines.push(format!("    fix: {}", style.foreign(fix, LINE_CAP)));
        }
    }
    lines
}

/// Formats `✓ proxy.test  15 passed  6.1s`, with the name in a column.
pub(super) fn job_line(
    job: &JobResult,
    finished: &JobFinished,
    name_column: usize,
    style: &Style,
) -> String {
    let name = text::pad(&style.foreign(finished.job.as_str(), LINE_CAP), name_column);
    let result = format::result(job, style);
    let time = match finished.attempt {
        0 => String::new(),
        _ => format!(
            "  {}",
            style.paint(Meaning::Detail, &format::duration(finished.seconds))
        ),
    };
    format!("{} {name}  {result}{time}", style.mark(finished.outcome))
}

/// Formats `– b.test  skipped, as a.test`: a job that did not start for a reason that was shown
/// with another job. `None` for any other job.
pub(super) fn repeated_line(
    finished: &JobFinished,
    run: &Run,
    name_column: usize,
    style: &Style,
) -> Option<String> {
    let cause = |job: &JobFinished| {
        (
            job.attempt,
            job.outcome,
            job.reason.clone(),
            job.fix.clone(),
        )
    };
    let is_cause = finished.attempt == 0 && finished.fix.is_some();
    let first = (run.jobs())
        .filter_map(|job| job.finished.as_ref())
        .find(|other| other.job != finished.job && cause(other) == cause(finished))
        .filter(|_| is_cause)?;
    let name = text::pad(&style.foreign(finished.job.as_str(), LINE_CAP), name_column);
    Some(format!(
        "{} {name}  {}, as {}",
        style.mark(finished.outcome),
        format::outcome(finished.outcome),
        style.foreign(first.job.as_str(), LINE_CAP)
    ))
}

/// Formats an attempt that another one follows: `✗ proxy.test  attempt 1 failed: 1 failed  6.1s`.
pub(super) fn attempt_line(finished: &JobFinished, name_column: usize, style: &Style) -> String {
    let name = text::pad(&style.foreign(finished.job.as_str(), LINE_CAP), name_column);
    format!(
        "{} {name}  attempt {} {}: {}  {}",
        style.mark(finished.outcome),
        finished.attempt,
        format::outcome(finished.outcome),
        style.foreign(&finished.reason, LINE_CAP),
        style.paint(Meaning::Detail, &format::duration(finished.seconds))
    )
}

/// Formats a later attempt: `↻ proxy.test  attempt 2 runs TestFlaky`.
pub(super) fn again_line(started: &JobStarted, name_column: usize, style: &Style) -> String {
    let name = text::pad(&style.foreign(started.job.as_str(), LINE_CAP), name_column);
    let what = match &started.only {
        Some(only) => style.foreign(only, LINE_CAP),
        None => "all of it".to_owned(),
    };
    format!(
        "{} {name}  attempt {} runs {what}",
        style.again(),
        started.attempt
    )
}

fn details(job: &JobResult, finished: &JobFinished, style: &Style) -> Vec<String> {
    if finished.outcome == JobOutcome::Passed {
        return Vec::new();
    }
    let bad: Vec<_> = job
        .cases
        .iter()
        .filter(|case| case.status.is_bad())
        .collect();
    let mut lines: Vec<_> = bad
        .iter()
        .take(CASES)
        .flat_map(|case| {
            // The first finding is the message.
            let more = format::findings(&case.findings, 1, FINDINGS, style);
            let more = more.into_iter().map(|line| format!("    {line}"));
            [case_line(case, style)].into_iter().chain(more)
        })
        .collect();
    lines.extend(format::job_findings(finished, FINDINGS, style));
    if bad.len() > CASES {
        lines.push(format!("{} {} more", style.ellipsis(), bad.len() - CASES));
    }
    if let Some(fix) = &finished.fix {
        lines.push(format!("fix: {}", style.foreign(fix, LINE_CAP)));
    }
    lines
}

fn case_line(case: &CaseResult, style: &Style) -> String {
    let name = match case.package.as_str() {
        "" => case.name.clone(),
        package => format!("{package} {}", case.name),
    };
    let name = style.foreign(&name, LINE_CAP);
    let line = match format::case_message(case, style).as_str() {
        "" => format!("{} {name}", case.status.word()),
        message => format!("{} {name}  {message}", case.status.word()),
    };
    style.fit(&line, 400)
}

fn sign_of_life(now: jiff::Timestamp, run: &Run, style: &Style) -> Option<String> {
    let running: Vec<_> = run
        .jobs()
        .filter(|job| job.is_running())
        .map(|job| {
            let elapsed = job
                .started
                .map_or(0.0, |start| format::seconds_between(start, now));
            let name = style.foreign(job.queued.job.as_str(), LINE_CAP);
            format!("{name} ({})", format::clock(elapsed))
        })
        .collect();
    let since = format::seconds_between(run.start_time?, now);
    (!running.is_empty()).then(|| {
        format!(
            "{} {} running: {}",
            style.ellipsis(),
            format::clock(since),
            running.join(", ")
        )
    })
}

impl Reporter for PlainReporter {
    fn record(&mut self, record: &Record, run: &Run) {
        match &record.event {
            Event::RunStarted(started) => self.run_started(started),
            Event::RunResumed(resumed) => {
                self.output.line(&resumed_line(resumed, run));
                self.system_lines();
            }
            Event::RunStopping(stopping) => {
                self.output.line(&stopping_line(stopping, &self.style));
            }
            Event::JobStarted(started) if started.attempt > 1 => {
                let name_column = format::column(run.order.iter().map(|id| id.as_str()));
                self.output
                    .line(&again_line(started, name_column, &self.style));
            }
            Event::AttemptFinished(finished) => self.attempt_finished(finished, run),
            Event::JobFinished(finished) => {
                self.job_finished(finished, run);
                self.fold(finished, record.time);
            }
            Event::JobStarted(_)
            | Event::JobQueued(_)
            | Event::CaseStarted(_)
            | Event::CaseFinished(_)
            | Event::RunFinished(_) => return,
        }
        self.last_line = Some(record.time);
    }

    fn tick(&mut self, now: jiff::Timestamp, run: &Run) {
        let Some(last) = self.last_line.or(run.start_time) else {
            return;
        };
        if format::seconds_between(last, now) < SILENCE {
            return;
        }
        self.last_line = Some(now);
        if let Some(line) = sign_of_life(now, run, &self.style) {
            self.output.line(&line);
        }
    }

    fn finish(&mut self, _run: &Run) -> io::Result<()> {
        self.output.finish()
    }
}
