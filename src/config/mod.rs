//! What the user configured: TOML files, the environment and the command line, resolved to one [`Pipeline`].
//!
//! Order of precedence: an option given, the pipeline, the user's configuration, the defaults. Unknown keys are errors
//! with a suggestion; every error names file, line and a way out. This module reads files and nothing else: what is on the
//! machine is for [`crate::workspace`].

mod pipeline;
mod requirement;

pub use pipeline::{Component, Layout, NetworkPolicy, Pipeline, Step};
pub use requirement::{Requirement, UnknownRequirement};

/// The known word most like a mistaken one, if any is like it at all.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}
