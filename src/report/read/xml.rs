//! Reads XML as start, end and text. Entities are resolved, limits kept, all other tokens skipped.

use std::borrow::Cow;
use std::io::{self, BufRead};

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::{BytesStart, Event};

use super::error::ReadError;
use super::limits;
use super::limits::BoundedReader;
use super::values;

/// The next token of a file.
pub(super) enum Token<'a> {
    Start(Element<'a>),
    End,
    Text(Cow<'a, str>),
    Eof,
}

/// A tag.
pub(super) struct Element<'a> {
    start: BytesStart<'a>,
    line: u64,
}

impl Element<'_> {
    /// Returns the name without the prefix of a namespace.
    pub(super) fn name(&self) -> String {
        self.start.local_name().into_inner().to_owned()
    }

    /// Calls `take` with the name and value of each attribute without a namespace; JUnit's have
    /// none.
    pub(super) fn each_attribute(&self, mut take: impl FnMut(&str, &str)) -> Result<(), ReadError> {
        // Looking for duplicates takes a time that grows with the square of their number.
        for attribute in self.start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| ReadError::Malformed {
                line: self.line,
                what: error.to_string(),
            })?;
            let value = values::unescape(&attribute.value).map_err(|name| ReadError::Entity {
                name,
                line: self.line,
            })?;
            if attribute.key.prefix().is_none() {
                take(attribute.key.into_inner(), &value);
            }
        }
        Ok(())
    }
}

pub(super) struct Xml<R> {
    reader: Reader<BoundedReader<R>>,
    buffer: Vec<u8>,
    open: Vec<String>,
    /// True if the root has begun.
    begun: bool,
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(reader: R) -> Self {
        let mut reader = Reader::from_reader(BoundedReader::new(reader));
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            open: Vec::new(),
            begun: false,
        }
    }

    pub(super) fn next(&mut self) -> Result<Token<'_>, ReadError> {
        self.buffer.clear();
        // A long text must not stay in memory for the rest of the file.
        self.buffer.shrink_to(limits::TAG);
        self.reader.get_mut().allow(limits::TEXT);
        let event = self.reader.read_event_into(&mut self.buffer);
        let guard = self.reader.get_ref();
        let line = guard.line;
        match event {
            Err(_) if guard.exceeded => Err(ReadError::LongText),
            Err(error) => Err(explain(error, guard.ended, line, &self.open)),
            Ok(event) => token(event, line, &mut self.open, &mut self.begun),
        }
    }
}

fn token<'a>(
    event: Event<'a>,
    line: u64,
    open: &mut Vec<String>,
    begun: &mut bool,
) -> Result<Token<'a>, ReadError> {
    match event {
        Event::Start(start) | Event::Empty(start) => {
            enter(&start, line, open, begun)?;
            Ok(Token::Start(Element { start, line }))
        }
        Event::End(_) => {
            open.pop();
            Ok(Token::End)
        }
        Event::Text(text) => outside(text.xml10_content(), line, open),
        Event::CData(text) => outside(text.xml10_content(), line, open),
        Event::GeneralRef(name) => {
            let name = name.into_inner();
            match values::entity(&name) {
                Some(character) => outside(character.to_string().into(), line, open),
                None => Err(ReadError::Entity {
                    name: name.chars().take(100).collect(),
                    line,
                }),
            }
        }
        Event::DocType(_) => Err(ReadError::DocumentType { line }),
        Event::Decl(_) | Event::PI(_) | Event::Comment(_) => Ok(Token::Text("".into())),
        Event::Eof => end(line, open, *begun),
    }
}

fn enter(
    start: &BytesStart<'_>,
    line: u64,
    open: &mut Vec<String>,
    begun: &mut bool,
) -> Result<(), ReadError> {
    if start.len() > limits::TAG {
        return Err(ReadError::LongTag { line });
    }
    if open.len() >= limits::DEPTH {
        return Err(ReadError::Deep { line });
    }
    if open.is_empty() && *begun {
        return Err(ReadError::Malformed {
            line,
            what: "it has more than one root".to_owned(),
        });
    }
    *begun = true;
    open.push(start.name().into_inner().to_owned());
    Ok(())
}

/// Checks text outside the root, which may only be blank.
fn outside<'a>(text: Cow<'a, str>, line: u64, open: &[String]) -> Result<Token<'a>, ReadError> {
    if open.is_empty() && !text.trim().is_empty() {
        return Err(ReadError::Malformed {
            line,
            what: "it has text outside its root".to_owned(),
        });
    }
    Ok(Token::Text(text))
}

fn end<'a>(line: u64, open: &[String], begun: bool) -> Result<Token<'a>, ReadError> {
    match (open.last(), begun) {
        (Some(element), _) => Err(truncated(element, line)),
        (None, false) => Err(ReadError::Empty),
        (None, true) => Ok(Token::Eof),
    }
}

fn truncated(element: &str, line: u64) -> ReadError {
    ReadError::Truncated {
        element: element.chars().take(100).collect(),
        line,
    }
}

/// Translates an error of the parser. An element that is not closed at the end of the file means
/// truncation.
fn explain(error: Error, ended: bool, line: u64, open: &[String]) -> ReadError {
    match (error, open.last()) {
        (Error::Io(error), _) => ReadError::Io(io::Error::new(error.kind(), error.to_string())),
        (Error::Syntax(_) | Error::IllFormed(IllFormedError::UnclosedReference), Some(element))
            if ended =>
        {
            truncated(element, line)
        }
        (error, _) => malformed(&error, line),
    }
}

fn malformed(error: &Error, line: u64) -> ReadError {
    ReadError::Malformed {
        line,
        what: error.to_string().chars().take(300).collect(),
    }
}
