//! Tests that concern several reporters, with their helpers.

mod ci;
mod dialects;
mod files;
mod journal;
mod junit;
mod laws;
mod merge;
mod plain;
pub(super) mod sample;
