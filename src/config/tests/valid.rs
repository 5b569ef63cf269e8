//! Valid input and its meaning.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::support::*;
use crate::config::*;
use crate::model::Command;
use crate::model::Expect;

#[test]
fn all_valid_samples_load() {
    let samples = samples("valid");
    assert!(samples.len() >= 12, "only {} samples", samples.len());
    for path in samples {
        if let Err(error) = load_file(&path) {
            panic!("{error}");
        }
    }
}

#[test]
fn all_shipped_pipelines_load() {
    for (name, _) in shipped() {
        let pipeline = load_shipped(name);
        assert_eq!(pipeline.name, *name);
        assert_eq!(pipeline.base, None);
        assert!(!pipeline.steps.is_empty());
        assert!(
            pipeline
                .components
                .iter()
                .all(|component| component.optional)
        );
    }
}

#[test]
fn kata_v1_is_as_kata_needs_it() {
    let pipeline = load_shipped("kata-v1");
    assert_eq!(pipeline.layout, Layout::Gopath);
    assert_eq!(pipeline.env["KATA_DEV_MODE"], "true");
    assert_eq!(pipeline.env["KATA_CI_NO_NETWORK"], "true");
    let names: Vec<_> = pipeline
        .components
        .iter()
        .map(|component| &*component.name)
        .collect();
    assert_eq!(names, ["runtime", "agent", "shim", "proxy"]);
    for component in &pipeline.components {
        assert!(component.requires.contains(&Requirement::TestsClone));
        assert!(component.requires.contains(&Requirement::Origin));
    }
    assert_eq!(component(&pipeline, "shim").env["TRAVIS_OS_NAME"], "linux");
    assert_eq!(
        component(&pipeline, "shim").locks,
        component(&pipeline, "agent").locks
    );
    assert_eq!(step(&pipeline, "check").expect, Expect::Commands);
    assert_eq!(step(&pipeline, "check").locks, ["tests-clone"]);
    let test = step(&pipeline, "test");
    assert_eq!(test.expect, Expect::Cases);
    assert_eq!(
        test.env["KATA_GO_TEST_FLAGS"],
        "-json -race -timeout 60s -count=1"
    );
    assert_eq!(
        test.command,
        Command::Run(vec!["make".into(), "test".into()])
    );
}

#[test]
fn kata_monorepo_fetches_first_and_with_a_network() {
    let pipeline = load_shipped("kata-monorepo");
    assert_eq!(pipeline.layout, Layout::Plain);
    assert_eq!(pipeline.components.len(), 11);
    for component in &pipeline.components {
        assert!(component.path.ends_with(&component.name), "{component:?}");
        assert!(component.path.starts_with("src"), "{component:?}");
    }
    assert_eq!(step(&pipeline, "fetch").network, NetworkPolicy::On);
    for name in ["check", "test"] {
        assert_eq!(step(&pipeline, name).needs, ["fetch"]);
        assert_eq!(step(&pipeline, name).network, NetworkPolicy::Auto);
    }
}

#[test]
fn makefile_finds_its_components() {
    let pipeline = load_shipped("makefile");
    assert!(pipeline.components.is_empty());
    let names: Vec<_> = pipeline.steps.iter().map(|step| &*step.name).collect();
    assert_eq!(names, ["check", "test"]);
}

#[test]
fn what_is_not_said_is_the_default() {
    let pipeline = load_text(
        "version = 1\n\
         [[step]]\nname = 'test'\nrun = ['true']\n\
         [[step]]\nname = 'check'\nscript = 'true'\n\
         [[step]]\nname = 'other'\nscript = 'true'\n\
         [[component]]\nname = 'one'\n",
    )
    .unwrap();
    let test = step(&pipeline, "test");
    assert_eq!(test.timeout, Duration::from_secs(1800));
    assert_eq!(test.grace, Duration::from_secs(10));
    assert_eq!(test.network, NetworkPolicy::Auto);
    let expected: Vec<_> = pipeline.steps.iter().map(|step| step.expect).collect();
    assert_eq!(expected, [Expect::Cases, Expect::Commands, Expect::Exit]);
    assert_eq!(pipeline.components, [Component::new("one")]);
    assert_eq!(pipeline.layout, Layout::Plain);
}

#[test]
fn every_key_of_the_contract_arrives() {
    let pipeline = load_file(&directory().join("valid/everything.toml")).unwrap();
    insta::with_settings!({filters => vec![(env!("CARGO_MANIFEST_DIR"), "[ROOT]")]}, {
        insta::assert_debug_snapshot!(pipeline);
    });
}

#[test]
fn the_examples_for_users_load() {
    let text = include_str!("../../../pipelines/README.md");
    let examples: Vec<_> = text
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        if let Err(error) = load_text(example) {
            panic!("{error}");
        }
    }
}

/// Runs the script of the monorepo's `fetch` with a `go` and a `cargo` that only print their
/// arguments.
fn fetch(component: &str, files: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for path in files.iter().chain(&[".git", "bin/go", "bin/cargo"]) {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), "#!/bin/sh\necho \"${0##*/} $*\"\n").unwrap();
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let Command::Script(script) = step(&load_shipped("kata-monorepo"), "fetch")
        .command
        .clone()
    else {
        panic!("fetch is a script");
    };
    fs::create_dir_all(root.join(component)).unwrap();
    let output = std::process::Command::new("sh")
        .args(["-eu", "-c", &script])
        .current_dir(root.join(component))
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", root.join("bin").display()),
        )
        .env_remove("PWD")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_monorepo_fetches_modules_or_crates() {
    let files = ["Cargo.toml", "src/runtime/go.mod"];
    assert_eq!(fetch("src/runtime", &files), "go mod download\n");
    assert!(fetch("src/libs", &files).starts_with("cargo fetch --manifest-path /"));
    assert!(fetch("src/libs", &[]).contains("nothing to fetch"));
}
