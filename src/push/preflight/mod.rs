//! Finds everything that Gerrit would refuse, before anything is sent. Each finding has its commit,
//! the line of the message, and a way to fix it.
//!
//! Pure: [`CommitFacts`] in, [`PreflightFinding`]s out. It does not guess at facts that only the
//! server knows (rights, closed changes); [`crate::gerrit::rejection`] explains those. The
//! preflight of a component, which looks for what the machine lacks, is `workspace/preflight/`.

mod base;
mod change_ids;
mod facts;
mod finding;
mod identity;
mod kata;

pub use change_ids::{ChangeIdState, state_of};
pub use facts::{CommitFacts, gather};
pub use finding::{PreflightFinding, Rule, Severity};

/// The rules to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// Gerrit's: Change-Ids and bases.
    pub review: bool,
    /// kata's: `Fixes: #N`, a subsystem before the subject, a sign-off.
    pub kata: bool,
}

/// Returns all findings, errors first, otherwise in the order of the commits.
pub fn check(facts: &CommitFacts, rules: Rules) -> Vec<PreflightFinding> {
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
