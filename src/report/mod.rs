//! Shows a run to people and machines, one file for each reporter.
//!
//! Live reporters ([`Reporter`]) get every record in order, with the fold so far, from the one
//! thread that draws ([`Live`]). The summary and the files at the end ([`summarise`],
//! [`write_all`]) are made from the fold and the logs. So a report made later from the journal
//! equals the one made live.
//!
//! Reporters know events and outcomes only, never a process. Output of a job is untrusted text: it
//! goes through [`crate::text`] before it reaches a terminal or a file.

mod annotations;
pub mod ci;
pub mod compare;
mod eta;
mod excerpt;
mod files;
mod format;
mod from_run;
mod html;
mod json;
mod junit;
mod line_writer;
mod live;
mod markdown;
mod merge;
pub mod model;
mod plain;
mod progress;
pub mod read;
mod result;
mod shard_result;
mod style;
mod summary;

#[cfg(test)]
mod tests;

pub use annotations::write_annotations;
pub use ci::neutralize::{harmless, harmless_json};
pub use excerpt::{LogReader, tail};
pub use files::{FileError, RESULT, check_place, write_all, write_aside, write_copy, write_result};
pub(crate) use format::plural;
pub use from_run::from_run;
pub use html::write_html;
pub use json::JsonReporter;
pub use junit::{Dialect, fit, write_document};
pub use live::{Followed, Live};
pub use markdown::write_markdown;
pub use merge::{MergeError, MergedPlan, merge, merge_plan};
pub use plain::PlainReporter;
pub use progress::{ProgressReporter, can_redraw};
pub use result::result_json;
pub use shard_result::{ShardResult, attempt_directories, read_shard_result};
pub use style::{Meaning, Style};
pub use summary::render as summarise;

use std::io;

use crate::event::Record;
use crate::outcome::Run;

/// Shows a run while it goes on.
pub trait Reporter: Send {
    /// Takes the next record, which `run` already holds.
    fn record(&mut self, record: &Record, run: &Run);

    /// Takes the current time. Called ten times a second, whether or not something happens.
    fn tick(&mut self, _now: jiff::Timestamp, _run: &Run) {}

    /// Ends the reporter. Returns the error that kept it from showing everything; a reader that
    /// went away is no error.
    fn finish(&mut self, _run: &Run) -> io::Result<()> {
        Ok(())
    }
}
