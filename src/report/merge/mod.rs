//! Merges several documents into one.
//!
//! The order of the documents makes no difference: suites are put into an order of their own.
//!
//! Two suites are executions of one job only if both name the same run (or plan) and job, and an
//! attempt. The latest attempt then counts, and the earlier ones become its `flakyFailure` and
//! `rerunFailure`. All other suites are kept side by side, however similar they look.

mod by_plan;

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

pub use by_plan::{MergeError, MergedPlan, merge_plan};

use super::model::{
    Attempt, AttemptKind, Case, CaseState, Details, Document, Problem, ProblemKind, Suite, Text,
    properties,
};
use crate::event::Notice;

/// A job of one run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct JobKey {
    run: String,
    name: String,
}

/// Merges documents.
pub fn merge(documents: Vec<Document>) -> Document {
    let mut merged = Document {
        title: "merged".to_owned(),
        ..Document::default()
    };
    let mut jobs: BTreeMap<JobKey, BTreeMap<u32, Vec<Suite>>> = BTreeMap::new();
    for document in documents {
        merged.notices.extend(document.notices);
        for suite in document.suites {
            match identity(&suite) {
                Some((job, attempt)) => {
                    let attempts = jobs.entry(job).or_default();
                    keep(attempts.entry(attempt).or_default(), suite);
                }
                None => merged.suites.push(suite),
            }
        }
    }
    for (job, attempts) in jobs {
        collapse(&job, attempts, &mut merged);
    }
    merged.suites.sort_by_cached_key(order);
    merged
        .notices
        .sort_by(|one, other| one.text.cmp(&other.text));
    merged.notices.dedup();
    merged
}

/// Returns the job and the attempt that a suite names. A job that never started has attempt 0.
fn identity(suite: &Suite) -> Option<(JobKey, u32)> {
    let run = suite
        .property(properties::PLAN)
        .or_else(|| suite.property(properties::RUN))
        .filter(|run| !run.is_empty())?;
    let attempt = suite.property(properties::ATTEMPT)?.parse().ok()?;
    let job = JobKey {
        run: run.to_owned(),
        name: suite.name.to_string(),
    };
    Some((job, attempt))
}

/// Adds a suite. A report given twice counts once, also in two forms, such as a run's journal and
/// its JUnit. The form that says more stays.
fn keep(told: &mut Vec<Suite>, suite: Suite) {
    match told.iter_mut().find(|known| is_same(known, &suite)) {
        Some(known) if weight(&suite) > weight(known) => *known = suite,
        Some(_) => {}
        None => told.push(suite),
    }
}

/// Returns true if both suites are about one attempt of one run. Shards of a plan are runs of their
/// own.
fn is_same(one: &Suite, other: &Suite) -> bool {
    let same = |name| one.property(name) == other.property(name);
    let mut pairs = one.cases.iter().zip(&other.cases);
    same(properties::RUN)
        && same(properties::STARTED)
        && one.cases.len() == other.cases.len()
        && pairs.all(|(a, b)| a.state == b.state && a.name == b.name && a.class == b.class)
}

/// Returns how much a suite says beside its cases. Suites that say as much differ in their digest.
fn weight(suite: &Suite) -> (usize, u64) {
    let details = suite
        .cases
        .iter()
        .filter_map(|case| case.details.as_deref());
    let said = details.map(|details| {
        let problems = details.problems.iter().map(|one| one.body.len());
        let attempts = details.attempts.iter();
        let texts = problems.chain(attempts.map(|one| one.body.len() + one.out.len()));
        let place = usize::from(details.file.is_some());
        place + details.out.len() + details.err.len() + texts.sum::<usize>()
    });
    (said.sum(), digest(suite))
}

/// Returns the key of a total order that depends only on the content of the suite.
fn order(suite: &Suite) -> (Box<str>, String, u32, Box<str>, u64) {
    let (run, attempt) = match identity(suite) {
        Some((job, attempt)) => (job.run, attempt),
        None => (String::new(), 0),
    };
    let time = suite.timestamp.clone().unwrap_or_default();
    (suite.name.clone(), run, attempt, time, digest(suite))
}

