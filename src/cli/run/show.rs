//! How a run is shown: live, and summed up at its end.

use std::io::{self, Write as _};
use std::path::Path;

use super::super::arguments::{Arguments, Format, RunArguments};
use crate::outcome::Run;
use crate::report::{self, JsonReporter, PlainReporter, ProgressReporter, Reporter, Style};

/// The summary goes where the run was shown; with `--format json` standard output is for machines alone.
pub(super) fn show_summary(
    arguments: &Arguments,
    options: &RunArguments,
    run: &Run,
    directory: &Path,
) {
    let choice = arguments.color();
    if show(options) == Format::Plain {
        let style = Style::of(&io::stdout(), choice);
        let _ = io::stdout().write_all(report::summarise(run, directory, &style).as_bytes());
    } else {
        let style = Style::of(&io::stderr(), choice);
        let _ = io::stderr().write_all(report::summarise(run, directory, &style).as_bytes());
    }
}

/// The format asked for, with `auto` decided: lines that move need a terminal that can redraw them.
fn show(options: &RunArguments) -> Format {
    match options.format {
        Format::Auto | Format::Progress | Format::Errors if report::can_redraw() => {
            Format::Progress
        }
        Format::Auto | Format::Progress => Format::Plain,
        given => given,
    }
}

/// Who shows the run while it goes on.
pub(super) fn reporters(arguments: &Arguments, options: &RunArguments) -> Vec<Box<dyn Reporter>> {
    let choice = arguments.color();
    let progress = || ProgressReporter::stderr(Style::of(&io::stderr(), choice));
    match show(options) {
        Format::Json => vec![Box::new(JsonReporter::new(io::stdout()))],
        Format::Progress => progress()
            .into_iter()
            .map(|one| Box::new(one) as _)
            .collect(),
        Format::Errors => {
            let style = Style::of(&io::stderr(), choice);
            vec![Box::new(PlainReporter::new(io::stderr(), style))]
        }
        Format::Auto | Format::Plain => {
            let style = Style::of(&io::stdout(), choice);
            vec![Box::new(PlainReporter::new(io::stdout(), style))]
        }
    }
}
