//! `kata-ci diag`: what a bug report about a kata host needs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};

use super::answer_format::AnswerFormat;
use super::global::GlobalArguments;
use crate::env::Environment;
use crate::fs::open_or_wait;
use crate::host::diag::{self, DiagRequest, Diagnosis, Journal, KernelAnswer, Subject, diagnose};
use crate::model::{CommandError, ExitCode};
use crate::say;
use crate::text::for_terminal;

/// The time that logs begin at, unless it is given.
const SINCE: &str = "-24h";

/// The most bytes of a line.
const LINE_CAP: usize = 4096;

/// The most fatal lines that are shown.
const FATAL: usize = 10;

/// The most bytes of a JSON file.
const JSON: u64 = 64 << 20;

/// The time that somebody has to write into a pipe.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct DiagArguments {
    #[command(subcommand)]
    part: Option<DiagPart>,

    /// Place of the bundle: a new directory, or a new FILE.tar.zst [default: kata-ci-diag-TIME].
    #[arg(
        short,
        long,
        value_name = "DIR|FILE.tar.zst",
        env = "KATACI_DIAG_OUTPUT"
    )]
    output: Option<PathBuf>,

    /// Show the journal's entries of TAG as they come, such as kata-runtime, instead of a bundle.
    #[arg(
        long,
        value_name = "TAG",
        env = "KATACI_DIAG_FOLLOW",
        conflicts_with = "output"
    )]
    follow: Option<String>,

    /// Time that logs begin at, as journalctl takes it (`now`, `1 min ago`, `-2h`)
    /// [default: -24h; with --follow: now].
    #[arg(
        long,
        value_name = "TIME",
        env = "KATACI_DIAG_SINCE",
        allow_hyphen_values = true
    )]
    since: Option<String>,

    /// Read another journal than this host's: a file, or a directory of files.
    #[arg(long, value_name = "PATH", env = "KATACI_DIAG_JOURNAL")]
    journal: Option<PathBuf>,

    /// Format of the result.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "KATACI_FORMAT",
        default_value = "human"
    )]
    format: AnswerFormat,
}

