//! The rules that docker applies to its configuration when it starts, and those that show only when
//! a container runs. `dockerd --validate` knows a part of the first ones.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::daemon_json::{DaemonJson, DaemonJsonError};
use super::facts::DockerFacts;
use super::kata::{Runtime, RuntimeKind};
use crate::env::Environment;
use crate::host::root::HostRoot;
use crate::probe::{at_least, dotted};

/// The effect of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Docker does not start.
    DoesNotStart,
    /// Docker starts, and runs of containers fail, or run under another runtime.
    RunsFail,
    /// Docker does something else than what is written.
    Surprises,
}

/// A problem of docker's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The effect.
    pub effect: Effect,
    /// The place and the words, in one line.
    pub message: String,
    /// The way out.
    pub fix: String,
}

/// Keys of `daemon.json` in the versions from 20.10 on.
const KEYS: &str = "add-runtime allow-direct-routing allow-nondistributable-artifacts api-cors-header \
    authorization-plugins bip bip6 bridge bridge-accept-fwmark builder cdi-spec-dirs cgroup-parent \
    cluster-advertise cluster-store cluster-store-opts config-file containerd containerd-namespace \
    containerd-plugins-namespace containerd-plugin-namespace cpu-rt-period cpu-rt-runtime cri-containerd data-root debug \
    default-address-pools default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode \
    default-network-opts default-runtime default-shm-size default-ulimits deprecated-key-path dns dns-opts \
    dns-search exec-opts exec-root experimental features firewall-backend fixed-cidr fixed-cidr-v6 graph group hosts \
    host-gateway-ip host-gateway-ips http-proxy https-proxy icc init init-path insecure-registries ip ip-forward \
    ip-forward-no-drop ip-masq ip6tables iptables ipv6 labels live-restore log-driver log-format log-level log-opts \
    max-concurrent-downloads max-concurrent-uploads max-download-attempts metrics-addr mtu \
    network-control-plane-mtu network-diagnostic-port no-new-privileges no-proxy node-generic-resources \
    oom-score-adjust pidfile proxies raw-logs registry-mirrors rootless runtimes seccomp-profile selinux-enabled \
    shutdown-timeout storage-driver storage-opts swarm-default-advertise-addr tls tlscacert tlscert tlskey tlsverify \
    userland-proxy userland-proxy-path userns-remap validate allow-nondistributable-artifacts";

/// Checks the configuration of docker on a host.
pub fn problems(root: &HostRoot, environment: &Environment, facts: &DockerFacts) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Err(error) = &facts.command {
        found.push(problem(
            Effect::DoesNotStart,
            error,
            "correct it; `systemd-analyze verify docker.service` checks",
        ));
    }
    let place = facts.daemon_json.display().to_string();
    let file = match facts.parsed() {
        Ok(file) => file,
        Err(error) => {
            found.push(unreadable(&place, &error));
            return found;
        }
    };
    found.extend(unknown_keys(&file, &place));
    found.extend(keys_in_flags(facts, &file, &place));
    found.extend(default_runtime(facts, &file, &place));
    found.extend(storage_driver(facts, &file, &place));
    for (name, entry) in runtimes(&file) {
        found.extend(runtime(root, environment, facts, &name, &entry, &place));
    }
    found
}

fn problem(effect: Effect, message: impl Into<String>, fix: impl Into<String>) -> Problem {
    Problem {
        effect,
        message: message.into(),
        fix: fix.into(),
    }
}

fn unreadable(place: &str, error: &DaemonJsonError) -> Problem {
    let effect = match error {
        DaemonJsonError::Twice { .. } => Effect::Surprises,
        _ => Effect::DoesNotStart,
    };
    problem(
        effect,
        format!("{place}: {error}"),
        format!("correct {place}"),
    )
}

fn runtimes(file: &DaemonJson) -> Vec<(String, Value)> {
    let value = file.value();
    let all = value.get("runtimes").and_then(Value::as_object);
    let all = all.into_iter().flatten();
    all.map(|(name, entry)| (name.clone(), entry.clone()))
        .collect()
}

