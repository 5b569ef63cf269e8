//! `kata-ci completions SHELL` and `kata-ci man`: generated from the definition of the command
//! line.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::arguments::Arguments;
use crate::model::CommandError;

/// Writes the completions of a shell to standard output.
pub(super) fn shell(shell: Shell) -> Result<i32, CommandError> {
    let mut text = Vec::new();
    generate(shell, &mut Arguments::command(), "kata-ci", &mut text);
    print(&text)
}

/// Writes the manual page to standard output.
pub(super) fn man() -> Result<i32, CommandError> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Arguments::command())
        .render(&mut text)
        .map_err(CommandError::output)?;
    print(&text)
}

fn print(text: &[u8]) -> Result<i32, CommandError> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::output(error)),
        _ => Ok(0),
    }
}
