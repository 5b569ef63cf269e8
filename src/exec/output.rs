//! Passes a job's output on: its secrets are masked, it is logged, then parsed, and the findings
//! become events.

use std::collections::VecDeque;
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender};

use super::check_findings::CheckLog;
use super::failure::Failure;
use super::go_flags::lists_go_tests;
use super::junit;
use super::junit::{JunitCase, JunitFiles, JunitResult};
use super::log::Log;
use super::network_attempts::Isolated;
use crate::config::proxy_credentials;
use crate::event::{CaseFinished, CaseStarted, Event, Span};
use crate::model::JobId;
use crate::model::{CasePattern, CaseStatus, CheckFindings, Ending, Tally};
use crate::outcome::Circumstance;
use crate::parse::{CaseContext, CaseEnd, CaseKey, Finding, Observations, Parser};
use crate::plan::Job;
use crate::text::secrets::KnownSecrets;

/// The time for which a full channel may keep a supervisor from watching its job.
const PATIENCE: Duration = Duration::from_millis(5);

/// The most bytes that the log gets from JUnit files.
const MOST_OF_JUNIT: u64 = 16 << 20;

/// The output of one attempt on its way to the log, the parser and the events.
#[derive(Debug)]
pub(super) struct Output<'run> {
    job: &'run Job,
    mask: KnownSecrets,
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
    /// The reason why the job's JUnit files do not vouch for it.
    pub junit: Option<Circumstance>,
    /// The reason why the log is not whole.
    pub failure: Option<Failure>,
}

impl<'run> Output<'run> {
    /// Makes the output of an attempt. `isolated` is given if the job has a sandbox.
    pub fn new(
        job: &'run Job,
        attempt: u32,
        log: Log,
        checks: CheckLog,
        isolated: Option<Isolated>,
        events: &'run Sender<Event>,
    ) -> Self {
        let parser = Parser::new(CaseContext {
            go_root: job.go_root.clone(),
            packages: job.packages.clone(),
            changed_files: job.changed_files.clone(),
            lists_go_tests: lists_go_tests(job),
        });
        let findings = Findings {
            job: &job.id,
            attempt,
            checks,
            isolated,
            events,
            waiting: VecDeque::new(),
            told: CheckFindings::default(),
            asked: job.asked.as_ref(),
            matched: 0,
            cases: Tally::default(),
            kept: (job.retries > 0).then(Vec::new),
            held: (!job.junit.is_empty()).then(Vec::new),
        };
        Self {
            job,
            mask: KnownSecrets::new(&proxy_credentials(&job.environment)),
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

    /// Tells that the job was cancelled.
    pub fn cancelled(&mut self) {
        self.parser.cancelled();
    }

    /// Ends the output: open cases get their status, and all waiting findings are sent.
    /// With JUnit files the cases are those of the files.
    pub fn finish(mut self, ending: Option<Ending>, files: Option<&JunitFiles>) -> Finished {
        let held = self.mask.finish();
        let mut unwritten = self.take(&held).err();
        let mut findings = self.findings;
        let mut observations = self
            .parser
            .finish(ending, &mut |finding| findings.add(finding));
        let mut junit = None;
        if let Some(files) = files {
            let read = files.read(self.job);
            if read.files > 0 && read.cases.is_empty() {
                let empty = "its JUnit files hold no case".to_owned();
                observations.vacuous_causes.insert(0, (empty, None));
            }
            let told = findings.settle(read, &mut self.log);
            unwritten = unwritten.or(told.1);
            junit = told.0;
        }
        let kept = findings.kept.take().unwrap_or_default();
        Finished {
            log_size: self.log.size(),
            matched: findings.matched,
            findings: std::mem::take(&mut findings.told),
            cases: findings.flush(),
            kept,
            observations,
            junit,
            failure: unwritten.or(self.log.close().err()),
        }
    }
}

/// Counts the single cases that the output tells.
fn tally(findings: &[Finding]) -> Tally {
    let mut tally = Tally::default();
    for finding in findings {
        if let Finding::Finished(end) = finding
            && end.key.name != "(package)"
        {
            tally.add(end.status);
        }
    }
    tally
}

/// Appends the text about a case to the log, behind the job's output.
fn logged(case: &JunitCase, log: &mut Log) -> Result<Option<Span>, Failure> {
    if case.text.is_empty() {
        return Ok(None);
    }
    let start = log.size();
    let key = &case.end.key;
    let heading = format!(
        "\n--- {} {}: {} (JUnit)\n",
        key.package,
        key.name,
        case.end.status.word()
    );
    log.append(heading.as_bytes())?;
    log.append(case.text.as_bytes())?;
    Ok(Some(Span {
        start,
        end: log.size(),
    }))
}

/// Findings that wait to be sent. No output is read meanwhile, so one read bounds their number.
#[derive(Debug)]
struct Findings<'run> {
    job: &'run JobId,
    attempt: u32,
    checks: CheckLog,
    isolated: Option<Isolated>,
    events: &'run Sender<Event>,
    waiting: VecDeque<Event>,
    asked: Option<&'run CasePattern>,
    /// The number of cases that match what was asked for.
    matched: u64,
    /// The findings of the first static check that has some.
    told: CheckFindings,
    cases: Tally,
    kept: Option<Vec<CaseFinished>>,
    /// The findings in the output of a job whose cases stand in JUnit files.
    held: Option<Vec<Finding>>,
}

impl Findings<'_> {
    fn add(&mut self, finding: Finding) {
        if let Some(held) = &mut self.held {
            return held.push(finding);
        }
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
                if let Some(isolated) = &self.isolated {
                    isolated.tell(&mut finished);
                }
                self.kept
                    .iter_mut()
                    .for_each(|kept| kept.push(finished.clone()));
                Event::CaseFinished(finished)
            }
        };
        self.waiting.push_back(event);
    }

    /// Decides whose cases count: those of the JUnit files, or those of the output if there is no
    /// file with cases. Returns the problem of the files, and that of the log.
    fn settle(
        &mut self,
        read: JunitResult,
        log: &mut Log,
    ) -> (Option<Circumstance>, Option<Failure>) {
        let held = self.held.take().unwrap_or_default();
        if read.cases.is_empty() {
            held.into_iter().for_each(|finding| self.add(finding));
            return (read.problem, None);
        }
        let output = tally(&held);
        let mut unwritten = None;
        let mut size = 0;
        for case in read.cases {
            let logged = match size < MOST_OF_JUNIT && unwritten.is_none() {
                true => logged(&case, log),
                false => Ok(None),
            };
            let span = logged.unwrap_or_else(|failure| {
                unwritten = Some(failure);
                None
            });
            size += span.map_or(0, |span| span.end - span.start);
            let start = span.map_or(log.size(), |span| span.start);
            self.add(Finding::Started(case.end.key.clone(), start));
            self.add(Finding::Finished(CaseEnd {
                output: span.into_iter().collect(),
                ..case.end
            }));
        }
        let contradiction = || junit::contradiction(&self.cases, &output);
        (read.problem.or_else(contradiction), unwritten)
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
