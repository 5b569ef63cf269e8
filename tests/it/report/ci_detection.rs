//! Tests the CI systems: each gets its own format by detection, and executes nothing that a job
//! prints.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::workspace::{makefiles, write};
use crate::support::{Finished, KataCi, run_in};

/// Fails a Go test at a line of a file, and prints commands of each system.
const MAKEFILE: &str = "\
test:
 @cat hostile
 @printf '=== RUN   TestRoute\\n    route_test.go:7: no route ##[add-mask]to\\n--- FAIL: TestRoute (0.01s)\\n'
 @printf '=== RUN   ::error::TestNamed\\n--- FAIL: ::error::TestNamed (0.01s)\\n'
 @printf 'FAIL\\nFAIL\\texample.com/agent\\t0.02s\\nFAIL\\n'; exit 1
.PHONY: test";

const HOSTILE: &str = "\
::error file=a.go::forged
::set-output name=a::forged
::stop-commands::forged
  ::add-mask::forged
ok ##[add-mask]forged
\u{1b}[0Ksection_start:1:forged\r\u{1b}[0Kforged
@@@STEP_FAILURE@@@
";

fn workspace() -> TempDir {
    let place = makefiles(&[("agent", MAKEFILE)]);
    write(&place.path().join("agent/hostile"), HOSTILE);
    write(&place.path().join("agent/route_test.go"), "package agent\n");
    place
}

fn run(workspace: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Finished {
    let run = run_in(workspace).args(["-s", "test"]).args(arguments);
    let run = (variables.iter()).fold(run, |run, (name, value)| run.env(name, value));
    run.finish().expect_code(1)
}

/// Expects no commands except for kata-ci's own.
fn assert_harmless(log: &str, own: &[&str]) {
    for line in log.lines() {
        let text = line.trim_start();
        let is_own = own.iter().any(|mark| line.starts_with(mark));
        assert!(is_own || !text.starts_with("::"), "{line}\nof\n{log}");
        assert!(!line.contains("##[") && !text.starts_with("@@@"), "{line}");
        assert!(
            !line.contains('\r') || line.contains("kata-ci-1-agent.test"),
            "{line:?}"
        );
    }
}

#[test]
fn github_gets_groups_annotations_and_a_summary() {
    let place = workspace();
    let summary = place.path().join("summary");
    fs::write(&summary, "of a command before\n").expect("written");
    let root = place.path().canonicalize().expect("its path");
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_WORKSPACE", root.to_str().expect("text")),
        ("GITHUB_STEP_SUMMARY", summary.to_str().expect("text")),
    ];
    let log = run(&root, &variables, &[]).stdout;
    let header: Vec<_> = log.lines().take(2).collect();
    assert!(
        header[1].starts_with("on GitHub Actions (GITHUB_ACTIONS): "),
        "{log}"
    );
    let (_, rest) = log
        .split_once("\n::group::output of agent.test")
        .expect("a group");
    let (_, rest) = rest.split_once("\n::stop-commands::").expect("stopped");
    let (token, rest) = rest.split_once('\n').expect("a token");
    let (output, rest) = rest
        .split_once(&format!("\n::{token}::\n::endgroup::\n"))
        .expect("its end");
    assert!(
        output.contains("    | ::set-output name=a::forged"),
        "{output}"
    );
    let annotation = "::error file=agent/route_test.go,line=7,title=agent.test TestRoute failed::";
    assert_eq!(rest.matches(annotation).count(), 1, "{rest}");
    let token = format!("::{token}::");
    let own = [
        "::group::",
        "::stop-commands::",
        &token,
        "::endgroup::",
        "::error file=agent/",
        "::error title=agent.test",
    ];
    let before_output = log.replace(output, "");
    assert_harmless(&before_output.replace("no route ##[add-mask]to", ""), &own);
    let summary = fs::read_to_string(&summary).expect("the summary");
    assert!(summary.starts_with("of a command before\n## "), "{summary}");
    assert!(summary.contains("TestRoute"), "{summary}");

    let none = run(&root, &variables, &["--ci", "none"]);
    assert_harmless(&none.printed(), &[]);
    assert!(!none.stdout.contains("GitHub"), "{}", none.stdout);
}

#[test]
fn with_json_github_s_commands_are_on_the_other_stream() {
    let place = workspace();
    let run = run(
        place.path(),
        &[("GITHUB_ACTIONS", "true")],
        &["--format", "json"],
    );
    let events: Vec<Value> = (run.stdout.lines())
        .map(|line| serde_json::from_str(line).expect("JSON alone"))
        .collect();
    let message = events.iter().find_map(|event| {
        event["message"]
            .as_str()
            .filter(|text| text.contains("no route"))
    });
    assert_eq!(message, Some("no route ##[add-mask]to"), "nothing is lost");
    assert!(!run.stdout.contains("##["), "{}", run.stdout);
    assert!(run.stderr.starts_with("::error file="), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("warning: there is no step summary: GITHUB_STEP_SUMMARY is not set"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_summary_that_cannot_be_written_is_said_and_changes_no_result() {
    let place = makefiles(&[("agent", "check:\n @echo ran\n.PHONY: check")]);
    let run = run_in(place.path())
        .args(["-s", "check"])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", "/nonexistent/summary")
        .finish()
        .expect_code(0);
    assert!(
        run.stderr.contains(
            "warning: the step summary /nonexistent/summary cannot be written: No such file"
        ),
        "{}",
        run.stderr
    );
}

#[test]
fn gitlab_gets_sections_and_files_for_its_artifacts() {
    let place = workspace();
    let root = place.path().canonicalize().expect("its path");
    let project = root.to_str().expect("text");
    let run = run(
        &root,
        &[("GITLAB_CI", "true"), ("CI_PROJECT_DIR", project)],
        &[],
    );
    let log = &run.stdout;
    assert_harmless(log, &[]);
    assert_eq!(log.matches("section_start:").count(), 2, "{log}");
    assert_eq!(
        log.matches(":kata-ci-1-agent.test[collapsed=true]\r\u{1b}[0Koutput of agent.test")
            .count(),
        1
    );
    assert_eq!(log.matches(":kata-ci-1-agent.test\r\u{1b}[0K\n").count(), 1);
    assert!(
        log.contains("! GitLab CI finds no reports outside of "),
        "{log}"
    );
    let text =
        fs::read_to_string(run.reports.join("gl-code-quality-report.json")).expect("written");
    let findings: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(findings[0]["location"]["path"], "agent/route_test.go");
    assert!(run.reports.join("gitlab-junit.xml").exists());
}

#[test]
fn zuul_gets_comments_and_the_others_what_they_have() {
    let place = workspace();
    let git = std::process::Command::new("git")
        .args(["init", "-q"])
        .arg(place.path().join("agent"))
        .status();
    assert!(git.expect("git runs").success());
    let zuul = run(place.path(), &[("ZUUL_UUID", "1a2b")], &[]);
    assert!(
        zuul.stdout.contains("\non Zuul (ZUUL_UUID): "),
        "{}",
        zuul.stdout
    );
    let text = fs::read_to_string(zuul.reports.join("zuul-return.json")).expect("written");
    let data: Value = serde_json::from_str(&text).expect("JSON");
    let comment = &data["zuul"]["file_comments"]["route_test.go"][0];
    assert_eq!(
        (&comment["line"], &comment["level"]),
        (&7.into(), &"error".into())
    );
    for (variable, line) in [
        (
            "JENKINS_URL",
            "on Jenkins (JENKINS_URL): its step junit reads junit.xml",
        ),
        (
            "BUILDBOT_BUILDERNAME",
            "on Buildbot (BUILDBOT_BUILDERNAME): logfiles of its step can name summary.md",
        ),
    ] {
        let run = run(place.path(), &[(variable, "x")], &[]);
        assert!(run.stdout.contains(line), "{}", run.stdout);
        assert!(!run.reports.join("zuul-return.json").exists());
        assert_harmless(&run.printed(), &[]);
    }
}

#[test]
fn of_several_systems_one_is_taken_and_said_and_the_option_wins() {
    let place = workspace();
    let variables = [("JENKINS_URL", "http://ci/"), ("GITLAB_CI", "true")];
    let log = run(place.path(), &variables, &[]).stdout;
    assert!(
        log.contains("on GitLab CI (GITLAB_CI): ")
            && log.contains("; not heeded: Jenkins (JENKINS_URL)\n"),
        "{log}"
    );
    let log = run(place.path(), &variables, &["--ci", "jenkins"]).stdout;
    assert!(
        log.contains("on Jenkins (--ci): ") && !log.contains("section_start:1"),
        "{log}"
    );
    let from_environment = [("KATACI_CI", "none"), ("GITLAB_CI", "true")];
    let log = run(place.path(), &from_environment, &[]).stdout;
    assert!(!log.contains("GitLab"), "{log}");
}

#[test]
fn a_hostile_name_is_harmless_when_a_run_is_shown_again() {
    let place = workspace();
    let run = run(place.path(), &[], &[]);
    let show = |arguments: &[&str]| {
        let shown = KataCi::bare()
            .args(["report", "show"])
            .args([&run.reports])
            .args(arguments);
        shown.finish().expect_code(0).stdout
    };
    assert_harmless(&show(&[]), &[]);
    let cases = show(&["--case", "Test"]);
    assert!(
        cases.contains("TestNamed") && cases.contains("no route"),
        "{cases}"
    );
    assert_harmless(&cases, &[]);
}

#[test]
fn what_a_report_from_elsewhere_says_is_harmless() {
    let place = workspace();
    let run = run(place.path(), &[], &[]);
    let journal = run.reports.join("events.jsonl");
    let text = fs::read_to_string(&journal).expect("the journal");
    let hostile =
        r#""notices":[{"text":"a\n::add-mask::forged\u001b[2J ##[add-mask]forged"}],"parallel":"#;
    let changed = text.replacen(r#""parallel":"#, hostile, 1);
    fs::write(&journal, changed).expect("written");
    let report = KataCi::bare()
        .args(["report", "annotations"])
        .args([&journal]);
    let stderr = report.finish().expect_code(0).stderr;
    assert!(
        stderr.starts_with("warning: a ::add-mask::forged ## [add-mask]forged"),
        "{stderr:?}"
    );
    assert_harmless(&stderr, &[]);
}
