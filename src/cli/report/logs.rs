//! `kata-ci logs`: the log of a job, also while it runs.
//!
//! Lines are cleaned as in every report: a log may hold whatever a job printed. With `--follow` the
//! journal is read again when it has grown, because it says when another attempt begins and when
//! the job is over.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args};
use clap_complete::engine::ArgValueCompleter;

use super::paths::PathResolver;
use crate::cli::candidates;
use crate::cli::global::GlobalArguments;
use crate::fs::Directory;
use crate::model::CommandError;
use crate::outcome::{JobResult, Run};
use crate::report::{self, read};
use crate::run::report_directory::{Occupied, lock};
use crate::text;

/// The time between two looks at a log that has not grown.
const PAUSE: Duration = Duration::from_millis(100);

/// The bytes of a line without its end that are held.
const LINE_CAP: usize = 64 * 1024;

#[derive(Debug, Args)]
pub(crate) struct LogsArguments {
    /// Job, such as agent.test [default: list the logs].
    #[arg(value_name = "JOB", add = ArgValueCompleter::new(candidates::components))]
    job: Option<String>,

    /// Run: an id, or a report directory [default: the latest run of this workspace].
    #[arg(long, value_name = "RUN", env = "KATACI_RUN", add = ArgValueCompleter::new(candidates::runs))]
    run: Option<PathBuf>,

    /// Go on until the job is over.
    #[arg(short, long, env = "KATACI_FOLLOW", action = ArgAction::SetTrue, requires = "job",
          value_parser = FalseyValueParser::new())]
    follow: bool,
}

/// Calls the command and returns the exit code.
pub(crate) fn call(
    global: &GlobalArguments,
    arguments: &LogsArguments,
) -> Result<i32, CommandError> {
    let resolver = PathResolver::new(&global.directory);
    let from = resolver.from(arguments.run.as_deref())?;
    let found = read::find_run(&from);
    let [Ok(read::ReportSource::Journal(journal))] = found.as_slice() else {
        return Err(CommandError::usage(format!("{} is no run", from.display()))
            .hint("`kata-ci report show --list` lists the runs"));
    };
    let directory = journal.parent().unwrap_or(&from);
    let logs = Logs {
        journal: journal.clone(),
        directory: Directory::expect(directory).map_err(CommandError::machine)?,
        out: io::stdout(),
    };
    let shown = match &arguments.job {
        None => logs.list(),
        Some(job) => logs.show(job, arguments.follow),
    };
    match shown {
        Err(Failed::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(Failed::Output(error)) => Err(CommandError::output(error)),
        Err(Failed::Command(error)) => Err(error),
        Ok(()) => Ok(0),
    }
}

/// The reason why a log is not shown to its end.
enum Failed {
    Output(io::Error),
    Command(CommandError),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The logs of a run.
struct Logs {
    journal: PathBuf,
    directory: Directory,
    out: io::Stdout,
}

impl Logs {
    fn run(&self) -> Result<Run, Failed> {
        read::run(&self.journal).map_err(|error| Failed::Command(CommandError::machine(error)))
    }

    fn list(mut self) -> Result<(), Failed> {
        let run = self.run()?;
        for id in &run.order {
            let job = run.jobs.get(id);
            let state = match job.and_then(JobResult::outcome) {
                Some(outcome) => outcome.word(),
                None if job.is_some_and(|job| job.started.is_some()) => "running",
                None => "waiting",
            };
            let logs = job.into_iter().flat_map(|job| job.logs.values());
            let logs: Vec<_> = logs.map(|log| self.path(log)).collect();
            writeln!(self.out, "{id}  {state}  {}", logs.join("  "))?;
        }
        Ok(())
    }

    fn path(&self, log: &str) -> String {
        self.directory.path().join(log).display().to_string()
    }

    fn show(mut self, name: &str, follows: bool) -> Result<(), Failed> {
        let mut attempt = 0;
        let mut size = self.size();
        let mut run = self.run()?;
        loop {
            let job = job(&run, name).map_err(Failed::Command)?;
            let next = job.logs.range(attempt + 1..).next();
            let is_over = job.outcome().is_some();
            if let Some((number, log)) = next {
                attempt = *number;
                let log = log.clone();
                self.attempt(&log, name, attempt, follows && !is_over)?;
            } else if is_over || !follows {
                return self.nothing(attempt, name, is_over);
            } else if !self.is_running() {
                return Err(Failed::Command(died(name)));
            } else {
                thread::sleep(PAUSE);
            }
            if self.size() != size {
                size = self.size();
                run = self.run()?;
            }
        }
    }

    /// Tells why there was no log, if there was none.
    fn nothing(&mut self, attempt: u32, name: &str, is_over: bool) -> Result<(), Failed> {
        if attempt > 0 {
            return Ok(self.out.flush()?);
        }
        let why = match is_over {
            true => format!("{name} has no log: it never ran"),
            false => format!("{name} has not started"),
        };
        let hint = "--follow waits for it; `kata-ci report show` tells what became of it";
        Err(Failed::Command(CommandError::nothing_to_do(why).hint(hint)))
    }

    /// Shows the log of one attempt, to the end of the attempt if it follows.
    fn attempt(&mut self, log: &str, name: &str, number: u32, follows: bool) -> Result<(), Failed> {
        let mut file = (self.directory.open(Path::new(log))).map_err(|error| {
            let said = format!("{}: {error}", self.path(log));
            Failed::Command(CommandError::machine(said))
        })?;
        if number > 1 {
            writeln!(self.out, "--- attempt {number} of {name}")?;
        }
        let mut lines = Lines::default();
        let mut size = 0;
        loop {
            let grew = lines.copy(&mut file, &mut self.out)?;
            if grew {
                continue;
            }
            if !follows {
                break;
            }
            if size != self.size() {
                size = self.size();
                let run = self.run()?;
                let job = job(&run, name).map_err(Failed::Command)?;
                if job.outcome().is_some() || job.attempt > number {
                    lines.copy(&mut file, &mut self.out)?;
                    break;
                }
            }
            if !self.is_running() {
                return Err(Failed::Command(died(name)));
            }
            lines.partial(&mut self.out)?;
            thread::sleep(PAUSE);
        }
        lines.end(&mut self.out)?;
        Ok(())
    }

    fn size(&self) -> u64 {
        self.journal.metadata().map_or(0, |found| found.len())
    }

    /// Returns true while kata-ci writes to the directory.
    fn is_running(&self) -> bool {
        matches!(lock(self.directory.path()), Err(Occupied::InUse))
    }
}

fn died(name: &str) -> CommandError {
    CommandError::machine(format!("the run ended before {name} did"))
        .hint("`kata-ci run --resume` goes on with it")
}

fn job<'a>(run: &'a Run, name: &str) -> Result<&'a JobResult, CommandError> {
    let found = run.jobs.iter().find(|(id, _)| id.as_str() == name);
    found.map(|(_, job)| job).ok_or_else(|| {
        let known: Vec<_> = run.order.iter().map(ToString::to_string).collect();
        CommandError::usage(format!(
            "no job `{}` in this run",
            text::for_terminal(name, 200)
        ))
        .hint(format!(
            "its jobs are {}",
            text::for_terminal(&known.join(", "), 500)
        ))
    })
}

