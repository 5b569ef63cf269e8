//! The errors of reading a file.

use std::io;
use std::path::PathBuf;

use super::limits;
use crate::event::JournalError;

/// A defect of a file. None of the file is read then.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system reported an error.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file is empty.
    #[error("is empty")]
    Empty,
    /// The file ends before its root does.
    #[error(
        "is truncated: it ends at line {line}, inside <{element}>; was its writer killed, or the disk full?"
    )]
    Truncated {
        /// The innermost open element.
        element: String,
        /// The line, from 1.
        line: u64,
    },
    /// The file is not XML.
    #[error("is not well-formed XML at line {line}: {what}")]
    Malformed {
        /// The line, from 1.
        line: u64,
        /// The message of the parser.
        what: String,
    },
    /// The file is XML of another kind.
    #[error("is not JUnit: its root is <{root}>, not <testsuites> or <testsuite>")]
    NotJUnit {
        /// The name of the root.
        root: String,
    },
    /// The file has a document type declaration.
    #[error(
        "declares a document type (line {line}): it could hold entities and name other files, so none is read"
    )]
    DocumentType {
        /// The line, from 1.
        line: u64,
    },
    /// The file uses an entity that XML does not define.
    #[error("uses the entity `&{name};` (line {line}), which nothing defines")]
    Entity {
        /// The name of the entity.
        name: String,
        /// The line, from 1.
        line: u64,
    },
    /// Elements are nested too deep.
    #[error("nests elements deeper than {} (line {line})", limits::DEPTH)]
    Deep {
        /// The line, from 1.
        line: u64,
    },
    /// A tag is too long.
    #[error("has a tag longer than {} KiB (line {line})", limits::TAG >> 10)]
    LongTag {
        /// The line, from 1.
        line: u64,
    },
    /// A piece of text is too long.
    #[error("has a tag or a piece of text longer than {} MiB", limits::TEXT >> 20)]
    LongText,
    /// The temporary directory does not take the long texts.
    #[error("has long texts, which {} does not take: {}; set TMPDIR to another directory", std::env::temp_dir().display(), .0)]
    Spool(io::Error),
    /// The file has too many cases or other elements.
    #[error(
        "has more than {} cases or {} other elements",
        limits::CASES,
        limits::ELEMENTS
    )]
    Many,
    /// The declaration names an unknown encoding.
    #[error("is encoded as `{name}`, which is not known here: convert it to UTF-8")]
    Encoding {
        /// The name in the declaration.
        name: String,
    },
    /// A journal comes as a stream.
    #[error("looks like a journal: give its path, because its logs lie beside it")]
    Journal,
    /// The file is neither XML nor a journal.
    #[error("is neither JUnit nor a kata-ci journal")]
    Unknown,
    /// The directory holds nothing that could be read.
    #[error("holds neither a journal nor a JUnit file")]
    Nothing,
    /// The file is a link inside of a directory.
    #[error("is a link, and links in a directory are not followed: name the file itself")]
    Link,
}

/// A file that was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// An error with the path of the file.
    #[error("{path} {error}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The defect.
        error: ReadError,
    },
    /// An error of a journal, which names the file itself.
    #[error(transparent)]
    Journal(JournalError),
}

impl Unread {
    /// Makes the error for this path.
    pub(super) fn new(path: impl Into<PathBuf>, error: impl Into<ReadError>) -> Self {
        Self::File {
            path: path.into(),
            error: error.into(),
        }
    }
}
