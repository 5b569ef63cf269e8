//! Explains a rejected push: its cause and the fix.
//!
//! The server's words are never hidden. If they are unknown, the explanation says so. "Already
//! there" is an answer too, and not a failure.

mod table;

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::Serialize;

use table::AnswerKind;

/// The facts that a fix may mention.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectionContext {
    /// The remote, or the URL without credentials.
    pub remote: String,
    /// The target branch.
    pub branch: String,
    /// The project at the server.
    pub project: String,
    /// The commit that was pushed.
    pub tip: String,
    /// The number of pushed commits, `tip` included. With one commit it is clear which is meant.
    pub count: usize,
}

/// A rejection, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The server's words.
    pub reason: String,
    /// The commit, as the server names it.
    pub commit: Option<String>,
    /// The meaning of the words.
    pub cause: String,
    /// The fix.
    pub fix: String,
    /// True if the commits are already at the server, which is a success for the user.
    pub nothing_new: bool,
    /// True if another try may help, because the network failed or the server is busy or broken.
    pub transient: bool,
    /// True if the words are in the table.
    pub known: bool,
    /// True if the server said so of a ref; false if git or ssh failed before.
    pub by_server: bool,
    /// True if the other lines of the output belong to the explanation.
    pub see_said: bool,
}

struct CompiledRule {
    pattern: Regex,
    rule: &'static table::RejectionRule,
}

static COMPILED: LazyLock<Vec<CompiledRule>> = LazyLock::new(|| {
    table::RULES
        .iter()
        .filter_map(|rule| {
            let pattern = Regex::new(rule.pattern).ok()?;
            Some(CompiledRule { pattern, rule })
        })
        .collect()
});

/// Explains the line that stands for the reason of a failed push.
pub fn explain(reason: &str, context: &RejectionContext) -> Rejection {
    explain_by(reason, context, |_| true)
}

/// Explains the reason behind `[remote rejected]`. The server has answered, so the connection was
/// not lost, whatever its words are about.
pub fn explain_refusal(reason: &str, context: &RejectionContext) -> Rejection {
    explain_by(reason, context, |rule| rule.kind != AnswerKind::Lost)
}

fn explain_by(
    reason: &str,
    context: &RejectionContext,
    possible: impl Fn(&table::RejectionRule) -> bool,
) -> Rejection {
    let (commit, bare) = named_commit(reason);
    let found = COMPILED
        .iter()
        .filter(|compiled| possible(compiled.rule))
        .find_map(|compiled| Some((compiled.rule, compiled.pattern.captures(bare)?)));
    match found {
        Some((rule, captures)) => Rejection {
            cause: fill(rule.cause, &captures, commit, context),
            fix: fill(rule.fix, &captures, commit, context),
            nothing_new: rule.kind == AnswerKind::NothingNew,
            transient: matches!(rule.kind, AnswerKind::Transient | AnswerKind::Lost),
            known: true,
            by_server: true,
            see_said: rule.kind == AnswerKind::Said,
            reason: reason.to_owned(),
            commit: commit.map(str::to_owned),
        },
        None => unknown(reason, commit),
    }
}

/// Returns true if the table has these words.
pub fn is_known(reason: &str) -> bool {
    let (_, bare) = named_commit(reason);
    COMPILED
        .iter()
        .any(|compiled| compiled.pattern.is_match(bare))
}

fn unknown(reason: &str, commit: Option<&str>) -> Rejection {
    Rejection {
        reason: reason.to_owned(),
        commit: commit.map(str::to_owned),
        cause: "kata-ci does not know this answer; it may come from a plugin or a newer Gerrit"
            .to_owned(),
        fix: "read the other lines of the server; its administrators know their rules".to_owned(),
        nothing_new: false,
        transient: false,
        known: false,
        by_server: true,
        see_said: true,
    }
}

/// Separates the commit from the message: `commit 0123abc: what is wrong`.
fn named_commit(reason: &str) -> (Option<&str>, &str) {
    let parts = reason
        .strip_prefix("commit ")
        .and_then(|rest| rest.split_once(": "));
    match parts {
        Some((commit, rest)) if commit.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            (Some(commit), rest)
        }
        _ => (None, reason),
    }
}

static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\$[1-9]|\{[a-z]+\}").ok());

/// Fills in words of the answer (`$1`: the first group that matched) and the
/// `PLACEHOLDERS` of the table. Inserted text is not expanded again.
fn fill(
    template: &str,
    captures: &Captures<'_>,
    commit: Option<&str>,
    context: &RejectionContext,
) -> String {
    let Some(place) = PLACE.as_ref() else {
        return template.to_owned();
    };
    let groups: Vec<_> = captures.iter().skip(1).flatten().collect();
    let tip = context.tip.get(..7).unwrap_or(&context.tip);
    let commit = commit.or((context.count == 1).then_some(tip));
    let value = |name: &str| match name {
        "{reword}" => reword(commit, context),
        "{commit}" => commit.unwrap_or("a commit of the push").to_owned(),
        "{remote}" => context.remote.clone(),
        "{branch}" => context.branch.clone(),
        "{project}" => context.project.clone(),
        // Stays visible. A test finds it.
        unknown if unknown.starts_with('{') => unknown.to_owned(),
        number => number[1..]
            .parse::<usize>()
            .ok()
            .and_then(|number| groups.get(number - 1))
            .map_or_else(String::new, |group| group.as_str().to_owned()),
    };
    place
        .replace_all(template, |found: &Captures<'_>| value(&found[0]))
        .into_owned()
}

fn reword(commit: Option<&str>, context: &RejectionContext) -> String {
    match commit {
        Some(commit) if context.tip.starts_with(commit) => "git commit --amend".to_owned(),
        Some(commit) => format!("git rebase -i {commit}~, mark it `reword`"),
        None => format!(
            "git rebase -i {}/{}, mark it `reword`",
            context.remote, context.branch
        ),
    }
}

#[cfg(test)]
mod tests;
