//! Shared helpers of the stories: kata-ci as its users start it, and workspaces.

pub mod browser;
pub mod dlv;
pub mod docker;
pub mod engines;
pub mod exec;
pub mod gerrit;
pub mod hook_managers;
pub mod host;
pub mod isolation;
pub mod processes;
pub mod proxy;
pub mod tmux;
pub mod workspace;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, SigHandler, Signal};
use serde_json::Value;
use tempfile::TempDir;

/// Time limit of a run, after which it counts as hung.
const PATIENCE: Duration = Duration::from_secs(240);

/// A call of `kata-ci run` in a clean environment: no configuration, no state, no `CI`.
pub struct KataCi {
    command: Command,
    home: TempDir,
    reports: PathBuf,
}

/// The results of a call.
pub struct Finished {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub seconds: f64,
    pub reports: PathBuf,
    _home: TempDir,
}

/// Returns `kata-ci run -C DIRECTORY` with a report directory of its own.
pub fn run_in(directory: &Path) -> KataCi {
    let run = KataCi::bare();
    let reports = run.reports.clone();
    run.args(["run", "-C"])
        .args([directory])
        .args(["--report-dir"])
        .args([reports])
}

impl KataCi {
    /// Returns the program without arguments.
    pub fn bare() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kata-ci"));
        command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "GOCACHE",
            "GOPROXY",
            "GOFLAGS",
        ] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("XDG_STATE_HOME", home.path().join("state"));
        command.env("XDG_CONFIG_HOME", home.path().join("config"));
        let reports = home.path().join("reports");
        Self {
            command,
            home,
            reports,
        }
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it by another program, which gets kata-ci and its arguments as its last arguments.
    /// `binary` is a copy of kata-ci that the user of that program can read.
    pub fn through<S: AsRef<OsStr>>(mut self, words: &[S], binary: &Path) -> Self {
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .arg(binary)
            .args(self.command.get_args());
        command.env_clear();
        for (name, value) in self.command.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.command = command;
        self
    }

    /// Sets the report directory that the arguments name.
    pub fn reports_in(mut self, directory: &Path) -> Self {
        self.reports = directory.to_owned();
        self
    }

    /// Adds a file of the user's configuration, relative to `$XDG_CONFIG_HOME`.
    pub fn config(self, name: &str, text: &str) -> Self {
        let path = self.home.path().join("config").join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
        self
    }

    /// Starts it and returns at once.
    pub fn start(mut self) -> Started {
        static ONCE: Once = Once::new();
        ONCE.call_once(heed_signals);
        let started = Instant::now();
        let child = self.command.spawn().expect("kata-ci starts");
        Started {
            child,
            home: self.home,
            reports: self.reports,
            started,
        }
    }

    /// Runs it to its end.
    pub fn finish(self) -> Finished {
        self.start().finish()
    }
}

/// Restores SIGINT. A CI system may ignore it, as a shell's `&` does; children inherit that, and
/// kata-ci respects it.
fn heed_signals() {
    for signal in [Signal::SIGINT, Signal::SIGHUP] {
        // SAFETY: no handler is installed, and no test wants the signal ignored.
        unsafe { signal::signal(signal, SigHandler::SigDfl) }.expect("a signal that can be set");
    }
}

/// Returns a random number from 0 to 1.
pub fn chance() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    (random >> 11) as f64 / (1u64 << 53) as f64
}

/// Starts a program and kills it after this time. Returns false if it has ended before.
pub fn kill_after(moment: Duration, command: &mut Command) -> bool {
    let mut child = command.spawn().expect("it starts");
    let deadline = Instant::now() + moment;
    while Instant::now() < deadline && child.try_wait().expect("it is ours").is_none() {
        std::thread::yield_now();
    }
    let _ = child.kill();
    let status = child.wait().expect("it is ours");
    status.code().is_none()
}

/// A running call.
pub struct Started {
    pub child: Child,
    pub reports: PathBuf,
    home: TempDir,
    started: Instant,
}

impl Started {
    /// Waits until a line of the journal holds the text.
    pub fn wait_for_event(&self, text: &str) {
        let journal = self.reports.join("events.jsonl");
        until(&format!("an event with {text}"), || {
            std::fs::read_to_string(&journal).is_ok_and(|events| events.contains(text))
        });
    }

    /// Waits until the log of a job holds the text.
    pub fn wait_for_log(&self, job: &str, text: &str) {
        let log = self.reports.join(format!("logs/{job}.log"));
        until(&format!("{text} in the log of {job}"), || {
            std::fs::read_to_string(&log).is_ok_and(|printed| printed.contains(text))
        });
    }

    /// Sends a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = nix::unistd::Pid::from_raw(self.child.id() as i32);
        nix::sys::signal::kill(id, signal).expect("it is there");
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Finished {
        let stdout = read_aside(self.child.stdout.take());
        let stderr = read_aside(self.child.stderr.take());
        let deadline = self.started + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("waited") {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    self.child.kill().expect("killed");
                    panic!("kata-ci hung; {}", stderr.join().unwrap_or_default());
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let seconds = self.started.elapsed().as_secs_f64();
        use std::os::unix::process::ExitStatusExt;
        Finished {
            code: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            stdout: stdout.join().expect("read"),
            stderr: stderr.join().expect("read"),
            seconds,
            reports: self.reports,
            _home: self.home,
        }
    }
}

fn read_aside(
    pipe: Option<impl std::io::Read + Send + 'static>,
) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.expect("piped").read_to_end(&mut bytes).expect("read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Polls until a condition holds; fails the test after a time limit.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(180);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Finished {
    /// Expects an exit code, and prints the output of any other.
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Returns result.json.
    pub fn result(&self) -> Value {
        let text = std::fs::read_to_string(self.reports.join("result.json")).expect("result.json");
        serde_json::from_str(&text).expect("result.json is JSON")
    }

    /// Returns a job of result.json.
    pub fn job(&self, id: &str) -> Value {
        let result = self.result();
        let jobs = result["jobs"].as_array().expect("jobs");
        jobs.iter()
            .find(|job| job["id"] == id)
            .unwrap_or_else(|| panic!("no job {id} in {result:#}"))
            .clone()
    }

    /// Returns the outcome of a job.
    pub fn outcome(&self, id: &str) -> String {
        self.job(id)["outcome"]
            .as_str()
            .expect("outcome")
            .to_owned()
    }

    /// Returns the cases of a job by status, without zero counts.
    pub fn cases(&self, id: &str) -> BTreeMap<String, u64> {
        let job = self.job(id);
        let cases = job["cases"].as_object().expect("cases");
        cases
            .iter()
            .filter_map(|(status, count)| {
                Some((status.clone(), count.as_u64().filter(|n| *n > 0)?))
            })
            .collect()
    }

    /// Returns junit.xml.
    pub fn junit(&self) -> String {
        std::fs::read_to_string(self.reports.join("junit.xml")).expect("junit.xml")
    }

    /// Returns the log of a job.
    pub fn log(&self, id: &str) -> String {
        let bytes = std::fs::read(self.reports.join(format!("logs/{id}.log"))).expect("the log");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Returns the output on both streams.
    pub fn printed(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}
