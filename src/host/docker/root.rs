//! The root directory of a host: that of this machine, or a directory that holds another one's.
//!
//! Paths are those of the host (`/etc/docker/daemon.json`). A link is followed as the host itself
//! would follow it, so that an absolute one stays below the root.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::fs::read;

/// The most links on the way to a file, as in the kernel.
const LINKS: usize = 40;
/// The most bytes of a configuration file.
const BYTES: u64 = 4 << 20;

/// The root directory of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRoot(PathBuf);

impl Default for HostRoot {
    /// Returns the root of this machine.
    fn default() -> Self {
        Self("/".into())
    }
}

impl HostRoot {
    /// Returns the host whose root is this directory.
    ///
    /// # Errors
    /// When there is no such directory.
    pub fn of(directory: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(directory)?;
        match path.is_dir() {
            true => Ok(Self(path)),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Returns true for the machine that this program runs on. Only its programs are started.
    pub fn is_this_machine(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// Returns the path that a path of the host leads to from here. Its last parts may be missing.
    ///
    /// # Errors
    /// When links lead in a circle.
    pub fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.0.join(self.followed(path)?))
    }

    /// Returns the path inside of the host, without links, relative to the root.
    fn followed(&self, path: &Path) -> io::Result<PathBuf> {
        let mut way = PathBuf::new();
        let mut todo = parts(path);
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == ".." {
                way.pop();
                continue;
            }
            let Ok(target) = fs::read_link(self.0.join(&way).join(&part)) else {
                way.push(part);
                continue;
            };
            links += 1;
            if links > LINKS {
                return Err(io::Error::other("its links lead in a circle"));
            }
            if target.is_absolute() {
                way = PathBuf::new();
            }
            todo.extend(parts(&target));
        }
        Ok(way)
    }

    /// Reads a configuration file. Returns `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read, is no regular file, or is larger than 4 MiB.
    pub fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match read(&self.resolve(path)?, BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns true if there is a file or directory of this path.
    pub fn has(&self, path: &Path) -> bool {
        self.resolve(path).is_ok_and(|path| path.exists())
    }

    /// Returns true if there is a program of this path.
    pub fn has_program(&self, path: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt;
        let found = self.resolve(path).and_then(fs::metadata);
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    }

    /// Returns the names in a directory, sorted. One that is not there has none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let entries = match fs::read_dir(self.resolve(directory)?) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let names: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.file_name())).collect();
        let mut names = names?;
        names.sort();
        Ok(names)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Returns the parts of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let named = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    let mut parts: Vec<_> = named.collect();
    parts.reverse();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_stays_below_the_root() {
        let place = tempfile::tempdir().unwrap();
        let root = HostRoot::of(place.path()).unwrap();
        let base = fs::canonicalize(place.path()).unwrap();
        fs::create_dir_all(base.join("etc/docker")).unwrap();
        fs::create_dir_all(base.join("srv")).unwrap();
        fs::write(base.join("srv/daemon.json"), "{}").unwrap();
        symlink("/srv/daemon.json", base.join("etc/docker/daemon.json")).unwrap();
        symlink("../../../../srv", base.join("etc/far")).unwrap();
        symlink("circle", base.join("etc/circle")).unwrap();
        let led = |path: &str| root.resolve(Path::new(path)).unwrap();
        assert_eq!(led("/etc/docker/daemon.json"), base.join("srv/daemon.json"));
        assert_eq!(led("/etc/far/daemon.json"), base.join("srv/daemon.json"));
        assert_eq!(led("/../nothing/here"), base.join("nothing/here"));
        assert!(root.resolve(Path::new("/etc/circle")).is_err());
        let read = root.read(Path::new("/etc/docker/daemon.json")).unwrap();
        assert_eq!(read.as_deref(), Some(b"{}".as_slice()));
        assert_eq!(root.read(Path::new("/etc/nothing/at/all")).unwrap(), None);
        assert!(root.list(Path::new("/nothing")).unwrap().is_empty());
    }
}