#[derive(Debug, Subcommand)]
enum DiagPart {
    /// Show a JSON file for people, or line, column and caret of its first error.
    Json {
        /// The file; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show addresses, routes, iptables and nft rules, filters, also of sandboxes.
    Net,
    /// Show the process tree with control groups and namespaces.
    Ps,
    /// Show the kernel's configuration, or one option of it (exit code 1 if it is not set).
    Kernel {
        /// The option, with or without CONFIG_.
        #[arg(value_name = "OPTION")]
        option: Option<String>,
    },
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &DiagArguments,
) -> Result<i32, CommandError> {
    let environment = Environment::current();
    match &arguments.part {
        Some(DiagPart::Json { file }) => json(&global.directory, file),
        Some(DiagPart::Net) => {
            say::text(&diag::subject(
                Subject::Network,
                &journal(arguments, SINCE)?,
                &environment,
            ));
            Ok(ExitCode::Success.code())
        }
        Some(DiagPart::Ps) => {
            say::text(&diag::processes());
            Ok(ExitCode::Success.code())
        }
        Some(DiagPart::Kernel { option }) => kernel(option.as_deref()),
        None => match &arguments.follow {
            Some(tag) => {
                let journal = journal(arguments, "now")?;
                diag::follow(tag, &journal, &environment, &mut |line| {
                    let mut out = std::io::stdout();
                    out.write_all(format!("{line}\n").as_bytes())
                        .and_then(|()| out.flush())
                })
            }
            None => bundle(global, arguments, environment),
        },
    }
}

fn journal(arguments: &DiagArguments, since: &str) -> Result<Journal, CommandError> {
    let given = arguments.since.clone().filter(|since| !since.is_empty());
    let hint = "name a file of a journal, or a directory of such files";
    let absolute = |path: &Path| {
        let failed = |error: std::io::Error| CommandError::path(path, &error, hint);
        std::fs::metadata(path).map_err(failed)?;
        std::path::absolute(path).map_err(failed)
    };
    Ok(Journal {
        place: arguments.journal.as_deref().map(absolute).transpose()?,
        since: given.unwrap_or_else(|| since.to_owned()),
    })
}

fn bundle(
    global: &GlobalArguments,
    arguments: &DiagArguments,
    environment: Environment,
) -> Result<i32, CommandError> {
    let output = arguments.output.clone().unwrap_or_else(|| {
        let time = crate::clock::now().strftime("%Y%m%dT%H%M%SZ");
        global.directory.join(format!("kata-ci-diag-{time}"))
    });
    let request = DiagRequest {
        journal: journal(arguments, SINCE)?,
        environment,
        output,
    };
    let diagnosis = diagnose(&request)?;
    match arguments.format {
        AnswerFormat::Json => say::text(&diagnosis.index),
        AnswerFormat::Human => say::text(&human(&diagnosis, &request.output)),
    }
    let code = match (diagnosis.fatal.is_empty(), diagnosis.has_failed) {
        (false, _) => ExitCode::Failed,
        // A log that was not read is none without a fatal line.
        (true, true) => ExitCode::Error,
        (true, false) => ExitCode::Success,
    };
    Ok(code.code())
}

/// Collects a bundle for a run that failed. The run keeps its exit code.
pub(super) fn of_run(reports: &Path, since: jiff::Timestamp) {
    let request = DiagRequest {
        output: reports.join(crate::run::DIAG_DIRECTORY),
        journal: Journal {
            place: None,
            since: format!("@{}", since.as_second()),
        },
        environment: Environment::current(),
    };
    match diagnose(&request) {
        Ok(diagnosis) => say::ask(&human(&diagnosis, &request.output)),
        Err(error) => say::aside(format_args!("warning: no diagnosis of the host: {error}")),
    }
}

fn human(diagnosis: &Diagnosis, output: &Path) -> String {
    let mut lines = vec![format!(
        "{}: {} parts, {} KiB, {} secrets masked",
        output.display(),
        diagnosis.parts,
        diagnosis.bytes.div_ceil(1024),
        diagnosis.masked
    )];
    let mut list = |what: &str, names: &[String]| {
        if !names.is_empty() {
            lines.push(format!("{what}: {}", names.join(", ")));
        }
    };
    list("not there", &diagnosis.absent);
    list("no answer in time", &diagnosis.unanswered);
    list(
        "logs that were not read, so that fatal lines in them are not known",
        &diagnosis.unread,
    );
    lines.push("summary.md in it can be pasted into a bug report; read it first".to_owned());
    if !diagnosis.fatal.is_empty() {
        lines.push(format!(
            "{} lines of the logs fail by kata's own rule (fatal error, fatal signal, segfault at):",
            diagnosis.fatal.len()
        ));
        let shown = diagnosis
            .fatal
            .iter()
            .take(FATAL)
            .map(|line| format!("  {line}"));
        lines.extend(shown);
    }
    let line = |line: String| {
        let text = line.trim_start();
        format!(
            "{}{}\n",
            &line[..line.len() - text.len()],
            for_terminal(text, LINE_CAP)
        )
    };
    lines.into_iter().map(line).collect()
}

fn json(directory: &Path, file: &Path) -> Result<i32, CommandError> {
    let path = match file == Path::new("-") {
        true => PathBuf::from("/dev/stdin"),
        false => directory.join(file),
    };
    let opened = open_or_wait(&path, PATIENCE);
    let mut bytes = Vec::new();
    let read = opened.and_then(|from| {
        std::io::Read::read_to_end(&mut std::io::Read::take(from, JSON + 1), &mut bytes)
    });
    read.map_err(|error| CommandError::path(file, &error, "name a file, or - for standard input"))?;
    if bytes.len() as u64 > JSON {
        return Err(CommandError::usage(format!(
            "{} is larger than {} MiB",
            file.display(),
            JSON >> 20
        )));
    }
    match diag::pretty(&bytes) {
        Ok(text) => {
            say::text(&text);
            Ok(ExitCode::Success.code())
        }
        Err(mistake) => {
            let name = for_terminal(&file.display().to_string(), LINE_CAP);
            say::aside(format_args!(
                "{name}:{}:{}: {mistake}",
                mistake.line, mistake.column
            ));
            Ok(ExitCode::Failed.code())
        }
    }
}

fn kernel(option: Option<&str>) -> Result<i32, CommandError> {
    let KernelAnswer { text, is_set } = diag::kernel(option)?;
    say::text(&text);
    Ok(match is_set {
        true => ExitCode::Success.code(),
        false => ExitCode::Failed.code(),
    })
}
