//! containerd, by its own reading of its configuration: `containerd config dump`.
//!
//! The files are read too, but only to tell what the daemon leaves out of them: an older one lets
//! an imported file replace a whole section, drops the tables of a later version, and imports no
//! `conf.d`.

use toml::{Table, Value};

use super::check::Checks;
use super::host::{Asked, Host, Unasked};
use super::shim::{self, Handler};
use crate::probe::{at_least, dotted, quoted, version_in};

/// The configuration, unless the unit says otherwise.
const USUAL: &str = "/etc/containerd/config.toml";
const CONF_D: &str = "/etc/containerd/conf.d";

/// A containerd: its own, or that of a distribution of kubernetes.
struct Place {
    program: &'static str,
    configuration: &'static str,
    socket: &'static str,
    unit: &'static str,
}

const PLACES: [Place; 4] = [
    Place {
        program: "containerd",
        configuration: USUAL,
        socket: "/run/containerd/containerd.sock",
        unit: "containerd",
    },
    Place {
        program: "/var/lib/rancher/k3s/data/current/bin/containerd",
        configuration: "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
        socket: "/run/k3s/containerd/containerd.sock",
        unit: "k3s",
    },
    Place {
        program: "/var/lib/rancher/rke2/bin/containerd",
        configuration: "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
        socket: "/run/k3s/containerd/containerd.sock",
        unit: "rke2-server",
    },
    Place {
        program: "/var/lib/k0s/bin/containerd",
        configuration: "/etc/k0s/containerd.toml",
        socket: "/run/k0s/containerd.sock",
        unit: "k0scontroller",
    },
];

/// The findings about the daemons of this kind.
#[derive(Debug, Default)]
pub(super) struct Containerd {
    /// True if one is there.
    pub is_there: bool,
    /// True if docker could use it, and nobody else does: its part for kubernetes is off.
    pub is_without_cri: bool,
    /// Kata's handlers.
    pub handlers: Vec<Handler>,
    /// The command that registers kata.
    pub register: Option<String>,
    /// True if what it has could not be asked.
    pub is_unasked: bool,
}

/// The configuration as the daemon has it.
#[derive(Debug)]
struct Facts {
    name: &'static str,
    unit: &'static str,
    version: Vec<u32>,
    file: &'static str,
    dump: Table,
    /// The main file, if there is one.
    main: Option<Table>,
    /// The files of `conf.d`.
    drop_ins: Vec<(String, Table)>,
}

pub(super) fn examine(host: &Host<'_>, checks: &mut Checks) -> Containerd {
    let mut found = Containerd::default();
    for place in &PLACES {
        let is_there = match place.program.starts_with('/') {
            true => host.files.has(place.configuration),
            false => host.ask.program(place.program).is_some(),
        };
        if is_there {
            found.is_there = true;
            match Facts::of(host, place, checks) {
                Some(facts) => judge(host, &facts, place, &mut found, checks),
                None => found.is_unasked = true,
            }
        }
    }
    found
}

