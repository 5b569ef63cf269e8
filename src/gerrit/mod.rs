//! Gerrit: where a push goes, what it may carry, and what the server's answer means.
//!
//! Facts about the server are those of Gerrit 3.10, tried against a real one in the tests. Nothing
//! here runs a job or pushes: [`crate::push`] does.

pub mod change_id;
pub mod depends;
pub mod footer;
pub mod push_options;
pub mod push_output;
pub mod rejection;
pub mod remote;
pub mod rest;
pub mod stream;
mod trailers;
