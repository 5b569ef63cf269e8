//! Removes a directory with its content, whatever a job made of it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::ASIDE;

/// The levels that are open at a time. What lies deeper is moved up first.
const LEVELS: usize = 32;

/// Opens a directory to read it, unless its name is a link.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Removes a directory with everything below it. Links are removed, not followed. Directories may
/// be read-only, and nested deeper than a path can say or than files can be open. One that is not
/// there is no error.
///
/// # Errors
/// When something cannot be removed; the rest is gone.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let top = match open(CWD, path.as_os_str()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let mut moved = 0;
    loop {
        let before = moved;
        clear(&top, &top, LEVELS, &mut moved)?;
        if moved == before {
            return fs::remove_dir(path);
        }
    }
}

/// Removes the content of a directory. Directories below `levels` are moved to `top`, and counted.
fn clear(top: &OwnedFd, directory: &OwnedFd, levels: usize, moved: &mut u64) -> io::Result<()> {
    for name in names(directory)? {
        let name = OsStr::from_bytes(&name);
        match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => continue,
            // The words for a directory; POSIX says EPERM, Linux EISDIR.
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
        let below = open(directory, name)?;
        if levels == 0 {
            *moved += 1;
            let aside = format!("{ASIDE}{moved}");
            rustix::fs::renameat(directory, name, top, aside)?;
        } else {
            clear(top, &below, levels - 1, moved)?;
            rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR)?;
        }
    }
    Ok(())
}

/// Opens a directory for reading, and makes it writable for its owner.
fn open(place: impl AsFd, name: &OsStr) -> io::Result<OwnedFd> {
    let place = place.as_fd();
    let found = match rustix::fs::openat(place, name, READ, Mode::empty()) {
        Err(Errno::ACCESS) => {
            let metadata = rustix::fs::statat(place, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if rustix::fs::FileType::from_raw_mode(metadata.st_mode).is_dir() {
                rustix::fs::chmodat(place, name, Mode::RWXU, AtFlags::empty())?;
            }
            rustix::fs::openat(place, name, READ, Mode::empty())?
        }
        found => found?,
    };
    if rustix::fs::fstat(&found)?.st_mode & 0o700 != 0o700 {
        rustix::fs::fchmod(&found, Mode::RWXU)?;
    }
    Ok(found)
}

fn names(directory: &OwnedFd) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// Nests directories deeper than a path can say.
    fn nest(place: &Path, levels: usize) {
        let mut at = open(CWD, place.as_os_str()).unwrap();
        for _ in 0..levels {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = open(&at, OsStr::new("d")).unwrap();
        }
    }

    #[test]
    fn what_is_nested_deeper_than_files_can_be_open_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let (tree, other) = (place.path().join("tree"), place.path().join("other"));
        for directory in ["tree/a/b", "tree/c", "other"] {
            fs::create_dir_all(place.path().join(directory)).unwrap();
        }
        fs::write(other.join("file"), "").unwrap();
        symlink(&other, tree.join("a/link")).unwrap();
        nest(&tree.join("a/b"), 3000);
        nest(&tree.join("c"), 500);
        remove_tree(&tree).unwrap();
        assert!(!tree.exists() && other.join("file").exists());
    }

    #[test]
    fn what_is_read_only_is_removed_and_what_is_not_there_is_no_error() {
        let place = tempfile::tempdir().unwrap();
        let tree = place.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/file"), "").unwrap();
        for name in ["a/b", "a", ""] {
            let none = fs::Permissions::from_mode(0o000);
            fs::set_permissions(tree.join(name), none).unwrap();
        }
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        remove_tree(&tree).unwrap();
    }

    #[test]
    fn a_link_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let link = place.path().join("link");
        fs::create_dir(place.path().join("tree")).unwrap();
        symlink("tree", &link).unwrap();
        assert!(remove_tree(&link).is_err());
        assert!(place.path().join("tree").exists());
    }
}
