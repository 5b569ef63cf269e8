//! The files of a report directory.

use std::fs;
use std::path::Path;

use super::sample;
use crate::fs::{Directory, Place};
use crate::outcome::Run;
use crate::report::{FileError, from_run, result_json, write_all, write_copy, write_result};

/// Everything that a run writes, in the order in which it does.
fn write(run: &Run, directory: &Path, copy: &Path) -> Vec<FileError> {
    let document = from_run(run, &Directory::expect(directory).unwrap());
    let held = Directory::hold(directory).unwrap();
    let mut errors = write_all(&document, &held);
    errors.extend(write_copy(&document, &Place::of(copy).unwrap()).err());
    errors.extend(write_result(run, &held).err());
    errors
}

#[test]
fn result_json_says_all() {
    let json = String::from_utf8(result_json(&sample::everything().run()).unwrap()).unwrap();
    insta::assert_snapshot!(json);
}

#[test]
fn result_json_of_nothing_is_an_object_still() {
    let json: serde_json::Value =
        serde_json::from_slice(&result_json(&Run::default()).unwrap()).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["exit"], 4);
    assert_eq!(json["jobs"], serde_json::json!([]));
}

#[test]
fn a_report_directory_holds_them_all() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy.xml");
    let run = sample::success().run();
    let errors = write(&run, directory.path(), &copy);
    assert!(errors.is_empty(), "{errors:?}");
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "copy.xml",
            "junit.xml",
            "report.html",
            "result.json",
            "summary.md"
        ]
    );
    let read = |name: &str| fs::read(directory.path().join(name)).unwrap();
    assert_eq!(read("copy.xml"), read("junit.xml"));
}

#[test]
fn what_cannot_be_written_is_named_and_the_rest_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("missing/copy.xml");
    let run = sample::success().run();
    let errors = write(&run, directory.path(), &copy);
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("missing/copy.xml: "), "{texts:?}");
    assert!(directory.path().join("result.json").exists());
}
