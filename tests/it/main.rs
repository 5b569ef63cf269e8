//! End-to-end tests: kata-ci as its users start it, a module a story.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests end the test"
)]

mod bad_input;
mod ci_detection;
mod depends;
mod estimates;
mod exec;
mod exec_control;
mod exec_limits;
mod exec_misbehaving;
mod exec_support;
mod exec_trouble;
mod exit_codes;
mod gerrit_change_id;
mod gerrit_preflight;
mod hook;
mod hook_pre_push;
mod isolation;
mod isolation_after;
mod isolation_before;
mod isolation_builds;
mod isolation_collisions;
mod isolation_escape;
mod isolation_kill;
mod isolation_links;
mod isolation_privileges;
mod isolation_support;
mod isolation_trust;
mod kata_workspace;
mod left_behind;
mod limits;
mod misbehaving;
mod network_tried;
mod output;
mod planted;
mod proxy;
mod push;
mod push_check;
mod push_fix;
mod push_options;
mod push_pipeline;
mod push_rejections;
mod push_several;
mod report_access;
mod report_chromium;
mod report_corpus;
mod report_merge;
mod report_show;
mod resume;
mod retries;
mod rev;
mod signals;
mod since;
mod stamps;
mod started_programs;
mod support;
mod tap;
