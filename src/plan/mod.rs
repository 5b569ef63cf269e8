//! The jobs of one run: which, in what order, what keeps them apart.
//!
//! Pure: what was found and configured goes in, a [`Plan`] comes out. Invariants: a job's needs are jobs of the same
//! plan; needs have no cycle (the configuration is refused before); ids are unique.

mod affected;
mod build;
mod job;
mod policy;
mod rerun;
mod schedule;

pub use affected::{Candidate, Changes, affected};
pub use build::{SelectionError, build};
pub use job::{Job, Plan};
pub use policy::Bounds;
pub use rerun::rerun;
pub use schedule::{Next, Schedule};

#[cfg(test)]
mod tests;
