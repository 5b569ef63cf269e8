//! The change that makes kata, or any other runtime, known to docker: computed and shown, not made.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::command_line::{CommandLine, Flag};
use super::daemon_json::{DaemonJson, DaemonJsonError, RuntimeEntry};
use super::facts::DockerFacts;
use super::kata::{Runtime, RuntimeKind};
use super::pair::{NoWay, SHIM_NAME, Way, way};
use super::unit::{UnitError, UnitFile};
use crate::env::Environment;
use crate::host::root::HostRoot;

/// The directory of drop-ins that an administrator writes.
const DROP_INS: &str = "/etc/systemd/system/docker.service.d";
/// The names of the drop-in: the second one is for a host with a later drop-in that says ExecStart.
const DROP_IN_NAMES: [&str; 2] = ["kata-containers.conf", "zz-kata-containers.conf"];

/// The command that has docker read `daemon.json` again.
const RELOAD: &str =
    "systemctl reload docker    # or: kill -HUP the dockerd; running containers stay";

/// The file that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// `daemon.json`.
    #[default]
    DaemonJson,
    /// A drop-in of systemd for `docker.service`.
    DropIn,
}

/// The runtime that docker is to know.
#[derive(Debug, Clone, Default)]
pub struct DockerRequest {
    /// The name; `None` for that of kata.
    pub name: Option<String>,
    /// The path of the runtime; `None` for the kata that is found.
    pub path: Option<PathBuf>,
    /// True to have docker use it where none is named.
    pub default: bool,
    /// The file that says it.
    pub by: By,
    /// True to change an entry of this name that says something else.
    pub replace: bool,
    /// The version of docker, where it cannot be asked.
    pub docker_version: Option<String>,
    /// The `daemon.json`, where it is another one.
    pub daemon_json: Option<PathBuf>,
}

/// A file that is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The path on the host.
    pub path: PathBuf,
    /// The bytes before. `None` for a new file.
    pub before: Option<Vec<u8>>,
    /// The bytes after.
    pub after: Vec<u8>,
    /// The permissions of a new file.
    pub mode: u32,
}

/// A change that is planned.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The name of the runtime for `docker run --runtime`.
    pub name: String,
    /// The files. None: everything is as asked.
    pub changes: Vec<FileChange>,
    /// The commands that have docker take it; they are named, never run.
    pub then: Vec<String>,
    /// Words on what is unusual.
    pub notes: Vec<String>,
}

