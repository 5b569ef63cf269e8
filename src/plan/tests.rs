//! Plans built from pipelines and workspaces made by hand.

use crate::env::Environment;
use crate::model::{Command, JobId, Readiness, Selection};
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::config::{Component, Pipeline, Step};
use crate::workspace::{FoundComponent, Workspace};

fn step(name: &str, needs: &[&str]) -> Step {
    let command = Command::Run(vec!["make".to_owned(), name.to_owned()]);
    Step {
        needs: owned(needs),
        ..Step::new(name, command)
    }
}

fn component(name: &str, needs: &[&str]) -> Component {
    Component {
        needs: owned(needs),
        ..Component::new(name)
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn pipeline(steps: Vec<Step>, components: &[Component]) -> Pipeline {
    Pipeline {
        steps,
        components: components.to_vec(),
        ..Pipeline::new("sample")
    }
}

fn workspace(components: &[Component]) -> Workspace {
    Workspace {
        root: PathBuf::from("/w"),
        environment: Environment::default(),
        components: components
            .iter()
            .map(|component| FoundComponent {
                directory: PathBuf::from("/w").join(&component.path),
                component: component.clone(),
                readiness: Readiness::Ready,
                revision: None,
                packages: None,
                go_root: None,
                changed_files: None,
                root_half: BTreeMap::new(),
                problems: Vec::new(),
                unready_steps: BTreeMap::new(),
            })
            .collect(),
        notices: Vec::new(),
        view: None,
    }
}

fn select(components: &[&str], steps: &[&str]) -> Selection {
    Selection {
        components: owned(components),
        steps: owned(steps),
        ..Selection::default()
    }
}

fn plan(steps: Vec<Step>, components: &[Component], selection: &Selection) -> Plan {
    build(
        &pipeline(steps, components),
        &workspace(components),
        selection,
        &Environment::default(),
    )
    .expect("the selection is known")
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.jobs.iter().map(|job| job.id.as_str()).collect()
}

#[test]
fn every_component_has_every_step_in_the_order_of_the_files() {
    let plan = plan(
        vec![step("check", &[]), step("test", &["check"])],
        &[component("proxy", &[]), component("agent", &["proxy"])],
        &Selection::default(),
    );
    assert_eq!(
        ids(&plan),
        ["proxy.check", "proxy.test", "agent.check", "agent.test"]
    );
    assert_eq!(plan.jobs[1].needs, [JobId::new("proxy", "check")]);
    assert_eq!(
        plan.jobs[2].after,
        [JobId::new("proxy", "check"), JobId::new("proxy", "test")]
    );
}

#[test]
fn a_selected_step_brings_the_steps_it_needs() {
    let steps = vec![
        step("fetch", &[]),
        step("check", &["fetch"]),
        step("test", &["check"]),
    ];
    let components = [component("libs", &[])];
    let all = plan(steps.clone(), &components, &select(&[], &["test"]));
    assert_eq!(ids(&all), ["libs.fetch", "libs.check", "libs.test"]);
    let one = plan(steps, &components, &select(&[], &["fetch"]));
    assert_eq!(ids(&one), ["libs.fetch"]);
}

#[test]
fn a_component_that_is_not_selected_is_nothing_to_wait_for() {
    let components = [component("proxy", &[]), component("agent", &["proxy"])];
    let plan = plan(
        vec![step("test", &[])],
        &components,
        &select(&["agent"], &[]),
    );
    assert_eq!(ids(&plan), ["agent.test"]);
    assert!(plan.jobs[0].after.is_empty());
}

#[test]
fn a_component_has_the_steps_it_lists() {
    let mut only_test = component("shim", &[]);
    only_test.steps = Some(vec!["test".to_owned()]);
    let plan = plan(
        vec![step("check", &[]), step("test", &["check"])],
        &[only_test],
        &Selection::default(),
    );
    assert_eq!(ids(&plan), ["shim.test"]);
    assert!(
        plan.jobs[0].needs.is_empty(),
        "a step the component does not have is no need"
    );
}

#[test]
fn unknown_names_are_refused_with_what_is_known() {
    let components = [component("runtime", &[]), component("agent", &[])];
    let pipeline = pipeline(vec![step("test", &[])], &components);
    let refused = |selection: &Selection| {
        build(
            &pipeline,
            &workspace(&components),
            selection,
            &Environment::default(),
        )
        .expect_err("the name is unknown")
        .to_string()
    };
    assert_eq!(
        refused(&select(&["runtme"], &[])),
        "no component `runtme`; did you mean `runtime`?; there are: runtime, agent"
    );
    assert_eq!(
        refused(&select(&[], &["lint"])),
        "no step `lint`; there are: test"
    );
}

#[test]
fn the_nearest_reason_allows_a_vacuous_job() {
    let mut allowing = component("libs", &[]);
    allowing
        .allow_vacuous
        .insert("test".to_owned(), "component".to_owned());
    let mut test = step("test", &[]);
    test.allow_vacuous = Some("step".to_owned());
    let plan = plan(
        vec![test],
        &[allowing, component("agent", &[])],
        &Selection::default(),
    );
    assert_eq!(plan.jobs[0].allow_vacuous.as_deref(), Some("component"));
    assert_eq!(plan.jobs[1].allow_vacuous.as_deref(), Some("step"));
}

fn environment_of(
    user: &[(&str, &str)],
    layout: &[(&str, &str)],
    of_pipeline: &[(&str, &str)],
    of_step: &[(&str, &str)],
) -> Environment {
    let text = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let os = |pairs: &[(&str, &str)]| -> Environment {
        pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    };
    let components = [component("proxy", &[])];
    let mut step = step("test", &[]);
    step.env = text(of_step);
    let mut pipeline = pipeline(vec![step], &components);
    pipeline.env = text(of_pipeline);
    let mut workspace = workspace(&components);
    workspace.environment = os(layout);
    let plan = build(&pipeline, &workspace, &Selection::default(), &os(user)).expect("all known");
    plan.jobs[0].environment.clone()
}

#[test]
fn a_job_sees_an_allowlist_of_the_users_environment() {
    let seen = environment_of(
        &[
            ("HOME", "/h"),
            ("LC_ALL", "C"),
            ("https_proxy", "http://p"),
            ("MAKEFLAGS", "n"),
            ("GNUMAKEFLAGS", "n"),
            ("MAKEFILES", "x.mk"),
            ("MAKELEVEL", "1"),
            ("GIT_DIR", "/elsewhere"),
            ("GITHUB_TOKEN", "secret"),
            ("SSH_AUTH_SOCK", "/agent"),
            ("GO111MODULE", "on"),
            ("KATACI_PIPELINE", "x"),
        ],
        &[],
        &[],
        &[],
    );
    let names: Vec<_> = seen.names().map(|name| name.to_string_lossy()).collect();
    assert_eq!(names, ["HOME", "LC_ALL", "PWD", "https_proxy"]);
    assert_eq!(seen.get("PWD").unwrap(), "/w/proxy");
}

#[test]
fn later_layers_win_and_an_empty_value_unsets() {
    let seen = environment_of(
        &[("CI", "true"), ("PATH", "/user")],
        &[("GOPATH", "/view"), ("PATH", "/view/bin:/user")],
        &[("KATA_DEV_MODE", "true"), ("CI", "")],
        &[("KATA_DEV_MODE", "false"), ("GOPATH", "/mine")],
    );
    let expected = [
        ("GOPATH", "/mine"),
        ("KATA_DEV_MODE", "false"),
        ("PATH", "/view/bin:/user"),
    ];
    for (name, value) in expected {
        assert_eq!(seen.get(name).unwrap(), value);
    }
    assert!(!seen.contains("CI"));
}

#[test]
fn a_job_holds_the_locks_of_its_component_and_of_its_step() {
    let mut locking = component("agent", &[]);
    locking.locks = owned(&["socket"]);
    let mut check = step("check", &[]);
    check.locks = owned(&["tests-clone"]);
    let plan = plan(
        vec![check, step("test", &[])],
        &[locking],
        &Selection::default(),
    );
    assert_eq!(plan.jobs[0].locks, ["socket", "tests-clone"]);
    assert_eq!(plan.jobs[1].locks, ["socket"]);
}
