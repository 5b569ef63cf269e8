//! The stream of events over ssh: opened, read, and opened again.
//!
//! Invariants: at most one connection is open. One that is silent for too long is closed, because a
//! hanging one looks the same as a quiet one. Failures make the pauses longer. What happened
//! meanwhile is not known here: each [`Hint::Opened`] and [`Hint::Lost`] asks to resynchronise.

use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::back_off::{BackOff, random};
use super::process::end_with_parent;
use crate::env::Environment;
use crate::gerrit::stream::{Line, Lines, StreamEvent, WANTED};
use crate::text;

/// The shortest and the longest pause before another connection.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// The time after which a connection has shown that it works.
const PROVEN: Duration = Duration::from_secs(60);

/// The place of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAddress {
    /// `[USER@]HOST`.
    pub host: String,
    /// The port; that of ssh's configuration if there is none.
    pub port: Option<u16>,
}

/// Something that the stream tells.
#[derive(Debug)]
pub enum Hint {
    /// A connection was begun.
    Opened,
    /// An event came.
    Event(StreamEvent),
    /// The connection is closed, for this reason.
    Lost(String),
}

/// The settings of the connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The place.
    pub address: StreamAddress,
    /// The longest silence.
    pub silence: Duration,
    /// The environment of ssh. `GIT_SSH_COMMAND` names another command, as it does for git.
    pub environment: Environment,
}

impl Connection {
    /// Follows the stream for good, in a thread of its own. Hints wait until they are taken, and
    /// the server drops events meanwhile, which it says.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn follow_in_thread(self, hints: Sender<Hint>) -> io::Result<thread::JoinHandle<()>> {
        let following = move || self.follow(&hints);
        thread::Builder::new()
            .name("stream".into())
            .spawn(following)
    }

    fn follow(&self, hints: &Sender<Hint>) {
        let mut back_off = BackOff::new(PAUSES.0, PAUSES.1);
        loop {
            let begun = Instant::now();
            let lost = match self.open() {
                Ok((child, said)) => self.read_all(child, said, hints),
                Err(error) => Some(format!("ssh cannot be started: {error}")),
            };
            let Some(why) = lost else { return };
            if begun.elapsed() >= PROVEN {
                back_off.reset();
            }
            let pause = back_off.next(random());
            if hints.send(Hint::Lost(why)).is_err() {
                return;
            }
            thread::sleep(pause);
        }
    }

    fn open(&self) -> io::Result<(Child, std::fs::File)> {
        let mut command = self.command();
        for wanted in WANTED {
            command.args(["-s", wanted]);
        }
        let said = tempfile::tempfile()?;
        command
            .env_clear()
            .envs(self.environment.iter())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(said.try_clone()?);
        end_with_parent(&mut command);
        Ok((command.spawn()?, said))
    }

    /// Returns the command up to `gerrit stream-events`.
    fn command(&self) -> Command {
        let mut command = match self.environment.variable("GIT_SSH_COMMAND") {
            Some(own) => {
                let mut shell = Command::new("sh");
                let mut script = own.to_owned();
                script.push(" \"$@\"");
                shell.arg("-c").arg(script).arg("ssh");
                shell
            }
            None => {
                let mut ssh = Command::new("ssh");
                ssh.args(["-T", "-x", "-o", "BatchMode=yes"]);
                ssh.args(["-o", "ServerAliveInterval=30", "-o", "ConnectTimeout=30"]);
                ssh
            }
        };
        if let Some(port) = self.address.port {
            command.args(["-p", &port.to_string()]);
        }
        // A host that begins with `-` would be an option: see `StreamAddress::from_str`.
        command.args([&self.address.host, "gerrit", "stream-events"]);
        command
    }

    /// Reads until the connection ends. `None` if nobody takes hints any more.
    fn read_all(
        &self,
        mut child: Child,
        said: std::fs::File,
        hints: &Sender<Hint>,
    ) -> Option<String> {
        let why = match child.stdout.take() {
            Some(output) => self.read(output, hints),
            None => Some("ssh has no output".to_owned()),
        };
        let _ = child.kill();
        let _ = child.wait();
        why.map(|why| match last_line(said) {
            Some(words) => format!("{why}: {words}"),
            None => why,
        })
    }

    fn read(&self, mut output: ChildStdout, hints: &Sender<Hint>) -> Option<String> {
        if hints.send(Hint::Opened).is_err() {
            return None;
        }
        let mut lines = Lines::default();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match is_readable(&output, self.silence) {
                Ok(true) => {}
                Ok(false) => return Some(format!("silent for {:?}", self.silence)),
                Err(error) => return Some(error.to_string()),
            }
            let size = match output.read(&mut buffer) {
                Ok(0) => return Some("ended".to_owned()),
                Ok(size) => size,
                Err(error) => return Some(error.to_string()),
            };
            for line in lines.take(&buffer[..size]) {
                let event = match line {
                    Line::Whole(line) => StreamEvent::parse(&line),
                    Line::TooLong => StreamEvent::Damaged,
                };
                if hints.send(Hint::Event(event)).is_err() {
                    return None;
                }
            }
        }
    }
}

/// Waits until there is something to read.
fn is_readable(output: &ChildStdout, patience: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut descriptors = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, timeout) {
            Ok(0) if Instant::now() < deadline => {}
            Ok(count) => return Ok(count > 0),
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn last_line(mut said: std::fs::File) -> Option<String> {
    let mut words = Vec::new();
    let size = said.metadata().ok()?.len();
    said.seek(io::SeekFrom::Start(size.saturating_sub(2048)))
        .ok()?;
    said.take(2048).read_to_end(&mut words).ok()?;
    let text = text::clean_bytes(&words);
    let last = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(text::one_line(last, 300))
}

impl std::str::FromStr for StreamAddress {
    type Err = String;

    /// Parses `[ssh://][USER@]HOST[:PORT][/]`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |why: &str| format!("`{}` is no address for ssh: {why}", text.escape_debug());
        let rest = text.strip_prefix("ssh://").unwrap_or(text);
        let rest = rest.trim_end_matches('/');
        if rest.is_empty() || rest.starts_with('-') || rest.contains("@-") {
            return Err(refused("it has no host"));
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-@:[]".contains(letter);
        if !rest.chars().all(plain) {
            return Err(refused("it has characters that no host has"));
        }
        let is_bare = rest.ends_with(']') || !rest.contains(':');
        let (host, port) = match rest.rsplit_once(':').filter(|_| !is_bare) {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        };
        let port = port.map(str::parse).transpose();
        Ok(Self {
            host: host.replace(['[', ']'], ""),
            port: port.map_err(|_| refused("its port is no number from 0 to 65535"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(String, Option<u16>), String> {
        let address: StreamAddress = text.parse()?;
        Ok((address.host, address.port))
    }

    #[test]
    fn an_address_has_a_host_and_no_option() {
        for (text, host, port) in [
            (
                "ssh://ci@review.example.com:29418/",
                "ci@review.example.com",
                Some(29418),
            ),
            ("review.example.com", "review.example.com", None),
            ("ci@h:22", "ci@h", Some(22)),
            ("ci@[::1]:29418", "ci@::1", Some(29418)),
        ] {
            assert_eq!(parsed(text), Ok((host.to_owned(), port)), "{text}");
        }
        for text in [
            "",
            "-oProxyCommand=x",
            "ssh://-oProxyCommand=x",
            "a@-b",
            "h:x",
            "h:99999",
            "h;touch x",
            "h $(x)",
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }
}
