//! Prepares a runtime for a debugger, takes that back, and tells how things are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::binary::GoBinary;
use super::checks::{Check, CheckResult, Dlv, of_binary, of_dlv, of_ptrace};
use super::clients::of_rust;
use super::katadbg::{PLACE, SCRIPT, adapted};
use super::run_dir;
use super::swapper::Swapper;
use crate::env::Environment;
use crate::fs::replace;
use crate::host::docker::{
    ChangeError, DockerFacts, DockerRequest, Plan, PlanError, Records, Runtime, RuntimeKind,
    plan_entry, plan_removal,
};
use crate::host::root::HostRoot;

/// The command in the records of changes.
const COMMAND: &str = "kata-ci debug enable";

/// The request to debug a runtime.
#[derive(Debug, Clone)]
pub struct DebugRequest {
    /// The runtime, or the shim; `None` for the kata that is found.
    pub runtime: Option<PathBuf>,
    /// The name for `docker run --runtime`.
    pub name: String,
    /// The place of the swapper; `None` for `/usr/local/bin/RUNTIME.swapper`.
    pub swapper: Option<PathBuf>,
    /// The subcommands that start stopped.
    pub on: Vec<String>,
    /// The place where dlv listens.
    pub listen: String,
    /// The debugger; `None` for the one that is found.
    pub dlv: Option<PathBuf>,
    /// True to let clients of other users in.
    pub any_user: bool,
    /// True to debug a program of a Go that dlv was not made for.
    pub any_go: bool,
    /// The directory of the lock and of the logs; `None` for the usual one.
    pub run_dir: Option<PathBuf>,
    /// The socket of the system's log; `None` for the usual one.
    pub log_socket: Option<PathBuf>,
    /// A kata checkout, for its script.
    pub checkout: PathBuf,
    /// The `daemon.json`, where it is another one.
    pub daemon_json: Option<PathBuf>,
}

/// The reason why a runtime cannot be debugged.
#[derive(Debug, thiserror::Error)]
pub enum DebugError {
    /// There is no such runtime.
    #[error("{0}")]
    Runtime(String),
    /// The runtime is the helper of kata 2 or later.
    #[error(
        "{} is that of kata 2 or later, which runs no containers: the shim is what can be debugged",
        .0.display()
    )]
    Helper(PathBuf),
    /// The runtime is not one for dlv.
    #[error("{0}")]
    NotGo(String),
    /// A check says that it cannot work.
    #[error("it would not work: {}", .0.message)]
    Check(Check),
    /// A file that is no swapper has its place.
    #[error("{}: it is there already, and kata-ci did not write it", .0.display())]
    Taken(PathBuf),
    /// kata's script is not found, or is another one.
    #[error("{0}")]
    Script(String),
    /// The address is not one that dlv listens on.
    #[error("`{0}` is no place where dlv can listen")]
    Listen(String),
    /// `daemon.json` is not edited.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A file could not be changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A file could not be written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
}

impl DebugError {
    /// Returns the way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Runtime(_) => "name it: kata-ci debug enable /usr/bin/kata-runtime".to_owned(),
            Self::Helper(helper) => format!(
                "name it: kata-ci debug enable {}",
                crate::probe::quoted(&helper.with_file_name("containerd-shim-kata-v2"))
            ),
            Self::Check(check) => check.fix.clone(),
            Self::Taken(_) => "--swapper names another place".to_owned(),
            Self::Script(_) => format!(
                "-C names a checkout of kata-containers, which has {SCRIPT} (git clone https://github.com/kata-containers/kata-containers)"
            ),
            Self::Listen(_) => {
                "--listen 127.0.0.1:2345, or --listen unix:/run/kata-ci/dlv.sock".to_owned()
            }
            Self::Plan(error) => return error.hint(),
            Self::NotGo(_) | Self::Change(_) | Self::Io { .. } => return None,
        })
    }
}

/// A script that is to be written.
#[derive(Debug)]
pub struct Script {
    /// The path on the host.
    pub path: PathBuf,
    /// The content.
    pub text: String,
}

/// The preparation of a runtime for a debugger: computed, not made.
#[derive(Debug)]
pub struct DebugPlan {
    /// The checks; none is bad.
    pub checks: Vec<Check>,
    /// The script in the runtime's place.
    pub script: Script,
    /// The way of debugging.
    pub way: DebugWay,
}

/// A way of debugging.
#[derive(Debug)]
pub enum DebugWay {
    /// A swapper beside the runtime in `daemon.json`.
    Swapper {
        /// The settings of the swapper.
        swapper: Box<Swapper>,
        /// The change of `daemon.json`.
        plan: Box<Plan>,
        /// True if the program was built with -trimpath.
        is_trimmed: bool,
    },
    /// kata's own script for the Go shim.
    Katadbg {
        /// The shim.
        shim: PathBuf,
        /// The port of dlv.
        port: String,
    },
}

