//! Checks out the submodules of a checkout, each at the commit that its commit names.
//!
//! They come from the user's own clone: from the work tree of the submodule, or from the
//! repositories that git keeps in `modules/` of the user's repository. No server is asked, because
//! the user's credentials are not for a check. A submodule that is not there is an error: without
//! it a test would fail, or not run, for a reason that is none of the commit's.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use super::CheckoutError;
use super::repository;
use super::repository::{Checkout, Drivers};
use crate::git::{Git, GitError, Repository};

/// The repository of the user that a checkout was made from.
struct UserRepository {
    /// Its work tree, which may not be there.
    tree: PathBuf,
    /// The directories that may hold `modules/`.
    places: Vec<PathBuf>,
}

/// A submodule of a commit.
#[derive(Debug, PartialEq, Eq)]
struct Submodule {
    name: String,
    path: PathBuf,
    commit: String,
}

impl UserRepository {
    /// Returns that of a work tree. A linked work tree has submodules of its own beside those of
    /// the repository.
    fn of(git: &Git, tree: &Path) -> Result<Self, GitError> {
        let places = ["--git-dir", "--git-common-dir"]
            .into_iter()
            .map(|option| Ok(tree.join(git.at(tree).path(option)?)))
            .collect::<Result<_, GitError>>()?;
        Ok(Self {
            tree: tree.to_owned(),
            places,
        })
    }

    /// Returns the submodule's repository, if it has the commit.
    fn submodule(&self, git: &Git, wanted: &Submodule) -> Option<(Repository, Self)> {
        let tree = self.tree.join(&wanted.path);
        let kept = self
            .places
            .iter()
            .map(|place| place.join("modules").join(&wanted.name));
        let checked_out = git.at(&tree).path("--absolute-git-dir").ok();
        let is_own = git
            .at(&tree)
            .top_level()
            .is_ok_and(|top| tree.canonicalize().is_ok_and(|real| real == top));
        let places = checked_out.filter(|_| is_own).into_iter().chain(kept);
        places
            .filter(|place| place.join("HEAD").exists())
            .find_map(|place| {
                // Its work tree may be gone, and git would want to go there.
                let repository = ["GIT_DIR", "GIT_WORK_TREE"]
                    .into_iter()
                    .fold(git.at("/"), |at, name| at.with_variable(name, &place));
                let commit = repository.commit(&wanted.commit).ok()??;
                (commit == wanted.commit).then(|| {
                    let user = Self {
                        tree: tree.clone(),
                        places: vec![place],
                    };
                    (repository, user)
                })
            })
    }
}

/// Checks out a commit of the user's repository to a new path, with its submodules.
///
/// # Errors
/// [`CheckoutError`].
pub(super) fn make(
    git: &Git,
    source: &Path,
    commit: &str,
    directory: PathBuf,
    drivers: Drivers,
) -> Result<Checkout, CheckoutError> {
    let made = repository::make(git, source, commit, directory, drivers)?;
    bring(git, source, &made.directory, drivers)?;
    Ok(made)
}

/// Checks out the submodules of a checkout of the user's repository.
///
/// # Errors
/// [`CheckoutError`].
pub(super) fn bring(
    git: &Git,
    source: &Path,
    directory: &Path,
    drivers: Drivers,
) -> Result<(), CheckoutError> {
    check_out(git, &UserRepository::of(git, source)?, directory, drivers)
}

/// Checks out all submodules of a checkout, and theirs.
///
/// # Errors
/// [`CheckoutError::Submodule`] if one is not there.
fn check_out(
    git: &Git,
    user: &UserRepository,
    directory: &Path,
    drivers: Drivers,
) -> Result<(), CheckoutError> {
    for one in submodules(git, directory)? {
        let target = directory.join(&one.path);
        let Some((from, below)) = user.submodule(git, &one) else {
            return Err(CheckoutError::Submodule {
                path: one.path,
                commit: one.commit,
                repository: user.tree.clone(),
            });
        };
        repository::begin(git, &from, &target, drivers)?;
        repository::finish(git, &target, &one.commit)?;
        check_out(git, &below, &target, drivers)?;
    }
    Ok(())
}

/// Returns the submodules of the commit that is checked out here. A commit in a tree without an
/// entry in `.gitmodules` is none.
fn submodules(git: &Git, directory: &Path) -> Result<Vec<Submodule>, GitError> {
    if !directory.join(".gitmodules").is_file() {
        return Ok(Vec::new());
    }
    let repository = git.at(directory);
    let listed = repository.run(["config", "--file", ".gitmodules", "--list", "-z"])?;
    let known = named_paths(&listed);
    let staged = repository.run(["ls-files", "--stage", "-z"])?;
    let links = staged.split(|byte| *byte == 0).filter_map(link);
    let of = |(commit, path): (String, PathBuf)| {
        let (name, _) = known.iter().find(|(_, known)| *known == path)?;
        Some(Submodule {
            name: name.clone(),
            path,
            commit,
        })
    };
    Ok(links.filter_map(of).collect())
}

/// Parses `submodule.NAME.path \n PATH \0 …`. A name that leads out of `modules/` is none.
fn named_paths(listed: &[u8]) -> Vec<(String, PathBuf)> {
    let is_inside = |name: &str| {
        let mut parts = Path::new(name).components();
        parts.all(|part| matches!(part, Component::Normal(_)))
    };
    let entries = listed.split(|byte| *byte == 0);
    entries
        .filter_map(|entry| {
            let at = entry.iter().position(|byte| *byte == b'\n')?;
            let (key, path) = (std::str::from_utf8(&entry[..at]).ok()?, &entry[at + 1..]);
            let name = key.strip_prefix("submodule.")?.strip_suffix(".path")?;
            let path = PathBuf::from(OsString::from_vec(path.to_vec()));
            is_inside(name).then(|| (name.to_owned(), path))
        })
        .collect()
}

/// Parses `160000 COMMIT STAGE \t PATH`.
fn link(line: &[u8]) -> Option<(String, PathBuf)> {
    let at = line.iter().position(|byte| *byte == b'\t')?;
    let head = std::str::from_utf8(&line[..at]).ok()?;
    let mut words = head.split(' ');
    let (mode, commit) = (words.next()?, words.next()?);
    let path = PathBuf::from(OsString::from_vec(line[at + 1..].to_vec()));
    (mode == "160000").then(|| (commit.to_owned(), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_with_a_path_are_submodules_unless_their_name_leads_elsewhere() {
        let listed =
            b"submodule.a.b.path\nlibs/a\0submodule.a.b.url\n../a\0submodule.../../x.path\nx\0";
        assert_eq!(
            named_paths(listed),
            [("a.b".to_owned(), PathBuf::from("libs/a"))]
        );
    }

    #[test]
    fn only_commits_are_links() {
        assert_eq!(
            link(b"160000 1234 0\tlibs/a b"),
            Some(("1234".to_owned(), PathBuf::from("libs/a b")))
        );
        assert_eq!(link(b"100644 1234 0\tfile"), None);
        assert_eq!(link(b""), None);
    }
}
