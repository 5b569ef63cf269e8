//! The jobs of one run: which, in what order, what keeps them apart.
//!
//! Pure: what was found and configured goes in, a [`Plan`] comes out. Invariants: a job's needs are jobs of the same
//! plan; needs have no cycle (the configuration is refused before); ids are unique.

mod affected;
mod bounds;
mod build;
mod environment;
mod job;
mod rerun;
mod schedule;

pub use affected::{Candidate, Changes, Decision, affected};
pub use bounds::Bounds;
pub use build::{Selection, SelectionError, build};
pub use environment::passed;
pub(crate) use environment::{of_component, overlay};
pub use job::{Command, Job, JobId, Plan, Readiness};
pub use rerun::{Reach, rerun};
pub use schedule::{Next, Schedule};

#[cfg(test)]
mod tests;
