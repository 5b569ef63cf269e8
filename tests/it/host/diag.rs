//! Bundles of `kata-ci diag`, and the parts that it shows on the terminal.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::host::{export, fake, is_root, journal, path_with, real};
use crate::support::workspace::makefiles;
use crate::support::{KataCi, run_in, until};

fn index(bundle: &Path) -> Vec<Value> {
    let text = fs::read_to_string(bundle.join("index.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn part<'a>(index: &'a [Value], file: &str) -> &'a Value {
    let found = index.iter().find(|part| part["file"] == file);
    found.unwrap_or_else(|| panic!("no {file} in {index:#?}"))
}

/// The bound of 10 s is that of a machine that does nothing else; here tests run side by side.
#[test]
fn a_bundle_of_this_machine_is_whole_small_and_soon_there() {
    let place = tempfile::tempdir().unwrap();
    let bundle = place.path().join("bundle");
    let done = KataCi::bare().args(["diag", "-o"]).args([&bundle]).finish();
    assert!(matches!(done.code, 0 | 1), "{}", done.printed());
    assert!(done.seconds < 30.0, "{}", done.seconds);
    let mut bytes = 0;
    for entry in fs::read_dir(&bundle).unwrap() {
        let found = entry.unwrap().metadata().unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
        bytes += found.len();
    }
    assert!(bytes < 5 << 20, "{bytes}");
    let parts = index(&bundle);
    for name in [
        "system",
        "mounts",
        "processes",
        "net-addresses",
        "net-routes",
        "kernel-configuration",
        "cgroups",
    ] {
        let part = part(&parts, &format!("{name}.txt"));
        let has_end = part["seconds"].is_number() && part["bytes"].as_u64() > Some(0);
        assert!(
            has_end && part["cut"].is_boolean() && part["exit_code"] == 0,
            "{part}"
        );
    }
    let summary = fs::read_to_string(bundle.join("summary.md")).unwrap();
    assert!(
        summary.len() < 65_536 && summary.starts_with("# kata host"),
        "{summary}"
    );
    let absent = parts.iter().find(|part| part["end"] == "not there");
    assert!(
        absent.is_none() || summary.contains("Not there:"),
        "{summary}"
    );
}

#[test]
fn an_archive_holds_the_same_and_nothing_is_overwritten() {
    let place = tempfile::tempdir().unwrap();
    let archive = place.path().join("host.tar.zst");
    let again = || {
        KataCi::bare()
            .args(["diag", "-o"])
            .args([&archive])
            .finish()
    };
    assert!(matches!(again().code, 0 | 1));
    let before = fs::read(&archive).unwrap();
    let refused = again().expect_code(2);
    assert!(
        refused.stderr.contains("nothing is overwritten"),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read(&archive).unwrap(), before);
    if let Some(zstd) = real("zstd") {
        let listed = Command::new("tar")
            .arg("-I")
            .arg(zstd)
            .arg("-tvf")
            .arg(&archive)
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert!(
            listed.contains("-rw------- 0/0") && listed.contains("host/summary.md"),
            "{listed}"
        );
    }
}

/// Every program that is asked sleeps, and takes no notice of TERM.
#[test]
fn programs_that_hang_are_ended_and_named() {
    let place = tempfile::tempdir().unwrap();
    let fakes = place.path().join("fakes");
    for name in [
        "kata-runtime",
        "kata-ctl",
        "containerd-shim-kata-v2",
        "qemu-system-x86_64",
        "cloud-hypervisor",
        "firecracker",
        "virtiofsd",
        "ip",
        "tc",
        "iptables-nft-save",
        "iptables-save",
        "iptables-legacy-save",
        "ip6tables-nft-save",
        "ip6tables-save",
        "ip6tables-legacy-save",
        "nft",
        "dmesg",
        "lsns",
        "docker",
        "podman",
        "containerd",
        "ctr",
        "crictl",
        "crio",
        "kubectl",
        "journalctl",
        "systemctl",
        "nsenter",
    ] {
        fake(
            &fakes,
            name,
            "trap '' TERM INT; echo begun; sleep 1000 & wait; sleep 1000",
        );
    }
    let bundle = place.path().join("bundle");
    let done = KataCi::bare()
        .env("PATH", path_with(&fakes))
        .args(["diag", "-o"])
        .args([&bundle])
        .finish();
    let done = done.expect_code(75);
    assert!(done.seconds < 30.0, "{}", done.seconds);
    assert!(
        done.stdout.contains("no answer in time: ") && done.stdout.contains("docker info"),
        "{}",
        done.stdout
    );
    let parts = index(&bundle);
    let late = part(&parts, "net-addresses.txt");
    assert!(
        late["end"].as_str().unwrap().starts_with("no answer"),
        "{late}"
    );
    let text = fs::read_to_string(bundle.join("net-addresses.txt")).unwrap();
    assert!(text.starts_with("begun"), "the half that came is kept");
    let left = crate::support::processes::with(place.path().to_str().unwrap());
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn an_interrupted_diagnosis_leaves_no_program() {
    let place = tempfile::tempdir().unwrap();
    let (fakes, begun) = (place.path().join("fakes"), place.path().join("begun"));
    fake(
        &fakes,
        "docker",
        &format!("touch '{}'; exec sleep 1000", begun.display()),
    );
    let call = KataCi::bare()
        .env("PATH", path_with(&fakes))
        .env("MARK", place.path())
        .args(["diag", "-o"])
        .args([place.path().join("bundle")])
        .start();
    until("docker", || begun.exists());
    call.signal(nix::sys::signal::Signal::SIGINT);
    call.finish().expect_code(130);
    until("the end of docker", || {
        crate::support::processes::with(place.path().to_str().unwrap()).is_empty()
    });
}

#[test]
fn a_flood_is_cut_and_a_pipe_in_place_of_a_file_is_not_waited_for() {
    let place = tempfile::tempdir().unwrap();
    let fakes = place.path().join("fakes");
    fake(&fakes, "docker", "exec yes 'a line of a flood'");
    fake(
        &fakes,
        "kata-runtime",
        "printf '\\033[31mred\\033[0m \\377 end'; exit 3",
    );
    let bundle = place.path().join("bundle");
    let done = KataCi::bare()
        .env("PATH", path_with(&fakes))
        .args(["diag", "-o"])
        .args([&bundle])
        .finish();
    assert!(matches!(done.code, 0 | 1), "{}", done.printed());
    let parts = index(&bundle);
    let flood = part(&parts, "docker-info.txt");
    assert_eq!(flood["cut"], true, "{flood}");
    assert!(fs::metadata(bundle.join("docker-info.txt")).unwrap().len() < 256 << 10);
    let env = part(&parts, "kata-runtime-env.txt");
    assert_eq!(env["exit_code"], 3);
    let text = fs::read_to_string(bundle.join("kata-runtime-env.txt")).unwrap();
    assert_eq!(text, "red \u{fffd} end");
}

/// The rule of kata's own tests, on a journal that systemd made.
#[test]
fn a_fatal_line_of_a_log_fails() {
    let place = tempfile::tempdir().unwrap();
    let fine = [
        ("kata", 6, "started"),
        ("kata-runtime", 4, "a warning\nof two lines"),
        ("kernel", 6, "eth0: up"),
    ];
    let Some(path) = journal(place.path(), &fine) else {
        return;
    };
    let call = |name: &str| {
        let bundle = place.path().join(name);
        let call = KataCi::bare()
            .args(["diag", "--journal"])
            .args([&path])
            .args(["-o"])
            .args([&bundle]);
        (call.finish(), bundle)
    };
    let (done, bundle) = call("fine");
    done.expect_code(0);
    let text = fs::read_to_string(bundle.join("journal-kata-runtime.txt")).unwrap();
    assert!(
        text.ends_with("kata-runtime[77] warning: a warning\n    of two lines\n"),
        "{text}"
    );
    assert!(!bundle.join("journal-kata-proxy.txt").exists());
    fs::remove_file(&path).unwrap();
    let fatal = [
        ("kata", 3, "fatal error: all goroutines are asleep"),
        ("kernel", 6, "qemu-system-x86[9]: segfault at 0 ip 1"),
    ];
    journal(place.path(), &fatal).unwrap();
    let (done, bundle) = call("fatal");
    let done = done.expect_code(1);
    assert!(
        done.stdout.contains("2 lines of the logs fail"),
        "{}",
        done.stdout
    );
    assert!(
        done.stdout.contains("journal-kernel.txt: "),
        "{}",
        done.stdout
    );
    let summary = fs::read_to_string(bundle.join("summary.md")).unwrap();
    assert!(
        summary.contains("**2 fatal lines**") && summary.contains("all goroutines"),
        "{summary}"
    );
}

/// A log that was not read is not taken for one without a fatal line.
#[test]
fn a_log_that_cannot_be_read_is_said() {
    let place = tempfile::tempdir().unwrap();
    let bundle = place.path().join("bundle");
    let done = KataCi::bare()
        .args(["diag", "--since", "no time at all", "-o"])
        .args([&bundle])
        .finish()
        .expect_code(75);
    assert!(
        done.stdout.contains("logs that were not read")
            && done.stdout.contains("journal-kata (exit 1)"),
        "{}",
        done.stdout
    );
    let summary = fs::read_to_string(bundle.join("summary.md")).unwrap();
    assert!(summary.contains("Not all logs were read"), "{summary}");
    let wrong = KataCi::bare()
        .args(["diag", "--journal", "/nonexistent"])
        .finish();
    wrong.expect_code(2);
}

/// `journalctl -t kata-runtime --since '1 min ago'`, and the same with `-f`.
#[test]
fn a_tag_is_followed_while_its_journal_grows() {
    let place = tempfile::tempdir().unwrap();
    let Some(program) = real("systemd-journal-remote") else {
        return;
    };
    let path = place.path().join("grows.journal");
    let mut writer = Command::new(program)
        .args(["-o", path.to_str().unwrap(), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut entries = writer.stdin.take().unwrap();
    entries
        .write_all(&export(&[
            ("kata-runtime", 6, "first token=Zq7-secret"),
            ("other", 6, "not this"),
        ]))
        .unwrap();
    until("the journal", || {
        let read = Command::new("journalctl")
            .args(["-q", "--file"])
            .arg(&path)
            .output()
            .unwrap();
        String::from_utf8_lossy(&read.stdout).contains("first")
    });
    let mut call = KataCi::bare()
        .args([
            "diag",
            "--follow",
            "kata-runtime",
            "--since",
            "1 min ago",
            "--journal",
        ])
        .args([&path])
        .start();
    let mut lines = BufReader::new(call.child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(
        first.ends_with("kata-runtime[77]: first token=***"),
        "{first}"
    );
    entries
        .write_all(&export(&[("kata-runtime", 3, "second")]))
        .unwrap();
    let second = lines.next().unwrap().unwrap();
    assert!(
        second.ends_with("kata-runtime[77] error: second"),
        "{second}"
    );
    call.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(call.child.wait().unwrap().code(), Some(143));
    drop(entries);
    writer.wait().unwrap();
}

/// `cat config.json | python -m json.tool`.
#[test]
fn json_is_shown_or_its_error_has_a_caret() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("config.json");
    fs::write(&file, r#"{"b":1,"a":[true,{"password":"Zq7-secret"}]}"#).unwrap();
    let done = KataCi::bare()
        .args(["diag", "json"])
        .args([&file])
        .finish()
        .expect_code(0);
    assert_eq!(
        done.stdout,
        "{\n  \"b\": 1,\n  \"a\": [\n    true,\n    {\n      \"password\": \"***\"\n    }\n  ]\n}\n"
    );
    fs::write(
        &file,
        "{\n  \"default-runtime\": \"kata\",\n  \"runtimes\": {},\n}\n",
    )
    .unwrap();
    let done = KataCi::bare()
        .args(["diag", "json"])
        .args([&file])
        .finish()
        .expect_code(1);
    assert!(
        done.stderr
            .contains("config.json:4:1: key must be a string")
            && done.stderr.contains("4 | }\n  | ^"),
        "{}",
        done.stderr
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_kata-ci"));
    let mut child = command
        .args(["diag", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"[1]").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"[\n  1\n]\n");
    KataCi::bare()
        .args(["diag", "json", "/nonexistent"])
        .finish()
        .expect_code(2);
}

/// ``cat /boot/config-`uname -r` ``, and one option of it.
#[test]
fn the_kernels_configuration_is_shown_whole_or_by_option() {
    let all = KataCi::bare().args(["diag", "kernel"]).finish();
    if all.code == 69 {
        assert!(all.stderr.contains("/proc/config.gz"), "{}", all.stderr);
        return;
    }
    assert!(
        all.stdout.contains("\nCONFIG_") && all.stdout.starts_with("# /"),
        "{}",
        all.stdout
    );
    let one = KataCi::bare()
        .args(["diag", "kernel", "net"])
        .finish()
        .expect_code(0);
    assert!(
        one.stdout.starts_with("CONFIG_NET=y    # /"),
        "{}",
        one.stdout
    );
    let none = KataCi::bare()
        .args(["diag", "kernel", "CONFIG_NO_SUCH_THING"])
        .finish()
        .expect_code(1);
    assert!(
        none.stdout.starts_with("CONFIG_NO_SUCH_THING is not set"),
        "{}",
        none.stdout
    );
}

/// `ps axf`.
#[test]
fn the_process_tree_is_shown() {
    let mut child = Command::new("sh")
        .args(["-c", "sleep 300 & wait # --token Zq7-secret"])
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let mut found = String::new();
    until("the child of the shell", || {
        found = KataCi::bare()
            .args(["diag", "ps"])
            .finish()
            .expect_code(0)
            .stdout;
        let mut lines = found
            .lines()
            .skip_while(|line| !line.trim_start().starts_with(&format!("{pid} ")));
        lines.any(|line| line.contains("  sleep 300") && line.contains(&format!(" {pid} ")))
    });
    assert!(
        found.contains("--token ***") && !found.contains("Zq7-secret"),
        "{found}"
    );
    assert!(
        found.contains("cgroup /") && found.contains("net 4026"),
        "{found}"
    );
    let own = nix::unistd::Pid::from_raw(child.id().cast_signed());
    let sleep = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap();
    let sleep = nix::unistd::Pid::from_raw(sleep.trim().parse().unwrap());
    nix::sys::signal::kill(sleep, nix::sys::signal::Signal::SIGKILL).unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_that_failed_comes_with_a_diagnosis() {
    let workspace = makefiles(&[("one", "check:\n\tfalse\n")]);
    for (flag, is_there) in [("never", false), ("on-failure", true)] {
        let done = run_in(workspace.path())
            .args(["--step", "check", "--diag", flag])
            .finish()
            .expect_code(1);
        let bundle = done.reports.join("diag");
        assert_eq!(
            bundle.join("summary.md").exists(),
            is_there,
            "{}",
            done.printed()
        );
        if is_there {
            let journal = index(&bundle);
            let command = journal.iter().find(|part| {
                part["command"]
                    .as_str()
                    .is_some_and(|command| command.starts_with("journalctl -t kata "))
            });
            assert!(
                command.unwrap()["command"]
                    .as_str()
                    .unwrap()
                    .contains("--since @")
            );
        }
    }
}

#[test]
fn without_root_what_can_be_read_is_read() {
    if !is_root() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let binary = place.path().join("kata-ci");
    fs::copy(env!("CARGO_BIN_EXE_kata-ci"), &binary).unwrap();
    fs::set_permissions(&binary, PermissionsExt::from_mode(0o755)).unwrap();
    let bundle = place.path().join("bundle");
    let done = KataCi::bare().args(["diag", "-o"]).args([&bundle]);
    let done = done
        .through(
            &[
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
            ],
            &binary,
        )
        .finish();
    assert!(matches!(done.code, 0 | 1), "{}", done.printed());
    let parts = index(&bundle);
    assert_eq!(part(&parts, "processes.txt")["exit_code"], 0);
    assert!(Duration::from_secs_f64(done.seconds) < Duration::from_secs(30));
}
