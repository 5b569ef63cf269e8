//! The facts of the machine that the preflight checks.

use std::fs::File;
use std::io;
use std::path::PathBuf;

/// The machine and the user.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    /// The effective user id.
    pub(super) user: u32,
    /// The path of the KVM device.
    pub(super) kvm: PathBuf,
}

impl Machine {
    /// Returns this machine.
    pub(super) fn this() -> Self {
        Self {
            user: nix::unistd::geteuid().as_raw(),
            kvm: "/dev/kvm".into(),
        }
    }

    pub(super) fn is_root(&self) -> bool {
        self.user == 0
    }

    /// Opens the device as a hypervisor does, without using it.
    pub(super) fn open_kvm(&self) -> io::Result<()> {
        File::options()
            .read(true)
            .write(true)
            .open(&self.kvm)
            .map(drop)
    }
}
