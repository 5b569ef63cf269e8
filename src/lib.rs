//! kata-ci runs `make check` and `make test` across kata components and says truthfully what was tested.
//!
//! ```text
//! arguments + environment + TOML ─▶ config ─▶ plan ─▶ exec ─▶ events ─▶ outcome ─▶ exit code
//!                                      workspace ─┘              ├▶ journal
//!                                                                └▶ report
//! ```
//! The rooms, in the order of the arrows: [`cli`] calls everything below it; [`config`] is what was asked for, [`workspace`]
//! what is there, [`plan`] the jobs of a run, [`exec`] runs them, [`parse`] finds their cases, [`event`] is what happens,
//! [`outcome`] what it adds up to, [`report`] what is seen of it. [`stamp`] records what passed, [`gerrit`] takes commits
//! to review, [`git`] is the git program, [`probe`] short commands of kata-ci's own, [`fs`] files in
//! places that others write to. `plan`, `parse` and `outcome` know no input or output.

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
pub mod workspace;
