//! Tests pushes of several repositories: all or nothing before the first connection, one topic, the
//! order of `needs`, and a second push of the rest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kata_ci::env::Environment;
use kata_ci::git::Repository;
use kata_ci::model::ExitCode;
use kata_ci::push::multi::{MultiPushUi, MultiReport, PushTarget, in_order_of_needs, push_multi};
use kata_ci::push::{Check, CheckRequest, CheckResult, PushReport, PushRequest, PushUi};
use serde_json::{Value, json};

use crate::support::gerrit::{Answer, Clone, Project, Transport, User, plain, server};

const NEEDS: [(&str, &[&str]); 4] = [
    ("runtime", &["agent", "shim"]),
    ("agent", &[]),
    ("shim", &[]),
    ("idle", &[]),
];

/// A workspace of clones with a pipeline that says which component needs which.
struct Workspace {
    root: PathBuf,
    clones: Vec<Clone>,
}

impl Workspace {
    fn with(clones: Vec<Clone>) -> Self {
        let root = clones[0].directory.parent().unwrap().to_owned();
        let mut pipeline = "version = 1\n[[step]]\nname = 'test'\nrun = ['true']\n".to_owned();
        for (name, needs) in NEEDS {
            pipeline += &format!("[[component]]\nname = '{name}'\nneeds = {needs:?}\n");
        }
        fs::write(root.join("kata-ci.toml"), pipeline).unwrap();
        Self { root, clones }
    }

    /// Creates plain git servers, which accept `refs/for/…` like any ref.
    fn plain() -> Self {
        let (origin, home) = plain();
        let place = origin.parent().unwrap().to_owned();
        let clone = |(name, _): (&str, _)| {
            let copy = place.join(format!("{name}.git"));
            let status = Command::new("cp").arg("-r").args([&origin, &copy]).status();
            assert!(status.unwrap().success());
            let clone = home.beside(&copy.to_string_lossy(), &format!("work/{name}"));
            clone.git(&["remote", "set-head", "origin", "master"]);
            clone
        };
        Self::with(NEEDS.map(clone).into())
    }

    fn clone(&self, name: &str) -> &Clone {
        self.clones
            .iter()
            .find(|clone| clone.directory.ends_with(name))
            .unwrap()
    }

    fn push(&self, arguments: &[&str]) -> Answer {
        let mut command = self.clones[0].kata_ci(&["push"]);
        Answer::of(command.args(arguments).current_dir(&self.root))
    }

    /// Returns the commit of `refs/for/…` at a plain server.
    fn pushed(&self, name: &str) -> Option<String> {
        let listed = self.clone(name).git(&["ls-remote", "origin", "refs/for/*"]);
        listed
            .split('\t')
            .next()
            .filter(|oid| !oid.is_empty())
            .map(str::to_owned)
    }

    fn commit_everywhere(&self) {
        for name in ["runtime", "agent", "shim"] {
            self.clone(name)
                .commit_with_id("file", &format!("{name}: one of three"));
        }
    }
}

/// Creates real projects with the names of the components, and clones of them.
fn reviewed() -> Option<(Vec<Project>, Workspace)> {
    let server = server()?;
    let projects: Vec<_> = NEEDS.iter().map(|(name, _)| server.project(name)).collect();
    let home = projects[0].clone_as(User::Guest, Transport::Ssh);
    let clones = projects.iter().zip(NEEDS).map(|(project, (name, _))| {
        let url = project.url(User::Guest, Transport::Ssh);
        home.beside(&url, &format!("work/{name}"))
    });
    let workspace = Workspace::with(clones.collect());
    Some((projects, workspace))
}

fn outcomes(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let repositories = report["repositories"].as_array().unwrap();
    repositories
        .iter()
        .map(|one| (text(&one["components"][0]), text(&one["push"]["outcome"])))
        .collect()
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, outcome)| ((*name).to_owned(), (*outcome).to_owned()))
        .collect()
}

fn shim(projects: &[Project]) -> &Project {
    let mut projects = projects.iter();
    projects.find(|one| one.name.starts_with("shim")).unwrap()
}

/// Returns the topics of all changes of the projects.
fn topics(projects: &[Project]) -> Vec<(String, String)> {
    let of = |project: &Project| {
        let path = format!("changes/?q=project:{}", project.id());
        let changes = project.server.rest(User::Admin, "GET", &path, None);
        let changes = changes.as_array().unwrap().clone();
        let stem = project.name.split('-').next().unwrap().to_owned();
        changes.into_iter().map(move |one| {
            (
                stem.clone(),
                one["topic"].as_str().unwrap_or("-").to_owned(),
            )
        })
    };
    projects.iter().flat_map(of).collect()
}

