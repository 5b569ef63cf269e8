//! The root directory of a host: that of this machine, or a directory that holds another one's.
//!
//! Paths are those of the host (`/etc/docker/daemon.json`). A link is followed as the host itself
//! would follow it, so that an absolute one stays below the root. Nobody waits for a pipe, opens a
//! device (that can load a module), or reads without end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The most links on the way to a file, as in the kernel.
const LINKS: usize = 40;
/// The most bytes of a file. The largest that is asked for, a kernel's configuration, has 300 KB.
const LARGEST: u64 = 16 << 20;
/// The most names of a directory.
const MOST_NAMES: usize = 10_000;

/// The root directory of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRoot(PathBuf);

/// A file, as stat(2) tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// True for a regular file.
    pub is_file: bool,
    /// True for a directory.
    pub is_directory: bool,
    /// The permissions.
    pub mode: u32,
    /// The id of the group.
    pub group: u32,
}

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

    /// Reads a file. Returns `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read, is no regular file, or is larger than 16 MiB.
    pub fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        there(self.open(path, OFlags::RDONLY).and_then(|file| {
            let file = File::from(file);
            if !file.metadata()?.is_file() {
                return Err(not_regular());
            }
            let mut bytes = Vec::new();
            file.take(LARGEST + 1).read_to_end(&mut bytes)?;
            match bytes.len() as u64 > LARGEST {
                true => Err(io::Error::other("it is larger than 16 MiB")),
                false => Ok(bytes),
            }
        }))
    }

    /// Returns the kind of a file, which is not opened; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn stat(&self, path: impl AsRef<Path>) -> io::Result<Option<Kind>> {
        let file = self.open(path.as_ref(), OFlags::PATH).map(File::from);
        let metadata = file.and_then(|file| file.metadata());
        there(metadata.map(|metadata| Kind {
            is_file: metadata.is_file(),
            is_directory: metadata.is_dir(),
            mode: metadata.mode() & 0o7777,
            group: metadata.gid(),
        }))
    }

    /// Returns the target of a link; `None` for anything else.
    pub fn link(&self, path: impl AsRef<Path>) -> Option<String> {
        let how = OFlags::PATH | OFlags::NOFOLLOW;
        let link = self.open(path.as_ref(), how).ok()?;
        let target = rustix::fs::readlinkat(link, "", Vec::new()).ok()?;
        Some(target.to_string_lossy().into_owned())
    }

    /// Returns true if something is there, and can be told to be.
    pub fn has(&self, path: impl AsRef<Path>) -> bool {
        matches!(self.stat(path), Ok(Some(_)))
    }

    /// Returns true if there is a program of this path.
    pub fn has_program(&self, path: impl AsRef<Path>) -> bool {
        let is_program = |kind: Kind| kind.is_file && kind.mode & 0o111 != 0;
        self.stat(path).ok().flatten().is_some_and(is_program)
    }

    /// Returns the names in a directory, sorted. One that is not there has none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let open = self.open(directory, OFlags::RDONLY | OFlags::DIRECTORY);
        let names = open.and_then(|directory| {
            let own = format!("/proc/self/fd/{}", directory.as_raw_fd());
            let entries = fs::read_dir(own)?.take(MOST_NAMES);
            entries.map(|entry| Ok(entry?.file_name())).collect()
        });
        let mut names: Vec<_> = there(names)?.unwrap_or_default();
        names.sort();
        Ok(names)
    }

    fn open(&self, path: &Path, how: OFlags) -> io::Result<OwnedFd> {
        let is_named_only = how.contains(OFlags::PATH);
        let how = match is_named_only {
            true => how | OFlags::CLOEXEC,
            false => how | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY,
        };
        if self.is_this_machine() {
            if !is_named_only {
                let found = FileType::from_raw_mode(rustix::fs::stat(path)?.st_mode);
                if !found.is_file() && !found.is_dir() {
                    return Err(not_regular());
                }
            }
            return Ok(rustix::fs::open(path, how, Mode::empty())?);
        }
        let root = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&self.0, root, Mode::empty())?;
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        Ok(rustix::fs::openat2(root, path, how, Mode::empty(), inside)?)
    }
}

fn not_regular() -> io::Error {
    io::Error::other("it is not a regular file")
}

/// Tells a file that is not there from one that cannot be read.
fn there<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    let absent = [Errno::NOENT, Errno::NOTDIR].map(|one| Some(one.raw_os_error()));
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if absent.contains(&error.raw_os_error()) => Ok(None),
        Err(error) => Err(error),
    }
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

    #[test]
    fn a_program_is_a_file_that_can_be_executed() {
        let place = tempfile::tempdir().unwrap();
        let root = HostRoot::of(place.path()).unwrap();
        fs::create_dir(place.path().join("sh")).unwrap();
        fs::write(place.path().join("text"), "").unwrap();
        symlink("/sh", place.path().join("link")).unwrap();
        for name in ["/sh", "/text", "/link", "/none"] {
            assert!(!root.has_program(name), "{name}");
        }
        assert!(HostRoot::default().has_program("/bin/sh"));
        assert_eq!(root.link("/link").as_deref(), Some("/sh"));
        assert_eq!(root.link("/text"), None);
    }
}