/// Computes the preparation.
///
/// # Errors
/// When it would not work.
pub fn plan_debug(
    root: &HostRoot,
    environment: &Environment,
    request: &DebugRequest,
    kata_ci: &Path,
) -> Result<DebugPlan, DebugError> {
    let runtime = runtime(root, environment, request)?;
    let shown = runtime.path.display().to_string();
    match runtime.kind {
        RuntimeKind::RustShim => return Err(DebugError::NotGo(of_rust(&shown))),
        RuntimeKind::Helper => return Err(DebugError::Helper(runtime.path)),
        RuntimeKind::CommandLine | RuntimeKind::GoShim => {}
    }
    checked_listen(&request.listen)?;
    let binary = binary(root, &runtime.path)?;
    let dlv = Dlv::find(root, environment, request.dlv.as_deref());
    let mut checks = of_dlv(dlv.as_ref(), &binary, request.any_go, &request.listen);
    checks.extend(of_binary(&binary));
    checks.push(of_ptrace(root));
    if let Some(bad) = checks.iter().find(|check| check.result == CheckResult::Bad) {
        return Err(DebugError::Check(bad.clone()));
    }
    let dlv = dlv.map(|dlv| dlv.path).unwrap_or_default();
    let (script, way) = match runtime.kind {
        RuntimeKind::GoShim => katadbg(request, &runtime.path, &dlv)?,
        _ => {
            let made = swapper(root, environment, request, &runtime.path, dlv, kata_ci)?;
            let (script, swapper, plan) = made;
            let is_trimmed = binary.is_trimmed;
            (
                script,
                DebugWay::Swapper {
                    swapper: Box::new(swapper),
                    plan: Box::new(plan),
                    is_trimmed,
                },
            )
        }
    };
    Ok(DebugPlan {
        checks,
        script,
        way,
    })
}

fn runtime(
    root: &HostRoot,
    environment: &Environment,
    request: &DebugRequest,
) -> Result<Runtime, DebugError> {
    let Some(path) = &request.runtime else {
        let found = Runtime::find(root, environment);
        return found.ok_or_else(|| DebugError::Runtime("no kata was found".to_owned()));
    };
    let shown = path.display();
    if !path.is_absolute() || !root.has_program(path) {
        return Err(DebugError::Runtime(format!("{shown} is no program")));
    }
    let found = Runtime::of(root, path, environment);
    found.ok_or_else(|| DebugError::Runtime(format!("nothing tells what {shown} is: its --help lists no `create`, and its --version names no shim of containerd")))
}

fn binary(root: &HostRoot, path: &Path) -> Result<GoBinary, DebugError> {
    let failed = |error| DebugError::Io {
        path: path.to_owned(),
        error,
    };
    let file = root.resolve(path).map_err(failed)?;
    GoBinary::read(&file).map_err(failed)?.ok_or_else(|| {
        DebugError::NotGo(format!(
            "{} was not built by Go, and dlv is for Go only: a script has to be replaced by the program that it starts; for crun and youki use gdb",
            path.display()
        ))
    })
}

/// Refuses places where dlv would not listen, or would listen for everybody.
fn checked_listen(listen: &str) -> Result<(), DebugError> {
    let is_socket = listen
        .strip_prefix("unix:")
        .is_some_and(|path| path.starts_with('/'));
    let is_address = listen
        .parse::<std::net::SocketAddr>()
        .is_ok_and(|address| address.port() != 0);
    match is_socket || is_address {
        true => Ok(()),
        false => Err(DebugError::Listen(listen.to_owned())),
    }
}

fn swapper(
    root: &HostRoot,
    environment: &Environment,
    request: &DebugRequest,
    runtime: &Path,
    dlv: PathBuf,
    kata_ci: &Path,
) -> Result<(Script, Swapper, Plan), DebugError> {
    let path = request.swapper.clone().unwrap_or_else(|| {
        let name = runtime.file_name().unwrap_or_default().to_string_lossy();
        PathBuf::from(format!("/usr/local/bin/{name}.swapper"))
    });
    let swapper = Swapper {
        runtime: runtime.to_owned(),
        on: request.on.clone(),
        listen: request.listen.clone(),
        dlv,
        any_user: request.any_user,
        any_go: request.any_go,
        run_dir: request.run_dir.clone(),
        log_socket: request.log_socket.clone(),
    };
    let there = root.read(&path).map_err(|error| DebugError::Io {
        path: path.clone(),
        error,
    })?;
    if there.is_some_and(|bytes| Swapper::read(&String::from_utf8_lossy(&bytes)).is_none()) {
        return Err(DebugError::Taken(path));
    }
    let docker = DockerRequest {
        daemon_json: request.daemon_json.clone(),
        ..DockerRequest::default()
    };
    let plan = plan_entry(root, environment, &request.name, &path, &docker)?;
    let text = swapper.script(kata_ci);
    Ok((Script { path, text }, swapper, plan))
}

