//! Tests that engines take what `kata-ci plan` writes for them, by their own checkers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::plan::{plan, repository};
use crate::support::engines::checker;

/// Writes the plan of a small workspace for an engine, and returns the file.
fn emitted(place: &Path, format: &str, name: &str) -> PathBuf {
    let repository = repository(3);
    let made = plan(repository.path(), &["--shards", "3", "--format", format]).expect_code(0);
    let file = place.join(name);
    fs::write(&file, made.stdout).expect("written");
    file
}

fn configuration(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("pipelines/engines")
        .join(name)
}

fn expect_good(command: &mut Command) {
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

#[test]
fn github_takes_the_workflow_and_the_matrix() {
    let Some(actionlint) = checker("bin/actionlint") else {
        return;
    };
    let workflow = configuration("github-actions.yml");
    expect_good(Command::new(&actionlint).arg("-no-color").arg(&workflow));
    // The checker does look.
    let place = tempfile::tempdir().expect("a directory");
    let broken = place.path().join("broken.yml");
    let text = fs::read_to_string(workflow).expect("the workflow");
    fs::write(
        &broken,
        text.replace("needs.plan.outputs.matrix", "needs.nobody.outputs.matrix"),
    )
    .expect("written");
    let refused = Command::new(&actionlint)
        .arg(&broken)
        .output()
        .expect("it runs");
    assert!(!refused.status.success());
    let line = fs::read_to_string(emitted(place.path(), "github", "line")).expect("a line");
    let matrix = line.trim_end().strip_prefix("matrix=").expect("a matrix");
    let matrix: serde_json::Value = serde_json::from_str(matrix).expect("JSON");
    assert_eq!(matrix["include"].as_array().map(Vec::len), Some(3));
}

#[test]
fn gitlab_takes_the_pipeline_and_its_child() {
    let Some(check) = checker("venv/bin/check-jsonschema") else {
        return;
    };
    let place = tempfile::tempdir().expect("a directory");
    let child = emitted(place.path(), "gitlab", "child.yml");
    for file in [&configuration("gitlab-ci.yml"), &child] {
        let mut command = Command::new(&check);
        expect_good(
            command
                .args([
                    "--builtin-schema",
                    "vendor.gitlab-ci",
                    "--data-transform",
                    "gitlab-ci",
                ])
                .arg(file),
        );
    }
    let broken = place.path().join("broken.yml");
    let text = fs::read_to_string(child).expect("the child");
    fs::write(&broken, text.replace("    matrix:", "    matrixes:")).expect("written");
    let mut command = Command::new(&check);
    command
        .args([
            "--builtin-schema",
            "vendor.gitlab-ci",
            "--data-transform",
            "gitlab-ci",
        ])
        .arg(broken);
    assert!(!command.output().expect("it runs").status.success());
}

#[test]
fn kubernetes_takes_the_jobs() {
    let Some(check) = checker("venv/bin/kubernetes-validate") else {
        return;
    };
    let place = tempfile::tempdir().expect("a directory");
    let jobs = emitted(place.path(), "kubernetes", "jobs.yaml");
    for file in [&configuration("kubernetes.yaml"), &jobs] {
        expect_good(Command::new(&check).arg("--strict").arg(file));
    }
    let broken = place.path().join("broken.yaml");
    let text = fs::read_to_string(jobs).expect("the jobs");
    fs::write(
        &broken,
        text.replace("completions: 3", "completions: three"),
    )
    .expect("written");
    let refused = Command::new(&check).arg(broken).output().expect("it runs");
    assert!(!refused.status.success());
}

#[test]
fn jenkins_takes_the_pipeline_and_the_script() {
    let Some(groovy) = checker("groovy.jar") else {
        return;
    };
    let place = tempfile::tempdir().expect("a directory");
    let script = emitted(place.path(), "jenkins", "kata-ci.groovy");
    let parser = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/engines/ParseGroovy.java");
    let parse = || {
        let mut command = Command::new("java");
        command.arg("-cp").arg(&groovy).arg(&parser);
        command
    };
    expect_good(parse().arg(&script).arg(configuration("Jenkinsfile")));
    let broken = place.path().join("broken.groovy");
    let text = fs::read_to_string(script).expect("the script");
    fs::write(&broken, text.replacen('{', "", 1)).expect("written");
    assert!(
        !parse()
            .arg(broken)
            .output()
            .expect("it runs")
            .status
            .success()
    );
}

#[test]
fn a_shell_takes_the_script_for_slurm() {
    let place = tempfile::tempdir().expect("a directory");
    let script = emitted(place.path(), "slurm", "submit.sh");
    expect_good(Command::new("sh").arg("-n").arg(&script));
    expect_good(
        Command::new("shellcheck")
            .arg("-S")
            .arg("warning")
            .arg(&script),
    );
}
