//! The hook pre-push: lets checked commits through and stops the rest.
//!
//! git passes the name and URL of the remote as arguments (the URL twice if the remote has no
//! name). On standard input it passes a line for each ref: `LOCAL_REF LOCAL_OID REMOTE_REF
//! REMOTE_OID`. For `refs/for/…` the remote's oid is always zero, so a commit is new if no branch
//! of the remote has it. The connection is open meanwhile, so the hook must be quick.
//!
//! Only pushes to review are checked. Direct pushes of branches and tags pass; `kata-ci push
//! --direct` checks those. Without a Gerrit there is no review, and each branch that is pushed is
//! checked; see [`Guard`].

use std::ffi::OsString;

use super::chained::{HookCall, KeptError};
use super::guard::Guard;
use super::hook::Hook;
use super::hook_file::HookFile;
use crate::env::Environment;
use crate::gerrit::remote::remote_with_url;
use crate::git::context::GitContext;
use crate::git::range::unpublished;
use crate::git::{GitError, Repository};
use crate::model::ExitCode;
use crate::push::check::{Check, CheckRequest, CheckResult, RunCheck};
use crate::push::send::CHECKED;

/// A line of standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedRef {
    /// The name of what is pushed; `(delete)` for a deletion, `HEAD` or a hash if that was given.
    pub local: String,
    /// The commit; all zeros for a deletion.
    pub oid: String,
    /// The ref at the remote, with the options after `%`.
    pub remote: String,
}

/// An error that stops the push.
#[derive(Debug, thiserror::Error)]
pub enum PrePushError {
    /// The line does not have git's format.
    #[error("git gave the hook pre-push a line that is none of its own: `{0}`")]
    Line(String),
    /// git could not tell which commits are new.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The kept hook refused.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The setting has an unknown value.
    #[error(
        "git config kata-ci.prePush is `{0}`: it can be `stop` (so it is without it) or `check`"
    )]
    Setting(String),
}

/// The verdict on a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrePushVerdict {
    /// Nothing stops the push.
    Pass,
    /// These refs were not checked.
    NotChecked(Vec<UncheckedRef>),
    /// The hook made the check itself, up to the first commit that did not pass.
    Checked {
        /// A text for each commit.
        said: Vec<String>,
        /// The exit code of the last run.
        exit: ExitCode,
    },
}

/// A pushed ref with a commit that has not passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncheckedRef {
    /// The ref at the remote, with the options after `%`.
    pub remote: String,
    /// The commit.
    pub oid: String,
    /// The branch that the commit is compared with: the target of the review.
    pub branch: String,
    /// The number of new commits.
    pub new: usize,
}

impl PushedRef {
    /// Parses a line.
    ///
    /// # Errors
    /// [`PrePushError::Line`].
    pub fn parse(line: &str) -> Result<Self, PrePushError> {
        let words: Vec<_> = line.split(' ').collect();
        let hash =
            |word: &str| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        match words.as_slice() {
            [local, oid, remote, old] if hash(oid) && hash(old) => Ok(Self {
                local: (*local).to_owned(),
                oid: (*oid).to_owned(),
                remote: (*remote).to_owned(),
            }),
            _ => Err(PrePushError::Line(line.escape_debug().to_string())),
        }
    }

    /// Returns true if the ref is deleted.
    pub fn is_deletion(&self) -> bool {
        self.oid.bytes().all(|byte| byte == b'0')
    }

    /// Returns the target branch of the review, without options.
    pub fn review_branch(&self) -> Option<&str> {
        let rest = self.remote.strip_prefix("refs/for/")?;
        let branch = rest.split('%').next().unwrap_or(rest);
        Some(branch.strip_prefix("refs/heads/").unwrap_or(branch))
    }
}

/// A call of the hook.
#[derive(Debug)]
pub(crate) struct PrePush {
    /// The name of the remote, or its URL if it has none.
    pub name: String,
    /// The URL of the remote.
    pub url: String,
    /// The standard input.
    pub input: Vec<u8>,
    /// True if the installed script calls, which stands for the kept hook too.
    pub chain: bool,
}

