//! Resolves a dependency to a revision of a repository of the workspace.

use std::path::PathBuf;

use super::server;
use super::server::RemoteRef;
use super::{Dependency, DependencyError};
use crate::gerrit::change_id::ChangeId;
use crate::gerrit::remote::PushUrl;
use crate::git::configuration::Configuration;
use crate::git::{GitError, Repository};

/// A repository that a dependency may belong to.
#[derive(Debug, Clone)]
pub struct WorkspaceRepository {
    /// The name in messages.
    pub name: String,
    /// The top of its work tree.
    pub top: PathBuf,
    /// The repository.
    pub repository: Repository,
}

/// The revision of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The dependency, in words.
    pub dependency: String,
    /// The top of the user's work tree of its repository.
    pub top: PathBuf,
    /// The commit.
    pub commit: String,
    /// The URL and ref to fetch it from; `None` if the user's repository has it.
    pub from: Option<(PushUrl, String)>,
}

/// Finds the dependency's revision among these repositories.
///
/// `own` is the repository of the commit `tip` that has the dependency. Returns `None` if the
/// dependency is an ancestor of that commit.
///
/// # Errors
///
/// [`DependencyError`].
pub fn resolve(
    dependency: &Dependency,
    candidates: &[WorkspaceRepository],
    own: &WorkspaceRepository,
    tip: &str,
) -> Result<Option<Revision>, DependencyError> {
    let search = DependencySearch {
        dependency,
        candidates,
    };
    let revision = match dependency {
        Dependency::PullRequest { repository, number } => {
            search.pull_request(repository, *number)?
        }
        Dependency::Change {
            host,
            project,
            number,
            patch_set,
        } => search.change(host, project.as_deref(), *number, *patch_set)?,
        Dependency::ChangeId(id) => match search.below(own, tip, id)? {
            true => return Ok(None),
            false => search.change_id(id, own)?,
        },
    };
    if revision.top != own.top {
        return Ok(Some(revision));
    }
    match search.is_ancestor(own, &revision.commit, tip)? {
        true => Ok(None),
        false => Err(DependencyError::NotBelow {
            dependency: dependency.to_string(),
        }),
    }
}

struct DependencySearch<'a> {
    dependency: &'a Dependency,
    candidates: &'a [WorkspaceRepository],
}

