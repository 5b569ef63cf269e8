//! Faults of kubernetes, CRI-O and docker.

use super::fault::{Fault, fault};
use super::healthy::{CLASSES, DAEMON_JSON, classes};
use super::made_up::MadeUp;
use crate::host::doctor::State::{Can as But, Cannot as No, CouldNotBeAsked as Unasked};

/// Replaces `daemon.json`.
macro_rules! daemon_json {
    ($text:expr) => {
        |host: MadeUp| host.file(DAEMON_JSON, $text)
    };
}

/// Faults of kubernetes.
pub const OF_K3S: &[Fault] = &[
    fault(
        "a class without a handler",
        |host| host.says(CLASSES, &classes("kata-fc")),
        "engines.class",
        No,
    ),
    fault(
        "a handler without a class",
        |host| host.says(CLASSES, r#"{"items":[]}"#),
        "engines.no-class",
        But,
    ),
    fault(
        "a cluster that does not answer",
        |host| host.fails(CLASSES, "The connection to the server was refused"),
        "engines.kubernetes",
        Unasked,
    ),
    fault(
        "a cluster that answers nonsense",
        |host| host.says(CLASSES, "{"),
        "engines.kubernetes",
        Unasked,
    ),
    fault(
        "a node without kubectl",
        |host| host.lacks("k3s"),
        "engines.kubernetes",
        Unasked,
    ),
];

/// Faults of CRI-O.
pub const OF_CRIO: &[Fault] = &[
    fault(
        "a CRI-O that does not run",
        |host| host.without("/run/crio"),
        "engines.crio-runs",
        No,
    ),
    fault(
        "a CRI-O that hangs",
        |host| host.hangs("crio config"),
        "engines.crio",
        Unasked,
    ),
    fault(
        "a CRI-O that refuses",
        |host| host.fails("crio config", "toml: unmarshal error"),
        "engines.crio-config",
        No,
    ),
    fault(
        "a CRI-O of another language",
        |host| host.says("crio config", "not = = toml"),
        "engines.crio",
        Unasked,
    ),
    fault(
        "a runtime of the wrong type",
        |host| host.edit_answer("crio config", "\"vm\"", "\"oci\""),
        "engines.crio-type",
        No,
    ),
    fault(
        "a shim of CRI-O that is gone",
        |host| host.edit_answer("crio config", "/opt/kata/bin/", "/opt/gone/kata/"),
        "engines.handler-program",
        No,
    ),
];

/// Faults of docker with kata 1.
pub const OF_DOCKER: &[Fault] = &[
    fault(
        "a default runtime of nobody",
        daemon_json!(r#"{"default-runtime":"kata"}"#),
        "engines.docker-starts",
        No,
    ),
    fault(
        "docker does not know the key",
        daemon_json!(r#"{"Debug":true,"runtimes":{"kata":{"path":"/usr/bin/kata-runtime"}}}"#),
        "engines.docker-starts",
        No,
    ),
    fault(
        "daemon.json is not JSON",
        daemon_json!("{"),
        "engines.docker-starts",
        No,
    ),
    fault(
        "the key stands twice",
        daemon_json!(r#"{"debug":true,"debug":false}"#),
        "engines.docker-surprise",
        But,
    ),
    fault(
        "a runtime named runc",
        daemon_json!(r#"{"runtimes":{"runc":{"path":"/usr/bin/kata-runtime"}}}"#),
        "engines.docker-starts",
        No,
    ),
    fault(
        "docker ignores runtimeType",
        daemon_json!(r#"{"runtimes":{"kata":{"runtimeType":"io.containerd.kata.v2"}}}"#),
        "engines.docker-entry",
        No,
    ),
    fault(
        "docker's kata is gone",
        |host| {
            host.without("/usr/bin/kata-runtime")
                .lacks("/usr/bin/kata-runtime")
        },
        "engines.docker-entry",
        No,
    ),
    fault(
        "flags and file say the same",
        |host| {
            host.file(
                "/etc/default/docker",
                "DOCKER_OPTS=--default-runtime=kata-runtime\n",
            )
        },
        "engines.docker-starts",
        No,
    ),
    fault(
        "two ExecStart",
        |host| {
            host.file(
                "/etc/systemd/system/docker.service.d/kata.conf",
                "[Service]\nExecStart=/usr/bin/dockerd -D\n",
            )
        },
        "engines.docker-starts",
        No,
    ),
    fault(
        "an unreadable daemon.json",
        |host| host.unreadable(DAEMON_JSON),
        "engines.docker",
        Unasked,
    ),
    fault(
        "docker does not run",
        |host| host.without("/run/docker.sock"),
        "engines.docker-runs",
        No,
    ),
    fault(
        "docker without kata",
        daemon_json!("{}"),
        "engines.registered",
        No,
    ),
    fault(
        "devicemapper",
        daemon_json!(
            r#"{"storage-driver":"devicemapper","runtimes":{"kata":{"path":"/usr/bin/kata-runtime"}}}"#
        ),
        "engines.docker-surprise",
        But,
    ),
];

/// Faults of docker with kata 4.
pub const OF_DOCKER_27: &[Fault] = &[
    fault(
        "kata 4 by path",
        daemon_json!(r#"{"runtimes":{"kata":{"path":"/opt/kata/bin/kata-runtime"}}}"#),
        "engines.docker-entry",
        No,
    ),
    fault(
        "path and runtimeType",
        daemon_json!(
            r#"{"runtimes":{"kata":{"path":"/opt/kata/bin/kata-runtime","runtimeType":"io.containerd.kata.v2"}}}"#
        ),
        "engines.docker-starts",
        No,
    ),
    fault(
        "an empty runtime",
        daemon_json!(r#"{"runtimes":{"kata":{}}}"#),
        "engines.docker-starts",
        No,
    ),
    fault(
        "a docker that is too old for kata 4",
        |host| {
            host.edit("/var/lib/dpkg/status", "5:27.0.3", "5:20.10.3")
                .file(DAEMON_JSON, "{}")
        },
        "engines.pair",
        No,
    ),
];
