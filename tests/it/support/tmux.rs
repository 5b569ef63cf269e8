//! A terminal of a given size, which tmux shows: what is typed into it, and what stands on its
//! screen.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The longest time that anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal with a program in it. It ends with this value.
pub struct Tmux {
    place: TempDir,
}

impl Tmux {
    /// Starts a program in a terminal of this size; `None` where there is no tmux, which is said.
    pub fn start(columns: usize, rows: usize, directory: &Path, words: &[&str]) -> Option<Self> {
        let place = tempfile::tempdir().expect("a temporary directory");
        let tmux = Self { place };
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("skipped: there is no tmux");
            return None;
        }
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let own = Path::new(env!("CARGO_BIN_EXE_kata-ci"))
            .parent()
            .expect("a parent");
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("PATH={}:{path}", own.display());
        let home = format!("HOME={}", tmux.place.path().display());
        let state = format!("XDG_STATE_HOME={}", tmux.place.path().display());
        let size = ["-x", &columns, "-y", &rows, "-c"];
        let mut command = tmux.command(&["new-session", "-d"]);
        command
            .args(size)
            .arg(directory)
            .arg("env")
            .args(["-u", "CI", &path, &home, &state]);
        let started = command.args(words).status().expect("tmux runs");
        assert!(started.success());
        Some(tmux)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        let configuration = ["-f", "/dev/null", "-S"];
        command.args(configuration).arg(self.socket()).args(words);
        command.env("LC_ALL", "C.UTF-8").env_remove("TMUX");
        command
    }

    fn socket(&self) -> PathBuf {
        self.place.path().join("socket")
    }

    /// Types keys, in tmux's words: `Tab`, `Enter`, `C-c`, or text.
    pub fn keys(&self, keys: &[&str]) {
        let done = self.command(&["send-keys"]).args(keys).status();
        assert!(done.expect("tmux runs").success());
    }

    /// Changes the number of columns.
    pub fn resize(&self, columns: usize) {
        let columns = columns.to_string();
        let done = self.command(&["resize-window", "-x", &columns]).status();
        assert!(done.expect("tmux runs").success());
    }

    /// Returns the screen with everything that has scrolled off.
    pub fn screen(&self) -> String {
        let words = ["capture-pane", "-p", "-S", "-2000"];
        let output = self.command(&words).output().expect("tmux runs");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Waits until the screen has a text, and returns it.
    pub fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if screen.contains(text) {
                return screen;
            }
            assert!(Instant::now() < deadline, "no `{text}` on:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).output();
    }
}
