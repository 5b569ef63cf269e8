//! Writes the elements of one case, and formats their values.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event as Xml};

use super::Dialect;
use crate::report::format::seconds;
use crate::report::model::{Attempt, Case, Details, Problem, Text};
use crate::text;

/// The most bytes of an attribute's value.
pub(super) const ATTRIBUTE_CAP: usize = 4096;

/// Adds an attribute: one clean line, cut if it is too long.
pub(super) fn attribute(element: &mut BytesStart<'_>, name: &str, value: &str) {
    element.push_attribute((name, &*text::line(value, ATTRIBUTE_CAP)));
}

/// Writes `properties`; nothing if there are none.
pub(super) fn properties<W: Write>(
    writer: &mut Writer<W>,
    properties: &[(Box<str>, Box<str>)],
) -> io::Result<()> {
    if properties.is_empty() {
        return Ok(());
    }
    writer.write_event(Xml::Start(BytesStart::new("properties")))?;
    for (name, value) in properties {
        let mut property = BytesStart::new("property");
        attribute(&mut property, "name", name);
        attribute(&mut property, "value", value);
        writer.write_event(Xml::Empty(property))?;
    }
    writer.write_event(Xml::End(BytesEnd::new("properties")))
}

/// Writes a case.
pub(super) fn case<W: Write>(
    writer: &mut Writer<W>,
    case: &Case,
    dialect: Dialect,
) -> io::Result<()> {
    let mut start = BytesStart::new("testcase");
    attribute(&mut start, "classname", &case.class);
    attribute(&mut start, "name", &case.name);
    if let Some(time) = case.seconds {
        start.push_attribute(("time", &*seconds(time)));
    }
    let Some(details) = &case.details else {
        return writer.write_event(Xml::Empty(start));
    };
    if dialect != Dialect::Jenkins {
        place(&mut start, details);
    }
    if is_bare(details, dialect) {
        return writer.write_event(Xml::Empty(start));
    }
    writer.write_event(Xml::Start(start))?;
    inside(writer, details, dialect)?;
    writer.write_event(Xml::End(BytesEnd::new("testcase")))
}

fn place(start: &mut BytesStart<'_>, details: &Details) {
    if let Some(file) = &details.file {
        attribute(start, "file", file);
    }
    if let Some(line) = details.line {
        start.push_attribute(("line", &*line.to_string()));
    }
}

fn is_bare(details: &Details, dialect: Dialect) -> bool {
    details.problems.is_empty()
        && details.attempts.is_empty()
        && details.out.is_empty()
        && details.err.is_empty()
        && (dialect != Dialect::Full || details.properties.is_empty())
}

fn inside<W: Write>(writer: &mut Writer<W>, details: &Details, dialect: Dialect) -> io::Result<()> {
    if dialect == Dialect::Full {
        properties(writer, &details.properties)?;
    }
    for one in &details.problems {
        problem(writer, one)?;
    }
    for one in &details.attempts {
        attempt(writer, one)?;
    }
    text_element(writer, "system-out", &details.out)?;
    text_element(writer, "system-err", &details.err)
}

/// Writes a `failure`, `error` or `skipped`.
fn problem<W: Write>(writer: &mut Writer<W>, problem: &Problem) -> io::Result<()> {
    let name = problem.kind.element();
    let mut element = BytesStart::new(name);
    if let Some(word) = &problem.word {
        attribute(&mut element, "type", word);
    }
    if let Some(message) = &problem.message {
        attribute(&mut element, "message", message);
    }
    if problem.body.is_empty() {
        return writer.write_event(Xml::Empty(element));
    }
    writer.write_event(Xml::Start(element))?;
    text(writer, &problem.body)?;
    writer.write_event(Xml::End(BytesEnd::new(name)))
}

/// Writes a `flakyFailure`, or another element of an attempt. `type` is required. The body goes
/// into `stackTrace` if it is not the only text.
fn attempt<W: Write>(writer: &mut Writer<W>, attempt: &Attempt) -> io::Result<()> {
    let name = attempt.kind.element();
    let mut element = BytesStart::new(name);
    attribute(
        &mut element,
        "type",
        attempt.word.as_deref().unwrap_or("failed"),
    );
    if let Some(message) = &attempt.message {
        attribute(&mut element, "message", message);
    }
    let alone = attempt.out.is_empty() && attempt.err.is_empty();
    if alone && attempt.body.is_empty() {
        return writer.write_event(Xml::Empty(element));
    }
    writer.write_event(Xml::Start(element))?;
    if alone {
        text(writer, &attempt.body)?;
    } else {
        text_element(writer, "stackTrace", &attempt.body)?;
        text_element(writer, "system-out", &attempt.out)?;
        text_element(writer, "system-err", &attempt.err)?;
    }
    writer.write_event(Xml::End(BytesEnd::new(name)))
}

/// Writes an element that holds only text; nothing if the text is empty.
pub(super) fn text_element<W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    content: &Text,
) -> io::Result<()> {
    if content.is_empty() {
        return Ok(());
    }
    writer.write_event(Xml::Start(BytesStart::new(name)))?;
    text(writer, content)?;
    writer.write_event(Xml::End(BytesEnd::new(name)))
}

/// Writes text. `>` is escaped too, so that `]]>` cannot appear; quotes stay readable.
fn text<W: Write>(writer: &mut Writer<W>, content: &Text) -> io::Result<()> {
    let content = content.load()?;
    writer.write_event(Xml::Text(BytesText::from_escaped(partial_escape(
        &*content,
    ))))
}
