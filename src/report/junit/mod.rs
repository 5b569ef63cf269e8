//! `junit.xml`, in the dialect of Jenkins' xUnit plugin (`junit-10.xsd`), which GitLab and others read too.
//!
//! A suite a job, named `COMPONENT.STEP`. Invariants: the file is well-formed whatever the jobs printed; totals of suites
//! and root are the numbers of elements in them; no job goes without a case, and no outcome without an element that
//! carries it ([`carrier`]). It is written as a stream: memory does not grow with the number of cases beyond the fold
//! itself, and stored output is bounded a case, a suite and a file.
//!
//! quick-xml writes all of it: junit-report knows no properties, no `skipped=`, no `type` on what is skipped, no flaky
//! elements and no totals, and lets through what XML does not allow.

mod carrier;
mod element;
mod stored;

use std::io::{self, Write};
use std::path::Path;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event as Xml};

use crate::outcome::{CaseStatus, Ending, JobResult, Run};
use carrier::Carrier;
use element::{attribute, seconds};
use stored::Stored;

/// Longest value of an attribute, in bytes.
const ATTRIBUTE_CAP: usize = 1024;

/// Writes the run as JUnit. `directory` is the report directory, where the logs lie: failing cases carry an excerpt.
pub fn write_junit(run: &Run, directory: &Path, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = Writer::new_with_indent(out, b' ', 1);
    writer.write_event(Xml::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites: Vec<_> = run.jobs().map(|job| Suite::new(run, job)).collect();
    let mut root = BytesStart::new("testsuites");
    attribute(&mut root, "name", "kata-ci");
    let total = suites
        .iter()
        .fold(Totals::default(), |sum, suite| sum.plus(&suite.totals));
    root.push_attribute(("tests", &*total.tests.to_string()));
    root.push_attribute(("failures", &*total.failures.to_string()));
    root.push_attribute(("errors", &*total.errors.to_string()));
    if let Some(finished) = &run.finished {
        root.push_attribute(("time", &*seconds(finished.seconds)));
    }
    writer.write_event(Xml::Start(root))?;
    let mut stored = Stored::new(directory);
    for suite in &suites {
        suite.write(&mut writer, &mut stored)?;
    }
    writer.write_event(Xml::End(BytesEnd::new("testsuites")))?;
    writer.get_mut().write_all(b"\n")
}

/// Numbers of cases, as JUnit counts them: flaky ones have passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Totals {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl Totals {
    fn plus(self, other: &Self) -> Self {
        Self {
            tests: self.tests + other.tests,
            failures: self.failures + other.failures,
            errors: self.errors + other.errors,
            skipped: self.skipped + other.skipped,
        }
    }

    fn count(&mut self, kind: Kind) {
        self.tests += 1;
        match kind {
            Kind::Passed => {}
            Kind::Failure => self.failures += 1,
            Kind::Error => self.errors += 1,
            Kind::Skipped => self.skipped += 1,
        }
    }
}

/// Which element a case holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Kind {
    fn of(status: CaseStatus) -> Self {
        match status {
            CaseStatus::Passed | CaseStatus::Flaky => Self::Passed,
            CaseStatus::Failed => Self::Failure,
            CaseStatus::Unfinished => Self::Error,
            CaseStatus::Skipped | CaseStatus::NotRun => Self::Skipped,
        }
    }
}

struct Suite<'a> {
    run: &'a Run,
    job: &'a JobResult,
    carrier: Option<Carrier>,
    totals: Totals,
}

impl<'a> Suite<'a> {
    fn new(run: &'a Run, job: &'a JobResult) -> Self {
        let carrier = Carrier::of(job);
        let mut totals = Totals::default();
        for case in &job.cases {
            totals.count(Kind::of(case.status));
        }
        if let Some(carrier) = &carrier {
            totals.count(carrier.kind);
        }
        Self {
            run,
            job,
            carrier,
            totals,
        }
    }

