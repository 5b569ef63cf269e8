//! Writes `--format json`: every record as a line on standard output, as in `events.jsonl`. Each is
//! flushed, so that a reader sees it at once.

use std::io::{self, Write};

use super::Reporter;
use super::ci::neutralize::harmless_json;
use super::line_writer::LineWriter;
use crate::event::Record;
use crate::outcome::Run;

/// Writes records as JSON, a line each.
pub struct JsonReporter {
    output: LineWriter,
}

impl JsonReporter {
    /// Makes a reporter that writes to this stream.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self {
            output: LineWriter::new(writer),
        }
    }
}

impl Reporter for JsonReporter {
    fn record(&mut self, record: &Record, _run: &Run) {
        self.output.with(|writer| {
            let line = serde_json::to_string(record)?;
            writeln!(writer, "{}", harmless_json(&line))
        });
    }

    fn finish(&mut self, _run: &Run) -> io::Result<()> {
        self.output.finish()
    }
}
