//! Checks authors and committers.

use super::facts::CommitFacts;
use super::finding::{PreflightFinding, Rule};
use crate::git::range::{Commit, Person};

pub(super) fn check(facts: &CommitFacts) -> Vec<PreflightFinding> {
    facts
        .commits
        .iter()
        .filter_map(|commit| author(facts, commit).or_else(|| committer(facts, commit)))
        .collect()
}

/// Returns true for an address that git makes up if it is not configured: `ada@host.(none)`,
/// `root@localhost`.
fn is_made_up(person: &Person) -> bool {
    let (user, host) = person.email.split_once('@').unwrap_or_default();
    let host = host.trim_end_matches('.');
    user.is_empty()
        || !host.contains('.')
        || host.ends_with("(none)")
        || host.ends_with(".localdomain")
}

fn author(facts: &CommitFacts, commit: &Commit) -> Option<PreflightFinding> {
    is_made_up(&commit.author).then(|| {
        let amend = match commit.oid == facts.tip {
            true => "git commit --amend --reset-author --no-edit".to_owned(),
            false => format!(
                "git rebase {}~ --exec 'git commit --amend --reset-author --no-edit'",
                commit.short()
            ),
        };
        PreflightFinding::error(
            Rule::AuthorUnknown,
            format!(
                "has the author `{} <{}>`, whom no server knows",
                commit.author.name, commit.author.email
            ),
            format!("git config user.email YOU@EXAMPLE.COM, then {amend}"),
        )
        .of(commit)
    })
}

fn committer(facts: &CommitFacts, commit: &Commit) -> Option<PreflightFinding> {
    let email = facts.email.as_ref()?;
    (!commit.committer.email.eq_ignore_ascii_case(email)).then(|| {
        PreflightFinding::warning(
            Rule::CommitterDiffers,
            format!("was committed as <{}>, and you are <{email}>: Gerrit takes it only if both are yours", commit.committer.email),
            format!("git rebase --force-rebase {}~ commits it as you", commit.short()),
        )
        .of(commit)
    })
}
