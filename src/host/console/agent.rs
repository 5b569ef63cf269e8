//! The agent's debug console: a shell in the guest, behind vsock or a socket that stands for it.
//!
//! The shim tells the address of the agent. The debug console listens on a port of its own beside
//! the agent's.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::connect;
use crate::model::CommandError;

/// The port of the debug console.
pub(crate) const PORT: u32 = 1026;

/// The time that shim and agent have for each step.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most bytes of an answer of the shim.
const ANSWER: usize = 64 << 10;

/// The most bytes of the line that a hybrid vsock answers.
const LINE: usize = 64;

/// The address of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A guest's vsock.
    Vsock(u32),
    /// A socket that stands for a guest's vsock.
    Hybrid(PathBuf),
}

/// The hint for a console that is not there.
const NOT_ENABLED: &str = "set debug_console_enabled = true in [agent.kata] of configuration.toml \
                           (kernel parameters agent.debug_console agent.debug_console_vport=1026), \
                           and start the sandbox anew; its image needs a shell";

/// The hint for a VM that is not there.
const GONE: &str = "the sandbox has ended: `kata-ci console --list`";

/// The hint for a kernel without vsock.
const NO_VSOCK: &str = "`kata-ci doctor --for run` says which options of the kernel are missing";

impl Address {
    /// Parses `vsock://CID:1024` or `hvsock://PATH:1024`.
    pub fn parse(url: &str) -> Option<Self> {
        let url = url.trim().trim_matches('"');
        let (address, _) = url
            .rsplit_once(':')
            .filter(|(_, port)| port.parse::<u32>().is_ok())?;
        match address.split_once("://")? {
            ("vsock", cid) => Some(Self::Vsock(cid.parse().ok()?)),
            ("hvsock", path) if path.starts_with('/') => Some(Self::Hybrid(path.into())),
            _ => None,
        }
    }

    /// Asks a shim.
    ///
    /// # Errors
    /// When the shim is gone, does not answer, or says something else.
    pub fn ask(monitor: &Path) -> Result<Self, CommandError> {
        let failed = |error: &dyn std::fmt::Display| {
            CommandError::unavailable(format!("{}: {error}", monitor.display()))
                .hint("the sandbox has ended, or its shim hangs: `kata-ci console --list`")
        };
        let answer = get(monitor).map_err(|error| failed(&error))?;
        let url = body(&answer).map_err(|error| failed(&error))?;
        Self::parse(&url).ok_or_else(|| {
            let url = crate::text::one_line(&url, 200);
            failed(&format!(
                "the agent's address `{url}` is of no known kind (vsock, hvsock)"
            ))
        })
    }

    /// Connects to a port of the guest.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(&self, port: u32) -> Result<OwnedFd, CommandError> {
        let connected = match self {
            Self::Vsock(cid) => connect::vsock(*cid, port, PATIENCE),
            Self::Hybrid(path) => hybrid(path, port),
        };
        connected.map_err(|error| {
            let (what, hint) = explained(&error);
            let message = format!("the debug console at {self} port {port}: {what}");
            CommandError::unavailable(message).hint(hint)
        })
    }
}

/// Returns the meaning of an error, and the way out.
fn explained(error: &io::Error) -> (String, &'static str) {
    use rustix::io::Errno;
    let is = |one: Errno| error.raw_os_error() == Some(one.raw_os_error());
    if is(Errno::NODEV) {
        return ("no VM here has this number".to_owned(), GONE);
    }
    if is(Errno::AFNOSUPPORT) {
        return ("this kernel has no vsock".to_owned(), NO_VSOCK);
    }
    match error.kind() {
        io::ErrorKind::TimedOut => {
            let what = format!("no answer within {} s", PATIENCE.as_secs());
            (what, NOT_ENABLED)
        }
        // A guest refuses a port of its vsock so.
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            ("nobody listens there".to_owned(), NOT_ENABLED)
        }
        io::ErrorKind::ConnectionRefused => ("the VM is gone".to_owned(), GONE),
        _ => (error.to_string(), NOT_ENABLED),
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Vsock(cid) => write!(formatter, "vsock://{cid}"),
            Self::Hybrid(path) => write!(formatter, "hvsock://{}", path.display()),
        }
    }
}

