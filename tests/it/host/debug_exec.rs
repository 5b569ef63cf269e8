//! A real dlv on a real runc, through the swapper.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::dlv::Client;
use crate::support::docker::{DEBIAN, Daemon, Host, is_root, program};
use crate::support::proxy::free_port;
use crate::support::until;

/// A runtime with its swapper, and a bundle with busybox.
struct Story {
    host: Host,
    swapper: PathBuf,
    listen: String,
    log: UnixDatagram,
}

impl Story {
    /// Enables debugging of runc. `None` if something is not installed.
    fn of_runc(more: &[&str]) -> Option<Self> {
        let runc = program("runc").filter(|_| is_root())?;
        Self::of(&runc, &format!("127.0.0.1:{}", free_port()), more)
    }

    fn of(runtime: &Path, listen: &str, more: &[&str]) -> Option<Self> {
        let dlv = program("dlv")?;
        let host = Host::new();
        // The same paths in the root and out of it: the swapper is made there, and runs here.
        let inside = |path: &Path| path.display().to_string();
        for path in [runtime, &dlv] {
            let there = host.path(&inside(path));
            fs::create_dir_all(there.parent().unwrap()).unwrap();
            fs::copy(path, there).unwrap();
        }
        let (run_dir, socket) = (host.path("run-dir"), host.path("log.sock"));
        let log = UnixDatagram::bind(&socket).unwrap();
        log.set_nonblocking(true).unwrap();
        let (run_dir, socket) = (inside(&run_dir), inside(&socket));
        let (runtime, dlv) = (inside(runtime), inside(&dlv));
        let words = [
            "debug",
            "enable",
            &runtime,
            "--dlv",
            &dlv,
            "--listen",
            listen,
            "--swapper",
            "/swapper",
            "--run-dir",
            &run_dir,
            "--log-socket",
            &socket,
        ];
        host.kata_ci(&[&words[..], more].concat()).expect_code(0);
        let swapper = host.path("swapper");
        let listen = listen.to_owned();
        Some(Self {
            host,
            swapper,
            listen,
            log,
        })
    }

    /// Makes a bundle for `runc create`.
    fn bundle(&self) -> PathBuf {
        let bundle = self.host.path("bundle");
        fs::create_dir_all(bundle.join("rootfs/bin")).unwrap();
        fs::copy("/usr/bin/busybox", bundle.join("rootfs/bin/sh")).expect("busybox-static");
        let made = Command::new(program("runc").unwrap())
            .arg("spec")
            .current_dir(&bundle)
            .status();
        assert!(made.unwrap().success());
        let text = fs::read_to_string(bundle.join("config.json")).unwrap();
        let mut config: Value = serde_json::from_str(&text).unwrap();
        config["process"]["terminal"] = json!(false);
        config["process"]["args"] = json!(["/bin/sh", "-c", "exit 0"]);
        config["process"]["rlimits"] = json!([]);
        fs::write(bundle.join("config.json"), config.to_string()).unwrap();
        bundle
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.swapper);
        command
            .arg("--root")
            .arg(self.host.path("state"))
            .args(words);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn start(&self, words: &[&str]) -> Child {
        self.command(words).spawn().unwrap()
    }

