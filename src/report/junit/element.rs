//! The elements of one case, and the forms of their values.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event as Xml};

use super::stored::JobLog;
use super::{ATTRIBUTE_CAP, Kind};
use crate::outcome::{CaseResult, CaseStatus};
use crate::report::text;

/// Adds an attribute with foreign text in it: one clean, capped line.
pub(super) fn attribute(element: &mut BytesStart<'_>, name: &str, value: &str) {
    element.push_attribute((name, &*text::one_line(value, ATTRIBUTE_CAP)));
}

/// Seconds with at most three decimals; what is no time is 0.
pub(super) fn seconds(seconds: f64) -> String {
    let seconds = if seconds.is_finite() {
        seconds.max(0.0)
    } else {
        0.0
    };
    let text = format!("{seconds:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `COMPONENT.STEP.PACKAGE`, with `.` for `/`; without a package `COMPONENT.STEP`.
fn class_name(job: &str, package: &str) -> String {
    match package {
        "" => job.to_owned(),
        package => format!("{job}.{}", package.replace('/', ".")),
    }
}

/// The start of a case's element.
pub(super) fn start(class: &str, name: &str, time: Option<f64>) -> BytesStart<'static> {
    let mut start = BytesStart::new("testcase");
    attribute(&mut start, "classname", class);
    attribute(&mut start, "name", name);
    if let Some(time) = time {
        start.push_attribute(("time", &*seconds(time)));
    }
    start
}

/// Writes a case.
pub(super) fn case<W: Write>(
    writer: &mut Writer<W>,
    job: &str,
    case: &CaseResult,
    log: &mut JobLog<'_, '_>,
) -> io::Result<()> {
    let start = start(&class_name(job, &case.package), &case.name, case.seconds);
    if case.status == CaseStatus::Passed {
        return writer.write_event(Xml::Empty(start));
    }
    writer.write_event(Xml::Start(start))?;
    let message = case.message.as_deref().or(usual_message(case.status));
    match (case.status, Kind::of(case.status)) {
        (CaseStatus::Flaky, _) => flaky(writer, message.unwrap_or_default())?,
        (status, kind) => status_element(writer, kind, status.word(), message, &place(case))?,
    }
    if case.status.is_bad() {
        let excerpt = log.excerpt(&case.output);
        system_out(writer, &excerpt)?;
    }
    writer.write_event(Xml::End(BytesEnd::new("testcase")))
}

/// What is said of a case whose output says nothing of it.
fn usual_message(status: CaseStatus) -> Option<&'static str> {
    match status {
        CaseStatus::Unfinished => Some("started and never ended"),
        CaseStatus::NotRun => Some("known beforehand, and never started"),
        CaseStatus::Flaky => Some("failed before it passed"),
        CaseStatus::Passed | CaseStatus::Failed | CaseStatus::Skipped => None,
    }
}

fn place(case: &CaseResult) -> String {
    match (&case.file, case.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        (None, _) => String::new(),
    }
}

/// Writes `failure`, `error` or `skipped` with the word as its type; the body is place and message, where known.
pub(super) fn status_element<W: Write>(
    writer: &mut Writer<W>,
    kind: Kind,
    word: &str,
    message: Option<&str>,
    place: &str,
) -> io::Result<()> {
    let name = match kind {
        Kind::Passed => return Ok(()),
        Kind::Failure => "failure",
        Kind::Error => "error",
        Kind::Skipped => "skipped",
    };
    let mut element = BytesStart::new(name);
    element.push_attribute(("type", word));
    attribute(&mut element, "message", message.unwrap_or(word));
    let body = match (place, message) {
        ("", _) => return writer.write_event(Xml::Empty(element)),
        (place, Some(message)) => format!("{place}: {message}"),
        (place, None) => place.to_owned(),
    };
    writer.write_event(Xml::Start(element))?;
    write_text(writer, &text::one_line(&body, 2 * ATTRIBUTE_CAP))?;
    writer.write_event(Xml::End(BytesEnd::new(name)))
}

fn flaky<W: Write>(writer: &mut Writer<W>, message: &str) -> io::Result<()> {
    let mut element = BytesStart::new("flakyFailure");
    element.push_attribute(("type", CaseStatus::Failed.word()));
    attribute(&mut element, "message", message);
    writer.write_event(Xml::Empty(element))
}

/// Writes a case's stored output, which is clean already; nothing for none.
pub(super) fn system_out<W: Write>(writer: &mut Writer<W>, output: &str) -> io::Result<()> {
    if output.is_empty() {
        return Ok(());
    }
    writer.write_event(Xml::Start(BytesStart::new("system-out")))?;
    write_text(writer, output)?;
    writer.write_event(Xml::End(BytesEnd::new("system-out")))
}

/// `>` is escaped too, so that `]]>` cannot stand there; quotes stay readable.
fn write_text<W: Write>(writer: &mut Writer<W>, text: &str) -> io::Result<()> {
    writer.write_event(Xml::Text(BytesText::from_escaped(partial_escape(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_at_most_three_decimals_and_no_exponent() {
        assert_eq!(seconds(0.0), "0");
        assert_eq!(seconds(1.5), "1.5");
        assert_eq!(seconds(0.0004), "0");
        assert_eq!(seconds(120.0), "120");
        assert_eq!(seconds(1e-9), "0");
        assert_eq!(seconds(-1.0), "0");
        assert_eq!(seconds(f64::NAN), "0");
        assert_eq!(seconds(1234.5678), "1234.568");
    }

    #[test]
    fn a_package_path_becomes_part_of_the_class() {
        assert_eq!(
            class_name("agent.test", "pkg/uevent"),
            "agent.test.pkg.uevent"
        );
        assert_eq!(class_name("agent.test", ""), "agent.test");
    }
}
