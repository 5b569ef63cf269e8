//! Shows the running jobs on a terminal: a line for each and one of totals, redrawn in place below
//! the history.
//!
//! The text of a frame is made by [`frame`], which is pure; indicatif only paints it. One bar holds
//! the whole frame, so that it is drawn at once and always has as many rows as lines: each is one
//! clean line, cut to the terminal's width.
//!
//! Lines of history are written while the bar is removed, not through the bar. indicatif would fill
//! them with spaces up to the edge without ending a line, and a terminal that is made wider would
//! join them. Only a tick, or the end of a job, draws a new frame, however many events come.
//!
//! The cursor is never hidden, so nothing has to restore it. The bar is cleared when the run ends,
//! and when the reporter is dropped before (indicatif does so unless told otherwise).

mod terminal;

use std::fmt;
use std::io;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::ci::neutralize::harmless;
use super::eta;
use super::format;
use super::format::LINE_CAP;
use super::plain::{
    again_line, attempt_line, job_line, notices, repeated_line, resumed_line, stopping_line,
};
use super::{Meaning, Reporter, Style};
use crate::event::{Event, Record};
use crate::model::JobOutcome;
use crate::outcome::{JobResult, Run};
use crate::text;
use terminal::CursorAtStart;

/// The most frames a second, a little more than there are ticks.
const HERTZ: u8 = 20;

/// The part of its timeout after which a job shows how much is left.
const NEARLY: f64 = 0.8;

/// The multiple of its usual time after which a job is slow.
const SLOW: f64 = 1.5;

/// The seconds that a slow job is over its usual time, at least. Short jobs vary by more than half.
const SLOWER: f64 = 5.0;

/// Returns the current rows and columns of the terminal.
type Size = Box<dyn Fn() -> (u16, u16) + Send>;

/// Draws on a terminal.
pub struct ProgressReporter {
    bar: ProgressBar,
    term: Box<dyn TermLike>,
    size: Size,
    style: Style,
}

impl fmt::Debug for ProgressReporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ProgressReporter")
            .finish_non_exhaustive()
    }
}

