//! Finds the sandbox that is meant by a name: an id, the beginning of one, a name that docker or
//! CRI has for it, or a container in it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::sandboxes::{Sandbox, named};
use crate::env::Environment;
use crate::model::CommandError;
use crate::probe::Probe;

/// The time that docker and crictl have.
const PATIENCE: Duration = Duration::from_secs(4);

/// The most ids that are listed.
const LISTED: usize = 20;

/// Returns the sandbox that a name means.
///
/// # Errors
/// When it means none, several, or a container: the message tells the ids.
pub(super) fn find<'a>(
    all: &'a [Sandbox],
    name: &str,
    environment: &Environment,
) -> Result<&'a Sandbox, CommandError> {
    match named(all, name).as_slice() {
        [one] => return Ok(one),
        [] => {}
        several => {
            let ids = several.iter().map(|sandbox| sandbox.id.as_str());
            let message = format!(
                "{} sandboxes begin with `{name}`: {}",
                several.len(),
                listed(ids)
            );
            return Err(CommandError::usage(message).hint("give more of the id"));
        }
    }
    if let Some(id) = docker_id(name, environment) {
        return all.iter().find(|sandbox| sandbox.id == id).ok_or_else(|| {
            let message = format!("docker knows `{name}` as {id}, which is no sandbox of kata here");
            let hint = "it has ended, or runs under another runtime: `docker inspect --format '{{.HostConfig.Runtime}}' ID`";
            CommandError::usage(message).hint(hint)
        });
    }
    let pods = cri(&["pods", "--no-trunc", "-o", "json"], environment);
    if let Some(pod) = pods.as_ref().and_then(|pods| entry(pods, "items", name))
        && let Some(sandbox) = all.iter().find(|sandbox| pod["id"] == sandbox.id.as_str())
    {
        return Ok(sandbox);
    }
    let containers = cri(&["ps", "--all", "--no-trunc", "-o", "json"], environment);
    if let Some(container) = containers
        .as_ref()
        .and_then(|found| entry(found, "containers", name))
        && let Some(sandbox) = container["podSandboxId"].as_str()
    {
        let message = format!("`{name}` is a container of the sandbox {sandbox}");
        return Err(CommandError::usage(message).hint(format!("kata-ci console {sandbox}")));
    }
    Err(unknown(all, name))
}

fn unknown(all: &[Sandbox], name: &str) -> CommandError {
    let hint = match all.is_empty() {
        true => "there is no sandbox of kata here; ids are those of `crictl pods`, or with docker the whole id of the container (`docker ps --no-trunc`)".to_owned(),
        false => format!(
            "it wants the id of a sandbox (`crictl pods`, not a container's of `crictl ps`); there are {}",
            listed(all.iter().map(|sandbox| sandbox.id.as_str()))
        ),
    };
    CommandError::usage(format!("no sandbox is named `{name}`")).hint(hint)
}

fn listed<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let ids: Vec<&str> = ids.collect();
    let more = ids.len().saturating_sub(LISTED);
    let shown = ids[..ids.len() - more].join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Returns the whole id that docker has for a name.
fn docker_id(name: &str, environment: &Environment) -> Option<String> {
    let format = "{{.ID}}\t{{.Names}}";
    let text = output(
        "docker",
        &["ps", "--all", "--no-trunc", "--format", format],
        environment,
    )?;
    let wanted = name.trim_start_matches('/');
    text.lines().find_map(|line| {
        let (id, names) = line.split_once('\t')?;
        let is_named = names.split(',').any(|known| known == wanted);
        (is_named || id.starts_with(wanted)).then(|| id.to_owned())
    })
}

fn cri(arguments: &[&str], environment: &Environment) -> Option<Value> {
    serde_json::from_str(&output("crictl", arguments, environment)?).ok()
}

/// Returns the only entry of a list with this name, or whose id begins with it.
fn entry<'a>(list: &'a Value, key: &str, name: &str) -> Option<&'a Value> {
    let entries = list[key].as_array()?;
    let is_meant = |entry: &&Value| {
        let is_named = entry["metadata"]["name"] == name;
        is_named || entry["id"].as_str().is_some_and(|id| id.starts_with(name))
    };
    let mut found = entries.iter().filter(is_meant);
    found.next().filter(|_| found.next().is_none())
}

fn output(program: &str, arguments: &[&str], environment: &Environment) -> Option<String> {
    let path = environment.find_program(program)?;
    let probe = Probe {
        program: &path,
        arguments: arguments.iter().map(|word| (*word).into()).collect(),
        directory: Path::new("/"),
        environment,
        deadline: PATIENCE,
    };
    let answer = probe.run().ok().filter(|answer| answer.status.success())?;
    Some(String::from_utf8_lossy(&answer.output).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::console::sandboxes::Runtime;
    use std::os::unix::fs::PermissionsExt;

    fn sandboxes(ids: &[&str]) -> Vec<Sandbox> {
        let sandbox = |id: &&str| Sandbox {
            id: (*id).to_owned(),
            runtime: Runtime::Go,
            console: None,
            monitor: None,
            hybrid: None,
        };
        ids.iter().map(sandbox).collect()
    }

    #[test]
    fn a_name_means_one_sandbox_or_the_message_tells_which() {
        let place = tempfile::tempdir().unwrap();
        let program = |name: &str, script: &str| {
            let path = place.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        };
        program("docker", "printf 'abcd12\\tweb\\nffff99\\tplain\\n'");
        program(
            "crictl",
            r#"case $1 in pods) echo '{"items":[{"id":"eeee77","metadata":{"name":"pod"}}]}';;
            ps) echo '{"containers":[{"id":"c0ffee","podSandboxId":"eeee77","metadata":{"name":"app"}}]}';; esac"#,
        );
        let environment = Environment::from([("PATH".into(), place.path().as_os_str().to_owned())]);
        let all = sandboxes(&["abcd12", "abce34", "eeee77"]);
        let meant = |name: &str| match find(&all, name, &environment) {
            Ok(sandbox) => sandbox.id.clone(),
            Err(error) => format!("{error} / {}", error.hints.join(" ")),
        };
        assert_eq!(meant("abcd"), "abcd12");
        assert_eq!(meant("web"), "abcd12");
        assert_eq!(meant("pod"), "eeee77");
        assert!(meant("abc").starts_with("2 sandboxes begin with `abc`: abcd12, abce34"));
        assert!(meant("plain").contains("docker knows `plain` as ffff99"));
        assert_eq!(
            meant("c0ff"),
            "`c0ff` is a container of the sandbox eeee77 / kata-ci console eeee77"
        );
        assert!(meant("app").contains("of the sandbox eeee77"));
        assert!(
            meant("nothing").contains("crictl pods") && meant("nothing").contains("abcd12, abce34")
        );
    }
}
