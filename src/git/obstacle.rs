//! Finds what git would wait for, or read without end: a pipe, a device or a huge file where git
//! expects a small file.
//!
//! Git opens its own files as they are. At a named pipe it waits until its deadline, and of
//! `/dev/zero` it reads until the memory is full. So these files are looked at before each call; it
//! takes microseconds. Only kinds and sizes count here, not what the files say.

use std::fs::{self, FileType, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Something in the place of a file that git reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is {is}, and git would wait for it or read it without end", path.display())]
pub struct Obstacle {
    /// Its path.
    pub path: PathBuf,
    /// The words for it, with an article.
    pub is: String,
}

/// Files of git's directory, with the most MiB that they may have. Real ones have a fraction of it.
const OF_GIT: [(&str, u64); 12] = [
    ("HEAD", 1),
    ("commondir", 1),
    ("gitdir", 1),
    ("config", 16),
    ("config.worktree", 16),
    ("index", 2048),
    ("packed-refs", 2048),
    ("shallow", 256),
    ("info/exclude", 64),
    ("info/attributes", 64),
    ("info/grafts", 64),
    ("objects/info/alternates", 16),
];

/// Files at the top of a work tree.
const OF_TREE: [(&str, u64); 3] = [
    (".gitignore", 64),
    (".gitattributes", 64),
    (".gitmodules", 64),
];

/// The most MiB of a file with one reference, and the most of those that are looked at.
const REFERENCE: (u64, usize) = (1, 10_000);

/// Looks at the repository that git would find from a directory.
///
/// # Errors
/// The first obstacle.
pub(super) fn look(directory: &Path) -> Result<(), Obstacle> {
    let is_there = |above: &&Path| above.join(".git").symlink_metadata().is_ok();
    let Some(top) = directory.ancestors().find(is_there) else {
        return Ok(());
    };
    each(top, &OF_TREE)?;
    let entry = top.join(".git");
    file_or_directory(&entry, 1)?;
    let own = led_to(&entry, b"gitdir:").unwrap_or(entry);
    each(&own, &OF_GIT)?;
    let common = led_to(&own.join("commondir"), b"").filter(|common| *common != own);
    let mut left = REFERENCE.1;
    references(&own.join("refs"), &mut left)?;
    match common {
        Some(common) => {
            each(&common, &OF_GIT)?;
            references(&common.join("refs"), &mut left)
        }
        None => Ok(()),
    }
}

/// The most entries of a work tree that are looked at, and the deepest level.
const TREE: (usize, usize) = (100_000, 32);

/// Looks for rules of git below a directory, which git reads one by one as it goes through a work
/// tree. That takes time, so call it when git has not answered.
///
/// # Errors
/// The first obstacle.
pub(super) fn look_below(directory: &Path) -> Result<(), Obstacle> {
    rules(directory, TREE.1, &mut { TREE.0 })
}

fn rules(directory: &Path, depth: usize, left: &mut usize) -> Result<(), Obstacle> {
    each(directory, &OF_TREE)?;
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        let enters = depth > 0 && entry.file_name() != ".git";
        if enters && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            rules(&entry.path(), depth - 1, left)?;
        }
    }
    Ok(())
}

fn each(directory: &Path, files: &[(&str, u64)]) -> Result<(), Obstacle> {
    let mut files = files.iter();
    files.try_for_each(|(name, most)| file_or_directory(&directory.join(name), *most))
}

/// Looks at the files below a directory, as long as there are not too many of them.
fn references(directory: &Path, left: &mut usize) -> Result<(), Obstacle> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            true => references(&entry.path(), left)?,
            false => file_or_directory(&entry.path(), REFERENCE.0)?,
        }
    }
    Ok(())
}

/// Directories are fine: git says itself that one is no file.
fn file_or_directory(path: &Path, most: u64) -> Result<(), Obstacle> {
    let Ok(found) = path.metadata() else {
        return Ok(());
    };
    match described(&found, most) {
        Some(is) => Err(Obstacle {
            path: path.to_owned(),
            is,
        }),
        None => Ok(()),
    }
}

fn described(found: &Metadata, most: u64) -> Option<String> {
    let kind = found.file_type();
    if kind.is_file() {
        return (found.len() > most << 20).then(|| format!("larger than {most} MiB"));
    }
    let is_harmless = kind.is_dir() || is_null(found);
    (!is_harmless).then(|| word(kind).to_owned())
}

/// Returns true for `/dev/null`, which people put in the place of rules that they do not want.
fn is_null(found: &Metadata) -> bool {
    found.file_type().is_char_device() && found.rdev() == rustix::fs::makedev(1, 3)
}

fn word(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Returns the path that a small file names after a word, relative to the file.
fn led_to(file: &Path, word: &[u8]) -> Option<PathBuf> {
    let text = crate::fs::read(file, 1 << 16).ok()?;
    let named = text.strip_prefix(word)?.trim_ascii();
    let named = Path::new(std::ffi::OsStr::from_bytes(named));
    file.parent()?.join(named).canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::test_repository::TestRepository;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::os::unix::fs::symlink;

    fn said(repository: &TestRepository) -> String {
        let below = repository.path().join("below");
        fs::create_dir_all(&below).unwrap();
        look(&below).map_or_else(|obstacle| obstacle.to_string(), |()| String::new())
    }

    #[test]
    fn a_repository_as_git_makes_it_has_none() {
        let repository = TestRepository::with_a_commit();
        repository.git(&["worktree", "add", "--quiet", "side"]);
        symlink("/dev/null", repository.path().join(".gitattributes")).unwrap();
        assert_eq!(said(&repository), "");
        assert_eq!(look(&repository.path().join("side")), Ok(()));
        assert_eq!(look(Path::new("/")), Ok(()));
    }

    #[test]
    fn pipes_devices_and_what_is_huge_are_named() {
        let names = OF_GIT.map(|(name, _)| format!(".git/{name}"));
        let more = [".git", ".gitignore", ".git/refs/heads/deep/x"];
        for name in names.iter().map(String::as_str).chain(more) {
            for plant in ["a named pipe", "a device", "larger than"] {
                let repository = TestRepository::with_a_commit();
                let path = repository.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
                match plant {
                    "a named pipe" => mkfifo(&path, Mode::S_IRWXU).unwrap(),
                    "a device" => symlink("/dev/zero", &path).unwrap(),
                    _ => fs::File::create(&path).unwrap().set_len(10 << 30).unwrap(),
                }
                let said = said(&repository);
                let expected = format!("{} is {plant}", path.display());
                assert!(said.starts_with(&expected), "{plant}: {said}");
            }
        }
    }

    #[test]
    fn rules_deep_in_the_tree_are_found_when_git_does_not_answer() {
        let repository = TestRepository::with_a_commit();
        let deep = repository.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(look_below(repository.path()), Ok(()));
        mkfifo(&deep.join(".gitignore"), Mode::S_IRWXU).unwrap();
        let said = look_below(repository.path()).unwrap_err().to_string();
        assert!(said.contains("a/b/.gitignore is a named pipe"), "{said}");
    }

    #[test]
    fn a_work_tree_beside_is_led_through() {
        let repository = TestRepository::with_a_commit();
        repository.git(&["worktree", "add", "--quiet", "side"]);
        let side = repository.path().join("side");
        let config = repository.path().join(".git/config");
        fs::remove_file(&config).unwrap();
        mkfifo(&config, Mode::S_IRWXU).unwrap();
        let said = look(&side).unwrap_err().to_string();
        assert!(said.contains(".git/config is a named pipe"), "{said}");
    }
}
