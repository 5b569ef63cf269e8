//! A configuration text, and locations in it.
//!
//! Invariant: a [`Location`]'s span lies within its document's text, so a problem can always be
//! shown.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::problem::Problem;
use super::shipped;

/// The most bytes of a pipeline file; `-p /dev/zero` must not fill the memory.
const LIMIT: usize = 1 << 20;

/// The source of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A shipped pipeline (see [`super::shipped()`]), by its name.
    Shipped(&'static str),
    /// A file, with the path that the user wrote; errors show it like that.
    File(PathBuf),
}

impl Source {
    /// Returns the directory that paths in it are relative to; `None` for a shipped pipeline.
    pub(super) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Shipped(_) => None,
            Self::File(path) => path.parent(),
        }
    }

    /// Returns a source that is equal for all ways to write one file.
    pub(super) fn identity(&self) -> Self {
        match self {
            Self::Shipped(name) => Self::Shipped(name),
            Self::File(path) => Self::File(path.canonicalize().unwrap_or_else(|_| path.clone())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped(name) => formatter.write_str(name),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

/// A text and its source.
#[derive(Debug)]
pub(super) struct Document {
    /// The source.
    pub source: Source,
    /// The whole text.
    pub text: String,
}

impl Document {
    /// Returns the name that errors use.
    pub fn title(&self) -> String {
        match &self.source {
            Source::Shipped(name) => format!("shipped pipeline {name}.toml"),
            Source::File(path) => path.display().to_string(),
        }
    }

    /// Reads a source.
    pub fn open(source: &Source) -> Result<Arc<Self>, Problem> {
        let text = match source {
            Source::Shipped(name) => shipped::text(name)
                .ok_or_else(|| shipped::unknown(name))?
                .to_owned(),
            Source::File(path) => {
                let bytes = read(path).map_err(|error| unreadable(path, &error))?;
                return from_bytes(source.clone(), bytes);
            }
        };
        Ok(Arc::new(Self {
            source: source.clone(),
            text,
        }))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LIMIT as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > LIMIT {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let problem = Problem::new(format!("cannot read {}: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::NotFound => problem.help(shipped::known()),
        io::ErrorKind::IsADirectory => problem.help("name the file in it, such as kata-ci.toml"),
        io::ErrorKind::PermissionDenied => {
            problem.help("its mode or that of a directory above it keeps this user from reading it")
        }
        _ => problem,
    }
}

fn from_bytes(source: Source, bytes: Vec<u8>) -> Result<Arc<Document>, Problem> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::new(Document { source, text })),
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let end = start + char::REPLACEMENT_CHARACTER.len_utf8();
            let place = Location::new(&Arc::new(Document { source, text }), start..end);
            Err(Problem::new("the file is not UTF-8")
                .at(&place, "these bytes are no character")
                .help("TOML is UTF-8: save the file so, or convert it with iconv"))
        }
    }
}

/// A part of a document.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// The document.
    pub document: Arc<Document>,
    /// The range of bytes in its text.
    pub span: Range<usize>,
}

impl Location {
    /// Makes a location of the part of the span that lies on its first line, because carets under a
    /// whole script do not help.
    pub fn new(document: &Arc<Document>, span: Range<usize>) -> Self {
        let text = &document.text;
        let start = text.floor_char_boundary(span.start);
        let end = text.ceil_char_boundary(span.end.max(start));
        let line = text[start..end].find('\n').map_or(end, |at| start + at);
        Self {
            document: Arc::clone(document),
            span: start..line,
        }
    }
}

/// A value and its location. Two are equal if their values are.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    /// The value.
    pub value: T,
    /// The location at which it is written.
    pub place: Location,
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
