//! Carries orders to stop from the scheduler to the supervisor of a running job, so that it can
//! poll.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use crossbeam_channel::{Receiver, Sender, unbounded};

/// An order to end a job early, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// Sends TERM, waits for the grace time, and sends KILL.
    Term(String),
    /// Sends KILL at once.
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

/// Makes both ends.
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
    /// Sends an order without waiting. A job that is over ignores it.
    pub fn stop(&mut self, stop: Stop) {
        if self.stops.send(stop).is_ok() {
            let _ = self.wake.write(&[0]);
        }
    }
}

impl Stops {
    /// Returns the next order, if there is one. It never waits.
    pub fn next(&mut self) -> Option<Stop> {
        let _ = self.wake.read(&mut [0; 16]);
        self.stops.try_recv().ok()
    }
}

/// Becomes readable when there is a [`Stop`].
impl AsFd for Stops {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
