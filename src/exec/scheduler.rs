//! Starts the jobs of a plan in their order, and ends them all when told to.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, Scope};

use crossbeam_channel::{Receiver, Sender, never, select, unbounded};
use nix::sys::signal::Signal;

use super::attempts::Attempts;
use super::failure::Failure;
use super::leftover_files::RepositorySnapshots;
use super::stop;
use super::stop::{Stop, StopSender};
use super::supervisor::never_started;
use super::{Control, RunOptions};
use crate::event::{Event, JobFinished, JobQueued, RunStopping};
use crate::model::JobOutcome;
use crate::outcome::{dropped, fails_run, unready};
use crate::plan::{Job, Next, Plan, Schedule};

/// The outcome of a job, with the job's index in the plan.
type JobEnd = (usize, JobOutcome);

/// The scheduler of one run.
#[derive(Debug)]
pub(super) struct Scheduler<'run> {
    plan: &'run Plan,
    options: &'run RunOptions,
    events: &'run Sender<Event>,
    snapshots: &'run RepositorySnapshots,
    schedule: Schedule<'run>,
    running: BTreeMap<usize, Running>,
    /// The number of jobs so far that fail the run.
    bad: usize,
    /// The first signal that cancelled or killed the run.
    signal: Option<i32>,
}

/// A running job.
#[derive(Debug)]
struct Running {
    slot: usize,
    stopper: StopSender,
}

impl<'run> Scheduler<'run> {
    pub fn new(
        plan: &'run Plan,
        options: &'run RunOptions,
        events: &'run Sender<Event>,
        snapshots: &'run RepositorySnapshots,
    ) -> Self {
        Self {
            plan,
            options,
            events,
            snapshots,
            schedule: Schedule::resumed(plan, options.parallel, &options.done),
            running: BTreeMap::new(),
            bad: 0,
            signal: None,
        }
    }

    /// Runs all jobs, and returns the signal that cancelled the run when every job is over.
    pub fn run(mut self, control: &Receiver<Control>) -> Option<i32> {
        let is_done = |job: &Job| self.options.done.contains_key(&job.id);
        for job in self.plan.jobs.iter().filter(|job| !is_done(job)) {
            self.send(Event::JobQueued(queued(job)));
        }
        self.count_done();
        let mut control = control.clone();
        let (ends, ended) = unbounded();
        thread::scope(|scope| {
            while self.advance(scope, &ends) {
                select! {
                    recv(ended) -> job => {
                        if let Ok((index, outcome)) = job {
                            self.running.remove(&index);
                            self.finished(index, outcome);
                        }
                    }
                    recv(control) -> word => match word {
                        Ok(word) => self.obey(word),
                        Err(_) => control = never(),
                    }
                }
            }
        });
        self.signal
    }

    /// Sends an event. A consumer that is gone stops the schedule; running jobs notice by
    /// themselves.
    fn send(&mut self, event: Event) {
        if self.events.send(event).is_err() {
            self.schedule.stop("nobody listens to the run any more");
        }
    }

