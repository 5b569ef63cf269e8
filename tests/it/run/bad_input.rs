//! Tests that bad input is one clear error with place and hint, and never a success.

use crate::support::workspace::{makefiles, write};
use crate::support::{Finished, KataCi, run_in};

const GOOD: &str = "test:\n @echo '=== RUN   TestA'; echo '--- PASS: TestA (0.00s)'; echo 'ok  \tx\t0.1s'\n.PHONY: test";

/// Runs in a workspace with this pipeline file.
fn with_pipeline(text: &str) -> Finished {
    let place = makefiles(&[("one", GOOD), ("two", GOOD)]);
    write(&place.path().join("kata-ci.toml"), text);
    run_in(place.path()).finish()
}

fn refused(text: &str, says: &[&str]) {
    let run = with_pipeline(text).expect_code(2);
    for part in says {
        assert!(
            run.stderr.contains(part),
            "{part} is not in:\n{}",
            run.stderr
        );
    }
    assert_eq!(
        run.stderr.matches("error").count(),
        1,
        "one error:\n{}",
        run.stderr
    );
    assert!(!run.reports.join("junit.xml").exists());
}

const STEP: &str = "[[step]]\nname = \"test\"\nrun = [\"make\", \"test\"]\n";
const ONE: &str = "[[component]]\nname = \"one\"\npath = \"one\"\n";

#[test]
fn a_typo_is_named_with_its_place_and_the_right_word() {
    refused(
        &format!(
            "version = 1\n[[step]]\nname = \"test\"\nrun = [\"make\"]\ntimout = \"1m\"\n{ONE}"
        ),
        &[
            "kata-ci.toml:5:1",
            "unknown key `timout`",
            "did you mean `timeout`?",
        ],
    );
}

#[test]
fn toml_that_is_none_is_named_with_its_place() {
    refused("version = 1\n[[step]\n", &["kata-ci.toml:2:"]);
}

#[test]
fn a_component_twice_is_refused() {
    refused(
        &format!("version = 1\n{STEP}{ONE}{ONE}"),
        &["kata-ci.toml:", "`one`"],
    );
}

#[test]
fn a_cycle_in_needs_is_refused() {
    let components = "[[component]]\nname = \"one\"\npath = \"one\"\nneeds = [\"two\"]\n\
                      [[component]]\nname = \"two\"\npath = \"two\"\nneeds = [\"one\"]\n";
    refused(
        &format!("version = 1\n{STEP}{components}"),
        &["kata-ci.toml:", "one", "two"],
    );
}

#[test]
fn a_version_of_the_future_is_refused() {
    refused(
        &format!("version = 99\n{STEP}{ONE}"),
        &["kata-ci.toml:1:", "99"],
    );
}

#[test]
fn a_component_that_is_not_there_is_refused() {
    let gone = "[[component]]\nname = \"gone\"\npath = \"gone\"\n";
    refused(&format!("version = 1\n{STEP}{gone}"), &["gone"]);
}

#[test]
fn an_unknown_pipeline_is_refused_with_those_there_are() {
    let place = makefiles(&[("one", GOOD)]);
    let run = run_in(place.path())
        .args(["-p", "kata-v2"])
        .finish()
        .expect_code(2);
    for part in ["kata-v2", "kata-v1", "kata-monorepo", "makefile"] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
}

#[test]
fn no_components_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let run = run_in(place.path()).finish().expect_code(2);
    assert!(run.stderr.contains("Makefile"), "{}", run.stderr);
    run_in(place.path())
        .args(["-p", "kata-v1"])
        .finish()
        .expect_code(2);
}

#[test]
fn a_missing_program_of_a_step_is_an_error() {
    let text = format!("version = 1\n[[step]]\nname = \"x\"\nrun = [\"no-such-program\"]\n{ONE}");
    let run = with_pipeline(&text).expect_code(69);
    assert_eq!(run.outcome("one.x"), "error");
    assert!(
        run.printed().contains("no-such-program"),
        "{}",
        run.printed()
    );
}

#[test]
fn a_users_configuration_with_a_typo_is_refused() {
    let place = makefiles(&[("one", GOOD)]);
    let run = run_in(place.path())
        .config(
            "kata-ci/config.toml",
            "version = 1\n[defaults]\ntimout = \"1m\"\n",
        )
        .finish()
        .expect_code(2);
    assert!(run.stderr.contains("config.toml:3:1"), "{}", run.stderr);
}

#[test]
fn a_full_disk_is_an_error_and_never_green() {
    let Some(disk) = small_disk() else {
        eprintln!("SKIPPED: a small disk needs root and unshare");
        return;
    };
    let chatty = "test:\n @head -c 4000000 /dev/zero | tr '\\0' 'x'; echo; echo '--- PASS: TestA (0.00s)'\n.PHONY: test";
    let place = makefiles(&[("chatty", chatty)]);
    let run = disk.run(place.path());
    assert_eq!(run.0, 75, "{}", run.1);
    assert!(run.1.to_lowercase().contains("no space left"), "{}", run.1);
}

/// A file system of 1 MiB, in a mount namespace that ends with the command that uses it.
struct SmallDisk;

fn small_disk() -> Option<SmallDisk> {
    let probe = std::process::Command::new("unshare")
        .args([
            "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "none", "/mnt",
        ])
        .output()
        .ok()?;
    probe.status.success().then_some(SmallDisk)
}

impl SmallDisk {
    fn run(&self, workspace: &std::path::Path) -> (i32, String) {
        let script = "mount -t tmpfs -o size=1m none /mnt && exec \"$0\" run -C \"$1\" -s test --report-dir /mnt/reports";
        let output = std::process::Command::new("unshare")
            .args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_kata-ci")])
            .arg(workspace)
            .env_remove("CI")
            .output()
            .expect("unshare runs");
        let printed = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&printed).into_owned(),
        )
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let help = KataCi::bare()
        .args(["run", "--help"])
        .finish()
        .expect_code(0);
    assert!(help.stdout.contains("KATACI_PIPELINE"));
    let version = KataCi::bare().args(["--version"]).finish().expect_code(0);
    assert!(version.stdout.starts_with("kata-ci "));
    let man = KataCi::bare().args(["man"]).finish().expect_code(0);
    assert!(man.stdout.contains(".TH"));
    let completions = KataCi::bare()
        .args(["completions", "bash"])
        .finish()
        .expect_code(0);
    assert!(
        completions
            .stdout
            .contains("-F _clap_complete_kata_ci kata-ci")
    );
}

#[test]
fn a_place_that_no_report_can_be_put_is_refused_before_anything_runs() {
    let place = makefiles(&[("good", GOOD)]);
    let run = run_in(place.path())
        .args(["-s", "test", "--junit", "/dev/null"])
        .finish()
        .expect_code(2);
    let says = "cannot write /dev/null: what is there is not a file";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    assert!(!run.reports.join("events.jsonl").exists());
}
