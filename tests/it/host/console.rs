//! The console of a real qemu under a terminal, and a server that speaks the debug console's
//! protocol.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::support::host::real;
use crate::support::{KataCi, until};

const ID: &str = "8f3b1c0de9a44e1c8a2b7d1e0f5c6a9b";

/// A directory in place of `/run`, with a socket's place in the directory of a sandbox.
fn run_directory(socket: &str) -> (TempDir, PathBuf) {
    let run = tempfile::tempdir().unwrap();
    let path = run.path().join(socket);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    (run, path)
}

fn console(run: &Path) -> KataCi {
    KataCi::bare().args(["console", "--run-dir"]).args([run])
}

/// A virtual machine that waits until it is told to go on.
struct Qemu {
    child: Child,
    monitor: PathBuf,
}

impl Qemu {
    /// Starts one whose serial console is this socket; `None` without qemu.
    fn start(console: &Path) -> Option<Self> {
        let program = real("qemu-system-x86_64")?;
        let monitor = console.with_extension("qmp");
        let child = Command::new(program)
            .args([
                "-m",
                "64",
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-S",
            ])
            .args([
                "-machine",
                "q35,accel=tcg,graphics=off",
                "-boot",
                "menu=on,splash-time=60000",
            ])
            .arg("-chardev")
            .arg(format!(
                "socket,id=c0,path={},server=on,wait=off",
                console.display()
            ))
            .args(["-serial", "chardev:c0", "-qmp"])
            .arg(format!("unix:{},server=on,wait=off", monitor.display()))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        until("qemu's sockets", || console.exists() && monitor.exists());
        Some(Self { child, monitor })
    }

