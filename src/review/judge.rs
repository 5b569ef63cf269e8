//! The judge of a patch set: from the jobs, the jobs at the base, and the classes of the cases to
//! a verdict. It is pure.
//!
//! Invariants: `Passed` needs every job to have passed. `Failed` needs a failure that is proven not
//! to be one of the base, unless no comparison was wanted.

use std::collections::BTreeMap;

use super::Verdict;
use crate::model::{JobId, JobOutcome};
use crate::outcome::{JobResult, Run};
use crate::report::compare::Classes;

/// The base that a patch set is compared with.
#[derive(Debug)]
pub(super) enum Base<'a> {
    /// Not wanted.
    Unwanted,
    /// The run of the same jobs there.
    Ran(&'a Run),
    /// There is none, for this reason.
    Missing(String),
}

/// A verdict and its reason in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub verdict: Verdict,
    pub reason: String,
}

/// The bad jobs by their relation to the base.
#[derive(Default)]
struct BadJobs<'a> {
    new: Vec<&'a JobId>,
    known: Vec<&'a JobId>,
    uncertain: Vec<&'a JobId>,
}

/// Judges a run.
pub(super) fn judge(run: &Run, base: &Base<'_>, classes: &Classes, is_partial: bool) -> Judgement {
    let by_outcome = |wanted: &[JobOutcome]| {
        let of = |job: &&JobResult| {
            job.outcome()
                .is_some_and(|outcome| wanted.contains(&outcome))
        };
        run.jobs().filter(of).collect::<Vec<_>>()
    };
    let signal = run.finished.as_ref().and_then(|finished| finished.signal);
    if signal.is_some() || !by_outcome(&[JobOutcome::Cancelled]).is_empty() {
        return judgement(Verdict::Cancelled, "the run was cancelled");
    }
    let bad = bad_jobs(run, base, classes);
    if !bad.new.is_empty() {
        let counted = new_failures(classes, &bad.new);
        return judgement(Verdict::Failed, counted);
    }
    if let Some(unclear) = unclear(run) {
        return unclear;
    }
    if !bad.uncertain.is_empty() {
        let why = match base {
            Base::Missing(why) => why.clone(),
            _ => "the base ends before the same tests".to_owned(),
        };
        let text = format!(
            "{} fails, and cannot be compared: {why}",
            names(&bad.uncertain)
        );
        return judgement(Verdict::Unavailable, text);
    }
    if !bad.known.is_empty() {
        let text = format!("what fails in {} fails at the base too", names(&bad.known));
        return judgement(Verdict::KnownFailures, text);
    }
    match by_outcome(&[JobOutcome::Passed]).len() {
        0 => judgement(Verdict::Nothing, "no job of this change tests anything"),
        _ if is_partial => judgement(Verdict::Partial, "the jobs that were asked for passed"),
        _ => judgement(Verdict::Passed, "every job passed"),
    }
}

fn judgement(verdict: Verdict, reason: impl Into<String>) -> Judgement {
    Judgement {
        verdict,
        reason: reason.into(),
    }
}

/// Returns the verdict on a run in which something was not found out.
fn unclear(run: &Run) -> Option<Judgement> {
    let mut lasting = Vec::new();
    let mut passing = Vec::new();
    for job in run.jobs() {
        let lasts = job.finished.as_ref().is_some_and(|finished| finished.lasts);
        match job.outcome() {
            Some(JobOutcome::Skipped) => lasting.push(job),
            Some(JobOutcome::Error) if lasts => lasting.push(job),
            None | Some(JobOutcome::Error | JobOutcome::NotRun) => passing.push(job),
            _ => {}
        }
    }
    let (verdict, job) = match (lasting.first(), passing.first()) {
        (Some(job), _) => (Verdict::Unavailable, *job),
        (None, Some(job)) => (Verdict::Error, *job),
        (None, None) => return None,
    };
    let reason = (job.finished.as_ref()).map_or("it has no end", |finished| &finished.reason);
    let reason = crate::text::one_line(reason, 300);
    Some(judgement(
        verdict,
        format!("{} could not be tested: {reason}", job.queued.job),
    ))
}

fn bad_jobs<'a>(run: &'a Run, base: &Base<'_>, classes: &Classes) -> BadJobs<'a> {
    let mut bad = BadJobs::default();
    for job in run.jobs() {
        let finished = job.finished.as_ref();
        let is_allowed = finished.is_some_and(|finished| finished.allowed.is_some());
        let Some(outcome) = job.outcome() else {
            continue;
        };
        let id = &job.queued.job;
        let list = match outcome {
            JobOutcome::Vacuous if is_allowed => continue,
            JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Vacuous => match base {
                Base::Unwanted => &mut bad.new,
                Base::Missing(_) => &mut bad.uncertain,
                Base::Ran(base) => match against(id, outcome, base.jobs.get(id), classes) {
                    Relation::New => &mut bad.new,
                    Relation::Known => &mut bad.known,
                    Relation::Uncertain => &mut bad.uncertain,
                },
            },
            _ => continue,
        };
        list.push(id);
    }
    bad
}

enum Relation {
    New,
    Known,
    Uncertain,
}

/// Compares a bad job with the same one at the base.
fn against(
    id: &JobId,
    outcome: JobOutcome,
    base: Option<&JobResult>,
    classes: &Classes,
) -> Relation {
    let Some((base, before)) = base.and_then(|base| Some((base, base.outcome()?))) else {
        return Relation::Uncertain;
    };
    match (outcome, before) {
        (
            _,
            JobOutcome::Error | JobOutcome::Skipped | JobOutcome::Cancelled | JobOutcome::NotRun,
        ) => Relation::Uncertain,
        (JobOutcome::TimedOut | JobOutcome::Vacuous, before) => match outcome == before {
            true => Relation::Known,
            false => Relation::New,
        },
        (_, before) => {
            let suite = id.as_str();
            let mut new = classes
                .new_failures
                .iter()
                .filter(|case| case.suite == suite);
            let is_new = new.next().is_some();
            // A base that is broken before its first test says nothing about the tests.
            let says_nothing = before != JobOutcome::Passed && base.tally.tested() == 0;
            let is_case = || {
                let mut all = classes.new_failures.iter();
                all.any(|case| case.suite == suite && !case.is_job && case.findings.is_empty())
            };
            match is_new {
                false => Relation::Known,
                true if says_nothing && is_case() => Relation::Uncertain,
                true => Relation::New,
            }
        }
    }
}

fn new_failures(classes: &Classes, jobs: &[&JobId]) -> String {
    let mut by_job: BTreeMap<&str, usize> = BTreeMap::new();
    for case in classes.new_failures.iter().filter(|case| !case.is_job) {
        *by_job.entry(&case.suite).or_default() += 1;
    }
    let of = |job: &&JobId| match by_job.get(job.as_str()) {
        Some(1) => format!("1 case of {job} fails newly"),
        Some(count) => format!("{count} cases of {job} fail newly"),
        None => format!("{job} fails newly"),
    };
    jobs.iter().map(of).collect::<Vec<_>>().join(", ")
}

fn names(jobs: &[&JobId]) -> String {
    let names: Vec<_> = jobs.iter().map(|job| job.as_str()).collect();
    names.join(", ")
}
