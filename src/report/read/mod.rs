//! Reads results back: a run's journal, or a JUnit file of any writer.
//!
//! JUnit has no standard, only writers. This reader knows what surefire, gotestsum,
//! go-junit-report, nextest, pytest, ctest, bats, vitest, jest, mocha, PHPUnit,
//! TAP::Formatter::JUnit and GoogleTest write. Unknown elements are skipped; everything that
//! describes a case is kept.
//!
//! A file may come from anywhere, so it is read as a stream and within limits (`limits`). No
//! document type is read, so there is no entity to expand and no other file to open.
//!
//! A file is read whole or not at all: a truncated one is an error, never a report with fewer
//! cases.

mod builder;
mod declared_counts;
mod element;
mod encoding;
mod error;
mod limits;
mod source;
mod values;
mod xml;

pub use error::{ReadError, Unread};
pub use source::{INPUT, ReportSource, find, find_run, read, run};

use std::io::Read;

use super::model::{Document, Spool};
use builder::Builder;
use xml::{Token, Xml};

/// Reads a JUnit file as a stream. Long texts go to the spool.
pub fn read_junit(reader: impl Read, spool: &Spool) -> Result<Document, ReadError> {
    let mut xml = Xml::new(encoding::decoded(reader)?);
    let mut builder = Builder::new(spool);
    loop {
        match xml.next()? {
            Token::Start(element) => builder.start(&element)?,
            Token::End => builder.end()?,
            Token::Text(text) => builder.text(&text)?,
            Token::Eof => return builder.finish(),
        }
    }
}

#[cfg(test)]
mod tests;
