//! Tests of reading files before and after.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::*;
use crate::model::{Command, JobId};

const GOOD: &str = r#"<testsuite name="s" tests="2" failures="1"><testcase classname="c" name="a"/><testcase classname="c" name="b"><failure message="no">why</failure></testcase></testsuite>"#;

fn job(place: &Path, pattern: &str) -> Job {
    let command = Command::Script("true".into());
    Job {
        junit: vec![pattern.to_owned()],
        ..Job::new(JobId::new("c", "test"), command, place.to_owned())
    }
}

/// Returns the cases and the problem after `act`.
fn read(pattern: &str, prepare: impl Fn(&Path), act: impl Fn(&Path)) -> (usize, Option<String>) {
    let place = tempfile::tempdir().unwrap();
    prepare(place.path());
    // A file that is made in the tick in which the job begins counts as one of the job's.
    later(place.path());
    let job = job(place.path(), pattern);
    let files = JunitFiles::before(&job).unwrap();
    act(place.path());
    let result = files.read(&job);
    (
        result.cases.len(),
        result.problem.map(|problem| problem.what),
    )
}

/// Lets the clock of the file system go on.
fn later(place: &Path) {
    let tick = || {
        let file = tempfile::tempfile_in(place).unwrap();
        file.metadata().unwrap().modified().unwrap()
    };
    let now = tick();
    while tick() == now {
        std::thread::yield_now();
    }
}

fn write(place: &Path, name: &str, text: &str) {
    fs::create_dir_all(place.join(name).parent().unwrap()).unwrap();
    fs::write(place.join(name), text).unwrap();
}

fn says(pattern: &str, prepare: impl Fn(&Path), act: impl Fn(&Path), words: &str) {
    let (_, problem) = read(pattern, prepare, act);
    assert!(
        problem.as_ref().is_some_and(|what| what.contains(words)),
        "{words}: {problem:?}"
    );
}

#[test]
fn files_that_the_job_writes_are_its_cases() {
    let pattern = "build/**/*.xml";
    let new = |place: &Path| write(place, "build/a/b/x.xml", GOOD);
    assert_eq!(read(pattern, |_| {}, new), (2, None));
    let old = |place: &Path| write(place, "build/a/b/x.xml", "<testsuite/>");
    assert_eq!(read(pattern, old, new), (2, None));
    // Another file that is not named does not matter.
    let other = |place: &Path| {
        new(place);
        write(place, "other/y.xml", "<broken");
    };
    assert_eq!(read(pattern, |_| {}, other), (2, None));
    // Removed and written again with the same content.
    let again = |place: &Path| {
        fs::remove_file(place.join("build/a/b/x.xml")).unwrap();
        new(place);
    };
    assert_eq!(read(pattern, new, again), (2, None));
}

#[test]
fn what_the_job_did_not_write_is_stale_whatever_its_time() {
    let old = |place: &Path| write(place, "x.xml", GOOD);
    says("*.xml", old, |_| {}, "x.xml is older than the job");
    let touched = |place: &Path| {
        let file = fs::File::options()
            .write(true)
            .open(place.join("x.xml"))
            .unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(3600))
            .unwrap();
    };
    says("*.xml", old, touched, "x.xml is older than the job");
    let elsewhere = |place: &Path| write(place, "kept/x.xml", GOOD);
    let moved = |place: &Path| fs::rename(place.join("kept/x.xml"), place.join("y.xml")).unwrap();
    says("*.xml", elsewhere, moved, "y.xml is older than the job");
}

#[test]
fn what_is_missing_or_broken_is_a_problem() {
    says("*.xml", |_| {}, |_| {}, "it wrote no JUnit file (*.xml)");
    let cut = |place: &Path| write(place, "x.xml", &GOOD[..60]);
    says("*.xml", |_| {}, cut, "x.xml is truncated");
    let one_of_two = |place: &Path| {
        write(place, "a.xml", GOOD);
        write(place, "b.xml", "");
    };
    says("*.xml", |_| {}, one_of_two, "b.xml is empty");
    let other = |place: &Path| write(place, "x.xml", "<html/>");
    says("*.xml", |_| {}, other, "is not JUnit");
}

#[test]
fn nothing_is_followed() {
    let linked = |place: &Path| {
        write(place, "kept.txt", GOOD);
        symlink("kept.txt", place.join("x.xml")).unwrap();
    };
    says("*.xml", |_| {}, linked, "x.xml is a symbolic link");
    let directory = |place: &Path| {
        write(place, "other/x.xml", GOOD);
        symlink("other", place.join("build")).unwrap();
    };
    says("build/*.xml", |_| {}, directory, "build is a symbolic link");
    let pipe = |place: &Path| {
        nix::unistd::mkfifo(&place.join("x.xml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    };
    says("*.xml", |_| {}, pipe, "x.xml is no regular file");
}

#[test]
fn counts_are_held_against_the_output() {
    let tally = |passed, failed, skipped| Tally {
        passed,
        failed,
        skipped,
        ..Tally::default()
    };
    let none = Tally::default();
    assert_eq!(contradiction(&tally(3, 0, 1), &none), None);
    assert_eq!(contradiction(&tally(3, 0, 1), &tally(3, 0, 1)), None);
    assert!(contradiction(&tally(3, 0, 1), &tally(4, 0, 1)).is_some());
    assert!(contradiction(&tally(3, 0, 0), &tally(3, 1, 0)).is_some());
    // It failed anyway.
    assert_eq!(contradiction(&tally(3, 1, 0), &tally(3, 2, 0)), None);
}
