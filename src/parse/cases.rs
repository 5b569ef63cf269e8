//! Handing out cases: names that are unique in a job, exactly one end for each start.

use std::collections::HashMap;

use super::clean;
use super::{CaseEnd, CaseKey, Finding};
use crate::event::Span;
use crate::model::{CaseStatus, Tally};

/// Most spans kept of one case: the first and the last half of it.
const MOST_SPANS: usize = 64;

/// Name of the case that stands for a package as a whole.
pub(super) const WHOLE_PACKAGE: &str = "(package)";

/// Where a case's output lies: in order, neighbours merged, long lists without their middle.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Spans(Vec<Span>);

impl Spans {
    /// Adds `start..end`, which lies behind all that came before.
    pub(super) fn add(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.end >= start => last.end = last.end.max(end),
            _ => self.0.push(Span { start, end }),
        }
        if self.0.len() > MOST_SPANS {
            self.0.remove(MOST_SPANS / 2);
        }
    }
}

/// What is known of a case besides its name and status.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Details {
    pub seconds: Option<f64>,
    pub message: Option<String>,
    pub file: Option<String>,
    pub line: Option<u32>,
    pub cached: bool,
    pub spans: Spans,
}

impl Details {
    /// Only a message, made one clean line.
    pub(super) fn saying(text: &str) -> Self {
        Self {
            message: clean::message(text),
            ..Self::default()
        }
    }
}

/// Counts names and statuses of a job.
#[derive(Debug, Default)]
pub(super) struct Names {
    counts: HashMap<CaseKey, u32>,
    /// Cases handed out so far.
    pub tally: Tally,
}

impl Names {
    /// The key of the next execution of this name: the name itself, then with ` #2`, ` #3`.
    fn next(&mut self, package: &str, name: &str) -> CaseKey {
        let mut key = CaseKey {
            package: package.to_owned(),
            name: name.to_owned(),
        };
        let count = self.counts.get(&key).map_or(1, |count| count + 1);
        self.counts.insert(key.clone(), count);
        let mut number = count;
        while number > 1 {
            key.name = format!("{name} #{number}");
            if !self.counts.contains_key(&key) {
                self.counts.insert(key.clone(), 1);
                break;
            }
            number += 1;
        }
        key
    }
}

/// Where cases are handed out.
pub(super) struct Out<'a> {
    pub names: &'a mut Names,
    pub sink: &'a mut dyn FnMut(Finding),
}

impl Out<'_> {
    /// A case begins.
    pub(super) fn start(&mut self, package: &str, name: &str, offset: u64) -> CaseKey {
        let key = self.names.next(package, name);
        (self.sink)(Finding::Started(key.clone(), offset));
        key
    }

    /// A case that was started ends.
    pub(super) fn end(&mut self, key: CaseKey, status: CaseStatus, details: Details) {
        self.names.tally.add(status);
        (self.sink)(Finding::Finished(CaseEnd {
            key,
            status,
            seconds: details.seconds,
            message: details.message,
            file: details.file,
            line: details.line,
            cached: details.cached,
            output: details.spans.0,
        }));
    }

    /// A case that never began.
    pub(super) fn never_ran(&mut self, package: &str, name: &str, details: Details) {
        let key = self.names.next(package, name);
        self.end(key, CaseStatus::NotRun, details);
    }

    /// A case of which only the end was seen.
    pub(super) fn both(
        &mut self,
        package: &str,
        name: &str,
        offset: u64,
        status: CaseStatus,
        details: Details,
    ) {
        let key = self.start(package, name, offset);
        self.end(key, status, details);
    }
}
