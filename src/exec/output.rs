//! Where a job's output goes: past its secrets to the log first, then the parser, whose findings become events.

use std::collections::VecDeque;
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender};

use super::failure::Failure;
use super::log::Log;
use super::network_attempts::Offline;
use super::redact::Mask;
use crate::event::{CaseFinished, CaseStarted, Event};
use crate::model::JobId;
use crate::model::{Ending, Tally};
use crate::parse::{CaseContext, CaseEnd, CaseKey, Finding, Observations, Parser};
use crate::plan::Job;

/// How long a full channel may keep a supervisor from looking at its job.
const PATIENCE: Duration = Duration::from_millis(5);

/// The way of one attempt's output.
#[derive(Debug)]
pub(super) struct Output<'run> {
    mask: Mask,
    log: Log,
    parser: Parser,
    findings: Findings<'run>,
}

/// Nobody receives events any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unheard;

/// What is left when the output is over.
#[derive(Debug)]
pub(super) struct Finished {
    pub log_size: u64,
    pub cases: Tally,
    /// Every case, where the job may be tried again.
    pub kept: Vec<CaseFinished>,
    pub observations: Observations,
    /// The log is not whole.
    pub failure: Option<Failure>,
}

impl<'run> Output<'run> {
    /// `offline`: where the job has no network.
    pub fn new(
        job: &'run Job,
        attempt: u32,
        log: Log,
        offline: Option<Offline>,
        events: &'run Sender<Event>,
    ) -> Self {
        let parser = Parser::new(CaseContext {
            go_root: job.go_root.clone(),
            packages: job.packages.clone(),
            changed_files: job.changed_files.clone(),
        });
        let findings = Findings {
            job: &job.id,
            attempt,
            offline,
            events,
            waiting: VecDeque::new(),
            cases: Tally::default(),
            kept: (job.retries > 0).then(Vec::new),
        };
        Self {
            mask: Mask::of(&job.environment),
            log,
            parser,
            findings,
        }
    }

    /// Takes the next bytes. What was found waits to be sent: see [`Output::send`]. After an error, stop: what is not in the
    /// log is not to be counted.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let bytes = self.mask.pass(bytes);
        let taken = self.take(&bytes);
        if taken.is_err() {
            // What comes after a gap is not written.
            self.mask.finish();
        }
        taken
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.log.append(bytes)?;
        let findings = &mut self.findings;
        self.parser
            .feed(bytes, &mut |finding| findings.add(finding));
        Ok(())
    }

    /// Sends what waits, as far as the channel takes it within a moment. Says whether all was sent.
    pub fn send(&mut self) -> Result<bool, Unheard> {
        self.findings.send()
    }

    /// Ends it: open cases get their status, everything that waits is sent.
    pub fn finish(mut self, ending: Option<Ending>) -> Finished {
        let held = self.mask.finish();
        let unwritten = self.take(&held).err();
        let mut findings = self.findings;
        let observations = self
            .parser
            .finish(ending, &mut |finding| findings.add(finding));
        let kept = findings.kept.take().unwrap_or_default();
        Finished {
            log_size: self.log.size(),
            cases: findings.flush(),
            kept,
            observations,
            failure: unwritten.or(self.log.close().err()),
        }
    }
}

/// Findings on their way out. Bounded by what one read can complete: nothing is read while something waits.
#[derive(Debug)]
struct Findings<'run> {
    job: &'run JobId,
    attempt: u32,
    offline: Option<Offline>,
    events: &'run Sender<Event>,
    waiting: VecDeque<Event>,
    cases: Tally,
    kept: Option<Vec<CaseFinished>>,
}

impl Findings<'_> {
    fn add(&mut self, finding: Finding) {
        let event = match finding {
            Finding::Started(key, offset) => Event::CaseStarted(self.started(key, offset)),
            Finding::Finished(end) => {
                self.cases.add(end.status);
                let mut finished = self.finished(end);
                if let Some(offline) = &self.offline {
                    offline.tell(&mut finished);
                }
                self.kept
                    .iter_mut()
                    .for_each(|kept| kept.push(finished.clone()));
                Event::CaseFinished(finished)
            }
        };
        self.waiting.push_back(event);
    }

    fn started(&self, key: CaseKey, offset: u64) -> CaseStarted {
        CaseStarted {
            job: self.job.clone(),
            attempt: self.attempt,
            package: key.package,
            name: key.name,
            offset,
        }
    }

    fn finished(&self, end: CaseEnd) -> CaseFinished {
        CaseFinished {
            job: self.job.clone(),
            attempt: self.attempt,
            package: end.key.package,
            name: end.key.name,
            status: end.status,
            seconds: end.seconds,
            message: end.message,
            file: end.file,
            line: end.line,
            cached: end.cached,
            output: end.output,
        }
    }

    fn send(&mut self) -> Result<bool, Unheard> {
        while let Some(event) = self.waiting.pop_front() {
            match self.events.send_timeout(event, PATIENCE) {
                Ok(()) => {}
                Err(SendTimeoutError::Timeout(event)) => {
                    self.waiting.push_front(event);
                    return Ok(false);
                }
                Err(SendTimeoutError::Disconnected(_)) => return Err(Unheard),
            }
        }
        Ok(true)
    }

    /// The job is over: now there is time.
    fn flush(self) -> Tally {
        for event in self.waiting {
            if self.events.send(event).is_err() {
                break;
            }
        }
        self.cases
    }
}
