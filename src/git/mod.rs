//! git, by its own program: revisions, remotes, what differs.
//!
//! The user's configuration and credentials stay git's own business. Invariants: git never asks on a terminal, never takes
//! its repository from the environment (`GIT_DIR` and kin are removed), speaks English so that what it says can be
//! recognised, ends by a deadline, and what only reads writes nothing, not even the index, and starts no monitor of the
//! file system that the repository names. Names of files are read with `-z`.

pub mod configuration;
pub mod context;
mod error;
mod listing;
pub mod plumbing;
mod program;
mod query;
pub mod range;

#[cfg(test)]
pub(crate) use query::tests;

pub use error::GitError;
pub use listing::{Listed, Listing};
pub use program::{Git, LEAST_VERSION};