fn unknown_keys(file: &DaemonJson, place: &str) -> Option<Problem> {
    let value = file.value();
    let known: Vec<_> = KEYS.split_whitespace().collect();
    let keys = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str());
    let unknown: Vec<_> = keys.filter(|key| !known.contains(key)).collect();
    if unknown.is_empty() {
        return None;
    }
    let fix = match known
        .iter()
        .find(|one| one.eq_ignore_ascii_case(unknown[0]))
    {
        Some(one) => format!("write `{one}`"),
        None => format!("take it out of {place}, or see `dockerd --help`"),
    };
    let words = format!("{place}: no option of docker's: {}", unknown.join(", "));
    Some(problem(Effect::DoesNotStart, words, fix))
}

/// Finds keys that stand in a flag too. Runtimes are merged instead.
fn keys_in_flags(facts: &DockerFacts, file: &DaemonJson, place: &str) -> Vec<Problem> {
    let mut found: Vec<Problem> = Vec::new();
    for flag in facts.flags() {
        let key = flag.key();
        if key != "runtimes" && file.has(key) {
            let message = format!(
                "`{key}` is said twice, by --{} in {} and in {place}: docker does not start, even if both say the same",
                flag.name,
                flag.shown_place()
            );
            let fix = match key {
                "hosts" => {
                    "take `hosts` out of the file; a drop-in with ExecStart= changes the flag"
                        .to_owned()
                }
                _ => format!("take one of them out: {place} is the easier place"),
            };
            found.push(problem(Effect::DoesNotStart, message, fix));
        }
        if let Some((name, path)) = flag.runtime()
            && let Some(there) = file.runtime(&name)
            && there != serde_json::json!({ "path": path })
        {
            let message = format!(
                "the runtime `{name}` is {there} in {place}, and {path} by --add-runtime in {}: the file wins, without a word",
                flag.shown_place()
            );
            found.push(problem(Effect::Surprises, message, "take one of them out"));
        }
    }
    found.dedup();
    found
}

fn default_runtime(facts: &DockerFacts, file: &DaemonJson, place: &str) -> Option<Problem> {
    let of_flag = facts.flag("default-runtime");
    let of_file = file.default_runtime().map(|name| (name, place.to_owned()));
    let (name, place) =
        of_file.or_else(|| of_flag.map(|flag| (flag.value.clone(), flag.shown_place())))?;
    let is_stock = ["", "runc", "io.containerd.runc.v2"].contains(&name.as_str());
    let by_flag = facts
        .flags()
        .iter()
        .any(|flag| flag.runtime().is_some_and(|(one, _)| one == name));
    let is_shim = !name.contains('/') && !name.starts_with('.') && name.contains('.');
    let knows_shims = facts
        .version
        .as_deref()
        .is_none_or(|version| at_least(version, &[23]));
    if is_stock || by_flag || file.runtime(&name).is_some() || (is_shim && knows_shims) {
        return None;
    }
    Some(problem(
        Effect::DoesNotStart,
        format!("{place}: the default runtime `{name}` is not one of the runtimes"),
        "kata-ci docker apply --default, or take it out",
    ))
}

fn storage_driver(facts: &DockerFacts, file: &DaemonJson, place: &str) -> Option<Problem> {
    let value = file.value();
    let flag = facts.flag("storage-driver").map(|flag| flag.value);
    let driver = value
        .get("storage-driver")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .or(flag)?;
    let is_gone = facts
        .version
        .as_deref()
        .is_none_or(|version| at_least(version, &[25]));
    (driver == "devicemapper").then(|| {
        let effect = match is_gone {
            true => Effect::DoesNotStart,
            false => Effect::Surprises,
        };
        let words = format!("{place}: the storage driver devicemapper is not in docker 25 and later, nor in many packages of older ones; kata does not need it");
        problem(effect, words, "take `storage-driver` out: docker takes overlay2")
    })
}

