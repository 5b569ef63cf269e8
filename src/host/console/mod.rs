//! `kata-ci console`: the serial console of a guest, or the debug console of its agent.
//!
//! Invariants: a console that somebody else has is not taken away, and nobody waits for a server
//! that does not answer. The terminal is restored whatever happens. Bytes go through as they are.
//!
//! ```text
//! sandboxes, names ─▶ unix_sockets: alive, busy, dead ─▶ connect ─▶ terminal, pump
//!                     agent: the address of the debug console ─┘
//! ```

mod agent;
mod connect;
mod escape;
mod names;
mod pump;
mod sandboxes;
mod terminal;
mod unix_sockets;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags};
use serde::Serialize;

use crate::env::Environment;
use crate::model::{CommandError, ExitCode};
use crate::say;

use agent::Address;
use pump::{Ended, Streams};
use sandboxes::{Runtime, Sandbox};
use terminal::RawTerminal;

pub(crate) use agent::PORT;
pub(crate) use escape::Escape;

/// The time in which a server accepts a client that it will serve.
const ACCEPTS: Duration = Duration::from_millis(500);

/// The request of a console.
#[derive(Debug)]
pub(crate) struct ConsoleRequest {
    /// The sandbox, or the path of a socket.
    pub target: String,
    /// True for the debug console of the agent.
    pub debug: bool,
    /// The port of the debug console.
    pub port: u32,
    /// The byte that detaches a terminal.
    pub escape: Escape,
    /// A file that gets everything that the console says.
    pub log: Option<PathBuf>,
    /// The time without output after which the end of piped input is the end of all.
    pub linger: Duration,
    /// True to type the size of the terminal.
    pub types_size: bool,
    /// The directory of the runtimes' state.
    pub run: PathBuf,
    /// The environment that kata-ci was called with.
    pub environment: Environment,
}

/// The state of a console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// A console that can be opened.
    Alive,
    /// A console that somebody has.
    Busy,
    /// A console that nobody serves any more.
    Dead,
    /// A console without a socket.
    None,
}

/// A sandbox in a list.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    /// Its id.
    pub sandbox: String,
    /// Its runtime.
    pub runtime: Runtime,
    /// The state of its serial console.
    pub console: State,
    /// The socket of its serial console.
    pub socket: Option<PathBuf>,
    /// True if its debug console can be asked for.
    pub debug: bool,
}

/// Lists the sandboxes below a directory that stands for `/run`.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn list(run: &Path) -> Result<Vec<Listed>, CommandError> {
    let listed = |sandbox: Sandbox| {
        let listens = |path: &PathBuf| state(path) != State::Dead;
        Listed {
            console: sandbox.console.as_deref().map_or(State::None, state),
            debug: sandbox
                .monitor
                .as_ref()
                .or(sandbox.hybrid.as_ref())
                .is_some_and(listens),
            sandbox: sandbox.id,
            runtime: sandbox.runtime,
            socket: sandbox.console,
        }
    };
    Ok(sandboxes::all(run)?.into_iter().map(listed).collect())
}

/// Returns the state of a socket, without touching it.
fn state(socket: &Path) -> State {
    let found = unix_sockets::state(Path::new("/proc"), socket);
    match (found.listens, found.clients + found.waiting) {
        (false, 0) => State::Dead,
        (_, 0) => State::Alive,
        _ => State::Busy,
    }
}

/// Opens a console, and joins it with standard input and output until one side ends. Returns the
/// exit code.
///
/// # Errors
/// When it cannot be opened, or a stream breaks.
pub(crate) fn open(request: &ConsoleRequest) -> Result<ExitCode, CommandError> {
    let (console, name) = match request.debug {
        true => debug(request)?,
        false => serial(request)?,
    };
    let log = request.log.as_deref().map(log).transpose()?;
    join(request, console, &name, log)
}

