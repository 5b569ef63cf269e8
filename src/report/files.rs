//! Writes the files of a run at its end. Each is written aside, synced and renamed, so that a
//! reader sees a whole file or none.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::model::Document;
use super::{Dialect, result, write_document, write_html, write_markdown};
use crate::fs::{Directory, Place};
use crate::outcome::Run;

/// The file that marks a run as ended.
pub const RESULT: &str = "result.json";

/// An error of writing a report.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}; {}", hint(.source))]
pub struct FileError {
    /// The report.
    pub path: PathBuf,
    /// The error of the system.
    pub source: io::Error,
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "does its directory exist?",
        io::ErrorKind::InvalidInput => "name a file",
        _ => "is the disk full, or the directory not writable?",
    }
}

/// Writes `junit.xml`, `report.html` and `summary.md` into the report directory. Tries every file,
/// and returns the errors.
pub fn write_all(document: &Document, directory: &Directory) -> Vec<FileError> {
    let files = [
        write_in(directory, "junit.xml", |file| {
            write_document(document, Dialect::Jenkins, file)
        }),
        write_in(directory, "report.html", |file| write_html(document, file)),
        write_in(directory, "summary.md", |file| {
            write_markdown(document, file)
        }),
    ];
    files.into_iter().filter_map(Result::err).collect()
}

/// Writes a copy of the JUnit file.
pub fn write_copy(document: &Document, place: &Place) -> Result<(), FileError> {
    let written = place.write_aside(|file| write_document(document, Dialect::Jenkins, file));
    written.map_err(|source| FileError {
        path: place.named().to_owned(),
        source,
    })
}

/// Writes `result.json`. It marks the run as ended, so it is the last file of a run.
pub fn write_result(run: &Run, directory: &Directory) -> Result<(), FileError> {
    write_in(directory, RESULT, |file| {
        file.write_all(&result::result_json(run)?)
    })
}

/// Writes a file into an open directory, whatever has its name by now.
pub(super) fn write_in(
    directory: &Directory,
    name: &str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    let written = directory.write_aside(OsStr::new(name), write);
    written.map_err(|source| FileError {
        path: directory.path().join(name),
        source,
    })
}

/// Writes a file atomically. The previous content stays until then. Fails for a special file such
/// as `/dev/null`, which is not replaced.
pub fn write_aside(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    check_place(path)?;
    let written = Place::of(path).and_then(|place| place.write_aside(write));
    written.map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

/// Checks that a report can be renamed to that path, which fails for special files.
pub fn check_place(path: &Path) -> Result<(), FileError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(FileError {
            path: path.to_owned(),
            source: io::Error::new(
                io::ErrorKind::InvalidInput,
                "what is there is not a file, and is not replaced",
            ),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};

    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report");
        write_aside(&path, |file| file.write_all(b"old")).unwrap();
        let error = write_aside(&path, |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert!(error.to_string().contains("report: no storage space"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = write_aside(Path::new("/nonexistent/report"), |_| Ok(())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot write /nonexistent/report: No such file or directory (os error 2); does its directory exist?"
        );
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for path in [&pipe, &link, &directory.path().to_owned()] {
            let error = write_aside(path, |_| Ok(())).unwrap_err().to_string();
            assert!(
                error.ends_with("not a file, and is not replaced; name a file"),
                "{error}"
            );
        }
        let kind = |path: &Path| path.symlink_metadata().unwrap().file_type();
        assert!(kind(&pipe).is_fifo() && kind(&link).is_symlink());
    }

    #[test]
    fn others_may_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report");
        write_aside(&path, |_| Ok(())).unwrap();
        let plain = directory.path().join("plain");
        File::create(&plain).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
    }
}
