//! `kata-ci report`: earlier runs and JUnit files of other programs, in every form.

mod arguments;
mod compare;
mod logs;
mod merged;
mod open;
mod paths;
mod show;
mod sources;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

pub(super) use arguments::ReportArguments;
pub(super) use logs::{LogsArguments, call as logs};
pub(super) use merged::summarise;

use super::global::GlobalArguments;
use crate::model::{CommandError, ExitCode};
use crate::report;
use crate::report::Dialect;
use crate::report::ci::SourceTree;
use arguments::{Consumer, ReportCommand};
use paths::PathResolver;
use sources::Sources;

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &ReportArguments,
) -> Result<i32, CommandError> {
    let resolver = PathResolver::new(&global.directory);
    match &arguments.command {
        ReportCommand::Merge {
            paths,
            output,
            plan: Some(plan),
        } => merged::call(global, &resolver, plan, paths, output.as_deref()),
        ReportCommand::Merge { paths, output, .. } => {
            let sources = Sources::merged(&resolver.all(paths));
            sources.write(resolver.output(output.as_deref()), |document, out| {
                report::write_document(document, Dialect::Full, out)
            })
        }
        ReportCommand::Html(from) => {
            let sources = Sources::one(&resolver.from(from.from.as_deref())?);
            sources.write(resolver.output(from.output.as_deref()), report::write_html)
        }
        ReportCommand::Markdown(from) => {
            let sources = Sources::one(&resolver.from(from.from.as_deref())?);
            sources.write(
                resolver.output(from.output.as_deref()),
                report::write_markdown,
            )
        }
        ReportCommand::Annotations(from) => {
            let sources = Sources::one(&resolver.from(from.from.as_deref())?);
            sources.write(resolver.output(from.output.as_deref()), |document, out| {
                report::write_annotations(document, &SourceTree::at(&global.directory), out)
            })
        }
        ReportCommand::Show(show) => show::call(global, &resolver, show),
        ReportCommand::Open { run } => open::call(&resolver, run.as_deref()),
        ReportCommand::Compare(compare) => compare::call(global, &resolver, compare),
        ReportCommand::Junit { from, style } => {
            let dialect = match style {
                Consumer::Jenkins => Dialect::Jenkins,
                Consumer::Gitlab => Dialect::GitLab,
                Consumer::Github => Dialect::GitHub,
            };
            let sources = Sources::one(&resolver.from(from.from.as_deref())?).fit(dialect)?;
            sources.write(resolver.output(from.output.as_deref()), |document, out| {
                report::write_document(document, dialect, out)
            })
        }
    }
}

/// Writes to a file atomically, to a special file of that name (`/dev/stderr`, a named pipe), or to
/// standard output.
fn deliver(
    output: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), CommandError> {
    match output {
        None => stream(io::stdout().lock(), write).map_err(CommandError::output),
        Some(path) if is_stream(path) => File::options()
            .write(true)
            .open(path)
            .and_then(|file| stream(file, write))
            .map_err(|error| CommandError::machine(format!("{}: {error}", path.display()))),
        Some(path) => report::write_aside(path, write).map_err(CommandError::machine),
    }
}

fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Writes to a stream. A reader that has left is no error.
fn stream(out: impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Returns the exit code: an error if a source could not be read.
fn exit_code(unread: usize) -> i32 {
    let code = match unread {
        0 => ExitCode::Success,
        _ => ExitCode::Error,
    };
    code.code()
}
