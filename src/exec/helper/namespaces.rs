//! Creates namespaces and their pid 1.
//!
//! ```text
//! supervisor ─▶ helper (outside) ─▶ pid 1 (inside) ─▶ the job
//! ```
//! Pid 1 does the same as the helper of a job without namespaces, with the same code and the same
//! control socket. The helper outside only waits for it, and kills it if the supervisor is gone.
//! The end of pid 1 makes the kernel kill every process of the namespace, and the end of the helper
//! kills pid 1. So no order of deaths leaves a process.

use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::SystemTime;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getegid, geteuid};

use super::refused::{Describe, Refused};
use super::set_id;
use crate::exec::isolation::{Sandbox, Space, path_sockets};
use crate::exec::protocol::Channel;

/// The role of this process after the fork.
pub(super) enum Side {
    /// The helper; its child is pid 1 inside.
    Outside(Init),
    /// Pid 1, in namespaces with mapped ids.
    Inside(Inside),
}

/// Pid 1, as the helper sees it.
pub(super) struct Init {
    pid: Pid,
    since: SystemTime,
    /// Readable if the job may have made programs that run as somebody else: see [`set_id`].
    tripped: PipeReader,
}

/// The resources that pid 1 has from outside.
pub(super) struct Inside {
    /// Paths of the unix sockets of the host's network.
    pub sockets: Vec<PathBuf>,
    /// The other end; see [`Init`].
    pub tripped: PipeWriter,
    /// The users are the host's, and root is what it is there: there is no user namespace.
    pub keeps_root: bool,
}

/// Starts pid 1 in the namespaces of the sandbox. Returns twice, like fork(2).
pub(super) fn clone_init(sandbox: &Sandbox) -> Result<Side, Refused> {
    let pipe = || io::pipe().describe(|| "making a pipe".into());
    let ((mut ready, mapped), (tripped, trip)) = (pipe()?, pipe()?);
    let since = SystemTime::now();
    let mut flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    flags.set(CloneFlags::CLONE_NEWNET, sandbox.network);
    // A new network namespace hides the sockets of the old one.
    let sockets = path_sockets();
    let words = || "making namespaces".to_owned();
    let is_strict = (sandbox.space.as_ref()).is_some_and(|space| space.strict);
    let (side, keeps_root) = clone_for(flags, is_strict).describe(words)?;
    match side {
        Some(child) => {
            let result = map_ids(child, mapped, keeps_root);
            if result.is_err() {
                let _ = kill(child, Signal::SIGKILL);
                let _ = waitpid(child, None);
            }
            drop(trip);
            result.map(|()| {
                Side::Outside(Init {
                    pid: child,
                    since,
                    tripped,
                })
            })
        }
        None => {
            drop(mapped);
            // This comes before waiting: from here on, the end of the helper ends this process too.
            // A helper that has already ended sends nothing.
            nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).describe(words)?;
            let mut word = [0];
            let length = ready.read(&mut word).describe(words)?;
            if length == 0 {
                std::process::exit(1);
            }
            Ok(Side::Inside(Inside {
                sockets,
                tripped: trip,
                keeps_root,
            }))
        }
    }
}

/// Enters a network namespace only. For root, nothing else changes.
pub(super) fn leave_network() -> Result<(), Refused> {
    let words = || "making a network namespace".to_owned();
    if geteuid().is_root() {
        return unshare(CloneFlags::CLONE_NEWNET).describe(words);
    }
    let maps = own_maps();
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).describe(words)?;
    write_maps("self", &maps).describe(|| "mapping user and group".into())
}

/// Starts pid 1 without a user namespace for root, so that it keeps root's privileges. Strict jobs,
/// users, and root in a container that may not make namespaces get a user namespace. The second
/// value is true if there is none.
fn clone_for(flags: CloneFlags, is_strict: bool) -> Result<(Option<Pid>, bool), Errno> {
    if geteuid().is_root() && !is_strict {
        match clone(flags) {
            Err(Errno::EPERM) => {}
            result => return Ok((result?, true)),
        }
    }
    Ok((clone(flags | CloneFlags::CLONE_NEWUSER)?, false))
}

/// Calls clone(2) as a fork; `None` in the child. This process has one thread.
fn clone(flags: CloneFlags) -> Result<Option<Pid>, Errno> {
    let flags = libc::c_long::from(flags.bits() | libc::SIGCHLD);
    // SAFETY: without CLONE_VM and a stack this is fork(2), and no other thread can hold a lock.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) };
    match Errno::result(pid)? {
        0 => Ok(None),
        pid => Ok(Some(Pid::from_raw(pid as i32))),
    }
}