/// Checks an entry of `runtimes`.
fn runtime(
    root: &HostRoot,
    environment: &Environment,
    facts: &DockerFacts,
    name: &str,
    entry: &Value,
    place: &str,
) -> Vec<Problem> {
    let key = |wanted: &str| {
        let all = entry.as_object().into_iter().flatten();
        // Go takes keys of whatever case here.
        let mut found = all.filter(|(key, _)| key.eq_ignore_ascii_case(wanted));
        let value = found.next().and_then(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let place = format!("{place}: the runtime `{name}`");
    if name == "runc" {
        let words = format!("{place} has a name that belongs to docker");
        return vec![problem(Effect::DoesNotStart, words, "give it another name")];
    }
    let is_new = facts
        .version
        .as_deref()
        .is_none_or(|version| at_least(version, &[23]));
    let effect = if is_new {
        Effect::DoesNotStart
    } else {
        Effect::RunsFail
    };
    match (key("path"), key("runtimeType")) {
        (None, None) => vec![problem(
            effect,
            format!("{place} has neither `path` nor `runtimeType`"),
            "kata-ci docker apply --replace",
        )],
        (Some(_), Some(_)) => vec![problem(
            effect,
            format!("{place} has `path` and `runtimeType`"),
            "kata-ci docker apply --replace",
        )],
        (Some(path), None) => path_runtime(root, environment, &place, Path::new(&path))
            .into_iter()
            .collect(),
        (None, Some(shim)) => shim_runtime(root, facts, &place, &shim)
            .into_iter()
            .collect(),
    }
}

fn path_runtime(
    root: &HostRoot,
    environment: &Environment,
    place: &str,
    path: &Path,
) -> Option<Problem> {
    let shown = path.display();
    if path.is_absolute() && !root.has_program(path) {
        let words = format!("{place} is {shown}, which is no program");
        return Some(problem(
            Effect::RunsFail,
            words,
            "install it, or correct the path",
        ));
    }
    let kind = Runtime::of(root, path, environment)?.kind;
    if kind == RuntimeKind::CommandLine {
        return None;
    }
    let words = format!(
        "{place} is {shown} by `path`, which is for kata 1: that of kata 2 and later has no `create` (`Invalid command \"create\"`)"
    );
    Some(problem(
        Effect::RunsFail,
        words,
        "kata-ci docker apply --replace",
    ))
}

fn shim_runtime(root: &HostRoot, facts: &DockerFacts, place: &str, shim: &str) -> Option<Problem> {
    if let Some(version) = facts
        .version
        .as_deref()
        .filter(|version| !at_least(version, &[24]))
    {
        let words = format!(
            "{place} has `runtimeType`, which docker {} ignores: the containers run under runc",
            dotted(version)
        );
        return Some(problem(
            Effect::RunsFail,
            words,
            "docker 24 or newer, or kata 1 with `path`",
        ));
    }
    let is_there = match shim.starts_with('/') {
        true => root.has_program(Path::new(shim)),
        false => shim_programs(shim)
            .iter()
            .any(|path| root.has_program(Path::new(path))),
    };
    (!is_there).then(|| {
        let words = format!("{place} is the shim {shim}, which is not installed");
        problem(
            Effect::RunsFail,
            words,
            "install it, or correct `runtimeType`",
        )
    })
}

/// Returns the places of a shim that is known by its name: `io.containerd.kata.v2` is
/// `containerd-shim-kata-v2` on containerd's PATH.
fn shim_programs(name: &str) -> Vec<String> {
    let mut parts = name.rsplit('.');
    let (Some(version), Some(kind)) = (parts.next(), parts.next()) else {
        return Vec::new();
    };
    let directories = [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
    ];
    directories
        .iter()
        .map(|directory| format!("{directory}/containerd-shim-{kind}-{version}"))
        .collect()
}

#[cfg(test)]
mod tests;
