use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::env::Environment;
use crate::report::ci::detect;
use crate::report::read;

/// Two repositories in a workspace below the CI system's checkout.
struct Scene {
    temporary: TempDir,
    environment: Environment,
}

impl Scene {
    fn new(variables: &[(&str, &str)], root: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        for name in ["agent", "proxy"] {
            let repository = temporary.path().join("src/kata").join(name);
            fs::create_dir_all(repository.join(".git")).unwrap();
            fs::create_dir_all(repository.join("pkg/net")).unwrap();
            fs::write(repository.join("pkg/net/a_test.go"), "").unwrap();
        }
        fs::create_dir(temporary.path().join("reports")).unwrap();
        let environment = variables
            .iter()
            .map(|(name, value)| {
                (
                    std::ffi::OsString::from(name),
                    std::ffi::OsString::from(value),
                )
            })
            .chain([(root.into(), temporary.path().into())])
            .collect();
        Self {
            temporary,
            environment,
        }
    }

    fn reports(&self) -> PathBuf {
        self.temporary.path().join("reports")
    }

    fn publish(&self, document: &Document) -> Published {
        let detected = detect(&self.environment).unwrap();
        let root = self.temporary.path().canonicalize().unwrap();
        publish(
            &detected,
            document,
            &root.join("src/kata"),
            &Directory::expect(&self.reports()).unwrap(),
            summary_place(&detected, &self.environment)
                .unwrap()
                .as_ref(),
            &self.environment,
        )
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.reports().join(name)).unwrap()).unwrap()
    }
}

fn suite(component: &str, cases: &str) -> String {
    format!(
        "<testsuite name=\"{component}.test\"><properties><property name=\"directory\" value=\"{component}\"/>\
         </properties>{cases}</testsuite>"
    )
}

fn failing(component: &str, name: &str, line: u32) -> String {
    format!(
        "<testcase classname=\"{component}.test.pkg.net\" name=\"{name}\" file=\"a_test.go\" line=\"{line}\">\
         <failure message=\"no route\">trace</failure></testcase>"
    )
}

fn document(suites: &[String]) -> Document {
    let xml = format!("<testsuites>{}</testsuites>", suites.concat());
    read::read_junit(xml.as_bytes(), &Default::default()).unwrap()
}

fn two_components() -> Document {
    let agent = [failing("agent", "A", 3), failing("agent", "B", 9)].concat();
    let without = "<testcase name=\"lost\"><failure message=\"nowhere\"/></testcase>";
    let proxy = [
        failing("proxy", "C", 4).as_str(),
        without,
        "<testcase name=\"ok\"/>",
    ]
    .concat();
    document(&[suite("agent", &agent), suite("proxy", &proxy)])
}

#[test]
fn github_gets_paths_of_its_checkout_and_a_summary() {
    let summary = tempfile::NamedTempFile::new().unwrap();
    let path = summary.path().to_str().unwrap();
    let scene = Scene::new(
        &[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", path)],
        "GITHUB_WORKSPACE",
    );
    let published = scene.publish(&two_components());
    assert!(published.warnings.is_empty() && published.errors.is_empty());
    let commands = String::from_utf8(published.commands).unwrap();
    assert!(
        commands.starts_with("::error file=src/kata/agent/pkg/net/a_test.go,line=3,title=agent.test A failed::no route\n"),
        "{commands}"
    );
    assert_eq!(commands.lines().count(), 4);
    assert!(fs::read_to_string(path).unwrap().contains("4 failed"));
}

#[test]
fn a_summary_that_cannot_be_written_is_a_warning_and_no_error() {
    for variables in [
        &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_STEP_SUMMARY", "/nonexistent/file"),
        ][..],
        &[("GITHUB_ACTIONS", "true")],
    ] {
        let scene = Scene::new(variables, "GITHUB_WORKSPACE");
        let published = scene.publish(&two_components());
        assert!(published.errors.is_empty());
        assert_eq!(published.warnings.len(), 1);
        assert!(
            published.warnings[0].contains("step summary"),
            "{:?}",
            published.warnings
        );
    }
}

#[test]
fn a_commit_that_is_checked_out_aside_has_the_paths_of_its_repository() {
    let scene = Scene::new(&[("GITHUB_ACTIONS", "true")], "ANOTHER");
    let commands = String::from_utf8(scene.publish(&two_components()).commands).unwrap();
    assert!(
        commands.starts_with("::error file=pkg/net/a_test.go,line=3,"),
        "{commands}"
    );
}

