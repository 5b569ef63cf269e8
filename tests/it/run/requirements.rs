//! Findings before the first job, and the tests that an ordinary user gets.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::support::isolation::Who;
use crate::support::workspace::{kata, makefiles, write};
use crate::support::{Finished, KataCi, run_in};

fn program(path: &Path, script: &str) {
    write(path, script);
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("executable");
}

#[test]
fn a_toolchain_that_is_missing_is_one_finding_for_all_components() {
    const TEST: &str = "check:\n  cargo clippy\ntest:\n  cargo test";
    let place = makefiles(&[("a", TEST), ("b", TEST), ("c", TEST)]);
    let components = ["a", "b", "c"]
        .map(|name| format!("[[component]]\nname = \"{name}\"\nrequires = [\"cargo\"]\n"));
    let pipeline = format!(
        "version = 1\nextends = \"makefile\"\n{}",
        components.concat()
    );
    write(&place.path().join("kata-ci.toml"), &pipeline);
    let asks = "[toolchain]\nchannel = \"1.96\"\n";
    write(&place.path().join("rust-toolchain.toml"), asks);
    for name in ["cargo", "rustup"] {
        program(
            &place.path().join("bin").join(name),
            "#!/bin/sh\necho cargo 1.96.0\n",
        );
    }
    let path = std::env::var("PATH").expect("PATH");
    let path = format!("{}:{path}", place.path().join("bin").display());
    let call = || {
        run_in(place.path())
            .env("PATH", &path)
            .env("RUSTUP_HOME", place.path().join("rustup"))
    };
    let run = call().finish().expect_code(4);
    // Once while the run goes on, once in the summary.
    let told = run.stdout.matches("rustup toolchain install 1.96").count();
    assert_eq!(told, 2, "{}", run.stdout);
    assert!(
        run.stdout.contains("c.test   skipped, as a.check"),
        "{}",
        run.stdout
    );
    call().args(["--require-all"]).finish().expect_code(69);
    std::fs::create_dir_all(place.path().join(format!(
        "rustup/toolchains/1.96-{}-unknown-linux-gnu",
        std::env::consts::ARCH
    )))
    .expect("a directory");
    let run = call().finish().expect_code(1);
    assert!(
        !run.stdout.contains("rustup toolchain install"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_toolchain_of_go_that_is_missing_is_one_finding_for_all_components() {
    const TEST: &str = "check:\n  go vet .\ntest:\n  go test -v .";
    let place = makefiles(&[("a", TEST), ("b", TEST), ("c", TEST)]);
    let components = ["a", "b", "c"]
        .map(|name| format!("[[component]]\nname = \"{name}\"\nrequires = [\"go\"]\n"));
    let pipeline = format!(
        "version = 1\nextends = \"makefile\"\n{}",
        components.concat()
    );
    write(&place.path().join("kata-ci.toml"), &pipeline);
    for name in ["a", "b", "c"] {
        let module = format!("module example.com/{name}\n\ngo 1.99\n");
        write(&place.path().join(name).join("go.mod"), &module);
        write(&place.path().join(name).join("x.go"), "package x\n");
    }
    let run = |choice: &str| {
        let call = run_in(place.path()).env("GOTOOLCHAIN", choice);
        call.env("GOMODCACHE", place.path().join("cache")).finish()
    };
    for choice in ["local", "auto"] {
        let finished = run(choice).expect_code(4);
        let told = finished
            .stdout
            .matches("Go 1.99.0, which go.mod asks for")
            .count();
        assert_eq!(told, 2, "{choice}: {}", finished.stdout);
        let command = "GOTOOLCHAIN=go1.99.0 go version && export GOTOOLCHAIN=go1.99.0";
        assert!(finished.stdout.contains(command), "{}", finished.stdout);
    }
    let finished = run("go1.99.7").expect_code(4);
    let told = "Go 1.99.7, which GOTOOLCHAIN asks for, is not installed";
    assert_eq!(
        finished.stdout.matches(told).count(),
        2,
        "{}",
        finished.stdout
    );
    for name in ["a", "b", "c"] {
        let module = format!("module example.com/{name}\n\ngo 1.20\n");
        write(&place.path().join(name).join("go.mod"), &module);
    }
    let finished = run("local").expect_code(1);
    assert!(
        !finished.stdout.contains("is not installed"),
        "{}",
        finished.stdout
    );
}

/// Runs components of the demo as an ordinary user, who has no sudo.
fn as_user(arguments: &[&str]) -> (TempDir, Finished) {
    let place = kata("gopath");
    let reports = place.path().join("reports");
    let call = KataCi::bare()
        .args(["run", "-C"])
        .args([place.path()])
        .args(["--report-dir"])
        .args([&reports])
        .args(arguments)
        .reports_in(&reports)
        .env("GOCACHE", place.path().join("home/go-build"));
    let sudo = place.path().join("sudo/sudo");
    program(
        &sudo,
        "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n",
    );
    let path = std::env::var("PATH").expect("PATH");
    let path = format!("{}:{path}", sudo.parent().expect("a directory").display());
    std::fs::create_dir_all(place.path().join("home")).expect("a home");
    let call = Who::User.calls(call.env("PATH", path), place.path());
    (place, call.finish())
}

#[test]
fn an_ordinary_user_without_sudo_gets_what_can_be_tested_and_is_told_the_rest() {
    let (_place, run) = as_user(&["proxy", "-s", "test"]);
    let run = run.expect_code(0);
    assert_eq!(run.cases("proxy.test").get("passed"), Some(&9));
    let printed = run.printed();
    assert!(printed.contains("proxy.test: tested as user "), "{printed}");
    assert!(printed.contains("a password is required"), "{printed}");
    assert!(printed.contains("--without-root"), "{printed}");
    // What kata itself calls dangerous is no advice.
    assert!(!printed.contains("CI=true"), "{printed}");
    assert_eq!(run.job("proxy.test")["isolation"]["files"], "enforced");
}

#[test]
fn without_root_leaves_the_root_half_out_without_a_word_of_sudo() {
    let (_place, run) = as_user(&["proxy", "-s", "test", "--without-root"]);
    let run = run.expect_code(0);
    assert_eq!(run.cases("proxy.test").get("passed"), Some(&9));
    let printed = run.printed();
    assert!(
        printed.contains("the tests that need root are left out"),
        "{printed}"
    );
    assert!(!printed.contains("a password is required"), "{printed}");
}

/// Returns the number of stamps that runs in the place have given.
fn stamps(place: &TempDir) -> usize {
    let entries = std::fs::read_dir(place.path().join("state/kata-ci/stamps"));
    entries.map_or(0, |entries| entries.count())
}

#[test]
fn tests_without_their_root_half_give_a_stamp_only_where_that_is_meant() {
    let (place, run) = as_user(&["proxy", "-s", "test"]);
    run.expect_code(0);
    assert_eq!(stamps(&place), 0);
    let (place, run) = as_user(&["proxy", "-s", "test", "--without-root"]);
    run.expect_code(0);
    assert_eq!(stamps(&place), 1);
}
