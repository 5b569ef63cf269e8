//! `kata-ci report`: what earlier runs and other programs' JUnit files say, in every form.

mod arguments;
mod sources;

use std::io::{self, Write};
use std::path::Path;

pub(super) use arguments::ReportArguments;

use super::arguments::Arguments;
use super::failure::Failure;
use crate::outcome::ExitCode;
use crate::report::{self, Dialect};
use arguments::ReportCommand;
use sources::Sources;

/// Carries out the command and returns the exit code.
pub(super) fn call(arguments: &Arguments, report: &ReportArguments) -> Result<i32, Failure> {
    let place = Place {
        directory: &arguments.directory,
    };
    match &report.command {
        ReportCommand::Merge { paths, output } => {
            let sources = Sources::merged(&place.all(paths));
            sources.write(
                place.output(output.as_deref()).as_deref(),
                |document, out| report::write_document(document, Dialect::Full, out),
            )
        }
    }
}

/// Where relative paths begin: `-C`.
struct Place<'a> {
    directory: &'a Path,
}

impl Place<'_> {
    fn all(&self, paths: &[std::path::PathBuf]) -> Vec<std::path::PathBuf> {
        paths.iter().map(|path| self.directory.join(path)).collect()
    }

    /// Where to write; none for standard output, which `-` names too.
    fn output(&self, output: Option<&Path>) -> Option<std::path::PathBuf> {
        output
            .filter(|path| *path != Path::new("-"))
            .map(|path| self.directory.join(path))
    }
}

/// Writes to a file, aside and renamed into place, or to standard output. A reader that went away is no error.
fn deliver(
    output: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    match output {
        Some(path) => {
            report::write_aside(path, write).map_err(|error| Failure::Machine(error.to_string()))
        }
        None => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            match write(&mut out).and_then(|()| out.flush()) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    Err(Failure::output(error))
                }
                _ => Ok(()),
            }
        }
    }
}

/// What could not be read makes an error of a good end.
fn exit_code(unread: usize) -> i32 {
    let code = match unread {
        0 => ExitCode::Success,
        _ => ExitCode::Error,
    };
    code.code()
}
