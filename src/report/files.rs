//! The files at the end of a run: written aside, synced, renamed, so that a reader sees a whole file or none.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::model::Document;
use super::{Dialect, result, write_document, write_html, write_markdown};
use crate::outcome::Run;

/// What the name of a report begins with while it is being written.
pub const ASIDE: &str = ".kata-ci-";

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}; {}", hint(.source))]
pub struct FileError {
    /// The report.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "does its directory exist?",
        io::ErrorKind::InvalidInput => "name a file",
        _ => "is the disk full, or the directory not writable?",
    }
}

/// Writes `junit.xml`, `report.html`, `summary.md` and `result.json` into the report directory, and the same JUnit to `junit_copy` where
/// one is asked for; `document` is what [`super::from_run()`] makes of the run. Every file is tried; the errors of those that
/// could not be written come back.
pub fn write_all(
    run: &Run,
    document: &Document,
    directory: &Path,
    junit_copy: Option<&Path>,
) -> Vec<FileError> {
    let junit = directory.join("junit.xml");
    let junits = std::iter::once(junit.as_path()).chain(junit_copy);
    let others = [
        write_aside(&directory.join("report.html"), |file| {
            write_html(document, file)
        }),
        write_aside(&directory.join("summary.md"), |file| {
            write_markdown(document, file)
        }),
        write_aside(&directory.join("result.json"), |file| {
            file.write_all(&result::result_json(run)?)
        }),
    ];
    junits
        .map(|path| {
            write_aside(path, |file| {
                write_document(document, Dialect::Jenkins, file)
            })
        })
        .chain(others)
        .filter_map(Result::err)
        .collect()
}

/// Writes a file beside its place, syncs it, and renames it into place. What is there before stays until then; what is no
/// file, such as `/dev/null`, stays for good.
pub fn write_aside(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    check_place(path)?;
    try_write(path, write).map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

/// Whether a report can be renamed to that name: not where something is that is no file.
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

fn try_write(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let directory_file = File::open(directory)?;
    // Others may read a report: the usual permissions less the umask, not the private ones of a temporary file.
    let aside = tempfile::Builder::new()
        .prefix(ASIDE)
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)?;
    // The file itself: errors of what tempfile makes of it speak of a name that is gone with them.
    let mut writer = BufWriter::new(aside.as_file());
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    aside.as_file().sync_all()?;
    aside.persist(path).map_err(|error| error.error)?;
    directory_file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt;

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
