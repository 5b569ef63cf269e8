//! The ways to the content of a part: programs, files, the journal, and what is read from /proc.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::command;
use super::host::{Host, release};
use super::journal;
use super::network;
use super::processes::Processes;
use super::raw::{Bounded, End, Keep, Raw};
use crate::host::kernel_config::KernelConfig;

/// The most bytes of JSON that the journal may print for a part.
const JOURNAL: usize = 12 << 20;

/// The most files of one pattern.
const FILES: usize = 40;

/// The way to the content of a part.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// The output of a program.
    Program(Vec<String>),
    /// Files.
    Files(Vec<PathBuf>),
    /// Entries of the journal.
    Journal(Vec<String>),
    /// The process tree.
    Processes,
    /// The filters of all links.
    Filters,
    /// The network of each sandbox.
    Sandboxes,
    /// The configuration of the kernel.
    KernelConfig,
    /// The first processor.
    Processor,
}

impl Host {
    /// Asks for a part.
    pub fn ask(&self, ask: &Ask, most: usize, until: Instant) -> Raw {
        let started = Instant::now();
        let raw = match ask {
            Ask::Program(words) if words[0] == "nft" || words[0].contains("-nft-save") => {
                match network::would_load("nf_tables") {
                    Some(why) => Raw::ended(End::NotAsked(why)),
                    None => self.run(words, Keep::Head(most), until),
                }
            }
            Ask::Program(words) => self.run(words, self.keep(words, most), until),
            Ask::Files(files) => self.files(files, most),
            Ask::Journal(selection) => self.entries(selection, most, until),
            Ask::Processes => Raw::found(
                &Processes::read(Path::new("/proc"), until).tree(),
                Keep::Head(most),
                End::Exited(0),
            ),
            Ask::Filters => network::filters(self, most, until),
            Ask::Sandboxes => network::sandboxes(self, most, until),
            Ask::KernelConfig => kernel(most),
            Ask::Processor => processor(most),
        };
        Raw {
            seconds: started.elapsed().as_secs_f64(),
            ..raw
        }
    }

    /// Of logs the end is kept.
    fn keep(&self, words: &[String], most: usize) -> Keep {
        match words[0].as_str() {
            "dmesg" => Keep::Tail(most),
            _ => Keep::Head(most),
        }
    }

    fn entries(&self, selection: &[String], most: usize, until: Instant) -> Raw {
        let selection: Vec<&str> = selection.iter().map(String::as_str).collect();
        let mut words = vec!["journalctl".to_owned()];
        words.extend(self.journal.arguments(&selection));
        let raw = self.run(&words, Keep::Tail(JOURNAL), until);
        let was_cut = raw.output.total() > JOURNAL as u64;
        let text = journal::render(&String::from_utf8_lossy(&raw.output.into_bytes()));
        let mut output = Bounded::new(Keep::Tail(most));
        output.add(text.as_bytes());
        if was_cut {
            output.skip(1);
        }
        Raw { output, ..raw }
    }

    fn files(&self, files: &[PathBuf], most: usize) -> Raw {
        let mut output = Bounded::new(Keep::Head(most));
        let mut errors = String::new();
        let found: Vec<PathBuf> = files.iter().flat_map(|file| matching(file)).collect();
        // Distributions have /lib as a link to /usr/lib.
        let mut seen = BTreeSet::new();
        for path in found
            .iter()
            .filter(|path| seen.insert(fs::canonicalize(path).ok()))
        {
            match command::read(path, Keep::Head(most)) {
                Ok(kept) => {
                    output.add(format!("# {}\n", path.display()).as_bytes());
                    let is_cut = kept.is_full();
                    output.add(&kept.into_bytes());
                    output.add(if is_cut { b"\n# (cut)\n\n" } else { b"\n\n" });
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => errors.push_str(&format!("{}: {error}\n", path.display())),
            }
        }
        let is_absent = output.total() == 0 && errors.is_empty();
        Raw {
            output,
            errors: errors.into_bytes(),
            end: if is_absent {
                End::Absent
            } else {
                End::Exited(0)
            },
            seconds: 0.0,
        }
    }
}

/// Returns the files that a pattern names, in order.
pub(super) fn matching(pattern: &Path) -> Vec<PathBuf> {
    let (Some(directory), Some(name)) = (
        pattern.parent(),
        pattern.file_name().and_then(|name| name.to_str()),
    ) else {
        return Vec::new();
    };
    let Some(end) = name.strip_prefix('*') else {
        return vec![pattern.to_owned()];
    };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(end))
        .take(FILES)
        .collect();
    found.sort();
    found
}

fn kernel(most: usize) -> Raw {
    match KernelConfig::read(Path::new("/"), &release()) {
        Ok(config) => {
            let text = format!("# {}\n{}", config.file.display(), config.text);
            Raw::found(&text, Keep::Head(most), End::Exited(0))
        }
        Err(error) => Raw::ended(End::NotStarted(error.to_string())),
    }
}

fn processor(most: usize) -> Raw {
    match command::read(Path::new("/proc/cpuinfo"), Keep::Head(1 << 20)) {
        Ok(kept) => {
            let text = String::from_utf8_lossy(&kept.into_bytes()).into_owned();
            let count =
                text.matches("\nprocessor").count() + usize::from(text.starts_with("processor"));
            let first = text.split("\n\n").next().unwrap_or_default();
            Raw::found(
                &format!("{count} processors; the first:\n{first}\n"),
                Keep::Head(most),
                End::Exited(0),
            )
        }
        Err(error) => Raw::ended(End::NotStarted(error.to_string())),
    }
}
