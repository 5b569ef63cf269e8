use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::model::{Command, JobOutcome};
use crate::plan::{Next, Plan, Schedule};

fn portion(id: &str, seconds: Option<f64>) -> Portion {
    Portion {
        job: PlannedJob {
            id: JobId::new(id, "test"),
            estimate: seconds,
            part: None,
        },
        bound_to: Vec::new(),
    }
}

/// Returns durations like those of CI: many short ones, a few long ones.
fn durations(count: usize) -> Vec<Portion> {
    let mut state = 1u64;
    (0..count)
        .map(|number| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let chance = (state >> 33) as f64 / f64::from(1u32 << 31);
            portion(&format!("c{number}"), Some(2.0 * (6.0 * chance).exp()))
        })
        .collect()
}

fn longest(shards: &[Shard]) -> f64 {
    shards.iter().map(|one| one.estimate).fold(0.0, f64::max)
}

#[test]
fn a_thousand_jobs_on_16_shards_are_within_5_percent_of_the_bound() {
    let portions = durations(1000);
    let shards = balance(&portions, ShardCount::Shards(16));
    let ratio = longest(&shards) / lower_bound(&portions, 16);
    println!("1,000 jobs on 16 shards: {ratio:.4} of the lower bound");
    assert!(ratio <= 1.05, "{ratio}");
}

/// Returns the user and system time of this thread.
fn cpu_seconds() -> f64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_THREAD).unwrap();
    let seconds = |time: nix::sys::time::TimeVal| {
        time.tv_sec() as f64 + f64::from(time.tv_usec() as i32) / 1e6
    };
    seconds(usage.user_time()) + seconds(usage.system_time())
}

#[test]
fn a_hundred_thousand_jobs_are_planned_within_a_second() {
    let portions = durations(100_000);
    let most = ShardCount::MaxSeconds(1800.0);
    for count in [ShardCount::Shards(200), most] {
        let before = cpu_seconds();
        let shards = balance(&portions, count);
        let seconds = cpu_seconds() - before;
        println!("100,000 jobs on {} shards: {seconds:.3} s", shards.len());
        // Binaries of tests are hardly optimised.
        assert!(seconds < if cfg!(debug_assertions) { 5.0 } else { 1.0 });
        assert_eq!(
            shards.iter().map(|one| one.jobs.len()).sum::<usize>(),
            100_000
        );
    }
}

#[test]
fn unknown_times_count_as_the_average() {
    let portions = [
        portion("a", Some(10.0)),
        portion("b", None),
        portion("c", Some(20.0)),
    ];
    let shards = balance(&portions, ShardCount::Shards(2));
    let estimates: Vec<_> = shards.iter().map(|one| one.estimate).collect();
    assert_eq!(estimates, [20.0, 25.0]);
    let unknown = [portion("a", None), portion("b", None)];
    let shards = balance(&unknown, ShardCount::Shards(2));
    assert!(
        shards
            .iter()
            .all(|one| one.jobs.len() == 1 && one.estimate == 0.0)
    );
}

#[test]
fn shards_without_jobs_are_the_last() {
    let shards = balance(&[portion("a", Some(0.0))], ShardCount::Shards(3));
    let jobs: Vec<_> = shards.iter().map(|one| one.jobs.len()).collect();
    assert_eq!(jobs, [1, 0, 0]);
}

#[test]
fn so_few_shards_that_each_ends_in_time() {
    let portions: Vec<_> = (0..10)
        .map(|number| portion(&format!("c{number}"), Some(10.0)))
        .collect();
    let count = |seconds| balance(&portions, ShardCount::MaxSeconds(seconds)).len();
    assert_eq!([count(100.0), count(50.0), count(25.0)], [1, 2, 5]);
    // No shard can be shorter than a job.
    assert_eq!([count(1.0), count(0.0), count(f64::NAN)], [10, 10, 10]);
}

