//! The table of docker and kata: which entry a pair needs, and which pairs cannot work.

use super::daemon_json::RuntimeEntry;
use super::kata::{Runtime, RuntimeKind};
use crate::probe::{at_least, dotted};

/// The name by which docker 23 and later finds kata's shim on containerd's PATH.
pub const SHIM_NAME: &str = "io.containerd.kata.v2";
/// The first docker that starts a shim by its name.
const NAMED_SHIMS: &[u32] = &[23];
/// The first docker that knows `runtimeType`.
const RUNTIME_TYPE: &[u32] = &[24];
/// The first docker that kata before [`KATA_FOR_26`] fails with.
const DOCKER_26: &[u32] = &[26];
/// The first kata for docker 26.
const KATA_FOR_26: &[u32] = &[3, 29];

/// The way in which docker gets to kata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// By an entry of `runtimes`.
    Entry(RuntimeEntry),
    /// By the name of the shim itself: no entry can say it.
    ShimName,
}

/// The reason why a pair cannot work, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoWay {
    /// The reason.
    pub reason: String,
    /// The way out.
    pub hint: String,
}

fn no_way(reason: String, hint: &str) -> NoWay {
    NoWay {
        reason,
        hint: hint.to_owned(),
    }
}

/// Returns the way from a docker of this version to the runtime.
///
/// # Errors
/// When this docker cannot start it, or the version of docker decides and is not known.
pub fn way(runtime: &Runtime, docker: Option<&[u32]>) -> Result<Way, NoWay> {
    let path = runtime.path.display();
    match runtime.kind {
        RuntimeKind::CommandLine => Ok(Way::Entry(RuntimeEntry::Path(path.to_string()))),
        RuntimeKind::Helper => Err(no_way(
            format!(
                "{path} is that of kata 2 or later: it has no `create`, so that docker fails with `OCI runtime create failed: Invalid command \"create\"`"
            ),
            "name kata's shim instead: --path /opt/kata/bin/containerd-shim-kata-v2",
        )),
        RuntimeKind::GoShim | RuntimeKind::RustShim => shim(runtime, docker),
    }
}

fn shim(runtime: &Runtime, docker: Option<&[u32]>) -> Result<Way, NoWay> {
    let Some(docker) = docker else {
        return Err(no_way(
            "which docker this is cannot be told, and its version decides how it starts the shim of kata 2 and later".to_owned(),
            "say it: --docker-version 27.0",
        ));
    };
    let said = dotted(docker);
    if !at_least(docker, NAMED_SHIMS) {
        return Err(no_way(
            format!(
                "docker {said} cannot start the shim of kata 2 and later: it takes `runtimeType` without a word, ignores it, and runs the containers under runc"
            ),
            "docker 24 or newer can; with this docker only kata 1 works (or `ctr`, `nerdctl` and kubernetes, through containerd)",
        ));
    }
    if !at_least(docker, RUNTIME_TYPE) {
        return Ok(Way::ShimName);
    }
    if at_least(docker, DOCKER_26)
        && runtime.kind == RuntimeKind::GoShim
        && runtime.is_older_than(KATA_FOR_26)
    {
        let kata = runtime.version.as_deref().unwrap_or_default();
        return Err(no_way(
            format!(
                "docker {said} needs kata 3.29 or newer, and this is kata {kata} (kata's own how-to-use-kata-with-docker.md)"
            ),
            "install kata 3.29 or newer, or docker 25",
        ));
    }
    Ok(Way::Entry(RuntimeEntry::Shim(
        runtime.path.display().to_string(),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(kind: RuntimeKind, version: &str) -> Runtime {
        Runtime {
            path: "/k".into(),
            kind,
            version: Some(version.to_owned()),
        }
    }

    #[test]
    fn each_pair_of_docker_and_kata() {
        use RuntimeKind::{CommandLine, GoShim, Helper, RustShim};
        let cases = [
            (CommandLine, "1.13.0", None, "Entry(Path(\"/k\"))"),
            (
                CommandLine,
                "1.13.0",
                Some(&[20, 10][..]),
                "Entry(Path(\"/k\"))",
            ),
            (CommandLine, "1.13.0", Some(&[29, 0]), "Entry(Path(\"/k\"))"),
            (
                Helper,
                "3.2.0",
                Some(&[29, 0]),
                "Invalid command \\\"create\\\"",
            ),
            (GoShim, "3.2.0", None, "cannot be told"),
            (
                GoShim,
                "3.2.0",
                Some(&[20, 10, 24]),
                "runs the containers under runc",
            ),
            (GoShim, "3.2.0", Some(&[23, 0]), "ShimName"),
            (GoShim, "3.2.0", Some(&[25, 0]), "Entry(Shim(\"/k\"))"),
            (
                GoShim,
                "3.2.0",
                Some(&[26, 1]),
                "needs kata 3.29 or newer, and this is kata 3.2.0",
            ),
            (GoShim, "3.29.0", Some(&[26, 1]), "Entry(Shim(\"/k\"))"),
            (RustShim, "3.2.0", Some(&[27, 0]), "Entry(Shim(\"/k\"))"),
        ];
        for (kind, version, docker, expected) in cases {
            let found = format!("{:?}", way(&runtime(kind, version), docker));
            assert!(
                found.contains(expected),
                "{kind:?} {version} {docker:?}: {found}"
            );
        }
    }
}
