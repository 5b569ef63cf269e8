//! Where the components are, and whether they can be run: finding, preflight, the GOPATH view.
//!
//! ```text
//! detect ─▶ which shipped pipeline fits
//! Aside  ─▶ a commit in a place of its own, for what follows to look at
//! open   ─▶ components in their places ─▶ layout (GOPATH, a view) ─▶ preflight of those selected ─▶ Workspace
//! ```
//! This module looks at the machine and the work trees, and changes neither: what it makes (a GOPATH view) lies in a
//! directory of the run's own. Nothing of it needs a network. It does not decide what runs: that is for [`crate::plan`].

mod aside;
mod copy;
mod detect;
mod error;
mod found;
mod inspection;
mod machine;
mod makefile;
mod monorepo;
mod notices;
mod open;
mod own_directory;
mod packages;
mod place;
mod preflight;
mod toolchain;
mod v1;
mod view;
mod worktree;

#[cfg(test)]
mod tests;

pub use aside::{Aside, AsideError, Trust, are_dated_ahead};
pub use detect::{Detected, detect};
pub use error::WorkspaceError;
pub use found::{FoundComponent, Workspace};
pub use open::{Located, Placed, locate, locate_aside, open, open_aside};
pub use own_directory::OwnDirectory;
pub(crate) use v1::IMPORT_ROOT;
pub use view::{cache, tests_clone};