impl DependencySearch<'_> {
    fn git(&self) -> impl Fn(GitError) -> DependencyError {
        let dependency = self.dependency.to_string();
        move |source| DependencyError::Git {
            dependency: dependency.clone(),
            source,
        }
    }

    /// Finds the repository with this whole name, and the ref of the pull request at its origin.
    fn pull_request(&self, name: &str, number: u64) -> Result<Revision, DependencyError> {
        let last = name.rsplit('/').next().unwrap_or(name);
        let named: Vec<_> = self
            .candidates
            .iter()
            .filter_map(|one| Some((one, origin(one)?)))
            .filter(|(_, url)| last_part(url) == last)
            .collect();
        let exact = || named.iter().filter(|(_, url)| url.project() == name);
        let (candidate, url) = match (named.as_slice(), exact().count()) {
            ([], _) => return Err(self.no_repository(name)),
            ([one], _) => one.clone(),
            (_, 1) => exact().next().unwrap_or(&named[0]).clone(),
            (several, _) => return Err(self.ambiguous(several.iter().map(|(one, _)| &*one.name))),
        };
        let reference = format!("refs/pull/{number}/head");
        let found = server::look_up(&candidate.repository, &url, &reference).map_err(self.git())?;
        self.revision(candidate, url, found, reference)
    }

    /// Finds the patch set at the repository's remote on that host.
    fn change(
        &self,
        host: &str,
        project: Option<&str>,
        number: u64,
        wanted: Option<u32>,
    ) -> Result<Revision, DependencyError> {
        let there: Vec<_> = self
            .candidates
            .iter()
            .filter_map(|one| Some((one, remote_at(one, host)?)))
            .collect();
        if there.is_empty() {
            return Err(DependencyError::NoServer {
                dependency: self.dependency.to_string(),
                host: host.to_owned(),
            });
        }
        let named: Vec<_> = there
            .into_iter()
            .filter(|(_, url)| project.is_none_or(|project| url.project() == project))
            .collect();
        let Some((last, last_url)) = named.last().cloned() else {
            return Err(self.no_repository(project.unwrap_or_default()));
        };
        for (candidate, url) in named {
            let found = server::patch_set(&candidate.repository, &url, number, wanted);
            if let Some(found) = found.map_err(self.git())? {
                let reference = found.reference.clone();
                return self.revision(candidate, url, Some(found), reference);
            }
        }
        let wanted = wanted.map_or("*".to_owned(), |wanted| wanted.to_string());
        let reference = format!("refs/changes/{:02}/{number}/{wanted}", number % 100);
        self.revision(last, last_url, None, reference)
    }

    /// Finds an unpublished commit of another repository here, else asks the servers.
    fn change_id(
        &self,
        id: &ChangeId,
        own: &WorkspaceRepository,
    ) -> Result<Revision, DependencyError> {
        let others = || self.candidates.iter().filter(|one| one.top != own.top);
        let mut found = Vec::new();
        for candidate in others() {
            let range = ["HEAD", "--not", "--remotes"];
            if let Some(commit) = carrying(candidate, &range, id).map_err(self.git())? {
                found.push((
                    candidate.name.clone(),
                    Revision {
                        dependency: self.dependency.to_string(),
                        top: candidate.top.clone(),
                        commit,
                        from: None,
                    },
                ));
            }
        }
        let mut troubles = String::new();
        if found.is_empty() {
            found = self.queried(id, &mut troubles)?;
        }
        match found.len() {
            1 => Ok(found.remove(0).1),
            0 => Err(DependencyError::UnknownChangeId {
                dependency: id.to_string(),
                troubles,
            }),
            _ => Err(self.ambiguous(found.iter().map(|(name, _)| name.as_str()))),
        }
    }

    /// Asks each server once. Failures are added to `troubles`, because another server may know the
    /// change.
    fn queried(
        &self,
        id: &ChangeId,
        troubles: &mut String,
    ) -> Result<Vec<(String, Revision)>, DependencyError> {
        let mut asked: Vec<(String, Option<u16>)> = Vec::new();
        let mut found = Vec::new();
        for candidate in self.candidates {
            for url in urls(candidate) {
                let place = (url.host.clone(), url.port);
                if asked.contains(&place) {
                    continue;
                }
                asked.push(place);
                let changes = server::query(&candidate.repository, &url, id);
                let changes = changes.unwrap_or_else(|error| {
                    troubles.push_str(&format!("; {error}"));
                    Vec::new()
                });
                let open = changes
                    .into_iter()
                    .filter(|change| change.status != "ABANDONED");
                for change in open {
                    let revision =
                        self.change(&url.host, Some(&change.project), change.number, None)?;
                    // A server that is reached in two ways counts once.
                    if !found.iter().any(|(_, known)| *known == revision) {
                        found.push((format!("{} ({})", change.number, change.branch), revision));
                    }
                }
            }
        }
        Ok(found)
    }

    fn below(
        &self,
        own: &WorkspaceRepository,
        tip: &str,
        id: &ChangeId,
    ) -> Result<bool, DependencyError> {
        Ok(carrying(own, &[tip], id).map_err(self.git())?.is_some())
    }

    fn is_ancestor(
        &self,
        own: &WorkspaceRepository,
        commit: &str,
        tip: &str,
    ) -> Result<bool, DependencyError> {
        let arguments = ["merge-base", "--is-ancestor", commit, tip];
        let answer = own.repository.answer(arguments).map_err(self.git())?;
        Ok(answer.status.success())
    }

    fn revision(
        &self,
        candidate: &WorkspaceRepository,
        url: PushUrl,
        found: Option<RemoteRef>,
        reference: String,
    ) -> Result<Revision, DependencyError> {
        match found {
            Some(found) => Ok(Revision {
                dependency: self.dependency.to_string(),
                top: candidate.top.clone(),
                commit: found.commit,
                from: Some((url, found.reference)),
            }),
            None => Err(DependencyError::NotThere {
                dependency: self.dependency.to_string(),
                place: url.to_string(),
                reference,
            }),
        }
    }

    fn no_repository(&self, name: &str) -> DependencyError {
        let known: Vec<_> = self
            .candidates
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        DependencyError::NoRepository {
            dependency: self.dependency.to_string(),
            name: name.to_owned(),
            known: known.join(", "),
        }
    }

    fn ambiguous<'n>(&self, names: impl Iterator<Item = &'n str>) -> DependencyError {
        DependencyError::Ambiguous {
            dependency: self.dependency.to_string(),
            found: names.collect::<Vec<_>>().join(", "),
        }
    }
}

/// Returns the newest commit of a range whose message has this Change-Id as a line of its own.
fn carrying(
    candidate: &WorkspaceRepository,
    range: &[&str],
    id: &ChangeId,
) -> Result<Option<String>, GitError> {
    let pattern = format!("--grep=^Change-Id: {id}$");
    let words = [&["rev-list", "--max-count=1", &pattern], range].concat();
    let commit = candidate.repository.text(words)?;
    Ok((!commit.is_empty()).then_some(commit))
}

fn last_part(url: &PushUrl) -> String {
    let project = url.project();
    project.rsplit('/').next().unwrap_or(&project).to_owned()
}

fn origin(candidate: &WorkspaceRepository) -> Option<PushUrl> {
    let configuration = Configuration::of(&candidate.repository).ok()?;
    configuration.get("remote.origin.url")?.parse().ok()
}

/// Returns the URLs of the repository's remotes, `origin` first.
fn urls(candidate: &WorkspaceRepository) -> Vec<PushUrl> {
    let Ok(configuration) = Configuration::of(&candidate.repository) else {
        return Vec::new();
    };
    let mut names = configuration.remotes();
    names.sort_by_key(|name| *name != "origin");
    let keys = names
        .iter()
        .flat_map(|name| ["url", "pushurl"].map(|key| format!("remote.{name}.{key}")));
    keys.filter_map(|key| configuration.get(&key)?.parse().ok())
        .collect()
}

fn remote_at(candidate: &WorkspaceRepository, host: &str) -> Option<PushUrl> {
    urls(candidate).into_iter().find(|url| url.host == host)
}
