//! Finds results: report directories, journals, JUnit files, directories of any of them.

use std::fs::{FileType, metadata, read_dir};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Unread;
use super::{ReadError, read_junit};
use crate::event::read_journal;
use crate::fs;
use crate::outcome::Run;
use crate::report::ci::FILES;
use crate::report::from_run;
use crate::report::model::{Document, Spool};

/// The name of the journal in a report directory.
const JOURNAL: &str = "events.jsonl";

/// The time that a named pipe without a writer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The name of standard input.
pub const INPUT: &str = "-";

/// A source of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportSource {
    /// A journal, with its logs beside it.
    Journal(PathBuf),
    /// A file that was named, or an XML file in a directory.
    File(PathBuf),
    /// Standard input.
    Input,
}

/// Returns the run of a report directory, whatever else lies in it; else everything that [`find`]
/// finds.
pub fn find_run(path: &Path) -> Vec<Result<ReportSource, Unread>> {
    match path.join(JOURNAL) {
        journal if journal.is_file() => vec![Ok(ReportSource::Journal(journal))],
        _ => find(path),
    }
}

/// Returns the sources at a path: the file, or every journal and XML file below a directory. Paths
/// that cannot be inspected are returned as errors. A pipe is a file that can be read once.
pub fn find(path: &Path) -> Vec<Result<ReportSource, Unread>> {
    if path == Path::new(INPUT) {
        return vec![Ok(ReportSource::Input)];
    }
    let mut found = Vec::new();
    match metadata(path) {
        Err(error) => found.push(Err(Unread::new(path, error))),
        Ok(kind) if kind.is_dir() => look_into(path, &mut found),
        Ok(kind) if kind.is_file() => found.push(of_file(path)),
        Ok(_) => found.push(Ok(ReportSource::File(path.to_owned()))),
    }
    if found.is_empty() {
        found.push(Err(Unread::new(path, ReadError::Nothing)));
    }
    found
}

fn look_into(directory: &Path, found: &mut Vec<Result<ReportSource, Unread>>) {
    let journal = directory.join(JOURNAL);
    let is_run = journal.is_file();
    if is_run {
        found.push(Ok(ReportSource::Journal(journal)));
    }
    let entries = entries(directory).unwrap_or_else(|error| {
        found.push(Err(Unread::new(directory, error)));
        Vec::new()
    });
    for (path, kind) in entries {
        let is_xml = path.extension().is_some_and(|end| end == "xml");
        let is_xml = is_xml && !(is_run && is_of_run(&path));
        if kind.is_dir() {
            look_into(&path, found);
        } else if kind.is_file() && is_xml {
            found.push(Ok(ReportSource::File(path)));
        } else if kind.is_symlink() && is_xml {
            // The link may lead in a circle, or out of the directory.
            found.push(Err(Unread::new(path, ReadError::Link)));
        }
    }
}

/// Returns true for a file that a run writes beside its journal with the same content.
fn is_of_run(path: &Path) -> bool {
    path.ends_with("junit.xml") || FILES.iter().any(|name| path.ends_with(name))
}

fn entries(directory: &Path) -> io::Result<Vec<(PathBuf, FileType)>> {
    let mut entries = Vec::new();
    for entry in read_dir(directory)? {
        let entry = entry?;
        entries.push((entry.path(), entry.file_type()?));
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(entries)
}

/// Tells a journal from XML: the lines of a journal are JSON objects.
fn of_file(path: &Path) -> Result<ReportSource, Unread> {
    let mut first = [0; 1];
    let count = fs::open(path)
        .and_then(|mut file| file.read(&mut first))
        .map_err(|error| Unread::new(path, error))?;
    Ok(match &first[..count] {
        b"{" => ReportSource::Journal(path.to_owned()),
        _ => ReportSource::File(path.to_owned()),
    })
}

/// Reads a source. Long texts go to the spool.
pub fn read(found: &ReportSource, spool: &Spool) -> Result<Document, Unread> {
    match found {
        ReportSource::Journal(path) => {
            let run = run(path)?;
            let directory = path.parent().unwrap_or(Path::new("."));
            let directory =
                fs::Directory::expect(directory).map_err(|error| Unread::new(path, error))?;
            Ok(from_run(&run, &directory))
        }
        ReportSource::File(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let file =
                fs::open_or_wait(path, PATIENCE).map_err(|error| Unread::new(path, error))?;
            read_stream(file, &name, spool).map_err(|error| Unread::new(path, error))
        }
        ReportSource::Input => {
            let name = "standard input";
            read_stream(io::stdin().lock(), name, spool).map_err(|error| Unread::new(name, error))
        }
    }
}

/// Returns the run that a journal holds.
pub fn run(journal: &Path) -> Result<Run, Unread> {
    let records = read_journal(journal).map_err(Unread::Journal)?;
    let mut run = Run::default();
    records.iter().for_each(|record| run.apply(record));
    Ok(run)
}

fn read_stream(stream: impl Read, name: &str, spool: &Spool) -> Result<Document, ReadError> {
    let mut document = read_junit(stream, spool)?;
    document.title = crate::text::one_line(name, 255);
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn found(path: &Path) -> Vec<String> {
        let said = |one: Result<ReportSource, Unread>| match one {
            Ok(ReportSource::Journal(path)) => format!("journal {}", path.display()),
            Ok(ReportSource::File(path)) => format!("file {}", path.display()),
            Ok(ReportSource::Input) => "input".to_owned(),
            Err(error) => error.to_string(),
        };
        let strip = format!("{}/", path.display());
        let all = find(path).into_iter().map(said);
        all.map(|one| one.replace(&strip, "")).collect()
    }

    #[test]
    fn a_directory_is_looked_through_and_what_is_not_followed_is_said() {
        let temporary = tempfile::tempdir().unwrap();
        let path = |name: &str| temporary.path().join(name);
        let deep = format!("deep{}", "/d".repeat(40));
        for directory in ["run/logs", "other", &deep] {
            fs::create_dir_all(path(directory)).unwrap();
        }
        let deepest = format!("{deep}/x.xml");
        for name in [
            "run/events.jsonl",
            "run/junit.xml",
            "run/of-another.xml",
            "other/b.xml",
            "other/b.txt",
            &deepest,
        ] {
            fs::write(path(name), "").unwrap();
        }
        std::os::unix::fs::symlink("run", path("latest")).unwrap();
        std::os::unix::fs::symlink("other/b.xml", path("link.xml")).unwrap();
        let expected = [
            &format!("file {deepest}"),
            "link.xml is a link, and links in a directory are not followed: name the file itself",
            "file other/b.xml",
            "journal run/events.jsonl",
            "file run/of-another.xml",
        ];
        assert_eq!(found(temporary.path()), expected);
        assert_eq!(found(Path::new("-")), ["input"]);
        assert_eq!(find_run(&path("run")).len(), 1);
        assert_eq!(find_run(temporary.path()).len(), expected.len());
    }

    #[test]
    fn a_directory_that_cannot_be_looked_into_costs_nothing_else() {
        let temporary = tempfile::tempdir().unwrap();
        let file = temporary.path().join("file");
        fs::write(&file, "").unwrap();
        let mut found = vec![Ok(ReportSource::Input)];
        look_into(&file, &mut found);
        assert!(matches!(found[0], Ok(ReportSource::Input)));
        let error = found.remove(1).unwrap_err().to_string();
        assert!(
            error.contains("file cannot be read: Not a directory"),
            "{error}"
        );
    }
}
