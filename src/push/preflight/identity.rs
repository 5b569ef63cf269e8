//! Checks authors and committers.

use super::facts::CommitFacts;
use super::finding::{PreflightFinding, Rule};
use crate::git::range::Commit;

pub(super) fn check(facts: &CommitFacts) -> Vec<PreflightFinding> {
    facts
        .commits
        .iter()
        .filter_map(|commit| author(facts, commit).or_else(|| committer(facts, commit)))
        .collect()
}

fn author(facts: &CommitFacts, commit: &Commit) -> Option<PreflightFinding> {
    commit.author.has_made_up_address().then(|| {
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
