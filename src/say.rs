//! Output for people: results on standard output, everything else on standard error.
//!
//! A reader that has left is no error. Any other failed write turns a good exit code into an error:
//! see [`code`].

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::ExitCode;

/// Set once a write has failed.
static UNSAID: AtomicBool = AtomicBool::new(false);

/// Prints a line of the result on standard output.
pub(crate) fn answer(line: impl Display) {
    text(&format!("{line}\n"));
}

/// Prints text of the result on standard output, unchanged.
pub(crate) fn text(text: &str) {
    if let Err(error) = written(anstream::stdout(), text) {
        aside(format_args!("error: standard output: {error}"));
    }
}

/// Prints a line on standard error.
pub(crate) fn aside(line: impl Display) {
    ask(&format!("{line}\n"));
}

/// Prints text on standard error, unchanged.
pub(crate) fn ask(text: &str) {
    // A failure here cannot be reported anywhere.
    let _ = written(anstream::stderr(), text);
}

fn written(mut out: impl Write, text: &str) -> io::Result<()> {
    noted(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Records a failed write, and passes the result on.
pub(crate) fn noted(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            UNSAID.store(true, Ordering::Relaxed);
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Returns the exit code of a command that would end with `code`: an error if a write has failed.
pub(crate) fn code(code: i32) -> i32 {
    let is_good = [ExitCode::Success, ExitCode::NothingToDo].map(ExitCode::code);
    match UNSAID.load(Ordering::Relaxed) && is_good.contains(&code) {
        true => ExitCode::Error.code(),
        false => code,
    }
}
