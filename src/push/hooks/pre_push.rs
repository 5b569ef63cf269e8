//! The hook pre-push: lets through what was checked, and stops what was not.
//!
//! git gives it the remote's name and URL (the URL twice where no remote was named) and, on standard input, a line a ref:
//! `LOCAL_REF LOCAL_OID REMOTE_REF REMOTE_OID`. For `refs/for/…` the remote's oid is always zero, so what is new is what
//! no branch of that remote has. The connection is open meanwhile, so nothing lasting is done here.
//!
//! Looked at is what goes to review. Branches and tags pushed to directly are let by: `kata-ci push --direct` is the way
//! that checks those.

use std::ffi::OsString;

use super::chained::{KeptError, call_kept};
use super::hook_file::{Hook, HookFile};
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
    /// What is pushed, by name; `(delete)` for a deletion, `HEAD` or a hash where that was given.
    pub local: String,
    /// The commit; all zeros for a deletion.
    pub oid: String,
    /// The ref at the remote, with the options behind `%`.
    pub remote: String,
}

/// What cannot be judged; the push is stopped then.
#[derive(Debug, thiserror::Error)]
pub enum PrePushError {
    /// A line that is not git's.
    #[error("git gave the hook pre-push a line that is none of its own: `{0}`")]
    Line(String),
    /// git could not say what is new.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The hook that was there before said no.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The setting has a value that means nothing.
    #[error(
        "git config kata-ci.prePush is `{0}`: it can be `stop` (so it is without it) or `check`"
    )]
    Setting(String),
}

/// The hook's answer to a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrePushVerdict {
    /// Nothing speaks against it.
    Pass,
    /// These were not checked.
    NotChecked(Vec<UncheckedRef>),
    /// The hook made the check itself: what it says of each commit, up to the first that did not pass.
    Checked {
        /// In words.
        said: Vec<String>,
        /// That of the last run.
        exit: ExitCode,
    },
}

/// A pushed ref whose commit has not passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncheckedRef {
    /// The ref at the remote, with the options behind `%`.
    pub remote: String,
    /// The commit.
    pub oid: String,
    /// The branch it goes to review for.
    pub branch: String,
    /// The number of commits that are new.
    pub new: usize,
}

impl PushedRef {
    /// Reads a line.
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

    /// Whether it deletes.
    pub fn is_deletion(&self) -> bool {
        self.oid.bytes().all(|byte| byte == b'0')
    }

    /// The branch it goes to review for, without options.
    pub fn review_branch(&self) -> Option<&str> {
        let rest = self.remote.strip_prefix("refs/for/")?;
        let branch = rest.split('%').next().unwrap_or(rest);
        Some(branch.strip_prefix("refs/heads/").unwrap_or(branch))
    }
}

/// Answers the hook: calls the one that was there before, looks for stamps, and with `git config kata-ci.prePush check` makes
/// the check, with the connection open meanwhile. `name` and `url` are the hook's arguments, `input` its standard input.
///
/// # Errors
/// [`PrePushError`].
pub(crate) fn pre_push(
    repository: &Repository,
    name: &str,
    url: &str,
    input: &[u8],
    check: &RunCheck<'_>,
) -> Result<PrePushVerdict, PrePushError> {
    let hook = HookFile::of(repository, Hook::PrePush)?;
    call_kept(&hook, &[OsString::from(name), OsString::from(url)], input)?;
    let input = String::from_utf8_lossy(input);
    let is_checked = |oid: &str, branch: &str| check.stamps(repository, oid, branch).is_some();
    let unchecked = unchecked(repository, name, url, &input, &is_checked)?;
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

/// The refs that bring something new to review of which `is_checked` does not say that it has passed for its branch.
fn unchecked(
    repository: &Repository,
    name: &str,
    url: &str,
    input: &str,
    is_checked: &dyn Fn(&str, &str) -> bool,
) -> Result<Vec<UncheckedRef>, PrePushError> {
    let refs: Vec<_> = input
        .lines()
        .map(PushedRef::parse)
        .collect::<Result<_, _>>()?;
    let mut unchecked = Vec::new();
    let mut remote = None;
    for one in refs.iter().filter(|one| !one.is_deletion()) {
        let Some(branch) = one.review_branch() else {
            continue;
        };
        if announced(&one.oid) || is_checked(&one.oid, branch) {
            continue;
        }
        let remote = match &remote {
            Some(known) => known,
            None => remote.insert(remote_of(repository, name, url)?),
        };
        let new = unpublished(repository, &one.oid, remote.as_deref())?.len();
        // What a branch of the remote has already went through whatever it had to.
        if new > 0 {
            unchecked.push(UncheckedRef {
                remote: one.remote.clone(),
                oid: one.oid.clone(),
                branch: branch.to_owned(),
                new,
            });
        }
    }
    Ok(unchecked)
}

/// The remote's name; for a push by URL that of the remote which has the URL, if one has.
fn remote_of(repository: &Repository, name: &str, url: &str) -> Result<Option<String>, GitError> {
    match name == url {
        true => remote_with_url(&GitContext::of(repository)?, url),
        false => Ok(Some(name.to_owned())),
    }
}

/// `kata-ci push` is what pushes, and has dealt with this commit.
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

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,60}|[0-9a-f ]{80,130}") {
            let _ = PushedRef::parse(&line);
        }
    }
}
