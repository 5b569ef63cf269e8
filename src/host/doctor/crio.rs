//! CRI-O, by its own reading of its configuration: `crio config`.

use toml::{Table, Value};

use super::check::Checks;
use super::host::Host;
use super::shim::{self, Handler};

const DIRECTORY: &str = "/etc/crio";
const SOCKET: &str = "/var/run/crio/crio.sock";
const SOCKET_TOO: &str = "/run/crio/crio.sock";

/// The findings about CRI-O.
#[derive(Debug, Default)]
pub(super) struct Crio {
    /// True if it is there.
    pub is_there: bool,
    /// Kata's handlers.
    pub handlers: Vec<Handler>,
    /// The command that registers kata.
    pub register: Option<String>,
    /// True if what it has could not be asked.
    pub is_unasked: bool,
}

pub(super) fn examine(host: &Host<'_>, checks: &mut Checks) -> Crio {
    let is_there = host.ask.program("crio").is_some();
    let mut found = Crio {
        is_there,
        ..Crio::default()
    };
    if !is_there {
        return found;
    }
    let said = match checks.answer("crio", host.say("crio", &["config"])) {
        Some(Some(said)) => said,
        _ => {
            found.is_unasked = true;
            return found;
        }
    };
    let table = match (said.is_success, said.output.parse::<Table>()) {
        (true, Ok(table)) => table,
        (true, Err(error)) => {
            found.is_unasked = true;
            checks.unasked(
                "crio",
                format!(
                    "the answer of `crio config` is not TOML: {}",
                    error.message()
                ),
            );
            return found;
        }
        (false, _) => {
            found.is_unasked = true;
            checks.cannot(
                "crio-config",
                format!("crio does not take its configuration: {}", said.complaint),
                "crio config > /dev/null",
            );
            return found;
        }
    };
    let runtimes = table
        .get("crio")
        .and_then(|it| it.get("runtime"))
        .and_then(|it| it.get("runtimes"));
    for (name, value) in runtimes.and_then(Value::as_table).into_iter().flatten() {
        let Some(runtime) = value.as_table() else {
            continue;
        };
        if let Some(handler) = handler(name, runtime) {
            judge(host, &handler, runtime, checks);
            found.handlers.push(handler);
        }
    }
    if !found.handlers.is_empty() && !host.files.has(SOCKET) && !host.files.has(SOCKET_TOO) {
        checks.cannot(
            "crio-runs",
            format!("CRI-O does not run: there is no {SOCKET}"),
            host.as_root("systemctl start crio"),
        );
    }
    found.register = Some(format!(
        "printf '[crio.runtime.runtimes.kata]\\nruntime_path = \"/opt/kata/bin/containerd-shim-kata-v2\"\\nruntime_type = \"vm\"\\nruntime_root = \"/run/vc\"\\nprivileged_without_host_devices = true\\n' | {} > /dev/null && {}",
        host.as_root(&format!("tee {DIRECTORY}/crio.conf.d/50-kata.conf")),
        host.as_root("systemctl restart crio")
    ));
    found
}

fn text(runtime: &Table, key: &str) -> Option<String> {
    let value = runtime.get(key)?.as_str()?;
    (!value.is_empty()).then(|| value.to_owned())
}

fn handler(name: &str, runtime: &Table) -> Option<Handler> {
    let path = text(runtime, "runtime_path");
    let is_kata =
        name.contains("kata") || path.as_deref().is_some_and(|path| path.contains("kata"));
    is_kata.then(|| Handler {
        name: name.to_owned(),
        // Without a path CRI-O looks for a program of the handler's name.
        shim: "io.containerd.kata.v2".to_owned(),
        path,
        configuration: text(runtime, "runtime_config_path"),
    })
}

fn judge(host: &Host<'_>, handler: &Handler, runtime: &Table, checks: &mut Checks) {
    let is_shim = handler
        .path
        .as_deref()
        .is_none_or(|path| path.contains("shim"));
    let kind = text(runtime, "runtime_type").unwrap_or_default();
    let file = format!("{DIRECTORY}/crio.conf.d");
    if is_shim && kind != "vm" {
        checks.cannot(
            "crio-type",
            format!(
                "CRI-O: the runtime {} has runtime_type `{kind}`, and a shim of kata needs `vm`",
                handler.name
            ),
            format!(
                "grep -rn 'runtimes.{}' {DIRECTORY}  # add runtime_type = \"vm\" below it",
                handler.name
            ),
        );
        return;
    }
    shim::judge(host, "CRI-O", handler, &file, checks);
}