    /// Starts `runc create`, whose container keeps its output.
    fn create(&self, id: &str) -> Child {
        let bundle = self.bundle();
        let mut command = self.command(&["create", "--bundle", bundle.to_str().unwrap(), id]);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn client(&self) -> Client {
        Client::connect(&self.listen)
    }

    /// Waits for a line of the log, which holds the text.
    fn expect_log(&self, text: &str) {
        let mut lines = Vec::new();
        until(&format!("`{text}` in the log"), || {
            let mut bytes = [0; 4096];
            while let Ok(length) = self.log.recv(&mut bytes) {
                lines.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            }
            lines.iter().any(|line| line.contains(text))
        });
        assert!(
            lines.iter().all(|line| line.starts_with("<14>swapper[")),
            "{lines:?}"
        );
    }

    /// Waits until nothing is debugged any more.
    fn expect_free(&self) {
        until("the port and the lock to be free", || {
            let lock = fs::File::open(self.host.path("run-dir/debug.lock")).unwrap();
            let is_free = Flock::lock(lock, FlockArg::LockExclusiveNonblock).is_ok();
            is_free && std::net::TcpListener::bind(&self.listen).is_ok()
        });
    }

    /// Waits until dlv listens, without being its client.
    fn expect_dlv(&self) {
        until("dlv to listen", || {
            let log = fs::read_to_string(self.host.path("run-dir/dlv.log")).unwrap_or_default();
            log.contains("API server listening")
                && std::net::TcpListener::bind(&self.listen).is_err()
        });
    }
}

#[test]
fn a_breakpoint_in_create_is_hit_and_the_container_is_made() {
    let Some(story) = Story::of_runc(&[]) else {
        return;
    };
    let mut create = story.create("one");
    let mut client = story.client();
    story.expect_log("waiting for a client: `--root");
    assert_eq!(client.run_to("main.startContainer"), "main.startContainer");
    assert_eq!(client.run_to_the_end(), 0);
    drop(client);
    assert!(create.wait().unwrap().success());
    // Other subcommands run at once, and nothing but their answer is on standard output.
    let state = story.run(&["state", "one"]);
    let state: Value = serde_json::from_slice(&state.stdout).expect("JSON and nothing else");
    assert_eq!(state["status"], "created");
    assert!(story.run(&["start", "one"]).status.success());
    until("the container to end", || {
        let state = story.run(&["state", "one"]);
        serde_json::from_slice::<Value>(&state.stdout).unwrap()["status"] == "stopped"
    });
    assert!(story.run(&["delete", "one"]).status.success());
    let none = story.run(&["state", "one"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).contains("does not exist"));
    story.expect_free();
}

#[test]
fn the_exit_code_of_a_failing_create_is_kept() {
    let Some(story) = Story::of_runc(&[]) else {
        return;
    };
    let create = story.start(&["create", "--bundle", "/nonexistent/bundle", "two"]);
    let mut client = story.client();
    assert_eq!(client.run_to_the_end(), 1);
    drop(client);
    let ended = create.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.stdout, b"");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("/nonexistent/bundle"));
}

#[test]
fn a_client_that_leaves_lets_the_runtime_run_on() {
    let Some(story) = Story::of_runc(&[]) else {
        return;
    };
    for detaches in [true, false] {
        let create = story.start(&["create", "--bundle", "/nonexistent/bundle", "x"]);
        let mut client = story.client();
        client.run_to("main.startContainer");
        match detaches {
            true => client.detach(),
            false => drop(client),
        }
        let ended = create.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        story.expect_free();
    }
}

#[test]
fn a_second_create_runs_without_a_debugger() {
    let Some(story) = Story::of_runc(&[]) else {
        return;
    };
    let first = story.start(&["create", "--bundle", "/nonexistent/bundle", "first"]);
    let mut client = story.client();
    client.run_to("main.startContainer");
    let second = story.run(&["create", "--bundle", "/nonexistent/bundle", "second"]);
    assert_eq!(second.status.code(), Some(1));
    story.expect_log("second` runs without a debugger: another one is being debugged");
    client.detach();
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(1));
}

#[test]
fn a_runtime_that_is_killed_while_it_waits_is_gone_and_so_is_its_debugger() {
    let Some(story) = Story::of_runc(&[]) else {
        return;
    };
    let mut create = story.start(&["create", "--bundle", "/nonexistent/bundle", "killed"]);
    story.expect_dlv();
    // A connection without a word changes nothing.
    drop(std::net::TcpStream::connect(&story.listen).unwrap());
    assert_eq!(
        story.client().run_to("main.startContainer"),
        "main.startContainer"
    );
    let _ = create.wait();
    story.expect_free();
    let mut create = story.start(&["create", "--bundle", "/nonexistent/bundle", "killed"]);
    story.expect_dlv();
    // The process that was started is the runtime itself.
    kill(Pid::from_raw(create.id() as i32), Signal::SIGKILL).unwrap();
    let status = create.wait().unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(9)
    );
    story.expect_free();
}

#[test]
fn without_a_debugger_the_runtime_runs() {
    let Some(story) = Story::of_runc(&[]) else {
        return;
    };
    let taken = std::net::TcpListener::bind(&story.listen).unwrap();
    let failed = story.run(&["create", "--bundle", "/nonexistent/bundle", "taken"]);
    assert_eq!(failed.status.code(), Some(1));
    assert_eq!(failed.stdout, b"");
    story.expect_log("address already in use");
    drop(taken);
    let script = fs::read_to_string(&story.swapper).unwrap();
    let dlv = program("dlv").unwrap();
    fs::write(
        &story.swapper,
        script.replace(dlv.to_str().unwrap(), "/nonexistent/dlv"),
    )
    .unwrap();
    let failed = story.run(&["create", "--bundle", "/nonexistent/bundle", "gone"]);
    assert_eq!(failed.status.code(), Some(1));
    story.expect_log("runs without a debugger: there is no /nonexistent/dlv");
}

