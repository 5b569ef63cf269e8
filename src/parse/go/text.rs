//! Reads `go test` as text, with `-v` and without.
//!
//! The text names a package only where it ends. Kata's go-test.sh runs one package at a time and
//! announces it: then the start of a test is handed out at once. Otherwise starts are held back
//! with the ends, until the package's own line or the end of the output.

use std::collections::HashMap;

use super::grammar;
use super::grammar::{Frame, OutputSwitch, PackageResult};
use super::log::location;
use super::package;
use super::{PackageEnd, PackageSuite};
use crate::parse::CaseContext;
use crate::parse::clean;
use crate::parse::evidence::Evidence;
use crate::parse::finding::{CaseDetails, CaseSink};
use crate::parse::lines::Line;

/// The most packages whose build messages are kept.
const MOST_BUILDS: usize = 1000;

/// Reads the lines of `go test`.
#[derive(Debug, Default)]
pub(in crate::parse) struct GoText {
    suite: PackageSuite,
    /// The announced package, as cases name it. The inner `None` stands for a package outside of
    /// the component.
    announced: Option<Option<String>>,
    /// The offset at which the lines of the current test begin.
    since: u64,
    /// The first message of each package's build.
    builds: HashMap<String, CaseDetails>,
    building: Option<String>,
    /// True if `=== RUN` was seen. Then results of other tests are quotations.
    verbose: bool,
}

impl GoText {
    /// Returns true if the next line is wanted, whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.suite.wants_all()
    }

    /// Returns true if a test is running.
    pub(in crate::parse) fn has_running(&self) -> bool {
        self.suite.has_running()
    }

    /// Takes a line. Returns true if it was one of `go test`'s own.
    pub(in crate::parse) fn line(
        &mut self,
        text: &str,
        at: Line<'_>,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if let Some(import_path) = grammar::announcement(text) {
            self.end_suite(at.start, out);
            self.announced = (!import_path.contains("..."))
                .then(|| package::package(context, import_path).map(str::to_owned));
            self.suite = PackageSuite::new(at.start);
            return true;
        }
        if let Some(closing) = grammar::closing(text) {
            evidence.go_end(closing.import_path);
            if package::package(context, closing.import_path).is_some() {
                evidence.go_note(closing.note);
            }
            self.close(&closing, at, context, out);
            return true;
        }
        match grammar::frame(text) {
            Some((before, frame)) if self.is_credible(before, frame) => {
                self.frame(frame, at, out);
                true
            }
            _ => self.output(text, at, out),
        }
    }

    /// Returns true if a frame is genuine. Behind other output on its line it must fit the running
    /// tests.
    fn is_credible(&self, before: &str, frame: Frame<'_>) -> bool {
        if before.trim().is_empty() {
            return true;
        }
        match frame {
            Frame::Result(name, _) => {
                self.suite.is_running(name) || (!self.verbose && grammar::is_test_name(name))
            }
            Frame::OutputSwitch(OutputSwitch::Run(name)) => grammar::is_test_name(name),
            Frame::OutputSwitch(OutputSwitch::To(name)) => self.suite.is_running(name),
            Frame::OutputSwitch(OutputSwitch::Away) => false,
        }
    }

    fn frame(&mut self, frame: Frame<'_>, at: Line<'_>, out: &mut CaseSink<'_>) {
        self.building = None;
        self.suite.span(None, self.since, at.start);
        self.since = at.start;
        let package = self.announced.as_ref().and_then(Option::as_deref);
        match frame {
            Frame::OutputSwitch(OutputSwitch::Run(name)) => {
                self.verbose = true;
                self.suite.run(name, at.start, package, out);
                self.suite.switch_to(Some(name));
            }
            Frame::OutputSwitch(OutputSwitch::To(name)) => self.suite.switch_to(Some(name)),
            Frame::OutputSwitch(OutputSwitch::Away) => self.suite.switch_to(None),
            Frame::Result(name, result) => {
                self.suite.result(name, result, at.start, package, out);
                self.suite.switch_to(Some(name));
            }
        }
    }

    fn output(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        if let Some(package) = grammar::build_header(text) {
            self.building = Some(package.to_owned());
            return false;
        }
        if let Some(package) = &self.building
            && let Some(details) = build_message(text).filter(|_| self.builds.len() < MOST_BUILDS)
        {
            self.builds.entry(package.clone()).or_insert(details);
        }
        let package = self.announced.as_ref().and_then(Option::as_deref);
        self.suite.line(text, at.start, package, out);
        false
    }

    fn close(
        &mut self,
        closing: &PackageResult<'_>,
        at: Line<'_>,
        context: &CaseContext,
        out: &mut CaseSink<'_>,
    ) {
        self.suite.span(None, self.since, at.start);
        let suite = std::mem::replace(&mut self.suite, PackageSuite::new(at.end));
        let build = self.builds.remove(closing.import_path);
        self.since = at.end;
        self.verbose = false;
        self.building = None;
        let end = package_end(closing, build, at.end);
        match (
            package::package(context, closing.import_path),
            self.announced.take(),
        ) {
            (Some(package), _) => suite.end(package, end, out),
            (None, Some(Some(announced))) if suite.has_tests() => suite.end(&announced, end, out),
            _ => {}
        }
    }

    /// Ends the current package without its own line, because another package begins or the output
    /// is over.
    pub(in crate::parse) fn end_suite(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        self.suite.span(None, self.since, offset);
        self.since = offset;
        let suite = std::mem::replace(&mut self.suite, PackageSuite::new(offset));
        self.verbose = false;
        let end = PackageEnd {
            offset,
            ..PackageEnd::default()
        };
        match self.announced.take() {
            Some(Some(package)) => suite.end(&package, end, out),
            Some(None) => {}
            None if suite.has_tests() => suite.end("", end, out),
            None => {}
        }
    }
}

fn package_end(closing: &PackageResult<'_>, build: Option<CaseDetails>, offset: u64) -> PackageEnd {
    let note = closing
        .note
        .map(|note| CaseDetails::saying(&format!("[{note}]")));
    PackageEnd {
        status: Some(closing.status),
        seconds: closing.seconds,
        cached: closing.cached,
        message: build.or(note),
        offset,
    }
}

/// Parses `file.go:12:3: what is wrong`.
pub(in crate::parse) fn build_message(text: &str) -> Option<CaseDetails> {
    let text = text.strip_prefix("vet: ").unwrap_or(text);
    let (file, line, rest) = location(text)?;
    if text.starts_with([' ', '\t']) || file.contains(' ') {
        return None;
    }
    let rest = rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
    Some(CaseDetails {
        message: clean::message(rest),
        file: Some(file.to_owned()),
        line: Some(line),
        ..CaseDetails::default()
    })
}
