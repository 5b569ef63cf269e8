//! Reading what may have been replaced: a regular file, or an error at once.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Opens without waiting for a pipe, and without taking a terminal.
pub(super) const AT_ONCE: OFlags = OFlags::NONBLOCK
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Opens a regular file for reading. Links are followed.
///
/// # Errors
/// When it cannot be opened, or is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    opened(path, OFlags::RDONLY)
}

/// Opens a regular file for reading, unless its name is a link.
///
/// # Errors
/// When it cannot be opened, or is no regular file.
pub fn open_plain(path: &Path) -> io::Result<File> {
    opened(path, OFlags::RDONLY | OFlags::NOFOLLOW)
}

/// Opens a regular file for reading and appending, unless its name is a link.
///
/// # Errors
/// When it cannot be opened, or is no regular file.
pub fn open_own(path: &Path) -> io::Result<File> {
    opened(path, OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW)
}

/// Reads a whole regular file of at most so many bytes.
///
/// # Errors
/// When it cannot be read, is no regular file, or is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::other(format!(
            "is larger than {} MiB",
            most >> 20
        ))),
        false => Ok(bytes),
    }
}

fn opened(path: &Path, how: OFlags) -> io::Result<File> {
    regular(rustix::fs::open(path, how | AT_ONCE, Mode::empty())?.into())
}

/// Returns the file if it is a regular one.
pub(super) fn regular(file: File) -> io::Result<File> {
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_would_be_waited_for_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let pipe = place.path().join("pipe");
        mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        for path in [pipe.as_path(), place.path(), Path::new("/dev/null")] {
            for error in [open(path), open_plain(path)] {
                let error = error.unwrap_err().to_string();
                assert_eq!(error, "it is not a regular file", "{}", path.display());
            }
            assert!(read(path, 10).is_err() && open_own(path).is_err());
        }
    }

    #[test]
    fn a_link_leads_to_a_file_or_is_none_of_its_own() {
        let place = tempfile::tempdir().unwrap();
        let (file, link) = (place.path().join("file"), place.path().join("link"));
        std::fs::write(&file, "text").unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(read(&link, 4).unwrap(), b"text");
        assert!(open_plain(&link).is_err() && open_own(&link).is_err());
        assert!(open_plain(&file).is_ok() && open_own(&file).is_ok());
    }

    #[test]
    fn a_file_that_is_larger_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        File::create(&file).unwrap().set_len(1 << 40).unwrap();
        let error = read(&file, 1 << 20).unwrap_err();
        assert_eq!(error.to_string(), "is larger than 1 MiB");
    }
}
