//! A handler of kata in containerd or CRI-O, and the files that it names.

use super::check::Checks;
use super::host::Host;

/// The directories of containerd's PATH as a service.
pub(super) const PATH: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// A handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handler {
    /// The name, as kubernetes and `--runtime` know it.
    pub name: String,
    /// The type, `io.containerd.kata.v2`; empty if there is none.
    pub shim: String,
    /// The path of its program, if it is given.
    pub path: Option<String>,
    /// The path of kata's configuration, if it is given.
    pub configuration: Option<String>,
}

impl Handler {
    /// Returns the program that the type names: `io.containerd.kata.v2` is
    /// `containerd-shim-kata-v2`.
    fn program(&self) -> Option<String> {
        let mut parts = self.shim.rsplit('.');
        let (version, name) = (parts.next()?, parts.next()?);
        Some(format!("containerd-shim-{name}-{version}"))
    }
}

/// Judges a handler of a daemon.
pub(super) fn judge(
    host: &Host<'_>,
    daemon: &str,
    handler: &Handler,
    file: &str,
    checks: &mut Checks,
) {
    let Handler {
        name,
        shim,
        path,
        configuration,
    } = handler;
    let mut is_whole = true;
    match (path, handler.program()) {
        (Some(path), _) if !host.files.has(path) => {
            is_whole = false;
            checks.cannot(
                "handler-program",
                format!("{daemon}: the runtime {name} is {path}, which is not there ({file})"),
                find(host, path),
            );
        }
        (Some(_), _) => {}
        (None, Some(program)) => {
            let mut places = PATH
                .iter()
                .map(|directory| format!("{directory}/{program}"));
            if !places.any(|place| host.files.has(&place)) {
                is_whole = false;
                checks.cannot(
                    "handler-program",
                    format!("{daemon}: the runtime {name} is {shim}, and {program} is not on the PATH of {daemon}"),
                    host.as_root(&format!("ln -s /opt/kata/bin/containerd-shim-kata-v2 /usr/local/bin/{program}")),
                );
            }
        }
        (None, None) => {
            is_whole = false;
            checks.cannot(
                "handler-type",
                format!("{daemon}: the runtime {name} has the type `{shim}`, which names no shim ({file})"),
                format!("${{EDITOR:-vi}} +/{name} {file}"),
            );
        }
    }
    if let Some(configuration) = configuration.as_ref().filter(|path| !host.files.has(path)) {
        is_whole = false;
        checks.cannot(
            "handler-configuration",
            format!(
                "{daemon}: the runtime {name} reads {configuration}, which is not there ({file})"
            ),
            find(host, configuration),
        );
    }
    if is_whole {
        checks.can("handler", format!("{daemon} has the runtime {name}"));
    }
}

/// Returns the command that looks for a file of this name.
fn find(host: &Host<'_>, path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    host.as_root(&format!(
        "find /opt /usr -name {}",
        crate::probe::quoted(name.as_ref())
    ))
}
