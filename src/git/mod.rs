//! git, by its own program: revisions, remotes, what differs.
//!
//! The user's configuration and credentials stay git's own business. Invariants: git never asks on a terminal, never takes
//! its repository from the environment (`GIT_DIR` and kin are removed), speaks English so that what it says can be
//! recognised, ends by a deadline, and what only reads writes nothing, not even the index, and starts no monitor of the
//! file system that the repository names. Names of files are read with `-z`.
//!
//! And the rule for what strangers leave: **once a job has run in a tree, no program that reads the tree's configuration is
//! started on it outside of the sandbox.** It is kept by types. What is to be known of a tree after its jobs is found by
//! reading files ([`seal`]) or by an [`Onlooker`], who can ask git only what leads to no program, and in whose environment
//! nothing is worth stealing. `tests/it/started_programs.rs` is the map of all calls, and fails for a new one.

pub mod configuration;
pub mod context;
mod error;
mod listing;
mod onlooker;
pub mod plumbing;
mod program;
mod query;
pub mod range;
pub mod seal;

#[cfg(test)]
pub(crate) mod test_repository;

pub use error::GitError;
pub use listing::{Listed, Listing};
pub use onlooker::Onlooker;
pub use program::{Git, LEAST_VERSION};
