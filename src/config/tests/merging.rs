//! Laws of merging, and `extends`.

use std::fs;
use std::time::Duration;

use proptest::prelude::*;

use super::support::*;
use crate::config::diagnostic::Diagnostics;
use crate::config::layer::{ComponentLayer, Layer, StepLayer, StepSettings};
use crate::config::source::{Document, Located, Location};
use crate::config::*;
use crate::model::Command;

fn located<T>(value: T) -> Located<T> {
    let document = std::sync::Arc::new(Document {
        source: PipelineSource::Shipped("test"),
        text: String::new(),
    });
    Located {
        value,
        place: Location::new(&document, 0..0),
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned)
}

fn texts() -> impl Strategy<Value = layer::Texts> {
    prop::collection::btree_map(word(), word().prop_map(located), 0..3)
}

fn list() -> impl Strategy<Value = layer::List<String>> {
    prop::option::of(prop::collection::vec(word().prop_map(located), 0..3))
}

prop_compose! {
    fn settings()(
        script in prop::option::of(word()),
        timeout in prop::option::of(1_u64..9),
        network in prop::option::of(prop::sample::select(vec![NetworkPolicy::Off, NetworkPolicy::On])),
        env in texts(),
        needs in list(),
        locks in list(),
        allow_vacuous in prop::option::of(word()),
    ) -> StepSettings {
        StepSettings {
            command: script.map(Command::Script),
            timeout: timeout.map(Duration::from_secs),
            network,
            env,
            needs,
            locks,
            allow_vacuous,
            ..StepSettings::default()
        }
    }
}

prop_compose! {
    fn component_layer()(
        name in word(),
        path in prop::option::of(word()),
        needs in list(),
        steps in list(),
        env in texts(),
        allow_vacuous in texts(),
        optional in any::<bool>(),
    ) -> ComponentLayer {
        ComponentLayer {
            path: path.map(Into::into),
            needs,
            steps,
            env,
            allow_vacuous,
            optional,
            ..ComponentLayer::named(located(name))
        }
    }
}

fn step_layer() -> impl Strategy<Value = StepLayer> {
    (word(), settings()).prop_map(|(name, settings)| StepLayer {
        name: located(name),
        remove: false,
        settings,
    })
}

prop_compose! {
    fn pass_env()(
        patterns in prop::collection::btree_set(word(), 0..3),
        by_user in prop::collection::btree_set(word(), 0..3),
    ) -> PassEnv {
        PassEnv { patterns, by_user }
    }
}

prop_compose! {
    fn any_layer()(
        layout in prop::option::of(prop::sample::select(vec![Layout::Plain, Layout::Gopath])),
        env in texts(),
        defaults in settings(),
        mut steps in prop::collection::vec(step_layer(), 0..4),
        mut components in prop::collection::vec(component_layer(), 0..4),
        branch in prop::option::of(word()),
        pass_env in pass_env(),
        no_proxy in prop::option::of(prop::collection::vec(word(), 0..3)),
    ) -> Layer {
        // A file with twins is refused before it is merged.
        let mut seen = std::collections::BTreeSet::new();
        steps.retain(|step| seen.insert(step.name.value.clone()));
        let mut seen = std::collections::BTreeSet::new();
        components.retain(|component| seen.insert(component.name.value.clone()));
        Layer { limits: Default::default(), tools: Default::default(), pass_env, layout, ignore: None, env, defaults, steps, components, gerrit: Gerrit { branch, ..Gerrit::default() },
            network: Network { no_proxy, ..Network::default() } }
    }
}

fn over(upper: &Layer, lower: &Layer) -> Layer {
    let diagnostics = Diagnostics::default();
    let merged = upper.clone().over(lower.clone(), &diagnostics);
    diagnostics.or(merged).unwrap()
}

