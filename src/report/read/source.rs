//! Where results lie: report directories, journals, JUnit files, directories of any of them.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use super::error::{ReadError, Unread};
use super::read_junit;
use crate::event::read_journal;
use crate::outcome::Run;
use crate::report::from_run;
use crate::report::model::{Document, Spool};

/// The journal's name in a report directory.
const JOURNAL: &str = "events.jsonl";

/// Directories inside directories that are looked into.
const DEPTH: usize = 16;

/// Bytes read at a time.
const BUFFER: usize = 128 * 1024;

/// Something that holds results.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// A journal, with its logs beside it.
    Journal(PathBuf),
    /// A file that was named, or an XML file of a directory.
    File(PathBuf),
}

/// What lies at a path: a report directory, else every report directory and XML file below a directory, else the file.
pub fn find(path: &Path) -> Result<Vec<Found>, Unread> {
    let error = |error| Unread::new(path, ReadError::Io(error));
    if !fs::metadata(path).map_err(error)?.is_dir() {
        return Ok(vec![of_file(path).map_err(error)?]);
    }
    let mut found = Vec::new();
    look_into(path, 0, &mut found).map_err(error)?;
    if found.is_empty() {
        return Err(Unread::new(path, ReadError::Nothing));
    }
    found.sort();
    Ok(found)
}

fn look_into(directory: &Path, depth: usize, found: &mut Vec<Found>) -> io::Result<()> {
    let journal = directory.join(JOURNAL);
    if journal.is_file() {
        found.push(Found::Journal(journal));
        return Ok(());
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // Links are not followed: they may lead in a circle, or out of the directory.
        let kind = entry.file_type()?;
        let path = entry.path();
        if kind.is_dir() && depth < DEPTH {
            look_into(&path, depth + 1, found)?;
        } else if kind.is_file() && path.extension().is_some_and(|end| end == "xml") {
            found.push(Found::File(path));
        }
    }
    Ok(())
}

/// A journal's lines are JSON objects.
fn of_file(path: &Path) -> io::Result<Found> {
    let mut first = [0; 1];
    let count = File::open(path)?.read(&mut first)?;
    Ok(match &first[..count] {
        b"{" => Found::Journal(path.to_owned()),
        _ => Found::File(path.to_owned()),
    })
}

/// Reads it. Long texts go to the spool.
pub fn read(found: &Found, spool: &Spool) -> Result<Document, Unread> {
    match found {
        Found::Journal(path) => {
            let run = run(path)?;
            let directory = path.parent().unwrap_or(Path::new("."));
            Ok(from_run(&run, directory))
        }
        Found::File(path) => {
            read_file(path, spool).map_err(|error| Unread::new(path.as_path(), error))
        }
    }
}

/// The run a journal tells of.
pub fn run(journal: &Path) -> Result<Run, Unread> {
    let records = read_journal(journal).map_err(Unread::Journal)?;
    let mut run = Run::default();
    records.iter().for_each(|record| run.apply(record));
    Ok(run)
}

fn read_file(path: &Path, spool: &Spool) -> Result<Document, ReadError> {
    let mut file = File::open(path)?;
    let mut begin = Vec::new();
    (&file).take(512).read_to_end(&mut begin)?;
    if !begin.is_empty() && !looks_like_xml(&begin) {
        return Err(ReadError::Unknown);
    }
    file.rewind()?;
    let mut document = read_junit(BufReader::with_capacity(BUFFER, file), spool)?;
    let name = path.file_name().map(|name| name.to_string_lossy());
    document.title = crate::report::text::one_line(&name.unwrap_or_default(), 255);
    Ok(document)
}

fn looks_like_xml(begin: &[u8]) -> bool {
    let begin = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(begin);
    let first = begin.iter().find(|byte| !byte.is_ascii_whitespace());
    first.is_none_or(|byte| *byte == b'<')
}
