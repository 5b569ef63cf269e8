//! The keys that are read, against the places that describe them.

use super::*;
use crate::config::source::PipelineSource;

/// Returns the key of a line, or else its first word.
fn key(line: &str) -> Option<&str> {
    line.split(['=', '.', ' ', '['])
        .find(|word| !word.is_empty())
}

/// A key that is read and has no example was forgotten in more places than this one.
#[test]
fn every_key_has_an_example_and_a_description() {
    let document = Arc::new(Document {
        source: PipelineSource::Shipped("test"),
        text: String::new(),
    });
    let component = |fields: &mut Fields| {
        let name = Location::new(&fields.place().document.clone(), 0..0);
        let name = Located {
            value: String::new(),
            place: name,
        };
        component_keys(fields, ComponentLayer::named(name));
    };
    let keys = [
        keys(&document, settings),
        keys(&document, component),
        keys(&document, limits),
        keys(&document, network),
        keys(&document, gerrit),
    ]
    .concat();
    assert!(keys.len() > 30, "{keys:?}");
    for file in [
        "fixtures/configurations/valid/everything.toml",
        "pipelines/README.md",
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(path).unwrap();
        let shown: Vec<_> = text.lines().filter_map(key).collect();
        let missing: Vec<_> = keys.iter().filter(|key| !shown.contains(key)).collect();
        assert!(missing.is_empty(), "{file} does not show {missing:?}");
    }
}

/// Returns the names of the properties at this place of the schema.
fn properties(schema: &serde_json::Value, place: &str) -> Vec<String> {
    let properties = schema.pointer(place).and_then(|value| value.as_object());
    properties.unwrap().keys().cloned().collect()
}

#[test]
fn the_schema_has_the_keys_that_are_read() {
    let document = Arc::new(Document {
        source: PipelineSource::Shipped("test"),
        text: String::new(),
    });
    let schema: serde_json::Value = serde_json::from_str(crate::config::SCHEMA).unwrap();
    let whole_component = |fields: &mut Fields| {
        component(fields);
    };
    let read_here = [
        (
            "/properties",
            keys(&document, |fields| (version(fields), pipeline(fields))),
        ),
        ("/properties/defaults/properties", keys(&document, settings)),
        ("/properties/step/items/properties", keys(&document, step)),
        (
            "/properties/component/items/properties",
            keys(&document, whole_component),
        ),
        ("/properties/limits/properties", keys(&document, limits)),
        ("/properties/network/properties", keys(&document, network)),
        ("/properties/gerrit/properties", keys(&document, gerrit)),
    ];
    for (place, mut read) in read_here {
        // It belongs into the operator's file, and is known to be refused here.
        read.retain(|key| *key != "review");
        let mut known = properties(&schema, place);
        read.sort_unstable();
        known.sort_unstable();
        assert_eq!(known, read, "{place}");
    }
}

#[test]
fn the_schema_has_the_words_that_are_read() {
    let schema: serde_json::Value = serde_json::from_str(crate::config::SCHEMA).unwrap();
    let words = |key: &str| -> Vec<String> {
        let place = format!("/properties/step/items/properties/{key}/enum");
        let words = schema
            .pointer(&place)
            .and_then(|value| value.as_array())
            .unwrap();
        words
            .iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    let refused = |key: &str, is_read: &dyn Fn(&str) -> bool| {
        let words = words(key);
        assert!(words.len() > 1, "{key}");
        words
            .into_iter()
            .filter(|word| !is_read(word))
            .collect::<Vec<_>>()
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(
        refused("isolate", &|word| scalars::isolate(word).is_ok()),
        none
    );
    assert_eq!(
        refused("network", &|word| scalars::network(word).is_ok()),
        none
    );
    assert_eq!(
        refused("expect", &|word| scalars::expect(word).is_ok()),
        none
    );
    assert_eq!(refused("flaky", &|word| scalars::flaky(word).is_ok()), none);
    assert_eq!(refused("reads", &|word| scalars::reads(word).is_ok()), none);
    assert_eq!(
        refused("left_behind", &|word| scalars::left_behind(word).is_ok()),
        none
    );
}
