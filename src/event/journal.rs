//! The journal `events.jsonl`: the events of a run as they happen, a record on each line.
//!
//! Each record is passed to the operating system in one write before the next is taken, so a kill
//! loses at most the line being written. The ends of jobs and of the run are synced to the disk, so
//! a power loss keeps every finished job.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Event, FORMAT_VERSION, Record};
use crate::fs;
use crate::fs::Directory;

/// Longest line to read, in bytes. Records are far shorter.
const LONGEST: u64 = 16 << 20;

/// An error of a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be created, written or read.
    #[error("{path}: {source}; is the disk full, or the directory not writable?")]
    Io {
        /// The journal.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A line is not a record.
    #[error("{path}:{line}: not a record of a kata-ci run: {what}")]
    Malformed {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The fault of the line.
        what: String,
    },
}

/// The open journal of a run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Creates a new journal. Fails if the file exists, because a journal is never overwritten.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let mut new = File::options();
        let new = new.read(true).write(true).create_new(true).open(path);
        let file = new.map_err(|source| JournalError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Opens the journal of an interrupted run and reads it. An incomplete last line is cut off,
    /// and so is an end of the run, because further records follow.
    pub fn resume(path: &Path) -> Result<(Self, Vec<Record>), JournalError> {
        let io = |source| JournalError::Io {
            path: path.to_owned(),
            source,
        };
        let file = fs::open_own(path).map_err(io)?;
        let (mut records, mut ends) = read_lines(path, &file)?;
        if matches!(
            records.last(),
            Some(Record {
                event: Event::RunFinished(_),
                ..
            })
        ) {
            records.pop();
            ends.pop();
        }
        file.set_len(ends.last().copied().unwrap_or(0))
            .map_err(io)?;
        file.sync_data().map_err(io)?;
        let journal = Self {
            path: path.to_owned(),
            file,
        };
        Ok((journal, records))
    }

    /// Restores the file in its directory if it is missing or replaced, for instance by `make
    /// clean`.
    pub fn put_back(&self, directory: &Directory) -> Result<(), JournalError> {
        let name = self.path.file_name().unwrap_or_default();
        let is_there = directory.holds(name, &self.file);
        let put_back = is_there.and_then(|is_there| match is_there {
            true => Ok(()),
            false => directory.write_aside(name, |copy| self.copy(copy)),
        });
        put_back.map_err(|source| JournalError::Io {
            path: self.path.clone(),
            source,
        })
    }

    fn copy(&self, copy: &mut dyn Write) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        io::copy(&mut file, copy).map(drop)
    }

    /// Creates a journal on an open file.
    #[cfg(test)]
    pub(crate) fn on(path: PathBuf, file: File) -> Self {
        Self { path, file }
    }

    /// Appends a record. Syncs after the end of a job or of the run.
    pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        self.write(record).map_err(|source| JournalError::Io {
            path: self.path.clone(),
            source,
        })
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        match record.event {
            Event::JobFinished(_) | Event::RunFinished(_) => self.file.sync_data(),
            _ => Ok(()),
        }
    }
}

/// Reads a journal. An incomplete last line (of a killed run) is left out. Any other line that is
/// not a record, or has a later version, is an error.
pub fn read_journal(path: &Path) -> Result<Vec<Record>, JournalError> {
    let file = fs::open(path).map_err(|source| JournalError::Io {
        path: path.to_owned(),
        source,
    })?;
    Ok(read_lines(path, &file)?.0)
}

/// Returns the records, and the offset of the end of each line.
fn read_lines(path: &Path, file: &File) -> Result<(Vec<Record>, Vec<u64>), JournalError> {
    let io = |source| JournalError::Io {
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::new(file);
    let (mut records, mut ends) = (Vec::new(), Vec::new());
    let mut end = 0;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        read_line(&mut reader, &mut line).map_err(io)?;
        if line.last() != Some(&b'\n') {
            break;
        }
        let record = parse(&line).map_err(|what| JournalError::Malformed {
            path: path.to_owned(),
            line: number,
            what,
        })?;
        records.push(record);
        end += line.len() as u64;
        ends.push(end);
    }
    Ok((records, ends))
}

/// Returns the first record of a journal; `None` without a complete line.
pub fn read_start(path: &Path) -> Result<Option<Record>, JournalError> {
    let io = |source| JournalError::Io {
        path: path.to_owned(),
        source,
    };
    let mut line = Vec::new();
    let mut reader = BufReader::new(fs::open(path).map_err(io)?);
    read_line(&mut reader, &mut line).map_err(io)?;
    if line.last() != Some(&b'\n') {
        return Ok(None);
    }
    let record = parse(&line).map_err(|what| JournalError::Malformed {
        path: path.to_owned(),
        line: 1,
        what,
    })?;
    Ok(Some(record))
}

/// Reads a line, or the rest of the file.
fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    from.take(LONGEST).read_until(b'\n', line)?;
    match line.len() as u64 {
        LONGEST => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a line is longer than any of a run's",
        )),
        _ => Ok(()),
    }
}

fn parse(line: &[u8]) -> Result<Record, String> {
    let record: Record = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if record.v > FORMAT_VERSION {
        return Err(format!(
            "format {} is of a later version of kata-ci",
            record.v
        ));
    }
    Ok(record)
}