/// Sends `GET /agent-url`, and returns the whole answer.
fn get(monitor: &Path) -> io::Result<Vec<u8>> {
    let until = Instant::now() + PATIENCE;
    let stream = connect::unix(monitor)?;
    let request = b"GET /agent-url HTTP/1.0\r\nHost: shim\r\nConnection: close\r\n\r\n";
    connect::write_all(&stream, request, until)?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while answer.len() < ANSWER && !is_whole(&answer) {
        match connect::read(&stream, &mut buffer, until)? {
            0 => break,
            length => answer.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(answer)
}

/// Returns true if an answer has all bytes that its header promises. Some servers keep the
/// connection.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    length(head).is_some_and(|length| body.len() >= length)
}

fn length(head: &str) -> Option<usize> {
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let (_, length) = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    length.trim().parse().ok()
}

/// Returns the body of an answer of HTTP.
fn body(answer: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").ok_or("its answer is no HTTP")?;
    let status = head.lines().next().unwrap_or_default();
    let code = status.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with("HTTP/1.") || code != "200" {
        return Err(format!(
            "it answers `{}`",
            crate::text::one_line(status, 100)
        ));
    }
    let is_chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    match is_chunked {
        true => Ok(body.lines().skip(1).step_by(2).collect()),
        false => Ok(body.to_owned()),
    }
}

/// Connects through a hybrid vsock: `CONNECT PORT`, which it answers with `OK HOSTPORT`.
fn hybrid(path: &Path, port: u32) -> io::Result<OwnedFd> {
    let until = Instant::now() + PATIENCE;
    let stream = connect::unix(path)?;
    connect::write_all(&stream, format!("CONNECT {port}\n").as_bytes(), until)?;
    // Byte by byte, since what follows the line is the shell's.
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        if connect::read(&stream, &mut byte, until)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match byte[0] {
            b'\n' => break,
            _ if line.len() == LINE => break,
            other => line.push(other),
        }
    }
    match line.strip_prefix(b"OK ") {
        Some(_) => Ok(stream),
        None => {
            let line = crate::text::one_line(&String::from_utf8_lossy(&line), LINE);
            Err(io::Error::other(format!(
                "it answers `{line}` in place of `OK PORT`"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_of_agents_are_read() {
        assert_eq!(Address::parse("vsock://3:1024"), Some(Address::Vsock(3)));
        let path = "/run/vc/vm/a:b/clh.sock";
        assert_eq!(
            Address::parse(&format!("hvsock://{path}:1024\n")),
            Some(Address::Hybrid(path.into()))
        );
        for url in [
            "",
            "vsock://x:1024",
            "unix:///run/a",
            "hvsock://a:1",
            "vsock://3",
        ] {
            assert_eq!(Address::parse(url), None, "{url}");
        }
    }

    #[test]
    fn errors_of_a_vsock_have_a_meaning() {
        use rustix::io::Errno;
        for (error, what, hint) in [
            (Errno::NODEV, "no VM here has this number", GONE),
            (Errno::CONNRESET, "nobody listens there", NOT_ENABLED),
            (Errno::TIMEDOUT, "no answer within 5 s", NOT_ENABLED),
            (Errno::AFNOSUPPORT, "this kernel has no vsock", NO_VSOCK),
            (Errno::CONNREFUSED, "the VM is gone", GONE),
        ] {
            let error = io::Error::from_raw_os_error(error.raw_os_error());
            assert_eq!(explained(&error), (what.to_owned(), hint));
        }
    }

    #[test]
    fn answers_of_shims_are_read() {
        let body = |text: &str| body(text.as_bytes());
        assert_eq!(
            body("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx").unwrap(),
            "x"
        );
        assert_eq!(
            body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
                .unwrap(),
            "ab"
        );
        assert!(
            body("HTTP/1.1 404 Not Found\r\n\r\n")
                .unwrap_err()
                .contains("404")
        );
        assert!(body("SSH-2.0").is_err());
        assert!(
            is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx") && !is_whole(b"HTTP/1.1")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn any_answer_is_read_or_refused(at in 0usize..64, byte in any::<u8>(), tail in prop::collection::vec(any::<u8>(), 0..20)) {
            let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nvsock://3:1024".to_vec();
            let length = answer.len();
            answer[at % length] = byte;
            answer.extend(tail);
            let _ = (is_whole(&answer), body(&answer).map(|url| Address::parse(&url)));
        }
    }
}
