//! `kata-ci debug-exec`: becomes the runtime, stopped at its first instruction, with a debugger
//! attached to it.
//!
//! This process itself executes the runtime. So its process id, its parent, its exit code, its
//! standard output and every descriptor are those that the caller gave and expects; dlv is no part
//! of it. A watcher, which belongs to nobody, stops it by ptrace at its first instruction, starts
//! `dlv attach`, and lets it run if dlv ends. Whatever fails, the runtime runs without a debugger.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::Flock;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{
    ForkResult, Pid, close, dup2_stderr, dup2_stdin, dup2_stdout, fork, getpid, setsid,
};
use rustix::process::{PTracer, set_ptracer};

use super::binary::GoBinary;
use super::connections::connections;
use super::log::Log;
use super::run_dir;
use super::subcommand::subcommand;
use super::swapper::Swapper;

/// The time that the runtime may take to be stopped.
const STOP: Duration = Duration::from_secs(10);
/// The time for which a client may look at a runtime that has ended.
const GRACE: Duration = Duration::from_secs(10);
/// The time for which a client may be away before its session is over.
const AWAY: Duration = Duration::from_secs(1);
/// The time that dlv may take to end. It has to take its breakpoints out.
const END: Duration = Duration::from_secs(10);
/// The polling interval for processes that are not children.
const TICK: Duration = Duration::from_millis(20);

const USAGE: &str = "kata-ci debug-exec: a script of `kata-ci debug enable` calls this; by hand: kata-ci debug-exec --on create --dlv DLV -- RUNTIME ARGUMENTS";

/// Runs the command with these arguments. Returns only if the runtime cannot be executed.
pub fn debug_exec(arguments: impl Iterator<Item = OsString>) -> i32 {
    let Some((swapper, rest)) = Swapper::parse(arguments) else {
        let _ = writeln!(io::stderr(), "{USAGE}");
        return 2;
    };
    let chosen =
        subcommand(&rest).filter(|name| swapper.on.iter().any(|one| *name == one.as_str()));
    if chosen.is_some() {
        debugged(&swapper, &rest);
    }
    let error = Command::new(&swapper.runtime).args(&rest).exec();
    let _ = writeln!(
        io::stderr(),
        "kata-ci debug-exec: {}: {error}",
        swapper.runtime.display()
    );
    match error.kind() {
        io::ErrorKind::NotFound => 127,
        _ => 126,
    }
}

/// Has this process stopped once it executes the runtime.
fn debugged(swapper: &Swapper, rest: &[OsString]) {
    let run_dir = match run_dir::made(swapper.run_dir.as_deref()) {
        Ok(run_dir) => run_dir,
        Err(error) => {
            let log = Log::of(swapper.log_socket.as_deref(), &std::env::temp_dir());
            return log.say(format_args!("runs without a debugger: {error}"));
        }
    };
    let log = Log::of(swapper.log_socket.as_deref(), &run_dir);
    let words: Vec<_> = rest.iter().map(|word| word.to_string_lossy()).collect();
    let call = words.join(" ");
    if let Err(reason) = watched(swapper, &run_dir, &log, &call) {
        log.say(format_args!("`{call}` runs without a debugger: {reason}"));
    }
}

/// Starts the watcher, and waits until it watches this process.
fn watched(swapper: &Swapper, run_dir: &Path, log: &Log, call: &str) -> Result<(), String> {
    if !swapper.dlv.is_file() {
        return Err(format!("there is no {}", swapper.dlv.display()));
    }
    // dlv leaves other programs in pieces when it lets go of them.
    if !matches!(GoBinary::read(&swapper.runtime), Ok(Some(_))) {
        return Err(format!("{} was not built by Go", swapper.runtime.display()));
    }
    let lock = run_dir::lock(run_dir).map_err(|error| format!("{}: {error}", run_dir.display()))?;
    let lock = lock.ok_or("another one is being debugged")?;
    let (mut ready, tell) = os_pipe::pipe().map_err(|error| error.to_string())?;
    // Only the same user could trace it without this, where Yama restricts that to ancestors.
    let _ = set_ptracer(PTracer::Any);
    let runtime = getpid();
    // SAFETY: this process has one thread, so that the child may do whatever its parent may.
    match unsafe { fork() } {
        Err(error) => Err(format!("fork: {error}")),
        Ok(ForkResult::Child) => {
            drop(ready);
            // The watcher is no child of the runtime: its parent is gone at once.
            let _ = setsid();
            // SAFETY: as above.
            if let Ok(ForkResult::Child) = unsafe { fork() } {
                Watcher {
                    swapper,
                    run_dir,
                    log,
                    call,
                    runtime,
                }
                .watch(&lock, tell);
            }
            // SAFETY: it ends this process, without what its parent has yet to write.
            unsafe { libc::_exit(0) }
        }
        Ok(ForkResult::Parent { child }) => {
            drop(tell);
            // It belongs to the watcher now; dropping it here would give it back for both.
            std::mem::forget(lock);
            let _ = waitpid(child, None);
            let mut words = String::new();
            let _ = ready.read_to_string(&mut words);
            match words.as_str() {
                "ready" => Ok(()),
                "" => Err("its watcher ended".to_owned()),
                other => Err(other.to_owned()),
            }
        }
    }
}