impl Facts {
    /// Asks the daemon; a fault is added, and leaves no facts.
    fn of(host: &Host<'_>, place: &Place, checks: &mut Checks) -> Option<Self> {
        let told = checks.answer("containerd", host.say(place.program, &["--version"]))?;
        let told = told.map(|said| said.output).unwrap_or_default();
        // `containerd github.com/containerd/containerd v2.1.4 …`, and Debian's `1.6.20~ds1`.
        let version = version_in(&told.replace(" v", " ").replace('~', " "));
        let arguments = ["--config", place.configuration, "config", "dump"];
        let has_file = checks
            .answer("containerd", host.files.kind(place.configuration))?
            .is_some();
        let arguments = match has_file {
            true => arguments.as_slice(),
            false => &arguments[2..],
        };
        let main = text(host, place.configuration, checks)?;
        let dump = match checks.answer("containerd", host.say(place.program, arguments))? {
            Some(said) if said.is_success => said.output,
            Some(said) => {
                checks.cannot(
                    "containerd-config",
                    format!(
                        "{} does not take {}: {}",
                        place.program, place.configuration, said.complaint
                    ),
                    format!(
                        "{} --config {} config dump > /dev/null",
                        place.program, place.configuration
                    ),
                );
                return None;
            }
            // Its program is not where it was thought to be: the file itself is read.
            None => main.clone().unwrap_or_default(),
        };
        let parsed = dump.parse::<Table>().map_err(|error| {
            Unasked(format!(
                "the answer of `containerd config dump` is not TOML: {}",
                error.message()
            ))
        });
        let mut drop_ins = Vec::new();
        if place.configuration == USUAL {
            for path in checks.answer("containerd", host.files.files(CONF_D, ".toml"))? {
                if let Some(table) = text(host, &path, checks)?.and_then(|text| text.parse().ok()) {
                    drop_ins.push((path, table));
                }
            }
        }
        Some(Self {
            name: place.program,
            unit: place.unit,
            version: version.unwrap_or_default(),
            file: place.configuration,
            dump: checks.answer("containerd", parsed)?,
            main: main.and_then(|text| text.parse().ok()),
            drop_ins,
        })
    }
}

fn text(host: &Host<'_>, path: &str, checks: &mut Checks) -> Option<Option<String>> {
    let asked: Asked<Option<String>> = host.files.text(path);
    checks.answer("containerd", asked)
}

/// Returns a table below another one.
fn below<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Table> {
    let mut table = table;
    for key in path {
        table = table.get(*key)?.as_table()?;
    }
    Some(table)
}

/// Returns kata's handlers of a configuration of whatever version.
fn handlers(table: &Table) -> Vec<Handler> {
    let plugins = [
        "io.containerd.cri.v1.runtime",
        "io.containerd.grpc.v1.cri",
        "cri",
    ];
    let runtimes = plugins
        .iter()
        .filter_map(|plugin| below(table, &["plugins", plugin, "containerd", "runtimes"]));
    let runtimes = runtimes
        .flatten()
        .filter_map(|(name, value)| Some((name, value.as_table()?)));
    runtimes
        .filter_map(|(name, runtime)| handler(name, runtime))
        .collect()
}

