//! Shows a run: live, and as a summary at its end.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use rustix::fs::FileType;

use super::request::{CiChoice, Display, Format};
use crate::env::Environment;
use crate::fs::Directory;
use crate::outcome::Run;
use crate::report;
use crate::report::ci;
use crate::report::ci::DetectedCi;
use crate::report::{JsonReporter, Meaning, PlainReporter, ProgressReporter, Reporter, Style};
use crate::say;

/// The output of a run and its format.
pub(crate) struct Screen {
    color: anstream::ColorChoice,
    format: Format,
    /// The CI system that gets the output.
    pub system: Option<DetectedCi>,
}

impl Screen {
    /// Chooses the format that suits the options, the environment and the terminal.
    pub fn new(display: Display, environment: &Environment) -> Self {
        let system = system(display.ci, environment);
        Self {
            color: display.color,
            format: format(display.format, system.is_some()),
            system,
        }
    }

    /// Returns the live reporters. The reports of the run go to `directory`.
    pub fn reporters(&self, directory: &Directory) -> Vec<Box<dyn Reporter>> {
        let style = || Style::of(&io::stderr(), self.color);
        match self.format {
            Format::Json => vec![Box::new(JsonReporter::new(io::stdout()))],
            Format::Progress => ProgressReporter::stderr(style())
                .into_iter()
                .map(|one| Box::new(one) as _)
                .collect(),
            Format::Quiet => Vec::new(),
            Format::Errors => self.plain(PlainReporter::new(io::stderr(), style()), directory),
            Format::Auto | Format::Plain => {
                let style = Style::of(&io::stdout(), self.color);
                self.plain(PlainReporter::new(io::stdout(), style), directory)
            }
        }
    }

    fn plain(&self, reporter: PlainReporter, directory: &Directory) -> Vec<Box<dyn Reporter>> {
        vec![Box::new(match &self.system {
            Some(system) => reporter.on(system, directory),
            None => reporter,
        })]
    }

    /// Returns the streams and styles of the summary. Beside a live display a standard output that
    /// is no terminal gets it, for `| less` and `> file`. With a file the terminal shows it too.
    fn summary_streams(&self) -> Vec<(Box<dyn Write>, Style)> {
        let shown = self.stream();
        let output = io::stdout();
        if self.format != Format::Progress || output.is_terminal() {
            return vec![shown];
        }
        let style = Style::of(&output, self.color);
        let mut streams: Vec<(Box<dyn Write>, Style)> = vec![(Box::new(io::stdout()), style)];
        if is_file(&output) {
            streams.push(shown);
        }
        streams
    }

    /// Returns the stream and style of what is said at the end. With `--format json` it is standard
    /// error, because standard output is for machines.
    fn stream(&self) -> (Box<dyn Write>, Style) {
        match self.format {
            Format::Plain | Format::Quiet => {
                (Box::new(io::stdout()), Style::of(&io::stdout(), self.color))
            }
            _ => (Box::new(io::stderr()), Style::of(&io::stderr(), self.color)),
        }
    }

    /// Writes commands for the CI system, unchanged. GitHub's runner reads both streams.
    pub fn commands(&self, commands: &[u8]) {
        let _ = say::noted(self.stream().0.write_all(commands));
    }

    /// Prints a line about something done besides the run.
    pub fn detail(&self, line: &str) {
        if self.format == Format::Quiet {
            return;
        }
        let (mut stream, style) = self.stream();
        let line = style.paint(Meaning::Detail, line);
        let _ = say::noted(writeln!(stream, "{line}"));
    }

    /// Prints the summary of the run.
    pub fn summary(&self, run: &Run, directory: &Directory) {
        let has_passed = run.finished.as_ref().is_some_and(|end| end.exit == 0);
        if self.format == Format::Quiet && has_passed {
            return;
        }
        for (mut stream, style) in self.summary_streams() {
            let summary = report::summarise(run, directory, directory.path(), &style);
            let _ = say::noted(stream.write_all(summary.as_bytes()));
        }
    }
}

/// Returns true if the stream is a regular file.
fn is_file(stream: &impl AsFd) -> bool {
    let stat = rustix::fs::fstat(stream);
    stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file())
}

/// Resolves `auto`. A live display needs a terminal that can redraw lines, and nobody watches the
/// terminal that some CI systems provide.
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
