//! Tests that concern several reporters, and what they share.

mod ci;
mod dialects;
mod files;
mod journal;
mod junit;
mod laws;
mod merge;
mod plain;
pub(super) mod sample;
