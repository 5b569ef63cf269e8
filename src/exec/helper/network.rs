//! Switches the loopback device of a new network namespace on.

use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

/// Message types and flags; see rtnetlink(7), netlink(7), and netdevice(7) for those of the device.
const RTM_NEWLINK: u16 = 16;
const NLM_F_REQUEST_ACK: u16 = 1 | 4;
const NLMSG_ERROR: u16 = 2;
const IFF_UP: u32 = 1;

/// The first device of every network namespace.
const LOOPBACK: i32 = 1;

/// Switches the loopback device of this network namespace on. The kernel then assigns 127.0.0.1 and
/// ::1.
pub(super) fn raise_loopback() -> Result<(), Errno> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    send(socket.as_raw_fd(), &request(), MsgFlags::empty())?;
    let mut answer = [0; 256];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    errno_of(&answer[..length])
}

/// Returns a `nlmsghdr` and an `ifinfomsg` that sets `IFF_UP`, in the machine's byte order.
fn request() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0..4].copy_from_slice(&32_u32.to_ne_bytes());
    bytes[4..6].copy_from_slice(&RTM_NEWLINK.to_ne_bytes());
    bytes[6..8].copy_from_slice(&NLM_F_REQUEST_ACK.to_ne_bytes());
    bytes[20..24].copy_from_slice(&LOOPBACK.to_ne_bytes());
    bytes[24..28].copy_from_slice(&IFF_UP.to_ne_bytes());
    bytes[28..32].copy_from_slice(&IFF_UP.to_ne_bytes());
    bytes
}

/// Parses the answer. An acknowledgement is an error message with number 0; error numbers are
/// negative.
fn errno_of(answer: &[u8]) -> Result<(), Errno> {
    let kind = answer.get(4..6).map(|bytes| [bytes[0], bytes[1]]);
    let number = answer.get(16..20).map(|b| [b[0], b[1], b[2], b[3]]);
    match (kind.map(u16::from_ne_bytes), number.map(i32::from_ne_bytes)) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(number)) => Err(Errno::from_raw(-number)),
        _ => Err(Errno::EPROTO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_an_acknowledgement_an_error_or_nothing_known() {
        let answer = |kind: u16, number: i32| {
            let mut bytes = [0; 20];
            bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
            bytes[16..20].copy_from_slice(&number.to_ne_bytes());
            errno_of(&bytes)
        };
        assert_eq!(answer(2, 0), Ok(()));
        assert_eq!(answer(2, -1), Err(Errno::EPERM));
        assert_eq!(answer(3, 0), Err(Errno::EPROTO));
        assert_eq!(errno_of(&[0; 8]), Err(Errno::EPROTO));
    }
}
