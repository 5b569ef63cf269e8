//! vsock, the line between a virtual machine and its host, is a network to a job, but belongs to no network namespace: the
//! kernel is told to refuse such sockets, with the answer of one that knows none. See vsock(7) and seccomp(2).
//!
//! Refused as well is io_uring, which makes sockets without the call that is looked at; programs do without it where it is
//! missing. Calls of a 32-bit program end it, as theirs cannot be told apart. It holds for all that is started from here on.

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

/// Refuses vsock from now on.
///
/// # Errors
/// Where the kernel filters no calls, or calls of this processor cannot be filtered.
pub(super) fn refuse() -> io::Result<()> {
    let (length, equal) = (SeccompCmpArgLen::Dword, SeccompCmpOp::Eq);
    let is_vsock = SeccompCondition::new(0, length, equal, libc::AF_VSOCK as u64);
    let socket = is_vsock.and_then(|is_vsock| SeccompRule::new(vec![is_vsock]));
    let socket = socket.map_err(unsupported)?;
    refuse_call(libc::SYS_socket, vec![socket], Errno::EAFNOSUPPORT)?;
    refuse_call(libc::SYS_io_uring_setup, Vec::new(), Errno::ENOSYS)
}

/// Has a call fail where one of the rules fits it; without rules always.
fn refuse_call(call: i64, rules: Vec<SeccompRule>, errno: Errno) -> io::Result<()> {
    let calls = BTreeMap::from([(call, rules.clone()), (call | X32, rules)]);
    let action = SeccompAction::Errno(errno as u32);
    let filter = TargetArch::try_from(std::env::consts::ARCH)
        .and_then(|target| SeccompFilter::new(calls, SeccompAction::Allow, action, target))
        .and_then(BpfProgram::try_from)
        .map_err(unsupported)?;
    apply_filter(&filter).map_err(|error| match error {
        Error::Prctl(error) | Error::Seccomp(error) => error,
        _ => Errno::EINVAL.into(),
    })
}

/// There are no words for it on this processor.
fn unsupported(_: BackendError) -> io::Error {
    Errno::ENOTSUP.into()
}
