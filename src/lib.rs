//! kata-ci runs `make check` and `make test` across kata components, and reports truthfully what
//! was tested.
//!
//! ```text
//! arguments, variables, TOML ─▶ config ─▶ plan ─▶ exec ─▶ events ─▶ Live ─┬▶ journal
//!                              workspace ─┘      ▲  ▲                     ├▶ outcome ─▶ exit code
//!                           output ─▶ parse ─────┘  └─ outcome: verdict   └▶ report
//! ```
//! The rooms, from top to bottom; each imports from those below it only:
//!
//! - [`cli`] turns arguments into requests, and results into text and an exit code.
//! - [`push`] takes commits to a review. [`review`] takes a change to a verdict. [`engines`] hands
//!   plans to several machines. [`host`] helps on a kata host.
//! - [`run`] carries one run from request to result.
//! - [`stamp`] records which jobs passed. [`exec`] runs a plan. [`report`] shows a run.
//! - [`gerrit`] knows Gerrit's language. [`plan`] computes jobs and their order.
//! - [`workspace`] finds components. [`parse`] turns output into cases. [`outcome`] gives verdicts.
//! - [`config`] reads pipelines. [`event`] defines the events and the journal.
//! - [`git`] runs git. [`probe`] runs short commands. `say` prints lines for people.
//! - [`model`] defines the words that all rooms share. `clock` tells the time.
//! - [`mod@env`] holds variables. [`dirs`] knows a user's directories. [`fs`] handles files in
//!   directories that others can write to. [`text`] cleans foreign text.
//!
//! `plan`, `parse` and `outcome` do no input or output. ARCHITECTURE.md tells the room for each
//! kind of change; `tests/house` checks the order.

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
pub mod engines;
pub mod env;
pub mod event;
pub mod exec;
pub mod fs;
pub mod gerrit;
pub mod git;
pub mod host;
pub mod model;
pub mod outcome;
pub mod parse;
pub mod plan;
pub mod probe;
pub mod push;
pub mod report;
pub mod review;
pub mod run;
mod say;
pub mod stamp;
pub mod text;
pub mod workspace;
