//! A scratch directory of a run, removed with it. Leftovers of a killed run are removed by the next
//! one.
//!
//! Beside each directory lies a file `NAME.lock`, which its run holds locked (flock) as long as it
//! lives. The kernel releases the lock however the run ends. So a directory whose lock is free
//! belongs to nobody any more.
//!
//! The path is the same in each run, because go's build cache knows packages by their directory. A
//! run beside another one gets `NAME.2` and so on.
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::fs::remove_tree;

const LOCK: &str = "lock";
/// The most runs of one workspace side by side.
const MOST: usize = 1000;

/// A directory that exists as long as this value.
#[derive(Debug)]
pub struct OwnDirectory {
    path: PathBuf,
    lock_path: PathBuf,
    /// Held until the directory is gone.
    _lock: File,
}

impl OwnDirectory {
    /// Makes an empty directory of this name in `parent`, for this user alone. A missing `parent`
    /// is made. Leftovers of dead runs in `parent` are removed first.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn create(parent: &Path, name: &str) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        // Go compares paths as texts. Without symbolic links they are the same on every way to the
        // directory.
        let parent = parent.canonicalize()?;
        remove_leftovers(&parent);
        for number in 1..=MOST {
            let stem = match number {
                1 => name.to_owned(),
                _ => format!("{name}.{number}"),
            };
            if let Some(directory) = Self::claim(&parent, &stem)? {
                return Ok(directory);
            }
        }
        Err(io::Error::other(format!("{MOST} runs are using it")))
    }

    /// Returns the absolute path, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Claims the directory; `None` if another run has it.
    fn claim(parent: &Path, stem: &str) -> io::Result<Option<Self>> {
        let path = parent.join(stem);
        let lock_path = parent.join(format!("{stem}.{LOCK}"));
        let Some(lock) = lock(&lock_path)? else {
            return Ok(None);
        };
        remove_tree(&path)?;
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Some(Self {
            path,
            lock_path,
            _lock: lock,
        }))
    }
}

impl Drop for OwnDirectory {
    fn drop(&mut self) {
        // If it cannot be removed now (files of another user's), its lock file stays, by which the
        // next run finds it.
        if remove_tree(&self.path).is_ok() {
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

/// Makes and locks the file; `None` if it is locked already.
fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // The owner may have removed it in the meantime. Then the lock is on a file without a name.
        match path.metadata() {
            Ok(named) if named.ino() == file.metadata()?.ino() => return Ok(Some(file)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes the directories whose locks are free. One that cannot be removed is left to the next
/// run.
fn remove_leftovers(parent: &Path) {
    let Ok(entries) = parent.read_dir() else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_none_or(|extension| extension != LOCK) {
            continue;
        }
        if let Ok(Some(_held)) = lock(&path)
            && remove_tree(&path.with_extension("")).is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Returns a name for the path: the same in each run, and different from that of any other path.
pub(super) fn unique_name(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let digits: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let safe = |letter: char| match letter.is_ascii_alphanumeric() || letter == '-' {
        true => letter,
        false => '_',
    };
    format!(
        "{}-{digits}",
        name.chars().take(40).map(safe).collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    fn names(parent: &Path) -> Vec<String> {
        let entries = parent.read_dir().unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn it_is_gone_afterwards_with_all_that_is_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let own = OwnDirectory::create(parent.path(), "a").unwrap();
        let below = own.path().join("b/c");
        fs::create_dir_all(&below).unwrap();
        fs::write(below.join("file"), "").unwrap();
        fs::set_permissions(&below, Permissions::from_mode(0o500)).unwrap();
        drop(own);
        assert_eq!(names(parent.path()), Vec::<String>::new());
    }

    #[test]
    fn runs_beside_each_other_have_places_of_their_own_and_the_first_is_taken_again() {
        let parent = tempfile::tempdir().unwrap();
        let one = OwnDirectory::create(parent.path(), "a").unwrap();
        let two = OwnDirectory::create(parent.path(), "a").unwrap();
        assert!(one.path().ends_with("a") && two.path().ends_with("a.2"));
        let path = one.path().to_owned();
        drop(one);
        let again = OwnDirectory::create(parent.path(), "a").unwrap();
        assert_eq!(again.path(), path);
        assert!(two.path().is_dir());
    }

    #[test]
    fn what_a_dead_run_left_is_removed_by_a_run_of_any_name() {
        let parent = tempfile::tempdir().unwrap();
        let alive = OwnDirectory::create(parent.path(), "alive").unwrap();
        fs::create_dir_all(parent.path().join("dead/deep")).unwrap();
        fs::write(parent.path().join("dead.lock"), "").unwrap();
        // A directory without a lock file belongs to somebody else.
        fs::create_dir(parent.path().join("other")).unwrap();
        let own = OwnDirectory::create(parent.path(), "new").unwrap();
        assert_eq!(
            names(parent.path()),
            ["alive", "alive.lock", "new", "new.lock", "other"]
        );
        drop((alive, own));
        assert_eq!(names(parent.path()), ["other"]);
    }
}
