//! Takes a change of a Gerrit to a verdict: fetches the patch set, runs its jobs, compares them
//! with the merge base, and posts the result.
//!
//! Invariants: pipeline and configuration come from the operator or the target branch, never from
//! the patch set. A vote is given to the commit whose jobs ran, and to no other.

mod patch_set;
pub mod post;
mod result;
mod verdict;

pub use patch_set::Patchset;
pub use post::{
    Journal, JournalError, MessagesOnly, PostError, PostKey, PostReport, PostState, Posted, post,
    take_back_copied,
};
pub use result::{JobRow, RESULT_FILE, ReviewResult};
pub use verdict::Verdict;
