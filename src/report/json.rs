//! `--format json`: every record a line on standard output, as in `events.jsonl`, flushed so that a reader sees it at once.
//!
//! GitHub's runner reads standard output, and would carry out the older form of its commands, `##[add-mask]…`, in the middle
//! of a line too. In JSON that can stand in a text only, where `\u0023` is another way to write `#`.

use std::io::{self, Write};

use super::Reporter;
use super::output::Output;
use crate::event::Record;
use crate::outcome::Run;

/// Writes records as JSON, a line each.
pub struct JsonReporter {
    output: Output,
}

impl JsonReporter {
    /// A reporter that writes to this stream.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self {
            output: Output::new(writer),
        }
    }
}

impl Reporter for JsonReporter {
    fn record(&mut self, record: &Record, _run: &Run) {
        self.output.with(|writer| {
            let mut line = serde_json::to_string(record)?;
            if line.contains("##[") {
                line = line.replace("##[", "#\\u0023[");
            }
            line.push('\n');
            writer.write_all(line.as_bytes())
        });
    }

    fn finish(&mut self, _run: &Run) -> io::Result<()> {
        self.output.finish()
    }
}
