//! Resolves the destination of a push.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use super::{Destination, GitReview, MalformedGitReview, PushUrl, Request, UnusableUrl};
use crate::config::closest;
use crate::fs;
use crate::git::context::GitContext;
use crate::git::{GitError, Repository};

/// The most bytes of a `.gitreview`; it has a few lines.
const LARGEST: u64 = 1 << 20;

/// An error of finding the destination.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// There is no remote, and no setting that names Gerrit.
    #[error(
        "{directory} has no remote, and neither .gitreview nor the configuration names one: `git remote add origin URL`, or `kata-ci push URL`"
    )]
    NoRemote {
        /// The repository.
        directory: String,
    },
    /// There are several remotes, and none of them stands out.
    #[error(
        "which remote? This repository has {0}: `kata-ci push REMOTE`, or `git config gitreview.remote REMOTE`"
    )]
    Ambiguous(String),
    /// There is no remote with this name.
    #[error("there is no remote `{name}`{}", suggestion.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownRemote {
        /// The given name.
        name: String,
        /// A similar name.
        suggestion: Option<String>,
    },
    /// The remote has several URLs to push to.
    #[error(
        "remote `{0}` has several URLs to push to (`git remote get-url --push --all {0}`): a review has one place; give the URL itself"
    )]
    SeveralUrls(String),
    /// The URL cannot be pushed to.
    #[error(transparent)]
    Url(#[from] UnusableUrl),
    /// Git does not allow the name of the branch.
    #[error("`{0}` is no name of a branch (see `git help check-ref-format`)")]
    Branch(String),
    /// No setting names the branch.
    #[error(
        "which branch? Neither .gitreview, `git config gitreview.branch`, `refs/remotes/{0}/HEAD` nor a branch `master` or `main` of the remote says: `--branch BRANCH`"
    )]
    NoBranch(String),
    /// A direct push is not possible from a detached HEAD.
    #[error(
        "HEAD is detached, so no branch names the target: `--branch BRANCH`, or check a branch out"
    )]
    Detached,
    /// The file cannot be read.
    #[error(transparent)]
    GitReview(#[from] MalformedGitReview),
    /// The file is there and cannot be read.
    #[error("{} cannot be read: {source}; it is the file of git-review", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Finds the destination of a push.
///
/// # Errors
///
/// [`DestinationError`].
pub fn resolve(context: &GitContext, request: &Request) -> Result<Destination, DestinationError> {
    let search = DestinationSearch::new(context, request)?;
    let (remote, url) = search.target()?;
    let branch = search.branch(remote.as_deref(), &url)?;
    let branch = branch
        .strip_prefix("refs/heads/")
        .unwrap_or(&branch)
        .to_owned();
    match is_branch(search.repository, &branch)? {
        true => Ok(Destination {
            remote,
            url,
            branch,
        }),
        false => Err(DestinationError::Branch(branch.escape_debug().to_string())),
    }
}

/// Returns true if git allows the name of the branch. Names of letters, digits and a few other
/// characters are known to be valid; git is asked about others. `%` would begin the options of the
/// push.
fn is_branch(repository: &Repository, name: &str) -> Result<bool, GitError> {
    if name.starts_with('-') || name.contains('%') {
        return Ok(false);
    }
    let plain = |part: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !part.is_empty() && part.bytes().all(good)
    };
    if name.split('/').all(plain) {
        return Ok(true);
    }
    let full = format!("refs/heads/{name}");
    Ok(repository
        .answer(["check-ref-format", &full])?
        .status
        .success())
}

/// The state of the search.
struct DestinationSearch<'a> {
    repository: &'a Repository,
    context: &'a GitContext,
    request: &'a Request,
    file: GitReview,
    remotes: Vec<&'a str>,
}

impl<'a> DestinationSearch<'a> {
    fn new(context: &'a GitContext, request: &'a Request) -> Result<Self, DestinationError> {
        let path = context.root.join(".gitreview");
        let file = match fs::read(&path, LARGEST) {
            Ok(bytes) => GitReview::parse(&String::from_utf8_lossy(&bytes))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => GitReview::default(),
            Err(source) => return Err(DestinationError::Unreadable { path, source }),
        };
        Ok(Self {
            repository: &context.repository,
            remotes: context.configuration.remotes(),
            context,
            request,
            file,
        })
    }

