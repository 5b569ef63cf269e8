//! Kata as a runtime of docker, on made-up hosts.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::docker::Host;
use crate::support::host::real;

const FILE: &str = "/etc/docker/daemon.json";
const DROP_IN: &str = "/etc/systemd/system/docker.service.d/kata-containers.conf";

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn daemon_json_of_kata_1_is_that_of_the_notes() {
    let host = Host::with_docker("20.10.24").kata_1();
    let planned = host
        .kata_ci(&["docker", "plan", "--default"])
        .expect_code(0);
    assert!(!host.path(FILE).exists(), "a plan writes nothing");
    assert!(
        planned.stdout.contains("+++ /etc/docker/daemon.json"),
        "{}",
        planned.stdout
    );
    let applied = host
        .kata_ci(&["docker", "apply", "--default"])
        .expect_code(0);
    let notes = json!({
        "default-runtime": "kata-runtime",
        "runtimes": { "kata-runtime": { "path": "/usr/bin/kata-runtime" } }
    });
    assert_eq!(parsed(&host.text(FILE)), notes);
    assert!(
        applied.stdout.contains("then: systemctl reload docker"),
        "{}",
        applied.stdout
    );
    assert!(
        applied
            .stdout
            .contains("docker run --rm --runtime kata-runtime")
    );
    let again = host
        .kata_ci(&["docker", "apply", "--default"])
        .expect_code(0);
    assert!(
        again.stdout.contains("nothing has to be changed"),
        "{}",
        again.stdout
    );
    let shown = host
        .kata_ci(&["docker", "show", "--format", "json"])
        .expect_code(0);
    let shown = parsed(&shown.stdout);
    assert_eq!(shown["default_runtime"]["value"], "kata-runtime");
    assert_eq!(shown["kata"]["kind"], "command-line");
    assert_eq!(shown["problems"], json!([]));
    assert_eq!(shown["changes"].as_array().unwrap().len(), 1);
    host.kata_ci(&["docker", "revert"]).expect_code(0);
    assert!(!host.path(FILE).exists());
    host.kata_ci(&["docker", "revert"]).expect_code(4);
}

#[test]
fn the_drop_in_keeps_the_flags_of_the_distribution() {
    let host = Host::with_docker("20.10.24").kata_1();
    let words = ["docker", "apply", "--default", "--by", "drop-in"];
    let applied = host.kata_ci(&words).expect_code(0);
    let text = host.text(DROP_IN);
    assert!(
        text.ends_with("[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS --add-runtime=kata-runtime=/usr/bin/kata-runtime --default-runtime=kata-runtime\n"),
        "{text}"
    );
    assert!(
        applied.stdout.contains("then: systemctl daemon-reload"),
        "{}",
        applied.stdout
    );
    assert!(applied.stdout.contains("then: systemctl restart docker"));
    let again = host.kata_ci(&words).expect_code(0);
    assert!(again.stdout.contains("nothing has to be changed"));
    verified(&host);
    host.kata_ci(&["docker", "revert"]).expect_code(0);
    assert!(!host.path(DROP_IN).exists());
}

/// Expects systemd to find nothing wrong with the unit of the host.
fn verified(host: &Host) {
    for unit in [
        "sysinit",
        "basic",
        "shutdown",
        "sockets",
        "network-online",
        "multi-user",
    ] {
        host.put(
            &format!("lib/systemd/system/{unit}.target"),
            "[Unit]\nDescription=x\n",
        );
    }
    host.program("bin/kill", "#!/bin/sh\n");
    let Some(program) = real("systemd-analyze") else {
        return;
    };
    let checked = Command::new(program)
        .arg("verify")
        .arg(format!("--root={}", host.0.path().display()))
        .arg("docker.service")
        .output()
        .expect("systemd-analyze starts");
    let words = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && words.is_empty(), "{words}");
}

#[test]
fn systemd_takes_every_drop_in_that_is_written() {
    let drop_ins = [
        "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -D --add-runtime old=/usr/bin/kata-runtime\n",
        "# proxies\n[Service]\nEnvironment=\"HTTP_PROXY=http://proxy:80\"\nLimitNOFILE=1048576\n",
        "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd \\\n  -H fd:// \\\n  --label \"a=b c\"\n[Unit]\nAfter=basic.target\n",
        "",
    ];
    for before in drop_ins {
        let host = Host::with_docker("20.10.24").kata_1();
        host.put(DROP_IN, before);
        host.kata_ci(&["docker", "apply", "--by", "drop-in", "--default"])
            .expect_code(0);
        verified(&host);
        let text = host.text(DROP_IN);
        for line in before
            .lines()
            .filter(|line| line.contains('#') || line.contains("Limit"))
        {
            assert!(text.contains(line), "{text}");
        }
        host.kata_ci(&["docker", "revert"]).expect_code(0);
        assert_eq!(host.text(DROP_IN), before);
    }
}

