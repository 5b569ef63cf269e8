//! Takes a change of a Gerrit to a verdict: fetches the patch set, runs its jobs, compares them
//! with the merge base, and posts the result.
//!
//! Invariants: pipeline and configuration come from the operator or the target branch, never from
//! the patch set. A vote is given to the commit whose jobs ran, and to no other.