fn katadbg(
    request: &DebugRequest,
    shim: &Path,
    dlv: &Path,
) -> Result<(Script, DebugWay), DebugError> {
    let file = request.checkout.join(SCRIPT);
    let script = fs::read_to_string(&file).map_err(|error| {
        DebugError::Script(format!(
            "kata's script for the Go shim: {}: {error}",
            file.display()
        ))
    })?;
    let text = adapted(&script, shim, dlv, &request.listen).ok_or_else(|| {
        DebugError::Script(format!(
            "{} is not the script that is known, or {} is no address with a port",
            file.display(),
            request.listen
        ))
    })?;
    let path = request.swapper.clone().unwrap_or_else(|| PLACE.into());
    let port = request
        .listen
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .to_owned();
    let shim = shim.to_owned();
    Ok((Script { path, text }, DebugWay::Katadbg { shim, port }))
}

/// Makes the preparation.
///
/// # Errors
/// When a file cannot be changed. The script may be there then; docker does not know it.
pub fn enable(root: &HostRoot, plan: &DebugPlan) -> Result<(), DebugError> {
    let Script { path, text } = &plan.script;
    let failed = |error| DebugError::Io {
        path: path.clone(),
        error,
    };
    let place = root.resolve(path).map_err(failed)?;
    replace(&place, 0o755, text.as_bytes()).map_err(failed)?;
    if let DebugWay::Swapper { plan, .. } = &plan.way
        && !plan.changes.is_empty()
    {
        let records = Records::open(root)?;
        for change in &plan.changes {
            records.apply(change, COMMAND)?;
        }
    }
    Ok(())
}

/// A runtime in `daemon.json` that is a swapper.
#[derive(Debug, serde::Serialize)]
pub struct Enabled {
    /// The name.
    pub name: String,
    /// The path of the script.
    pub path: PathBuf,
    /// The settings.
    pub swapper: Swapper,
    /// True while a runtime is being debugged.
    pub is_in_use: bool,
    /// The checks, made anew.
    pub checks: Vec<Check>,
}

/// Returns the swappers that docker knows.
pub fn enabled(root: &HostRoot, environment: &Environment, facts: &DockerFacts) -> Vec<Enabled> {
    let value = facts.parsed().map(|file| file.value()).unwrap_or_default();
    let runtimes = value.get("runtimes").and_then(serde_json::Value::as_object);
    let of_one = |(name, entry): (&String, &serde_json::Value)| {
        let path = PathBuf::from(entry.get("path")?.as_str()?);
        let bytes = root.read(&path).ok().flatten()?;
        let swapper = Swapper::read(&String::from_utf8_lossy(&bytes))?;
        Some(Enabled {
            name: name.clone(),
            path,
            is_in_use: root.is_this_machine() && is_in_use(&swapper),
            checks: checks(root, environment, &swapper),
            swapper,
        })
    };
    runtimes.into_iter().flatten().filter_map(of_one).collect()
}

fn is_in_use(swapper: &Swapper) -> bool {
    let directory = swapper.run_dir.clone().unwrap_or_else(run_dir::usual);
    directory.join("debug.lock").exists() && matches!(run_dir::lock(&directory), Ok(None))
}

fn checks(root: &HostRoot, environment: &Environment, swapper: &Swapper) -> Vec<Check> {
    let mut checks = vec![of_ptrace(root)];
    match binary(root, &swapper.runtime) {
        Ok(binary) => {
            let dlv = Dlv::find(root, environment, Some(&swapper.dlv));
            checks.extend(of_dlv(
                dlv.as_ref(),
                &binary,
                swapper.any_go,
                &swapper.listen,
            ));
            checks.extend(of_binary(&binary));
        }
        Err(error) => checks.push(Check {
            result: CheckResult::Bad,
            message: error.to_string(),
            fix: String::new(),
        }),
    }
    checks
}

/// Takes a swapper out of `daemon.json`, and removes its script. Returns the change that was made;
/// `None` if there is no swapper of this name.
///
/// # Errors
/// When a file cannot be changed.
pub fn disable(
    root: &HostRoot,
    environment: &Environment,
    facts: &DockerFacts,
    name: &str,
) -> Result<Option<Enabled>, DebugError> {
    let all = enabled(root, environment, facts).into_iter();
    let Some(found) = all.into_iter().find(|one| one.name == name) else {
        return Ok(None);
    };
    let records = Records::open(root)?;
    if !records.revert_if(&facts.daemon_json, COMMAND)? {
        for change in &plan_removal(facts, name)?.changes {
            records.apply(change, "kata-ci debug disable")?;
        }
    }
    let failed = |error| DebugError::Io {
        path: found.path.clone(),
        error,
    };
    let script = root.resolve(&found.path).map_err(failed)?;
    fs::remove_file(script).map_err(failed)?;
    Ok(Some(found))
}
