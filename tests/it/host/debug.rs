//! Runtimes are prepared for a debugger, on made-up hosts.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::KataCi;
use crate::support::docker::{Host, program};

const FILE: &str = "/etc/docker/daemon.json";
const SWAPPER: &str = "/usr/local/bin/kata-runtime.swapper";

/// Makes a host with a runtime that has debug information, and a dlv. `None` if they are not
/// installed.
fn host() -> Option<Host> {
    let (runc, dlv) = (program("runc")?, program("dlv")?);
    let host = Host::with_docker("20.10.24");
    for (program, place) in [
        (&runc, "usr/bin/kata-runtime"),
        (&dlv, "usr/local/go/bin/dlv"),
    ] {
        host.put(place, "");
        fs::copy(program, host.path(place)).unwrap();
    }
    Some(host)
}

const BEFORE: &str = "{\n  \"runtimes\": {\n        \"kata-runtime\": {\n            \"path\": \"/usr/bin/kata-runtime\"\n        }\n    },\n  \"default-runtime\": \"kata-runtime\"\n}\n";

#[test]
fn the_swapper_stands_beside_the_runtime_as_in_the_notes() {
    let Some(host) = host() else {
        return;
    };
    host.put(FILE, BEFORE);
    let dry = host
        .kata_ci(&["debug", "enable", "--dry-run"])
        .expect_code(0);
    assert!(
        !host.path(SWAPPER).exists() && host.text(FILE) == BEFORE,
        "{}",
        dry.stdout
    );
    let enabled = host.kata_ci(&["debug", "enable"]).expect_code(0);
    let file: Value = serde_json::from_str(&host.text(FILE)).unwrap();
    let notes = json!({
        "runtimes": {
            "kata-runtime": { "path": "/usr/bin/kata-runtime" },
            "dlv": { "path": SWAPPER }
        },
        "default-runtime": "kata-runtime"
    });
    assert_eq!(file, notes);
    let script = host.text(SWAPPER);
    assert_eq!(script.lines().count(), 2, "{script}");
    assert!(
        script.ends_with(" debug-exec --on create --listen 127.0.0.1:2345 --dlv /usr/local/go/bin/dlv -- /usr/bin/kata-runtime \"$@\"\n"),
        "{script}"
    );
    for words in [
        "✓ dlv 1.27.2 (/usr/local/go/bin/dlv) is for go1.",
        "✓ the program has debug information, and is not optimised",
        "✓ nothing restricts ptrace",
        "Go Remote: Host 127.0.0.1, Port 2345",
        "\"mode\": \"remote\", \"host\": \"127.0.0.1\", \"port\": 2345",
        "dlv connect 127.0.0.1:2345",
        "ssh -L 2345:127.0.0.1:2345 root@HOST",
        "only root of that machine can connect",
        "docker run --rm -ti --runtime dlv busybox sh",
        "then: systemctl reload docker",
    ] {
        assert!(
            enabled.stdout.contains(words),
            "{words}: {}",
            enabled.stdout
        );
    }
    let status = host
        .kata_ci(&["debug", "status", "--format", "json"])
        .expect_code(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status[0]["swapper"]["runtime"], "/usr/bin/kata-runtime");
    assert_eq!(status[0]["is_in_use"], false);
    host.kata_ci(&["debug", "enable"]).expect_code(0);
    host.kata_ci(&["debug", "disable"]).expect_code(0);
    assert_eq!(host.text(FILE), BEFORE);
    assert!(!host.path(SWAPPER).exists());
    host.kata_ci(&["debug", "disable"]).expect_code(4);
    let status = host.kata_ci(&["debug", "status"]).expect_code(0);
    assert!(
        status.stdout.contains("has no runtime that is debugged"),
        "{}",
        status.stdout
    );
}

#[test]
fn disable_leaves_what_others_changed_since() {
    let Some(host) = host() else {
        return;
    };
    host.put(FILE, BEFORE);
    host.kata_ci(&["debug", "enable", "--any-user", "--on", "create,start"])
        .expect_code(0);
    assert!(
        host.text(SWAPPER)
            .contains("--on create --on start --listen 127.0.0.1:2345"),
        "{}",
        host.text(SWAPPER)
    );
    let theirs = host.text(FILE).replace(
        "  \"default-runtime\"",
        "  \"debug\": true,\n  \"default-runtime\"",
    );
    host.put(FILE, &theirs);
    host.kata_ci(&["debug", "disable"]).expect_code(0);
    assert_eq!(
        host.text(FILE),
        BEFORE.replace(
            "  \"default-runtime\"",
            "  \"debug\": true,\n  \"default-runtime\""
        )
    );
}

