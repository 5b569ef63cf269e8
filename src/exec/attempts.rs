//! Runs the attempts of a job: failed tests are run again, as often as the pipeline says.

use std::path::Path;

use crossbeam_channel::Sender;

use super::isolation::JobIsolation;
use super::leftover_files::{JobSnapshot, RepositorySnapshots};
use super::stop::Stops;
use super::supervisor::{AttemptResult, Supervisor};
use crate::event::{Event, JobFinished, LeftBehind};
use crate::fs::Directory;
use crate::model::JobOutcome;
use crate::outcome::{
    Cases, INCOMPLETE, Verdict, allowance, answers_for_leftovers, incomplete, is_incomplete,
    is_worth_another_try, judge_attempts, judge_leftovers,
};
use crate::plan::{Job, rerun};

/// The surroundings of one job.
#[derive(Debug)]
pub(super) struct Attempts<'run> {
    pub job: &'run Job,
    /// See [`crate::event::JobStarted::slot`].
    pub slot: usize,
    /// See [`super::RunOptions::logs`].
    pub logs: &'run Directory,
    /// See [`super::RunOptions::program`].
    pub program: &'run Path,
    /// See [`Supervisor::settled`].
    pub settled: Option<&'run JobIsolation>,
    pub events: &'run Sender<Event>,
    pub snapshots: &'run RepositorySnapshots,
    pub stops: Stops,
}

impl Attempts<'_> {
    /// Runs the job until it passes or its attempts are used up. Sends all events from its first
    /// `job-started` to its `job-finished`, and returns the outcome.
    pub fn run(mut self) -> JobOutcome {
        let before_job = self.snapshots.enter(self.job);
        let mut cases = Cases::default();
        let mut before: Vec<JobFinished> = Vec::new();
        let mut reach = self.job.reach.clone();
        let mut next = self.job.clone();
        loop {
            let attempt = before.len() as u32 + 1;
            let mut ended = self.attempt(attempt, &next, &mut cases);
            // Who asked for some cases knows that others are left out.
            let is_rerun = next.only.is_some() && self.job.asked.is_none();
            let left_tests_out = is_rerun && ended.reach.exceeds(&reach);
            let is_incomplete = is_incomplete(ended.outcome, left_tests_out);
            if !is_rerun {
                reach.extend(&ended.reach);
            }
            let finished = JobFinished {
                reach: reach.clone(),
                ..self.sum(&ended, &before, &cases)
            };
            // The tests that were left out run for the first time. That is no retry.
            let has_more = is_incomplete && self.job.only.is_none();
            if !has_more && self.is_last(attempt, finished.outcome) {
                return self.end(
                    match is_incomplete {
                        true => with_verdict(finished, incomplete()),
                        false => finished,
                    },
                    before_job,
                );
            }
            next = match has_more {
                true => self.job.clone(),
                false => rerun(self.job, &cases),
            };
            if is_incomplete {
                ended.reason = INCOMPLETE.to_owned();
            }
            self.send(Event::AttemptFinished(ended.clone()));
            before.push(ended);
        }
    }

    fn is_last(&self, attempt: u32, outcome: JobOutcome) -> bool {
        attempt > self.job.retries || !is_worth_another_try(outcome)
    }

    fn end(&self, finished: JobFinished, before_job: JobSnapshot<'_>) -> JobOutcome {
        let finished = self.with_files(finished, before_job);
        let outcome = finished.outcome;
        self.send(Event::JobFinished(finished));
        outcome
    }

    /// Sends an event. The scheduler and the watch notice a consumer that is gone.
    fn send(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn attempt(&mut self, attempt: u32, next: &Job, cases: &mut Cases) -> JobFinished {
        let supervisor = Supervisor {
            job: next,
            attempt,
            slot: self.slot,
            logs: self.logs,
            program: self.program,
            settled: self.settled,
            events: self.events,
            stops: &mut self.stops,
        };
        let AttemptResult {
            finished,
            cases: ended,
        } = supervisor.run();
        cases.begin(attempt, next.only.is_some());
        ended.iter().for_each(|case| cases.add(case));
        finished
    }

    /// Returns the end of the job if this attempt is its last.
    fn sum(&self, last: &JobFinished, before: &[JobFinished], cases: &Cases) -> JobFinished {
        if before.is_empty() {
            return last.clone();
        }
        let attempt = before.len() as u32 + 1;
        let tally = cases.tally();
        let verdict = judge_attempts(attempt, verdict_of(last), &tally, self.job.flaky_fails);
        let all = || before.iter().chain([last]);
        let sum = JobFinished {
            attempt,
            allowed: allowance(verdict.outcome, last.allowed.as_deref()),
            seconds: all().map(|one| one.seconds).sum(),
            cpu_seconds: all()
                .filter_map(|one| one.cpu_seconds)
                .reduce(|sum, one| sum + one),
            peak_memory: all().filter_map(|one| one.peak_memory).max(),
            cases: tally,
            left_behind: all().fold(LeftBehind::default(), |mut left, one| {
                left.merge(&one.left_behind);
                left
            }),
            ..last.clone()
        };
        with_verdict(sum, verdict)
    }

    /// Adds the files that the job left behind, and the verdict on them.
    fn with_files(&self, mut finished: JobFinished, before_job: JobSnapshot<'_>) -> JobFinished {
        if finished.attempt == 0 || !answers_for_leftovers(finished.outcome) {
            return finished;
        }
        match before_job.leave() {
            Ok(files) => {
                let others = std::mem::replace(&mut finished.left_behind, files);
                finished.left_behind.merge(&others);
            }
            Err(why) => finished.left_behind.unknown.push(format!("files: {why}")),
        }
        if self.job.left_behind_fails {
            let verdict = judge_leftovers(verdict_of(&finished), &finished.left_behind);
            return with_verdict(finished, verdict);
        }
        finished
    }
}

fn verdict_of(finished: &JobFinished) -> Verdict {
    Verdict {
        outcome: finished.outcome,
        reason: finished.reason.clone(),
        fix: finished.fix.clone(),
        lasts: finished.lasts,
    }
}

fn with_verdict(finished: JobFinished, verdict: Verdict) -> JobFinished {
    JobFinished {
        outcome: verdict.outcome,
        reason: verdict.reason,
        fix: verdict.fix,
        lasts: verdict.lasts,
        ..finished
    }
}
