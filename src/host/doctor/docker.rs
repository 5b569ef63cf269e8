//! docker, by the rules of `kata-ci docker`.

use super::check::Checks;
use super::host::Host;
use crate::host::docker::{
    DockerFacts, DockerStatus, Effect, KataEntry, Problem, RuntimeKind, UnitError, show,
};

/// The program, wherever distributions put it.
const PROGRAMS: [&str; 2] = ["/usr/bin/dockerd", "/usr/sbin/dockerd"];
const SOCKETS: [&str; 2] = ["/run/docker.sock", "/var/run/docker.sock"];

/// The findings about docker.
#[derive(Debug, Default)]
pub(super) struct Docker {
    /// True if it is there.
    pub is_there: bool,
    /// True if it has kata.
    pub has_kata: bool,
    /// The command that registers kata.
    pub register: Option<String>,
    /// The reason why this docker cannot have this kata.
    pub no_pair: Option<String>,
    /// True if what it has could not be asked.
    pub is_unasked: bool,
}

pub(super) fn examine(host: &Host<'_>, checks: &mut Checks) -> Docker {
    let is_there =
        host.ask.program("dockerd").is_some() || PROGRAMS.iter().any(|path| host.files.has(path));
    let mut found = Docker {
        is_there,
        ..Docker::default()
    };
    if !is_there {
        return found;
    }
    let root = &host.files;
    match DockerFacts::of(root, &host.environment, None, None) {
        Ok(facts) => judge(
            host,
            &show(root, &host.environment, &facts),
            &mut found,
            checks,
        ),
        Err(error) => {
            found.is_unasked = true;
            match error {
                UnitError::Read { .. } => checks.unasked("docker", error.to_string()),
                _ => checks.cannot(
                    "docker-starts",
                    error.to_string(),
                    "systemd-analyze verify docker.service",
                ),
            }
        }
    }
    found
}

fn judge(host: &Host<'_>, status: &DockerStatus, found: &mut Docker, checks: &mut Checks) {
    let mut is_broken = false;
    for problem in &status.problems {
        is_broken |= add(host, problem, checks);
    }
    let kata_of_runtimes = (status.runtimes.iter())
        .filter(|one| one.entry.to_string().contains("kata"))
        .map(|one| one.name.as_str());
    let default = status
        .default_runtime
        .as_ref()
        .map(|said| said.value.as_str());
    let default = default.filter(|name| name.contains("kata"));
    let mut names: Vec<_> = kata_of_runtimes.chain(default).collect();
    names.sort_unstable();
    names.dedup();
    found.has_kata = !names.is_empty();
    let version = status
        .docker
        .as_deref()
        .unwrap_or("of a version that it does not tell");
    match &status.kata_entry {
        // It needs no entry: the shim's own name is enough.
        Some(KataEntry::Name(name)) if !found.has_kata && is_on_path(host) => {
            found.has_kata = true;
            checks.can(
                "docker",
                format!("docker {version} has kata by the name {name}"),
            );
        }
        Some(KataEntry::None(reason)) => found.no_pair = Some(reason.clone()),
        Some(_) => {
            let apply = host.as_root("kata-ci docker apply");
            found.register = Some(format!(
                "{apply} && {}",
                host.as_root("systemctl reload docker")
            ));
        }
        None => {}
    }
    if names.is_empty() {
        return;
    }
    if !is_broken {
        checks.can(
            "docker",
            format!(
                "docker {version} has kata as the runtime {}",
                names.join(", ")
            ),
        );
    }
    if !SOCKETS.iter().any(|path| host.files.has(path)) {
        checks.cannot(
            "docker-runs",
            format!("docker does not run: there is no {}", SOCKETS[0]),
            host.as_root("systemctl start docker"),
        );
    }
    let is_helper = status
        .kata
        .as_ref()
        .is_some_and(|kata| kata.kind == RuntimeKind::Helper);
    if is_helper {
        found.no_pair = None;
    }
}

fn is_on_path(host: &Host<'_>) -> bool {
    let mut directories = super::shim::PATH.iter();
    directories.any(|directory| {
        host.files
            .has(format!("{directory}/containerd-shim-kata-v2"))
    })
}

/// Adds a problem. Returns true if it keeps kata from being started.
fn add(host: &Host<'_>, problem: &Problem, checks: &mut Checks) -> bool {
    let fix = match problem.fix.strip_prefix("kata-ci docker apply") {
        Some(options) => format!(
            "{} && {}",
            host.as_root(&format!(
                "kata-ci docker apply{}",
                options.split(',').next().unwrap_or_default()
            )),
            host.as_root("systemctl reload docker")
        ),
        None => format!("kata-ci docker show  # {}", problem.fix),
    };
    let is_of_kata = problem.message.contains("kata");
    match problem.effect {
        Effect::DoesNotStart => checks.cannot("docker-starts", &problem.message, fix),
        Effect::RunsFail if is_of_kata => checks.cannot("docker-entry", &problem.message, fix),
        // A runtime that is not kata's.
        Effect::RunsFail | Effect::Surprises => {
            checks.note("docker-surprise", &problem.message, fix);
            return false;
        }
    }
    true
}
