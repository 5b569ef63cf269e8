//! Checks the Change-Ids: one in each commit, well-formed, in the footer, all different.

use std::collections::BTreeMap;

use super::facts::CommitFacts;
use super::finding::{PreflightFinding, Rule};
use crate::gerrit::change_id::{ChangeId, LinkServer, is_to_be_squashed};
use crate::gerrit::footer::{Footer, change_id_lines, footers};
use crate::git::range::Commit;

/// The Change-Id of a message, as the server reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeIdState {
    /// A well-formed one, and its line.
    Good(ChangeId, usize),
    /// None.
    Missing,
    /// The subject is a Change-Id.
    IsSubject,
    /// One in this line, which is not in the footer.
    OutsideFooter(usize),
    /// Several; the line of the second, and their number.
    Several(usize, usize),
    /// One in this line, with this malformed value.
    Malformed(usize, String),
}

/// Reads it from a message. A `Link: URL/id/I…` footer counts as one, if it leads to a change of
/// the server.
pub fn state_of(message: &[u8], server: &LinkServer) -> ChangeIdState {
    let all = footers(message);
    let id_of = |footer: &Footer| match () {
        () if footer.is("Change-Id") => Some(footer.value.clone()),
        () if footer.is("Link") => server.linked_id(&footer.value).map(str::to_owned),
        () => None,
    };
    let ids: Vec<(usize, String)> = (all.iter())
        .filter_map(|footer| Some((footer.line, id_of(footer)?)))
        .collect();
    match ids.as_slice() {
        [] => without(message),
        [(line, value)] => match value.parse() {
            Ok(id) => ChangeIdState::Good(id, *line),
            Err(_) => ChangeIdState::Malformed(*line, value.clone()),
        },
        [_, (line, _), ..] => ChangeIdState::Several(*line, ids.len()),
    }
}

fn without(message: &[u8]) -> ChangeIdState {
    match change_id_lines(message).first() {
        Some((1, _)) => ChangeIdState::IsSubject,
        Some((line, _)) => ChangeIdState::OutsideFooter(*line),
        None => ChangeIdState::Missing,
    }
}

pub(super) fn check(facts: &CommitFacts) -> Vec<PreflightFinding> {
    let mut findings = Vec::new();
    let mut seen: BTreeMap<ChangeId, &Commit> = BTreeMap::new();
    for commit in &facts.commits {
        let state = state_of(&commit.message, &facts.links);
        findings.extend(finding(facts, commit, &state));
        if let ChangeIdState::Good(id, line) = state {
            match seen.get(&id) {
                Some(first) => findings.push(shared(&id, first, commit, line)),
                None => drop(seen.insert(id, commit)),
            }
        }
    }
    findings
}

fn finding(
    facts: &CommitFacts,
    commit: &Commit,
    state: &ChangeIdState,
) -> Option<PreflightFinding> {
    let reword = reword(facts, commit);
    let found = match state {
        ChangeIdState::Good(..) => return None,
        ChangeIdState::Missing if is_to_be_squashed(&commit.message) => PreflightFinding::error(
            Rule::ToBeSquashed,
            "waits to be squashed into another commit, and has no Change-Id of its own",
            format!("git rebase -i --autosquash {}", facts.target),
        )
        .line(1),
        ChangeIdState::Missing if commit.parents.len() > 1 && commit.oid == facts.tip => {
            PreflightFinding::error(
                Rule::ChangeIdMissing,
                "is a merge commit without a Change-Id",
                "kata-ci hook install, then git commit --amend --no-edit",
            )
        }
        ChangeIdState::Missing => PreflightFinding::error(
            Rule::ChangeIdMissing,
            "has no Change-Id",
            "kata-ci push --fix adds it; kata-ci hook install gives new commits theirs",
        )
        .fixable(),
        ChangeIdState::IsSubject => PreflightFinding::error(
            Rule::SubjectMissing,
            "has its Change-Id where the subject should be",
            format!("{reword}: write a subject and an empty line above it"),
        )
        .line(1),
        ChangeIdState::OutsideFooter(line) => PreflightFinding::error(
            Rule::ChangeIdOutsideFooter,
            "has its Change-Id outside of the last paragraph, where Gerrit does not see it",
            format!(
                "{reword}: move the line into the last paragraph, with an empty line above that"
            ),
        )
        .line(*line),
        ChangeIdState::Several(line, count) => PreflightFinding::error(
            Rule::ChangeIdDoubled,
            format!("has {count} Change-Ids, as after a squash"),
            format!("{reword}: keep the one of the change to be updated"),
        )
        .line(*line),
        ChangeIdState::Malformed(line, value) => PreflightFinding::error(
            Rule::ChangeIdMalformed,
            format!(
                "has the Change-Id `{}`, which is not I and 40 hexadecimal digits, not all 0",
                value.escape_debug()
            ),
            format!("{reword}: delete the line, then kata-ci push --fix"),
        )
        .line(*line),
    };
    Some(found.of(commit))
}

fn shared(id: &ChangeId, first: &Commit, second: &Commit, line: usize) -> PreflightFinding {
    PreflightFinding::error(
        Rule::ChangeIdShared,
        format!("has the Change-Id {id} of {} ({})", first.short(), first.subject()),
        format!(
            "if they are one change: git rebase -i {}~ and squash; if two: delete the line in one, then kata-ci push --fix",
            first.short()
        ),
    )
    .of(second)
    .line(line)
}

/// Returns the command that changes the message of this commit.
pub(super) fn reword(facts: &CommitFacts, commit: &Commit) -> String {
    match commit.oid == facts.tip {
        true => "git commit --amend".to_owned(),
        false => format!("git rebase -i {}~, mark it `reword`", commit.short()),
    }
}
