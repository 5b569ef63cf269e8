//! Why a file was not read.

use std::io;
use std::path::PathBuf;

use super::limits;
use crate::event::JournalError;

/// What is wrong with a file. None of it is read then.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system's word.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It ends before its root does.
    #[error(
        "is truncated: it ends at line {line}, inside <{element}>; was its writer killed, or the disk full?"
    )]
    Truncated {
        /// The innermost element that is open.
        element: String,
        /// From 1.
        line: u64,
    },
    /// It is no XML.
    #[error("is not well-formed XML at line {line}: {what}")]
    Malformed {
        /// From 1.
        line: u64,
        /// What the parser says.
        what: String,
    },
    /// It is XML of another kind.
    #[error("is not JUnit: its root is <{root}>, not <testsuites> or <testsuite>")]
    NotJUnit {
        /// The root's name.
        root: String,
    },
    /// It has a document type declaration.
    #[error(
        "declares a document type (line {line}): it could hold entities and name other files, so none is read"
    )]
    DocumentType {
        /// From 1.
        line: u64,
    },
    /// It uses an entity that XML does not define.
    #[error("uses the entity `&{name};` (line {line}), which nothing defines")]
    Entity {
        /// The entity's name.
        name: String,
        /// From 1.
        line: u64,
    },
    /// Elements are nested too deep.
    #[error("nests elements deeper than {} (line {line})", limits::DEPTH)]
    Deep {
        /// From 1.
        line: u64,
    },
    /// A tag is too long.
    #[error("has a tag longer than {} KiB (line {line})", limits::TAG >> 10)]
    LongTag {
        /// From 1.
        line: u64,
    },
    /// A piece of text is too long.
    #[error("has a tag or a piece of text longer than {} MiB", limits::TEXT >> 20)]
    LongText,
    /// There is no place for its long texts.
    #[error("has long texts, which {} does not take: {}; name another place with TMPDIR", std::env::temp_dir().display(), .0)]
    Spool(io::Error),
    /// It has too many cases or other elements.
    #[error(
        "has more than {} cases or {} other elements",
        limits::CASES,
        limits::ELEMENTS
    )]
    Many,
    /// Its declaration names an encoding that nobody knows.
    #[error("is encoded as `{name}`, which is not known here: convert it to UTF-8")]
    Encoding {
        /// What the declaration says.
        name: String,
    },
    /// A journal that comes as a stream.
    #[error("looks like a journal: name its file, since the logs it tells of lie beside that")]
    Journal,
    /// It is neither XML nor a journal.
    #[error("is neither JUnit nor a kata-ci journal")]
    Unknown,
    /// There is nothing in the directory that could be read.
    #[error("holds neither a journal nor a JUnit file")]
    Nothing,
    /// A link inside of a directory.
    #[error("is a link, which is not followed in a directory: name it itself")]
    Link,
}

/// A file that was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// With its path.
    #[error("{path} {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ReadError,
    },
    /// A journal's errors name it themselves.
    #[error(transparent)]
    Journal(JournalError),
}

impl Unread {
    /// An error of this path.
    pub(super) fn new(path: impl Into<PathBuf>, error: impl Into<ReadError>) -> Self {
        Self::File {
            path: path.into(),
            error: error.into(),
        }
    }
}
