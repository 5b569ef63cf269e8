//! Hides the keys that the kernel holds for a login session. Namespaces do not, because keyrings
//! are inherited.

use nix::errno::Errno;
use nix::libc;

/// Joins an empty session keyring that does not lead to the user's keys.
pub(super) fn leave_session_keyring() -> Result<(), Errno> {
    let no_name = std::ptr::null::<libc::c_char>();
    // SAFETY: without a name, the call accesses no memory of this process.
    let result =
        unsafe { libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, no_name) };
    match Errno::result(result) {
        // The kernel has no keys, or a container denies them to everything in it.
        Ok(_) | Err(Errno::ENOSYS | Errno::EPERM) => Ok(()),
        Err(error) => Err(error),
    }
}
