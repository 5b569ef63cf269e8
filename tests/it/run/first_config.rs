//! A first kata-ci.toml: `init` writes it, `check-config` checks it, `run` runs it.

use std::fs;
use std::path::Path;

use crate::support::workspace::makefiles;
use crate::support::{Finished, KataCi};

const PASSES: &str = "test:\n @echo '1..1'; echo 'ok 1 - a'\n.PHONY: test";

fn call(directory: &Path, arguments: &[&str]) -> Finished {
    KataCi::bare()
        .args(["-C".as_ref(), directory.as_os_str()])
        .args(arguments)
        .finish()
}

#[test]
fn what_init_writes_is_checked_and_run() {
    let place = makefiles(&[("one", PASSES), ("two", PASSES)]);
    let shown = call(place.path(), &["init", "--dry-run"]).expect_code(0);
    assert!(!place.path().join("kata-ci.toml").exists());
    let said = call(place.path(), &["init"]).expect_code(0);
    assert!(
        said.stdout.contains("found 2 directories with a Makefile"),
        "{}",
        said.stdout
    );
    let text = fs::read_to_string(place.path().join("kata-ci.toml")).unwrap();
    assert_eq!(text, shown.stdout);
    assert!(
        text.starts_with("#:schema ./kata-ci.schema.json\n"),
        "{text}"
    );
    let checked = call(place.path(), &["check-config"]).expect_code(0);
    assert!(
        checked
            .stdout
            .contains("valid; 2 components, steps check, test"),
        "{}",
        checked.stdout
    );
    let schema = call(place.path(), &["check-config", "--schema"]).expect_code(0);
    let beside = fs::read_to_string(place.path().join("kata-ci.schema.json")).unwrap();
    assert_eq!(schema.stdout, beside);
    call(place.path(), &["run", "--dry-run"]).expect_code(0);
    call(place.path(), &["run"]).expect_code(0);
}

#[test]
fn a_file_that_is_there_stays_as_it_is() {
    let place = makefiles(&[("one", PASSES)]);
    let file = place.path().join("kata-ci.toml");
    fs::write(&file, "mine").unwrap();
    let said = call(place.path(), &["init"]).expect_code(2);
    assert!(said.stderr.contains("is there already"), "{}", said.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert!(!place.path().join("kata-ci.schema.json").exists());
    let left: Vec<_> = place.path().read_dir().unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn errors_name_the_line_and_an_empty_directory_what_was_looked_for() {
    let place = tempfile::tempdir().unwrap();
    let said = call(place.path(), &["init"]).expect_code(2);
    assert!(
        said.stderr.contains("nothing to test") && said.stderr.contains("go.mod"),
        "{}",
        said.stderr
    );
    let said = call(place.path(), &["check-config"]).expect_code(2);
    assert!(said.stderr.contains("kata-ci init"), "{}", said.stderr);
    fs::write(
        place.path().join("kata-ci.toml"),
        "version = 1\ntimeot = 3\n",
    )
    .unwrap();
    let said = call(place.path(), &["check-config"]).expect_code(2);
    assert!(said.stderr.contains("kata-ci.toml:2:1"), "{}", said.stderr);
}

#[test]
fn the_users_file_is_checked_as_such() {
    let place = makefiles(&[("one", PASSES)]);
    let check = |text: &str, file: &[&str]| {
        let home = place.path().join("home/kata-ci");
        fs::create_dir_all(&home).unwrap();
        fs::write(home.join("config.toml"), text).unwrap();
        KataCi::bare()
            .args(["-C".as_ref(), place.path().as_os_str()])
            .args(["check-config"])
            .args(file)
            .env("XDG_CONFIG_HOME", place.path().join("home"))
            .finish()
    };
    let own = ["home/kata-ci/config.toml"];
    let said = check("version = 1\n[review]\ntrusted = [\"us\"]\n", &own).expect_code(0);
    assert!(
        said.stdout.contains("valid, as the user's configuration"),
        "{}",
        said.stdout
    );
    let said = check("version = 1\n[[step]]\nname = \"x\"\n", &["makefile"]).expect_code(2);
    assert!(said.stderr.contains("config.toml:2"), "{}", said.stderr);
}
