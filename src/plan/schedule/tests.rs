//! The invariants, for any plan and any course of the run.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::model::Command;

/// A plan without cycles, the outcome of each job that runs, and the course of the run.
#[derive(Debug, Clone)]
struct Course {
    plan: Plan,
    outcomes: Vec<JobOutcome>,
    parallel: usize,
    /// The choices of the running job that ends next.
    choices: Vec<Index>,
    /// The number of ended jobs after which the run is stopped.
    stop_after: Option<usize>,
}

fn id(number: usize) -> JobId {
    JobId::new(&format!("c{number}"), "test")
}

fn job(number: usize, needs: &[usize], after: &[usize], locks: &[u8]) -> Job {
    Job {
        needs: needs.iter().copied().map(id).collect(),
        after: after.iter().copied().map(id).collect(),
        locks: locks.iter().map(u8::to_string).collect(),
        ..Job::new(id(number), Command::Run(vec!["true".into()]), "/".into())
    }
}

fn outcome() -> impl Strategy<Value = JobOutcome> {
    // Mostly good, or nothing that needs something would ever run.
    prop_oneof![
        3 => Just(JobOutcome::Passed),
        1 => proptest::sample::select(JobOutcome::ALL.to_vec()),
    ]
}

/// Generates jobs. Edges lead only to jobs with a lower number; the order of the plan is another
/// one.
fn jobs() -> impl Strategy<Value = Vec<Job>> {
    let edges = || proptest::collection::vec(any::<Index>(), 0..3);
    let locks = proptest::collection::vec(0..3_u8, 0..2);
    proptest::collection::vec((edges(), edges(), locks), 1..12)
        .prop_map(|parts| {
            let lower = |number: usize, edges: &[Index]| -> Vec<usize> {
                let edges = edges.iter().filter(|_| number > 0);
                edges.map(|edge| edge.index(number)).collect()
            };
            parts
                .iter()
                .enumerate()
                .map(|(number, (needs, after, locks))| {
                    job(number, &lower(number, needs), &lower(number, after), locks)
                })
                .collect()
        })
        .prop_flat_map(|jobs: Vec<Job>| Just(jobs).prop_shuffle())
}

fn course() -> impl Strategy<Value = Course> {
    jobs().prop_flat_map(|jobs| {
        let count = jobs.len();
        (
            proptest::collection::vec(outcome(), count),
            0..5_usize,
            proptest::collection::vec(any::<Index>(), count),
            proptest::option::weighted(0.2, 0..count),
        )
            .prop_map(move |(outcomes, parallel, choices, stop_after)| Course {
                plan: Plan { jobs: jobs.clone() },
                outcomes,
                parallel,
                choices,
                stop_after,
            })
    })
}

/// The facts that an observer of a run knows, independent of the schedule's own state.
#[derive(Debug, Default)]
struct Observer {
    running: Vec<usize>,
    over: BTreeMap<JobId, JobOutcome>,
    ends: usize,
    is_stopped: bool,
}

impl Observer {
    fn started(&mut self, course: &Course, index: usize) -> Result<(), TestCaseError> {
        let job = &course.plan.jobs[index];
        prop_assert!(!self.is_stopped, "started after the stop");
        prop_assert!(!self.running.contains(&index) && !self.over.contains_key(&job.id));
        for need in &job.needs {
            prop_assert_eq!(self.over.get(need), Some(&JobOutcome::Passed));
        }
        for before in &job.after {
            prop_assert!(self.over.contains_key(before));
        }
        for other in &self.running {
            let held = &course.plan.jobs[*other].locks;
            prop_assert!(!job.locks.iter().any(|lock| held.contains(lock)));
        }
        self.running.push(index);
        prop_assert!(self.running.len() <= course.parallel.max(1));
        Ok(())
    }

    fn dropped(&mut self, course: &Course, index: usize) -> Result<(), TestCaseError> {
        let job = &course.plan.jobs[index];
        prop_assert!(!self.running.contains(&index));
        let lost = job.needs.iter().any(|need| {
            let outcome = self.over.get(need);
            outcome.is_some_and(|outcome| *outcome != JobOutcome::Passed)
        });
        prop_assert!(self.is_stopped || lost, "dropped without a reason");
        prop_assert_eq!(self.over.insert(job.id.clone(), JobOutcome::NotRun), None);
        Ok(())
    }

