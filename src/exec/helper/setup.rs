//! Prepares the helper itself before the job.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nix::sys::prctl;
use nix::unistd::{Pid, close, dup2_stdin, getpgid, getppid, setpgid, setsid};
use signal_hook::consts as signals;

use crate::exec::protocol::{Channel, Order};

/// Signals that could end or stop the helper, or that the caller of kata-ci may have ignored
/// (nohup, a shell's `&`, Python). The standard library handles SIGPIPE: it ignores it here and
/// restores it in started programs.
const HARMLESS: &[i32] = &[
    signals::SIGHUP,
    signals::SIGINT,
    signals::SIGQUIT,
    signals::SIGTERM,
    signals::SIGALRM,
    signals::SIGUSR1,
    signals::SIGUSR2,
    signals::SIGTSTP,
    signals::SIGTTIN,
    signals::SIGTTOU,
    signals::SIGURG,
    signals::SIGXCPU,
    signals::SIGXFSZ,
    signals::SIGVTALRM,
    signals::SIGPROF,
    signals::SIGIO,
];

/// Closes everything except for the standard three. Under `make -j`, kata-ci itself inherits the
/// jobserver's pipe.
pub(super) fn close_inherited() {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return;
    };
    let open: Vec<i32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in open {
        let _ = close(number);
    }
}

/// Moves the socket away from standard input, so that no child inherits it.
pub(super) fn control_socket() -> io::Result<Channel> {
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    stream.peer_addr()?;
    dup2_stdin(File::open("/dev/null")?)?;
    Ok(Channel::new(stream))
}

/// Leaves terminal and session, and makes signals harmless.
pub(super) fn leave_terminal() -> io::Result<()> {
    take_signals()?;
    leave_session()
}

/// Becomes the subreaper of orphans. Returns a file descriptor that is readable when a child has
/// ended.
pub(super) fn adopt_orphans() -> io::Result<UnixStream> {
    prctl::set_child_subreaper(true)?;
    let (ours, handlers) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(signals::SIGCHLD, handlers)?;
    Ok(ours)
}

/// Catches signals. A caught signal does not end the helper, and exec restores its default. So the
/// job starts with default dispositions, however kata-ci was started.
fn take_signals() -> io::Result<()> {
    let nobody_looks = Arc::new(AtomicBool::new(false));
    for signal in HARMLESS {
        signal_hook::flag::register(*signal, Arc::clone(&nobody_looks))?;
    }
    Ok(())
}

/// Leaves the session. The supervisor started the helper as the leader of a group, away from the
/// terminal's signals. A group leader cannot create a session, so it first joins the group of its
/// siblings, now that these signals are harmless. If that group is outside of this namespace, it
/// has no number, and the helper is in it already.
fn leave_session() -> io::Result<()> {
    let siblings = getpgid(Some(getppid()))?;
    if siblings.as_raw() != 0 {
        setpgid(Pid::from_raw(0), siblings)?;
    }
    setsid()?;
    Ok(())
}

/// Waits for the first order; `None` if the supervisor is gone.
pub(super) fn first_order(control: &mut Channel) -> io::Result<Option<Order>> {
    loop {
        let mut received = control.receive()?;
        if !received.messages.is_empty() {
            return Ok(Some(received.messages.remove(0)));
        }
        if received.is_last {
            return Ok(None);
        }
    }
}
