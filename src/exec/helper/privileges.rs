//! Drops the privileges of root before the job starts, so that it cannot get them back.

use std::{fs, io};

use nix::errno::Errno;
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

/// Capabilities of root in a strict sandbox: owning files, changing the user, ports below 1024.
/// They do not reach mounts, devices, the network's configuration, the memory of other processes or
/// the kernel. They do not set capabilities of files either, because those would work on the host.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::NET_BIND_SERVICE);

/// The highest number of a capability.
const LAST: u32 = 63;

/// Limits everything that is started from now on to the kept capabilities, whatever the program
/// (sudo then fails with a message). This process keeps its own until it executes another program.
pub(super) fn give_up() -> Result<(), Errno> {
    for number in 0..=LAST {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if KEPT.contains(capability) {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            // The kernel does not know this number.
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            // Without the privilege to drop capabilities, the job gets none either.
            Err(rustix::io::Errno::PERM) => break,
            Err(error) => return Err(Errno::from_raw(error.raw_os_error())),
        }
    }
    nix::sys::prctl::set_no_new_privs()
}

/// Forbids user namespaces below this one. Root of this namespace owns root's files outside. In
/// another namespace it could mount the control groups of the machine, and freeze or kill any
/// process through them.
pub(super) fn forbid_user_namespaces() -> io::Result<()> {
    fs::write("/proc/sys/user/max_user_namespaces", "0")
}