    /// Returns the repository's own `gitreview.KEY`, else the file's key, else the user's
    /// `gitreview.KEY`.
    fn review(&self, key: &str, key_in_file: &str) -> Option<String> {
        let name = format!("gitreview.{key}");
        let configuration = &self.context.configuration;
        configuration
            .own(&name)
            .or_else(|| self.file.get(key_in_file))
            .or_else(|| configuration.get(&name))
            .map(str::to_owned)
    }

    fn target(&self) -> Result<(Option<String>, PushUrl), DestinationError> {
        if let Some(asked) = self
            .request
            .remote
            .as_ref()
            .or(self.request.table.remote.as_ref())
        {
            return self.named(asked);
        }
        if let Some(base) = self
            .request
            .table
            .url
            .as_ref()
            .filter(|_| !self.request.direct)
        {
            return self.below(base);
        }
        if let Some(name) = self.remote_of_review() {
            return self.named(&name);
        }
        if let Some(url) = self.url_of_review().filter(|_| !self.request.direct) {
            return self.by_url(&url);
        }
        let name = self.usual_remote()?;
        self.named(&name)
    }

    /// Returns the remote that git-review would use, if there is one.
    fn remote_of_review(&self) -> Option<String> {
        if self.request.direct {
            return None;
        }
        let named = self
            .review("remote", "defaultremote")
            .unwrap_or("gerrit".to_owned());
        self.remotes.contains(&named.as_str()).then_some(named)
    }

    /// Builds the URL from host, port and project.
    fn url_of_review(&self) -> Option<String> {
        let (host, project) = (
            self.review("host", "host")?,
            self.review("project", "project")?,
        );
        let scheme = self.review("scheme", "scheme").unwrap_or("ssh".to_owned());
        let port = match (self.review("port", "port"), scheme.as_str()) {
            (Some(port), _) => format!(":{port}"),
            (None, "ssh") => ":29418".to_owned(),
            (None, _) => String::new(),
        };
        let user = self.review("username", "username");
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        Some(format!("{scheme}://{user}{host}{port}/{project}"))
    }

    /// Returns the remote that git itself would push to.
    fn usual_remote(&self) -> Result<String, DestinationError> {
        let mut keys = vec!["remote.pushDefault".to_owned()];
        if let Some(branch) = &self.context.branch {
            keys.insert(0, format!("branch.{branch}.pushRemote"));
            keys.push(format!("branch.{branch}.remote"));
        }
        let mut configured = keys
            .iter()
            .filter_map(|key| self.context.configuration.get(key));
        if let Some(name) = configured.find(|name| self.remotes.contains(name)) {
            return Ok(name.to_owned());
        }
        match self.remotes.as_slice() {
            remotes if remotes.contains(&"origin") => Ok("origin".to_owned()),
            [only] => Ok((*only).to_owned()),
            [] => Err(DestinationError::NoRemote {
                directory: self.repository.directory().display().to_string(),
            }),
            several => Err(DestinationError::Ambiguous(several.join(", "))),
        }
    }

    fn named(&self, name: &str) -> Result<(Option<String>, PushUrl), DestinationError> {
        if self.remotes.contains(&name) {
            return Ok((Some(name.to_owned()), self.url_of(name)?));
        }
        let looks_like_url = name.contains(['/', ':']) || name.starts_with('-');
        match looks_like_url {
            true => self.by_url(name),
            false => Err(DestinationError::UnknownRemote {
                name: name.escape_debug().to_string(),
                suggestion: closest(name, self.remotes.iter().copied())
                    .or(self.remotes.first().copied())
                    .map(str::to_owned),
            }),
        }
    }

    fn url_of(&self, remote: &str) -> Result<PushUrl, DestinationError> {
        let urls = push_urls(self.context, remote)?;
        match urls.as_slice() {
            [url] => Ok(url.parse()?),
            _ => Err(DestinationError::SeveralUrls(remote.to_owned())),
        }
    }

    /// Parses a URL, and finds the remote that has it.
    fn by_url(&self, raw: &str) -> Result<(Option<String>, PushUrl), DestinationError> {
        let url: PushUrl = raw.parse()?;
        Ok((remote_with_url(self.context, raw)?, url))
    }

