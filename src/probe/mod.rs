//! Short commands whose answer kata-ci itself needs: `git rev-parse`, `go version`, `cargo metadata`.
//!
//! Invariants: a probe ends by its deadline, whatever it does; it has no standard input; it leaves no process of its group
//! behind; what is kept of its output is bounded; its environment is the one given and nothing else. It is no job: jobs are
//! for [`crate::exec`].

mod quote;
mod run;
mod stream;
mod version;

pub use quote::quoted;
pub use run::{Answer, Probe, ProbeError, find};
pub use version::{at_least, dotted, version_in};