impl PrePush {
    /// Reads the call from the variables that pre-commit and prek set for a hook of their
    /// configuration, which gets neither git's arguments nor its input. They tell one ref only.
    pub fn of_pre_commit(environment: &Environment) -> Option<Self> {
        let text = |name: &str| {
            let value = environment.variable(format!("PRE_COMMIT_{name}"))?;
            Some(value.to_string_lossy().into_owned())
        };
        let (local, oid, remote) = (
            text("LOCAL_BRANCH")?,
            text("TO_REF")?,
            text("REMOTE_BRANCH")?,
        );
        let zero = "0".repeat(oid.len());
        Some(Self {
            name: text("REMOTE_NAME")?,
            url: text("REMOTE_URL")?,
            input: format!("{local} {oid} {remote} {zero}\n").into_bytes(),
            chain: false,
        })
    }
}

/// Runs the hook: calls the kept one, looks for stamps, and with `git config kata-ci.prePush check`
/// makes the check, while the connection is open.
///
/// # Errors
/// [`PrePushError`].
pub(crate) fn pre_push(
    repository: &Repository,
    guard: &Guard,
    push: &PrePush,
    check: &RunCheck<'_>,
) -> Result<PrePushVerdict, PrePushError> {
    let call = HookCall {
        place: &HookFile::of(repository, Hook::PrePush)?,
        arguments: &[&push.name, &push.url].map(OsString::from),
        input: &push.input,
        chain: push.chain,
    };
    if call.is_nested() {
        return Ok(PrePushVerdict::Pass);
    }
    call.call_kept()?;
    let is_checked = |oid: &str, branch: &str| check.stamps(repository, oid, branch).is_some();
    let unchecked = unchecked(repository, guard, push, &is_checked)?;
    Ok(match unchecked.is_empty() {
        true => PrePushVerdict::Pass,
        false if checks_itself(repository)? => check_all(repository, &unchecked, check),
        false => PrePushVerdict::NotChecked(unchecked),
    })
}

fn checks_itself(repository: &Repository) -> Result<bool, PrePushError> {
    match repository.config("kata-ci.prePush")?.as_deref() {
        Some("check") => Ok(true),
        None | Some("stop") => Ok(false),
        Some(other) => Err(PrePushError::Setting(other.to_owned())),
    }
}

fn check_all(repository: &Repository, refs: &[UncheckedRef], check: &dyn Check) -> PrePushVerdict {
    let mut said = Vec::new();
    for one in refs {
        let result = check.check(&CheckRequest {
            repository,
            tip: &one.oid,
            commits: &[],
            each: false,
            branch: &one.branch,
        });
        match result {
            CheckResult::Passed(passed) => said.push(passed),
            CheckResult::NotPassed(failed, exit) => {
                said.push(failed);
                return PrePushVerdict::Checked { said, exit };
            }
        }
    }
    PrePushVerdict::Checked {
        said,
        exit: ExitCode::Success,
    }
}

/// Returns the refs that bring new commits and have not passed by `is_checked`.
fn unchecked(
    repository: &Repository,
    guard: &Guard,
    push: &PrePush,
    is_checked: &dyn Fn(&str, &str) -> bool,
) -> Result<Vec<UncheckedRef>, PrePushError> {
    let refs: Vec<_> = String::from_utf8_lossy(&push.input)
        .lines()
        .map(PushedRef::parse)
        .collect::<Result<_, _>>()?;
    let mut unchecked = Vec::new();
    let mut remote = None;
    for one in refs.iter().filter(|one| !one.is_deletion()) {
        let bases = guard.bases(one);
        let Some(branch) = bases.first() else {
            continue;
        };
        if announced(&one.oid) || bases.iter().any(|base| is_checked(&one.oid, base)) {
            continue;
        }
        let remote = match &remote {
            Some(known) => known,
            None => remote.insert(remote_of(repository, &push.name, &push.url)?),
        };
        let new = unpublished(repository, &one.oid, remote.as_deref())?.len();
        // Commits on a branch of the remote have been checked by its own rules.
        if new > 0 {
            unchecked.push(UncheckedRef {
                remote: one.remote.clone(),
                oid: one.oid.clone(),
                branch: branch.clone(),
                new,
            });
        }
    }
    Ok(unchecked)
}

