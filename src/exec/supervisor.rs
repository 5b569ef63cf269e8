//! Supervises one attempt at a job, from its program's path to the facts about its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::check_findings::CheckLog;
use super::child::Child;
use super::failure::Failure;
use super::held_back;
use super::isolation::JobIsolation;
use super::job_watch::{JobWatch, TimeLimits, Watched};
use super::junit::JunitFiles;
use super::limits::{Group, Used};
use super::log;
use super::log::{Log, Written};
use super::network_attempts;
use super::network_attempts::Isolated;
use super::output::{Finished, Output};
use super::protocol::{JobEnded, Spec};
use super::stop::Stops;
use super::{limits, make_query, program};
use crate::config::without_credentials;
use crate::event::{CaseFinished, Event, JobFinished, JobStarted, LeftBehind, PeakOf};
use crate::fs::Directory;
use crate::model::Reach;
use crate::model::{CheckFindings, Ending, Tally};
use crate::outcome::{JobFacts, Verdict, allowance, verdict};
use crate::parse::Observations;
use crate::plan::Job;

/// The bytes of a job's output, from its end, that are searched for refusals.
const OF_ITS_OUTPUT: u64 = 1 << 20;

/// The surroundings of one attempt at a job.
#[derive(Debug)]
pub(super) struct Supervisor<'run> {
    pub job: &'run Job,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// See [`JobStarted::slot`].
    pub slot: usize,
    /// See [`super::RunOptions::logs`].
    pub logs: &'run Directory,
    /// See [`super::RunOptions::program`].
    pub program: &'run Path,
    /// The isolation of the job; `None` in tests that settled none.
    pub settled: Option<&'run JobIsolation>,
    pub events: &'run Sender<Event>,
    pub stops: &'run mut Stops,
}

/// The result of an attempt.
#[derive(Debug)]
pub(super) struct AttemptResult {
    pub finished: JobFinished,
    /// The cases, if the job may be tried again; otherwise empty, so that memory does not grow.
    pub cases: Vec<CaseFinished>,
}

/// The facts about an attempt before they are judged.
struct Attempt {
    seconds: Duration,
    watched: Watched,
    output: Finished,
    used: Used,
}

