//! Carries bytes between a terminal, or pipes, and a console.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::escape::Escape;

/// The most bytes that wait for the console before no more is typed.
const WAITING: usize = 64 << 10;

/// The time after which a console that has said nothing is called silent.
const SILENT: Duration = Duration::from_secs(3);

/// The streams that are joined.
pub(super) struct Streams<'a> {
    /// The connection to the console, which does not block.
    pub console: OwnedFd,
    /// The input.
    pub input: BorrowedFd<'a>,
    /// The output.
    pub output: BorrowedFd<'a>,
    /// A file that gets everything that the console says.
    pub log: Option<File>,
    /// The byte that detaches.
    pub escape: Escape,
    /// The time without output after which the end of the input is the end of all.
    pub linger: Duration,
    /// Bytes that are typed first.
    pub first: Vec<u8>,
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The escape was typed.
    Detached,
    /// The console was closed from its other end.
    Closed,
    /// The input has ended, and nothing more came.
    NoInput,
    /// Nobody reads the output any more.
    Unread,
}

/// The state of a connection.
struct Pump<'a> {
    streams: Streams<'a>,
    /// Bytes on their way to the console.
    waiting: Vec<u8>,
    /// False when the input has ended.
    is_typed: bool,
    /// The time of the last byte from the console, or of the end of the input.
    last: Instant,
    /// True when the console has said something.
    has_spoken: bool,
}

/// Carries bytes until one side ends. `silent` is called once if the console says nothing at first.
///
/// # Errors
/// When a stream breaks for another reason than its end.
pub(super) fn pump(mut streams: Streams<'_>, silent: &mut dyn FnMut()) -> io::Result<Ended> {
    let started = Instant::now();
    let waiting = std::mem::take(&mut streams.first);
    let mut pump = Pump {
        streams,
        waiting,
        is_typed: true,
        last: started,
        has_spoken: false,
    };
    let mut is_told = false;
    loop {
        if !pump.is_typed && pump.waiting.is_empty() && pump.last.elapsed() >= pump.streams.linger {
            return Ok(Ended::NoInput);
        }
        if !is_told && !pump.has_spoken && started.elapsed() >= SILENT {
            is_told = true;
            silent();
        }
        let timeout = pump.timeout(started, is_told);
        if let Some(ended) = pump.step(timeout)? {
            return Ok(ended);
        }
    }
}

