//! Finds the repositories of kata v1, in a GOPATH or side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::WorkspaceError;
use super::fs::{has_makefile, subdirectories};
use crate::git::Git;

/// The repositories that kata v1's pipeline runs.
pub(super) const NAMES: [&str; 4] = ["runtime", "agent", "shim", "proxy"];
/// Their directory in a GOPATH.
pub(crate) const IMPORT_ROOT: &str = "src/github.com/kata-containers";

/// The repositories that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct V1Checkout {
    /// The directory that holds them all.
    pub(super) root: PathBuf,
    /// The directories by the component's name.
    pub(super) directories: BTreeMap<String, PathBuf>,
    /// The component that the directory lies in.
    pub(super) component: Option<String>,
}

/// Finds the repositories from a directory. `git` reads the origin of a checkout whose directory
/// has another name.
pub(super) fn locate(
    directory: &Path,
    git: Option<&Git>,
) -> Result<Option<V1Checkout>, WorkspaceError> {
    match in_gopath(directory) {
        Some(place) => Ok(Some(place)),
        None => side_by_side(directory, git),
    }
}

/// Returns the GOPATH of a directory that is a kata repository in one.
pub(super) fn gopath_of(repository: &Path) -> Option<&Path> {
    let root = repository.parent()?;
    root.ends_with(IMPORT_ROOT)
        .then(|| root.ancestors().nth(3))?
}

fn in_gopath(directory: &Path) -> Option<V1Checkout> {
    directory.ancestors().find_map(|gopath| {
        let root = gopath.join(IMPORT_ROOT);
        // A directory beside it, `$GOPATH/pkg` or anything in a home directory that is a GOPATH
        // too, does not belong to kata.
        let related = root.starts_with(directory) || directory.starts_with(&root);
        let directories: BTreeMap<_, _> = NAMES
            .iter()
            .map(|name| (name.to_string(), root.join(name)))
            .filter(|(_, path)| related && has_makefile(path))
            .collect();
        let component = directories
            .iter()
            .find(|(_, path)| directory.starts_with(path))
            .map(|(name, _)| name.clone());
        (!directories.is_empty()).then_some(V1Checkout {
            root,
            directories,
            component,
        })
    })
}

fn side_by_side(directory: &Path, git: Option<&Git>) -> Result<Option<V1Checkout>, WorkspaceError> {
    let standing = directory.ancestors().find_map(|path| {
        let name = repository_name(path, git)?;
        Some((name, path, path.parent()?))
    });
    let (root, meant) = match standing {
        Some((name, path, parent)) => (parent, Some((name, path))),
        None => (directory, None),
    };
    let directories = siblings(root, meant, git)?;
    Ok((!directories.is_empty()).then(|| V1Checkout {
        root: root.to_owned(),
        directories,
        component: meant.map(|(name, _)| name.to_owned()),
    }))
}

/// Returns the checkouts in a directory by the name of their repository. `meant` is the one that
/// the user is in: it is taken, whatever lies beside it.
fn siblings(
    root: &Path,
    meant: Option<(&'static str, &Path)>,
    git: Option<&Git>,
) -> Result<BTreeMap<String, PathBuf>, WorkspaceError> {
    let mut candidates: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for path in subdirectories(root)? {
        if let Some(name) = repository_name(&path, git) {
            candidates.entry(name).or_default().push(path);
        }
    }
    candidates
        .into_iter()
        .map(|(name, paths)| {
            let own = meant.filter(|(meant, _)| *meant == name);
            let path = match own {
                Some((_, path)) => path.to_owned(),
                None => only(name, paths)?,
            };
            Ok((name.to_owned(), path))
        })
        .collect()
}

/// Returns the directory that has the repository's own name, else the only one.
fn only(name: &str, paths: Vec<PathBuf>) -> Result<PathBuf, WorkspaceError> {
    if let Some(path) = paths.iter().find(|path| path.ends_with(name)) {
        return Ok(path.clone());
    }
    match paths.as_slice() {
        [one, other, ..] => Err(WorkspaceError::Ambiguous {
            component: name.to_owned(),
            one: one.clone(),
            other: other.clone(),
        }),
        _ => Ok(paths.into_iter().collect()),
    }
}

/// Returns the repository of kata v1 that the directory is a checkout of: by its own name, else by
/// its origin's.
pub(super) fn repository_name(directory: &Path, git: Option<&Git>) -> Option<&'static str> {
    if !has_makefile(directory) || !directory.join(".ci").is_dir() {
        return None;
    }
    let named = |name: &str| NAMES.into_iter().find(|known| *known == name);
    directory
        .file_name()
        .and_then(|name| named(name.to_str()?))
        .or_else(|| named(&origin_name(directory, git?)?))
}

fn origin_name(directory: &Path, git: &Git) -> Option<String> {
    if !directory.join(".git").exists() {
        return None;
    }
    // A repository that git refuses has no origin here; the preflight reports why.
    let url = git.at(directory).remote_url("origin").ok()??;
    let last = url.trim_end_matches('/').rsplit(['/', ':']).next()?;
    Some(last.strip_suffix(".git").unwrap_or(last).to_owned())
}
