//! Keeps the builds of a checkout for the next one.
//!
//! Directories that are tagged as a cache are kept, such as cargo's `target`
//! (<https://bford.info/cachedir/>). They are moved out before the checkout is removed, and into
//! the next checkout of the same repository. go has a cache elsewhere.
//!
//! Two laws hold. Builds of one [`Trust`] are never used for another. And kept builds are older
//! than every file of the checkout, because cargo compares times, not contents: its output counts
//! as fresh if no source is newer. So a cache with a file as new as the oldest of the checkout is
//! not used at all. A job, or a clock that was ahead, has dated it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Trust;
use crate::fs::remove_tree;
use crate::workspace::copy::is_cache;

/// Deepest level of directories to search.
const DEPTH: usize = 6;

/// The builds of one checkout.
#[derive(Debug)]
pub(super) struct Builds {
    kept: PathBuf,
    checkout: PathBuf,
    /// Caches that the commit itself has, so no compiler made them.
    committed: Vec<PathBuf>,
    /// Caches that were not used, by their path in the checkout.
    pub(super) refused: Vec<PathBuf>,
}

impl Builds {
    /// Moves the kept builds of this trust from `kept` into a fresh checkout, where the commit has
    /// nothing in their place. Returns `None` if the trust shares no builds.
    pub(super) fn bring(kept: &Path, trust: &Trust, checkout: &Path) -> Option<Self> {
        let kept = kept.join(trust.directory()?);
        let mut builds = Self {
            committed: caches(checkout, DEPTH),
            refused: Vec::new(),
            checkout: checkout.to_owned(),
            kept,
        };
        let found = caches(&builds.kept, DEPTH);
        if found.is_empty() {
            return Some(builds);
        }
        let oldest = oldest(checkout).ok();
        for cache in found {
            builds.bring_one(&cache, oldest);
        }
        Some(builds)
    }

    fn bring_one(&mut self, cache: &Path, oldest: Option<SystemTime>) {
        let Ok(below) = cache.strip_prefix(&self.kept) else {
            return;
        };
        let target = self.checkout.join(below);
        if !target.parent().is_some_and(Path::is_dir) || target.symlink_metadata().is_ok() {
            return;
        }
        match oldest.is_some_and(|oldest| is_older(cache, oldest).unwrap_or(false)) {
            // A failure only makes the build slower.
            true => drop(fs::rename(cache, target)),
            false => self.refused.push(target),
        }
    }

    /// Moves the caches of the checkout to the store, and replaces older ones.
    pub(super) fn keep(&self) {
        for cache in caches(&self.checkout, DEPTH) {
            if let Ok(below) = cache.strip_prefix(&self.checkout)
                && !self.committed.contains(&cache)
                && is_plain_above(&self.kept, below)
            {
                let _ = replace(&cache, &self.kept.join(below));
            }
        }
    }
}

/// Returns true if a directory has builds dated in the future, so that their sources are unknown.
pub fn are_dated_ahead(directory: &Path) -> bool {
    let now = SystemTime::now();
    let is_ahead = |cache: &PathBuf| !is_older(cache, now).unwrap_or(false);
    caches(directory, DEPTH).iter().any(is_ahead)
}

/// Returns the time of the oldest entry of a checkout. Links count by their target, because
/// compilers follow them.
fn oldest(checkout: &Path) -> io::Result<SystemTime> {
    let mut oldest = SystemTime::now();
    each(checkout, &mut |path, metadata| {
        oldest = oldest.min(metadata.modified()?);
        if metadata.is_symlink()
            && let Ok(led_to) = path.metadata()
        {
            oldest = oldest.min(led_to.modified()?);
        }
        Ok(path != checkout.join(".git"))
    })?;
    Ok(oldest)
}

/// Returns true if everything in a directory is older than that.
fn is_older(directory: &Path, than: SystemTime) -> io::Result<bool> {
    let mut is_older = true;
    each(directory, &mut |_, metadata| {
        is_older &= metadata.modified()? < than;
        Ok(is_older)
    })?;
    Ok(is_older)
}

/// Visits a directory and everything below it, links as links. `show` returns true to enter a
/// directory.
fn each(
    path: &Path,
    show: &mut impl FnMut(&Path, &fs::Metadata) -> io::Result<bool>,
) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    if show(path, &metadata)? && metadata.is_dir() {
        for entry in path.read_dir()? {
            each(&entry?.path(), show)?;
        }
    }
    Ok(())
}

/// Returns true if nothing above a path below the store was made by a job: neither a link, which
/// would lead elsewhere, nor a cache.
fn is_plain_above(kept: &Path, below: &Path) -> bool {
    let mut above = below.ancestors().skip(1).map(|above| kept.join(above));
    above.all(|above| match above.symlink_metadata() {
        Ok(metadata) => metadata.is_dir() && !is_cache(&above),
        Err(_) => true,
    })
}

fn replace(source: &Path, target: &Path) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    if target.exists() {
        remove_tree(target)?;
    }
    fs::rename(source, target)
}

fn caches(directory: &Path, depth: usize) -> Vec<PathBuf> {
    let Ok(entries) = directory.read_dir() else {
        return Vec::new();
    };
    let directories = entries.flatten().filter(|entry| {
        entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name() != ".git"
    });
    directories
        .map(|entry| entry.path())
        .flat_map(|path| match (is_cache(&path), depth) {
            (true, _) => vec![path],
            (false, 0) => Vec::new(),
            (false, _) => caches(&path, depth - 1),
        })
        .collect()
}

#[cfg(test)]
mod tests;
