//! Folds the events of a run into its result.

use std::collections::BTreeMap;

use super::attempts::Cases;
use crate::event::{
    CaseFinished, Event, Isolation, JobFinished, JobQueued, JobStarted, Record, RunFinished,
    RunResumed, RunStarted, Since,
};
use crate::model::JobId;
use crate::model::{CaseStatus, Counted, ExitCode, JobOutcome, Tally, exit_code};

/// The state of one job of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct JobResult {
    /// The job as the plan described it.
    pub queued: JobQueued,
    /// The time at which its first attempt started.
    pub started: Option<jiff::Timestamp>,
    /// Latest attempt seen.
    pub attempt: u32,
    /// The isolation that its start reported.
    pub isolation: Option<Isolation>,
    /// The number of its slot, from 0.
    pub slot: usize,
    /// The attempts before the last one, each with its own end.
    pub attempts: Vec<JobFinished>,
    /// The log of each attempt, relative to the report directory.
    pub logs: BTreeMap<u32, String>,
    /// Its cases.
    pub cases: Cases,
    /// Cases of the latest attempt that began and have not ended, as `(package, name)`, oldest
    /// first.
    pub open: Vec<(String, String)>,
    /// The number of cases by status so far.
    pub tally: Tally,
    /// Its end, once the job is over.
    pub finished: Option<JobFinished>,
}

impl JobResult {
    fn new(queued: JobQueued) -> Self {
        Self {
            queued,
            started: None,
            attempt: 0,
            isolation: None,
            slot: 0,
            attempts: Vec::new(),
            logs: BTreeMap::new(),
            cases: Cases::default(),
            open: Vec::new(),
            tally: Tally::default(),
            finished: None,
        }
    }

    /// Applies the start of an attempt. The first attempt forgets all earlier state.
    fn start(&mut self, started: &JobStarted, time: jiff::Timestamp) {
        if started.attempt <= 1 {
            *self = Self::new(self.queued.clone());
            self.started = Some(time);
        }
        self.open.clear();
        self.attempt = started.attempt;
        self.isolation = started.isolation.clone();
        self.slot = started.slot;
        self.logs.insert(started.attempt, started.log.clone());
        let narrowed = started.only.is_some();
        self.cases.begin(started.attempt, narrowed);
    }

    /// Returns the outcome; `None` while the job is queued or running.
    pub fn outcome(&self) -> Option<JobOutcome> {
        self.finished.as_ref().map(|finished| finished.outcome)
    }

    /// Returns true while the job runs.
    pub fn is_running(&self) -> bool {
        self.started.is_some() && self.finished.is_none()
    }
}

/// The state of a run after the events that have come so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Run {
    /// The run's own description.
    pub started: Option<RunStarted>,
    /// The time of the first record.
    pub start_time: Option<jiff::Timestamp>,
    /// The jobs in the order of the plan.
    pub order: Vec<JobId>,
    /// The result of each job.
    pub jobs: BTreeMap<JobId, JobResult>,
    /// The end of the run, once it has come.
    pub finished: Option<RunFinished>,
}

impl Run {
    /// Applies the next record. Events of jobs that were never queued are ignored, because a
    /// journal cut at its head has no plan.
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

    /// Adds a job. A job that is queued again was not over when the run was killed and starts anew.
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

    /// Iterates over the jobs in the order of the plan.
    pub fn jobs(&self) -> impl Iterator<Item = &JobResult> {
        self.order.iter().filter_map(|id| self.jobs.get(id))
    }

    /// Returns the number of cases of all jobs by status.
    pub fn tally(&self) -> Tally {
        self.jobs().fold(Tally::default(), |mut sum, job| {
            sum.merge(&job.tally);
            sum
        })
    }

    /// Returns the number of jobs by outcome. Jobs that are not over are left out.
    pub fn outcomes(&self) -> BTreeMap<JobOutcome, usize> {
        self.jobs()
            .filter_map(JobResult::outcome)
            .fold(BTreeMap::new(), |mut counts, outcome| {
                *counts.entry(outcome).or_default() += 1;
                counts
            })
    }

    /// Computes the exit code of the jobs so far. A job whose end was never seen counts as an
    /// error. A run without jobs is a success if no change affects any component.
    pub fn exit_code(&self, signal: Option<i32>) -> ExitCode {
        if signal.is_none() && self.jobs.is_empty() && self.is_unaffected() {
            return ExitCode::Success;
        }
        // A step that only prepares shows none of the cases that were asked for.
        let is_asked = (self.started.as_ref()).is_some_and(|started| started.case.is_some());
        let prepares =
            |job: &&JobResult| job.outcome() == Some(JobOutcome::Passed) && job.tally.tested() == 0;
        let jobs = self.jobs().filter(|job| !(is_asked && prepares(job)));
        exit_code(
            jobs.map(|job| match &job.finished {
                Some(finished) => Counted {
                    outcome: finished.outcome,
                    allowed: finished.allowed.is_some(),
                    lasts: finished.lasts,
                },
                None => JobOutcome::Error.into(),
            }),
            signal,
        )
    }

    fn is_unaffected(&self) -> bool {
        let since = self.started.as_ref().and_then(|run| run.since.as_ref());
        since.is_some_and(Since::is_empty)
    }

    /// Returns the number of cases with this status.
    pub fn count(&self, status: CaseStatus) -> usize {
        self.jobs()
            .flat_map(|job| &job.cases)
            .filter(|case| case.status == status)
            .count()
    }
}