#[test]
fn gitlab_gets_its_junit_and_places_with_fingerprints_that_stay() {
    let scene = Scene::new(&[("GITLAB_CI", "true")], "CI_PROJECT_DIR");
    let published = scene.publish(&two_components());
    assert!(published.commands.is_empty() && published.errors.is_empty());
    let findings = scene.json("gl-code-quality-report.json");
    let findings = findings.as_array().unwrap();
    assert_eq!(findings.len(), 3, "one has no file: {findings:?}");
    assert_eq!(
        findings[0]["location"]["path"],
        "src/kata/agent/pkg/net/a_test.go"
    );
    assert_eq!(findings[0]["location"]["lines"]["begin"], 3);
    assert_eq!(findings[0]["description"], "agent.test A failed: no route");
    let prints: Vec<_> = findings
        .iter()
        .map(|one| one["fingerprint"].clone())
        .collect();
    assert!(prints[0] != prints[1] && prints[1] != prints[2]);
    let moved = [failing("agent", "A", 30), failing("agent", "B", 9)].concat();
    scene.publish(&document(&[suite("agent", &moved)]));
    let again = scene.json("gl-code-quality-report.json");
    assert_eq!(
        again[0]["fingerprint"], prints[0],
        "a line that moved is the same test"
    );
    let junit = fs::read_to_string(scene.reports().join("gitlab-junit.xml")).unwrap();
    assert!(junit.contains("file=\"a_test.go\""), "{junit}");
}

#[test]
fn where_nothing_failed_gitlab_is_told_so() {
    let scene = Scene::new(&[("GITLAB_CI", "true")], "CI_PROJECT_DIR");
    scene.publish(&document(&[suite("agent", "<testcase name=\"ok\"/>")]));
    assert_eq!(
        scene.json("gl-code-quality-report.json"),
        serde_json::json!([])
    );
}

#[test]
fn zuul_gets_comments_on_the_change_s_project_and_the_rest_as_warnings() {
    let comment = |line: u32, name: &str, component: &str| serde_json::json!({"line": line, "level": "error", "message": format!("{component}.test {name} failed: no route")});
    let scene = Scene::new(&[("ZUUL_UUID", "1"), ("ZUUL_PROJECT", "kata/proxy")], "X");
    scene.publish(&two_components());
    let expected = serde_json::json!({"zuul": {
        "file_comments": {"pkg/net/a_test.go": [comment(4, "C", "proxy")]},
        "warnings": ["agent.test A failed: no route", "agent.test B failed: no route", "proxy.test lost failed: nowhere"],
    }});
    assert_eq!(scene.json("zuul-return.json"), expected);
    let scene = Scene::new(&[("ZUUL_UUID", "1")], "X");
    scene.publish(&two_components());
    let comments = &scene.json("zuul-return.json")["zuul"]["file_comments"];
    let most = serde_json::json!({"pkg/net/a_test.go": [comment(3, "A", "agent"), comment(9, "B", "agent")]});
    assert_eq!(comments, &most);
}

#[test]
fn many_failures_are_bounded_for_zuul() {
    let cases: String = (0..200)
        .map(|number| failing("agent", &format!("T{number}"), 1))
        .collect();
    let scene = Scene::new(&[("ZUUL_UUID", "1")], "X");
    scene.publish(&document(&[suite("agent", &cases)]));
    let data = scene.json("zuul-return.json");
    let comments = data["zuul"]["file_comments"]["pkg/net/a_test.go"]
        .as_array()
        .unwrap();
    let warnings = data["zuul"]["warnings"].as_array().unwrap();
    assert_eq!((comments.len(), warnings.len()), (50, 51));
    assert_eq!(warnings[50], "and 100 more that failed: see the report");
}

#[test]
fn jenkins_and_buildbot_get_no_files_of_their_own() {
    for variable in ["JENKINS_URL", "BUILDBOT_BUILDERNAME"] {
        let scene = Scene::new(&[(variable, "x")], "WORKSPACE");
        scene.publish(&two_components());
        assert_eq!(fs::read_dir(scene.reports()).unwrap().count(), 0);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let scene = Scene::new(&[("GITLAB_CI", "true")], "CI_PROJECT_DIR");
    fs::remove_dir(scene.reports()).unwrap();
    assert_eq!(scene.publish(&two_components()).errors.len(), 2);
}