/// The reason why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No kata was found.
    #[error("no kata was found ({0})")]
    NoKata(String),
    /// The program is not there, or is no runtime.
    #[error("{0}")]
    Runtime(String),
    /// This docker and this runtime do not go together.
    #[error("{0}")]
    Pair(#[from] NoWay),
    /// The name is not one for a runtime.
    #[error("{0}")]
    Name(String),
    /// `daemon.json` is not edited.
    #[error("{}: {error}", path.display())]
    DaemonJson {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: DaemonJsonError,
    },
    /// The unit is not read, or not edited.
    #[error("{0}")]
    Unit(#[from] UnitError),
    /// The command of the unit is not edited.
    #[error("{0}")]
    Command(String),
    /// The same key in a flag and in the file: docker does not start.
    #[error("{message}")]
    Key {
        /// The words.
        message: String,
        /// The way out.
        hint: String,
    },
    /// A runtime of this name says something else.
    #[error("{0}")]
    Differs(String),
}

impl PlanError {
    /// Returns the way out.
    pub fn hint(&self) -> Option<String> {
        let words = match self {
            Self::NoKata(_) => {
                "name it: --path /opt/kata/bin/containerd-shim-kata-v2, or --path /usr/bin/kata-runtime of kata 1"
            }
            Self::Runtime(_) => {
                "--path names the program on the host, without links that lead nowhere"
            }
            Self::Pair(pair) => &pair.hint,
            Self::Name(_) => "letters, digits, `.`, `-` and `_`; and `runc` belongs to docker",
            Self::DaemonJson { .. } => "correct the file first; nothing was written",
            Self::Unit(_) | Self::Command(_) => {
                "correct the unit first (`systemctl cat docker`), or use --by daemon-json; nothing was written"
            }
            Self::Key { hint, .. } => hint,
            Self::Differs(_) => {
                "--replace puts the new one in its place; --name gives this one another name"
            }
        };
        Some(words.to_owned())
    }
}

/// Computes the change.
///
/// # Errors
/// When it cannot work, or would have to be guessed.
pub fn plan(
    root: &HostRoot,
    environment: &Environment,
    request: &DockerRequest,
) -> Result<Plan, PlanError> {
    let version = request.docker_version.as_deref();
    let facts = DockerFacts::of(root, environment, version, request.daemon_json.as_deref())?;
    let runtime = runtime(root, environment, request.path.as_deref())?;
    let way = way(&runtime, facts.version.as_deref())?;
    let name = name(request, &runtime, &way)?;
    let mut plan = match (&way, request.by) {
        (Way::ShimName, _) if !request.default => Plan {
            notes: vec![format!(
                "nothing has to be written: docker run --runtime {SHIM_NAME}, with {} on containerd's PATH",
                runtime.path.display()
            )],
            ..Plan::default()
        },
        (way, By::DaemonJson) => in_daemon_json(&facts, &name, way, request)?,
        (way, By::DropIn) => in_drop_in(root, &facts, &name, way, request)?,
    };
    plan.notes.extend(notes(&runtime, &way));
    plan.name = name;
    Ok(plan)
}

/// Returns the runtime of this path, or the kata that is found.
fn runtime(
    root: &HostRoot,
    environment: &Environment,
    path: Option<&Path>,
) -> Result<Runtime, PlanError> {
    let Some(path) = path else {
        return Runtime::find(root, environment)
            .ok_or_else(|| PlanError::NoKata(Runtime::places().join(", ")));
    };
    if !path.is_absolute() || !root.has_program(path) {
        let words = format!(
            "{} is no program: each `docker run` would fail",
            path.display()
        );
        return Err(PlanError::Runtime(words));
    }
    Runtime::of(root, path, environment).ok_or_else(|| {
        let path = path.display();
        PlanError::Runtime(format!("nothing tells what {path} is: its --help lists no `create`, and its --version names no shim of containerd"))
    })
}

fn name(request: &DockerRequest, runtime: &Runtime, way: &Way) -> Result<String, PlanError> {
    let name = match (&request.name, way, runtime.kind) {
        (_, Way::ShimName, _) => SHIM_NAME,
        (Some(name), ..) => name,
        (None, _, RuntimeKind::CommandLine) => "kata-runtime",
        (None, ..) => "kata",
    };
    checked_name(name, request.by)
}

fn checked_name(name: &str, by: By) -> Result<String, PlanError> {
    let fine = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if !begins || !name.chars().all(fine) || ["runc", "io.containerd.runc.v2"].contains(&name) {
        return Err(PlanError::Name(format!(
            "`{name}` is no name for a runtime"
        )));
    }
    if by == By::DropIn && name.chars().any(|letter| letter.is_ascii_uppercase()) {
        return Err(PlanError::Name(format!(
            "docker makes names of --add-runtime lower case: `{name}` would not be found"
        )));
    }
    Ok(name.to_owned())
}

/// Computes the change of `daemon.json` that adds a program which is not there yet.
///
/// # Errors
/// As [`plan`].
pub fn plan_entry(
    root: &HostRoot,
    environment: &Environment,
    name: &str,
    path: &Path,
    request: &DockerRequest,
) -> Result<Plan, PlanError> {
    let facts = DockerFacts::of(root, environment, None, request.daemon_json.as_deref())?;
    let name = checked_name(name, By::DaemonJson)?;
    let way = Way::Entry(RuntimeEntry::Path(path.display().to_string()));
    let mut plan = in_daemon_json(&facts, &name, &way, request)?;
    plan.name = name;
    Ok(plan)
}

/// Computes the change of `daemon.json` that takes a runtime out.
///
/// # Errors
/// When the file is not edited.
pub fn plan_removal(facts: &DockerFacts, name: &str) -> Result<Plan, PlanError> {
    let refused = |error| PlanError::DaemonJson {
        path: facts.daemon_json.clone(),
        error,
    };
    let mut file = facts.parsed().map_err(refused)?;
    let mut plan = Plan::default();
    if file.remove_runtime(name).map_err(refused)? {
        plan.changes.push(FileChange {
            path: facts.daemon_json.clone(),
            before: facts.bytes.clone(),
            after: file.bytes(),
            mode: 0o644,
        });
        plan.then.push(RELOAD.to_owned());
    }
    Ok(plan)
}

fn notes(runtime: &Runtime, way: &Way) -> Vec<String> {
    let mut notes = Vec::new();
    if runtime.kind == RuntimeKind::RustShim {
        notes.push(
            "kata tests docker with the Go runtime and qemu only: runtime-rs may not work"
                .to_owned(),
        );
    }
    if *way == Way::ShimName {
        notes.push(format!(
            "docker 23 knows shims by name only: {} has to lie in a directory of containerd's PATH",
            runtime.path.display()
        ));
    }
    notes
}

fn in_daemon_json(
    facts: &DockerFacts,
    name: &str,
    way: &Way,
    request: &DockerRequest,
) -> Result<Plan, PlanError> {
    let path = &facts.daemon_json;
    let refused = |error| PlanError::DaemonJson {
        path: path.clone(),
        error,
    };
    let mut file = facts.parsed().map_err(refused)?;
    let mut notes = Vec::new();
    if let Way::Entry(entry) = way {
        if let Some(there) = file.runtime(name)
            && !file.is_runtime(name, entry)
            && !request.replace
        {
            return Err(differs(
                name,
                &path.display().to_string(),
                &there.to_string(),
                entry,
            ));
        }
        notes.extend(merged(facts, name, entry));
        if !file.is_runtime(name, entry) {
            file.set_runtime(name, entry).map_err(refused)?;
        }
    }
    if request.default && file.default_runtime().as_deref() != Some(name) {
        if let Some(flag) = facts.flag("default-runtime") {
            return Err(both(&flag, path));
        }
        file.set_default(name).map_err(refused)?;
    }
    let after = file.bytes();
    let is_same = facts
        .bytes
        .as_deref()
        .is_some_and(|before| DaemonJson::parse(before).is_ok_and(|before| before == file));
    let change = FileChange {
        path: path.clone(),
        before: facts.bytes.clone(),
        after,
        mode: 0o644,
    };
    Ok(Plan {
        changes: if is_same { Vec::new() } else { vec![change] },
        then: if is_same {
            Vec::new()
        } else {
            vec![RELOAD.to_owned()]
        },
        notes,
        ..Plan::default()
    })
}

/// Explains a runtime that a flag names too: docker merges the two.
fn merged(facts: &DockerFacts, name: &str, entry: &RuntimeEntry) -> Option<String> {
    let flags = facts.flags();
    let flag = flags
        .iter()
        .find(|flag| flag.runtime().is_some_and(|(one, _)| one == name))?;
    let (_, path) = flag.runtime()?;
    let place = flag.shown_place();
    Some(match *entry == RuntimeEntry::Path(path.to_owned()) {
        true => format!("{place} says the same by --add-runtime, which is no conflict"),
        false => format!(
            "{place} says --add-runtime={name}={path}: docker merges the two without a word, and the file wins"
        ),
    })
}

fn differs(name: &str, place: &str, there: &str, entry: &RuntimeEntry) -> PlanError {
    let (key, value) = entry.parts();
    PlanError::Differs(format!(
        "{place} has a runtime `{name}` already, and it is another one: {there}, not {{\"{key}\":\"{value}\"}}"
    ))
}

fn both(flag: &Flag, path: &Path) -> PlanError {
    PlanError::Key {
        message: format!(
            "{} says --default-runtime={}: with `default-runtime` in {} as well docker does not start (\"specified both as a flag and in the configuration file\"), even if both say the same",
            flag.shown_place(),
            flag.value,
            path.display()
        ),
        hint: "use --by drop-in, which changes the flag; or take it out of there first".to_owned(),
    }
}

fn in_drop_in(
    root: &HostRoot,
    facts: &DockerFacts,
    name: &str,
    way: &Way,
    request: &DockerRequest,
) -> Result<Plan, PlanError> {
    let Some(command) = facts.command.clone().map_err(PlanError::Command)? else {
        return Err(PlanError::Command(
            "there is no docker.service here: systemd does not start this docker".to_owned(),
        ));
    };
    let mut edited = command.clone();
    if let Way::Entry(entry) = way {
        add_runtime(facts, &mut edited, name, entry, request.replace)?;
    }
    if request.default {
        set_default(facts, &mut edited, name)?;
    }
    if edited.value() == command.value() {
        return Ok(Plan::default());
    }
    let (file, before) = drop_in(root, facts, &edited)?;
    Ok(Plan {
        changes: vec![FileChange {
            path: file.path,
            before,
            after: file.text.into_bytes(),
            mode: 0o644,
        }],
        then: vec![
            "systemctl daemon-reload".to_owned(),
            "systemctl restart docker    # stops running containers, unless live-restore is on"
                .to_owned(),
        ],
        ..Plan::default()
    })
}

fn add_runtime(
    facts: &DockerFacts,
    command: &mut CommandLine,
    name: &str,
    entry: &RuntimeEntry,
    replace: bool,
) -> Result<(), PlanError> {
    let RuntimeEntry::Path(path) = entry else {
        return Err(PlanError::Key {
            message: "the flag --add-runtime knows programs like runc only: the shim of kata 2 and later cannot be named by it".to_owned(),
            hint: "use --by daemon-json".to_owned(),
        });
    };
    let file = facts.parsed().ok();
    if let Some(there) = file.as_ref().and_then(|file| file.runtime(name))
        && there != serde_json::json!({ "path": path })
    {
        let place = facts.daemon_json.display();
        return Err(differs(
            name,
            &format!("{place} wins over flags, and"),
            &there.to_string(),
            entry,
        ));
    }
    let flags = command.flags();
    let same = flags
        .iter()
        .find(|flag| flag.runtime().is_some_and(|(one, _)| one == name));
    if let Some(flag) = same {
        let place = flag.shown_place();
        match flag.runtime() {
            Some((_, there)) if there == path => return Ok(()),
            _ if !replace => return Err(differs(name, &place, &flag.value, entry)),
            _ if !command.remove(flag) => return Err(in_variable(flag)),
            _ => {}
        }
    }
    command
        .add("add-runtime", &format!("{name}={path}"))
        .map_err(said)
}

fn set_default(
    facts: &DockerFacts,
    command: &mut CommandLine,
    name: &str,
) -> Result<(), PlanError> {
    if facts.parsed().is_ok_and(|file| file.has("default-runtime")) {
        return Err(PlanError::Key {
            message: format!(
                "{} has `default-runtime`: with the flag --default-runtime as well docker does not start (\"specified both as a flag and in the configuration file\"), even if both say the same",
                facts.daemon_json.display()
            ),
            hint: "use --by daemon-json, which changes the key there".to_owned(),
        });
    }
    let is_default = |flag: &&Flag| flag.name == "default-runtime";
    while let Some(flag) = command.flags().iter().find(is_default) {
        if flag.value == name && command.flags().iter().filter(is_default).count() == 1 {
            return Ok(());
        }
        if !command.remove(flag) {
            return Err(in_variable(flag));
        }
    }
    command.add("default-runtime", name).map_err(said)
}

fn in_variable(flag: &Flag) -> PlanError {
    PlanError::Key {
        message: format!(
            "{} says --{}={}, in a variable that ExecStart= uses",
            flag.shown_place(),
            flag.name,
            flag.value
        ),
        hint: "take it out of there first".to_owned(),
    }
}

fn said(error: impl std::fmt::Display) -> PlanError {
    PlanError::Command(error.to_string())
}

/// Returns the drop-in whose command is in force then, and its bytes before.
fn drop_in(
    root: &HostRoot,
    facts: &DockerFacts,
    command: &CommandLine,
) -> Result<(UnitFile, Option<Vec<u8>>), PlanError> {
    for name in DROP_IN_NAMES {
        let path = Path::new(DROP_INS).join(name);
        let there = UnitFile::read(root, &path)?;
        let before = there.as_ref().map(|file| file.text.clone().into_bytes());
        let mut file = match there {
            Some(file) => file,
            None => UnitFile::of(&path, header(facts).into_bytes())?,
        };
        file.set_exec_start(command.value())?;
        let unit = facts.unit.with(file.clone());
        let found = unit.exec_start().ok().flatten();
        if found.is_some_and(|found| found.value == command.value()) {
            return Ok((file, before));
        }
    }
    Err(PlanError::Command(format!(
        "a drop-in after {} says ExecStart= again",
        DROP_IN_NAMES[1]
    )))
}

fn header(facts: &DockerFacts) -> String {
    let mut text =
        String::from("# Written by `kata-ci docker apply`; `kata-ci docker revert` removes it.\n");
    if let Ok(Some(command)) = facts.unit.exec_start() {
        let _ = writeln!(
            text,
            "# The command is that of {}, line {}, with flags at its end.",
            command.file.display(),
            command.line
        );
    }
    text.push('\n');
    text
}
