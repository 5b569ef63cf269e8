//! Writes a plan for the engines that distribute work, and hands it over to one.
//!
//! An engine distributes, repeats what is lost, and keeps results. It knows nothing of jobs: each
//! of its tasks is `kata-ci run --plan`, and one more, named [`MERGE`], is `kata-ci report merge
//! --plan`. A check that is required names that one, whatever the number of shards.

mod buildbot;
mod emit;
mod github;
mod gitlab;
mod jenkins;
mod kubernetes;
mod options;
mod slurm;
pub mod submit;
mod zuul;

#[cfg(test)]
mod tests;

pub use emit::{Engine, emit};
pub use options::{EmitError, EmitOptions};

/// The name of the job that merges, which a required check has.
pub const MERGE: &str = "kata-ci";
