//! Docker's configuration with real daemons: Debian's docker.io, and today's docker built from its
//! sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::docker::{DEBIAN, Daemon, Host, TODAYS, is_root, program};

const VFS: [&str; 2] = ["--storage-driver", "vfs"];
const FILE: &str = "/etc/docker/daemon.json";

/// Returns the daemons that are here, with their versions.
fn daemons() -> Vec<(PathBuf, &'static str)> {
    if !is_root() {
        return Vec::new();
    }
    // The version of one that was built from sources is not in it.
    let all = [(DEBIAN[0], "20.10"), (TODAYS, "29.0")];
    let found = all
        .into_iter()
        .filter_map(|(name, version)| Some((program(name)?, version)));
    found.collect()
}

/// A row of the table: the file, the flags, the words of the log of each daemon (none: it starts),
/// and the words of `docker show` (none: no problem).
type Row<'a> = (
    &'a str,
    &'a [&'a str],
    [Option<&'a str>; 2],
    [Option<&'a str>; 2],
);

const TWICE: &str = "specified both as a flag and in the configuration file";
const NO_OPTION: &str = "the following directives don't match any configuration option";

const ROWS: [Row; 12] = [
    (
        r#"{"default-runtime":"kata"}"#,
        &[],
        [Some("specified default runtime 'kata' does not exist"); 2],
        [Some("is not one of the runtimes"); 2],
    ),
    (
        r#"{"default-runtime":"io.containerd.kata.v2"}"#,
        &[],
        [Some("does not exist"), None],
        [Some("is not one of the runtimes"), None],
    ),
    (
        r#"{"runtimes":{"k":{}}}"#,
        &[],
        [
            None,
            Some("either a runtimeType or a path must be configured"),
        ],
        [Some("has neither"); 2],
    ),
    (
        r#"{"runtimes":{"k":{"path":"/usr/sbin/runc","runtimeType":"io.containerd.runc.v2"}}}"#,
        &[],
        [None, Some("cannot configure both path and runtimeType")],
        [Some("has `path` and `runtimeType`"); 2],
    ),
    (
        r#"{"runtimes":{"k":{"path":"/nonexistent/kata"}}}"#,
        &[],
        [None, None],
        [Some("is no program"); 2],
    ),
    (
        r#"{"runtimes":{"runc":{"path":"/usr/sbin/runc"}}}"#,
        &[],
        [Some("runtime name 'runc' is reserved"); 2],
        [Some("a name that belongs to docker"); 2],
    ),
    (
        r#"{"storage-driver":"devicemapper"}"#,
        &[],
        [Some("driver not supported"), Some("devicemapper")],
        [Some("the storage driver devicemapper"); 2],
    ),
    (
        r#"{"Debug":true}"#,
        &[],
        [Some(NO_OPTION); 2],
        [Some("no option of docker's: Debug"); 2],
    ),
    (
        r#"{"default-runtime":"k","runtimes":{"k":{"path":"/usr/sbin/runc"}}}"#,
        &["--default-runtime=k"],
        [Some(TWICE); 2],
        [Some("is said twice"); 2],
    ),
    (
        r#"{"hosts":["unix:///nonexistent"]}"#,
        &["-H", "fd://"],
        [Some(TWICE); 2],
        [Some("is said twice"); 2],
    ),
    (
        r#"{"runtimes":{"k":{"path":"/usr/sbin/runc"}}}"#,
        &["--add-runtime", "K=/nonexistent"],
        [None, None],
        [Some("the file wins"); 2],
    ),
    (
        "{\"runtimes\":{\"k\":{\"path\":\"/usr/sbin/runc\"}},\n\"debug\":true,}",
        &[],
        [Some("invalid"), Some("invalid")],
        [Some("it is not JSON"); 2],
    ),
];

#[test]
fn each_row_of_the_table_of_daemon_json() {
    for (daemon, version) in daemons() {
        let of = usize::from(version != "20.10");
        for (text, flags, logs, shown) in ROWS {
            let storage: &[&str] = if text.contains("storage-driver") {
                &[]
            } else {
                &VFS
            };
            // The daemon of the test has its own -H.
            let own: Vec<_> = flags
                .iter()
                .filter(|flag| !["-H", "fd://"].contains(flag))
                .collect();
            let all: Vec<_> = storage.iter().chain(own).copied().collect();
            match (Daemon::start(&daemon, text, &all), logs[of]) {
                (Ok(daemon), None) => merged(&daemon, flags),
                (Err(log), Some(words)) => assert!(log.contains(words), "{version} {text}: {log}"),
                (Ok(_), Some(words)) => panic!("{version} starts with {text}, without: {words}"),
                (Err(log), None) => panic!("{version} does not start with {text}: {log}"),
            }
            let problems = problems(text, flags, version);
            match shown[of] {
                None => assert!(problems.is_empty(), "{version} {text}: {problems}"),
                Some(words) => assert!(problems.contains(words), "{version} {text}: {problems}"),
            }
        }
    }
}

/// Expects the runtime of the file, where a flag names it too.
fn merged(daemon: &Daemon, flags: &[&str]) {
    if flags.first() == Some(&"--add-runtime") {
        let info = daemon.docker(&["info", "--format", "{{json .Runtimes}}"]);
        let runtimes: Value = serde_json::from_slice(&info.stdout).expect("JSON");
        assert_eq!(runtimes["k"]["path"], "/usr/sbin/runc", "{runtimes}");
    }
}

/// Returns the messages of `docker show` for a host with this file and these flags.
fn problems(text: &str, flags: &[&str], version: &str) -> String {
    let host = Host::with_docker(version);
    host.program("usr/sbin/runc", "github.com/opencontainers/runc");
    host.program("usr/bin/containerd-shim-runc-v2", "");
    host.put(
        "lib/systemd/system/docker.service",
        format!(
            "[Service]\nExecStart=/usr/sbin/dockerd {}\n",
            flags.join(" ")
        ),
    );
    host.put(FILE, text);
    let shown = host
        .kata_ci(&[
            "docker",
            "show",
            "--format",
            "json",
            "--docker-version",
            version,
        ])
        .expect_code(0);
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let all = shown["problems"].as_array().expect("a list").clone();
    let messages = all
        .iter()
        .map(|one| one["message"].as_str().expect("words"));
    messages.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_old_docker_ignores_a_runtime_type_and_runs_runc() {
    let Some(dockerd) = program(DEBIAN[0]).filter(|_| is_root()) else {
        return;
    };
    let text = r#"{"runtimes":{"k":{"runtimeType":"io.containerd.kata.v2"}}}"#;
    let daemon = Daemon::start(&dockerd, text, &VFS).expect("it starts");
    daemon.import_busybox();
    let ran = daemon.docker(&Daemon::run("k", &["/bin/echo", "under runc"]));
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        "under runc\n",
        "{ran:?}"
    );
    assert!(problems(text, &[], "20.10").contains("the containers run under runc"));
}

#[test]
fn a_reload_takes_what_was_applied_and_a_container_runs_under_it() {
    let Some(dockerd) = program(DEBIAN[0]).filter(|_| is_root()) else {
        return;
    };
    let before = "{\n  \"debug\": false\n}\n";
    let daemon = Daemon::start(&dockerd, before, &VFS).expect("it starts");
    daemon.import_busybox();
    // A host whose runtime is a file of this machine, too: the same path in both.
    let host = Host::with_docker("20.10.24");
    let runtime = host.path("usr/bin/kata-runtime");
    let marker = host.path("called");
    host.program(
        "usr/bin/kata-runtime",
        &format!("#!/bin/sh\n# github.com/kata-containers/runtime/\necho \"$@\" >>{}\nexec /usr/sbin/runc \"$@\"\n", marker.display()),
    );
    let inside = runtime.display().to_string();
    host.program(
        &inside,
        "#!/bin/sh\n# github.com/kata-containers/runtime/\n",
    );
    host.put(FILE, before);
    host.kata_ci(&["docker", "apply", "--default", "--path", &inside])
        .expect_code(0);
    fs::copy(host.path(FILE), daemon.daemon_json()).expect("copied");
    daemon.reload();
    let info = daemon.docker(&["info", "--format", "{{.DefaultRuntime}}"]);
    assert_eq!(
        String::from_utf8_lossy(&info.stdout),
        "kata-runtime\n",
        "{}",
        daemon.log()
    );
    let ran = daemon.docker(&Daemon::run("kata-runtime", &["/bin/echo", "by", "kata"]));
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "by kata\n", "{ran:?}");
    let calls = fs::read_to_string(marker).expect("it was called");
    assert!(calls.contains("create --bundle"), "{calls}");
}

