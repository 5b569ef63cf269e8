//! kata-ci runs `make check` and `make test` across kata components and says truthfully what was tested.
//!
//! ```text
//! arguments + environment + TOML ─▶ config ─▶ plan ─▶ exec ─▶ events ─▶ outcome ─▶ exit code
//!                                      workspace ─┘              ├▶ journal
//!                                                                └▶ report
//! ```
//! The rooms, from the roof to the ground; each imports from those below it only:
//!
//! - [`cli`] turns arguments into requests, and results into text and an exit code.
//! - [`push`] takes commits to a review; [`run`] carries one run from request to result.
//! - [`stamp`] records what passed, [`exec`] runs a plan, [`report`] shows a run.
//! - [`gerrit`] knows what a Gerrit understands and says; [`plan`] computes jobs and their order.
//! - [`workspace`] finds components; [`parse`] turns output into cases; [`outcome`] judges.
//! - [`config`] reads pipelines; [`event`] defines the events and the journal.
//! - [`git`] runs git, [`probe`] short commands; [`model`] defines the words that all share.
//! - [`env`] holds variables, [`dirs`] knows where a user keeps things, [`fs`] handles files in
//!   places that others write to, [`text`] cleans what strangers wrote; `say` prints lines for people, `clock`
//!   tells the time.
//!
//! `plan`, `parse` and `outcome` know no input or output. ARCHITECTURE.md says which room is for
//! which change; `tests/house` holds the order.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::disallowed_macros,
        reason = "tests end where the machine fails them"
    )
)]

pub mod cli;
mod clock;
pub mod config;
pub mod dirs;
pub mod env;
pub mod event;
pub mod exec;
pub mod fs;
pub mod gerrit;
pub mod git;
pub mod model;
pub mod outcome;
pub mod parse;
pub mod plan;
pub mod probe;
pub mod push;
pub mod report;
pub mod run;
mod say;
pub mod stamp;
pub mod text;
pub mod workspace;
