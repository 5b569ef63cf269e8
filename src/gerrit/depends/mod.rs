//! `Depends-on:` in commit messages: the revisions of other repositories that a commit needs.
//!
//! ```text
//! messages ─▶ trailer ─▶ Dependency ─▶ resolve (exact name, ls-remote, gerrit query, REST)
//!                                         └─▶ Revision ─▶ fetch
//! ```
//! Kata's own script matched repository names by substring, and went on if it could not fetch. Here
//! a name is the whole name, and a dependency that is not available is an error with a way out.
//!
//! Nothing in the user's repositories is changed: objects are fetched into a given store, and no
//! ref is written. Dependencies of dependencies are not followed.

mod error;
mod resolve;
mod rest;
mod server;
mod trailer;

pub use error::DependencyError;
pub use resolve::{Revision, WorkspaceRepository, resolve};
pub use server::fetch;
pub use trailer::{Dependency, dependencies};