/// Makes components with two steps, the second of which may need the first, and needs of
/// components before them.
fn jobs() -> impl Strategy<Value = Vec<Job>> {
    let component = (
        any::<bool>(),
        prop::collection::vec(any::<prop::sample::Index>(), 0..2),
        prop::option::of(0.0..1000.0),
        0..3usize,
    );
    prop::collection::vec(component, 1..30).prop_map(|components| {
        let mut jobs: Vec<Job> = Vec::new();
        for (number, (needs, others, seconds, lock)) in components.into_iter().enumerate() {
            let name = format!("c{number}");
            let before: BTreeSet<_> = (others.iter().filter(|_| number > 0))
                .map(|other| format!("c{}", other.index(number)))
                .collect();
            for step in ["check", "test"] {
                let mut job = Job::new(
                    JobId::new(&name, step),
                    Command::Script("true".to_owned()),
                    "/".into(),
                );
                job.estimate = seconds;
                job.locks = (0..lock).map(|lock| format!("l{lock}")).collect();
                job.after = (before.iter())
                    .flat_map(|name| ["check", "test"].map(|step| JobId::new(name, step)))
                    .collect();
                if needs && step == "test" {
                    job.needs.push(JobId::new(&name, "check"));
                }
                jobs.push(job);
            }
        }
        jobs
    })
}

fn counts() -> impl Strategy<Value = ShardCount> {
    prop_oneof![
        (1..20usize).prop_map(ShardCount::Shards),
        (0.0..3000.0).prop_map(ShardCount::MaxSeconds),
    ]
}

/// Carries out the jobs of a shard, and returns the worst number of holders of one lock.
fn carry_out(jobs: Vec<Job>, parallel: usize) -> usize {
    let plan = Plan { jobs };
    let mut schedule = Schedule::new(&plan, parallel);
    let mut running = Vec::new();
    let (mut worst, mut started) = (0, 0);
    loop {
        match schedule.advance() {
            Next::Start(index) => {
                running.push(index);
                started += 1;
                let locks = running
                    .iter()
                    .flat_map(|one: &usize| &plan.jobs[*one].locks);
                let held = locks.fold(BTreeMap::new(), |mut held: BTreeMap<_, usize>, lock| {
                    *held.entry(lock).or_default() += 1;
                    held
                });
                worst = worst.max(held.into_values().max().unwrap_or(0));
            }
            Next::Wait => schedule.finished(running.remove(0), JobOutcome::Passed),
            Next::Drop(..) => {}
            Next::Done => break,
        }
    }
    assert_eq!(started, plan.jobs.len());
    worst
}