    /// Ends one of the running jobs.
    fn end_one(
        &mut self,
        course: &Course,
        schedule: &mut Schedule<'_>,
    ) -> Result<(), TestCaseError> {
        prop_assert!(
            !self.running.is_empty(),
            "nothing runs, and nothing is said"
        );
        let choice = course.choices[self.ends].index(self.running.len());
        let index = self.running.swap_remove(choice);
        let outcome = course.outcomes[index];
        self.over
            .insert(course.plan.jobs[index].id.clone(), outcome);
        self.ends += 1;
        schedule.finished(index, outcome);
        if course.stop_after == Some(self.ends) {
            self.is_stopped = true;
            schedule.stop("enough");
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn any_run_keeps_the_rules_and_ends(course in course()) {
        let mut schedule = Schedule::new(&course.plan, course.parallel);
        let mut observer = Observer::default();
        // Each job is started or dropped once and ends once: more words than that are a loop
        // without end.
        for _ in 0..=3 * course.plan.jobs.len() {
            match schedule.advance() {
                Next::Start(index) => observer.started(&course, index)?,
                Next::Drop(index, _) => observer.dropped(&course, index)?,
                Next::Wait => observer.end_one(&course, &mut schedule)?,
                Next::Done => break,
            }
        }
        prop_assert_eq!(schedule.advance(), Next::Done);
        prop_assert!(observer.running.is_empty());
        prop_assert_eq!(observer.over.len(), course.plan.jobs.len());
    }
}

#[test]
fn a_free_place_is_never_left_empty() {
    let plan = Plan {
        jobs: vec![
            job(0, &[], &[], &[1]),
            job(1, &[], &[], &[1]),
            job(2, &[0], &[], &[]),
            job(3, &[], &[], &[2]),
        ],
    };
    let mut schedule = Schedule::new(&plan, 2);
    assert_eq!(schedule.advance(), Next::Start(0));
    // The second waits for the lock, the third for the first: the fourth need not.
    assert_eq!(schedule.advance(), Next::Start(3));
    assert_eq!(schedule.advance(), Next::Wait);
    schedule.finished(3, JobOutcome::Passed);
    assert_eq!(schedule.advance(), Next::Wait);
    schedule.finished(0, JobOutcome::Failed);
    let reason = "c0.test failed";
    assert_eq!(schedule.advance(), Next::Drop(2, reason.into()));
    assert_eq!(schedule.advance(), Next::Start(1));
    schedule.finished(1, JobOutcome::Passed);
    assert_eq!(schedule.advance(), Next::Done);
}

fn estimated(number: usize, after: &[usize], estimate: Option<f64>) -> Job {
    Job {
        estimate,
        ..job(number, &[], after, &[])
    }
}

/// Returns the order in which jobs start one at a time.
fn order(jobs: Vec<Job>) -> Vec<usize> {
    let plan = Plan { jobs };
    let mut schedule = Schedule::new(&plan, 1);
    let mut order = Vec::new();
    while let Next::Start(index) = schedule.advance() {
        order.push(index);
        schedule.finished(index, JobOutcome::Passed);
    }
    order
}

#[test]
fn the_job_that_most_time_hangs_on_is_started_first() {
    let long = |number, seconds| estimated(number, &[], Some(seconds));
    assert_eq!(
        order(vec![long(0, 1.0), long(1, 3.0), long(2, 2.0)]),
        [1, 2, 0]
    );
    // 0 is short, but 1 and through it 2 wait for it.
    let chain = vec![
        estimated(0, &[], Some(1.0)),
        estimated(1, &[0], Some(1.0)),
        estimated(2, &[1], Some(5.0)),
        long(3, 4.0),
    ];
    assert_eq!(order(chain), [0, 1, 2, 3]);
}

#[test]
fn without_estimates_the_order_is_that_of_the_plan_and_an_unknown_job_counts_as_average() {
    let unknown = |number| estimated(number, &[], None);
    assert_eq!(order((0..4).map(unknown).collect()), [0, 1, 2, 3]);
    let mixed = vec![
        estimated(0, &[], Some(1.0)),
        unknown(1),
        estimated(2, &[], Some(3.0)),
    ];
    assert_eq!(order(mixed), [2, 1, 0]);
}