    /// Returns the server's URL with the project behind it: the pipeline's, the configured one, or
    /// that of the usual remote.
    fn below(&self, base: &str) -> Result<(Option<String>, PushUrl), DestinationError> {
        let said = self.request.project.clone();
        let project = match said.or_else(|| self.review("project", "project")) {
            Some(project) => project,
            None => self.url_of(&self.usual_remote()?)?.project(),
        };
        self.by_url(&format!("{}/{project}", base.trim_end_matches('/')))
    }

    fn branch(&self, remote: Option<&str>, url: &PushUrl) -> Result<String, DestinationError> {
        if let Some(branch) = self.request.branch.as_ref() {
            return Ok(branch.clone());
        }
        if self.request.direct {
            return self
                .context
                .branch
                .clone()
                .ok_or(DestinationError::Detached);
        }
        let review = self.review("branch", "defaultbranch");
        if let Some(branch) = review.or_else(|| self.request.table.branch.clone()) {
            return Ok(branch);
        }
        let remote = remote.unwrap_or("origin");
        self.usual_branch(remote, url)?
            .ok_or_else(|| DestinationError::NoBranch(remote.to_owned()))
    }

    /// Returns kata's own branch for the project if the remote has it, else the remote's HEAD, else
    /// `master` or `main`.
    fn usual_branch(&self, remote: &str, url: &PushUrl) -> Result<Option<String>, GitError> {
        let prefix = format!("refs/remotes/{remote}/");
        let patterns = ["HEAD", "master", "main"].map(|name| format!("{prefix}{name}"));
        let format = "--format=%(symref) %(refname)".to_owned();
        let arguments = ["for-each-ref".to_owned(), format]
            .into_iter()
            .chain(patterns);
        let listed = self.repository.text(arguments)?;
        let found: BTreeMap<&str, &str> = listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(target, name)| Some((name.strip_prefix(&prefix)?, target)))
            .collect();
        if let Some(branch) = branch_of_kata(&url.project())
            && found.contains_key(branch)
        {
            return Ok(Some(branch.to_owned()));
        }
        let head = found
            .get("HEAD")
            .and_then(|target| target.strip_prefix(&prefix));
        let usual = ["master", "main"]
            .into_iter()
            .find(|name| found.contains_key(name));
        Ok(head.or(usual).map(str::to_owned))
    }
}

/// Returns the branch that kata develops a project on: `master` for the repositories of v1, `main`
/// for the monorepo.
fn branch_of_kata(project: &str) -> Option<&'static str> {
    match project.rsplit('/').next()? {
        "runtime" | "agent" | "shim" | "proxy" => Some("master"),
        "kata-containers" => Some("main"),
        _ => None,
    }
}

/// Returns the URLs that git pushes to for a remote.
pub(super) fn push_urls(context: &GitContext, remote: &str) -> Result<Vec<String>, GitError> {
    let configuration = &context.configuration;
    if configuration.rewrites_urls() {
        let arguments = ["remote", "get-url", "--push", "--all", "--", remote];
        let urls = context.repository.text(arguments)?;
        return Ok(urls.lines().map(str::to_owned).collect());
    }
    let of = |key: &str| -> Vec<String> {
        configuration
            .all(&format!("remote.{remote}.{key}"))
            .map(str::to_owned)
            .collect()
    };
    let push = of("pushurl");
    Ok(if push.is_empty() { of("url") } else { push })
}

/// Finds the remote with this URL for fetching or pushing, as it is configured or as git rewrites
/// it.
///
/// # Errors
///
/// [`GitError`].
pub fn remote_with_url(context: &GitContext, url: &str) -> Result<Option<String>, GitError> {
    for name in context.configuration.remotes() {
        let key = format!("remote.{name}.url");
        let configured = context.configuration.all(&key).any(|one| same(one, url));
        if configured || push_urls(context, name)?.iter().any(|one| same(one, url)) {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
}

/// Returns true if two URLs mean the same repository. They may differ in spelling (`.git`, a slash
/// at the end).
fn same(one: &str, other: &str) -> bool {
    let bare = |url: &str| {
        let url = url.trim_end_matches('/');
        url.strip_suffix(".git").unwrap_or(url).to_owned()
    };
    bare(one) == bare(other)
}
