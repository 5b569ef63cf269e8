//! What Gerrit would refuse, found before anything is sent: each finding with its commit, the line of its message, and
//! what to do.
//!
//! Pure: [`Facts`] in, [`Finding`]s out. What only the server can know (rights, closed changes) is not guessed at; that is
//! for [`super::rejection`].

mod facts;
mod finding;
mod ids;
mod kata;
mod people;
mod place;

pub use facts::{Facts, gather};
pub use finding::{Finding, Rule, Severity};
pub use ids::{ChangeIdState, state_of};

/// Which rules are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// The push goes to review: Change-Ids and bases matter.
    pub review: bool,
    /// kata's own: `Fixes: #N`, a subsystem before the subject, a sign-off.
    pub kata: bool,
}

/// All findings, errors first, otherwise in the order of the commits.
pub fn check(facts: &Facts, rules: Rules) -> Vec<Finding> {
    let mut findings = place::check(facts, rules.review);
    if rules.review {
        findings.extend(ids::check(facts));
        findings.extend(people::check(facts));
    }
    if rules.kata {
        findings.extend(kata::check(facts));
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

#[cfg(test)]
mod tests;
