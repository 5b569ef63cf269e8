//! `Depends-on:` in commit messages: what a commit needs of other repositories, found and fetched.
//!
//! ```text
//! messages ─▶ trailer ─▶ Dependency ─▶ resolve (exact name, ls-remote, gerrit query, REST) ─▶ Revision ─▶ fetch
//! ```
//! kata's own script matched repository names by substring, and went on where it could not fetch. Here a name is the whole
//! name, and what cannot be had is an error with a way out. Nothing of the user's repositories is changed: objects are
//! fetched into a store that is named, and no ref is written. Dependencies of dependencies are not followed.

mod error;
mod resolve;
mod rest;
mod server;
mod trailer;

pub use error::DependencyError;
pub use resolve::{Candidate, Revision, resolve};
pub use server::fetch;
pub use trailer::{Dependency, dependencies};
