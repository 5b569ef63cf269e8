//! What the preflight asks of the machine itself.

use std::fs::File;
use std::io;
use std::path::PathBuf;

/// The machine and the user, as far as components care.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    /// Effective user id.
    pub(super) user: u32,
    /// The device of KVM.
    pub(super) kvm: PathBuf,
}

impl Machine {
    /// This one.
    pub(super) fn this() -> Self {
        Self {
            user: nix::unistd::geteuid().as_raw(),
            kvm: "/dev/kvm".into(),
        }
    }

    pub(super) fn is_root(&self) -> bool {
        self.user == 0
    }

    /// Opens the device as a hypervisor does; nothing is asked of it.
    pub(super) fn open_kvm(&self) -> io::Result<()> {
        File::options()
            .read(true)
            .write(true)
            .open(&self.kvm)
            .map(drop)
    }
}