proptest! {
    #[test]
    fn every_job_is_in_one_shard_with_what_it_needs(jobs in jobs(), count in counts()) {
        let portions: Vec<_> = jobs.iter().map(Portion::of).collect();
        let shards = balance(&portions, count);
        let mut shard_of = BTreeMap::new();
        for shard in &shards {
            for job in &shard.jobs {
                prop_assert_eq!(shard_of.insert(&job.id, shard.index), None);
            }
        }
        prop_assert_eq!(shard_of.len(), jobs.len());
        for job in &jobs {
            for other in job.needs.iter().chain(&job.after) {
                prop_assert_eq!(shard_of[&job.id], shard_of[other]);
            }
        }
    }

    #[test]
    fn locks_are_never_held_side_by_side_in_a_shard(
        jobs in jobs(), count in counts(), parallel in 1..9usize
    ) {
        let portions: Vec<_> = jobs.iter().map(Portion::of).collect();
        for shard in balance(&portions, count) {
            let ids: BTreeSet<_> = shard.jobs.iter().map(|job| &job.id).collect();
            let own = jobs.iter().filter(|job| ids.contains(&job.id)).cloned().collect();
            prop_assert!(carry_out(own, parallel) <= 1);
        }
    }

    #[test]
    fn the_same_input_makes_the_same_shards(jobs in jobs(), count in counts()) {
        let portions: Vec<_> = jobs.iter().map(Portion::of).collect();
        prop_assert_eq!(balance(&portions, count), balance(&portions.clone(), count));
    }

    #[test]
    fn no_shard_takes_longer_than_four_thirds_of_the_best(jobs in jobs(), count in 1..20usize) {
        let portions: Vec<_> = jobs.iter().map(Portion::of).collect();
        let shards = balance(&portions, ShardCount::Shards(count));
        let bound = lower_bound(&portions, count);
        // The best is at least the bound, and at most the longest job above it.
        let longest_group = lower_bound(&portions, usize::MAX >> 1);
        let any_known = jobs.iter().any(|job| job.estimate.is_some());
        prop_assert!(!any_known || longest(&shards) <= bound + longest_group + 0.01);
    }

    #[test]
    fn shards_end_in_time_unless_a_group_is_longer(jobs in jobs(), seconds in 1.0..3000.0) {
        let portions: Vec<_> = jobs.iter().map(Portion::of).collect();
        let shards = balance(&portions, ShardCount::MaxSeconds(seconds));
        let longest_group = lower_bound(&portions, usize::MAX >> 1);
        prop_assert!(longest(&shards) <= f64::max(seconds, longest_group) + 0.01);
        prop_assert!(shards.iter().all(|one| !one.jobs.is_empty()));
    }
}

/// Simulates an engine that hands shards to workers in order, and again when a worker is lost.
/// Returns the seconds until all have ended, and how often each job got a verdict.
fn simulate(shards: &[Shard], workers: usize, lost: &[(usize, f64)]) -> (f64, Vec<usize>) {
    // A loss is noticed after a minute.
    const NOTICED: u64 = 60_000;
    // Times in milliseconds, from which a shard can start, and at which a worker is free.
    let mut queue: VecDeque<(u64, usize)> = (0..shards.len()).map(|shard| (0, shard)).collect();
    let mut free: BinaryHeap<_> = (0..workers).map(|one| Reverse((0u64, one))).collect();
    let mut verdicts = vec![0; shards.len()];
    let mut idle = Vec::new();
    let death = |worker: usize| {
        let found = lost.iter().find(|(one, _)| *one == worker);
        found.map_or(u64::MAX, |(_, at)| milliseconds(*at))
    };
    let mut end = 0;
    while let Some(Reverse((now, worker))) = free.pop() {
        let Some((from, shard)) = queue.pop_front() else {
            idle.push(worker);
            continue;
        };
        let begin = now.max(from);
        // The engine itself takes half a second.
        let over = begin + milliseconds(shards[shard].estimate) + 500;
        if begin >= death(worker) {
            queue.push_front((from, shard));
        } else if over > death(worker) {
            let noticed = death(worker) + NOTICED;
            queue.push_back((noticed, shard));
            free.extend(idle.pop().map(|one| Reverse((noticed, one))));
        } else {
            verdicts[shard] += 1;
            end = end.max(over);
            free.push(Reverse((over, worker)));
        }
    }
    (end as f64 / 1000.0, verdicts)
}

#[test]
fn ten_thousand_jobs_on_200_workers_of_which_four_are_lost() {
    let portions = durations(10_000);
    let shards = balance(&portions, ShardCount::Shards(200 * 16));
    let bound = lower_bound(&portions, 200);
    let lost: Vec<_> = [3, 57, 101, 180]
        .into_iter()
        .zip([0.2, 0.4, 0.6, 0.95])
        .map(|(worker, part)| (worker, bound * part))
        .collect();
    let (seconds, verdicts) = simulate(&shards, 200, &lost);
    let ratio = seconds / bound;
    println!("10,000 jobs, 200 workers, 4 lost: {seconds:.0} s, {ratio:.3} of the bound");
    assert!(verdicts.iter().all(|count| *count == 1));
    assert!(ratio <= 1.15, "{ratio}");
}