fn join(
    request: &ConsoleRequest,
    console: OwnedFd,
    name: &str,
    log: Option<File>,
) -> Result<ExitCode, CommandError> {
    let (input, output) = (io::stdin(), io::stdout());
    let failed = |error: io::Error| CommandError::machine(format!("{name}: {error}"));
    let terminal = RawTerminal::enter(input.as_fd()).map_err(failed)?;
    // In raw mode nobody turns a newline into the beginning of a line.
    let end = if terminal.is_some() { "\r\n" } else { "\n" };
    let note = move |text: &str| say::ask(&format!("kata-ci: {text}{end}"));
    // A byte of a pipe is none that somebody typed.
    let escape = if terminal.is_some() {
        request.escape
    } else {
        Escape::NONE
    };
    if terminal.is_some() {
        note(&format!("{name}; {escape} detaches"));
    }
    let streams = Streams {
        console,
        input: input.as_fd(),
        output: output.as_fd(),
        log,
        escape,
        linger: request.linger,
        first: if request.types_size {
            size()
        } else {
            Vec::new()
        },
    };
    let silent = if request.debug {
        SILENT_SHELL
    } else {
        SILENT_SERIAL
    };
    let ended = pump::pump(streams, &mut || note(silent));
    drop(terminal);
    let ended = ended.map_err(failed)?;
    let said = match (ended, request.debug) {
        (Ended::Detached, _) => "detached",
        (Ended::Closed, false) => "the console was closed: the VM has ended",
        (Ended::Closed, true) => "the shell has ended",
        (Ended::NoInput | Ended::Unread, _) => return Ok(ExitCode::Success),
    };
    say::aside(format_args!("kata-ci: {said}"));
    Ok(ExitCode::Success)
}

const SILENT_SERIAL: &str = "it says nothing. After the boot a console answers only if the guest runs a getty or a \
                             shell on it, which images of kata do not; `kata-ci console --debug` opens a shell of the agent";

const SILENT_SHELL: &str = "it says nothing. The agent needs a shell in the guest's image";

/// Returns the command that tells a guest the size of the terminal.
fn size() -> Vec<u8> {
    let Some((terminal_size::Width(columns), terminal_size::Height(rows))) =
        terminal_size::terminal_size()
    else {
        return Vec::new();
    };
    format!("stty rows {rows} cols {columns}\r").into_bytes()
}

/// Opens a log to append to it. A link is not followed.
fn log(path: &Path) -> Result<File, CommandError> {
    let how = OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, path, how, Mode::from_raw_mode(0o600));
    let failed = |error: &io::Error| {
        CommandError::path(path, error, "name a file that can be written with --log")
    };
    let file = File::from(opened.map_err(|error| failed(&error.into()))?);
    match file.metadata() {
        Ok(found) if found.is_file() => Ok(file),
        Ok(_) => Err(failed(&io::Error::other("it is no regular file"))),
        Err(error) => Err(failed(&error)),
    }
}

/// Opens the serial console of a sandbox, or of a socket.
fn serial(request: &ConsoleRequest) -> Result<(OwnedFd, String), CommandError> {
    let path = match request.target.contains('/') {
        true => socket_of(Path::new(&request.target))?,
        false => {
            let all = sandboxes::all(&request.run)?;
            let sandbox = names::find(&all, &request.target, &request.environment)?;
            sandbox.console.clone().ok_or_else(|| {
                let message = format!(
                    "the serial console of {} ({}) has no socket: its shim holds it",
                    sandbox.id,
                    sandbox.runtime.name()
                );
                CommandError::unavailable(message)
                    .hint(format!("kata-ci console --debug {}", sandbox.id))
            })?
        }
    };
    let name = format!("the console {}", path.display());
    expect_socket(&path)?;
    if state(&path) == State::Busy {
        return Err(busy(&name));
    }
    let stream = connect::unix(&path).map_err(|error| refused(&name, &path, &error))?;
    wait_for_service(&path, &name)?;
    Ok((stream, name))
}

/// Returns the socket that a path leads to: its own, or that of a sandbox's directory.
fn socket_of(path: &Path) -> Result<PathBuf, CommandError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let names = ["console.sock", "root/console.sock", "console.socket"];
    let found = names
        .iter()
        .map(|name| path.join(name))
        .find(|path| path.exists());
    found.ok_or_else(|| {
        CommandError::usage(format!("{} has no console.sock", path.display()))
            .hint("kata-ci console --list")
    })
}

/// Refuses what is no socket: connect(2) says of any file that nobody listens.
fn expect_socket(path: &Path) -> Result<(), CommandError> {
    use std::os::unix::fs::FileTypeExt;
    let hint = "kata-ci console --list shows the consoles there are";
    match std::fs::metadata(path) {
        Ok(found) if found.file_type().is_socket() => Ok(()),
        Ok(_) => Err(CommandError::usage(format!("{} is no socket", path.display())).hint(hint)),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(CommandError::path(path, &error, hint)),
    }
}