/// Pieces that mutate a `daemon.json`, by a number.
fn mutated(number: usize) -> String {
    let seeds = [
        "{\n  \"debug\": true,\n  \"labels\": [\"a=b\"],\n  \"runtimes\": {\n    \"a\": {\"path\": \"/usr/sbin/runc\"}\n  }\n}\n",
        "{\"log-level\": \"info\", \"runtimes\": {}}",
        "",
        "{\n\t\"default-runtime\": \"a\",\r\n\t\"runtimes\": {\"a\": {\"path\": \"/a\"}}, \"log-opts\": {\"max-size\": \"1m\"}\n}",
        "\u{feff}{ }\n",
    ];
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        " ",
        "\n",
        "null",
        "7",
        "\"x\": {},",
        "\"debug\": 1,",
        "\\",
        "é",
    ];
    let seed = seeds[number % seeds.len()];
    let mut random = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % bound as u64) as usize
    };
    let mut letters: Vec<char> = seed.chars().collect();
    for _ in 0..next(3) {
        let at = next(letters.len() + 1);
        let end = letters.len().min(at + next(2));
        letters.splice(at..end, pieces[next(pieces.len())].chars());
    }
    letters.into_iter().collect()
}

#[test]
fn nothing_is_written_that_docker_refuses_and_the_old_one_did_not() {
    let Some(dockerd) = program(TODAYS).filter(|_| is_root()) else {
        return;
    };
    let validates = |file: &Path| {
        let mut command = Command::new(&dockerd);
        command.args(["--validate", "--config-file"]).arg(file);
        command.output().expect("dockerd starts").status.success()
    };
    let (mut good, mut written) = (0, 0);
    for number in 0..120 {
        let host = Host::with_docker("29.0.0").kata("3.29.0", "Golang");
        host.put(FILE, mutated(number));
        let was_good = validates(&host.path(FILE));
        let applied = host.kata_ci(&["docker", "apply", "--default"]);
        assert!([0, 2].contains(&applied.code), "{}", applied.stderr);
        if applied.code == 0 {
            let is_good = validates(&host.path(FILE));
            assert!(is_good || !was_good, "{number}: {}", host.text(FILE));
            written += 1;
        }
        good += usize::from(was_good);
    }
    assert!(
        good > 40 && written > 40,
        "{good} good ones, {written} written"
    );
}
