//! Stories of `kata-ci doctor`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::proxy::Proxy;
use crate::support::workspace::{git, makefiles, write};
use crate::support::{Finished, KataCi};

fn doctor(directory: &Path, arguments: &[&str]) -> KataCi {
    KataCi::bare()
        .args(["doctor", "-C"])
        .args([directory])
        .args(arguments)
}

/// Returns a repository of the test's own, with a global configuration of its own.
fn repository() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a directory");
    git(place.path(), &["init", "-q"]);
    write(
        &place.path().join("home/.gitconfig"),
        "[user]\nname = Ada\nemail = ada@example.com\n",
    );
    place
}

fn at_home(call: KataCi, place: &Path) -> KataCi {
    call.env("HOME", place.join("home"))
}

fn states(run: &Finished) -> Vec<(String, String)> {
    let answer: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let checks = answer["checks"].as_array().expect("checks").clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (checks.iter())
        .map(|check| {
            let rule = format!("{}.{}", text(&check["subject"]), text(&check["rule"]));
            (rule, text(&check["state"]))
        })
        .collect()
}

fn state(run: &Finished, rule: &str) -> String {
    let states = states(run);
    let found = states.iter().find(|(name, _)| name == rule);
    found
        .unwrap_or_else(|| panic!("{rule}: {states:?}"))
        .1
        .clone()
}

#[test]
fn outside_of_a_workspace_components_could_not_be_asked_and_the_rest_is_answered() {
    let place = tempfile::tempdir().expect("a directory");
    let run = doctor(place.path(), &[]).finish().expect_code(75);
    assert!(
        run.stdout.contains("check  could not be asked"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("git is "), "{}", run.stdout);
    doctor(&place.path().join("none"), &[])
        .finish()
        .expect_code(2);
}

#[test]
fn a_component_that_lacks_something_is_said_with_its_fix() {
    let place = makefiles(&[("a", "check:\n  true\ntest:\n  true")]);
    let pipeline = "version = 1\nextends = \"makefile\"\n[[component]]\nname = \"a\"\nrequires = [\"program:no-such-program\"]\n";
    doctor(place.path(), &["--for", "check,test"])
        .finish()
        .expect_code(0);
    write(&place.path().join("kata-ci.toml"), pipeline);
    let run = doctor(place.path(), &["--for", "check,test", "--format", "json"]);
    let run = run.finish().expect_code(1);
    assert_eq!(state(&run, "components.requirement"), "cannot");
    write(
        &place.path().join("kata-ci.toml"),
        "version = 1\nnonsense = 1\n",
    );
    let run = doctor(place.path(), &["--for", "check"])
        .finish()
        .expect_code(1);
    assert!(run.stdout.contains("cannot"), "{}", run.stdout);
}

#[test]
fn a_program_that_hangs_could_not_be_asked() {
    let place = repository();
    let bin = place.path().join("bin");
    let program = bin.join("git");
    write(&program, "#!/bin/sh\nexec sleep 1000\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).expect("executable");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"));
    let call = doctor(place.path(), &["--for", "push", "--format", "json"]);
    let run = call.env("PATH", path).finish().expect_code(75);
    assert_eq!(state(&run, "tools.git"), "could-not-be-asked");
    assert!(run.seconds < 120.0, "{}", run.seconds);
}

#[test]
fn a_proxy_of_git_is_asked_and_https_proxy_is_no_setting() {
    let (proxy, place) = (Proxy::start(), repository());
    let url = proxy.url();
    git(
        place.path(),
        &["remote", "add", "origin", "http://127.0.0.1:9/a/runtime"],
    );
    let call = || {
        at_home(
            doctor(place.path(), &["--for", "push", "--format", "json"]),
            place.path(),
        )
    };
    git(place.path(), &["config", "https.proxy", &url]);
    let run = call().finish();
    assert!(
        run.stdout.contains("https.proxy (http://127.0.0.1:"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("s3cret"), "{}", run.stdout);
    // The fix works when it is pasted.
    let answer: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let checks = answer["checks"].as_array().expect("checks");
    let check = checks
        .iter()
        .find(|check| check["rule"] == "https-proxy")
        .expect("said");
    let fix = check["fix"].as_str().expect("a fix");
    let pasted = Command::new("sh")
        .args(["-c", fix])
        .current_dir(place.path())
        .output();
    assert!(pasted.expect("sh").status.success(), "{fix}");
    let run = call().finish();
    assert_eq!(state(&run, "proxy.reachable"), "can");
    assert!(
        run.stdout.contains("http and https by http://127.0.0.1:"),
        "{}",
        run.stdout
    );
    drop(proxy);
    let run = call().finish().expect_code(1);
    assert_eq!(state(&run, "proxy.reachable"), "cannot");
    let unset = "git config --local --unset-all http.proxy";
    assert!(run.stdout.contains(unset), "{}", run.stdout);
}