    /// Starts and drops all jobs that can be. Returns true if a running job is left to wait for.
    fn advance<'scope>(&mut self, scope: &'scope Scope<'scope, '_>, ends: &Sender<JobEnd>) -> bool
    where
        'run: 'scope,
    {
        loop {
            match self.schedule.advance() {
                Next::Start(index) => self.start(index, scope, ends),
                Next::Drop(index, reason) => {
                    self.send_finished(never_started(&self.plan.jobs[index], dropped(reason)));
                }
                Next::Wait => return true,
                Next::Done => return false,
            }
        }
    }

    fn start<'scope>(
        &mut self,
        index: usize,
        scope: &'scope Scope<'scope, '_>,
        ends: &Sender<JobEnd>,
    ) where
        'run: 'scope,
    {
        let job = &self.plan.jobs[index];
        let started = match unready(&job.readiness, self.options.require_all) {
            Some(verdict) => Err(verdict),
            None => self.spawn(index, scope, ends).map_err(Failure::verdict),
        };
        match started {
            Ok(running) => {
                self.running.insert(index, running);
            }
            Err(verdict) => {
                let outcome = verdict.outcome;
                self.send_finished(never_started(job, verdict));
                self.finished(index, outcome);
            }
        }
    }

    fn send_finished(&mut self, finished: JobFinished) {
        self.send(Event::JobFinished(finished));
    }

    fn spawn<'scope>(
        &self,
        index: usize,
        scope: &'scope Scope<'scope, '_>,
        ends: &Sender<JobEnd>,
    ) -> Result<Running, Failure>
    where
        'run: 'scope,
    {
        let job = &self.plan.jobs[index];
        let (stopper, stops) =
            stop::pair().map_err(|error| Failure::of_system("watching the job", &error))?;
        let slot = self.free_slot();
        let attempts = Attempts {
            job,
            slot,
            logs: &self.options.logs,
            program: &self.options.program,
            settled: self.options.isolated.of(&job.id),
            events: self.events,
            snapshots: self.snapshots,
            stops,
        };
        let (events, ends) = (self.events, ends.clone());
        thread::Builder::new()
            .name(job.id.to_string())
            .spawn_scoped(scope, move || {
                let outcome = supervise(attempts, job, events);
                // The scheduler waits for this thread, so the receiver exists.
                let _ = ends.send((index, outcome));
            })
            .map_err(|error| Failure::of_system("starting a thread for the job", &error))?;
        Ok(Running { slot, stopper })
    }

    fn free_slot(&self) -> usize {
        let taken = |slot| (self.running.values()).any(|running| running.slot == slot);
        (0..).find(|slot| !taken(*slot)).unwrap_or_default()
    }

    /// Counts the jobs that were over before the run was resumed.
    fn count_done(&mut self) {
        let plan = self.plan;
        for job in &plan.jobs {
            if let Some(outcome) = self.options.done.get(&job.id) {
                self.count(job, *outcome);
            }
        }
    }

    fn finished(&mut self, index: usize, outcome: JobOutcome) {
        self.schedule.finished(index, outcome);
        let plan = self.plan;
        self.count(&plan.jobs[index], outcome);
    }

    fn count(&mut self, job: &Job, outcome: JobOutcome) {
        if !fails_run(outcome, job.allow_vacuous.is_some()) {
            return;
        }
        self.bad += 1;
        if self.options.max_fail.is_some_and(|limit| self.bad >= limit)
            && !self.schedule.is_stopped()
        {
            let limit = match self.options.max_fail {
                Some(limit) if limit > 1 => format!("--max-fail {limit}"),
                _ => "--fail-fast".to_owned(),
            };
            let reason = format!("stopped by {limit}: {} {}", job.id, outcome.sentence());
            self.end_all(&Stop::Term(reason));
        }
    }

    fn obey(&mut self, word: Control) {
        let (Control::Cancel(signal) | Control::Kill(signal)) = word;
        self.signal.get_or_insert(signal);
        let stop = match word {
            Control::Cancel(signal) => Stop::Term(format!("cancelled by {}", name(signal))),
            Control::Kill(signal) => Stop::Kill(format!("killed by {}", name(signal))),
        };
        self.end_all(&stop);
    }

    fn end_all(&mut self, stop: &Stop) {
        let (Stop::Term(reason) | Stop::Kill(reason)) = stop;
        self.schedule.stop(reason.as_str());
        for running in self.running.values_mut() {
            running.stopper.stop(stop.clone());
        }
        if let Stop::Term(reason) = stop
            && !self.running.is_empty()
        {
            self.send(Event::RunStopping(RunStopping {
                reason: reason.clone(),
                signal: self.signal,
                running: self.running.len(),
            }));
        }
    }
}

/// Runs the job. A panic of kata-ci in one job is that job's error and does not end the run.
fn supervise(attempts: Attempts<'_>, job: &Job, events: &Sender<Event>) -> JobOutcome {
    catch_unwind(AssertUnwindSafe(|| attempts.run())).unwrap_or_else(|_| {
        let failure = Failure::infrastructure("kata-ci itself failed while it watched the job")
            .fix("please report this, with the lines kata-ci printed on standard error");
        let finished = JobFinished {
            attempt: 1,
            ..never_started(job, failure.verdict())
        };
        let outcome = finished.outcome;
        let _ = events.send(Event::JobFinished(finished));
        outcome
    })
}

fn queued(job: &Job) -> JobQueued {
    JobQueued {
        job: job.id.clone(),
        command: job.command.to_string(),
        directory: job.directory.to_string_lossy().into_owned(),
        estimate: job.estimate,
        timeout: Some(job.timeout.as_secs_f64()),
    }
}

fn name(signal: i32) -> String {
    Signal::try_from(signal)
        .map_or_else(|_| format!("signal {signal}"), |signal| signal.to_string())
}
