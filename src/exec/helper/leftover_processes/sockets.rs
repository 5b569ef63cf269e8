//! Finds the listening sockets of this network namespace: TCP and unix sockets that accept
//! connections, and unconnected UDP sockets. See proc_pid_net(5) and include/net/tcp_states.h.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const LISTEN: &str = "0A";
/// The state of a UDP socket without a peer.
const CLOSE: &str = "07";
/// The flag `__SO_ACCEPTCON` of unix sockets.
const ACCEPTS: u64 = 0x10000;

/// Returns inode and description of each listening socket.
pub(super) fn listening() -> io::Result<Vec<(u64, String)>> {
    let mut all = Vec::new();
    for (name, kind, state) in [
        ("tcp", "tcp", LISTEN),
        ("tcp6", "tcp", LISTEN),
        ("udp", "udp", CLOSE),
        ("udp6", "udp", CLOSE),
    ] {
        let table = table(name)?;
        all.extend(table.lines().filter_map(|line| internet(line, kind, state)));
    }
    all.extend(table("unix")?.lines().filter_map(unix));
    Ok(all)
}

/// Reads a table; empty if the kernel lacks the protocol.
fn table(name: &str) -> io::Result<String> {
    match fs::read(format!("/proc/self/net/{name}")) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Parses `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`.
fn internet(line: &str, kind: &str, wanted: &str) -> Option<(u64, String)> {
    let words: Vec<_> = line.split_whitespace().collect();
    if *words.get(3)? != wanted {
        return None;
    }
    let address = address(words.get(1)?)?;
    Some((words.get(9)?.parse().ok()?, format!("{kind} {address}")))
}

/// Parses `0100007F:1F90`: words of the address in the machine's byte order, the port as a number.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let words: Vec<_> = (0..address.len())
        .step_by(8)
        .map(|start| u32::from_str_radix(address.get(start..start + 8)?, 16).ok())
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_ne_bytes).collect();
    let address = match bytes.len() {
        4 => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        _ => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
    };
    Some(SocketAddr::new(
        address,
        u16::from_str_radix(port, 16).ok()?,
    ))
}

/// Parses `Num: RefCount Protocol Flags Type St Inode Path`. The inode is padded with blanks, and a
/// path can have some.
fn unix(line: &str) -> Option<(u64, String)> {
    let mut rest = line;
    let mut word = || {
        let (word, after) = rest.trim_start().split_once(' ')?;
        rest = after;
        Some(word)
    };
    let flags = [word(), word(), word(), word()][3]?;
    let inode = [word(), word(), word()][2]?;
    let accepts = u64::from_str_radix(flags, 16).ok()? & ACCEPTS != 0;
    let words = format!("unix {rest}");
    accepts.then(|| Some((inode.parse().ok()?, words)))?
}

/// Returns the inode that the file descriptor of a socket links to.
pub(super) fn inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixListener;

    use proptest::prelude::*;

    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn addresses_of_both_kinds_are_read() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0";
        assert_eq!(
            internet(line, "tcp", LISTEN),
            Some((12345, "tcp 127.0.0.1:8080".to_owned()))
        );
        assert_eq!(internet(line, "tcp", CLOSE), None);
        assert_eq!(
            address("00000000000000000000000001000000:0050").map(|address| address.to_string()),
            Some("[::1]:80".to_owned())
        );
        assert_eq!(
            internet("  sl  local_address rem_address   st", "tcp", LISTEN),
            None
        );
    }

    #[test]
    fn unix_sockets_that_accept_are_told_from_those_that_do_not() {
        let head = "0000000000000000: 00000002 00000000";
        assert_eq!(
            unix(&format!(
                "{head} 00010000 0001 01 17059 /run/my docker.sock"
            )),
            Some((17059, "unix /run/my docker.sock".to_owned()))
        );
        assert_eq!(
            unix(&format!("{head} 00010000 0001 01    60 @abstract")),
            Some((60, "unix @abstract".to_owned()))
        );
        assert_eq!(unix(&format!("{head} 00000000 0001 03 20139 /x")), None);
        assert_eq!(
            unix("Num       RefCount Protocol Flags    Type St Inode Path"),
            None
        );
    }

    #[test]
    fn what_this_process_listens_on_is_found_with_its_inode() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a socket");
        let (tcp, udp) = (
            TcpListener::bind("127.0.0.1:0").unwrap(),
            UdpSocket::bind("127.0.0.1:0").unwrap(),
        );
        let unix = UnixListener::bind(&path).unwrap();
        let all = listening().unwrap();
        for (descriptor, words) in [
            (
                tcp.as_raw_fd(),
                format!("tcp {}", tcp.local_addr().unwrap()),
            ),
            (
                udp.as_raw_fd(),
                format!("udp {}", udp.local_addr().unwrap()),
            ),
            (unix.as_raw_fd(), format!("unix {}", path.display())),
        ] {
            let link = fs::read_link(format!("/proc/self/fd/{descriptor}")).unwrap();
            let inode = inode(&link.to_string_lossy()).unwrap();
            assert!(all.contains(&(inode, words.clone())), "{words}: {all:?}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_strange(line in "\\PC{0,80}") {
            let _ = (internet(&line, "tcp", LISTEN), unix(&line), address(&line), inode(&line));
        }
    }
}
