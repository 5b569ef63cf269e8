//! End-to-end tests: kata-ci as its users start it, a module a story.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests end the test"
)]

mod bad_input;
mod exec;
mod exec_control;
mod exec_misbehaving;
mod exec_support;
mod exec_trouble;
mod exit_codes;
mod kata_workspace;
mod misbehaving;
mod output;
mod proxy;
mod signals;
mod support;
