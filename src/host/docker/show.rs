//! Docker and kata on a host, as they are.

use serde::Serialize;
use serde_json::Value;

use super::change::{Record, Records};
use super::facts::DockerFacts;
use super::kata::Runtime;
use super::pair::{Way, way};
use super::rules::{Problem, problems};
use crate::env::Environment;
use crate::host::root::HostRoot;
use crate::probe::dotted;

/// The answer of `kata-ci docker show`.
#[derive(Debug, Serialize)]
pub struct DockerStatus {
    /// The version of docker, if it is known.
    pub docker: Option<String>,
    /// The command that starts it, and the place that says so.
    pub exec_start: Option<Said>,
    /// The files of the unit, in the order of systemd.
    pub unit_files: Vec<String>,
    /// The path of `daemon.json`.
    pub daemon_json: String,
    /// True if that file is there.
    pub has_daemon_json: bool,
    /// The runtimes besides docker's own.
    pub runtimes: Vec<NamedRuntime>,
    /// The default runtime, and the place that says so. `None` for docker's own.
    pub default_runtime: Option<Said>,
    /// The kata that was found.
    pub kata: Option<Runtime>,
    /// The way from this docker to this kata, or the reason why there is none.
    pub kata_entry: Option<KataEntry>,
    /// The problems.
    pub problems: Vec<Problem>,
    /// The changes of kata-ci's that can be taken back, the oldest one first.
    pub changes: Vec<Record>,
}

/// A value, and the place that says it.
#[derive(Debug, Serialize)]
pub struct Said {
    /// The value.
    pub value: String,
    /// The file and line.
    pub place: String,
}

/// A runtime that docker knows.
#[derive(Debug, Serialize)]
pub struct NamedRuntime {
    /// The name.
    pub name: String,
    /// The entry of `daemon.json`, or that which a flag stands for.
    pub entry: Value,
    /// The file and line.
    pub place: String,
}

/// The entry that kata needs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KataEntry {
    /// An entry of `runtimes`.
    Entry(Value),
    /// The name of the shim, without an entry.
    Name(String),
    /// There is none: the reason.
    None(String),
}

/// Looks at docker and kata on a host.
pub fn show(root: &HostRoot, environment: &Environment, facts: &DockerFacts) -> DockerStatus {
    let kata = Runtime::find(root, environment);
    let exec_start = facts.unit.exec_start().ok().flatten();
    DockerStatus {
        docker: facts.version.as_deref().map(dotted),
        exec_start: exec_start.map(|command| Said {
            place: format!("{}:{}", command.file.display(), command.line),
            value: command.value,
        }),
        unit_files: facts
            .unit
            .files()
            .iter()
            .map(|file| file.path.display().to_string())
            .collect(),
        daemon_json: facts.daemon_json.display().to_string(),
        has_daemon_json: facts.bytes.is_some(),
        runtimes: runtimes(facts),
        default_runtime: default_runtime(facts),
        kata_entry: kata.as_ref().map(|kata| kata_entry(kata, facts)),
        kata,
        problems: problems(root, environment, facts),
        changes: Records::list(root),
    }
}

fn kata_entry(kata: &Runtime, facts: &DockerFacts) -> KataEntry {
    match way(kata, facts.version.as_deref()) {
        Ok(Way::Entry(entry)) => {
            let (key, value) = entry.parts();
            KataEntry::Entry(serde_json::json!({ key: value }))
        }
        Ok(Way::ShimName) => KataEntry::Name(super::pair::SHIM_NAME.to_owned()),
        Err(none) => KataEntry::None(none.to_string()),
    }
}

/// Returns the runtimes of the file, and those of flags that the file does not name.
fn runtimes(facts: &DockerFacts) -> Vec<NamedRuntime> {
    let value = facts.parsed().map(|file| file.value()).unwrap_or_default();
    let all = value
        .get("runtimes")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let of_file = all.map(|(name, entry)| NamedRuntime {
        name: name.clone(),
        entry: entry.clone(),
        place: facts.daemon_json.display().to_string(),
    });
    let mut found: Vec<_> = of_file.collect();
    for flag in facts.flags() {
        if let Some((name, path)) = flag.runtime()
            && !found.iter().any(|one| one.name == name)
        {
            found.push(NamedRuntime {
                name,
                entry: serde_json::json!({ "path": path }),
                place: flag.shown_place(),
            });
        }
    }
    found
}

fn default_runtime(facts: &DockerFacts) -> Option<Said> {
    let of_file = facts.parsed().ok().and_then(|file| file.default_runtime());
    if let Some(value) = of_file {
        let place = facts.daemon_json.display().to_string();
        return Some(Said { value, place });
    }
    let flag = facts.flag("default-runtime")?;
    Some(Said {
        place: flag.shown_place(),
        value: flag.value,
    })
}
