//! What compilers built in a checkout aside, kept for the next one.
//!
//! Kept are directories that say of themselves that they are a cache (cargo's `target`; <https://bford.info/cachedir/>):
//! they are moved out before the checkout is removed, and into the next one of the same repository. go keeps its own cache
//! elsewhere.
//!
//! Two laws. What was built for one [`Trust`] is never brought to another. And what is brought is older than every file of
//! the checkout: cargo compares times, not contents, and takes its output for fresh where no source is newer. So a cache in
//! which one file is as new as the oldest of the checkout stays where it is, as a whole: a job, or a clock that was ahead,
//! dated it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Trust;
use crate::workspace::copy::is_cache;

/// Directories below this many others are not looked at.
const DEPTH: usize = 6;

/// The builds of one checkout, while it lasts.
#[derive(Debug)]
pub(super) struct Builds {
    kept: PathBuf,
    checkout: PathBuf,
    /// Caches that the commit itself holds: no compiler made them.
    committed: Vec<PathBuf>,
    /// Caches that were left where they are, as they lie in the checkout.
    pub(super) refused: Vec<PathBuf>,
}

impl Builds {
    /// Moves what is kept for this trust in `kept` into a fresh checkout, where its place is free. None where nobody may use
    /// what others built.
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
            // Without it the build takes longer, that is all.
            true => drop(fs::rename(cache, target)),
            false => self.refused.push(target),
        }
    }

    /// Moves the caches of the checkout to where they are kept, over older ones.
    pub(super) fn keep(&self) {
        for cache in caches(&self.checkout, DEPTH) {
            if let Ok(below) = cache.strip_prefix(&self.checkout)
                && !self.committed.contains(&cache)
            {
                let _ = replace(&cache, &self.kept.join(below));
            }
        }
    }
}

/// Whether a directory holds builds with a date that is yet to come: what they were built from cannot be told.
pub fn are_dated_ahead(directory: &Path) -> bool {
    let now = SystemTime::now();
    let is_ahead = |cache: &PathBuf| !is_older(cache, now).unwrap_or(false);
    caches(directory, DEPTH).iter().any(is_ahead)
}

/// The time of the oldest entry of a checkout, and of what its links lead to: that is what a compiler looks at.
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

/// Whether all of a directory is older than that.
fn is_older(directory: &Path, than: SystemTime) -> io::Result<bool> {
    let mut is_older = true;
    each(directory, &mut |_, metadata| {
        is_older &= metadata.modified()? < than;
        Ok(is_older)
    })?;
    Ok(is_older)
}

/// Shows a directory and all that is below it, links as links; what lies in a directory where that is wanted.
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

fn replace(source: &Path, target: &Path) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    if target.exists() {
        fs::remove_dir_all(target)?;
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
