//! Checks branch, base and merges.

use super::facts::{CommitFacts, MANY};
use super::finding::{PreflightFinding, Rule};

pub(super) fn check(facts: &CommitFacts, review: bool) -> Vec<PreflightFinding> {
    let mut findings: Vec<_> = unfinished(facts).into_iter().collect();
    if !review {
        return findings;
    }
    findings.extend(base(facts));
    findings.extend(many(facts));
    findings.extend(merges(facts));
    findings.extend(detached(facts));
    findings
}

fn unfinished(facts: &CommitFacts) -> Option<PreflightFinding> {
    let what = facts.unfinished?;
    Some(match what {
        "bisect" => PreflightFinding::warning(
            Rule::Unfinished,
            "a bisect is going on, so HEAD is not where you work",
            "git bisect reset",
        ),
        _ => PreflightFinding::error(
            Rule::Unfinished,
            format!("a {what} is not finished, so HEAD is not what it will be"),
            format!("git {what} --continue (or --abort)"),
        ),
    })
}

fn base(facts: &CommitFacts) -> Option<PreflightFinding> {
    let target = &facts.target;
    if facts.target_commit.is_none() {
        let text = format!("`{target}` is not known here, so what is new cannot be told");
        return Some(PreflightFinding::error(
            Rule::TargetUnknown,
            text,
            fetch(facts),
        ));
    }
    if let Some(finding) = shallow(facts) {
        return Some(finding);
    }
    if facts.merge_base.is_none() {
        let text =
            format!("HEAD and `{target}` have no commit in common: another repository's history");
        let fix = format!(
            "git rebase --onto {target} --root puts the commits onto it; or push to the right remote"
        );
        return Some(PreflightFinding::error(Rule::NoCommonAncestry, text, fix));
    }
    let (base, holder) = facts.foreign_base.as_ref()?;
    let short = base.get(..7).unwrap_or(base);
    let finding = PreflightFinding::error(
        Rule::WrongBase,
        format!(
            "is based on {short} of `{holder}`, which `{target}` does not have: Gerrit would merge it implicitly"
        ),
        format!("git rebase --onto {target} {short}; or push to that branch: --branch"),
    );
    Some(match facts.commits.first() {
        Some(oldest) => finding.of(oldest),
        None => finding,
    })
}

/// Returns the command that makes the target branch known.
fn fetch(facts: &CommitFacts) -> String {
    let branch = &facts.target_branch;
    match (&facts.remote, facts.is_fetched) {
        (Some(remote), true) => {
            format!("git fetch {remote}; if the branch is another: --branch BRANCH")
        }
        (Some(remote), false) => format!(
            "git remote set-branches --add {remote} {branch}, then git fetch {remote}: so far a fetch does not bring it"
        ),
        (None, _) => format!(
            "git remote add NAME {}, then git fetch NAME, then kata-ci push NAME",
            facts.url
        ),
    }
}

/// A commit of the boundary is somebody else's, and looks like the first of all: whatever hangs on
/// it cannot be told from what is new.
fn shallow(facts: &CommitFacts) -> Option<PreflightFinding> {
    let beyond = |oid: &String| facts.boundary.contains(oid);
    let pushed = facts.commits.iter().any(|commit| beyond(&commit.oid));
    let cut = facts.merge_base.is_none() && !facts.boundary.is_empty();
    (pushed || cut).then(|| {
        let (remote, _) = facts.target.split_once('/').unwrap_or(("origin", ""));
        PreflightFinding::error(
            Rule::Shallow,
            format!(
                "the clone is shallow, and ends before the commit that HEAD and `{}` have in common: what is new cannot be told",
                facts.target
            ),
            format!("git fetch --unshallow {remote} (or --deepen=1000, where that reaches back far enough)"),
        )
    })
}

fn many(facts: &CommitFacts) -> Option<PreflightFinding> {
    (facts.count > MANY).then(|| {
        PreflightFinding::error(
            Rule::TooMany,
            format!(
                "{} commits would go: more than a review can be",
                facts.count
            ),
            format!(
                "git fetch {}, then git log {}..HEAD to see which; most likely the branch is another",
                facts.remote.as_deref().unwrap_or_default(),
                facts.target
            ),
        )
    })
}

fn merges(facts: &CommitFacts) -> impl Iterator<Item = PreflightFinding> {
    facts
        .commits
        .iter()
        .filter(|commit| commit.parents.len() > 1)
        .map(|commit| {
            PreflightFinding::warning(
                Rule::Merge,
                "is a merge commit: some servers take it for review, others only from those with the right \"Push Merge Commit\"",
                format!("git rebase {}, if the server refuses it", facts.target),
            )
            .of(commit)
        })
}

/// Warns about a detached HEAD. The push works, but the commits are on no branch.
fn detached(facts: &CommitFacts) -> Option<PreflightFinding> {
    (facts.branch.is_none() && facts.unfinished.is_none()).then(|| {
        PreflightFinding::warning(
            Rule::DetachedHead,
            "HEAD is detached: what is pushed is on no branch of yours",
            "git switch -c BRANCH keeps it",
        )
    })
}
