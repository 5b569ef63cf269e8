//! Prints what a command was asked for, and nothing else, to standard output.

use std::io::{self, Write as _};

use crate::model::CommandError;

/// Prints a text. A reader that has gone away has seen enough.
pub(super) fn print(text: &[u8]) -> Result<i32, CommandError> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::output(error)),
        _ => Ok(0),
    }
}
