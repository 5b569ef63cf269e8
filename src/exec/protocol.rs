//! The messages between supervisor and helper: one JSON value a line, over a socket pair.
//!
//! The job itself travels this way. In arguments or environment anybody could read it.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::isolation::Sandbox;
use crate::event::LeftBehind;
use crate::model::Ending;

/// The first argument that makes the program the helper.
pub const ARGUMENT: &str = "__job";

/// Everything that the helper needs to start a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spec {
    /// The absolute path of the program.
    pub program: OsString,
    /// The arguments without the program's name.
    pub arguments: Vec<OsString>,
    /// The absolute path of the directory.
    pub directory: OsString,
    /// The whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The isolation of the job.
    pub sandbox: Sandbox,
}

/// A message from the supervisor to the helper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Order {
    /// Starts this job. It comes first and once.
    Start(Box<Spec>),
    /// Sends TERM to every process of the job.
    Term,
    /// Sends KILL to every process of the job, until none is left.
    Kill,
}

/// A message from the helper to the supervisor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Report {
    /// The job runs.
    Started {
        /// The process id of the job.
        pid: i32,
    },
    /// The job does not run. Nothing follows.
    SpawnFailed {
        /// The error number of the system; 0 for another cause.
        errno: i32,
        /// The action that failed.
        what: String,
    },
    /// The job does not run, because the sandbox around it could not be set up. Nothing follows.
    Refused {
        /// The step that the system refused, with its error.
        what: String,
    },
    /// Every process of the job is gone. Nothing follows.
    Ended(Box<JobEnded>),
}

/// The end of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct JobEnded {
    /// The end of the job's own process; `None` if even KILL did not end it in time.
    pub ending: Option<Ending>,
    /// The user and system time of all reaped processes, in seconds.
    pub cpu_seconds: f64,
    /// The peak resident size of the largest of them, in bytes.
    pub peak_memory: u64,
    /// The leftovers after the end of the job's own process, without files.
    pub left: LeftBehind,
    /// The processes that KILL did not end in time.
    pub survivors: Vec<String>,
}

/// Messages that arrived together.
#[derive(Debug)]
pub(super) struct Received<T> {
    /// The messages in order.
    pub messages: Vec<T>,
    /// True if the other side is gone and nothing follows.
    pub is_last: bool,
}

/// One end of the socket pair.
#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
    partial: Vec<u8>,
}

impl Channel {
    pub fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            partial: Vec::new(),
        }
    }

    /// Sends a whole message. A peer that is gone is an error, never a signal.
    pub fn send<T: Serialize>(&mut self, message: &T) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.stream.write_all(&line)
    }

    /// Closes the connection for both sides.
    pub fn shut_down(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// Takes the messages that one read gives. It waits if there is nothing, so poll first.
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Received<T>> {
        let mut bytes = [0; 16 * 1024];
        let length = match self.stream.read(&mut bytes) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                return Ok(Received {
                    messages: Vec::new(),
                    is_last: false,
                });
            }
            Err(error) => return Err(error),
        };
        self.partial.extend_from_slice(&bytes[..length]);
        Ok(Received {
            messages: self.complete()?,
            is_last: length == 0,
        })
    }

    fn complete<T: DeserializeOwned>(&mut self) -> io::Result<Vec<T>> {
        let Some(end) = self.partial.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(Vec::new());
        };
        let rest = self.partial.split_off(end + 1);
        let lines = std::mem::replace(&mut self.partial, rest);
        lines
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| serde_json::from_slice(line).map_err(io::Error::from))
            .collect()
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn pair() -> (Channel, Channel) {
        let (one, other) = UnixStream::pair().unwrap();
        (Channel::new(one), Channel::new(other))
    }

    #[test]
    fn a_job_with_bytes_that_are_no_text_arrives_whole() {
        let (mut supervisor, mut helper) = pair();
        let spec = Spec {
            program: OsString::from_vec(b"/bin/\xff".to_vec()),
            arguments: vec!["a\nb".into(), "".into()],
            directory: "/".into(),
            environment: vec![("X".into(), OsString::from_vec(vec![1, 0x80, 10]))],
            sandbox: Sandbox::default(),
        };
        supervisor
            .send(&Order::Start(Box::new(spec.clone())))
            .unwrap();
        supervisor.send(&Order::Kill).unwrap();
        let received = helper.receive::<Order>().unwrap();
        assert_eq!(
            received.messages,
            [Order::Start(Box::new(spec)), Order::Kill]
        );
        assert!(!received.is_last);
    }

    #[test]
    fn a_message_in_pieces_waits_for_its_end() {
        let (one, other) = UnixStream::pair().unwrap();
        let mut channel = Channel::new(other);
        (&one).write_all(b"\"Te").unwrap();
        assert_eq!(channel.receive::<Order>().unwrap().messages, []);
        (&one).write_all(b"rm\"\n\"Ki").unwrap();
        assert_eq!(channel.receive::<Order>().unwrap().messages, [Order::Term]);
        drop(one);
        assert!(channel.receive::<Order>().unwrap().is_last);
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        let (one, other) = UnixStream::pair().unwrap();
        (&one).write_all(b"hello\n").unwrap();
        assert!(Channel::new(other).receive::<Order>().is_err());
    }

    #[test]
    fn a_peer_that_is_gone_is_an_error_when_sent_to() {
        let (mut supervisor, helper) = pair();
        drop(helper);
        assert!(supervisor.send(&Order::Term).is_err());
    }
}
