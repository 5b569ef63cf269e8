//! The case that carries a job's outcome where its own cases do not explain it.
//!
//! Readers of JUnit see cases, not suites: a job that timed out after its last case passed would be green to them.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, Event as Xml};

use super::Kind;
use super::element;
use super::stored::JobLog;
use crate::outcome::{JobOutcome, JobResult};
use crate::report::summary::NO_END;

/// A case named after the step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Carrier {
    pub(super) kind: Kind,
    word: &'static str,
    message: String,
    time: f64,
}

impl Carrier {
    /// The case a job needs, if it needs one.
    pub(super) fn of(job: &JobResult) -> Option<Self> {
        let Some(finished) = &job.finished else {
            return Some(Self {
                kind: Kind::Error,
                word: JobOutcome::Error.word(),
                message: NO_END.to_owned(),
                time: 0.0,
            });
        };
        let explained = match finished.outcome {
            JobOutcome::Passed => job.tally.passed + job.tally.flaky > 0,
            JobOutcome::Failed => job.tally.bad() > 0,
            _ => false,
        };
        let message = match (&finished.allowed, &finished.fix) {
            (Some(why), _) => format!("allowed: {why}; {}", finished.reason),
            (None, Some(fix)) => format!("{}; fix: {fix}", finished.reason),
            (None, None) => finished.reason.clone(),
        };
        (!explained).then(|| Self {
            kind: kind(finished.outcome, finished.allowed.is_some()),
            word: finished.outcome.word(),
            message,
            time: finished.seconds,
        })
    }

    pub(super) fn write<W: Write>(
        &self,
        writer: &mut Writer<W>,
        job: &JobResult,
        log: &mut JobLog<'_, '_>,
    ) -> io::Result<()> {
        let id = &job.queued.job;
        let start = element::start(id.as_str(), id.step(), Some(self.time));
        if self.kind == Kind::Passed {
            return writer.write_event(Xml::Empty(start));
        }
        writer.write_event(Xml::Start(start))?;
        let message = Some(self.message.as_str()).filter(|message| !message.is_empty());
        element::status_element(writer, self.kind, self.word, message, "")?;
        if matches!(self.kind, Kind::Failure | Kind::Error) {
            let whole = log.whole();
            element::system_out(writer, &whole)?;
        }
        writer.write_event(Xml::End(BytesEnd::new("testcase")))
    }
}

/// An allowed vacuous job proves nothing and fails nothing: readers see it as skipped, with the word and the reason.
fn kind(outcome: JobOutcome, allowed: bool) -> Kind {
    match outcome {
        JobOutcome::Passed => Kind::Passed,
        JobOutcome::Failed => Kind::Failure,
        JobOutcome::Vacuous if allowed => Kind::Skipped,
        JobOutcome::TimedOut | JobOutcome::Error | JobOutcome::Vacuous => Kind::Error,
        JobOutcome::Skipped | JobOutcome::NotRun | JobOutcome::Cancelled => Kind::Skipped,
    }
}