proptest! {
    #[test]
    fn nothing_changes_nothing_above_or_below(layer in any_layer()) {
        prop_assert_eq!(&over(&Layer::default(), &layer), &layer);
        prop_assert_eq!(&over(&layer, &Layer::default()), &layer);
    }

    #[test]
    fn it_does_not_matter_which_are_laid_together_first(one in any_layer(), two in any_layer(), three in any_layer()) {
        prop_assert_eq!(over(&one, &over(&two, &three)), over(&over(&one, &two), &three));
    }

    #[test]
    fn the_upper_value_holds(upper in any_layer(), lower in any_layer()) {
        let merged = over(&upper, &lower);
        prop_assert_eq!(merged.layout, upper.layout.or(lower.layout));
        for (name, value) in &upper.env {
            prop_assert_eq!(&merged.env[name], value);
        }
        for step in &upper.steps {
            let merged = merged.steps.iter().find(|merged| merged.name == step.name).unwrap();
            prop_assert!(step.settings.timeout.is_none() || merged.settings.timeout == step.settings.timeout);
            prop_assert!(step.settings.needs.is_none() || merged.settings.needs == step.settings.needs);
        }
    }

    #[test]
    fn nothing_is_lost_or_doubled(upper in any_layer(), lower in any_layer()) {
        let merged = over(&upper, &lower);
        let mut names: Vec<_> = merged.components.iter().map(|component| &component.name.value).collect();
        for component in upper.components.iter().chain(&lower.components) {
            prop_assert!(names.contains(&&component.name.value));
        }
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), merged.components.len());
    }
}

#[test]
fn extending_with_nothing_is_the_same_pipeline() {
    for (name, _) in shipped() {
        let plain = load_shipped(name);
        let extended = load_text(&format!("version = 1\nextends = '{name}'")).unwrap();
        let (name, base) = (plain.name.clone(), plain.base.clone());
        assert_eq!(
            Pipeline {
                name,
                base,
                ..extended
            },
            plain
        );
    }
}

#[test]
fn extending_changes_only_what_it_says() {
    let plain = load_shipped("kata-v1");
    let extended = load_file(&directory().join("valid/extends-shipped.toml")).unwrap();
    let expected = Step {
        timeout: Duration::from_secs(600),
        ..step(&plain, "test").clone()
    };
    assert_eq!(step(&extended, "test"), &expected);
    assert_eq!(step(&extended, "check"), step(&plain, "check"));
    let names: Vec<_> = extended
        .components
        .iter()
        .map(|component| &*component.name)
        .collect();
    assert_eq!(names, ["runtime", "shim", "proxy", "ksm-throttler"]);
    assert_eq!(extended.layout, Layout::Gopath);
}

#[test]
fn what_the_extending_file_mentions_is_no_longer_optional() {
    let extended = load_file(&directory().join("valid/extends-shipped.toml")).unwrap();
    assert!(component(&extended, "runtime").optional);
    assert!(!component(&extended, "proxy").optional);
    assert!(!component(&extended, "ksm-throttler").optional);
    assert_eq!(component(&extended, "proxy").requires.len(), 3);
}

#[test]
fn defaults_of_the_extending_file_reach_the_steps_it_extends() {
    let directory = tempfile::tempdir().unwrap();
    let base = "version = 1\n[defaults]\ntimeout='1m'\n[[step]]\nname='a'\nscript=':'\n[[step]]\nname='b'\nscript=':'\ntimeout='3m'";
    fs::write(directory.path().join("base.toml"), base).unwrap();
    let over = directory.path().join("over.toml");
    fs::write(
        &over,
        "version = 1\nextends='base.toml'\n[defaults]\ntimeout='2m'",
    )
    .unwrap();
    let pipeline = load_file(&over).unwrap();
    assert_eq!(step(&pipeline, "a").timeout, Duration::from_secs(120));
    assert_eq!(step(&pipeline, "b").timeout, Duration::from_secs(180));
}

#[test]
fn files_are_extended_from_where_they_lie() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("shared/deep")).unwrap();
    let write = |path: &str, text: &str| fs::write(directory.path().join(path), text).unwrap();
    write("kata-ci.toml", "version=1\nextends='shared/one.toml'");
    write(
        "shared/one.toml",
        "version=1\nextends='deep/two.toml'\n[[component]]\nname='one'",
    );
    write(
        "shared/deep/two.toml",
        "version=1\n[[step]]\nname='test'\nscript=':'",
    );
    let pipeline = load_file(&directory.path().join("kata-ci.toml")).unwrap();
    assert_eq!(pipeline.steps.len(), 1);
    // Components lie below the file that was asked for.
    assert_eq!(pipeline.base.as_deref(), Some(directory.path()));
    assert_eq!(
        component(&pipeline, "one").path,
        std::path::Path::new("one")
    );
}