/// The process that stops the runtime, starts dlv, and cleans up.
struct Watcher<'a> {
    swapper: &'a Swapper,
    run_dir: &'a Path,
    log: &'a Log,
    call: &'a str,
    runtime: Pid,
}

impl Watcher<'_> {
    fn watch(&self, lock: &Flock<File>, mut tell: os_pipe::PipeWriter) {
        // The caller waits for the end of the runtime's output: nobody else may hold it.
        close_others(&[lock.as_raw_fd(), tell.as_raw_fd()]);
        if let Err(error) = ptrace::seize(self.runtime, Options::PTRACE_O_TRACEEXEC) {
            let _ = write!(tell, "ptrace: {error}");
            return;
        }
        let _ = write!(tell, "ready");
        drop(tell);
        match self.stop() {
            Ok(()) => self.debug(),
            Err(reason) => self
                .log
                .say(format_args!("`{}` was not stopped: {reason}", self.call)),
        }
        self.go_on();
    }

    /// Waits until the runtime is executed, and stops it before its first instruction.
    fn stop(&self) -> Result<(), String> {
        let deadline = Instant::now() + STOP;
        loop {
            let flags = WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
            match waitpid(self.runtime, Some(flags)).map_err(|error| error.to_string())? {
                WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) => break,
                WaitStatus::Stopped(_, signal) => {
                    let _ = ptrace::cont(self.runtime, signal);
                }
                WaitStatus::PtraceEvent(..) => {
                    let _ = ptrace::cont(self.runtime, None);
                }
                WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {
                    return Err("it ended".to_owned());
                }
                _ if Instant::now() > deadline => return Err("it did not start".to_owned()),
                _ => std::thread::sleep(TICK / 10),
            }
        }
        // It takes the signal before it runs on.
        kill(self.runtime, Signal::SIGSTOP).map_err(|error| error.to_string())?;
        ptrace::detach(self.runtime, None).map_err(|error| error.to_string())?;
        while state(self.runtime) != Some('T') {
            if Instant::now() > deadline {
                return Err("it runs on".to_owned());
            }
            std::thread::sleep(TICK / 10);
        }
        Ok(())
    }

    fn debug(&self) {
        let listen = &self.swapper.listen;
        self.log.say(format_args!(
            "dlv headless server on {listen}, waiting for a client: `{}` (process {})",
            self.call, self.runtime
        ));
        match self.start_dlv() {
            Ok(mut dlv) => self.wait(&mut dlv),
            Err(error) => self
                .log
                .say(format_args!("{}: {error}", self.swapper.dlv.display())),
        }
    }

    fn start_dlv(&self) -> io::Result<Child> {
        let log = File::create(self.dlv_log())?;
        let mut command = Command::new(&self.swapper.dlv);
        command
            .arg("attach")
            .arg(self.runtime.to_string())
            // Without it, an empty connection keeps all later clients out.
            .args(["--headless", "--api-version=2", "--accept-multiclient"])
            // It says when a client has come.
            .args(["--log", "--log-output=rpc"])
            .arg(format!("--listen={}", self.swapper.listen));
        if self.swapper.any_user {
            command.arg("--only-same-user=false");
        }
        if self.swapper.any_go {
            command.arg("--check-go-version=false");
        }
        // It keeps what it has learnt in a home.
        if std::env::var_os("HOME").is_none() {
            command.env("HOME", self.run_dir);
        }
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
    }

    fn dlv_log(&self) -> PathBuf {
        self.run_dir.join("dlv.log")
    }

    /// Waits for the end of dlv, and ends it when its work is done.
    fn wait(&self, dlv: &mut Child) {
        let mut session = Session::default();
        loop {
            if let Ok(Some(status)) = dlv.try_wait() {
                let words = last_line(&self.dlv_log());
                return match status.success() {
                    true => self.log.say("dlv headless server stopped"),
                    false => self.log.say(format_args!("dlv ended ({status}): {words}")),
                };
            }
            session.had_client = session.had_client || served(&self.dlv_log());
            let clients = connections(&self.swapper.listen);
            if session.is_over(clients, state(self.runtime), Instant::now()) {
                end(dlv);
                return self
                    .log
                    .say("dlv headless server stopped: its client or the runtime is gone");
            }
            std::thread::sleep(TICK);
        }
    }

    /// Lets the runtime go on if it still stands where it was stopped.
    fn go_on(&self) {
        if state(self.runtime) == Some('T') {
            self.log
                .say(format_args!("`{}` runs on without a debugger", self.call));
            let _ = kill(self.runtime, Signal::SIGCONT);
        }
    }
}

