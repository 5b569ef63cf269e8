//! Checks kata's own rules for commits: a subsystem before each subject, a sign-off in each commit,
//! `Fixes: #N` in at least one.
//!
//! Source: kata's CONTRIBUTING and its program checkcommits, which looks for `fixes` in any case,
//! followed by `#` or the URL of an issue.

use std::sync::LazyLock;

use regex::Regex;

use super::change_ids::reword;
use super::facts::CommitFacts;
use super::finding::{PreflightFinding, Rule};
use crate::git::range::Commit;

static SUBSYSTEM: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[^\s:][^:]*:\s*\S").ok());
static FIXES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?im)^\s*(fixes|fixed|fix|closes|closed|close|resolves|resolved|resolve):?\s+([\w./-]*#|https?://\S+/)\d+")
        .ok()
});
static SIGN_OFF: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m)^Signed-off-by: .*\S+@\S+").ok());

fn matches(pattern: &Option<Regex>, text: &str) -> bool {
    pattern
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(text))
}

pub(super) fn check(facts: &CommitFacts) -> Vec<PreflightFinding> {
    let messages: Vec<_> = facts
        .commits
        .iter()
        .map(|commit| (commit, String::from_utf8_lossy(&commit.message)))
        .collect();
    let mut findings: Vec<_> = messages
        .iter()
        .flat_map(|(commit, message)| [subsystem(facts, commit), sign_off(facts, commit, message)])
        .flatten()
        .collect();
    if let Some((last, _)) = messages.last()
        && !messages.iter().any(|(_, message)| matches(&FIXES, message))
    {
        findings.push(fixes(facts, last));
    }
    findings
}

fn subsystem(facts: &CommitFacts, commit: &Commit) -> Option<PreflightFinding> {
    let subject = commit.subject();
    // git's own subjects of reverts and merges have no subsystem, and kata accepts that.
    let written_by_git = subject.starts_with("Revert \"") || subject.starts_with("Merge ");
    (!written_by_git && !matches(&SUBSYSTEM, &subject)).then(|| {
        PreflightFinding::error(
            Rule::SubsystemMissing,
            "names no subsystem: kata wants `subsystem: what it does`",
            reword(facts, commit),
        )
        .of(commit)
        .line(1)
    })
}

fn sign_off(facts: &CommitFacts, commit: &Commit, message: &str) -> Option<PreflightFinding> {
    (!matches(&SIGN_OFF, message)).then(|| {
        let fix = match commit.oid == facts.tip {
            true => "git commit --amend --signoff --no-edit".to_owned(),
            false => format!("git rebase --signoff {}~", commit.short()),
        };
        PreflightFinding::error(Rule::SignOffMissing, "is not signed off", fix).of(commit)
    })
}

fn fixes(facts: &CommitFacts, last: &Commit) -> PreflightFinding {
    PreflightFinding::error(
        Rule::FixesMissing,
        "no commit says which issue it is for",
        format!("{}: add a line `Fixes: #NUMBER`", reword(facts, last)),
    )
}
