//! The configuration: TOML files, the environment and the command line, as one [`Pipeline`].
//!
//! Order of precedence: an option given, the pipeline, the user's configuration, the defaults.
//! Unknown keys are errors with a suggestion. Every error names file, line and a way out.
//!
//! ```text
//! locate ─▶ PipelineSource ─▶ Document ─▶ read (fields, scalars) ─▶ Layer ─┐
//!                                                   Pipeline ◀─ resolve ◀──┘
//! ```
//! There is a layer for each `extends`, with the user's below them. They are laid over one another.
//!
//! Component paths of an extended file are relative to the file that extends it, and so are those
//! of a shipped pipeline. The shared file names the components, the extending file their directory.
//!
//! This module reads files and nothing else: [`crate::workspace`] inspects the machine.

mod cycle;
mod diagnostic;
mod fields;
mod ignore;
mod layer;
mod load;
mod network;
mod pass_env;
mod pipeline;
mod read;
mod requirement;
mod resolve;
mod review;
mod scalars;
mod schema;
mod shipped;
mod source;
pub mod tools;
mod variables;
mod write;

pub use diagnostic::ConfigError;
pub use ignore::Ignore;
pub use load::{Operator, files, load, load_written, locate, locate_below, operator, user_file};
pub use network::{Network, Proxy, proxy_credentials, without_credentials};
pub use pass_env::{PassEnv, PassedVariables};
pub use pipeline::{
    CommitRules, Component, Flaky, Gerrit, IsolatePolicy, Layout, LeftBehindPolicy, Limits,
    NetworkPolicy, Pipeline, Reads, Step,
};
pub use requirement::{Requirement, UnknownRequirement};
pub use resolve::Overrides;
pub use review::Review;
pub use schema::SCHEMA;
pub use shipped::shipped;
pub use source::PipelineSource;
pub use tools::{InvalidTool, Tool, ToolSource};
pub use variables::is_set;
pub use write::{SecretInCommand, WrittenPipeline, write};

/// Returns the known word most similar to a mistaken one, if any is similar at all.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
