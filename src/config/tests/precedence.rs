//! The order of precedence: a given option, the pipeline, the user's configuration, the defaults.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::support::*;
use crate::config::*;

struct Files(tempfile::TempDir);

impl Files {
    fn new(pipeline: &str, user: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("kata-ci.toml"), pipeline).unwrap();
        fs::write(directory.path().join("config.toml"), user).unwrap();
        Self(directory)
    }

    fn load(&self, overrides: &Overrides) -> Result<Pipeline, ConfigError> {
        let source = PipelineSource::File(self.0.path().join("kata-ci.toml"));
        load(&source, overrides, Some(&self.0.path().join("config.toml")))
    }
}

const STEP: &str = "[[step]]\nname = 'test'\nscript = ':'\n";

#[test]
fn each_layer_gives_way_to_the_one_above() {
    let user = "version = 1\n[defaults]\ntimeout = '2m'";
    let silent = Files::new(&format!("version = 1\n{STEP}"), user);
    let with_defaults = Files::new(
        &format!("version = 1\n[defaults]\ntimeout = '3m'\n{STEP}"),
        user,
    );
    let with_step = Files::new(&format!("version = 1\n{STEP}timeout = '4m'"), user);
    let timeout = |files: &Files, overrides: &Overrides| {
        files.load(overrides).unwrap().steps[0].timeout.as_secs()
    };
    let none = Overrides::default();
    assert_eq!(timeout(&silent, &none), 120);
    assert_eq!(timeout(&with_defaults, &none), 180);
    assert_eq!(timeout(&with_step, &none), 240);
    let option = Overrides {
        timeout: Some(Duration::from_secs(300)),
        ..Overrides::default()
    };
    assert_eq!(timeout(&with_step, &option), 300);
}

#[test]
fn options_hold_for_every_step() {
    let overrides = Overrides {
        retries: Some(3),
        timeout: Some(Duration::from_secs(1)),
        grace: Some(Duration::ZERO),
        isolate: None,
        without_root: false,
        network: Some(NetworkPolicy::Off),
    };
    let pipeline = load(&PipelineSource::Shipped("kata-monorepo"), &overrides, None).unwrap();
    for step in &pipeline.steps {
        assert_eq!(step.timeout, Duration::from_secs(1));
        assert_eq!(step.grace, Duration::ZERO);
        assert_eq!(step.retries, 3);
        assert_eq!(step.network, NetworkPolicy::Off);
    }
}

#[test]
fn variables_of_the_user_lie_below_those_of_the_pipeline() {
    let files = Files::new(
        &format!("version = 1\nenv = {{A = 'pipeline', B = 'pipeline'}}\n{STEP}"),
        "version = 1\nenv = {A = 'user', C = 'user'}\n[defaults]\nenv = {B = 'user', C = 'default', D = 'user'}",
    );
    let pipeline = files.load(&Overrides::default()).unwrap();
    let env: Vec<_> = pipeline
        .env
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(
        env,
        [
            ("A", "pipeline"),
            ("B", "pipeline"),
            ("C", "user"),
            ("D", "user")
        ]
    );
    assert!(pipeline.steps[0].env.is_empty());
}

#[test]
fn the_user_does_not_say_what_is_tested() {
    let user = "version = 1\nextends = 'kata-v1'\n[defaults]\nexpect = 'exit'\nallow_vacuous = 'never mind'\n[[component]]\nname = 'x'";
    let error = Files::new(&format!("version = 1\n{STEP}"), user)
        .load(&Overrides::default())
        .unwrap_err()
        .to_string();
    for key in ["extends", "expect", "allow_vacuous", "component"] {
        assert!(error.contains(&format!("error: `{key}`")), "{error}");
    }
    assert!(error.contains("config.toml:2:1"), "{error}");
}

#[test]
fn a_mistake_of_the_user_names_the_user_s_file() {
    let error = Files::new(
        &format!("version = 1\n{STEP}"),
        "version = 1\n[defaults]\ntimout = '1m'",
    )
    .load(&Overrides::default())
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("config.toml:3:1") && error.contains("did you mean `timeout`?"),
        "{error}"
    );
}

#[test]
fn a_user_without_a_configuration_is_no_mistake() {
    let source = PipelineSource::Shipped("makefile");
    for absent in [
        "/nowhere/kata-ci/config.toml",
        "/dev/null/kata-ci/config.toml",
    ] {
        let pipeline = load(&source, &Overrides::default(), Some(Path::new(absent))).unwrap();
        assert_eq!(pipeline, load_shipped("makefile"));
    }
}

#[test]
fn the_user_s_file_is_where_xdg_says() {
    let file = |variables: &[(&str, &str)]| {
        user_file(
            &variables
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    };
    let home = ("HOME", "/home/dev");
    let path = |text: &str| Some(text.into());
    assert_eq!(file(&[home]), path("/home/dev/.config/kata-ci/config.toml"));
    assert_eq!(
        file(&[home, ("XDG_CONFIG_HOME", "/etc/xdg")]),
        path("/etc/xdg/kata-ci/config.toml")
    );
    for ignored in ["", "relative"] {
        assert_eq!(
            file(&[home, ("XDG_CONFIG_HOME", ignored)]),
            path("/home/dev/.config/kata-ci/config.toml")
        );
    }
    assert_eq!(file(&[]), None);
}
