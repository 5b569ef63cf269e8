//! The log of a job: exactly the bytes that it printed, except passwords of proxies
//! ([`crate::text::secrets`]).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::failure::Failure;
use crate::fs::Directory;
use crate::model::JobId;

/// A log that is being written.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    size: u64,
}

/// A log that can be read, even if another file has its name by now.
#[derive(Debug)]
pub(super) struct Written(File);

/// Returns the name of an attempt's log in the directory of the logs.
pub(super) fn name(job: &JobId, attempt: u32) -> String {
    match attempt {
        0 | 1 => format!("{job}.log"),
        attempt => format!("{job}.{attempt}.log"),
    }
}

impl Written {
    /// Returns the end of the log, at most `most` bytes.
    pub fn tail(&self, most: u64) -> io::Result<Vec<u8>> {
        let size = self.0.metadata()?.len();
        let mut bytes = Vec::new();
        self.read(size.saturating_sub(most), most, &mut bytes)?;
        Ok(bytes)
    }

    /// Appends `length` bytes of the log to `to`; fewer if the log ends before.
    pub fn read(&self, start: u64, length: u64, to: &mut Vec<u8>) -> io::Result<()> {
        let size = self.0.metadata()?.len();
        let length = length.min(size.saturating_sub(start));
        let before = to.len();
        to.resize(before + usize::try_from(length).unwrap_or_default(), 0);
        self.0.read_exact_at(&mut to[before..], start)
    }
}

impl Log {
    /// Makes an empty log.
    pub fn create(directory: &Directory, name: &str) -> Result<Self, Failure> {
        let path = directory.path().join(name);
        match directory.create(OsStr::new(name)) {
            Ok(file) => Ok(Self::on(path, file)),
            Err(error) => Err(Failure::of_path("cannot make the log", &path, &error)),
        }
    }

    fn on(path: PathBuf, file: File) -> Self {
        Self {
            path,
            file,
            size: 0,
        }
    }

    /// Returns a reader of the log for now and afterwards.
    pub fn written(&self) -> Result<Written, Failure> {
        let file = self.file.try_clone();
        file.map(Written).map_err(|error| self.failure(&error))
    }

    /// Appends all bytes. After an error the log holds the first [`Log::size`] bytes.
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

    /// Returns the number of bytes written.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Closes the log. Some file systems report only now that there was no space.
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
    use std::path::Path;

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
        let path = PathBuf::from("logs/full.log");
        let file = File::options().write(true).open("/dev/full").unwrap();
        let mut log = Log::on(path.clone(), file);
        let failure = log.append(b"x").unwrap_err();
        assert!(failure.fix.as_ref().unwrap().contains("free some space"));
        let what = words(failure);
        assert!(what.contains(&path.display().to_string()), "{what}");
        assert!(what.contains("No space left"), "{what}");
        assert_eq!(log.size(), 0);
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let nowhere = Directory::expect(Path::new("/nonexistent")).unwrap();
        let failure = Log::create(&nowhere, "a.log").unwrap_err();
        assert!(words(failure).contains("/nonexistent/a.log"));
    }

    #[test]
    fn what_was_written_is_read_whatever_has_its_name() {
        let place = tempfile::tempdir().unwrap();
        let logs = Directory::hold(place.path()).unwrap();
        let mut log = Log::create(&logs, "a.log").unwrap();
        log.append(b"0123456789").unwrap();
        let written = log.written().unwrap();
        std::fs::write(place.path().join("b"), "planted").unwrap();
        std::fs::rename(place.path().join("b"), place.path().join("a.log")).unwrap();
        assert_eq!(written.tail(3).unwrap(), b"789");
        assert_eq!(written.tail(99).unwrap(), b"0123456789");
        let mut bytes = b"x".to_vec();
        written.read(8, 9, &mut bytes).unwrap();
        written.read(20, 9, &mut bytes).unwrap();
        assert_eq!(bytes, b"x89");
    }
}
