//! A real proxy on loopback (tinyproxy) with a log, and a web server.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::until;

/// User and password of the proxy, as in a URL.
pub const CREDENTIALS: &str = "ada:s3cret-pass";

/// The running proxy, which ends with the test.
pub struct Proxy {
    child: Child,
    directory: tempfile::TempDir,
    port: u16,
}

impl Proxy {
    /// Starts a proxy that requires [`CREDENTIALS`].
    pub fn start() -> Self {
        // Another test may take the free port meanwhile.
        (0..10)
            .find_map(|_| Self::attempt())
            .expect("tinyproxy starts: scripts/setup installs it")
    }

    fn attempt() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        let (user, password) = CREDENTIALS.split_once(':').expect("two words");
        let log = directory.path().join("log");
        let configuration = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nLogFile \"{}\"\nLogLevel Connect\nBasicAuth {user} {password}\n",
            log.display()
        );
        let file = directory.path().join("configuration");
        std::fs::write(&file, configuration).expect("written");
        let child = Command::new("tinyproxy")
            .args(["-d", "-c"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tinyproxy: scripts/setup installs it");
        let mut proxy = Self {
            child,
            directory,
            port,
        };
        let mut up = false;
        until("the proxy to start or to end", || {
            up = std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
            up || proxy.child.try_wait().expect("waited").is_some()
        });
        // Another server may have answered.
        let runs = proxy.child.try_wait().expect("waited").is_none();
        (up && runs).then_some(proxy)
    }

    /// Returns its URL, with user and password.
    pub fn url(&self) -> String {
        format!("http://{CREDENTIALS}@127.0.0.1:{}", self.port)
    }

    /// Returns every request, one on each line.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log"))
            .unwrap_or_default()
            .lines()
            .filter(|line| line.contains("Request"))
            .map(|line| format!("{line}\n"))
            .collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a free port of loopback.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// A web server on loopback for a directory, which ends with the test.
pub struct Files {
    child: Child,
    /// The port.
    pub port: u16,
}

impl Files {
    /// Serves the directory.
    pub fn serve(directory: &Path) -> Self {
        let mut child = Command::new("python3")
            .args([
                "-u",
                "-m",
                "http.server",
                "0",
                "--bind",
                "127.0.0.1",
                "--directory",
            ])
            .arg(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        let output = child.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("read");
        // Serving HTTP on 127.0.0.1 port 43521 (http://127.0.0.1:43521/) ...
        let port = line
            .split_whitespace()
            .skip_while(|word| *word != "port")
            .nth(1);
        Self {
            port: port.and_then(|port| port.parse().ok()).expect("a port"),
            child,
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