fn refused(name: &str, path: &Path, error: &io::Error) -> CommandError {
    match error.kind() {
        io::ErrorKind::WouldBlock => busy(name),
        io::ErrorKind::ConnectionRefused => {
            let message = format!("{name} is dead: the VM is gone, and left its socket behind");
            CommandError::unavailable(message)
                .hint("kata-ci console --list shows those that are alive")
        }
        io::ErrorKind::PermissionDenied => CommandError::unavailable(format!("{name}: {error}"))
            .hint("sandboxes are root's: call it with sudo"),
        _ => CommandError::path(
            path,
            error,
            "kata-ci console --list shows the consoles there are",
        ),
    }
}

fn busy(name: &str) -> CommandError {
    let message = format!("{name} is busy: it serves one client at a time, and has one");
    CommandError::machine(message).hint(
        "with enable_debug = true in [hypervisor.*] the shim has it, and logs each line: \
         kata-ci diag --follow kata; else another client has it. `kata-ci console --debug` opens a shell beside it",
    )
}

/// Waits until a client is served. One that is queued behind another, which came at the same
/// moment, leaves again.
fn wait_for_service(path: &Path, name: &str) -> Result<(), CommandError> {
    let until = Instant::now() + ACCEPTS;
    loop {
        let found = unix_sockets::state(Path::new("/proc"), path);
        if found.waiting == 0 || !found.listens {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(match found.clients {
                0 => CommandError::machine(format!("{name} does not answer: its VM is stopped, or hangs"))
                    .hint("kata-ci diag ps shows the state of its process (T: stopped, D: waits for a device)"),
                _ => busy(name),
            });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Opens the debug console of a sandbox's agent.
fn debug(request: &ConsoleRequest) -> Result<(OwnedFd, String), CommandError> {
    let address = match request.target.contains('/') {
        // A path is the socket of a shim, or one that stands for a vsock.
        true if request.target.ends_with("shim-monitor.sock") => {
            Address::ask(Path::new(&request.target))?
        }
        true => Address::Hybrid(request.target.clone().into()),
        false => {
            let all = sandboxes::all(&request.run)?;
            address(names::find(&all, &request.target, &request.environment)?)?
        }
    };
    let stream = address.connect(request.port)?;
    Ok((stream, format!("the debug console at {address}")))
}

fn address(sandbox: &Sandbox) -> Result<Address, CommandError> {
    match (&sandbox.monitor, &sandbox.hybrid) {
        (Some(monitor), _) => Address::ask(monitor),
        (None, Some(hybrid)) => Ok(Address::Hybrid(hybrid.clone())),
        (None, None) => {
            let message = format!(
                "{} ({}) has no shim that tells the agent's address",
                sandbox.id,
                sandbox.runtime.name()
            );
            let hint = "kata 1 has no debug console of the agent beside its serial console: agent.debug_console in kernel_params \
                        puts a shell on that, and `kata-ci console` opens it";
            Err(CommandError::unavailable(message).hint(hint))
        }
    }
}

impl State {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Busy => "busy",
            Self::Dead => "dead",
            Self::None => "no socket",
        }
    }
}

/// Returns a list as text for people.
pub(crate) fn shown(listed: &[Listed]) -> String {
    let mut lines = vec![["SANDBOX", "RUNTIME", "CONSOLE", "DEBUG", "SOCKET"].map(str::to_owned)];
    lines.extend(listed.iter().map(|one| {
        let socket = one.socket.as_ref().map(|path| path.display().to_string());
        let debug = if one.debug { "yes" } else { "no" };
        [
            one.sandbox.clone(),
            one.runtime.name().to_owned(),
            one.console.word().to_owned(),
            debug.to_owned(),
            socket.unwrap_or_else(|| "-".to_owned()),
        ]
    }));
    let widths: [usize; 5] = std::array::from_fn(|column| {
        lines
            .iter()
            .map(|line| crate::text::width(&line[column]))
            .max()
            .unwrap_or(0)
    });
    let line = |line: &[String; 5]| {
        let cells = line.iter().zip(widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| crate::text::pad(cell, width))
            .collect();
        let text = crate::text::for_terminal(&cells.join("  "), 4096);
        format!("{}\n", text.trim_end())
    };
    lines.iter().map(line).collect()
}
