use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        host.put("lib/systemd/system/docker.service", "[Service]\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS\n", 0o644);
        host.put(
            "usr/bin/kata-runtime",
            "github.com/kata-containers/runtime/cli",
            0o755,
        );
        host.put(
            "usr/bin/kata-runtime-3",
            "github.com/kata-containers/kata-containers/src/runtime/cmd/kata-runtime",
            0o755,
        );
        host.put(
            "usr/local/bin/containerd-shim-kata-v2",
            "containerd shim (Golang)",
            0o755,
        );
        host
    }

    fn put(&self, path: &str, text: &str, mode: u32) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn problems(&self, daemon_json: &str, version: &str) -> Vec<String> {
        self.put("etc/docker/daemon.json", daemon_json, 0o644);
        let root = HostRoot::of(self.0.path()).unwrap();
        let none = Environment::default();
        let facts = DockerFacts::of(&root, &none, Some(version), None).unwrap();
        let all = problems(&root, &none, &facts).into_iter();
        all.map(|one| {
            format!(
                "{:?} {}",
                one.effect,
                one.message.replace("/etc/docker/daemon.json", "F")
            )
        })
        .collect()
    }
}

/// A file, a version of docker, and the only problem.
type Case = (&'static str, &'static str, Option<&'static str>);

const CASES: [Case; 22] = [
    ("", "20.10", None),
    (
        r#"{"default-runtime":"k"}"#,
        "20.10",
        Some("DoesNotStart F: the default runtime `k` is not one of the runtimes"),
    ),
    (r#"{"default-runtime":"flagged"}"#, "20.10", None),
    (
        r#"{"default-runtime":"io.containerd.kata.v2"}"#,
        "20.10",
        Some("DoesNotStart F: the default runtime `io.containerd.kata.v2` is not"),
    ),
    (
        r#"{"default-runtime":"io.containerd.kata.v2"}"#,
        "23.0",
        None,
    ),
    (
        r#"{"runtimes":{"k":{"runtimeType":"io.containerd.kata.v2"}}}"#,
        "20.10",
        Some("RunsFail F: the runtime `k` has `runtimeType`, which docker 20.10 ignores"),
    ),
    (
        r#"{"runtimes":{"k":{"runtimeType":"io.containerd.kata.v2"}}}"#,
        "24.0",
        None,
    ),
    (
        r#"{"runtimes":{"k":{"runtimeType":"/opt/kata/bin/shim"}}}"#,
        "24.0",
        Some("RunsFail F: the runtime `k` is the shim /opt/kata/bin/shim, which is not installed"),
    ),
    (
        r#"{"runtimes":{"k":{}}}"#,
        "27.0",
        Some("DoesNotStart F: the runtime `k` has neither"),
    ),
    (
        r#"{"runtimes":{"k":{"Path":"/usr/bin/kata-runtime","runtimeType":"x"}}}"#,
        "27.0",
        Some("DoesNotStart F: the runtime `k` has `path` and `runtimeType`"),
    ),
    (
        r#"{"runtimes":{"k":{"path":"/usr/bin/kata-runtime"}}}"#,
        "27.0",
        None,
    ),
    (
        r#"{"runtimes":{"k":{"path":"/usr/bin/gone"}}}"#,
        "27.0",
        Some("RunsFail F: the runtime `k` is /usr/bin/gone, which is no program"),
    ),
    (
        r#"{"runtimes":{"k":{"path":"/usr/bin/kata-runtime-3"}}}"#,
        "27.0",
        Some(
            "RunsFail F: the runtime `k` is /usr/bin/kata-runtime-3 by `path`, which is for kata 1",
        ),
    ),
    (
        r#"{"runtimes":{"runc":{"path":"/x"}}}"#,
        "27.0",
        Some("DoesNotStart F: the runtime `runc` has a name that belongs to docker"),
    ),
    (
        r#"{"storage-driver":"devicemapper"}"#,
        "25.0",
        Some("DoesNotStart F: the storage driver devicemapper"),
    ),
    (
        r#"{"storage-driver":"devicemapper"}"#,
        "20.10",
        Some("Surprises F: the storage driver devicemapper"),
    ),
    (
        r#"{"Debug":true}"#,
        "27.0",
        Some("DoesNotStart F: no option of docker's: Debug"),
    ),
    (
        r#"{"hosts":["fd://"]}"#,
        "27.0",
        Some(
            "DoesNotStart `hosts` is said twice, by --host in /lib/systemd/system/docker.service:3 and in F",
        ),
    ),
    (
        r#"{"log-level":"info"}"#,
        "27.0",
        Some(
            "DoesNotStart `log-level` is said twice, by --log-level in /etc/default/docker and in F",
        ),
    ),
    (
        r#"{"runtimes":{"flagged":{"path":"/usr/bin/kata-runtime"}}}"#,
        "27.0",
        Some(
            "Surprises the runtime `flagged` is {\"path\":\"/usr/bin/kata-runtime\"} in F, and /x by --add-runtime",
        ),
    ),
    (
        r#"{"a":1,"a":2}"#,
        "27.0",
        Some("Surprises F: `a` stands twice"),
    ),
    (
        r#"{"a":1,}"#,
        "27.0",
        Some("DoesNotStart F: it is not JSON"),
    ),
];

#[test]
fn each_rule_of_docker() {
    let host = Host::new();
    host.put(
        "etc/default/docker",
        "DOCKER_OPTS=--add-runtime=flagged=/x --log-level info\n",
        0o644,
    );
    for (text, version, expected) in CASES {
        let found = host.problems(text, version);
        match expected {
            None => assert!(found.is_empty(), "{text} {version}: {found:?}"),
            Some(words) => assert!(
                found.len() == 1 && found[0].starts_with(words),
                "{text} {version}: {found:?}"
            ),
        }
    }
    host.put(
        "etc/systemd/system/docker.service.d/x.conf",
        "[Service]\nExecStart=/usr/bin/dockerd\n",
        0o644,
    );
    let found = host.problems("", "27.0");
    assert!(found[0].contains("more than one ExecStart="), "{found:?}");
}
