//! The fold: a run as the sum of its events.

use std::collections::BTreeMap;

use super::Cases;
use crate::event::{
    CaseFinished, Event, Isolation, JobFinished, JobQueued, JobStarted, Record, RunFinished,
    RunResumed, RunStarted, Since,
};
use crate::model::JobId;
use crate::model::{CaseStatus, ExitCode, JobOutcome, Tally, exit_code};

/// A case with its end.
pub type CaseResult = CaseFinished;

/// Everything known about one job of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct JobResult {
    /// How the plan described it.
    pub queued: JobQueued,
    /// When its first attempt started, once it has.
    pub started: Option<jiff::Timestamp>,
    /// Latest attempt seen.
    pub attempt: u32,
    /// What is enforced for it, where its start said so.
    pub isolation: Option<Isolation>,
    /// Which of the jobs side by side it is, from 0.
    pub worker: usize,
    /// Attempts that another one followed, each with its own end.
    pub attempts: Vec<JobFinished>,
    /// The log of each attempt, relative to the report directory.
    pub logs: BTreeMap<u32, String>,
    /// Its cases.
    pub cases: Cases,
    /// Cases of the latest attempt that began and have not ended yet, as `(package, name)`, oldest first.
    pub open: Vec<(String, String)>,
    /// How many cases of which status so far.
    pub tally: Tally,
    /// Its end, once it is over.
    pub finished: Option<JobFinished>,
}

impl JobResult {
    fn new(queued: JobQueued) -> Self {
        Self {
            queued,
            started: None,
            attempt: 0,
            isolation: None,
            worker: 0,
            attempts: Vec::new(),
            logs: BTreeMap::new(),
            cases: Cases::default(),
            open: Vec::new(),
            tally: Tally::default(),
            finished: None,
        }
    }

    /// Takes the start of an attempt. The first one forgets all that was known.
    fn start(&mut self, started: &JobStarted, time: jiff::Timestamp) {
        if started.attempt <= 1 {
            *self = Self::new(self.queued.clone());
            self.started = Some(time);
        }
        self.open.clear();
        self.attempt = started.attempt;
        self.isolation = started.isolation.clone();
        self.worker = started.worker;
        self.logs.insert(started.attempt, started.log.clone());
        let narrowed = started.only.is_some();
        self.cases.begin(started.attempt, narrowed);
    }

    /// The outcome; none while it is queued or running.
    pub fn outcome(&self) -> Option<JobOutcome> {
        self.finished.as_ref().map(|finished| finished.outcome)
    }

    /// Whether it runs right now.
    pub fn is_running(&self) -> bool {
        self.started.is_some() && self.finished.is_none()
    }
}

/// A run, as far as its events have come.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// The run's own description.
    pub started: Option<RunStarted>,
    /// When the first record was sent.
    pub start_time: Option<jiff::Timestamp>,
    /// Jobs in the order of the plan.
    pub order: Vec<JobId>,
    /// Each job's result.
    pub jobs: BTreeMap<JobId, JobResult>,
    /// The end, once it has come.
    pub finished: Option<RunFinished>,
}

impl Run {
    /// Takes the next record. Events of jobs that were never queued are ignored: a journal cut at its head has no plan.
    pub fn apply(&mut self, record: &Record) {
        self.start_time.get_or_insert(record.time);
        match &record.event {
            Event::RunStarted(started) => self.started = Some(started.clone()),
            Event::RunResumed(resumed) => self.resume(resumed),
            Event::JobQueued(queued) => self.queue(queued),
            Event::JobStarted(started) => {
                if let Some(job) = self.jobs.get_mut(&started.job) {
                    job.start(started, record.time);
                }
            }
            Event::CaseStarted(case) => {
                if let Some(job) = self.jobs.get_mut(&case.job) {
                    job.open.push((case.package.clone(), case.name.clone()));
                }
            }
            Event::CaseFinished(case) => self.finish_case(case),
            Event::AttemptFinished(finished) => {
                if let Some(job) = self.jobs.get_mut(&finished.job) {
                    job.open.clear();
                    job.attempts.push(finished.clone());
                }
            }
            Event::JobFinished(finished) => {
                if let Some(job) = self.jobs.get_mut(&finished.job) {
                    job.open.clear();
                    job.finished = Some(finished.clone());
                }
            }
            Event::RunFinished(finished) => self.finished = Some(finished.clone()),
            Event::RunStopping(_) => {}
        }
    }

    /// A job that is queued again was not over when the run was killed: it starts anew.
    fn queue(&mut self, queued: &JobQueued) {
        let job = queued.job.clone();
        let known = self
            .jobs
            .insert(job.clone(), JobResult::new(queued.clone()));
        if known.is_none() {
            self.order.push(job);
        }
    }

    fn resume(&mut self, resumed: &RunResumed) {
        self.finished = None;
        if let Some(started) = &mut self.started {
            started.parallel = resumed.parallel;
        }
    }

    fn finish_case(&mut self, case: &CaseFinished) {
        if let Some(job) = self.jobs.get_mut(&case.job) {
            job.open
                .retain(|(package, name)| *package != case.package || *name != case.name);
            job.cases.add(case);
            job.tally = job.cases.tally();
        }
    }

    /// Jobs in the order of the plan.
    pub fn jobs(&self) -> impl Iterator<Item = &JobResult> {
        self.order.iter().filter_map(|id| self.jobs.get(id))
    }

    /// Cases of all jobs.
    pub fn tally(&self) -> Tally {
        self.jobs().fold(Tally::default(), |mut sum, job| {
            sum.merge(&job.tally);
            sum
        })
    }

    /// How many jobs have each outcome; those that are not over are left out.
    pub fn outcomes(&self) -> BTreeMap<JobOutcome, usize> {
        self.jobs()
            .filter_map(JobResult::outcome)
            .fold(BTreeMap::new(), |mut counts, outcome| {
                *counts.entry(outcome).or_default() += 1;
                counts
            })
    }

    /// The exit code the jobs so far add up to. A job whose end was never seen counts as an error: it is not forgotten.
    /// A run without a job because no change affects any is a success.
    pub fn exit_code(&self, signal: Option<i32>) -> ExitCode {
        if signal.is_none() && self.jobs.is_empty() && self.is_unaffected() {
            return ExitCode::Success;
        }
        exit_code(
            self.jobs().map(|job| match &job.finished {
                Some(finished) => (finished.outcome, finished.allowed.is_some()),
                None => (JobOutcome::Error, false),
            }),
            signal,
        )
    }

    fn is_unaffected(&self) -> bool {
        let since = self.started.as_ref().and_then(|run| run.since.as_ref());
        since.is_some_and(Since::is_empty)
    }

    /// Cases that speak against a job, with the job, in the order of the plan.
    pub fn bad_cases(&self) -> impl Iterator<Item = (&JobResult, &CaseResult)> {
        self.jobs().flat_map(|job| {
            job.cases
                .iter()
                .filter(|case| case.status.is_bad())
                .map(move |case| (job, case))
        })
    }

    /// How many cases of a status there are.
    pub fn count(&self, status: CaseStatus) -> usize {
        self.jobs()
            .flat_map(|job| &job.cases)
            .filter(|case| case.status == status)
            .count()
    }
}
