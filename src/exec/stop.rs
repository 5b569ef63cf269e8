//! What the scheduler tells a running job's supervisor, through something that can be polled.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use crossbeam_channel::{Receiver, Sender, unbounded};

/// Ends a job before its time; the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// TERM, the grace time, KILL.
    Term(String),
    /// KILL at once.
    Kill(String),
}

/// The scheduler's end.
#[derive(Debug)]
pub(super) struct StopSender {
    stops: Sender<Stop>,
    wake: UnixStream,
}

/// The supervisor's end.
#[derive(Debug)]
pub(super) struct Stops {
    stops: Receiver<Stop>,
    wake: UnixStream,
}

/// Both ends.
pub(super) fn pair() -> io::Result<(StopSender, Stops)> {
    let (sender, receiver) = unbounded();
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    let stopper = StopSender {
        stops: sender,
        wake: ours,
    };
    let stops = Stops {
        stops: receiver,
        wake: theirs,
    };
    Ok((stopper, stops))
}

impl StopSender {
    /// Never waits. A job that is over takes no notice.
    pub fn stop(&mut self, stop: Stop) {
        if self.stops.send(stop).is_ok() {
            let _ = self.wake.write(&[0]);
        }
    }
}

impl Stops {
    /// The next one, if any. Never waits.
    pub fn next(&mut self) -> Option<Stop> {
        let _ = self.wake.read(&mut [0; 16]);
        self.stops.try_recv().ok()
    }
}

/// Readable when there is a [`Stop`].
impl AsFd for Stops {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
