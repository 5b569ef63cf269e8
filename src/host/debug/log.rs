//! The log of a debugged runtime: the system's, with the tag `swapper`. Standard output and error
//! belong to the runtime.

use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// The socket of the system's log.
const SOCKET: &str = "/dev/log";
/// A message of a user's program, for information.
const PRIORITY: u8 = (1 << 3) | 6;

/// The log.
#[derive(Debug)]
pub(super) struct Log {
    socket: PathBuf,
    /// The file that takes the lines where there is no system's log.
    file: PathBuf,
}

impl Log {
    pub(super) fn of(socket: Option<&Path>, run_dir: &Path) -> Self {
        Self {
            socket: socket.unwrap_or(Path::new(SOCKET)).to_owned(),
            file: run_dir.join("swapper.log"),
        }
    }

    /// Writes a line. One that cannot be written is lost: the runtime goes on.
    pub(super) fn say(&self, words: impl std::fmt::Display) {
        let words = words.to_string().replace('\n', " ");
        let line = format!("swapper[{}]: {words}", std::process::id());
        if self.sent(&format!("<{PRIORITY}>{line}")).is_none() {
            let mut options = std::fs::OpenOptions::new();
            if let Ok(mut file) = options.append(true).create(true).open(&self.file) {
                let _ = writeln!(file, "{line}");
            }
        }
    }

    fn sent(&self, line: &str) -> Option<()> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_nonblocking(true).ok()?;
        socket
            .send_to(line.as_bytes(), &self.socket)
            .ok()
            .map(|_| ())
    }
}