fn digest(suite: &Suite) -> u64 {
    let mut hasher = DefaultHasher::new();
    suite.hostname.hash(&mut hasher);
    suite.seconds.map(f64::to_bits).hash(&mut hasher);
    suite.attributes.hash(&mut hasher);
    suite.properties.hash(&mut hasher);
    suite.out.hash(&mut hasher);
    suite.err.hash(&mut hasher);
    for case in &suite.cases {
        case.class.hash(&mut hasher);
        case.name.hash(&mut hasher);
        case.state.hash(&mut hasher);
        case.seconds.map(f64::to_bits).hash(&mut hasher);
        case.details.hash(&mut hasher);
    }
    hasher.finish()
}

/// Combines the executions of one job into one suite, if each attempt was reported once.
fn collapse(job: &JobKey, attempts: BTreeMap<u32, Vec<Suite>>, merged: &mut Document) {
    if let Some((attempt, _)) = attempts.iter().find(|(_, told)| told.len() > 1) {
        merged.notices.push(Notice::warning(format!(
            "attempt {attempt} of {} in run {} comes with different results: all of them are kept",
            job.name, job.run
        )));
        merged.suites.extend(attempts.into_values().flatten());
        return;
    }
    let mut told = attempts.into_values().flatten().rev();
    let Some(mut last) = told.next() else { return };
    let earlier: Vec<_> = told.collect();
    for suite in earlier {
        add_earlier(&mut last, suite);
    }
    merged.suites.push(last);
}

/// Adds the cases of an earlier attempt. `earlier` comes latest first.
fn add_earlier(last: &mut Suite, earlier: Suite) {
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    for (index, case) in last.cases.iter().enumerate() {
        known.insert((case.class.to_string(), case.name.to_string()), index);
    }
    let passed = last.property(properties::OUTCOME) == Some("passed");
    for case in earlier.cases {
        let key = (case.class.to_string(), case.name.to_string());
        match known.get(&key) {
            Some(index) => retried(&mut last.cases[*index], case),
            // The carrier of an attempt that did not fail (it never started, for example) is no
            // test. It says nothing about the job any more.
            None if !case.state.is_bad() && carries_outcome(&case, &last.name) => {}
            // The carrier of an attempt that failed says that the job is flaky.
            None if passed && carries_outcome(&case, &last.name) => {
                let mut now = Case {
                    state: CaseState::Passed,
                    details: None,
                    ..case.clone()
                };
                retried(&mut now, case);
                last.cases.push(now);
            }
            None => last.cases.push(case),
        }
    }
}

/// Returns true if kata-ci wrote the case for the job as a whole: it is named after the step, in
/// the job's own class.
fn carries_outcome(case: &Case, job: &str) -> bool {
    let step = job.split_once('.').map_or("", |(_, step)| step);
    *case.class == *job && *case.name == *step
}

/// Adds the earlier end of a case that ran again.
fn retried(now: &mut Case, earlier: Case) {
    let is_bad = earlier.state.is_bad();
    let Some(details) = earlier.details.filter(|_| is_bad) else {
        return;
    };
    let passed = matches!(now.state, CaseState::Passed | CaseState::Flaky);
    if passed {
        now.state = CaseState::Flaky;
    }
    let Details {
        problems,
        attempts,
        out,
        err,
        ..
    } = *details;
    let mut before: Vec<_> = attempts;
    before.extend(problems.into_iter().filter_map(|one| attempt(one, passed)));
    if let Some(latest) = before.last_mut() {
        (latest.out, latest.err) = (out, err);
    }
    let mine = &mut now.details.get_or_insert_default().attempts;
    before.append(mine);
    for one in &mut before {
        one.kind = kind(is_error(one.kind), passed);
    }
    *mine = before;
}

fn attempt(problem: Problem, passed: bool) -> Option<Attempt> {
    let error = match problem.kind {
        ProblemKind::Failure => false,
        ProblemKind::Error => true,
        ProblemKind::Skipped => return None,
    };
    Some(Attempt {
        kind: kind(error, passed),
        word: problem.word,
        message: problem.message,
        body: problem.body,
        out: Text::Empty,
        err: Text::Empty,
    })
}

fn is_error(kind: AttemptKind) -> bool {
    matches!(kind, AttemptKind::FlakyError | AttemptKind::RerunError)
}

fn kind(error: bool, passed: bool) -> AttemptKind {
    match (error, passed) {
        (false, true) => AttemptKind::FlakyFailure,
        (true, true) => AttemptKind::FlakyError,
        (false, false) => AttemptKind::RerunFailure,
        (true, false) => AttemptKind::RerunError,
    }
}
