//! Lines for people: an answer on standard output, everything else on standard error.
//!
//! A reader that has left is no error. What could not be written for another reason makes an error of a good end: see
//! [`code`].

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::ExitCode;

/// Something could not be written.
static UNSAID: AtomicBool = AtomicBool::new(false);

/// A line of what was asked for.
pub(crate) fn answer(line: impl Display) {
    text(&format!("{line}\n"));
}

/// What was asked for, as it is.
pub(crate) fn text(text: &str) {
    if let Err(error) = written(anstream::stdout(), text) {
        aside(format_args!("error: standard output: {error}"));
    }
}

/// A line on standard error.
pub(crate) fn aside(line: impl Display) {
    ask(&format!("{line}\n"));
}

/// Text on standard error, as it is.
pub(crate) fn ask(text: &str) {
    // Where this cannot be written, there is no place to say so.
    let _ = written(anstream::stderr(), text);
}

fn written(mut out: impl Write, text: &str) -> io::Result<()> {
    noted(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Takes note of what was written, or not.
pub(crate) fn noted(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            UNSAID.store(true, Ordering::Relaxed);
            Err(error)
        }
        _ => Ok(()),
    }
}

/// The exit code of a command that would end with this one.
pub(crate) fn code(code: i32) -> i32 {
    let is_good = [ExitCode::Success, ExitCode::NothingToDo].map(ExitCode::code);
    match UNSAID.load(Ordering::Relaxed) && is_good.contains(&code) {
        true => ExitCode::Error.code(),
        false => code,
    }
}
