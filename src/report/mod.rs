//! What people and machines see of a run, one file a reporter.
//!
//! Live reporters get every record in order, with the fold so far, from the one thread that draws; the files at the end
//! are written from the fold and the logs. Reporters know events and outcomes only, never a process.

use crate::event::Record;
use crate::outcome::Run;

/// Shows a run while it goes on.
pub trait Reporter {
    /// The next record; `run` already holds it.
    fn record(&mut self, record: &Record, run: &Run);

    /// Time went by. Called a few times a second while nothing happens.
    fn tick(&mut self, _run: &Run) {}
}
