//! Where a push goes: remote, URL, project and branch, found without being told.
//!
//! The order: what was asked for, the `[gerrit]` table of the pipeline, the repository's own git configuration
//! (`gitreview.*`), `.gitreview`, the user's git configuration, what git itself would take. The user's own repository
//! configuration comes before the file, since anybody who can make a commit can change the file. For the branch alone the
//! table comes after `gitreview.*` and `.gitreview`: the file is the checked out branch's own, the table stands for all.

mod gitreview;
mod resolve;
mod url;

use crate::config::Gerrit;

pub use gitreview::{GitReview, MalformedGitReview};
pub use resolve::{DestinationError, remote_with_url, resolve};
pub use url::{PushUrl, Transport, UnusableUrl};

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// A remote's name or a URL.
    pub remote: Option<String>,
    /// The target branch, without `refs/heads/`.
    pub branch: Option<String>,
    /// The pipeline's table.
    pub table: Gerrit,
    /// The project's name, where the pipeline says it.
    pub project: Option<String>,
    /// The push goes to the branch itself, not to review.
    pub direct: bool,
}

/// Where a push goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The remote's name; none when it goes to a URL that no remote has.
    pub remote: Option<String>,
    /// Where git connects to.
    pub url: PushUrl,
    /// The target branch, without `refs/heads/`.
    pub branch: String,
}

impl Destination {
    /// What `git push` is given as the repository.
    pub fn repository(&self) -> &str {
        self.remote.as_deref().unwrap_or(self.url.for_git())
    }

    /// The ref of the target branch as this repository knows it.
    pub fn tracking(&self) -> Option<String> {
        let remote = self.remote.as_ref()?;
        Some(format!("refs/remotes/{remote}/{}", self.branch))
    }

    /// The ref that is pushed to, without options.
    pub fn reference(&self, direct: bool) -> String {
        match direct {
            true => format!("refs/heads/{}", self.branch),
            false => format!("refs/for/{}", self.branch),
        }
    }
}
