//! Reads the sources of a report, and names every one that cannot be read.

use std::io;
use std::path::{Path, PathBuf};

use super::{deliver, exit_code};
use crate::model::CommandError;
use crate::report;
use crate::report::model::{Document, Spool};
use crate::report::{Dialect, read};
use crate::say as line;

/// A document, and the number of sources that it lacks.
pub(super) struct Sources {
    document: Document,
    read: usize,
    unread: usize,
}

impl Sources {
    /// Reads everything at these paths into one document. A source that cannot be read is reported
    /// at once.
    pub(super) fn merged(paths: &[PathBuf]) -> Self {
        let found = paths.iter().flat_map(|path| read::find(path));
        let (documents, unread) = read_all(found);
        Self {
            read: documents.len(),
            unread,
            document: report::merge(documents),
        }
    }

    /// Reads the source at one path. Several reports in a directory are merged.
    pub(super) fn one(path: &Path) -> Self {
        let (mut documents, unread) = read_all(read::find_run(path));
        let read = documents.len();
        let document = match (documents.pop(), documents.is_empty()) {
            (Some(only), true) => only,
            (last, _) => report::merge(documents.into_iter().chain(last).collect()),
        };
        Self {
            document,
            read,
            unread,
        }
    }

    /// Shortens the document to the limits of a consumer, and reports what is left out.
    pub(super) fn fit(self, dialect: Dialect) -> Result<Self, CommandError> {
        let (document, left_out) =
            report::fit(self.document, dialect).map_err(CommandError::machine)?;
        for what in left_out {
            line::aside(format_args!("warning: {what}"));
        }
        Ok(Self { document, ..self })
    }

    /// Returns the document.
    pub(super) fn document(&self) -> &Document {
        &self.document
    }

    /// Returns the document itself.
    pub(super) fn into_document(self) -> Document {
        self.document
    }

    /// Returns the number of sources that could not be read.
    pub(super) fn unread(&self) -> usize {
        self.unread
    }

    /// Prints the warnings of the reports themselves. Fails if there is no report.
    pub(super) fn check(&self) -> Result<(), CommandError> {
        for notice in &self.document.notices {
            say("warning", &notice.text);
        }
        match self.read {
            0 => Err(CommandError::machine("there is nothing left to report on")),
            _ => Ok(()),
        }
    }

    /// Writes the document, or nothing if nothing could be read.
    pub(super) fn write(
        &self,
        output: Option<PathBuf>,
        write: impl FnOnce(&Document, &mut dyn io::Write) -> io::Result<()>,
    ) -> Result<i32, CommandError> {
        self.check()?;
        deliver(output.as_deref(), |out| write(&self.document, out))?;
        Ok(exit_code(self.unread))
    }
}

/// Prints a message with foreign text in it, cleaned.
fn say(what: &str, foreign: &str) {
    let line = format!("{what}: {}", crate::text::for_terminal(foreign, 4096));
    line::aside(report::harmless(&line));
}

/// Reads the sources that were found. Returns the documents and the number of unreadable sources.
fn read_all(
    found: impl IntoIterator<Item = Result<read::ReportSource, read::Unread>>,
) -> (Vec<Document>, usize) {
    let spool = Spool::default();
    let mut documents = Vec::new();
    let mut unread = 0;
    let mut say = |error: read::Unread| {
        self::say("error", &error.to_string());
        unread += 1;
    };
    for one in found {
        match one.and_then(|one| read::read(&one, &spool)) {
            Ok(document) => documents.push(document),
            Err(error) => say(error),
        }
    }
    (documents, unread)
}
