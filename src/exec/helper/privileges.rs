//! What the job may do as root: privileges are given up before it starts, and it cannot get them back.

use std::{fs, io};

use nix::errno::Errno;
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

/// What root keeps in a strict sandbox: owning files, becoming another user, ports below 1024. Not among it is what
/// reaches mounts, devices, the network's configuration, other processes' memory or the kernel; and what gives a file
/// capabilities, which would work on the host.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::NET_BIND_SERVICE);

/// The highest number a capability can have.
const LAST: u32 = 63;

/// What starts from now on gets the kept capabilities at most, and no program gives it more (sudo says so in words). What
/// this process itself has stays: it is not given up before another program is executed.
pub(super) fn give_up() -> Result<(), Errno> {
    for number in 0..=LAST {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if KEPT.contains(capability) {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            // The kernel knows none of this number.
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            // Without the privilege to do so there is none to give up: the job gets nothing of it when it is executed.
            Err(rustix::io::Errno::PERM) => break,
            Err(error) => return Err(Errno::from_raw(error.raw_os_error())),
        }
    }
    nix::sys::prctl::set_no_new_privs()
}

/// None can be made below this one. Who is root here owns what is root's outside, and in one more namespace would have the
/// privilege to mount it: the control groups of the machine, through which any process can be frozen or killed.
pub(super) fn forbid_user_namespaces() -> io::Result<()> {
    fs::write("/proc/sys/user/max_user_namespaces", "0")
}
