//! The jobs of one run: their order, and the locks that keep them apart.
//!
//! Pure: components and configuration go in, a [`Plan`] comes out. Invariants: a job's needs are
//! jobs of the same plan. Needs have no cycle (the configuration is refused before). Ids are
//! unique.

mod affected;
mod build;
mod job;
mod rerun;
mod schedule;

pub use affected::{Candidate, Changes, affected};
pub use build::{SelectionError, build};
pub use job::{Bounds, Job, Plan};
pub use rerun::{narrow, rerun};
pub use schedule::{Next, Schedule};

#[cfg(test)]
mod tests;
