//! A job's log: exactly the bytes it printed, but for passwords of proxies ([`super::redact`]).

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::model::JobId;

/// A log that is being written.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    size: u64,
}

/// The name of an attempt's log in the directory of the logs.
pub(super) fn name(job: &JobId, attempt: u32) -> String {
    match attempt {
        0 | 1 => format!("{job}.log"),
        attempt => format!("{job}.{attempt}.log"),
    }
}

/// The end of a log, at most so many bytes of it.
pub(super) fn tail(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut log = File::open(path)?;
    let size = log.metadata()?.len();
    log.seek(SeekFrom::Start(size.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    log.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Log {
    /// Makes an empty one.
    pub fn create(directory: &Path, name: &str) -> Result<Self, Failure> {
        let path = directory.join(name);
        match File::create(&path) {
            Ok(file) => Ok(Self {
                path,
                file,
                size: 0,
            }),
            Err(error) => Err(Failure::of_path("cannot make the log", &path, &error)),
        }
    }

    /// Appends all of it. After an error the log holds the first [`Log::size`] bytes.
    pub fn append(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(0) => return Err(self.failure(&ErrorKind::WriteZero.into())),
                Ok(written) => {
                    self.size += written as u64;
                    bytes = &bytes[written..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failure(&error)),
            }
        }
        Ok(())
    }

    /// Bytes written.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Ends it. Some file systems say only now that there was no room.
    pub fn close(self) -> Result<(), Failure> {
        let path = self.path;
        nix::unistd::close(self.file)
            .map_err(|error| Failure::of_path("cannot write the log", &path, &error.into()))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::of_path("cannot write the log", &self.path, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Trouble;

    fn words(failure: Failure) -> String {
        match failure.trouble {
            Trouble::Infrastructure(what) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_later_attempt_has_a_log_of_its_own() {
        let job = JobId::new("proxy", "test");
        assert_eq!(name(&job, 1), "proxy.test.log");
        assert_eq!(name(&job, 2), "proxy.test.2.log");
    }

    #[test]
    fn a_full_disk_is_named_with_the_path_and_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("full.log");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut log = Log::create(directory.path(), "full.log").unwrap();
        let failure = log.append(b"x").unwrap_err();
        assert!(failure.fix.as_ref().unwrap().contains("free some space"));
        let what = words(failure);
        assert!(what.contains(&path.display().to_string()), "{what}");
        assert!(what.contains("No space left"), "{what}");
        assert_eq!(log.size(), 0);
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let failure = Log::create(Path::new("/nonexistent"), "a.log").unwrap_err();
        assert!(words(failure).contains("/nonexistent/a.log"));
    }
}
