//! Gerrit: taking commits to review, and saying in words what it answers.
//!
//! Facts about the server are those of Gerrit 3.10, tried against a real one in the tests. Nothing here runs a job, and
//! nothing of the user's repository is changed but what `--fix` and `hook install` are asked to change.

pub mod change_id;
pub mod depends;
pub mod footer;
pub mod push_options;
pub mod push_output;
pub mod rejection;
pub mod remote;