#[test]
fn what_dlv_cannot_debug_is_refused_with_what_to_do() {
    let Some(host) = host() else {
        return;
    };
    let host = host.kata("3.29.0", "Rust");
    host.program(
        "usr/bin/script",
        "#!/bin/sh\n# github.com/opencontainers/runc\n",
    );
    host.put("usr/local/bin/mine.swapper", "mine");
    let shim = "/opt/kata/bin/containerd-shim-kata-v2";
    let cases: [(&[&str], i32, &str); 7] = [
        (&[shim], 69, "rust-gdb -p"),
        (
            &["/opt/kata/bin/kata-runtime"],
            69,
            "name it: kata-ci debug enable /opt/kata/bin/containerd-shim-kata-v2",
        ),
        (&["/usr/bin/script"], 69, "was not built by Go"),
        (&["/usr/bin/gone"], 69, "/usr/bin/gone is no program"),
        (&["--dlv", "/nonexistent/dlv"], 69, "dlv is not installed"),
        (
            &["--swapper", "/usr/local/bin/mine.swapper"],
            2,
            "kata-ci did not write it",
        ),
        (
            &["--listen", ":2345"],
            2,
            "is no place where dlv can listen",
        ),
    ];
    for (words, code, expected) in cases {
        let refused = host
            .kata_ci(&[&["debug", "enable"], words].concat())
            .expect_code(code);
        assert!(
            refused.stderr.contains(expected),
            "{words:?}: {}",
            refused.stderr
        );
        assert!(!host.path(SWAPPER).exists() && !host.path(FILE).exists());
    }
    host.put("proc/sys/kernel/yama/ptrace_scope", "3\n");
    let refused = host.kata_ci(&["debug", "enable"]).expect_code(69);
    assert!(
        refused.stderr.contains("ptrace_scope is 3"),
        "{}",
        refused.stderr
    );
}

#[test]
fn the_go_shim_gets_katas_own_script() {
    let Some(dlv) = program("dlv") else {
        return;
    };
    let host = Host::with_docker("27.0.0");
    let shim = "opt/kata/bin/containerd-shim-kata-v2";
    host.put(shim, "");
    // A Go program that says of itself what the shim says.
    fs::copy(&dlv, host.path(shim)).unwrap();
    let mut bytes = fs::read(host.path(shim)).unwrap();
    bytes.extend(b"containerd shim (Golang)");
    fs::write(host.path(shim), bytes).unwrap();
    host.put("usr/bin/dlv", "");
    fs::copy(&dlv, host.path("usr/bin/dlv")).unwrap();
    let refused = host
        .kata_ci(&["debug", "enable", "-C", "/tmp"])
        .expect_code(2);
    assert!(
        refused.stderr.contains("tools/containerd-shim-katadbg-v2"),
        "{}",
        refused.stderr
    );
    let checkout = host.path("checkout");
    host.put(
        "checkout/tools/containerd-shim-katadbg-v2",
        "#!/bin/bash\nSHIM_BINARY=/go/src/x\nDLV_PORT=12345\nexport PATH=/usr/local/go/bin/:${PATH}\ncase \"$1\" in \"features\") exec ${SHIM_BINARY} \"$@\" ;; esac\ndlv exec ${SHIM_BINARY} --headless --listen=:${DLV_PORT} -- \"\\$@\"\n",
    );
    let enabled = host
        .kata_ci(&["debug", "enable", "-C", checkout.to_str().unwrap()])
        .expect_code(0);
    let script = host.text("/usr/local/bin/containerd-shim-katadbg-v2");
    for words in [
        "SHIM_BINARY=/opt/kata/bin/containerd-shim-kata-v2\n",
        "DLV_PORT=2345\n",
        "PATH=/usr/bin:",
        "--listen=127.0.0.1:${DLV_PORT}",
    ] {
        assert!(script.contains(words), "{words}: {script}");
    }
    for words in [
        "io.containerd.katadbg.v2",
        "[crio.runtime.runtimes.katadbg]",
        "target follow-exec -on .*/containerd-shim-kata-v2",
    ] {
        assert!(
            enabled.stdout.contains(words),
            "{words}: {}",
            enabled.stdout
        );
    }
}

#[test]
fn the_hidden_command_says_what_it_is_for() {
    for words in [
        &["debug-exec"][..],
        &["debug-exec", "--nope"],
        &["debug-exec", "--on", "create"],
    ] {
        let refused = KataCi::bare().args(words).finish().expect_code(2);
        assert!(
            refused.stderr.contains("kata-ci debug enable"),
            "{}",
            refused.stderr
        );
    }
    let gone = KataCi::bare()
        .args([
            "debug-exec",
            "--on",
            "create",
            "--",
            "/nonexistent/runc",
            "state",
        ])
        .finish();
    assert_eq!(gone.expect_code(127).stdout, "");
    let help = KataCi::bare().args(["--help"]).finish().expect_code(0);
    assert!(!help.stdout.contains("debug-exec"), "{}", help.stdout);
    assert!(Path::new(env!("CARGO_BIN_EXE_kata-ci")).exists());
}