fn handler(name: &str, runtime: &Table) -> Option<Handler> {
    let text = |table: &Table, key: &str| {
        let value = table.get(key)?.as_str()?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    let options = runtime
        .get("options")
        .and_then(Value::as_table)
        .cloned()
        .unwrap_or_default();
    let shim = text(runtime, "runtime_type").unwrap_or_default();
    // Kata 1 by a shim of runc.
    let binary = text(&options, "BinaryName").or_else(|| text(&options, "Runtime"));
    let is_kata = shim.contains("kata") || binary.as_deref().is_some_and(|it| it.contains("kata"));
    is_kata.then(|| Handler {
        name: name.to_owned(),
        shim,
        path: text(runtime, "runtime_path").or(binary),
        configuration: text(&options, "ConfigPath"),
    })
}

fn judge(
    host: &Host<'_>,
    facts: &Facts,
    place: &Place,
    found: &mut Containerd,
    checks: &mut Checks,
) {
    let has = handlers(&facts.dump);
    left_out(host, facts, &has, checks);
    let disabled = facts.dump.get("disabled_plugins").and_then(Value::as_array);
    let is_cri = |value: &Value| {
        value
            .as_str()
            .is_some_and(|name| name == "cri" || name.contains(".cri"))
    };
    let is_disabled = disabled.is_some_and(|names| names.iter().any(is_cri));
    let restart = host.as_root(&format!("systemctl restart {}", facts.unit));
    if is_disabled && !has.is_empty() {
        checks.cannot(
            "containerd-cri",
            format!(
                "{} has kata, and its part for kubernetes is off (disabled_plugins in {})",
                facts.name, facts.file
            ),
            format!(
                "{} && {restart}",
                host.as_root(&format!("sed -i '/^ *disabled_plugins/d' {}", facts.file))
            ),
        );
    }
    found.is_without_cri |= is_disabled && has.is_empty();
    if !has.is_empty() && !host.files.has(place.socket) {
        checks.cannot(
            "containerd-runs",
            format!("{} does not run: there is no {}", facts.name, place.socket),
            host.as_root(&format!("systemctl start {}", facts.unit)),
        );
    }
    for handler in &has {
        shim::judge(host, "containerd", handler, facts.file, checks);
    }
    if has.is_empty() && !is_disabled {
        found.register = Some(register(host, facts, &restart));
    }
    found.handlers.extend(has);
}

/// Returns the command that registers kata.
fn register(host: &Host<'_>, facts: &Facts, restart: &str) -> String {
    let is_new = at_least(&facts.version, &[2]);
    let plugin = match is_new {
        true => "io.containerd.cri.v1.runtime",
        false => "io.containerd.grpc.v1.cri",
    };
    let table = format!(
        "[plugins.\"{plugin}\".containerd.runtimes.kata]\\nruntime_type = \"io.containerd.kata.v2\"\\n"
    );
    match at_least(&facts.version, &[2, 2]) {
        true => format!(
            "{} && printf 'version = 3\\n{table}' | {} > /dev/null && {restart}",
            host.as_root(&format!("mkdir -p {CONF_D}")),
            host.as_root(&format!("tee {CONF_D}/kata.toml"))
        ),
        false => format!(
            "printf '{table}' | {} > /dev/null && {restart}",
            host.as_root(&format!("tee -a {}", facts.file))
        ),
    }
}

/// Finds handlers that stand in a file and that the daemon does not have.
fn left_out(host: &Host<'_>, facts: &Facts, has: &[Handler], checks: &mut Checks) {
    let is_lost = |handler: &Handler| !has.iter().any(|one| one.name == handler.name);
    let lost = |table: &Table| -> Vec<String> {
        handlers(table)
            .into_iter()
            .filter(is_lost)
            .map(|one| one.name)
            .collect()
    };
    let version = dotted(&facts.version);
    if let Some(main) = &facts.main {
        let names = lost(main).join(", ");
        let is_later = main
            .get("version")
            .and_then(Value::as_integer)
            .is_some_and(|it| it >= 3);
        match (names.is_empty(), is_later && !at_least(&facts.version, &[2])) {
            (true, _) => {}
            (_, true) => checks.cannot(
                "containerd-version",
                format!("containerd {version} drops the runtime {names}: {} is of version 3, which is for containerd 2", facts.file),
                format!(
                    "{} && {}",
                    host.as_root(&format!("sed -i 's/^version = 3/version = 2/; s/io.containerd.cri.v1.runtime/io.containerd.grpc.v1.cri/' {}", facts.file)),
                    host.as_root("systemctl restart containerd")
                ),
            ),
            (_, false) => checks.cannot(
                "containerd-imports",
                format!("containerd {version} drops the runtime {names} of {}: an imported file has the same section, and replaces it whole", facts.file),
                format!("grep -rln 'grpc.v1.cri' $(sed -n 's/^imports *= *\\[\\(.*\\)\\].*/\\1/p' {} | tr -d '\",')  # put the runtime into that file, too", facts.file),
            ),
        }
    }
    for (path, table) in &facts.drop_ins {
        let names = lost(table).join(", ");
        if !names.is_empty() {
            checks.cannot(
                "containerd-conf-d",
                format!("containerd {version} does not have the runtime {names} of {path}: its configuration does not import that file"),
                format!(
                    "{} && {}",
                    host.as_root(&format!("sed -i '1i imports = [\"{CONF_D}/*.toml\"]' {}", quoted(facts.file.as_ref()))),
                    host.as_root("systemctl restart containerd")
                ),
            );
        }
    }
}
