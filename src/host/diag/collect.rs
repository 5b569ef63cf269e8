//! Asks for all parts side by side, within a bound for each and one for all, and masks them.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::ask::{Ask, matching};
use super::fatal;
use super::host::Host;
use super::parts::{Part, Subject};
use super::raw::{End, Raw};
use crate::text::clean_bytes;
use crate::text::secrets::{Masked, Masker};

/// The parts that are asked for at a time.
const WORKERS: usize = 16;

/// The time that a part has.
pub(super) const PATIENCE: Duration = Duration::from_secs(6);

/// The time that all parts have.
pub(super) const ALL: Duration = Duration::from_secs(20);

/// A part with its content.
#[derive(Debug)]
pub(super) struct Found {
    /// The name of its file, without the extension.
    pub name: String,
    /// Its subject.
    pub subject: Subject,
    /// The command, or the files.
    pub command: String,
    /// The end.
    pub end: End,
    /// The time that it took.
    pub seconds: f64,
    /// The number of bytes that there were.
    pub total: u64,
    /// True if not all of them are here.
    pub is_cut: bool,
    /// True for a log.
    pub is_log: bool,
    /// The text without secrets.
    pub text: Masked,
}

/// Asks for all parts. Those that have no answer in time say so.
pub(super) fn collect(host: &Host, parts: Vec<Part>) -> Vec<Found> {
    let until = Instant::now() + ALL;
    let order: Vec<Part> = parts.clone();
    let answers = ask_all(host, parts, until);
    let mut raws: Vec<Option<Raw>> = order.iter().map(|_| None).collect();
    let grace = until + Duration::from_secs(1);
    let mut missing = raws.len();
    while missing > 0 {
        match answers.recv_timeout(grace.saturating_duration_since(Instant::now())) {
            Ok((index, raw)) => {
                raws[index] = Some(raw);
                missing -= 1;
            }
            Err(_) => break,
        }
    }
    let mut masker = Masker::default();
    let found: Vec<Found> = order
        .into_iter()
        .zip(raws)
        .map(|(part, raw)| {
            let raw = raw.unwrap_or_else(|| Raw::ended(End::TimedOut(ALL)));
            found(part, raw, host, &mut masker)
        })
        .collect();
    let known = |found: Found| Found {
        text: masker.mask_known(found.text),
        ..found
    };
    found.into_iter().map(known).collect()
}

/// Starts the workers. One that is stuck is left behind.
fn ask_all(host: &Host, parts: Vec<Part>, until: Instant) -> Receiver<(usize, Raw)> {
    let queue: VecDeque<(usize, Part)> = parts.into_iter().enumerate().collect();
    let queue = Arc::new(Mutex::new(queue));
    let (sender, answers) = channel();
    for _ in 0..WORKERS {
        let (queue, sender, host) = (Arc::clone(&queue), sender.clone(), host.clone());
        if thread::Builder::new()
            .spawn(move || work(&host, &queue, &sender, until))
            .is_err()
        {
            break;
        }
    }
    answers
}

fn work(
    host: &Host,
    queue: &Mutex<VecDeque<(usize, Part)>>,
    answers: &Sender<(usize, Raw)>,
    until: Instant,
) {
    loop {
        let next = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some((index, part)) = next else { return };
        let raw = match Instant::now() < until {
            true => host.ask(&part.ask, part.most(), until.min(Instant::now() + PATIENCE)),
            false => Raw::ended(End::NotAsked(format!(
                "all of {} s were over",
                ALL.as_secs()
            ))),
        };
        if answers.send((index, raw)).is_err() {
            return;
        }
    }
}

fn found(part: Part, raw: Raw, host: &Host, masker: &mut Masker) -> Found {
    let total = raw.output.total();
    let bytes = raw.output.into_bytes();
    let is_cut = (bytes.len() as u64) < total || raw.end == End::Cut;
    let mut text = clean_bytes(&bytes);
    if !raw.errors.is_empty() {
        text.push_str("\n--- standard error ---\n");
        text.push_str(&clean_bytes(&raw.errors));
    }
    Found {
        command: masker.mask(&command(&part.ask, host)).text,
        is_log: part.is_log(),
        name: part.name,
        subject: part.subject,
        end: raw.end,
        seconds: raw.seconds,
        total,
        is_cut,
        text: masker.mask(&text),
    }
}

/// Returns the command of a part as a person would type it.
fn command(ask: &Ask, host: &Host) -> String {
    match ask {
        Ask::Program(words) => {
            let program = words[0]
                .split('|')
                .find(|name| host.environment.find_program(name).is_some());
            let program = program.unwrap_or_else(|| words[0].split('|').next().unwrap_or_default());
            let rest = words[1..].iter().map(String::as_str);
            std::iter::once(program)
                .chain(rest)
                .collect::<Vec<_>>()
                .join(" ")
        }
        Ask::Files(files) => {
            let is_there = |file: &&PathBuf| matching(file).iter().any(|file| file.exists());
            let there: Vec<_> = files.iter().filter(is_there).collect();
            let named = if there.is_empty() {
                files.iter().collect()
            } else {
                there
            };
            let named: Vec<_> = named
                .iter()
                .map(|file| file.display().to_string())
                .collect();
            format!("cat {}", named.join(" "))
        }
        Ask::Journal(selection) => {
            let mut words = vec!["journalctl".to_owned()];
            words.extend(selection.iter().cloned());
            words.extend(["--since".to_owned(), host.journal.since.clone()]);
            shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
        }
        Ask::Processes => "ps axf -o pid,ppid,stat,args".to_owned(),
        Ask::Filters => "tc filter show dev LINK ingress".to_owned(),
        Ask::Sandboxes => "nsenter --net=NAMESPACE ip addr, ip route, …".to_owned(),
        Ask::KernelConfig => "cat /proc/config.gz, /boot/config-RELEASE".to_owned(),
        Ask::Processor => "cat /proc/cpuinfo".to_owned(),
    }
}

impl Found {
    /// Returns true if there is something to be written.
    pub fn has_text(&self) -> bool {
        !self.text.text.trim().is_empty()
    }

    /// Returns true if the program or the files are not there.
    pub fn is_absent(&self) -> bool {
        self.end == End::Absent
    }

    /// Returns the lines that kata's rule holds against a log.
    pub fn fatal(&self) -> Vec<&str> {
        match self.is_log {
            true => fatal::lines(&self.text.text),
            false => Vec::new(),
        }
    }
}