impl Supervisor<'_> {
    /// Runs the job once. Sends all events from `job-started` up to its end, which is not sent.
    pub fn run(mut self) -> AttemptResult {
        match self.prepare() {
            Ok((spec, log, written)) => {
                self.send(Event::JobStarted(self.started()));
                let mut attempt = self.attempt(&spec, log, &written);
                let cases = std::mem::take(&mut attempt.output.kept);
                let finished = self.conclude(&spec, attempt, &written);
                AttemptResult { finished, cases }
            }
            Err(failure) => AttemptResult {
                finished: never_started(self.job, failure.verdict()),
                cases: Vec::new(),
            },
        }
    }

    fn prepare(&self) -> Result<(Spec, Log, Arc<Written>), Failure> {
        let mut spec = program::resolve(self.job)?;
        if let Some(settled) = self.settled {
            spec.sandbox = settled.sandbox.clone();
            if !settled.sandbox.may_know_credentials() {
                withhold_credentials(&mut spec);
            }
        }
        let log = Log::create(self.logs, &log::name(&self.job.id, self.attempt))?;
        let written = log.written()?;
        Ok((spec, log, Arc::new(written)))
    }

    /// Sends an event. The scheduler and [`JobWatch`] notice a consumer that is gone.
    fn send(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn started(&self) -> JobStarted {
        JobStarted {
            job: self.job.id.clone(),
            attempt: self.attempt,
            only: self.job.only.clone(),
            log: self.log_name(),
            slot: self.slot,
            isolation: self.settled.map(|settled| settled.enforcement.clone()),
        }
    }

    fn attempt(&mut self, spec: &Spec, log: Log, written: &Arc<Written>) -> Attempt {
        let started = Instant::now();
        let isolated = self.isolated(written);
        let mut output = Output::new(
            self.job,
            self.attempt,
            log,
            CheckLog::new(written),
            isolated,
            self.events,
        );
        let limits = TimeLimits {
            timeout: self.job.timeout,
            grace: self.job.grace,
        };
        let group = self.group();
        let files = JunitFiles::before(self.job);
        let child = (group.as_ref().map_err(Clone::clone))
            .and_then(|group| Child::start(self.program, grouped(spec, group)));
        let watched = match child {
            Ok(child) => JobWatch::new(child, Some(&mut output), self.stops, limits).run(),
            Err(failure) => Watched {
                failure: Some(failure),
                ..Watched::default()
            },
        };
        if watched.is_cancelled() {
            output.cancelled();
        }
        let used = group.map(|group| group.used()).unwrap_or_default();
        let ending = watched.ended.as_ref().and_then(|ended| ended.ending);
        Attempt {
            seconds: started.elapsed(),
            output: output.finish(ending, files.as_ref()),
            watched,
            used,
        }
    }

    /// Returns the search for effects of isolation, if the job has a sandbox.
    fn isolated(&self, log: &Arc<Written>) -> Option<Isolated> {
        Isolated::new(log, &self.settled?.sandbox)
    }

    /// Makes the control group that holds the job's limits, if there are any.
    fn group(&self) -> Result<Group, Failure> {
        let held = self
            .settled
            .map_or(&[][..], |settled| &settled.limited.held);
        Group::create(held)
            .map_err(|error| Failure::of_system("cannot make the job's control group", &error))
    }

    fn conclude(&mut self, spec: &Spec, attempt: Attempt, log: &Arc<Written>) -> JobFinished {
        let Attempt {
            seconds,
            watched,
            mut output,
            used,
        } = attempt;
        let ended = watched.ended.unwrap_or_default();
        let failure = watched.failure.or(output.failure.take());
        let reach = Reach::from(std::mem::take(&mut output.observations.go_ends));
        let mut facts = self.facts(ended.ending, failure, output.cases, output.observations);
        facts.findings = std::mem::take(&mut output.findings);
        let asked = self.job.asked.as_ref().filter(|_| output.matched == 0);
        facts.unmatched = asked.map(ToString::to_string);
        facts.junit = output.junit;
        if facts.needs_make_query() {
            self.ask_make(spec, seconds, &mut facts);
        }
        let tried = self.find_causes(&used, log, &mut facts);
        let verdict = verdict(&facts);
        JobFinished {
            attempt: self.attempt,
            ending: ended.ending,
            seconds: seconds.as_secs_f64(),
            cases: output.cases,
            log: Some(self.log_name()),
            log_size: output.log_size,
            network_tried: tried,
            findings: match output.cases.bad() {
                0 => std::mem::take(&mut facts.findings),
                _ => CheckFindings::default(),
            },
            reach,
            ..resources(
                never_started(self.job, verdict),
                ended,
                &watched.survivors,
                used,
            )
        }
    }

    fn facts(
        &self,
        ending: Option<Ending>,
        failure: Option<Failure>,
        cases: Tally,
        observations: Observations,
    ) -> JobFacts {
        let (trouble, fix) =
            failure.map_or((None, None), |failure| (Some(failure.trouble), failure.fix));
        JobFacts {
            ending,
            trouble,
            fix,
            cases,
            missing_programs: observations.missing_programs,
            proven_failures: observations.proven_failures,
            allow_errors: self.job.allow_errors.clone(),
            ran_nothing: observations.ran_nothing,
            is_unclear: observations.is_unclear,
            vacuous_causes: observations.vacuous_causes,
            packages_alone: observations.packages_alone,
            lines: observations.lines,
            contradictions: observations.contradictions,
            ..JobFacts::new(self.job.expect)
        }
    }

    /// Asks make whether it had nothing to do, and adds the answer to the facts.
    fn ask_make(&mut self, spec: &Spec, used: Duration, facts: &mut JobFacts) {
        let Some(question) = make_query::question(self.job, spec) else {
            return;
        };
        let left = self.job.timeout.saturating_sub(used);
        match make_query::ask(self.program, question, left, self.stops) {
            Ok(ran_nothing) => facts.ran_nothing = ran_nothing,
            Err(unanswered) => {
                facts.trouble = Some(unanswered.trouble);
                facts.fix = unanswered.fix;
            }
        }
    }

    /// Adds to the facts the limits that the job met, its refused tries to use the network and the
    /// variables that it asks for and did not get.
    /// Returns the addresses that it tried to reach. The log is read only if the job ended badly.
    fn find_causes(&self, used: &Used, log: &Arc<Written>, facts: &mut JobFacts) -> Vec<String> {
        let limited = self.settled.map(|settled| &settled.limited);
        facts.limit_met = limited.and_then(|limited| used.met(limited));
        if !facts.needs_explanation() {
            return Vec::new();
        }
        if facts.cases.bad() == 0 {
            facts.findings = CheckLog::new(log).of_job();
        }
        let output = || log.tail(OF_ITS_OUTPUT).unwrap_or_default();
        facts.held_back = held_back::asked_for(&self.job.held_back, output);
        if facts.limit_met.is_none() {
            facts.limit_suspected =
                limited.and_then(|limited| limits::suspect(limited, facts.ending, output));
        }
        let isolated = self.isolated(log);
        let tried = (isolated.as_ref()).map_or_else(Vec::new, Isolated::tried);
        facts.network_refused = network_attempts::refused(&tried);
        if facts.cases.bad() == 0 && tried.is_empty() {
            facts.isolation_suspected =
                isolated.and_then(|_| network_attempts::suspected(&output()));
        }
        tried
    }

    /// Returns the path of the log relative to the report directory.
    fn log_name(&self) -> String {
        let name = log::name(&self.job.id, self.attempt);
        let path: PathBuf = (self.logs.path().file_name().map(Path::new))
            .unwrap_or_else(|| Path::new(""))
            .join(name);
        path.to_string_lossy().into_owned()
    }
}