    fn write<W: Write>(&self, writer: &mut Writer<W>, stored: &mut Stored<'_>) -> io::Result<()> {
        writer.write_event(Xml::Start(self.start()))?;
        self.properties(writer)?;
        let class = self.job.queued.job.as_str();
        let mut log = stored.of_job(self.job);
        for case in &self.job.cases {
            element::case(writer, class, case, &mut log)?;
        }
        if let Some(carrier) = &self.carrier {
            carrier.write(writer, self.job, &mut log)?;
        }
        writer.write_event(Xml::End(BytesEnd::new("testsuite")))
    }

    fn start(&self) -> BytesStart<'static> {
        let mut start = BytesStart::new("testsuite");
        attribute(&mut start, "name", self.job.queued.job.as_str());
        start.push_attribute(("tests", &*self.totals.tests.to_string()));
        start.push_attribute(("failures", &*self.totals.failures.to_string()));
        start.push_attribute(("errors", &*self.totals.errors.to_string()));
        start.push_attribute(("skipped", &*self.totals.skipped.to_string()));
        let finished = self.job.finished.as_ref();
        let time = finished.map_or(0.0, |finished| finished.seconds);
        start.push_attribute(("time", &*seconds(time)));
        if let Some(moment) = self.job.started.or(self.run.start_time) {
            let timestamp = moment.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            start.push_attribute(("timestamp", &*timestamp));
        }
        attribute(&mut start, "hostname", self.worker().unwrap_or("unknown"));
        start
    }

    fn worker(&self) -> Option<&'a str> {
        self.run.started.as_ref()?.worker.as_deref()
    }

    fn properties<W: Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        writer.write_event(Xml::Start(BytesStart::new("properties")))?;
        for (name, value) in self.facts() {
            let mut property = BytesStart::new("property");
            property.push_attribute(("name", name));
            attribute(&mut property, "value", &value);
            writer.write_event(Xml::Empty(property))?;
        }
        writer.write_event(Xml::End(BytesEnd::new("properties")))
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("command", self.job.queued.command.clone())];
        if let Some(started) = &self.run.started {
            let component = self.job.queued.job.component();
            if let Some(revision) = started.revisions.get(component) {
                facts.push(("revision", revision.clone()));
            }
            facts.push(("isolation.network", started.isolation.network.clone()));
            facts.push(("isolation.processes", started.isolation.processes.clone()));
            facts.push(("isolation.files", started.isolation.files.clone()));
            facts.push(("run", started.run_id.clone()));
            facts.push(("version", started.version.clone()));
        }
        facts.extend(self.end_facts());
        facts
    }

    fn end_facts(&self) -> Vec<(&'static str, String)> {
        let Some(finished) = &self.job.finished else {
            return vec![
                ("outcome", "error".to_owned()),
                ("reason", super::summary::NO_END.to_owned()),
            ];
        };
        let ending = finished.ending.map(|ending| match ending {
            Ending::ExitCode(code) => ("exit_code", code.to_string()),
            Ending::Signal(signal) => ("signal", signal.to_string()),
        });
        let reason = Some(finished.reason.clone()).filter(|reason| !reason.is_empty());
        let left = Some(finished.left_processes.join(", ")).filter(|left| !left.is_empty());
        [
            Some(("outcome", finished.outcome.word().to_owned())),
            reason.map(|reason| ("reason", reason)),
            finished.fix.clone().map(|fix| ("fix", fix)),
            finished.allowed.clone().map(|why| ("allowed", why)),
            Some(("attempt", finished.attempt.to_string())),
            ending,
            finished
                .cpu_seconds
                .map(|cpu| ("cpu_seconds", seconds(cpu))),
            finished
                .peak_memory
                .map(|peak| ("peak_memory", peak.to_string())),
            left.map(|left| ("left_processes", left)),
            finished.log.clone().map(|log| ("log", log)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