/// The lines of a log, cleaned. A line without its end waits, or is shown if nothing more comes.
#[derive(Default)]
struct Lines {
    waiting: Vec<u8>,
    /// The bytes of the waiting line that are shown already.
    shown: usize,
}

impl Lines {
    /// Copies what is there. Returns true if there was something.
    fn copy(&mut self, from: &mut impl Read, to: &mut impl Write) -> Result<bool, Failed> {
        let mut piece = vec![0; 1 << 16];
        let size = from.read(&mut piece)?;
        for line in piece[..size].split_inclusive(|byte| *byte == b'\n') {
            self.waiting.extend_from_slice(line);
            if self.waiting.ends_with(b"\n") {
                self.waiting.pop();
                self.partial(to)?;
                writeln!(to)?;
                (self.shown, self.waiting) = (0, Vec::new());
            } else if self.waiting.len() > LINE_CAP {
                self.partial(to)?;
                (self.shown, self.waiting) = (1, vec![b' ']);
            }
        }
        Ok(size > 0)
    }

    /// Shows what a line holds so far.
    fn partial(&mut self, to: &mut impl Write) -> Result<(), Failed> {
        let new = &self.waiting[self.shown.min(self.waiting.len())..];
        if !new.is_empty() {
            let line = text::undeceptive(&text::printable(new));
            write!(to, "{}", report::harmless(&line))?;
            to.flush()?;
            self.shown = self.waiting.len();
        }
        Ok(())
    }

    fn end(&mut self, to: &mut impl Write) -> Result<(), Failed> {
        self.partial(to)?;
        if !self.waiting.is_empty() {
            writeln!(to)?;
        }
        Ok(to.flush()?)
    }
}
