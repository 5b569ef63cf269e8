//! Engines that the stories start, and the programs that check files for engines.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use super::host::skip_unless;

/// Returns a file below `target/engines`, or `None` if it is not there; the test then ends.
pub fn checker(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/engines")
        .join(name);
    found(path, name)
}

fn found(path: PathBuf, name: &str) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    skip_unless(
        "KATACI_TEST_REQUIRE_ENGINES",
        &format!("no {name}: scripts/setup tests"),
    );
    None
}

/// A Slurm with two nodes, w1 and w2. It ends with this value, and with the process.
pub struct Slurm {
    child: Child,
    said: BufReader<ChildStdout>,
    place: TempDir,
}

impl Slurm {
    /// Starts it; `None` if it is not installed: the test then reports that and ends.
    pub fn start() -> Option<Self> {
        for name in ["slurmctld", "slurmd", "munged"] {
            found(Path::new("/usr/sbin").join(name), name)?;
        }
        // Sockets have short paths.
        let place = tempfile::Builder::new()
            .prefix("kata-ci-slurm-")
            .tempdir()
            .expect("a directory");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/slurm/slurm-up");
        let mut child = Command::new(script)
            .arg(place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("slurm-up starts");
        let said = BufReader::new(child.stdout.take().expect("piped"));
        let mut slurm = Self { child, said, place };
        slurm.wait_for("up");
        Some(slurm)
    }

    /// Returns the path of its configuration, for `SLURM_CONF`.
    pub fn configuration(&self) -> PathBuf {
        self.place.path().join("slurm.conf")
    }

    /// Kills the daemon of a node, and everything that it runs.
    pub fn lose(&mut self, node: &str) {
        self.order("lose", node);
    }

    /// Starts the daemon of a node again.
    pub fn bring_back(&mut self, node: &str) {
        self.order("back", node);
    }

    fn order(&mut self, what: &str, node: &str) {
        let orders = self.child.stdin.as_mut().expect("piped");
        writeln!(orders, "{what} {node}").expect("it listens");
        self.wait_for("done");
    }

    fn wait_for(&mut self, word: &str) {
        let mut line = String::new();
        while line.trim_end() != word {
            line.clear();
            let read = self.said.read_line(&mut line).expect("it speaks");
            assert!(read > 0, "slurm-up ended; see {}", self.logs());
        }
    }

    fn logs(&self) -> String {
        let log = |name: &str| fs::read_to_string(self.place.path().join(name)).unwrap_or_default();
        ["slurmctld.log", "w1.log", "munged.out"]
            .map(log)
            .join("\n")
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