#[test]
fn a_later_drop_in_is_not_allowed_to_win() {
    let host = Host::with_docker("20.10.24").kata_1();
    let later = "/etc/systemd/system/docker.service.d/proxy.conf";
    host.put(
        later,
        "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// -D\n",
    );
    host.kata_ci(&["docker", "apply", "--by", "drop-in"])
        .expect_code(0);
    assert!(!host.path(DROP_IN).exists());
    let text = host.text("/etc/systemd/system/docker.service.d/zz-kata-containers.conf");
    assert!(
        text.contains("ExecStart=/usr/sbin/dockerd -H fd:// -D --add-runtime="),
        "{text}"
    );
}

#[test]
fn the_rest_of_the_file_its_owner_and_its_link_stay() {
    let host = Host::with_docker("20.10.24").kata_1();
    let before = "\u{feff}{\r\n\t\"log-opts\" : {\"splunk-token\": \"s3cret-token\"},\r\n\t\"mtu\": 1450.0\r\n}";
    host.put("srv/docker.json", before);
    fs::set_permissions(
        host.path("srv/docker.json"),
        PermissionsExt::from_mode(0o640),
    )
    .unwrap();
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(host.path("srv/docker.json"), Some(7), Some(8)).unwrap();
    }
    let old = fs::metadata(host.path("srv/docker.json")).unwrap();
    fs::create_dir_all(host.path("etc/docker")).unwrap();
    symlink("/srv/docker.json", host.path(FILE)).unwrap();
    let applied = host.kata_ci(&["docker", "apply"]).expect_code(0);
    assert!(
        !applied.stdout.contains("s3cret-token"),
        "{}",
        applied.stdout
    );
    assert!(fs::symlink_metadata(host.path(FILE)).unwrap().is_symlink());
    let text = host.text("srv/docker.json");
    let entry = ",\r\n\t\"runtimes\": {\r\n\t\t\"kata-runtime\": {\r\n\t\t\t\"path\": \"/usr/bin/kata-runtime\"\r\n\t\t}\r\n\t}";
    assert_eq!(text.replacen(entry, "", 1), before);
    let new = fs::metadata(host.path("srv/docker.json")).unwrap();
    let of = |one: &fs::Metadata| (one.mode(), one.uid(), one.gid());
    assert_eq!(of(&new), of(&old));
    let record = fs::metadata(host.path("var/lib/kata-ci/docker")).unwrap();
    assert_eq!(
        record.mode() & 0o777,
        0o700,
        "copies hold what the file holds"
    );
    host.kata_ci(&["docker", "revert"]).expect_code(0);
    assert_eq!(host.text("srv/docker.json"), before);
    assert_eq!(
        of(&fs::metadata(host.path("srv/docker.json")).unwrap()),
        of(&old)
    );
}

#[test]
fn a_revert_over_somebody_elses_change_is_refused_and_shows_both() {
    let host = Host::with_docker("20.10.24").kata_1();
    host.put(FILE, "{\n  \"debug\": true\n}\n");
    host.kata_ci(&["docker", "apply"]).expect_code(0);
    let theirs = host.text(FILE).replace("true", "false");
    host.put(FILE, &theirs);
    let refused = host.kata_ci(&["docker", "revert"]).expect_code(1);
    assert!(
        refused.stdout.contains("-  \"debug\": true"),
        "{}",
        refused.stdout
    );
    assert!(
        refused.stdout.contains("+  \"debug\": false"),
        "{}",
        refused.stdout
    );
    assert!(
        refused.stdout.contains("-    \"runtimes\"") || refused.stdout.contains("-  \"runtimes\""),
        "{}",
        refused.stdout
    );
    assert!(
        refused
            .stderr
            .contains("somebody changed it after `kata-ci docker apply`"),
        "{}",
        refused.stderr
    );
    assert_eq!(host.text(FILE), theirs);
    host.put(FILE, "{\n  \"debug\": true\n}\n");
    let back = host.kata_ci(&["docker", "revert"]).expect_code(0);
    assert!(
        back.stdout.contains("was as before already"),
        "{}",
        back.stdout
    );
    assert_eq!(host.text(FILE), "{\n  \"debug\": true\n}\n");
}