#[test]
fn one_that_is_rejected_keeps_back_what_needs_it_and_a_rerun_goes_on() {
    let Some((projects, workspace)) = reviewed() else {
        return;
    };
    workspace.commit_everywhere();
    let shim = shim(&projects);
    shim.configure(json!({"state": "READ_ONLY"}));
    let answer = workspace
        .push(&["--no-check", "--format", "json"])
        .expect(1);
    let report = answer.json();
    let first = [
        ("agent", "pushed"),
        ("shim", "rejected"),
        ("runtime", "held"),
        ("idle", "nothing-new"),
    ];
    assert_eq!(outcomes(&report), expected(&first));
    let topic = report["topic"].as_str().unwrap().to_owned();
    assert_eq!(topics(&projects), [("agent".to_owned(), topic.clone())]);
    shim.configure(json!({"state": "ACTIVE"}));
    let answer = workspace.push(&["--no-check"]).expect(0);
    for piece in [
        "✓ agent    nothing new",
        "✓ shim     pushed",
        "✓ runtime  pushed",
        "✓ idle     nothing new",
        "! not checked (--no-check)",
        &topic,
    ] {
        assert!(answer.output.contains(piece), "{piece}: {}", answer.output);
    }
    let all = ["runtime", "agent", "shim"].map(|name| (name.to_owned(), topic.clone()));
    assert_eq!(topics(&projects), all);
    let report = workspace
        .push(&["--no-check", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(report["topic"], topic, "it is remembered");
    assert!(
        outcomes(&report)
            .iter()
            .all(|(_, outcome)| outcome == "nothing-new"),
        "{report:#}"
    );
}

#[test]
fn the_table_tells_what_was_pushed_and_what_failed_and_why() {
    let Some((projects, workspace)) = reviewed() else {
        return;
    };
    workspace.commit_everywhere();
    let shim = shim(&projects);
    shim.configure(json!({"state": "READ_ONLY"}));
    let answer = workspace
        .push(&["--no-check", "--topic", "50% done"])
        .expect(1);
    let table: Vec<&str> = answer.output.lines().rev().take(5).collect();
    let line = |start: &str| {
        *table
            .iter()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("{}", answer.output))
    };
    assert!(line("✓ agent    pushed").contains("/+/"), "{table:#?}");
    assert!(
        line("✗ shim     rejected").contains("does not permit write"),
        "{table:#?}"
    );
    assert!(
        line("- runtime  not pushed").contains("it needs shim"),
        "{table:#?}"
    );
    assert!(
        line("once that is mended").contains("(50% done)"),
        "{table:#?}"
    );
    assert!(
        answer.output.contains("administrators"),
        "the fix: {}",
        answer.output
    );
    assert_eq!(
        topics(&projects),
        [("agent".to_owned(), "50% done".to_owned())]
    );
}

#[test]
fn nothing_goes_when_one_would_be_refused() {
    let workspace = Workspace::plain();
    workspace.commit_everywhere();
    workspace
        .clone("shim")
        .commit("file", "shim: without an id\n");
    let answer = workspace.push(&["--no-check"]).expect(1);
    assert!(
        answer.output.contains("✗ shim     refused"),
        "{}",
        answer.output
    );
    assert!(
        answer
            .output
            .contains("- agent    not pushed    nothing is pushed unless all of it can be"),
        "{}",
        answer.output
    );
    for name in ["runtime", "agent", "shim"] {
        assert_eq!(workspace.pushed(name), None, "{name}");
    }
    workspace.push(&["--no-check", "--fix"]).expect(0);
    assert!(workspace.pushed("agent").is_some() && workspace.pushed("shim").is_some());
}

#[test]
fn a_repository_that_cannot_be_told_of_stops_all() {
    let workspace = Workspace::plain();
    workspace.commit_everywhere();
    workspace
        .clone("agent")
        .git(&["remote", "remove", "origin"]);
    let answer = workspace.push(&["--no-check"]).expect(2);
    assert!(
        answer.output.contains("git remote add origin URL"),
        "{}",
        answer.output
    );
    assert_eq!(workspace.pushed("shim"), None);
}

/// A check that passes for all but one repository.
struct Failing(&'static str);

impl Check for Failing {
    fn check(&self, request: &CheckRequest<'_>) -> CheckResult {
        match request.repository.directory().ends_with(self.0) {
            true => CheckResult::NotPassed("test failed".to_owned(), ExitCode::Failed),
            false => CheckResult::Passed("passed".to_owned()),
        }
    }
}

struct Nobody;

impl PushUi for Nobody {
    fn plan(&mut self, _: &PushReport) {}
    fn confirm(&mut self, _: &str) -> Option<bool> {
        None
    }
}

impl MultiPushUi for Nobody {
    fn plans(&mut self, _: &MultiReport) {}
}

fn places(workspace: &Workspace) -> Vec<PushTarget> {
    let place = |(name, needs): (&str, &[&str])| PushTarget {
        components: vec![name.to_owned()],
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        repository: Repository::at(workspace.root.join(name), &git_environment(workspace)),
        request: PushRequest::default(),
    };
    in_order_of_needs(NEEDS.map(place).into())
}

fn git_environment(workspace: &Workspace) -> Environment {
    let own = workspace.clones[0].environment();
    let own = own
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()));
    std::env::vars_os().chain(own).collect()
}

