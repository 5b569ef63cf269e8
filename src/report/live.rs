//! The receiving end of the channel of events: one thread writes each event to the journal, folds
//! it and passes it to the reporters.
//!
//! Invariants: every event that was sent before the last sender was dropped gets its record,
//! whatever happens to the journal or to a reporter. So no sender waits for a disk or a terminal
//! longer than a bounded channel makes it. Records are numbered from 0 without gaps. A record is in
//! the journal before a reporter sees it.
//!
//! It does not decide what a journal that cannot be written means for the run. The caller does.

use std::io;
use std::time::Duration;

use crossbeam_channel::{Receiver, select, tick};

use super::Reporter;
use crate::event::{Event, FORMAT_VERSION, Journal, JournalError, Record};
use crate::outcome::Run;

/// The interval at which reporters may draw when nothing happens.
const TICK: Duration = Duration::from_millis(100);

/// The result when all events have been taken.
#[derive(Debug)]
pub struct Followed {
    /// The fold of all records.
    pub run: Run,
    /// The error that left the journal incomplete, if there was one. The run must then not be a
    /// success.
    pub journal_error: Option<JournalError>,
    /// The journal, as far as it came.
    pub journal: Option<Journal>,
    /// Errors that kept reporters from showing everything.
    pub output_errors: Vec<io::Error>,
}

/// The current run, in which all events come together.
pub struct Live {
    journal: Option<Journal>,
    journal_error: Option<JournalError>,
    next: u64,
    run: Run,
    reporters: Vec<Box<dyn Reporter>>,
}

impl Live {
    /// Starts before the first event. Records are written to `journal`, if there is one.
    pub fn new(journal: Option<Journal>, reporters: Vec<Box<dyn Reporter>>) -> Self {
        Self {
            journal,
            journal_error: None,
            next: 0,
            run: Run::default(),
            reporters,
        }
    }

    /// Continues a run from its earlier state, with the number of its next record.
    pub fn resumed(
        journal: Journal,
        run: Run,
        next: u64,
        reporters: Vec<Box<dyn Reporter>>,
    ) -> Self {
        Self {
            next,
            run,
            ..Self::new(Some(journal), reporters)
        }
    }

    /// Takes events until all senders are dropped.
    pub fn follow(&mut self, events: &Receiver<Event>) {
        let ticks = tick(TICK);
        loop {
            select! {
                recv(events) -> event => match event {
                    Ok(event) => self.take(event),
                    Err(_) => return,
                },
                recv(ticks) -> _ => self.tick(),
            }
        }
    }

    /// Returns the fold of the events so far.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Returns true if every record so far is in the journal.
    pub fn is_recorded(&self) -> bool {
        self.journal_error.is_none()
    }

    /// Takes the next event.
    pub fn take(&mut self, event: Event) {
        let record = Record {
            v: FORMAT_VERSION,
            seq: self.next,
            time: crate::clock::now(),
            event,
        };
        self.next += 1;
        self.append(&record);
        self.run.apply(&record);
        for reporter in self.reporters.iter_mut() {
            reporter.record(&record, &self.run);
        }
    }

    /// Appends a record. After the first error nothing more is appended: a journal with a gap would
    /// lie.
    fn append(&mut self, record: &Record) {
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.append(record)
        {
            self.journal = None;
            self.journal_error = Some(error);
        }
    }

    fn tick(&mut self) {
        let now = crate::clock::now();
        for reporter in self.reporters.iter_mut() {
            reporter.tick(now, &self.run);
        }
    }

    /// Ends the reporters.
    pub fn finish(mut self) -> Followed {
        let output_errors = self
            .reporters
            .iter_mut()
            .filter_map(|reporter| reporter.finish(&self.run).err())
            .collect();
        Followed {
            run: self.run,
            journal_error: self.journal_error,
            journal: self.journal,
            output_errors,
        }
    }
}
