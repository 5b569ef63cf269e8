//! Distributes jobs over shards, so that all shards take about as long.
//!
//! Jobs that need each other are one group, and a group lies in one shard: no other machine knows
//! how a job ended. Locks bind nothing to a shard, because each has a work directory of its own;
//! within a shard the scheduler keeps them apart.
//!
//! Groups are placed longest first, each on the shard that has least to do, ties by id and number.
//! No shard then takes longer than 4/3 of the best possible time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::{Job, PlannedJob, Shard};
use crate::model::JobId;

/// The number of shards to make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ShardCount {
    /// So many. Those without a job are the last.
    Shards(usize),
    /// As few as keep each below so many seconds, as far as its longest group allows.
    MaxSeconds(f64),
}

/// A job that shards are made of: all that its distribution depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Portion {
    /// The job, or the piece of one.
    pub job: PlannedJob,
    /// The jobs that must lie in the same shard.
    pub bound_to: Vec<JobId>,
}

impl Portion {
    /// Makes the portion of a whole job.
    pub fn of(job: &Job) -> Self {
        Self {
            job: PlannedJob {
                id: job.id.clone(),
                estimate: job.estimate.map(rounded),
                part: None,
            },
            bound_to: job.needs.iter().chain(&job.after).cloned().collect(),
        }
    }
}

/// Portions that lie in one shard.
struct Group {
    milliseconds: u64,
    members: Vec<usize>,
}

/// Distributes the portions. A job without a known time counts as the average of the others; if no
/// time is known, all count the same.
pub fn balance(portions: &[Portion], count: ShardCount) -> Vec<Shard> {
    let times = times(portions);
    let groups = groups(portions, &times);
    let count = match count {
        ShardCount::Shards(count) => count.max(1),
        ShardCount::MaxSeconds(seconds) => fewest(&groups, milliseconds(seconds)),
    };
    let placed = place(&groups, count);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (group, shard) in groups.iter().zip(placed) {
        members[shard].extend(&group.members);
    }
    let is_known = portions.iter().any(|one| one.job.estimate.is_some());
    (members.into_iter().enumerate())
        .map(|(index, mut members)| {
            members.sort_unstable();
            let sum: u64 = members.iter().map(|one| times[*one]).sum();
            Shard {
                index,
                estimate: if is_known { sum as f64 / 1000.0 } else { 0.0 },
                jobs: (members.iter())
                    .map(|one| portions[*one].job.clone())
                    .collect(),
            }
        })
        .collect()
}

/// Returns the least time, in seconds, that any distribution over so many shards takes.
pub fn lower_bound(portions: &[Portion], shards: usize) -> f64 {
    let groups = groups(portions, &times(portions));
    bound(&groups, shards.max(1)) as f64 / 1000.0
}

fn bound(groups: &[Group], shards: usize) -> u64 {
    let sum: u64 = groups.iter().map(|group| group.milliseconds).sum();
    let longest = groups.iter().map(|group| group.milliseconds).max();
    sum.div_ceil(shards as u64).max(longest.unwrap_or(0))
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// Returns the time in whole milliseconds, at least one, so that sums do not depend on their order.
fn milliseconds(seconds: f64) -> u64 {
    // Converting saturates, and makes 0 of what is no number.
    ((seconds * 1000.0).round() as u64).clamp(1, u64::from(u32::MAX))
}

fn times(portions: &[Portion]) -> Vec<u64> {
    let own = |one: &Portion| one.job.estimate.map(milliseconds);
    let known: Vec<u64> = portions.iter().filter_map(own).collect();
    let average = match known.is_empty() {
        true => 1000,
        false => known.iter().sum::<u64>() / known.len() as u64,
    };
    (portions.iter())
        .map(|one| own(one).unwrap_or(average.max(1)))
        .collect()
}

/// Returns the groups, longest first, ties by the id of their first member.
fn groups(portions: &[Portion], times: &[u64]) -> Vec<Group> {
    let mut leaders: Vec<usize> = (0..portions.len()).collect();
    let mut index: BTreeMap<&JobId, Vec<usize>> = BTreeMap::new();
    for (number, portion) in portions.iter().enumerate() {
        index.entry(&portion.job.id).or_default().push(number);
    }
    for (number, portion) in portions.iter().enumerate() {
        let bound = portion.bound_to.iter().filter_map(|id| index.get(id));
        for other in bound.flatten() {
            join(&mut leaders, number, *other);
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (number, time) in times.iter().enumerate() {
        let leader = leader(&mut leaders, number);
        let group = groups.entry(leader).or_insert_with(|| Group {
            milliseconds: 0,
            members: Vec::new(),
        });
        group.milliseconds += time;
        group.members.push(number);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|one, other| {
        let first = |group: &Group| {
            let job = &portions[group.members[0]].job;
            (&job.id, job.part.as_ref().map_or(0, |part| part.index))
        };
        (other.milliseconds.cmp(&one.milliseconds)).then_with(|| first(one).cmp(&first(other)))
    });
    groups
}

/// Joins the groups of two members. The lower leader leads both.
fn join(leaders: &mut [usize], one: usize, other: usize) {
    let (one, other) = (leader(leaders, one), leader(leaders, other));
    leaders[one.max(other)] = one.min(other);
}

fn leader(leaders: &mut [usize], mut member: usize) -> usize {
    while leaders[member] != member {
        leaders[member] = leaders[leaders[member]];
        member = leaders[member];
    }
    member
}

/// Returns the shard of each group.
fn place(groups: &[Group], count: usize) -> Vec<usize> {
    let mut loads: BinaryHeap<_> = (0..count).map(|shard| Reverse((0, shard))).collect();
    (groups.iter())
        .map(|group| {
            let Some(Reverse((load, shard))) = loads.pop() else {
                return 0;
            };
            loads.push(Reverse((load + group.milliseconds, shard)));
            shard
        })
        .collect()
}

fn longest_shard(groups: &[Group], count: usize) -> u64 {
    let mut loads = vec![0; count];
    for (group, shard) in groups.iter().zip(place(groups, count)) {
        loads[shard] += group.milliseconds;
    }
    loads.into_iter().max().unwrap_or(0)
}

/// Returns the least number of shards, none of which takes longer than `most` milliseconds or the
/// longest group.
fn fewest(groups: &[Group], most: u64) -> usize {
    let longest = groups.first().map_or(0, |group| group.milliseconds);
    let most = most.max(longest);
    let sum: u64 = groups.iter().map(|group| group.milliseconds).sum();
    let fits = |count: usize| longest_shard(groups, count) <= most;
    let mut low = (sum.div_ceil(most.max(1)).max(1)) as usize;
    // One group a shard always fits.
    let mut high = groups.len().max(low);
    while low < high {
        let middle = low.midpoint(high);
        match fits(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    high
}

#[cfg(test)]
mod tests;