#[test]
fn the_two_kinds_of_conflict_are_told_apart() {
    let host = Host::with_docker("20.10.24").kata_1();
    host.put(
        "etc/default/docker",
        "DOCKER_OPTS=\"--default-runtime=other --add-runtime kata-runtime=/other\"\n",
    );
    let merged = host.kata_ci(&["docker", "plan"]).expect_code(0);
    assert!(
        merged.stdout.contains("/etc/default/docker says --add-runtime=kata-runtime=/other: docker merges the two without a word, and the file wins"),
        "{}",
        merged.stdout
    );
    let twice = host
        .kata_ci(&["docker", "plan", "--default"])
        .expect_code(2);
    assert!(
        twice.stderr.contains("/etc/default/docker says --default-runtime=other: with `default-runtime` in /etc/docker/daemon.json as well docker does not start"),
        "{}",
        twice.stderr
    );
    let variable = host
        .kata_ci(&["docker", "plan", "--by", "drop-in", "--replace"])
        .expect_code(2);
    assert!(
        variable
            .stderr
            .contains("in a variable that ExecStart= uses"),
        "{}",
        variable.stderr
    );
    host.put("etc/default/docker", "");
    host.put(FILE, "{\"default-runtime\": \"k\", \"runtimes\": {\"kata-runtime\": {\"path\": \"/k\"}, \"k\": {\"path\": \"/k\"}}}\n");
    let by_flag = host
        .kata_ci(&[
            "docker",
            "plan",
            "--by",
            "drop-in",
            "--default",
            "--name",
            "kata",
        ])
        .expect_code(2);
    assert!(
        by_flag.stderr.contains(
            "has `default-runtime`: with the flag --default-runtime as well docker does not start"
        ),
        "{}",
        by_flag.stderr
    );
    let differs = host.kata_ci(&["docker", "plan"]).expect_code(2);
    assert!(
        differs.stderr.contains(
            "has a runtime `kata-runtime` already, and it is another one: {\"path\":\"/k\"}"
        ),
        "{}",
        differs.stderr
    );
    host.kata_ci(&["docker", "apply", "--replace", "--default"])
        .expect_code(0);
    assert_eq!(
        host.text(FILE),
        "{\"default-runtime\": \"kata-runtime\", \"runtimes\": {\"kata-runtime\": {\"path\": \"/usr/bin/kata-runtime\"}, \"k\": {\"path\": \"/k\"}}}\n"
    );
}

#[test]
fn what_cannot_work_is_refused_with_the_reason() {
    let shim = "/opt/kata/bin/containerd-shim-kata-v2";
    let cases: [(Host, &[&str], i32, &str); 9] = [
        (
            Host::with_docker("20.10.24").kata("3.2.0", "Golang"),
            &[],
            69,
            "runs the containers under runc",
        ),
        (
            Host::with_docker("27.0.1").kata("3.2.0", "Golang"),
            &[],
            69,
            "docker 27.0.1 needs kata 3.29 or newer, and this is kata 3.2.0",
        ),
        (
            Host::with_docker("27.0.1").kata("3.29.0", "Golang"),
            &["--path", "/opt/kata/bin/kata-runtime"],
            69,
            "Invalid command \"create\"",
        ),
        (
            Host::with_docker("27.0.1").kata("3.29.0", "Golang"),
            &["--by", "drop-in"],
            2,
            "the shim of kata 2 and later cannot be named by it",
        ),
        (Host::with_docker("27.0.1"), &[], 69, "no kata was found"),
        (
            Host::with_docker("27.0.1"),
            &["--path", "/usr/bin/gone"],
            69,
            "/usr/bin/gone is no program",
        ),
        (
            Host::with_docker("27.0.1"),
            &["--path", "/usr/sbin/dockerd"],
            69,
            "nothing tells what /usr/sbin/dockerd is",
        ),
        (
            Host::with_docker("20.10.24").kata_1(),
            &["--name", "runc"],
            2,
            "`runc` is no name for a runtime",
        ),
        (
            Host::new().kata("3.29.0", "Golang"),
            &[],
            69,
            "which docker this is cannot be told",
        ),
    ];
    for (host, words, code, expected) in cases {
        let refused = host
            .kata_ci(&[&["docker", "apply"], words].concat())
            .expect_code(code);
        assert!(
            refused.stderr.contains(expected),
            "{words:?}: {}",
            refused.stderr
        );
        assert!(!host.path(FILE).exists() && !host.path(DROP_IN).exists());
    }
    for (docker, kata, language) in [
        ("24.0.7", "3.2.0", "Golang"),
        ("29.1.0", "3.29.0", "Golang"),
        ("28.0.0", "4.1.0", "Rust"),
    ] {
        let host = Host::with_docker(docker).kata(kata, language);
        host.kata_ci(&["docker", "apply"]).expect_code(0);
        assert_eq!(
            parsed(&host.text(FILE)),
            json!({ "runtimes": { "kata": { "runtimeType": shim } } })
        );
    }
    let host = Host::with_docker("23.0.1").kata("3.2.0", "Golang");
    let named = host.kata_ci(&["docker", "apply"]).expect_code(0);
    assert!(
        named
            .stdout
            .contains("docker run --runtime io.containerd.kata.v2"),
        "{}",
        named.stdout
    );
    assert!(!host.path(FILE).exists());
    host.kata_ci(&["docker", "apply", "--default"])
        .expect_code(0);
    assert_eq!(
        parsed(&host.text(FILE)),
        json!({ "default-runtime": "io.containerd.kata.v2" })
    );
}

#[test]
fn a_file_that_would_have_to_be_guessed_is_left_alone() {
    for (text, words) in [
        ("{\"debug\": true,}", "it is not JSON"),
        (
            "{\"runtimes\": {}, \"runtimes\": {}}",
            "`runtimes` stands twice",
        ),
        (
            "{\"runtimes\": null}",
            "`runtimes` is null, and has to be an object",
        ),
        ("// mine\n{}", "it is not JSON"),
    ] {
        let host = Host::with_docker("20.10.24").kata_1();
        host.put(FILE, text);
        let refused = host.kata_ci(&["docker", "apply"]).expect_code(2);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
        assert_eq!(host.text(FILE), text);
        assert!(!host.path("var/lib/kata-ci").exists());
    }
}
