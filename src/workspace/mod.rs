//! Finds the components, and finds out if they can be run: preflight and GOPATH view.
//!
//! ```text
//! detect ─▶ the shipped pipeline that fits
//! CheckoutSet  ─▶ a clean checkout of a commit, for the next stages to inspect
//! open   ─▶ components ─▶ layout (GOPATH, a view) ─▶ preflight of the selected ones ─▶ Workspace
//! ```
//! This module inspects the machine and the work trees, and changes neither. A GOPATH view lies in
//! a directory of the run's own. Nothing here needs a network. It does not decide what runs:
//! [`crate::plan`] does.

mod environment;
pub use environment::passed;
pub(crate) use environment::{held_back, of_component, of_job, overlay, passed_with};

mod checkout;
mod copy;
mod detect;
mod error;
mod fs;
mod gopath_view;
mod init;
mod inspection;
mod machine;
mod open;
mod packages;
mod preflight;
mod requirement_problem;
mod scratch;
mod toolchain;
mod tree_facts;
mod types;
mod v1;
mod words;

#[cfg(test)]
mod tests;

pub use checkout::{CheckoutError, CheckoutSet, PinnedRepository, Trust, are_dated_ahead};
pub use detect::{Detected, detect};
pub use error::WorkspaceError;
pub use gopath_view::tests_clone;
pub use init::{Proposal, propose};
pub use inspection::uninspected;
pub use open::{locate, locate_checkout, open, open_checkout};
pub use requirement_problem::RequirementProblem;
pub use scratch::OwnDirectory;
pub use types::{FoundComponent, Located, Placed, RootHalf, Workspace};
pub(crate) use v1::IMPORT_ROOT;
pub use words::resolve_words;
