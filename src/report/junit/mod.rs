//! Writes JUnit, by default in the dialect of Jenkins' xUnit plugin (`junit-10.xsd`), which GitLab
//! and others read too.
//!
//! Invariants: the file is well-formed whatever the tests printed. The totals of suites and root
//! are the numbers of their cases by state. The file is written as a stream: texts in a spool are
//! loaded one at a time.
//!
//! quick-xml writes all of it. The crate junit-report knows no properties, no `skipped=`, no `type`
//! on skipped cases, no flaky elements and no totals, and lets through characters that XML does not
//! allow.

mod element;
mod gitlab;
mod limits;
mod shorten;

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event as Xml};

use super::format::seconds;
use super::model::{CaseState, Counts, Document, Suite};
use element::{attribute, properties, text_element};

pub use limits::fit;

/// The consumer of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Everything that is known, including properties and `file` and `line` of a case. `report
    /// merge` writes this.
    Full,
    /// Only the elements and attributes that `junit-10.xsd` allows.
    Jenkins,
    /// Output in the failure, unique names, at most 500,000 cases and 30 MB.
    GitLab,
    /// With `file` and `line`, and texts that fit into an annotation.
    GitHub,
}

/// Writes a document as JUnit.
pub fn write_document(
    document: &Document,
    dialect: Dialect,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut writer = Writer::new_with_indent(out, b' ', 1);
    writer.write_event(Xml::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut root = BytesStart::new("testsuites");
    attribute(&mut root, "name", "kata-ci");
    let counts = document.counts();
    root.push_attribute(("tests", &*counts.total().to_string()));
    root.push_attribute(("failures", &*counts.of(CaseState::Failed).to_string()));
    root.push_attribute(("errors", &*counts.of(CaseState::Error).to_string()));
    if let Some(time) = document.seconds {
        root.push_attribute(("time", &*seconds(time)));
    }
    writer.write_event(Xml::Start(root))?;
    for suite in &document.suites {
        write_suite(&mut writer, suite, dialect)?;
    }
    writer.write_event(Xml::End(BytesEnd::new("testsuites")))?;
    writer.get_mut().write_all(b"\n")
}

fn write_suite<W: Write>(
    writer: &mut Writer<W>,
    suite: &Suite,
    dialect: Dialect,
) -> io::Result<()> {
    writer.write_event(Xml::Start(start(suite, &suite.counts())))?;
    properties(writer, &suite.properties)?;
    for case in &suite.cases {
        element::case(writer, case, dialect)?;
    }
    text_element(writer, "system-out", &suite.out)?;
    text_element(writer, "system-err", &suite.err)?;
    writer.write_event(Xml::End(BytesEnd::new("testsuite")))
}

fn start(suite: &Suite, counts: &Counts) -> BytesStart<'static> {
    let mut start = BytesStart::new("testsuite");
    attribute(&mut start, "name", &suite.name);
    start.push_attribute(("tests", &*counts.total().to_string()));
    start.push_attribute(("failures", &*counts.of(CaseState::Failed).to_string()));
    start.push_attribute(("errors", &*counts.of(CaseState::Error).to_string()));
    start.push_attribute(("skipped", &*counts.of(CaseState::Skipped).to_string()));
    if let Some(time) = suite.seconds {
        start.push_attribute(("time", &*seconds(time)));
    }
    if let Some(timestamp) = &suite.timestamp {
        attribute(&mut start, "timestamp", timestamp);
    }
    if let Some(hostname) = &suite.hostname {
        attribute(&mut start, "hostname", hostname);
    }
    for (name, value) in &suite.attributes {
        attribute(&mut start, name, value);
    }
    start
}
