//! Invalid input: each sample with its error, word for word.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::support::*;
use crate::config::*;

#[test]
fn every_invalid_sample_is_refused_with_its_place() {
    let samples = samples("invalid");
    assert!(samples.len() >= 30, "only {} samples", samples.len());
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(&regex::escape(env!("CARGO_MANIFEST_DIR")), "[ROOT]");
    settings.add_filter(&regex::escape(env!("CARGO_PKG_VERSION")), "[VERSION]");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for path in samples {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let error = load_file(&path).expect_err(name);
        let text = error.to_string();
        assert!(text.contains(".toml:"), "no place in: {text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

#[test]
fn colour_is_all_that_colour_adds() {
    let error = load_text("version = 1\ntimout = '1m'").unwrap_err();
    let coloured = error.render(true);
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(
        anstream::adapter::strip_str(&coloured).to_string(),
        error.to_string()
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = load_file(&directory.path().join("none.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("none.toml") && missing.contains("No such file"),
        "{missing}"
    );
    let a_directory = load_file(directory.path()).unwrap_err().to_string();
    assert!(a_directory.contains("is a directory"), "{a_directory}");
    let endless = load_file(std::path::Path::new("/dev/zero"))
        .unwrap_err()
        .to_string();
    assert!(endless.contains("not a regular file"), "{endless}");
    // The first page of a process is never there to be read.
    let broken = load_file(std::path::Path::new("/proc/self/mem"))
        .unwrap_err()
        .to_string();
    assert!(broken.contains("Input/output error"), "{broken}");
    let long = directory.path().join("long.toml");
    fs::write(&long, vec![b'#'; (1 << 20) + 1]).unwrap();
    let long = load_file(&long).unwrap_err().to_string();
    assert!(long.contains("longer than 1 MiB"), "{long}");
}

#[test]
fn a_file_without_leave_to_read_it_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret.toml");
    fs::write(&path, "version = 1").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        // Root reads everything: there is nothing to see here.
        return;
    }
    let error = load_file(&path).unwrap_err().to_string();
    assert!(
        error.contains("secret.toml") && error.contains("denied"),
        "{error}"
    );
}

#[test]
fn a_file_as_long_as_may_be_ends_in_time() {
    let begin = Instant::now();
    let chain: String = (0..12_000)
        .map(|index| {
            format!(
                "[[step]]\nname='s{index}'\nscript=':'\nneeds=['s{}']\n",
                index + 1
            )
        })
        .collect();
    let error = load_text(&format!("version = 1\n{chain}"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("no step `s12000`"), "{error}");
    assert!(
        begin.elapsed() < Duration::from_secs(60),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn options_are_held_to_the_same_limits() {
    let source = PipelineSource::Shipped("makefile");
    for timeout in [Duration::ZERO, Duration::MAX] {
        let overrides = Overrides {
            timeout: Some(timeout),
            ..Overrides::default()
        };
        assert!(load(&source, &overrides, None).is_err(), "{timeout:?}");
    }
}

/// Generates combinations of pieces of pipelines.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "version = 1\n",
        "[[step]]\n",
        "[[component]]\n",
        "[env]\n",
        "[defaults]\n",
        "[limits]\n",
        "name = 'a'\n",
        "name = 'b'\n",
        "run = ['x']\n",
        "run = []\n",
        "script = ''\n",
        "needs = ['a']\n",
        "needs = ['b', 'c']\n",
        "remove = true\n",
        "extends = 'kata-v1'\n",
        "extends = 'kata-ci.toml'\n",
        "steps = ['a']\n",
        "timeout = '1s'\n",
        "allow_vacuous = {a = 'b'}\n",
        "A = '\\u0000'\n",
        "x = \"\"\"é\n",
        "\"\"\"\n",
        "[step]\n",
        "🦀 = 1\n",
        "\r",
        "\u{0}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_loaded_or_refused_in_words(text in prop_oneof![".*", "(?s).*", "version = 1\n(?s).*"]) {
        if let Err(error) = load_text(&text) {
            prop_assert!(error.to_string().starts_with("error: "));
        }
    }

    #[test]
    fn any_row_of_pieces_is_loaded_or_refused_in_words(text in pieces()) {
        if let Err(error) = load_text(&format!("version = 1\n{text}")) {
            prop_assert!(error.to_string().starts_with("error: "));
        }
    }
}
