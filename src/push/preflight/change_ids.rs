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
        ChangeIdState::Missing if is_to_be_squashed(&commit.message) => {
            to_be_squashed(facts, commit)
        }
        ChangeIdState::Missing => missing(facts, commit),
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

/// The advice follows what `--fix` refuses to rewrite: merges and signed commits.
fn missing(facts: &CommitFacts, commit: &Commit) -> PreflightFinding {
    let is_merge = |commit: &Commit| commit.parents.len() > 1;
    let lacks_id =
        |commit: &Commit| state_of(&commit.message, &facts.links) == ChangeIdState::Missing;
    let first = facts.commits.iter().position(lacks_id).unwrap_or_default();
    let rewritten = facts.commits.get(first..).unwrap_or_default();
    let (merges, signed) = (
        rewritten.iter().any(is_merge),
        rewritten.iter().any(|commit| commit.signed),
    );
    let fix = match (merges || signed, &facts.branch) {
        (true, _) => by_hand(facts, rewritten, merges, signed),
        (false, None) if facts.unfinished.is_none() => {
            "git switch -c BRANCH, then kata-ci push --fix".to_owned()
        }
        _ => "kata-ci push --fix adds it; kata-ci hook install gives new commits theirs".to_owned(),
    };
    let finding = |text| PreflightFinding::error(Rule::ChangeIdMissing, text, fix);
    match is_merge(commit) && commit.oid == facts.tip {
        true => finding("is a merge commit without a Change-Id"),
        false => finding("has no Change-Id").fixable(),
    }
}

/// Returns the commands that have the hook add the ids. The configuration says that there is a
/// Gerrit, whatever else does.
fn by_hand(facts: &CommitFacts, rewritten: &[Commit], merges: bool, signed: bool) -> String {
    let sign = if signed { " -S" } else { "" };
    let amend = format!("git -c gerrit.createChangeId=always commit --amend --no-edit{sign}");
    let keep = if merges { " --rebase-merges" } else { "" };
    match rewritten {
        [_] => format!("kata-ci hook install, then {amend}"),
        _ => format!(
            "kata-ci hook install, then git rebase --keep-base{keep} --exec '{amend}' {}",
            facts.target
        ),
    }
}

/// Without the commit that it is meant for, it has to become one of its own.
fn to_be_squashed(facts: &CommitFacts, commit: &Commit) -> PreflightFinding {
    let subject = commit.subject();
    let own = subject.rsplit("! ").next().unwrap_or_default();
    let is_meant = |other: &Commit| other.oid != commit.oid && other.subject() == own;
    let fix = match facts.commits.iter().any(is_meant) {
        true => format!("git rebase -i --autosquash {}", facts.target),
        false => format!(
            "{}: the commit that it is for is not among these, so give it a subject and a Change-Id of its own",
            reword(facts, commit)
        ),
    };
    PreflightFinding::error(
        Rule::ToBeSquashed,
        "waits to be squashed into another commit, and has no Change-Id of its own",
        fix,
    )
    .line(1)
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
