//! System calls that the kernel refuses a job in a strict sandbox, or tells of: see seccomp(2).
//!
//! Refused is what no namespace keeps from it: the keys that the kernel holds for whoever is logged in, vsock (the line
//! between a virtual machine and its host is a network, but belongs to no network namespace), and io_uring, which makes
//! sockets and files without the calls that are looked at. The answers are those of a kernel without them. Calls of a
//! 32-bit program end it, as theirs cannot be told apart. All of it holds for what is started from here on.

use std::collections::BTreeMap;
use std::io;

use nix::errno::Errno;
use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// With this bit a call is one of the x32 ABI, which x86-64 kernels may have besides their own.
const X32: i64 = 0x4000_0000;

/// Calls by number, each with the rules of which one has to fit it; without rules it is meant always.
pub(super) type Calls = BTreeMap<i64, Vec<SeccompRule>>;

/// Refuses what nobody has in a strict sandbox.
///
/// # Errors
/// Where the kernel filters no calls, or calls of this processor cannot be filtered.
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

/// Refuses sockets of vsock.
///
/// # Errors
/// As [`refuse_always`].
pub(super) fn refuse_vsock() -> io::Result<()> {
    let is_vsock = condition(0, SeccompCmpOp::Eq, libc::AF_VSOCK as u64)?;
    let calls = Calls::from([(libc::SYS_socket, vec![rule(vec![is_vsock])?])]);
    refuse(calls, Errno::EAFNOSUPPORT)
}

/// Has calls fail.
pub(super) fn refuse(calls: Calls, errno: Errno) -> io::Result<()> {
    let filter = filter(calls, SeccompAction::Errno(errno as u32))?;
    apply_filter(&filter).map_err(|error| match error {
        Error::Prctl(error) | Error::Seccomp(error) => error,
        _ => Errno::EINVAL.into(),
    })
}

/// What the kernel runs at each call.
pub(super) fn filter(calls: Calls, action: SeccompAction) -> io::Result<BpfProgram> {
    let x32 = (calls.iter()).map(|(call, rules)| (call | X32, rules.clone()));
    let all = x32.collect::<Calls>().into_iter().chain(calls).collect();
    TargetArch::try_from(std::env::consts::ARCH)
        .and_then(|target| SeccompFilter::new(all, SeccompAction::Allow, action, target))
        .and_then(BpfProgram::try_from)
        .map_err(unsupported)
}

/// The lower half of an argument compared with a value.
pub(super) fn condition(
    argument: u8,
    comparison: SeccompCmpOp,
    value: u64,
) -> io::Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value).map_err(unsupported)
}

/// Fits where all conditions do.
pub(super) fn rule(conditions: Vec<SeccompCondition>) -> io::Result<SeccompRule> {
    SeccompRule::new(conditions).map_err(unsupported)
}

/// There are no words for it on this processor.
fn unsupported(_: BackendError) -> io::Error {
    Errno::ENOTSUP.into()
}
