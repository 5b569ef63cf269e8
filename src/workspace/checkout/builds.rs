//! What compilers built in a checkout aside, kept for the next one.
//!
//! Kept are directories that say of themselves that they are a cache (cargo's `target`; <https://bford.info/cachedir/>):
//! they are moved out before the checkout is removed, and into the next one of the same repository. cargo compiles again
//! what is newer than its output, which all files of a fresh checkout are; dependencies stay built. go keeps its own cache
//! elsewhere.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::workspace::copy::is_cache;

/// Directories below this many others are not looked at.
const DEPTH: usize = 6;

/// Moves what is kept at `kept` into the checkout, where its place is free.
pub(super) fn bring(kept: &Path, checkout: &Path) {
    for cache in caches(kept, DEPTH) {
        let Ok(below) = cache.strip_prefix(kept) else {
            continue;
        };
        let target = checkout.join(below);
        if target.parent().is_some_and(Path::is_dir) && !target.exists() {
            // Without it the build takes longer, that is all.
            let _ = fs::rename(&cache, target);
        }
    }
}

/// Moves the caches of the checkout to `kept`, over older ones.
pub(super) fn keep(kept: &Path, checkout: &Path) {
    for cache in caches(checkout, DEPTH) {
        if let Ok(below) = cache.strip_prefix(checkout) {
            let _ = replace(&cache, &kept.join(below));
        }
    }
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
mod tests {
    use super::*;

    fn cache(directory: &Path, content: &str) {
        fs::create_dir_all(directory).unwrap();
        let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
        fs::write(directory.join("CACHEDIR.TAG"), tag).unwrap();
        fs::write(directory.join("built"), content).unwrap();
    }

    #[test]
    fn caches_move_out_and_into_the_next_checkout() {
        let place = tempfile::tempdir().unwrap();
        let (kept, one, two) = (
            place.path().join("kept"),
            place.path().join("one"),
            place.path().join("two"),
        );
        cache(&one.join("src/agent/target"), "first");
        fs::write(one.join("src/agent/coverage.txt"), "").unwrap();
        keep(&kept, &one);
        assert!(!one.join("src/agent/target").exists());
        fs::create_dir_all(two.join("src/agent")).unwrap();
        bring(&kept, &two);
        let built = two.join("src/agent/target/built");
        assert_eq!(fs::read_to_string(&built).unwrap(), "first");
        assert!(!two.join("src/agent/coverage.txt").exists());
        fs::write(built, "second").unwrap();
        cache(&kept.join("src/agent/target"), "of a run beside");
        keep(&kept, &two);
        let built = kept.join("src/agent/target/built");
        assert_eq!(fs::read_to_string(built).unwrap(), "second");
    }

    #[test]
    fn a_commit_without_the_directory_leaves_the_cache_where_it_is() {
        let place = tempfile::tempdir().unwrap();
        let kept = place.path().join("kept");
        cache(&kept.join("src/agent/target"), "first");
        fs::create_dir(place.path().join("checkout")).unwrap();
        bring(&kept, &place.path().join("checkout"));
        assert!(kept.join("src/agent/target/built").is_file());
    }
}
