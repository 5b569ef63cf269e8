//! Asks the files of a host: the reason why one has no answer, in words.

use std::io;
use std::path::Path;

use super::{Asked, Unasked};
use crate::host::root::{HostRoot, Kind};

impl HostRoot {
    /// Reads a text; `None` if there is no such file.
    pub(crate) fn text(&self, path: &str) -> Asked<Option<String>> {
        let bytes = self.bytes(path)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Reads a file; `None` if there is no such file.
    pub(crate) fn bytes(&self, path: &str) -> Asked<Option<Vec<u8>>> {
        asked(path, self.read(Path::new(path)))
    }

    /// Returns the kind of a file, which is not opened; `None` if there is none.
    pub(crate) fn kind(&self, path: &str) -> Asked<Option<Kind>> {
        asked(path, self.stat(path))
    }

    /// Returns the names in a directory, ordered; none if there is no such directory.
    pub(crate) fn names(&self, path: &str) -> Asked<Vec<String>> {
        let names = asked(path, self.list(Path::new(path)))?.into_iter();
        Ok(names
            .map(|name| name.to_string_lossy().into_owned())
            .collect())
    }

    /// Returns the paths of the files of a directory whose names end like this, ordered.
    pub(crate) fn files(&self, directory: &str, end: &str) -> Asked<Vec<String>> {
        let names = self.names(directory)?.into_iter();
        Ok(names
            .filter(|name| name.ends_with(end))
            .map(|name| format!("{}/{name}", directory.trim_end_matches('/')))
            .collect())
    }
}

fn asked<T>(path: &str, read: io::Result<T>) -> Asked<T> {
    read.map_err(|error| Unasked(format!("{path} cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn world() -> (tempfile::TempDir, HostRoot) {
        let place = tempfile::tempdir().unwrap();
        let root = HostRoot::of(place.path()).unwrap();
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
        let huge = std::fs::File::create(place.path().join("etc/huge")).unwrap();
        huge.set_len((16 << 20) + 1).unwrap();
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
        assert!(HostRoot::default().text("/dev/null").is_err());
        let kind = HostRoot::default().kind("/dev/null");
        assert!(
            matches!(kind, Ok(Some(kind)) if !kind.is_directory),
            "{kind:?}"
        );
        assert!(HostRoot::default().text("/proc/cpuinfo").unwrap().is_some());
    }
}
