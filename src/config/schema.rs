//! The JSON schema of a pipeline's file, for editors and for checks without kata-ci.
//!
//! It knows keys, types and words. What depends on more than one place (names that must be known,
//! circles, `run` beside `script`) only loading tells. A test holds its keys against those that are
//! read.

/// The schema, of draft 7, as editors read it.
pub const SCHEMA: &str = include_str!("../../pipelines/kata-ci.schema.json");