/// The course of a debugging session. dlv itself waits for ever: for the first client, for another
/// one after it, and in front of a runtime that is gone.
#[derive(Debug, Default)]
struct Session {
    had_client: bool,
    left: Option<Instant>,
    gone: Option<Instant>,
}

impl Session {
    /// Returns true if the clients have left, or the runtime is gone.
    fn is_over(&mut self, clients: usize, runtime: Option<char>, now: Instant) -> bool {
        self.had_client |= clients > 0;
        let has_left = self.had_client && clients == 0;
        // One that was killed stays a zombie, and its parent is not told, until dlv lets go.
        let grace = match runtime {
            Some('Z' | 'X') => AWAY,
            _ => GRACE,
        };
        let is_gone = matches!(runtime, None | Some('Z' | 'X'));
        self.left = has_left.then(|| self.left.unwrap_or(now));
        self.gone = is_gone.then(|| self.gone.unwrap_or(now));
        let since = |start: Option<Instant>, time| start.is_some_and(|start| now - start > time);
        (has_left && is_gone) || since(self.left, AWAY) || since(self.gone, grace)
    }
}

/// Ends dlv: kindly, then by force.
fn end(dlv: &mut Child) {
    let _ = kill(Pid::from_raw(dlv.id() as i32), Signal::SIGTERM);
    let deadline = Instant::now() + END;
    while matches!(dlv.try_wait(), Ok(None)) && Instant::now() < deadline {
        std::thread::sleep(TICK);
    }
    let _ = dlv.kill();
    let _ = dlv.wait();
}

/// Returns the state of a process, as in `ps`. `None` if there is none.
fn state(process: Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before it is in parentheses, and may hold some.
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.chars().next()
}

/// Returns true if dlv has served a client, even for a moment.
fn served(log: &Path) -> bool {
    let text = fs::read(log).unwrap_or_default();
    memchr::memmem::find(&text, b" on new connection").is_some()
}

fn last_line(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().last().unwrap_or_default().to_owned()
}

/// Closes everything but these descriptors; the standard three lead to nothing.
fn close_others(kept: &[i32]) {
    if let Ok(nothing) = File::options().read(true).write(true).open("/dev/null") {
        let _: [Result<(), Errno>; 3] = [
            dup2_stdin(&nothing),
            dup2_stdout(&nothing),
            dup2_stderr(&nothing),
        ];
    }
    let entries = fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten();
    let open: Vec<i32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2 && !kept.contains(number))
        .collect();
    for number in open {
        let _ = close(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_over_when_its_clients_have_left_or_its_runtime_is_gone() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut session = Session::default();
        assert!(
            !session.is_over(0, Some('t'), at(3_600_000)),
            "nobody has come yet"
        );
        assert!(!session.is_over(1, Some('t'), at(3_600_000)));
        assert!(!session.is_over(0, Some('t'), at(3_600_010)));
        assert!(!session.is_over(1, Some('t'), at(3_600_900)), "it is back");
        assert!(!session.is_over(0, Some('t'), at(3_700_000)));
        assert!(session.is_over(0, Some('t'), at(3_701_001)));
        let mut session = Session::default();
        assert!(!session.is_over(1, None, at(0)) && session.is_over(0, None, at(1)));
        for (state, time) in [(Some('Z'), 1_001), (None, 10_001)] {
            let mut session = Session::default();
            assert!(!session.is_over(1, state, at(0)));
            assert!(!session.is_over(1, state, at(time - 2)));
            assert!(session.is_over(1, state, at(time)));
        }
    }
}
