//! One output pipe of a probe, read without blocking.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// The number of reads before the deadline is looked at again, so that endless output cannot delay
/// it.
const READS_A_VISIT: usize = 64;

/// A pipe and the first bytes that came through it.
#[derive(Debug)]
pub(super) struct ProbePipe<R> {
    pipe: Option<R>,
    /// The first bytes, at most `limit`.
    pub(super) kept: Vec<u8>,
    limit: usize,
    /// True if more than `limit` bytes came.
    pub(super) over: bool,
}

impl<R: Read + AsFd> ProbePipe<R> {
    pub(super) fn new(pipe: Option<R>, limit: usize) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            fcntl(pipe.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self {
            pipe,
            kept: Vec::new(),
            limit,
            over: false,
        })
    }

    /// Returns the pipe while somebody can still write to it.
    pub(super) fn open(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads the bytes that are available now.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        for _ in 0..READS_A_VISIT {
            let Some(pipe) = &mut self.pipe else { break };
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => self.keep(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit - self.kept.len();
        self.over |= bytes.len() > room;
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}
