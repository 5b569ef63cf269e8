//! Passes a job's output on: its secrets are masked, it is logged, then parsed, and the findings
//! become events.

use std::collections::VecDeque;
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender};

use super::check_findings::CheckLog;
use super::failure::Failure;
use super::log::Log;
use super::network_attempts::Offline;
use super::redact::Mask;
use crate::event::{CaseFinished, CaseStarted, Event};
use crate::model::JobId;
use crate::model::{CasePattern, CaseStatus, CheckFindings, Ending, Tally};
use crate::parse::{CaseContext, CaseEnd, CaseKey, Finding, Observations, Parser};
use crate::plan::Job;

/// The time for which a full channel may keep a supervisor from watching its job.
const PATIENCE: Duration = Duration::from_millis(5);

/// The output of one attempt on its way to the log, the parser and the events.
#[derive(Debug)]
pub(super) struct Output<'run> {
    mask: Mask,
    log: Log,
    parser: Parser,
    findings: Findings<'run>,
}

/// The error that nobody receives events any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unheard;

/// The result of an output that is over.
#[derive(Debug)]
pub(super) struct Finished {
    pub log_size: u64,
    pub cases: Tally,
    /// All cases, if the job may be tried again.
    pub kept: Vec<CaseFinished>,
    /// The number of cases that match the job's pattern.
    pub matched: u64,
    /// The findings of its failed static checks.
    pub findings: CheckFindings,
    pub observations: Observations,
    /// The reason why the log is not whole.
    pub failure: Option<Failure>,
}

impl<'run> Output<'run> {
    /// Makes the output of an attempt. `offline` is given if the job has no network.
    pub fn new(
        job: &'run Job,
        attempt: u32,
        log: Log,
        checks: CheckLog,
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
            checks,
            offline,
            events,
            waiting: VecDeque::new(),
            told: CheckFindings::default(),
            asked: job.asked.as_ref(),
            matched: 0,
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

    /// Takes the next bytes. Findings wait until [`Output::send`] is called. Stop after an error,
    /// because output that is not in the log does not count.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let bytes = self.mask.pass(bytes);
        let taken = self.take(&bytes);
        if taken.is_err() {
            // Nothing is written after a gap.
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

    /// Sends waiting findings, as far as the channel takes them within a moment. Returns true if
    /// all were sent.
    pub fn send(&mut self) -> Result<bool, Unheard> {
        self.findings.send()
    }

    /// Ends the output: open cases get their status, and all waiting findings are sent.
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
            matched: findings.matched,
            findings: std::mem::take(&mut findings.told),
            cases: findings.flush(),
            kept,
            observations,
            failure: unwritten.or(self.log.close().err()),
        }
    }
}

/// Findings that wait to be sent. No output is read meanwhile, so one read bounds their number.
#[derive(Debug)]
struct Findings<'run> {
    job: &'run JobId,
    attempt: u32,
    checks: CheckLog,
    offline: Option<Offline>,
    events: &'run Sender<Event>,
    waiting: VecDeque<Event>,
    asked: Option<&'run CasePattern>,
    /// The number of cases that match what was asked for.
    matched: u64,
    /// The findings of the first static check that has some.
    told: CheckFindings,
    cases: Tally,
    kept: Option<Vec<CaseFinished>>,
}

impl Findings<'_> {
    fn add(&mut self, finding: Finding) {
        let event = match finding {
            Finding::Started(key, offset) => Event::CaseStarted(self.started(key, offset)),
            Finding::Finished(end) => {
                self.cases.add(end.status);
                let is_asked = self.asked.is_some_and(|asked| {
                    end.status != CaseStatus::NotRun
                        && asked.matches(&end.key.package, &end.key.name)
                });
                self.matched += u64::from(is_asked);
                let mut finished = self.finished(end);
                self.checks.tell(&mut finished);
                if self.told.is_empty() {
                    self.told = finished.findings.clone();
                }
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
            findings: CheckFindings::default(),
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

    /// Sends all findings, however long that takes. The job is over and needs no watching.
    fn flush(self) -> Tally {
        for event in self.waiting {
            if self.events.send(event).is_err() {
                break;
            }
        }
        self.cases
    }
}
