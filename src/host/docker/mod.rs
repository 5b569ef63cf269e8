//! Docker's configuration: kata as a runtime of docker, or as the default one, by `daemon.json` or
//! by a drop-in of systemd.
//!
//! Invariants: a change is computed and shown before it is made. All else in a file stays as it is.
//! A file is written aside, synced and renamed, with its owner and permissions; its bytes are kept
//! for `revert`. Docker itself is never reloaded or restarted: the command that does so is named.
//! A change that cannot work is refused with the reason.

mod change;
mod command_line;
mod daemon_json;
mod diff;
mod facts;
mod kata;
#[cfg(test)]
mod laws;
mod pair;
mod plan;
mod rules;
mod show;
mod unit;

pub use change::{ChangeError, ChangedSince, Record, Records, Reverted};
pub use daemon_json::RuntimeEntry;
pub use diff::diff;
pub use facts::DockerFacts;
pub use kata::{Runtime, RuntimeKind};
pub use plan::{By, DockerRequest, FileChange, Plan, PlanError, plan, plan_entry, plan_removal};
pub use rules::{Effect, Problem, problems};
pub use show::{DockerStatus, KataEntry, NamedRuntime, Said, show};
pub use unit::UnitError;
