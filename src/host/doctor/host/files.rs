//! Reads the files of a host.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::{Asked, Unasked};
use crate::host::docker::HostRoot;

/// The most bytes of a file. The largest that is asked for, a kernel's configuration, has 300 KB.
const LARGEST: u64 = 16 << 20;
/// The most names of a directory.
const MOST_NAMES: usize = 10_000;

/// A directory that stands for `/`.
#[derive(Debug, Clone)]
pub(crate) struct HostFiles(PathBuf);

/// A file, as stat(2) tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// True for a directory.
    pub is_directory: bool,
    /// The permissions.
    pub mode: u32,
    /// The id of the group.
    pub group: u32,
}

impl HostFiles {
    /// Returns the root of this machine.
    pub fn this() -> Self {
        Self("/".into())
    }

    /// Returns a directory as the root of a made-up host.
    #[cfg(test)]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// Reads a text; `None` if there is no such file.
    pub fn text(&self, path: &str) -> Asked<Option<String>> {
        let bytes = self.bytes(path)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Reads a file; `None` if there is no such file.
    pub fn bytes(&self, path: &str) -> Asked<Option<Vec<u8>>> {
        let read = self.open(path, OFlags::RDONLY).and_then(|file| {
            let file = File::from(file);
            if !file.metadata()?.is_file() {
                return Err(io::Error::other("it is not a regular file"));
            }
            let mut bytes = Vec::new();
            file.take(LARGEST + 1).read_to_end(&mut bytes)?;
            match bytes.len() as u64 > LARGEST {
                true => Err(io::Error::other("it is larger than 16 MiB")),
                false => Ok(bytes),
            }
        });
        found(path, read)
    }

    /// Returns the kind of a file, which is not opened; `None` if there is none.
    pub fn kind(&self, path: &str) -> Asked<Option<Kind>> {
        let metadata = self
            .open(path, OFlags::PATH)
            .and_then(|file| File::from(file).metadata());
        let kind = metadata.map(|metadata| Kind {
            is_directory: metadata.is_dir(),
            mode: metadata.mode() & 0o7777,
            group: metadata.gid(),
        });
        found(path, kind)
    }

    /// Returns the text of a link; `None` for anything else.
    pub fn link(&self, path: &str) -> Option<String> {
        let link = self.open(path, OFlags::PATH | OFlags::NOFOLLOW).ok()?;
        let target = rustix::fs::readlinkat(link, "", Vec::new()).ok()?;
        Some(target.to_string_lossy().into_owned())
    }

    /// Returns true if something is there, and can be told to be.
    pub fn has(&self, path: &str) -> bool {
        matches!(self.kind(path), Ok(Some(_)))
    }

    /// Returns the names in a directory, ordered; none if there is no such directory.
    pub fn names(&self, path: &str) -> Asked<Vec<String>> {
        let read = self.open(path, OFlags::RDONLY | OFlags::DIRECTORY);
        let names = read.and_then(|directory| {
            let own = format!("/proc/self/fd/{}", directory.as_raw_fd());
            let names: io::Result<Vec<_>> = std::fs::read_dir(own)?
                .take(MOST_NAMES)
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect();
            names
        });
        let mut names = found(path, names)?.unwrap_or_default();
        names.sort();
        Ok(names)
    }

    /// Returns the paths of the files of a directory whose names end like this, ordered.
    pub fn files(&self, directory: &str, end: &str) -> Asked<Vec<String>> {
        let names = self.names(directory)?.into_iter();
        Ok(names
            .filter(|name| name.ends_with(end))
            .map(|name| format!("{}/{name}", directory.trim_end_matches('/')))
            .collect())
    }

    /// Returns the same root as `kata-ci docker` has it.
    pub fn as_docker_root(&self) -> io::Result<HostRoot> {
        HostRoot::of(&self.0)
    }

    fn open(&self, path: &str, how: OFlags) -> io::Result<OwnedFd> {
        let how = match how.contains(OFlags::PATH) {
            true => how | OFlags::CLOEXEC,
            false => how | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY,
        };
        if self.0 == Path::new("/") {
            // A device is never opened: that can load a module.
            if !how.contains(OFlags::PATH) {
                let plain = rustix::fs::stat(path)?;
                let kind = rustix::fs::FileType::from_raw_mode(plain.st_mode);
                if !kind.is_file() && !kind.is_dir() {
                    return Err(io::Error::other("it is not a regular file"));
                }
            }
            return Ok(rustix::fs::open(path, how, Mode::empty())?);
        }
        let root = rustix::fs::open(
            &self.0,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        Ok(rustix::fs::openat2(root, path, how, Mode::empty(), inside)?)
    }
}

/// Tells a file that is not there from one that cannot be read.
fn found<T>(path: &str, read: io::Result<T>) -> Asked<Option<T>> {
    let absent = [Errno::NOENT, Errno::NOTDIR].map(|one| Some(one.raw_os_error()));
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if absent.contains(&error.raw_os_error()) => Ok(None),
        Err(error) => Err(Unasked(format!("{path} cannot be read: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn world() -> (tempfile::TempDir, HostFiles) {
        let place = tempfile::tempdir().unwrap();
        let root = HostFiles::at(place.path());
        std::fs::create_dir(place.path().join("etc")).unwrap();
        (place, root)
    }

    #[test]
    fn what_is_missing_is_told_from_what_cannot_be_read() {
        let (place, root) = world();
        std::fs::write(place.path().join("etc/name"), "value").unwrap();
        assert_eq!(root.text("/etc/name").unwrap().as_deref(), Some("value"));
        assert_eq!(root.text("/etc/none"), Ok(None));
        assert_eq!(root.text("/etc/name/below"), Ok(None));
        let error = root.text("/etc").unwrap_err().0;
        assert_eq!(error, "/etc cannot be read: it is not a regular file");
        symlink("loop", place.path().join("etc/loop")).unwrap();
        assert!(root.text("/etc/loop").is_err() && root.kind("/etc/loop").is_err());
        let pipe = place.path().join("etc/pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(root.text("/etc/pipe").is_err());
        assert!(matches!(root.kind("/etc/pipe"), Ok(Some(_))));
        let huge = File::create(place.path().join("etc/huge")).unwrap();
        huge.set_len(LARGEST + 1).unwrap();
        let error = root.text("/etc/huge").unwrap_err().0;
        assert!(error.ends_with("it is larger than 16 MiB"), "{error}");
    }

    #[test]
    fn a_link_never_leaves_the_root() {
        let (place, root) = world();
        symlink("/etc/passwd", place.path().join("etc/out")).unwrap();
        symlink("../../../../etc/passwd", place.path().join("etc/up")).unwrap();
        assert_eq!(root.text("/etc/out"), Ok(None));
        assert_eq!(root.text("/etc/up"), Ok(None));
        std::fs::write(place.path().join("etc/passwd"), "inside").unwrap();
        assert_eq!(root.text("/etc/out").unwrap().as_deref(), Some("inside"));
    }

    #[test]
    fn a_device_of_this_machine_is_not_opened() {
        assert!(HostFiles::this().text("/dev/null").is_err());
        let kind = HostFiles::this().kind("/dev/null");
        assert!(
            matches!(kind, Ok(Some(kind)) if !kind.is_directory),
            "{kind:?}"
        );
        assert!(HostFiles::this().text("/proc/cpuinfo").unwrap().is_some());
    }
}
