//! Connects to sockets without waiting for a server that does not answer.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrLike, UnixAddr, VsockAddr, connect, getsockopt,
    socket, sockopt,
};
use rustix::fs::{CWD, Mode, OFlags};

/// The most bytes of a path that an address of a socket holds.
const LONGEST: usize = 107;

/// Connects to a socket in the file system. The connection does not block.
///
/// # Errors
/// `WouldBlock` if clients wait already, `ConnectionRefused` if nobody listens.
pub(super) fn unix(path: &Path) -> io::Result<OwnedFd> {
    let stream = stream(AddressFamily::Unix)?;
    if path.as_os_str().len() <= LONGEST {
        connect(stream.as_raw_fd(), &UnixAddr::new(path)?)?;
        return Ok(stream);
    }
    // Ids are long; a held directory makes the path short.
    let (directory, name) = (
        path.parent().unwrap_or(path),
        path.file_name().unwrap_or_default(),
    );
    let how = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let held = rustix::fs::openat(CWD, directory, how, Mode::empty())?;
    let short = Path::new("/proc/self/fd")
        .join(held.as_raw_fd().to_string())
        .join(name);
    connect(stream.as_raw_fd(), &UnixAddr::new(&short)?)?;
    Ok(stream)
}

/// Connects to a port of a guest. The connection does not block.
///
/// # Errors
/// `TimedOut` if the guest does not answer, `ConnectionReset` if nobody listens there.
pub(super) fn vsock(cid: u32, port: u32, patience: Duration) -> io::Result<OwnedFd> {
    let stream = stream(AddressFamily::Vsock)?;
    finish(stream, &VsockAddr::new(cid, port), patience)
}

fn stream(family: AddressFamily) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    Ok(socket(family, SockType::Stream, flags, None)?)
}

fn finish(stream: OwnedFd, address: &dyn SockaddrLike, patience: Duration) -> io::Result<OwnedFd> {
    match connect(stream.as_raw_fd(), address) {
        Ok(()) => return Ok(stream),
        Err(nix::Error::EINPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    if !ready(&stream, PollFlags::POLLOUT, Instant::now() + patience)? {
        return Err(io::ErrorKind::TimedOut.into());
    }
    match getsockopt(&stream, sockopt::SocketError)? {
        0 => Ok(stream),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Waits until a stream can be read or written; false if it cannot in time.
pub(super) fn ready(stream: &OwnedFd, what: PollFlags, until: Instant) -> io::Result<bool> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut wanted = [PollFd::new(stream.as_fd(), what)];
        match poll(&mut wanted, timeout) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes all bytes, within a time.
pub(super) fn write_all(stream: &OwnedFd, bytes: &[u8], until: Instant) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(stream, rest) {
            Ok(length) => rest = &rest[length..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                if !ready(stream, PollFlags::POLLOUT, until)? {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads what is there, within a time; 0 at the end.
pub(super) fn read(stream: &OwnedFd, buffer: &mut [u8], until: Instant) -> io::Result<usize> {
    loop {
        match rustix::io::read(stream, &mut *buffer) {
            Ok(length) => return Ok(length),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                if !ready(stream, PollFlags::POLLIN, until)? {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_path_longer_than_an_address_is_reached() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("d".repeat(120));
        std::fs::create_dir(&directory).unwrap();
        let before = std::os::fd::OwnedFd::from(std::fs::File::open(&directory).unwrap());
        let short = format!("/proc/self/fd/{}/console.sock", before.as_raw_fd());
        let listener = UnixListener::bind(short).unwrap();
        assert!(unix(&directory.join("console.sock")).is_ok());
        drop(listener);
        let refused = unix(&directory.join("console.sock")).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