/// Lets pid 1 go on, with its ids mapped where it has a user namespace.
fn map_ids(child: Pid, mut mapped: io::PipeWriter, keeps_root: bool) -> Result<(), Refused> {
    if !keeps_root {
        let maps = match geteuid().is_root() {
            true => identity_maps(),
            false => own_maps(),
        };
        write_maps(&child.to_string(), &maps).describe(|| "mapping users and groups".into())?;
    }
    mapped.write_all(b"!").describe(|| "telling pid 1".into())
}

struct Maps {
    users: String,
    groups: String,
    /// True if setgroups must be denied first, because other groups cannot be mapped; see
    /// user_namespaces(7).
    denies_setgroups: bool,
}

/// Maps the user's own ids only, which the kernel allows everybody.
fn own_maps() -> Maps {
    let (user, group) = (geteuid(), getegid());
    Maps {
        users: format!("{user} {user} 1"),
        groups: format!("{group} {group} 1"),
        denies_setgroups: true,
    }
}

/// Maps every existing id to itself.
fn identity_maps() -> Maps {
    let own = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    Maps {
        users: identity(&own("uid_map")),
        groups: identity(&own("gid_map")),
        denies_setgroups: false,
    }
}

/// Formats lines of `INSIDE OUTSIDE COUNT` that map each range to itself.
fn identity(map: &str) -> String {
    map.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (inside, _, count) = (words.next()?, words.next()?, words.next()?);
            Some(format!("{inside} {inside} {count}\n"))
        })
        .collect()
}

fn write_maps(process: &str, maps: &Maps) -> io::Result<()> {
    let write = |name: &str, text: &str| fs::write(format!("/proc/{process}/{name}"), text);
    if maps.denies_setgroups {
        write("setgroups", "deny")?;
    }
    write("uid_map", &maps.users)?;
    write("gid_map", &maps.groups)
}

/// Waits for the end of pid 1 as the helper, and kills it if the supervisor is gone. Then it does
/// the work that pid 1 does at the end of a job.
pub(super) fn wait_for_init(control: &Channel, init: Init, space: &Space) -> io::Result<()> {
    let is_alone = wait_for(control, init.pid)?;
    // This end of the pipe is closed by now.
    let is_tripped = { init.tripped }
        .read(&mut [0])
        .is_ok_and(|length| length > 0);
    if is_alone && is_tripped {
        let _ = set_id::take_away(space, init.since);
    }
    Ok(())
}

/// Waits for the end of pid 1, and kills it if the supervisor is gone. Returns true in that case.
fn wait_for(control: &Channel, child: Pid) -> io::Result<bool> {
    let ended = pidfd(child)?;
    let mut is_alone = false;
    loop {
        let mut sources = [
            PollFd::new(ended.as_fd(), PollFlags::POLLIN),
            // Nothing is read here. Poll reports a closed connection without being asked for it.
            PollFd::new(control.as_fd(), PollFlags::empty()),
        ];
        let watched = if is_alone { 1 } else { 2 };
        match poll(&mut sources[..watched], PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if sources[0].any() == Some(true) {
            waitpid(child, None)?;
            return Ok(is_alone);
        }
        if !is_alone && hung_up(&sources[1]) {
            is_alone = true;
            kill(child, Signal::SIGKILL)?;
        }
    }
}

fn hung_up(source: &PollFd<'_>) -> bool {
    let ends = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
    source
        .revents()
        .is_none_or(|events| events.intersects(ends))
}

fn pidfd(child: Pid) -> io::Result<OwnedFd> {
    let child = rustix::process::Pid::from_raw(child.as_raw()).ok_or(Errno::ESRCH)?;
    Ok(rustix::process::pidfd_open(
        child,
        rustix::process::PidfdFlags::empty(),
    )?)
}

/// Returns true if this process is pid 1.
pub(super) fn is_init() -> bool {
    Pid::this().as_raw() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_keeps_every_range_and_nothing_else() {
        assert_eq!(
            identity("         0          0 4294967295\n"),
            "0 0 4294967295\n"
        );
        let container = "0 100000 65536\n70000 200000 10\n";
        assert_eq!(identity(container), "0 0 65536\n70000 70000 10\n");
        assert_eq!(identity("no numbers\n\n"), "");
    }
}
