//! The jobs of one run: their order, the locks that keep them apart, and their shards.
//!
//! Pure: components and configuration go in, a [`Plan`] comes out. Invariants: a job's needs are
//! jobs of the same plan. Needs have no cycle (the configuration is refused before). Ids are
//! unique.

mod affected;
mod balance;
mod build;
mod job;
mod plan_file;
mod rerun;
mod schedule;

pub use affected::{Candidate, Changes, affected};
pub use balance::{Portion, ShardCount, balance, lower_bound};
pub use build::{SelectionError, build};
pub use job::{Bounds, Job, Plan};
pub use plan_file::{
    InvalidPlan, Part, PlanContent, PlanFile, PlannedChange, PlannedJob, Shard, TESTS_CLONE,
};
pub use rerun::{narrow, rerun};
pub use schedule::{Next, Schedule};

#[cfg(test)]
mod tests;
