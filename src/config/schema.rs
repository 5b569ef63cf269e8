//! The JSON schema of a pipeline's file, for editors and for checks without kata-ci.
//!
//! The schema holds keys, types and words. Only loading finds unknown names, circles, and `run`
//! beside `script`. A test holds the schema's keys against those that are read.

/// The schema, of draft 7, as editors read it.
pub const SCHEMA: &str = include_str!("../../pipelines/kata-ci.schema.json");