#[test]
fn process_arguments_and_descriptors_are_the_runtimes_own() {
    let Some(story) = Story::of_runc(&[]) else {
        return;
    };
    story.host.put("input", "");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "exec 9<\"$1\"; shift; exec \"$@\"", "sh"])
        .arg(story.host.path("input"))
        .arg(&story.swapper)
        .args(["create", "a b", "*", ""])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let runtime = shell.spawn().unwrap();
    let mut client = story.client();
    let process = PathBuf::from(format!("/proc/{}", runtime.id()));
    let command = fs::read_to_string(process.join("cmdline")).unwrap();
    assert!(command.ends_with("/runc\0create\0a b\0*\0\0"), "{command}");
    let status = fs::read_to_string(process.join("status")).unwrap();
    assert!(
        status.contains(&format!("PPid:\t{}\n", std::process::id())),
        "{status}"
    );
    let mut descriptors: Vec<_> = fs::read_dir(process.join("fd"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    descriptors.sort();
    assert_eq!(descriptors, inherited(&story.host.path("input")));
    assert_eq!(client.run_to_the_end(), 1);
    drop(client);
    let ended = runtime.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
}

/// Returns the descriptors of a program that is started as the runtime is. Those who run the tests
/// may have left some open.
fn inherited(input: &Path) -> Vec<String> {
    let listed = Command::new("sh")
        .args(["-c", "exec 9<\"$1\"; ls /proc/$$/fd", "sh"])
        .arg(input)
        .output()
        .unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let mut descriptors: Vec<_> = text.lines().map(str::to_owned).collect();
    descriptors.sort();
    assert!(descriptors.contains(&"9".to_owned()), "{descriptors:?}");
    descriptors
}

#[test]
fn a_runtime_that_is_a_script_runs_without_a_debugger() {
    let Some(dlv) = program("dlv") else {
        return;
    };
    let host = Host::new();
    let run_dir = host.path("run");
    host.program(
        "runtime",
        "#!/bin/sh\nfor word; do echo \"[$word]\"; done\necho wrong >&2\nexit 7\n",
    );
    let output = Command::new(env!("CARGO_BIN_EXE_kata-ci"))
        .args(["debug-exec", "--on", "create", "--dlv"])
        .arg(dlv)
        .arg("--run-dir")
        .arg(&run_dir)
        .arg("--log-socket")
        .arg(host.path("nothing"))
        .arg("--")
        .arg(host.path("runtime"))
        .args(["create", "a b", "*", ""])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(output.stdout, b"[create]\n[a b]\n[*]\n[]\n");
    assert_eq!(output.stderr, b"wrong\n");
    // Without a log of the system there is a file.
    let log = fs::read_to_string(run_dir.join("swapper.log")).unwrap();
    assert!(
        log.contains("`create a b * ` runs without a debugger"),
        "{log}"
    );
    assert!(log.contains("was not built by Go"), "{log}");
    assert_eq!(
        fs::metadata(&run_dir).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

#[test]
fn dlv_listens_on_a_socket_and_speaks_the_language_of_vs_code() {
    let Some(runc) = program("runc").filter(|_| is_root()) else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let listen = format!("unix:{}", place.path().join("dlv.sock").display());
    let Some(story) = Story::of(&runc, &listen, &["--on", "create,state"]) else {
        return;
    };
    let state = story.start(&["state", "none"]);
    let answer = story.client().initialize();
    assert!(
        answer.contains("supportsConfigurationDoneRequest"),
        "{answer}"
    );
    let ended = state.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
}

#[test]
fn docker_run_with_the_runtime_dlv_stops_at_a_breakpoint() {
    let (Some(dockerd), Some(story)) = (program(DEBIAN[0]), Story::of_runc(&[])) else {
        return;
    };
    let entry = fs::read_to_string(story.host.path("etc/docker/daemon.json")).unwrap();
    let entry = entry.replace("\"/swapper\"", &json!(story.swapper).to_string());
    let daemon = Daemon::start(&dockerd, &entry, &["--storage-driver", "vfs"]).expect("it starts");
    daemon.import_busybox();
    let mut run = daemon.command(&Daemon::run("dlv", &["/bin/echo", "debugged"]));
    let run = run
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut client = story.client();
    assert_eq!(client.run_to("main.startContainer"), "main.startContainer");
    assert_eq!(client.run_to_the_end(), 0);
    drop(client);
    let ended = run.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&ended.stdout),
        "debugged\n",
        "{ended:?}"
    );
    assert!(ended.status.success());
    story.expect_free();
    // A create that fails is one that docker is told of, with its words.
    let mut run = daemon.command(&Daemon::run("dlv", &["/nonexistent/command"]));
    let run = run
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(story.client().run_to_the_end(), 1);
    let ended = run.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(127), "{ended:?}");
    assert!(
        String::from_utf8_lossy(&ended.stderr).contains("no such file or directory"),
        "{ended:?}"
    );
}
