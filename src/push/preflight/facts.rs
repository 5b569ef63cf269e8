//! Gathers the facts for the preflight.

use std::collections::BTreeSet;

use crate::gerrit::change_id::LinkServer;
use crate::gerrit::remote::Destination;
use crate::git::configuration::Configuration;
use crate::git::context::GitContext;
use crate::git::range;
use crate::git::range::Commit;
use crate::git::{GitError, Repository};

/// Largest number of commits to read. More commits mean a wrong base, not a stack.
pub const MANY: usize = 200;

/// The facts about a push.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommitFacts {
    /// The commits to push, oldest first; empty for more than 200.
    pub commits: Vec<Commit>,
    /// The number of commits to push.
    pub count: usize,
    /// The commit at the tip.
    pub tip: String,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// The unfinished operation: `rebase`, `merge`, …
    pub unfinished: Option<&'static str>,
    /// The target as `REMOTE/BRANCH`.
    pub target: String,
    /// The name of the remote, if it has one.
    pub remote: Option<String>,
    /// The URL of the remote, without credentials.
    pub url: String,
    /// The target branch.
    pub target_branch: String,
    /// True if a fetch from the remote brings the target branch.
    pub is_fetched: bool,
    /// The commit of the target branch after the last fetch; `None` if this repository does not
    /// have it.
    pub target_commit: Option<String>,
    /// The latest common ancestor of target and tip.
    pub merge_base: Option<String>,
    /// The parent of the first commit and a branch that has it, if it is not on the target branch.
    pub foreign_base: Option<(String, String)>,
    /// The boundary of a shallow clone: commits whose parents this repository lacks.
    pub boundary: BTreeSet<String>,
    /// The server whose links name changes.
    pub links: LinkServer,
    /// The e-mail address git would commit with.
    pub email: Option<String>,
}

/// Gathers the facts of a repository. With `bases` the range begins there, whatever is published.
///
/// # Errors
/// [`GitError`].
pub fn gather(
    context: &GitContext,
    destination: &Destination,
    tip: &str,
    bases: &[&str],
) -> Result<CommitFacts, GitError> {
    let repository = &context.repository;
    let remote = destination.remote.as_deref();
    let oids = match bases {
        [] => range::unpublished(repository, tip, remote)?,
        bases => range::above(repository, tip, bases)?,
    };
    let commits = match oids.len() {
        0 => Vec::new(),
        1..=MANY => range::read(repository, &oids)?,
        _ => Vec::new(),
    };
    let target_commit = match destination.tracking() {
        Some(tracking) => repository.commit(&tracking)?,
        None => None,
    };
    let merge_base = match &target_commit {
        Some(target) => repository.find(["merge-base", target, tip])?,
        None => None,
    };
    let foreign_base = foreign_base(repository, &commits, merge_base.as_deref(), destination)?;
    Ok(CommitFacts {
        count: oids.len(),
        commits,
        tip: tip.to_owned(),
        branch: context.branch.clone(),
        unfinished: context.unfinished,
        target: match remote {
            Some(remote) => format!("{remote}/{}", destination.branch),
            None => destination.branch.clone(),
        },
        remote: remote.map(str::to_owned),
        url: destination.url.to_string(),
        target_branch: destination.branch.clone(),
        is_fetched: is_fetched(&context.configuration, destination),
        target_commit,
        merge_base,
        foreign_base,
        links: LinkServer {
            review_url: (context.configuration.get("gerrit.reviewUrl")).map(str::to_owned),
            host: destination.url.host.clone(),
        },
        boundary: context.boundary.clone(),
        email: context.configuration.get("user.email").map(str::to_owned),
    })
}

/// Returns true if a refspec of the remote leads from the target branch to the ref that stands for
/// it here. A bare clone has none, and a clone of a single branch only that.
fn is_fetched(configuration: &Configuration, destination: &Destination) -> bool {
    let (Some(remote), Some(tracking)) = (&destination.remote, destination.tracking()) else {
        return false;
    };
    let branch = format!("refs/heads/{}", destination.branch);
    let key = format!("remote.{remote}.fetch");
    let leads = |refspec: &str| {
        let (from, to) = refspec.trim_start_matches('+').split_once(':')?;
        let rest = match from.strip_suffix('*') {
            Some(begin) => branch.strip_prefix(begin)?,
            None => (from == branch).then_some("")?,
        };
        Some(to.replacen('*', rest, 1) == tracking)
    };
    configuration
        .all(&key)
        .any(|refspec| leads(refspec) == Some(true))
}

/// Returns the parent of the range, if the target branch does not have it.
fn foreign_base(
    repository: &Repository,
    commits: &[Commit],
    merge_base: Option<&str>,
    destination: &Destination,
) -> Result<Option<(String, String)>, GitError> {
    let (Some(oldest), Some(merge_base), Some(tracking)) =
        (commits.first(), merge_base, destination.tracking())
    else {
        return Ok(None);
    };
    let Some(base) = oldest.parents.first() else {
        return Ok(None);
    };
    if base == merge_base {
        return Ok(None);
    }
    let output = repository.answer(["merge-base", "--is-ancestor", base, &tracking])?;
    if output.status.success() {
        return Ok(None);
    }
    let holders = repository.text([
        "for-each-ref",
        "--contains",
        base,
        "--format=%(refname:short)",
        "refs/remotes",
    ])?;
    let holder = holders.lines().next().unwrap_or(base).to_owned();
    Ok(Some((base.clone(), holder)))
}
