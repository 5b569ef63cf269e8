//! Decides which job may start now: the pure half of the scheduler.
//!
//! Of the jobs that may start, it takes the one on which most time depends, by the estimates of
//! earlier runs. Without any estimate it takes the first of the plan.
//!
//! Invariants, held by properties in the tests: a job starts at most once. It starts never before
//! all its `needs` have passed and all its `after` are over, never beside a job that holds one of
//! its locks, and never beside `parallel` others. As long as a job is left and none runs,
//! [`Schedule::advance`] starts or drops one, so a run always ends.

use std::collections::{BTreeMap, BTreeSet};

use super::{Job, Plan};
use crate::model::JobId;
use crate::model::JobOutcome;
use crate::outcome::lost_need;

/// The next action of the scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Start the job with this index in the plan.
    Start(usize),
    /// Drop the job with this index for this reason; it will never start.
    Drop(usize, String),
    /// Wait: a job runs; ask again when it is over.
    Wait,
    /// Everything is over.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JobState {
    Queued,
    Running,
    Over(JobOutcome),
}

/// The state of every job of a plan.
#[derive(Debug)]
pub struct Schedule<'plan> {
    jobs: &'plan [Job],
    states: Vec<JobState>,
    index: BTreeMap<&'plan JobId, usize>,
    /// The seconds from the start of each job to the end of all jobs that wait for it, by the
    /// estimates.
    urgency: Vec<f64>,
    parallel: usize,
    stopped: Option<String>,
}

impl<'plan> Schedule<'plan> {
    /// Makes a schedule of the plan with nothing started. `parallel` of 0 counts as 1.
    pub fn new(plan: &'plan Plan, parallel: usize) -> Self {
        Self {
            jobs: &plan.jobs,
            states: vec![JobState::Queued; plan.jobs.len()],
            index: plan
                .jobs
                .iter()
                .enumerate()
                .map(|(index, job)| (&job.id, index))
                .collect(),
            urgency: urgency(&plan.jobs),
            parallel: parallel.max(1),
            stopped: None,
        }
    }

    /// Makes a schedule in which some jobs are over already.
    pub fn resumed(plan: &'plan Plan, parallel: usize, done: &BTreeMap<JobId, JobOutcome>) -> Self {
        let mut schedule = Self::new(plan, parallel);
        for (index, job) in plan.jobs.iter().enumerate() {
            if let Some(outcome) = done.get(&job.id) {
                schedule.states[index] = JobState::Over(*outcome);
            }
        }
        schedule
    }

    /// Returns the next action, and takes it as done: a started job runs, a dropped one is over.
    pub fn advance(&mut self) -> Next {
        if let Some((index, reason)) = self.doomed() {
            self.states[index] = JobState::Over(JobOutcome::NotRun);
            return Next::Drop(index, reason);
        }
        if let Some(index) = self.ready() {
            self.states[index] = JobState::Running;
            return Next::Start(index);
        }
        if self
            .states
            .iter()
            .all(|state| matches!(state, JobState::Over(_)))
        {
            return Next::Done;
        }
        Next::Wait
    }

    /// Ends a running job.
    pub fn finished(&mut self, index: usize, outcome: JobOutcome) {
        self.states[index] = JobState::Over(outcome);
    }

    /// Stops the schedule: nothing more is started, and the reason is given with every job that is
    /// dropped.
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.stopped.get_or_insert(reason.into());
    }

    /// Returns true if [`Schedule::stop`] was called.
    pub fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    fn queued(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.jobs.len()).filter(|index| self.states[*index] == JobState::Queued)
    }

    fn doomed(&self) -> Option<(usize, String)> {
        if let Some(reason) = &self.stopped {
            return self.queued().next().map(|index| (index, reason.clone()));
        }
        self.queued()
            .find_map(|index| Some((index, self.lost_need(&self.jobs[index])?)))
    }

    fn lost_need(&self, job: &Job) -> Option<String> {
        job.needs.iter().find_map(|need| match self.state(need)? {
            JobState::Queued | JobState::Running => None,
            JobState::Over(outcome) => lost_need(need, outcome),
        })
    }

    fn ready(&self) -> Option<usize> {
        let running = self.running();
        if running.len() >= self.parallel {
            return None;
        }
        let held: BTreeSet<_> = running
            .iter()
            .flat_map(|index| &self.jobs[*index].locks)
            .collect();
        let ready = self.queued().filter(|index| {
            let job = &self.jobs[*index];
            job.needs
                .iter()
                .chain(&job.after)
                .all(|id| self.is_over(id))
                && !job.locks.iter().any(|lock| held.contains(lock))
        });
        // `max_by` takes the last of equal items, but the first of the plan is wanted.
        let urgency = |index: &usize| self.urgency[*index];
        ready
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .max_by(|one, other| urgency(one).total_cmp(&urgency(other)))
    }

    fn running(&self) -> Vec<usize> {
        (0..self.jobs.len())
            .filter(|index| self.states[*index] == JobState::Running)
            .collect()
    }

    /// Returns true if the job is over. A job of another plan counts as over.
    fn is_over(&self, id: &JobId) -> bool {
        self.state(id)
            .is_none_or(|state| matches!(state, JobState::Over(_)))
    }

    fn state(&self, id: &JobId) -> Option<JobState> {
        self.index.get(id).map(|index| self.states[*index])
    }
}

/// Returns the time of each job together with the longest chain of jobs that wait for it. A job
/// without an estimate takes the average of the others. Without any estimate all are the same.
fn urgency(jobs: &[Job]) -> Vec<f64> {
    let known: Vec<_> = jobs.iter().filter_map(|job| job.estimate).collect();
    let average = known.iter().sum::<f64>() / known.len().max(1) as f64;
    let own: Vec<_> = (jobs.iter())
        .map(|job| job.estimate.unwrap_or(average))
        .collect();
    let index: BTreeMap<_, _> = jobs
        .iter()
        .zip(0..)
        .map(|(job, index)| (&job.id, index))
        .collect();
    let mut urgency = own.clone();
    // A chain is no longer than the plan, so as many rounds reach its end.
    for _ in jobs {
        let before = urgency.clone();
        for (waiting, job) in jobs.iter().enumerate() {
            for first in job
                .needs
                .iter()
                .chain(&job.after)
                .filter_map(|id| index.get(id))
            {
                let first: usize = *first;
                urgency[first] = urgency[first].max(own[first] + before[waiting]);
            }
        }
        if urgency == before {
            break;
        }
    }
    urgency
}

#[cfg(test)]
mod tests;