/// Returns true if standard error is a terminal that can redraw a line.
pub fn can_redraw() -> bool {
    Term::stderr().is_term() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

impl ProgressReporter {
    /// Makes a reporter on standard error; `None` if that cannot redraw a line. The plain reporter
    /// is for such streams, because lines printed above a hidden bar would be lost.
    pub fn stderr(style: Style) -> Option<Self> {
        if !can_redraw() {
            return None;
        }
        let term = Term::stderr();
        let size = term.clone();
        Some(Self::on(term, Box::new(move || size.size()), style))
    }

    fn on(term: impl TermLike + Clone + 'static, size: Size, style: Style) -> Self {
        let target =
            ProgressDrawTarget::term_like_with_hz(Box::new(CursorAtStart(term.clone())), HERTZ);
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(only_the_message) = ProgressStyle::with_template("{msg}") {
            bar.set_style(only_the_message);
        }
        Self {
            bar,
            term: Box::new(term),
            size,
            style,
        }
    }

    fn now_style(&self) -> (Style, usize) {
        let (rows, columns) = (self.size)();
        (
            self.style.with_width(usize::from(columns)),
            usize::from(rows),
        )
    }

    /// Prints a line of history. Errors are ignored, because nobody sits before a terminal that
    /// cannot be written to.
    fn history(&self, line: &str) {
        let _ = self.bar.suspend(|| self.term.write_line(&harmless(line)));
    }

    fn draw(&self, now: jiff::Timestamp, run: &Run) {
        let (style, rows) = self.now_style();
        self.bar
            .set_message(frame(run, now, &style, rows).join("\n"));
    }
}

impl Reporter for ProgressReporter {
    fn record(&mut self, record: &Record, run: &Run) {
        let (style, _) = self.now_style();
        match &record.event {
            Event::RunStarted(started) => {
                self.history(&format::header(started, &style));
                for line in notices(started, &style) {
                    self.history(&line);
                }
            }
            Event::JobFinished(finished) => {
                if let Some(job) = run.jobs.get(&finished.job) {
                    let column = name_column(run);
                    let line = repeated_line(finished, run, column, &style)
                        .unwrap_or_else(|| job_line(job, finished, column, &style));
                    self.history(&format!("  {}", style.fit(&line, style.width() - 2)));
                    self.draw(record.time, run);
                }
            }
            Event::RunResumed(resumed) => self.history(&resumed_line(resumed, run)),
            Event::RunStopping(stopping) => self.history(&stopping_line(stopping, &style)),
            Event::JobStarted(started) if started.attempt > 1 => {
                let line = again_line(started, name_column(run), &style);
                self.history(&format!("  {}", style.fit(&line, style.width() - 2)));
            }
            Event::AttemptFinished(finished) => {
                let line = attempt_line(finished, name_column(run), &style);
                self.history(&format!("  {}", style.fit(&line, style.width() - 2)));
            }
            Event::RunFinished(_) => self.bar.finish_and_clear(),
            Event::JobStarted(_)
            | Event::JobQueued(_)
            | Event::CaseStarted(_)
            | Event::CaseFinished(_) => {}
        }
    }

    fn tick(&mut self, now: jiff::Timestamp, run: &Run) {
        if run.started.is_some() && run.finished.is_none() {
            self.draw(now, run);
        }
    }

    fn finish(&mut self, _run: &Run) -> io::Result<()> {
        self.bar.finish_and_clear();
        Ok(())
    }
}

fn name_column(run: &Run) -> usize {
    format::column(run.order.iter().map(|id| id.as_str()))
}

/// Returns the lines below the history, at most half the rows of the terminal.
fn frame(run: &Run, now: jiff::Timestamp, style: &Style, rows: usize) -> Vec<String> {
    let running: Vec<_> = run.jobs().filter(|job| job.is_running()).collect();
    let room = (rows / 2).saturating_sub(1).max(1);
    let shown = match running.len() > room {
        true => room.saturating_sub(1),
        false => running.len(),
    };
    let names = name_column(run);
    let mut lines: Vec<_> = running[..shown]
        .iter()
        .map(|job| running_line(job, now, names, style))
        .collect();
    if running.len() > shown {
        let others: Vec<_> = running[shown..]
            .iter()
            .map(|job| job.queued.job.as_str())
            .collect();
        let others = style.foreign(&others.join(", "), LINE_CAP);
        let more = running.len() - shown;
        lines.push(format!("  {} {more} more run: {others}", style.ellipsis()));
    }
    lines.push(totals_line(run, now, style));
    lines
        .iter()
        .map(|line| style.fit(line, style.width() - 1))
        .collect()
}

/// Formats `▸ runtime.test   0:41  214 passed, 1 failed  cli TestCreate`.
fn running_line(job: &JobResult, now: jiff::Timestamp, names: usize, style: &Style) -> String {
    let name = style.foreign(job.queued.job.as_str(), LINE_CAP);
    let elapsed = job
        .started
        .map_or(0.0, |start| format::seconds_between(start, now));
    let mut line = format!(
        "  {} {}  {:>5}",
        style.running(),
        text::pad(&name, names),
        format::clock(elapsed)
    );
    if let Some(late) = late(job, elapsed, style) {
        line.push_str("  ");
        line.push_str(&late);
    }
    let counts = format::counts(&job.tally);
    if !counts.is_empty() {
        line.push_str("  ");
        line.push_str(&counts);
    }
    if let Some((package, name)) = job.open.last() {
        let current = style.foreign(format!("{package} {name}").trim_start(), LINE_CAP);
        line.push_str("  ");
        line.push_str(&style.paint(Meaning::Detail, &current));
    }
    line
}

/// Returns `timeout in 0:20` for a job whose time is nearly up, else `usually 0:41` for one that
/// takes much longer than in earlier runs.
fn late(job: &JobResult, elapsed: f64, style: &Style) -> Option<String> {
    let left = job
        .queued
        .timeout
        .map(|timeout| (timeout - elapsed).max(0.0));
    let is_near = |timeout: f64| elapsed > NEARLY * timeout;
    if let (Some(left), true) = (left, job.queued.timeout.is_some_and(is_near)) {
        let text = format!("timeout in {}", format::clock(left));
        return Some(style.paint(Meaning::Bad, &text));
    }
    let usual = job.queued.estimate?;
    (elapsed > SLOW * usual && elapsed - usual > SLOWER).then(|| {
        let text = format!("usually {}", format::clock(usual));
        style.paint(Meaning::Warning, &text)
    })
}

/// Formats `7 of 8 jobs · 1 failed · 1 vacuous · 1:52`.
fn totals_line(run: &Run, now: jiff::Timestamp, style: &Style) -> String {
    let outcomes = run.outcomes();
    let over: usize = outcomes.values().sum();
    let total = format::plural(run.order.len(), "job");
    let mut pieces = vec![format!("{over} of {total}")];
    for outcome in JobOutcome::ALL {
        let Some(count) = outcomes.get(&outcome) else {
            continue;
        };
        let meaning = match outcome {
            JobOutcome::Passed => continue,
            JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Error => Meaning::Bad,
            _ => Meaning::Warning,
        };
        let piece = format!("{count} {}", format::outcome(outcome));
        pieces.push(style.paint(meaning, &piece));
    }
    if let Some(start) = run.start_time {
        pieces.push(format::clock(format::seconds_between(start, now)));
    }
    if let Some(left) = eta::seconds(run, now) {
        pieces.push(format!("about {} left", format::clock(left.ceil())));
    }
    format!("  {}", pieces.join(style.dot()))
}

#[cfg(test)]
mod tests;
