//! What Gerrit would refuse, found before anything is sent: each finding with its commit, the line of its message, and
//! what to do.
//!
//! Pure: [`CommitFacts`] in, [`Finding`]s out. What only the server can know (rights, closed changes) is not guessed at; that is
//! for [`crate::gerrit::rejection`].

mod base;
mod change_ids;
mod facts;
mod finding;
mod identity;
mod kata;

pub use change_ids::{ChangeIdState, state_of};
pub use facts::{CommitFacts, gather};
pub use finding::{Finding, Rule, Severity};

/// Which rules are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// The push goes to review: Change-Ids and bases matter.
    pub review: bool,
    /// kata's own: `Fixes: #N`, a subsystem before the subject, a sign-off.
    pub kata: bool,
}

/// All findings, errors first, otherwise in the order of the commits.
pub fn check(facts: &CommitFacts, rules: Rules) -> Vec<Finding> {
    let mut findings = base::check(facts, rules.review);
    if rules.review {
        findings.extend(change_ids::check(facts));
        findings.extend(identity::check(facts));
    }
    if rules.kata {
        findings.extend(kata::check(facts));
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

#[cfg(test)]
mod tests;
