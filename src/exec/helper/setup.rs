//! What the helper does to itself before the job.

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

/// Signals that could end or stop the helper, or that whoever called kata-ci may have had ignored (nohup, a shell's `&`,
/// Python). SIGPIPE is the standard library's: it ignores it here and restores it in what it starts.
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

/// Closes what is open beyond the standard three: under `make -j`, kata-ci itself inherits the jobserver's pipe.
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

/// Takes the socket away from standard input, to where no child inherits it.
pub(super) fn control_socket() -> io::Result<Channel> {
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    stream.peer_addr()?;
    dup2_stdin(File::open("/dev/null")?)?;
    Ok(Channel::new(stream))
}

/// Leaves terminal and session, and takes no harm from signals any more.
pub(super) fn leave_terminal() -> io::Result<()> {
    take_signals()?;
    leave_session()
}

/// Becomes the one that orphans come to. Returns what becomes readable when a child ends.
pub(super) fn adopt_orphans() -> io::Result<UnixStream> {
    prctl::set_child_subreaper(true)?;
    let (ours, handlers) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(signals::SIGCHLD, handlers)?;
    Ok(ours)
}

/// Catching a signal keeps it from ending the helper, and exec gives a caught signal its default back: so the job starts
/// with default dispositions whatever kata-ci itself was started with.
fn take_signals() -> io::Result<()> {
    let nobody_looks = Arc::new(AtomicBool::new(false));
    for signal in HARMLESS {
        signal_hook::flag::register(*signal, Arc::clone(&nobody_looks))?;
    }
    Ok(())
}

/// The supervisor started the helper as the leader of a group, out of the way of the terminal's signals. A leader of a group
/// cannot make a session, so it goes back among its siblings first, now that these signals do nothing. Where their group
/// lies outside of this namespace of processes it has no number, and the helper never left it.
fn leave_session() -> io::Result<()> {
    let siblings = getpgid(Some(getppid()))?;
    if siblings.as_raw() != 0 {
        setpgid(Pid::from_raw(0), siblings)?;
    }
    setsid()?;
    Ok(())
}

/// Waits for the first order; none when the supervisor is gone before.
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
