//! Hosts with docker: made-up ones, below a directory, and real daemons with directories and a
//! socket of their own.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

pub use super::host::is_root;
use super::host::{skip, skip_unless};
use super::{Finished, KataCi, until};

/// The daemon and the client of Debian's docker.io.
pub const DEBIAN: [&str; 2] = ["/usr/sbin/dockerd", "/usr/bin/docker"];

/// The name of today's daemon, which is built from its sources.
pub const TODAYS: &str = "dockerd";

/// Returns a program that the tests have for themselves (`target/host`), or else of this path.
/// `None` if it is not installed: the test then reports that and ends.
pub fn program(name: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/host")
        .join(name);
    let found = [own, PathBuf::from(name)]
        .into_iter()
        .find(|path| path.is_file());
    match (&found, name) {
        (Some(_), _) => {}
        (None, TODAYS) => skip_unless(
            "KATACI_TEST_REQUIRE_TODAYS_DOCKER",
            "no docker of today: scripts/setup host",
        ),
        (None, _) => skip(&format!("no {name}: scripts/setup tests")),
    }
    found
}

/// The root directory of a made-up host.
pub struct Host(pub TempDir);

impl Host {
    /// Makes an empty host.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    /// Makes a host with Debian's unit of docker and a docker of this version.
    pub fn with_docker(version: &str) -> Self {
        let host = Self::new();
        host.put("lib/systemd/system/docker.service", UNIT);
        host.put(
            "var/lib/dpkg/status",
            format!(
                "Package: docker-ce\nStatus: install ok installed\nVersion: 5:{version}-1~debian\n"
            ),
        );
        host.program("usr/sbin/dockerd", "#!/bin/sh\n");
        host
    }

    /// Adds the `kata-runtime` of kata 1.
    pub fn kata_1(self) -> Self {
        self.program(
            "usr/bin/kata-runtime",
            "github.com/kata-containers/runtime/cli",
        );
        self
    }

    /// Adds the helper and the shim of kata 2 or later.
    pub fn kata(self, version: &str, language: &str) -> Self {
        let helper = "github.com/kata-containers/kata-containers/src/runtime/cmd/kata-runtime";
        self.program("opt/kata/bin/kata-runtime", helper);
        let shim = format!("Kata Containers containerd shim ({language}): id");
        self.program("opt/kata/bin/containerd-shim-kata-v2", &shim);
        self.put("opt/kata/VERSION", version);
        self
    }

    /// Returns the path from here of a path on the host.
    pub fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    /// Writes a file.
    pub fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// Writes a program.
    pub fn program(&self, path: &str, text: &str) {
        self.put(path, text);
        fs::set_permissions(self.path(path), Permissions::from_mode(0o755)).expect("set");
    }

    /// Reads a file.
    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Runs kata-ci for this host.
    pub fn kata_ci(&self, words: &[&str]) -> Finished {
        let root = self.0.path().to_str().expect("a path of letters");
        KataCi::bare().args(words).args(["--root", root]).finish()
    }
}

/// The unit of Debian's docker.io, in short.
pub const UNIT: &str = "[Unit]\nDescription=Docker Application Container Engine\nAfter=network-online.target\n\n[Service]\nType=notify\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS\nExecReload=/bin/kill -s HUP $MAINPID\n";

/// A real daemon, which ends with the test.
pub struct Daemon {
    directory: TempDir,
    child: Child,
    client: PathBuf,
}

impl Daemon {
    /// Starts a daemon with this `daemon.json` and further flags. When it does not start, returns
    /// its log.
    pub fn start(program: &Path, daemon_json: &str, flags: &[&str]) -> Result<Self, String> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        fs::write(at("daemon.json"), daemon_json).expect("written");
        let log = File::create(at("log")).expect("made");
        let child = Command::new(program)
            .arg("--config-file")
            .arg(at("daemon.json"))
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("--host")
            .arg(format!("unix://{}", at("socket").display()))
            .args(["--iptables=false", "--bridge=none", "--ip-forward=false"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("dockerd starts");
        let mut daemon = Self {
            directory,
            child,
            client: DEBIAN[1].into(),
        };
        let mut is_up = false;
        until("docker to start or to end", || {
            is_up = daemon.docker(&["version"]).status.success();
            is_up || daemon.child.try_wait().expect("waited").is_some()
        });
        match is_up {
            true => Ok(daemon),
            false => Err(daemon.log()),
        }
    }

    /// Returns the path of its `daemon.json`.
    pub fn daemon_json(&self) -> PathBuf {
        self.directory.path().join("daemon.json")
    }

    /// Returns its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Has it read `daemon.json` again.
    pub fn reload(&self) {
        let before = self
            .log()
            .matches("Got signal to reload configuration")
            .count();
        let id = nix::unistd::Pid::from_raw(self.child.id() as i32);
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGHUP).expect("it is there");
        until("the reload", || {
            let log = self.log();
            let is_heard = log.matches("Got signal to reload configuration").count() > before;
            is_heard && (log.contains("Reloaded configuration") || log.contains("level=error"))
        });
    }

    /// Returns a command of the client.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        command
            .arg("--host")
            .arg(format!(
                "unix://{}",
                self.directory.path().join("socket").display()
            ))
            .args(words)
            .env_remove("DOCKER_HOST")
            .env("DOCKER_CONFIG", self.directory.path());
        command
    }

    /// Runs the client.
    pub fn docker(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("docker starts")
    }

    /// Imports an image `box` with busybox.
    pub fn import_busybox(&self) {
        let root = self.directory.path().join("box");
        fs::create_dir_all(root.join("bin")).expect("made");
        fs::copy("/usr/bin/busybox", root.join("bin/busybox")).expect("busybox-static");
        for name in ["sh", "echo", "sleep", "true"] {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(name)).expect("linked");
        }
        let archive = self.directory.path().join("box.tar");
        let tar = Command::new("tar")
            .arg("-C")
            .arg(&root)
            .arg("-cf")
            .arg(&archive)
            .arg(".")
            .status();
        assert!(tar.expect("tar").success());
        let imported = self.docker(&["import", archive.to_str().expect("letters"), "box"]);
        assert!(imported.status.success(), "{imported:?}");
    }

    /// Returns the words that run a command of `box`, as far as sandboxes of CI systems allow.
    pub fn run<'a>(runtime: &'a str, command: &[&'a str]) -> Vec<&'a str> {
        let mut words = vec![
            "run",
            "--rm",
            "--network",
            "none",
            "--security-opt",
            "seccomp=unconfined",
        ];
        words.extend(["--ulimit", "nofile=1024:1024", "--runtime", runtime, "box"]);
        words.extend(command);
        words
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.child.id() as i32);
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let own = self.directory.path().to_string_lossy().into_owned();
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for point in points.filter(|point| point.starts_with(&own)) {
            let _ = rustix::mount::unmount(point, rustix::mount::UnmountFlags::DETACH);
        }
    }
}
