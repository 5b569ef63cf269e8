//! Gerrit: taking commits to review, and saying in words what it answers.
//!
//! Facts about the server are those of Gerrit 3.10, tried against a real one in the tests. Nothing here runs a job, and
//! nothing of the user's repository is changed but what `--fix` and `hook install` are asked to change.

pub mod answer;
pub mod change_id;
pub mod depends;
pub mod footer;
pub mod hooks;
pub mod preflight;
pub mod push;
pub mod push_options;
pub mod rejection;
pub mod remote;
pub mod reword;
