//! Where the components are, and whether they can be run: finding, preflight, the GOPATH view.
//!
//! This module looks at the machine and the work trees, and changes neither: what it makes (a GOPATH view) lies in a
//! directory of the run's own.

mod found;

pub use found::{FoundComponent, Workspace};