/// Removes the passwords of proxies: a job without a network does not need them.
fn withhold_credentials(spec: &mut Spec) {
    for (name, value) in &mut spec.environment {
        if let Some(bare) = without_credentials(name, value) {
            *value = bare;
        }
    }
}

/// Returns the end of a job whose process never started. Other ends are built on it.
pub(super) fn never_started(job: &Job, verdict: Verdict) -> JobFinished {
    JobFinished {
        job: job.id.clone(),
        attempt: 0,
        outcome: verdict.outcome,
        reason: verdict.reason,
        fix: verdict.fix,
        allowed: allowance(verdict.outcome, job.allow_vacuous.as_deref()),
        lasts: verdict.lasts,
        ending: None,
        seconds: 0.0,
        cpu_seconds: None,
        peak_memory: None,
        peak_memory_of: PeakOf::default(),
        cases: Tally::default(),
        packages_known: job.packages.is_some(),
        left_behind: LeftBehind::default(),
        network_tried: Vec::new(),
        findings: CheckFindings::default(),
        reach: Reach::default(),
        log: None,
        log_size: 0,
    }
}

/// Marks the left processes that could not be ended. Only processes can still be there.
fn with_survivors(mut left: LeftBehind, survivors: &[String]) -> LeftBehind {
    left.processes
        .retain(|process| !survivors.contains(process));
    let alive = survivors.iter();
    left.processes
        .extend(alive.map(|process| format!("{process} (but it did not end)")));
    left
}

fn grouped(spec: &Spec, group: &Group) -> Spec {
    let mut spec = spec.clone();
    spec.sandbox.groups = group.entrances().into_iter().map(Into::into).collect();
    spec
}

fn resources(
    finished: JobFinished,
    ended: JobEnded,
    survivors: &[String],
    used: Used,
) -> JobFinished {
    let is_known = ended.ending.is_some();
    JobFinished {
        cpu_seconds: is_known.then_some(ended.cpu_seconds),
        peak_memory: used.peak_memory.or(is_known.then_some(ended.peak_memory)),
        peak_memory_of: match used.peak_memory {
            Some(_) => PeakOf::AllProcesses,
            None => PeakOf::LargestProcess,
        },
        left_behind: with_survivors(ended.left, survivors),
        ..finished
    }
}
