//! How a run is shown: live, and summed up at its end.
use std::io::{self, Write};
use std::path::Path;

use super::request::{CiChoice, Display, Format};
use crate::env::Environment;
use crate::outcome::Run;
use crate::report;
use crate::report::ci;
use crate::report::ci::DetectedCi;
use crate::report::{JsonReporter, Meaning, PlainReporter, ProgressReporter, Reporter, Style};
use crate::say;

/// Where and how a run is shown.
pub(crate) struct Screen {
    color: anstream::ColorChoice,
    format: Format,
    /// The CI system that reads along.
    pub system: Option<DetectedCi>,
}

impl Screen {
    /// What suits the options, the environment and the terminal.
    pub fn new(display: Display, environment: &Environment) -> Self {
        let system = system(display.ci, environment);
        Self {
            color: display.color,
            format: format(display.format, system.is_some()),
            system,
        }
    }

    /// Who shows the run while it goes on. Its reports go to `directory`.
    pub fn reporters(&self, directory: &Path) -> Vec<Box<dyn Reporter>> {
        let style = || Style::of(&io::stderr(), self.color);
        match self.format {
            Format::Json => vec![Box::new(JsonReporter::new(io::stdout()))],
            Format::Progress => ProgressReporter::stderr(style())
                .into_iter()
                .map(|one| Box::new(one) as _)
                .collect(),
            Format::Errors => self.plain(PlainReporter::new(io::stderr(), style()), directory),
            Format::Auto | Format::Plain => {
                let style = Style::of(&io::stdout(), self.color);
                self.plain(PlainReporter::new(io::stdout(), style), directory)
            }
        }
    }

    fn plain(&self, reporter: PlainReporter, directory: &Path) -> Vec<Box<dyn Reporter>> {
        vec![Box::new(match &self.system {
            Some(system) => reporter.on(system, directory),
            None => reporter,
        })]
    }

    /// Where the end of a run is shown: where the run was, but with `--format json` standard output is for machines alone.
    fn stream(&self) -> (Box<dyn Write>, Style) {
        match self.format {
            Format::Plain => (Box::new(io::stdout()), Style::of(&io::stdout(), self.color)),
            _ => (Box::new(io::stderr()), Style::of(&io::stderr(), self.color)),
        }
    }

    /// Tells the CI system something, as it is; GitHub's runner reads both streams.
    pub fn commands(&self, commands: &[u8]) {
        let _ = say::noted(self.stream().0.write_all(commands));
    }

    /// A line of what was done besides.
    pub fn detail(&self, line: &str) {
        let (mut stream, style) = self.stream();
        let line = style.paint(Meaning::Detail, line);
        let _ = say::noted(writeln!(stream, "{line}"));
    }

    /// The end of the run, for the person who has to act on it.
    pub fn summary(&self, run: &Run, directory: &Path) {
        let (mut stream, style) = self.stream();
        let summary = report::summarise(run, directory, &style);
        let _ = say::noted(stream.write_all(summary.as_bytes()));
    }
}

/// The format asked for, with `auto` decided: lines that move need a terminal that can redraw them, and nobody watches
/// the one that some CI systems give.
fn format(asked: Format, is_ci: bool) -> Format {
    match asked {
        Format::Auto if is_ci => Format::Plain,
        Format::Errors if is_ci => Format::Errors,
        Format::Auto | Format::Progress | Format::Errors if report::can_redraw() => {
            Format::Progress
        }
        Format::Auto | Format::Progress => Format::Plain,
        given => given,
    }
}

fn system(choice: CiChoice, environment: &Environment) -> Option<DetectedCi> {
    match choice {
        CiChoice::Detected => ci::detect(environment),
        CiChoice::None => None,
        CiChoice::Named(system) => Some(DetectedCi::named(system, "--ci", environment)),
    }
}