#[test]
fn nothing_goes_when_one_check_does_not_pass() {
    let workspace = Workspace::plain();
    workspace.commit_everywhere();
    let report = push_multi(&places(&workspace), &Failing("runtime"), &mut Nobody);
    let outcomes: Vec<_> = report
        .repositories
        .iter()
        .map(|one| one.push.as_ref().unwrap())
        .collect();
    assert_eq!(report.exit, 1);
    assert!(
        outcomes
            .iter()
            .any(|push| push.notes.contains(&"test failed".to_owned()))
    );
    for name in ["runtime", "agent", "shim"] {
        assert_eq!(workspace.pushed(name), None, "{name}");
    }
    let report = push_multi(&places(&workspace), &Failing("idle"), &mut Nobody);
    assert_eq!(report.exit, 0, "what has nothing to push is not checked");
    for name in ["runtime", "agent", "shim"] {
        assert!(workspace.pushed(name).is_some(), "{name}");
    }
}

#[test]
fn each_is_checked_with_what_it_depends_on_before_any_of_them_goes() {
    let workspace = Workspace::plain();
    let pipeline = fs::read_to_string(workspace.root.join("kata-ci.toml")).unwrap();
    let script = "name = 'verify'\nscript = \"grep -x good verdict; test ! -e needs || grep -x good ../agent/verdict\"";
    let pipeline = pipeline.replace("name = 'test'\nrun = ['true']", script);
    fs::write(workspace.root.join("kata-ci.toml"), pipeline).unwrap();
    let commit = |name: &str, verdict: &str, more: &str| {
        let clone = workspace.clone(name);
        fs::write(clone.directory.join("verdict"), format!("{verdict}\n")).unwrap();
        clone.commit_with_id("file", &format!("{name}: say {verdict}{more}"))
    };
    let needed = commit("agent", "good", "");
    fs::write(workspace.clone("runtime").directory.join("needs"), "").unwrap();
    commit("runtime", "good", &format!("\n\nDepends-on: {needed}"));
    commit("shim", "bad", "");
    // The work tree does not count.
    fs::write(workspace.clone("shim").directory.join("verdict"), "good\n").unwrap();
    let answer = workspace.push(&[]).expect(1);
    for piece in [
        "✗ shim     not passed",
        "- agent    not pushed",
        "- runtime  not pushed",
        &format!("Depends-on: {needed}"),
    ] {
        assert!(answer.output.contains(piece), "{piece}: {answer:?}");
    }
    for name in ["runtime", "agent", "shim"] {
        assert_eq!(workspace.pushed(name), None, "{name}");
    }
    let shim = workspace.clone("shim");
    shim.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
    let report = workspace.push(&["--format", "json"]).expect(0).json();
    for name in ["runtime", "agent", "shim"] {
        assert!(workspace.pushed(name).is_some(), "{name}");
    }
    let checked = &report["repositories"][0]["push"]["checked"];
    assert!(checked.as_str().unwrap().contains("1 passed"), "{report:#}");
}

#[test]
fn more_than_five_in_all_are_asked_for_once() {
    let workspace = Workspace::plain();
    workspace.commit_everywhere();
    workspace.commit_everywhere();
    let answer = workspace.push(&["--no-check"]).expect(2);
    assert!(
        answer.output.contains("6 changes are more than 5"),
        "{}",
        answer.output
    );
    assert_eq!(workspace.pushed("agent"), None);
    workspace.push(&["--no-check", "--yes"]).expect(0);
    assert!(workspace.pushed("agent").is_some());
}

#[test]
fn the_topic_is_the_one_given_or_the_branch_all_are_on() {
    let workspace = Workspace::plain();
    workspace.commit_everywhere();
    let topic = |arguments: &[&str]| {
        let all = [&["--no-check", "--dry-run", "--format", "json"], arguments].concat();
        workspace.push(&all).expect(0).json()["topic"].clone()
    };
    assert!(topic(&[]).as_str().unwrap().starts_with("kata-ci-"));
    assert_eq!(topic(&["--topic", "mine"]), "mine");
    for clone in &workspace.clones {
        clone.git(&["switch", "-q", "-c", "fix-the-shim"]);
    }
    assert_eq!(topic(&[]), "fix-the-shim");
    assert_eq!(topic(&["-o", "topic=mine"]), "mine");
    assert_eq!(topic(&["--direct"]), Value::Null);
    assert_eq!(workspace.pushed("agent"), None, "nothing of it was meant");
}

#[test]
fn where_there_is_nothing_to_push_that_is_said() {
    let workspace = Workspace::plain();
    let answer = workspace.push(&["--no-check"]).expect(0);
    assert!(
        answer.output.contains("✓ agent    nothing new"),
        "{}",
        answer.output
    );
    let answer = workspace
        .push(&["--no-check", "https://ada:s3cret@example.com/x"])
        .expect(2);
    assert!(
        answer.errors.contains("one repository") && !answer.errors.contains("s3cret"),
        "{}",
        answer.errors
    );
    let empty = tempfile::tempdir().unwrap();
    let mut command = workspace.clones[0].kata_ci(&["push", "--no-check"]);
    let answer = Answer::of(command.current_dir(Path::new(empty.path()))).expect(2);
    assert!(
        answer.errors.contains("no git repository"),
        "{}",
        answer.errors
    );
}
