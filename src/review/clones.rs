//! The operator's clones: which repository is of which project, and fetching from its server.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::gerrit::depends;
use crate::gerrit::remote::PushUrl;
use crate::gerrit::rest::BaseUrl;
use crate::git::Repository;
use crate::model::CommandError;

/// The pauses before another try of a fetch: a replica lags by seconds.
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// A clone of a project.
#[derive(Debug, Clone)]
pub(super) struct ProjectClone {
    /// The top of the work tree.
    pub top: PathBuf,
    /// The repository.
    pub repository: Repository,
    /// The name of the remote.
    pub remote: String,
    /// The URL of the remote.
    pub url: PushUrl,
}

/// Returns the clones at a directory: the one it lies in and those beside that, else those below.
/// Their paths are absolute: those of the pipeline's components are held against them.
pub(super) fn clones(directory: &Path, repository: &Repository) -> Vec<ProjectClone> {
    let top = repository.clone().in_directory(directory).top_level().ok();
    let around = match &top {
        Some(top) => top.parent().map(Path::to_owned),
        None => Some(directory.to_owned()),
    };
    let entries = around.and_then(|around| around.read_dir().ok());
    let mut places: Vec<_> = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|one| one.path().canonicalize().ok())
        .collect();
    places.retain(|path| path.join(".git").exists() && Some(path) != top.as_ref());
    places.sort();
    let all = top.into_iter().chain(places);
    all.filter_map(|top| one(&top, repository)).collect()
}

fn one(top: &Path, repository: &Repository) -> Option<ProjectClone> {
    let repository = repository.clone().in_directory(top);
    let remotes = repository.remotes().ok()?;
    let mut names: Vec<&str> = ["gerrit", "origin"].to_vec();
    names.retain(|name| remotes.iter().any(|remote| remote == name));
    let remote = names
        .first()
        .copied()
        .or(remotes.first().map(String::as_str))?
        .to_owned();
    let url = repository
        .text(["remote", "get-url", &remote])
        .ok()?
        .parse()
        .ok()?;
    Some(ProjectClone {
        top: top.to_owned(),
        repository,
        remote,
        url,
    })
}

/// Finds the clone of a project: by its whole name, else by the last part of it if only one fits.
pub(super) fn of_project<'a>(
    clones: &'a [ProjectClone],
    project: &str,
) -> Option<&'a ProjectClone> {
    let last = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    // The path of a server comes before the project in some URLs.
    let is_whole = |one: &&ProjectClone| {
        let known = one.url.project();
        known == project || known.ends_with(&format!("/{project}"))
    };
    if let Some(found) = clones.iter().find(is_whole) {
        return Some(found);
    }
    let mut similar = clones
        .iter()
        .filter(|one| last(&one.url.project()) == last(project));
    similar.next().filter(|_| similar.next().is_none())
}

impl ProjectClone {
    /// Fetches a ref until the repository has the commit. No ref is written. The remote may be a
    /// replica that lags, so the primary is asked as well, a few times.
    pub fn fetch(
        &self,
        reference: &str,
        commit: &str,
        project: &str,
        server: &BaseUrl,
    ) -> Result<(), CommandError> {
        let mut last = None;
        let objects = self.repository.path("--git-common-dir")?;
        let objects = self.repository.directory().join(objects).join("objects");
        let primary = primary(server, project);
        for pause in PAUSES {
            thread::sleep(pause);
            for url in [Some(&self.url), primary.as_ref()].into_iter().flatten() {
                if self.repository.commit(commit)?.is_some() {
                    return Ok(());
                }
                if let Err(error) = depends::fetch(&self.repository, url, reference, &objects) {
                    last = Some(error.to_string());
                }
            }
        }
        if self.repository.commit(commit)?.is_some() {
            return Ok(());
        }
        let why = last.unwrap_or_else(|| format!("{reference} does not lead to it"));
        let short = commit.get(..7).unwrap_or(commit);
        Err(
            CommandError::machine(format!("{short} of {project} cannot be fetched: {why}"))
                .hint("a replica may lag: worth another try"),
        )
    }
}

fn primary(server: &BaseUrl, project: &str) -> Option<PushUrl> {
    let user = server
        .user()
        .map(|user| format!("{user}@"))
        .unwrap_or_default();
    let (scheme, rest) = server
        .to_string()
        .split_once("://")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    format!("{scheme}://{user}{rest}/a/{project}").parse().ok()
}
