//! Runs git(1): revisions, remotes, differences, commits.
//!
//! [`Git`] is the program with its environment, [`Repository`] is git in a directory, [`GitError`]
//! is the one error of both. The user's configuration and credentials stay git's own business.
//!
//! Invariants:
//!
//! - Git speaks English, so that its answers can be recognised. File names are read with `-z`.
//! - Git is not called where it would wait for a pipe or read without end ([`Obstacle`]).
//! - Git never asks, ends by a deadline, and starts no monitor of the file system that the
//!   repository names. The exception is one call, [`Repository::interactive`], for a push and what
//!   else talks to a server: it may ask on the terminal.
//! - A call that only reads writes nothing, not even the index.
//! - [`Git::find`] never takes its repository from the environment (`GIT_DIR` and others are
//!   removed). [`Repository::at`] does, as git itself does: it is for the user's own repository.
//!
//! **Once a job has run in a tree, no program that reads the tree's configuration is started on it
//! outside of the sandbox.** Types keep this rule. A tree after its jobs is known by reading its
//! files ([`seal`]), or by an [`Onlooker`]. An onlooker can ask git only what leads to no program,
//! and its environment holds nothing worth stealing. `tests/it/isolation/started_programs.rs` is
//! the map of all calls, and fails for a new one.

pub mod configuration;
pub mod context;
mod credential_helper;
mod credentials;
mod error;
mod leads;
mod listing;
mod obstacle;
mod onlooker;
mod own;
mod program;
mod query;
pub mod range;
mod repository;
pub mod seal;
pub mod strict_runs;

#[cfg(test)]
pub(crate) mod test_repository;

pub use credentials::without_credentials;
pub use error::GitError;
pub use listing::{Listed, Listing};
pub use obstacle::Obstacle;
pub use onlooker::Onlooker;
pub use program::{Git, LEAST_VERSION};
pub use repository::Repository;
