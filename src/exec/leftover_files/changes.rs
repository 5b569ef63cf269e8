//! Compares two snapshots of a repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::snapshot::{Entry, Kind, Seen, Snapshot};
use crate::event::FileChange;
use crate::git::Onlooker;

/// The most files whose content is compared. A job with more has touched everything.
const READ: usize = 5000;

/// The files of one call of git. As arguments they stay far below the limit of execve(2).
const AT_ONCE: usize = 200;

/// The difference of a file between two snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileDifference {
    pub change: FileChange,
    /// The object of the file before. If the file still equals it, it was only written again or
    /// touched.
    pub unless: Option<String>,
}

impl FileDifference {
    fn certain(change: FileChange) -> Option<Self> {
        Some(Self {
            change,
            unless: None,
        })
    }
}

/// Returns the differences. `after` must have every file of `before`.
pub(super) fn between(before: &Snapshot, after: &Snapshot) -> BTreeMap<PathBuf, FileDifference> {
    let changes = after.files.iter().filter_map(|(path, now)| {
        let found = difference(before.files.get(path), now)?;
        Some((path.clone(), found))
    });
    changes.collect()
}

fn difference(before: Option<&Entry>, now: &Entry) -> Option<FileDifference> {
    let was = before.and_then(|before| before.seen);
    let staged = before.is_some_and(|before| before.listed != now.listed);
    match (was, now.seen) {
        (None, None) => None,
        (None, Some(_)) => FileDifference::certain(FileChange::Created),
        (Some(_), None) => FileDifference::certain(FileChange::Deleted),
        (Some(was), Some(is)) if is_same(before, was, is) => {
            staged.then(|| FileDifference::certain(FileChange::Staged))?
        }
        (Some(was), Some(is)) => Some(FileDifference {
            change: FileChange::Changed,
            unless: before
                .filter(|_| !staged && was.kind == is.kind && was.size == is.size)
                .filter(|_| matches!(is.kind, Kind::File | Kind::Program))
                .and_then(|before| before.listed.object())
                .map(str::to_owned),
        }),
    }
}

/// Returns true if the file is the same by its metadata. In an untracked file, the time of the last
/// change may differ; git compares the content of a tracked one later.
fn is_same(before: Option<&Entry>, was: Seen, is: Seen) -> bool {
    let is_tracked = before.is_some_and(|before| before.listed.object().is_some());
    was == is || !is_tracked && (was.kind, was.size, was.written) == (is.kind, is.size, is.written)
}

/// Drops the files that were only written again with the same content. A file that git keeps
/// converted (ends of lines, a filter) still counts as changed. So does a file whose content cannot
/// be read, and `unknown` says so.
pub(super) fn confirm(
    git: &Onlooker,
    top: &Path,
    found: &mut BTreeMap<PathBuf, FileDifference>,
    unknown: &mut Vec<String>,
) {
    let doubtful: Vec<(PathBuf, String)> = found
        .iter()
        .filter_map(|(path, found)| Some((path.clone(), found.unless.clone()?)))
        .collect();
    let (read, rest) = doubtful.split_at(doubtful.len().min(READ));
    for some in read.chunks(AT_ONCE) {
        let paths: Vec<_> = some.iter().map(|(path, _)| path.as_path()).collect();
        match git.objects(top, &paths) {
            Ok(objects) => {
                for ((path, _), _) in some
                    .iter()
                    .zip(&objects)
                    .filter(|((_, before), object)| before == *object)
                {
                    found.remove(path);
                }
            }
            Err(error) => unknown.push(format!(
                "whether {} files changed that were written again: {error}",
                some.len()
            )),
        }
    }
    if !rest.is_empty() {
        unknown.push(format!(
            "whether {} files changed that were written again: they are too many",
            rest.len()
        ));
    }
}
