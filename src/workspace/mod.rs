//! Where the components are, and whether they can be run: finding, preflight, the GOPATH view.
//!
//! ```text
//! detect ─▶ which shipped pipeline fits
//! Aside  ─▶ a commit in a place of its own, for what follows to look at
//! open   ─▶ components in their places ─▶ layout (GOPATH, a view) ─▶ preflight of those selected ─▶ Workspace
//! ```
//! This module looks at the machine and the work trees, and changes neither: what it makes (a GOPATH view) lies in a
//! directory of the run's own. Nothing of it needs a network. It does not decide what runs: that is for [`crate::plan`].

mod environment;
pub use environment::passed;
pub(crate) use environment::{of_component, of_job, overlay};

mod checkout;
mod copy;
mod detect;
mod error;
mod fs;
mod gopath_view;
mod inspection;
mod machine;
mod makefile;
mod monorepo;
mod notices;
mod open;
mod packages;
mod preflight;
mod scratch;
mod toolchain;
mod types;
mod v1;
mod worktree;

#[cfg(test)]
mod tests;

pub use checkout::{Aside, AsideError};
pub use detect::{Detected, detect};
pub use error::WorkspaceError;
pub use gopath_view::tests_clone;
pub use open::{Located, Placed, locate, locate_aside, open, open_aside};
pub use scratch::OwnDirectory;
pub use types::{FoundComponent, Workspace};
pub(crate) use v1::IMPORT_ROOT;