    /// Has it boot.
    fn go_on(&self) {
        let mut monitor = UnixStream::connect(&self.monitor).unwrap();
        let mut answers = BufReader::new(monitor.try_clone().unwrap()).lines();
        for command in ["qmp_capabilities", "cont"] {
            answers.next().unwrap().unwrap();
            writeln!(monitor, "{{\"execute\":\"{command}\"}}").unwrap();
        }
        answers.next().unwrap().unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// kata-ci at a terminal of its own.
struct Terminal {
    child: Child,
    master: File,
    slave: OwnedFd,
    shown: Arc<Mutex<Vec<u8>>>,
    before: LocalFlags,
}

impl Terminal {
    fn start(arguments: &[&str]) -> Self {
        let pty = openpty(None, None).unwrap();
        let before = tcgetattr(&pty.slave).unwrap().local_flags;
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = Command::new("setsid")
            .args(["--ctty", env!("CARGO_BIN_EXE_kata-ci")])
            .args(arguments)
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let master = File::from(pty.master);
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut from, to) = (master.try_clone().unwrap(), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                to.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Self {
            child,
            master,
            slave: pty.slave,
            shown,
            before,
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    fn until_shown(&self, text: &str) {
        until(text, || self.text().contains(text));
    }

    fn type_in(&mut self, bytes: &[u8]) {
        self.master.write_all(bytes).unwrap();
    }

    fn flags(&self) -> LocalFlags {
        tcgetattr(self.slave.as_fd()).unwrap().local_flags
    }

    fn is_raw(&self) -> bool {
        !self
            .flags()
            .intersects(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    fn state(&self) -> String {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        stat.rsplit(") ").next().unwrap()[..1].to_owned()
    }

    /// Waits for its end, and expects the terminal to be as it was.
    fn end(mut self) -> (Option<i32>, String) {
        let mut code = None;
        until("the end", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        assert_eq!(self.flags(), self.before, "the terminal is not restored");
        std::thread::sleep(Duration::from_millis(20));
        (code.unwrap().code(), self.text())
    }
}

/// `socat "stdin,raw,echo=0,escape=0x11" "unix:/run/vc/vm/${sandbox-id}/console.sock"`.
#[test]
fn the_console_of_a_vm_is_read_typed_to_and_left() {
    let (run, socket) = run_directory(&format!("vc/vm/{ID}/console.sock"));
    let Some(qemu) = Qemu::start(&socket) else {
        return;
    };
    let log = run.path().join("log");
    let place = run.path().to_str().unwrap();
    let mut terminal = Terminal::start(&[
        "console",
        "--run-dir",
        place,
        "--log",
        log.to_str().unwrap(),
        &ID[..6],
    ]);
    terminal.until_shown("Ctrl-Q detaches");
    until("raw mode", || terminal.is_raw());
    qemu.go_on();
    terminal.until_shown("SeaBIOS");
    terminal.until_shown("Press ESC for boot menu");
    terminal.type_in(b"\x1b");
    terminal.until_shown("Select boot device:");
    // A second client is told so, and the first one notices nothing.
    let second = console(run.path()).args([ID]).finish().expect_code(75);
    assert!(
        second.stderr.contains("is busy") && second.seconds < 10.0,
        "{}",
        second.stderr
    );
    let list = console(run.path()).args(["--list"]).finish().expect_code(0);
    assert!(
        list.stdout.contains(ID) && list.stdout.contains("busy"),
        "{}",
        list.stdout
    );
    let before = terminal.text().len();
    terminal.type_in(b"1");
    until("an answer", || terminal.text().len() > before);
    terminal.type_in(b"\x11");
    let (code, text) = terminal.end();
    assert!(
        code == Some(0) && text.contains("detached"),
        "{code:?} {text}"
    );
    let logged = fs::read(&log).unwrap();
    assert!(String::from_utf8_lossy(&logged).contains("SeaBIOS"));
    assert_eq!(
        fs::metadata(&log).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let list = console(run.path())
        .args(["--list", "--format", "json"])
        .finish()
        .expect_code(0);
    assert!(
        list.stdout.contains("\"console\": \"alive\""),
        "{}",
        list.stdout
    );
    // It can be opened again, also by a path.
    let mut again = Terminal::start(&["console", "--escape", "^]", socket.to_str().unwrap()]);
    again.until_shown("Ctrl-] detaches");
    until("raw mode", || again.is_raw());
    again.type_in(b"\x1d");
    assert_eq!(again.end().0, Some(0));
}

#[test]
fn a_vm_that_is_killed_ends_its_console_and_leaves_it_dead() {
    let (run, socket) = run_directory(&format!("vc/vm/{ID}/console.sock"));
    let Some(mut qemu) = Qemu::start(&socket) else {
        return;
    };
    let place = run.path().to_str().unwrap();
    let terminal = Terminal::start(&["console", "--run-dir", place, ID]);
    until("raw mode", || terminal.is_raw());
    qemu.child.kill().unwrap();
    qemu.child.wait().unwrap();
    let (code, text) = terminal.end();
    assert!(
        code == Some(0) && text.contains("the VM has ended"),
        "{code:?} {text}"
    );
    let dead = console(run.path()).args([ID]).finish().expect_code(69);
    assert!(
        dead.stderr.contains("is dead: the VM is gone"),
        "{}",
        dead.stderr
    );
    let list = console(run.path()).args(["--list"]).finish().expect_code(0);
    assert!(list.stdout.contains("dead"), "{}", list.stdout);
    let file = run.path().join("file");
    fs::write(&file, "x").unwrap();
    for (path, said) in [
        (file, "is no socket"),
        (run.path().join("gone"), "No such file"),
    ] {
        let done = KataCi::bare()
            .args(["console"])
            .args([&path])
            .finish()
            .expect_code(2);
        assert!(done.stderr.contains(said), "{}", done.stderr);
    }
    let none = console(run.path())
        .args(["nothing"])
        .finish()
        .expect_code(2);
    assert!(
        none.stderr.contains("no sandbox is named `nothing`") && none.stderr.contains(ID),
        "{}",
        none.stderr
    );
}

#[test]
fn signals_restore_the_terminal_and_a_stopped_client_goes_on() {
    let (run, socket) = run_directory(&format!("kata/{ID}/root/console.sock"));
    let Some(_qemu) = Qemu::start(&socket) else {
        return;
    };
    let place = run.path().to_str().unwrap();
    for (signal, code) in [
        (Signal::SIGTERM, 143),
        (Signal::SIGHUP, 129),
        (Signal::SIGINT, 130),
    ] {
        let terminal = Terminal::start(&["console", "--run-dir", place, ID]);
        until("raw mode", || terminal.is_raw());
        terminal.signal(signal);
        assert_eq!(terminal.end().0, Some(code), "{signal}");
    }
    let mut terminal = Terminal::start(&["console", "--run-dir", place, ID]);
    until("raw mode", || terminal.is_raw());
    terminal.signal(Signal::SIGTSTP);
    until("a stop", || terminal.state() == "T");
    assert_eq!(terminal.flags(), terminal.before);
    terminal.signal(Signal::SIGCONT);
    until("raw mode", || terminal.is_raw());
    terminal.type_in(b"\x11");
    assert_eq!(terminal.end().0, Some(0));
}

#[test]
fn a_vm_that_is_stopped_and_one_that_says_nothing_are_told_apart() {
    let (run, socket) = run_directory(&format!("vc/vm/{ID}/console.sock"));
    let Some(qemu) = Qemu::start(&socket) else {
        return;
    };
    let place = run.path().to_str().unwrap();
    // It waits, so it says nothing.
    let mut terminal = Terminal::start(&["console", "--run-dir", place, ID]);
    terminal.until_shown("it says nothing");
    terminal.type_in(b"\x11");
    assert_eq!(terminal.end().0, Some(0));
    qemu.signal(Signal::SIGSTOP);
    let started = Instant::now();
    let stopped = console(run.path()).args([ID]).finish().expect_code(75);
    assert!(
        stopped.stderr.contains("does not answer"),
        "{}",
        stopped.stderr
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    qemu.signal(Signal::SIGCONT);
}

#[test]
fn a_pipe_goes_through_whole_and_has_no_escape() {
    let (run, socket) = run_directory(&format!("kata/{ID}/console.sock"));
    let listener = UnixListener::bind(&socket).unwrap();
    let server = std::thread::spawn(move || {
        let (mut guest, _) = listener.accept().unwrap();
        guest.write_all(b"login: ").unwrap();
        let mut got = [0; 6];
        guest.read_exact(&mut got).unwrap();
        guest.write_all(b"seen").unwrap();
        got
    });
    let mut child = Command::new(env!("CARGO_BIN_EXE_kata-ci"))
        .args(["console", "--run-dir", run.path().to_str().unwrap(), ID])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"ab\x11cd\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.stdout, b"login: seen");
    assert_eq!(&server.join().unwrap(), b"ab\x11cd\n");
}

/// The shim and the hybrid vsock of a sandbox: an HTTP server, and one that speaks `CONNECT`.
fn debug_console(run: &Path, answer: &'static str) {
    let place = run.join("vc/sbs").join(ID);
    let hybrid = run.join("clh.sock");
    fs::create_dir_all(&place).unwrap();
    let shim = UnixListener::bind(place.join("shim-monitor.sock")).unwrap();
    let url = format!("hvsock://{}:1024", hybrid.display());
    std::thread::spawn(move || {
        for stream in shim.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            BufReader::new(stream.try_clone().unwrap())
                .read_line(&mut request)
                .unwrap();
            let (status, body) = match request.starts_with("GET /agent-url ") {
                true => ("200 OK", url.as_str()),
                false => ("404 Not Found", "no"),
            };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    let vsock = UnixListener::bind(&hybrid).unwrap();
    std::thread::spawn(move || {
        for stream in vsock.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            // Byte by byte: the rest is the shell's.
            while !line.ends_with('\n') {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                line.push(char::from(byte[0]));
            }
            assert_eq!(line, "CONNECT 1026\n");
            stream.write_all(answer.as_bytes()).unwrap();
            if answer.starts_with("OK") {
                let end = || Stdio::from(OwnedFd::from(stream.try_clone().unwrap()));
                let mut shell = Command::new("sh")
                    .env("PS1", "# ")
                    .arg("-i")
                    .stdin(end())
                    .stdout(end())
                    .stderr(end())
                    .spawn()
                    .unwrap();
                std::thread::spawn(move || shell.wait());
            }
        }
    });
}

#[test]
fn the_debug_console_is_a_shell_in_the_guest() {
    let run = tempfile::tempdir().unwrap();
    debug_console(run.path(), "OK 1073741824\nhello\n");
    let place = run.path().to_str().unwrap();
    let mut terminal = Terminal::start(&["console", "--run-dir", place, "--debug", &ID[..8]]);
    terminal.until_shown("hello");
    assert!(!terminal.text().contains("OK 107"), "{}", terminal.text());
    terminal.type_in(b"echo $((40 + 2))\n");
    terminal.until_shown("42");
    // A second shell beside it.
    let mut second = Terminal::start(&["console", "--run-dir", place, "--debug", ID]);
    second.until_shown("hello");
    second.type_in(b"\x11");
    assert_eq!(second.end().0, Some(0));
    terminal.type_in(b"exit\n");
    let (code, text) = terminal.end();
    assert!(
        code == Some(0) && text.contains("the shell has ended"),
        "{text}"
    );
}

/// The VM has no editor, so a script is made by a here-document.
#[test]
fn a_script_is_made_in_the_guest_through_a_pipe() {
    let run = tempfile::tempdir().unwrap();
    debug_console(run.path(), "OK 1\n");
    let script = run.path().join("test1.sh");
    let text = format!(
        "cat <<EOF | tee {}\n#!/bin/bash\nwhile ((1));\n    do echo test > /dev/null;\ndone\nEOF\n",
        script.display()
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_kata-ci"))
        .args([
            "console",
            "--debug",
            "--run-dir",
            run.path().to_str().unwrap(),
            ID,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("while ((1));")
    );
    let made = fs::read_to_string(&script).unwrap();
    assert_eq!(
        made,
        "#!/bin/bash\nwhile ((1));\n    do echo test > /dev/null;\ndone\n"
    );
}

#[test]
fn a_debug_console_that_is_not_there_says_what_is_missing() {
    for (answer, said) in [
        ("", "nobody listens there"),
        ("ERR no\n", "in place of `OK PORT`"),
    ] {
        let run = tempfile::tempdir().unwrap();
        debug_console(run.path(), answer);
        let done = console(run.path())
            .args(["--debug", ID])
            .finish()
            .expect_code(69);
        assert!(
            done.stderr.contains(said) && done.stderr.contains("debug_console_enabled"),
            "{}",
            done.stderr
        );
    }
    // One that never answers, a shim that is gone, and a sandbox of kata 1.
    let place = tempfile::tempdir().unwrap();
    let silent = place.path().join("clh.sock");
    let _silent = UnixListener::bind(&silent).unwrap();
    let done = KataCi::bare()
        .args(["console", "--debug"])
        .args([&silent])
        .finish()
        .expect_code(69);
    assert!(
        done.stderr.contains("no answer within 5 s") && done.seconds < 30.0,
        "{}",
        done.stderr
    );
    let (run, socket) = run_directory(&format!("vc/sbs/{ID}/shim-monitor.sock"));
    drop(UnixListener::bind(&socket).unwrap());
    let done = console(run.path())
        .args(["--debug", ID])
        .finish()
        .expect_code(69);
    assert!(done.stderr.contains("shim-monitor.sock"), "{}", done.stderr);
    let (run, socket) = run_directory(&format!("vc/vm/{ID}/console.sock"));
    let _listener = UnixListener::bind(&socket).unwrap();
    let done = console(run.path())
        .args(["--debug", ID])
        .finish()
        .expect_code(69);
    assert!(
        done.stderr.contains("kata 1 has no debug console"),
        "{}",
        done.stderr
    );
    let empty = tempfile::tempdir().unwrap();
    console(empty.path())
        .args(["--list"])
        .finish()
        .expect_code(4);
}
