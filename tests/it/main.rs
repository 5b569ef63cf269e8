//! End-to-end tests that start kata-ci as its users do, a module for each story.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests end the test"
)]

mod engines;
mod exec;
mod host;
mod isolation;
mod push;
mod report;
mod review;
mod run;
mod support;