impl Pump<'_> {
    /// Returns the time until something is to be done without a byte; `None` for ever.
    fn timeout(&self, started: Instant, is_told: bool) -> PollTimeout {
        let linger =
            (!self.is_typed).then(|| self.streams.linger.saturating_sub(self.last.elapsed()));
        let silent =
            (!is_told && !self.has_spoken).then(|| SILENT.saturating_sub(started.elapsed()));
        match [linger, silent].into_iter().flatten().min() {
            // A millisecond more, since poll(2) rounds down.
            Some(left) => {
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
            }
            None => PollTimeout::NONE,
        }
    }

    fn step(&mut self, timeout: PollTimeout) -> io::Result<Option<Ended>> {
        let mut of_console = PollFlags::POLLIN;
        of_console.set(PollFlags::POLLOUT, !self.waiting.is_empty());
        let takes = self.is_typed && self.waiting.len() < WAITING;
        let mut wanted = vec![PollFd::new(self.streams.console.as_fd(), of_console)];
        if takes {
            wanted.push(PollFd::new(self.streams.input, PollFlags::POLLIN));
        }
        match poll(&mut wanted, timeout) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = |index: usize| {
            wanted
                .get(index)
                .and_then(|fd: &PollFd<'_>| fd.revents())
                .unwrap_or(PollFlags::empty())
        };
        let (console, input) = (flags(0), flags(1));
        if console.intersects(PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR)
            && let Some(ended) = self.hear()?
        {
            return Ok(Some(ended));
        }
        if !input.is_empty() && self.take()? {
            // What was typed before the escape still goes through, as far as the console takes it.
            self.send()?;
            return Ok(Some(Ended::Detached));
        }
        match self.send()? {
            true => Ok(None),
            false => Ok(Some(Ended::Closed)),
        }
    }

    /// Shows what the console says.
    fn hear(&mut self) -> io::Result<Option<Ended>> {
        let mut buffer = [0; 16 << 10];
        let length = match rustix::io::read(&self.streams.console, &mut buffer[..]) {
            Ok(length) => length,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Ok(None),
            Err(rustix::io::Errno::CONNRESET | rustix::io::Errno::PIPE) => 0,
            Err(error) => return Err(error.into()),
        };
        if length == 0 {
            return Ok(Some(Ended::Closed));
        }
        self.has_spoken = true;
        self.last = Instant::now();
        let said = &buffer[..length];
        if let Some(log) = &mut self.streams.log {
            log.write_all(said)?;
        }
        match write(self.streams.output, said) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Some(Ended::Unread)),
            written => written.map(|()| None),
        }
    }

    /// Takes what is typed. Returns true if the escape is in it.
    fn take(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 4096];
        let length = match rustix::io::read(self.streams.input, &mut buffer[..]) {
            Ok(length) => length,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Ok(false),
            // The terminal is gone.
            Err(rustix::io::Errno::IO) => 0,
            Err(error) => return Err(error.into()),
        };
        if length == 0 {
            self.is_typed = false;
            self.last = Instant::now();
        }
        let (typed, ends) = self.streams.escape.split(&buffer[..length]);
        self.waiting.extend_from_slice(typed);
        Ok(ends)
    }

    /// Sends as much as the console takes. Returns false if it takes no more for ever.
    fn send(&mut self) -> io::Result<bool> {
        while !self.waiting.is_empty() {
            match rustix::net::send(
                &self.streams.console,
                &self.waiting,
                rustix::net::SendFlags::NOSIGNAL,
            ) {
                Ok(length) => {
                    self.waiting.drain(..length);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return Ok(true),
                Err(rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }
}

/// Writes all bytes, also where somebody else has made the descriptor non-blocking.
fn write(output: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(output, rest) {
            Ok(length) => rest = &rest[length..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let mut wanted = [PollFd::new(output, PollFlags::POLLOUT)];
                let _ = poll(&mut wanted, PollTimeout::NONE);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    /// Pumps with an input, and a guest that says this. Returns the end, the output, and what the
    /// guest got.
    fn pumped(
        input: &[u8],
        said: &[u8],
        escape: Escape,
        closes: bool,
    ) -> (Ended, Vec<u8>, Vec<u8>) {
        let (ours, mut guest) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut typed = tempfile::tempfile().unwrap();
        typed.write_all(input).unwrap();
        std::io::Seek::rewind(&mut typed).unwrap();
        let mut shown = tempfile::tempfile().unwrap();
        guest.write_all(said).unwrap();
        if closes {
            guest.shutdown(std::net::Shutdown::Write).unwrap();
        }
        let streams = Streams {
            console: ours.into(),
            input: typed.as_fd(),
            output: shown.as_fd(),
            log: None,
            escape,
            linger: Duration::from_millis(1),
            first: Vec::new(),
        };
        let ended = pump(streams, &mut || ()).unwrap();
        let (mut output, mut got) = (Vec::new(), Vec::new());
        std::io::Seek::rewind(&mut shown).unwrap();
        shown.read_to_end(&mut output).unwrap();
        guest.set_nonblocking(true).unwrap();
        let _ = guest.read_to_end(&mut got);
        (ended, output, got)
    }

    #[test]
    fn bytes_go_both_ways_until_an_end() {
        let escape = Escape::default();
        let all: Vec<u8> = (0..=255).collect();
        let (ended, output, got) = pumped(&all, &all, Escape::NONE, false);
        assert_eq!((ended, &output, &got), (Ended::NoInput, &all, &all));
        let (ended, _, got) = pumped(b"ab\x11cd", b"", escape, false);
        assert_eq!((ended, got.as_slice()), (Ended::Detached, &b"ab"[..]));
        let (ended, output, _) = pumped(b"", b"bye", escape, true);
        assert_eq!((ended, output.as_slice()), (Ended::Closed, &b"bye"[..]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_500))]
        #[test]
        fn any_stream_goes_through(
            input in prop::collection::vec(any::<u8>(), 0..60),
            said in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let (ended, output, got) = pumped(&input, &said, Escape::default(), false);
            let (before, ends) = Escape::default().split(&input);
            prop_assert_eq!(ended, if ends { Ended::Detached } else { Ended::NoInput });
            prop_assert!(said.starts_with(&output));
            prop_assert_eq!(got, before);
        }
    }
}
