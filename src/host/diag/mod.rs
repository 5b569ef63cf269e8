//! `kata-ci diag`: collects what a bug report about a kata host needs.
//!
//! Invariants: nothing outside of the bundle is changed, and asking loads no kernel module. Each
//! part is bounded in time and size, and tells its end. Every text goes through
//! [`crate::text::secrets`] before it is written or shown.
//!
//! ```text
//! parts ─▶ ask (command, journal, processes, network) ─▶ collect: clean, mask ─▶ bundle, summary
//! ```

mod ask;
mod bundle;
mod collect;
mod command;
mod fatal;
mod follow;
mod host;
mod journal;
mod json;
mod network;
mod parts;
mod processes;
mod raw;
mod summary;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::kernel_config::{KernelConfig, full_name};
use crate::env::Environment;
use crate::model::CommandError;
use crate::text::secrets::mask;
use crate::text::{clean, undeceptive};

use bundle::Bundle;
use host::Host;
use processes::Processes;

pub(crate) use journal::Journal;
pub(crate) use json::pretty;
pub(crate) use parts::Subject;

/// The most bytes of all parts of a bundle.
const MOST: usize = 4 << 20;

/// The request of a bundle.
#[derive(Debug)]
pub(crate) struct DiagRequest {
    /// The place of the bundle; see [`Bundle::begin`].
    pub output: PathBuf,
    /// The journal.
    pub journal: Journal,
    /// The environment that kata-ci was called with.
    pub environment: Environment,
}

/// A bundle that was written.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    /// The number of parts with a text.
    pub parts: usize,
    /// The size of the bundle in bytes.
    pub bytes: u64,
    /// The number of masked secrets.
    pub masked: usize,
    /// The programs and files that are not there.
    pub absent: Vec<String>,
    /// The parts that did not answer in time.
    pub unanswered: Vec<String>,
    /// The logs that could not be read, each with the reason.
    pub unread: Vec<String>,
    /// True if a log could not be read although journalctl is there.
    pub has_failed: bool,
    /// The lines that kata's rule holds against the logs, each with its file.
    pub fatal: Vec<String>,
    /// `index.json`.
    pub index: String,
}

/// Collects all parts and writes them.
///
/// # Errors
/// When the bundle cannot be written.
pub(crate) fn diagnose(request: &DiagRequest) -> Result<Diagnosis, CommandError> {
    // Begun first, so that a wrong place is said at once.
    let mut bundle = Bundle::begin(&request.output)?;
    let host = Host::new(&request.environment, request.journal.clone());
    let found = collect::collect(&host, parts::all());
    let mut room = MOST;
    let mut parts = 0;
    for part in found.iter().filter(|part| part.has_text()) {
        let text = &part.text.text;
        let end = text.floor_char_boundary(room.min(text.len()));
        room -= end;
        parts += usize::from(end > 0);
        bundle.add(&format!("{}.txt", part.name), &text[..end])?;
    }
    let index = summary::index(&found);
    bundle.add("index.json", &index)?;
    let since = mask(&request.journal.since).text;
    bundle.add("summary.md", &summary::summary(&found, &since))?;
    let fatal = found.iter().flat_map(|part| {
        let name = &part.name;
        part.fatal()
            .into_iter()
            .map(move |line| format!("{name}.txt: {line}"))
    });
    Ok(Diagnosis {
        parts,
        masked: found.iter().map(|part| part.text.count).sum(),
        absent: summary::absent(&found),
        unanswered: summary::unanswered(&found),
        unread: summary::unread(&found),
        has_failed: found
            .iter()
            .any(|part| part.is_log && !matches!(part.end, raw::End::Exited(0) | raw::End::Absent)),
        fatal: fatal.collect(),
        index,
        bytes: bundle.end()?,
    })
}

/// Returns the parts of one subject as text, without secrets.
pub(crate) fn subject(subject: Subject, journal: &Journal, environment: &Environment) -> String {
    let host = Host::new(environment, journal.clone());
    let mut parts = parts::all();
    parts.retain(|part| part.subject == subject);
    for_screen(&summary::shown(&collect::collect(&host, parts), subject))
}

/// Returns the process tree, without secrets.
pub(crate) fn processes() -> String {
    let until = Instant::now() + Duration::from_secs(10);
    for_screen(&mask(&clean(&Processes::read(Path::new("/proc"), until).tree())).text)
}

/// Returns clean lines without the characters that hide or reorder their neighbours.
fn for_screen(text: &str) -> String {
    text.split_inclusive('\n').map(line_for_screen).collect()
}

fn line_for_screen(line: &str) -> String {
    match line.strip_suffix('\n') {
        Some(line) => undeceptive(line) + "\n",
        None => undeceptive(line),
    }
}

/// The answer about an option of the kernel.
#[derive(Debug)]
pub(crate) struct KernelAnswer {
    /// The lines to be shown.
    pub text: String,
    /// True if the option is set, or if none was asked for.
    pub is_set: bool,
}

/// Returns the kernel's configuration, or what it says of an option.
///
/// # Errors
/// When there is no configuration, or it cannot be read.
pub(crate) fn kernel(option: Option<&str>) -> Result<KernelAnswer, CommandError> {
    let config = KernelConfig::read(Path::new("/"), &host::release()).map_err(|error| {
        let hint = "the distribution's package of kernel headers or modules brings it; `modprobe configs` makes /proc/config.gz where the kernel has it";
        CommandError::unavailable(error).hint(hint)
    })?;
    let file = config.file.display();
    let Some(option) = option else {
        let text = format!("# {file}\n{}", config.text);
        return Ok(KernelAnswer {
            text: for_screen(&mask(&clean(&text)).text),
            is_set: true,
        });
    };
    let name = full_name(option);
    let answer = match config.value(option) {
        Some(value) => format!("{name}={value}    # {file}\n"),
        None => {
            let like = config.lines_like(option.trim_start_matches("CONFIG_"));
            let like: String = like.iter().map(|line| format!("  {line}\n")).collect();
            format!("{name} is not set    # {file}\n{like}")
        }
    };
    Ok(KernelAnswer {
        text: for_screen(&mask(&clean(&answer)).text),
        is_set: config.value(option).is_some(),
    })
}

/// Shows the entries of a tag as they come; see [`follow::follow`].
///
/// # Errors
/// When journalctl is not there, or what it prints cannot be shown.
pub(crate) fn follow(
    tag: &str,
    journal: &Journal,
    environment: &Environment,
    show: &mut dyn FnMut(&str) -> io::Result<()>,
) -> Result<i32, CommandError> {
    follow::follow(&Host::new(environment, journal.clone()), tag, show)
}
