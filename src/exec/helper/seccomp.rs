//! Filters the system calls of a job in a strict sandbox: see seccomp(2).
//!
//! Refused are calls that no namespace confines: the keys that the kernel holds for a login
//! session, vsock (a network between a virtual machine and its host that belongs to no network
//! namespace), and io_uring (which creates sockets and files without the filtered calls). The
//! errors are those of a kernel without these features. A call of a 32-bit program kills it,
//! because those have other numbers. Filters hold for this process and everything that it starts.

use std::collections::BTreeMap;
use std::io;

use nix::errno::Errno;
use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// The bit of x32 calls, which x86-64 kernels may support besides their own.
const X32: i64 = 0x4000_0000;

/// Calls by number. A call matches if one of its rules does, or if it has no rules.
pub(super) type Calls = BTreeMap<i64, Vec<SeccompRule>>;

/// Refuses the calls that no job in a strict sandbox may make.
///
/// # Errors
/// Fails if the kernel has no filters, or the processor is not supported.
pub(super) fn refuse_always() -> io::Result<()> {
    let all = [
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_io_uring_setup,
    ];
    let calls = all.into_iter().map(|call| (call, Vec::new()));
    refuse(calls.collect(), Errno::ENOSYS)
}

/// Refuses vsock sockets.
///
/// # Errors
/// As [`refuse_always`].
pub(super) fn refuse_vsock() -> io::Result<()> {
    let is_vsock = condition(0, SeccompCmpOp::Eq, libc::AF_VSOCK as u64)?;
    let calls = Calls::from([(libc::SYS_socket, vec![rule(vec![is_vsock])?])]);
    refuse(calls, Errno::EAFNOSUPPORT)
}

/// Lets calls fail with an error.
pub(super) fn refuse(calls: Calls, errno: Errno) -> io::Result<()> {
    let filter = filter(calls, SeccompAction::Errno(errno as u32))?;
    apply_filter(&filter).map_err(|error| match error {
        Error::Prctl(error) | Error::Seccomp(error) => error,
        _ => Errno::EINVAL.into(),
    })
}

/// Compiles a filter for the kernel.
pub(super) fn filter(calls: Calls, action: SeccompAction) -> io::Result<BpfProgram> {
    let x32 = (calls.iter()).map(|(call, rules)| (call | X32, rules.clone()));
    let all = x32.collect::<Calls>().into_iter().chain(calls).collect();
    TargetArch::try_from(std::env::consts::ARCH)
        .and_then(|target| SeccompFilter::new(all, SeccompAction::Allow, action, target))
        .and_then(BpfProgram::try_from)
        .map_err(unsupported)
}

/// Compares the lower half of an argument with a value.
pub(super) fn condition(
    argument: u8,
    comparison: SeccompCmpOp,
    value: u64,
) -> io::Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value).map_err(unsupported)
}

/// Combines conditions, all of which must match.
pub(super) fn rule(conditions: Vec<SeccompCondition>) -> io::Result<SeccompRule> {
    SeccompRule::new(conditions).map_err(unsupported)
}

/// Converts an error of an unsupported processor.
fn unsupported(_: BackendError) -> io::Error {
    Errno::ENOTSUP.into()
}
