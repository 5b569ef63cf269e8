//! Short commands whose answer kata-ci itself needs: `git rev-parse`, `go version`, `cargo
//! metadata`.
//!
//! Invariants: a probe ends by its deadline, whatever it does. It has no standard input but what it
//! is given. It leaves no process of its group behind. Its output is kept up to a limit. Its
//! environment is the one given and nothing else.
//!
//! A probe is no job: [`crate::exec`] runs jobs.

mod quote;
mod run;
mod stream;
mod version;

pub use quote::quoted;
pub use run::{Answer, Probe, ProbeError, stdin_with};
pub use version::{at_least, dotted, version_in};
