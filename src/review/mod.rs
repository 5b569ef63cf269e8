//! Takes a change of a Gerrit to a verdict: fetches the patch set, runs its jobs, compares them
//! with the merge base, and posts the result.
//!
//! ```text
//! ChangeName ─▶ lookup (change, trust, companions) ─▶ clones (fetch) ─▶ run ─▶ base_run ─▶ compare
//!                    server ◀─ post ◀─ ReviewResult ◀─ outcome (judge, message, comments) ◀─┘
//! ```
//! Invariants: pipeline and configuration come from the operator or the target branch, never from
//! the patch set. A vote is given to the commit whose jobs ran, and to no other. The code of
//! strangers runs in the strict sandbox without a network, or not at all.

mod base_run;
mod change_name;
mod clones;
mod comments;
mod diff;
mod inert;
mod judge;
mod lookup;
mod message;
mod outcome;
mod patch_set;
pub mod post;
mod request;
mod result;
pub mod service;
mod session;
mod verdict;
pub mod watch;

#[cfg(test)]
mod tests;

pub use change_name::{ChangeName, NameKind};
pub use patch_set::Patchset;
pub use post::{
    Journal, JournalError, MessagesOnly, PostError, PostKey, PostReport, PostState, Posted, post,
    take_back_copied,
};
pub(crate) use request::ReviewRequest;
pub use result::{JobRow, RESULT_FILE, ReviewResult};
pub(crate) use session::carry_out;
pub use verdict::Verdict;
