//! The common form of results: suites with cases, from a run of kata-ci or from anybody's JUnit
//! file.
//!
//! Everything that is written later (merged JUnit, HTML, Markdown, annotations) is made from a
//! [`Document`] alone. Facts that JUnit has no place for (a job's outcome, its attempt, the command
//! that runs it again) are a suite's properties, under the names in `properties`. So they survive
//! every way through a file.
//!
//! Invariants: all text in here is clean ([`crate::text`]). No case is without a state.

mod case;
mod document;
pub(super) mod properties;
mod spool;

pub use case::{Attempt, AttemptKind, Case, CaseState, Details, Problem, ProblemKind};
pub use document::{Counts, Document, Suite};
pub use spool::{Spool, Text};