impl Guard {
    /// Returns the branches that a run of this commit may have compared with; none if the ref is
    /// not guarded.
    fn bases(&self, pushed: &PushedRef) -> Vec<String> {
        if let Some(branch) = pushed.review_branch() {
            return vec![branch.to_owned()];
        }
        match (self, pushed.remote.strip_prefix("refs/heads/")) {
            (Self::Branches { base }, Some(branch)) => vec![base.clone(), branch.to_owned()],
            _ => Vec::new(),
        }
    }
}

/// Returns the name of the remote; for a push by URL, that of the remote with this URL.
fn remote_of(repository: &Repository, name: &str, url: &str) -> Result<Option<String>, GitError> {
    match name == url {
        true => remote_with_url(&GitContext::of(repository)?, url),
        false => Ok(Some(name.to_owned())),
    }
}

/// Returns true if `kata-ci push` makes this push and has checked this commit.
fn announced(oid: &str) -> bool {
    std::env::var(CHECKED).is_ok_and(|checked| checked == oid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OID: &str = "1111111111111111111111111111111111111111";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    fn read(remote: &str) -> PushedRef {
        PushedRef::parse(&format!("HEAD {OID} {remote} {ZERO}")).unwrap()
    }

    #[test]
    fn the_branch_is_found_behind_options_and_full_names() {
        for (remote, branch) in [
            ("refs/for/master", Some("master")),
            ("refs/for/master%topic=a,wip", Some("master")),
            ("refs/for/refs/heads/stable-1.x", Some("stable-1.x")),
            ("refs/for/a/b%l=Verified+1", Some("a/b")),
            ("refs/heads/master", None),
            ("refs/tags/refs/for/x", None),
        ] {
            assert_eq!(read(remote).review_branch(), branch, "{remote}");
        }
    }

    #[test]
    fn deletions_are_told_and_other_lines_refused() {
        let deletion = PushedRef::parse(&format!("(delete) {ZERO} refs/heads/x {OID}")).unwrap();
        assert!(deletion.is_deletion());
        for line in ["", "a b c", "HEAD nothex refs/heads/x 0", "a b c d e"] {
            assert!(PushedRef::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn without_a_gerrit_branches_are_guarded_too() {
        let guard = Guard::Branches {
            base: "main".to_owned(),
        };
        assert_eq!(guard.bases(&read("refs/heads/a/b")), ["main", "a/b"]);
        assert_eq!(guard.bases(&read("refs/for/stable%wip")), ["stable"]);
        assert!(guard.bases(&read("refs/tags/v1")).is_empty());
        let reviews = Guard::Reviews(".gitreview".to_owned());
        assert!(reviews.bases(&read("refs/heads/a")).is_empty());
    }

    #[test]
    fn the_variables_of_pre_commit_are_a_line_of_git() {
        let mut environment = Environment::default();
        assert!(PrePush::of_pre_commit(&environment).is_none());
        for (name, value) in [
            ("LOCAL_BRANCH", "refs/heads/x"),
            ("TO_REF", OID),
            ("REMOTE_BRANCH", "refs/for/master"),
            ("REMOTE_NAME", "origin"),
            ("REMOTE_URL", "/o"),
        ] {
            environment.set(format!("PRE_COMMIT_{name}"), value);
        }
        let push = PrePush::of_pre_commit(&environment).unwrap();
        let line = String::from_utf8(push.input).unwrap();
        let line = PushedRef::parse(line.trim_end()).unwrap();
        assert_eq!(
            (line.oid.as_str(), line.review_branch()),
            (OID, Some("master"))
        );
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,60}|[0-9a-f ]{80,130}") {
            let _ = PushedRef::parse(&line);
        }
    }
}
