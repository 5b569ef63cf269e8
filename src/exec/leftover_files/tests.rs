//! Tests of the leftovers of a job.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::changes::{between, confirm};
use super::snapshot::{Entry, Kind, Seen};
use super::*;
use crate::git::Listed;
use crate::git::test_repository::{TestRepository as Real, environment};
use crate::model::JobId;

const OBJECT: &str = "100644 587be6b4c3f93f93c489c0111bba5596147a26cb 0";

/// Returns the changes after `act` was done to a repository with the tracked files `README`, `a`
/// and `b` and the new file `new`.
fn done(act: impl FnOnce(&Real)) -> BTreeMap<String, FileChange> {
    let repository = Real::with_a_commit();
    for name in ["a", "b"] {
        repository.commit(name, "content\n");
    }
    let top = repository.path();
    let place = Repository::of(top, Path::new("/root"));
    fs::write(top.join("new"), "new\n").unwrap();
    let git = Onlooker::find(&environment(), PATIENCE).unwrap();
    let before = Snapshot::look(&git, &place).unwrap();
    act(&repository);
    let after = Snapshot::look_again(&git, &place, &before).unwrap();
    let mut found = between(&before, &after);
    let mut unknown = Vec::new();
    confirm(&git, top, &mut found, &mut unknown);
    assert_eq!(unknown, [""; 0]);
    found
        .into_iter()
        .map(|(path, found)| (path.to_string_lossy().into_owned(), found.change))
        .collect()
}

fn only(name: &str, change: FileChange) -> BTreeMap<String, FileChange> {
    BTreeMap::from([(name.to_owned(), change)])
}

/// Writes as another time would have it: two writes within a tick of the clock look the same.
fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
}

#[test]
fn a_pipe_in_the_place_of_the_index_is_named_and_git_not_asked() {
    let repository = Real::with_a_commit();
    let index = repository.path().join(".git/index");
    fs::remove_file(&index).unwrap();
    nix::unistd::mkfifo(&index, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let place = Repository::of(repository.path(), Path::new("/root"));
    let git = Onlooker::find(&environment(), PATIENCE).unwrap();
    let said = Snapshot::look(&git, &place).unwrap_err();
    assert!(said.ends_with(".git/index is no file"), "{said}");
}

#[test]
fn nothing_done_is_nothing_left() {
    assert_eq!(done(|_| {}), BTreeMap::new());
}

#[test]
fn each_change_has_its_word() {
    let path = |repository: &Real, name: &str| repository.path().join(name);
    for (name, change, act) in [
        (
            "made/deep",
            FileChange::Created,
            &(|repository: &Real| {
                fs::create_dir(path(repository, "made")).unwrap();
                write(&path(repository, "made/deep"), "");
            }) as &dyn Fn(&Real),
        ),
        ("a", FileChange::Changed, &|repository| {
            write(&path(repository, "a"), "CONTENT\n");
        }),
        ("new", FileChange::Changed, &|repository| {
            write(&path(repository, "new"), "new\n");
        }),
        ("a", FileChange::Changed, &|repository| {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(path(repository, "a"), mode).unwrap();
        }),
        ("a", FileChange::Deleted, &|repository| {
            fs::remove_file(path(repository, "a")).unwrap();
        }),
        ("new", FileChange::Deleted, &|repository| {
            fs::remove_file(path(repository, "new")).unwrap();
        }),
        ("new", FileChange::Staged, &|repository| {
            repository.git(&["add", "new"]);
        }),
        ("a", FileChange::Staged, &|repository| {
            repository.git(&["rm", "-q", "--cached", "a"]);
        }),
    ] {
        assert_eq!(done(act), only(name, change), "{name} {change:?}");
    }
}

#[test]
fn what_leads_git_to_run_something_is_told_too() {
    let found = done(|repository| {
        let git = repository.path().join(".git");
        repository.git(&["config", "core.fsmonitor", "anything"]);
        write(&git.join("commondir"), ".");
        fs::create_dir_all(git.join("hooks")).unwrap();
        write(&git.join("hooks/pre-commit"), "");
    });
    let mut expected = only(".git/config", FileChange::Changed);
    expected.extend(only(".git/commondir", FileChange::Created));
    expected.extend(only(".git/hooks/pre-commit", FileChange::Created));
    assert_eq!(found, expected);
}

#[test]
fn what_hides_files_from_git_and_a_lock_that_is_forgotten_are_told() {
    let found = done(|repository| {
        let git = repository.path().join(".git");
        fs::create_dir_all(git.join("info")).unwrap();
        write(&git.join("info/exclude"), "built\n");
        write(&repository.path().join("built"), "");
        write(&git.join("index.lock"), "");
    });
    let names: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(names, [".git/index.lock", ".git/info/exclude"]);
}

#[test]
fn another_commit_or_branch_is_another_head() {
    let repository = Real::with_a_commit();
    let git = Onlooker::find(&environment(), PATIENCE).unwrap();
    let place = Repository::of(repository.path(), Path::new("/root"));
    let look = || Head::look(&git, &place).unwrap();
    let first = look();
    assert_eq!(look(), first);
    repository.git(&["checkout", "-q", "-b", "other"]);
    let second = look();
    assert_ne!(second, first);
    repository.commit("more", "");
    assert_ne!(look(), second);
    assert_eq!(Head::path(&place), Path::new(".git/HEAD"));
}

#[test]
fn what_was_committed_was_changed_all_the_same() {
    let found = done(|repository| {
        repository.commit("a", "more than before\n");
    });
    let mut expected = only("a", FileChange::Changed);
    expected.extend(only("new", FileChange::Staged));
    assert_eq!(found, expected);
}

#[test]
fn a_tracked_file_written_again_as_it_was_is_no_change() {
    let found = done(|repository| {
        for name in ["a", "b"] {
            write(&repository.path().join(name), "content\n");
        }
    });
    assert_eq!(found, BTreeMap::new());
}

#[test]
fn what_is_ignored_is_not_told_even_when_it_was_new_before() {
    let found = done(|repository| {
        write(&repository.path().join(".gitignore"), "new\nbuilt\n");
        write(&repository.path().join("built"), "");
    });
    assert_eq!(found, only(".gitignore", FileChange::Created));
}

#[test]
fn a_file_that_cannot_be_read_counts_as_changed_and_that_is_said() {
    let repository = Real::with_a_commit();
    let git = Onlooker::find(&environment(), PATIENCE).unwrap();
    let found = changes::FileDifference {
        change: FileChange::Changed,
        unless: Some("0".repeat(40)),
    };
    let mut found = BTreeMap::from([(PathBuf::from("gone"), found)]);
    let mut unknown = Vec::new();
    confirm(&git, repository.path(), &mut found, &mut unknown);
    assert_eq!(found.len(), 1);
    assert!(
        unknown[0].starts_with("whether 1 files changed"),
        "{unknown:?}"
    );
}

#[test]
fn paths_are_told_from_the_component() {
    for (path, own, expected) in [
        ("a", "", "a"),
        ("src/agent/a", "src/agent", "a"),
        ("src/libs/a", "src/agent", "../libs/a"),
        ("a", "src/agent", "../../a"),
        ("src/agents", "src/agent", "../agents"),
        (
            "/elsewhere/.git/config",
            "src/agent",
            "/elsewhere/.git/config",
        ),
    ] {
        assert_eq!(relative(Path::new(path), Path::new(own)), expected);
    }
}

fn met(others: &[(&str, &str)]) -> Overlap {
    let mut visits = RunningJobs::default();
    let number = visits.begin(
        &JobId::new("own", "test"),
        Path::new("/r"),
        Path::new("/r/own"),
    );
    for (job, directory) in others {
        let other = visits.begin(
            &JobId::new(job, "test"),
            Path::new("/r"),
            Path::new(directory),
        );
        visits.end(other);
    }
    visits.begin(
        &JobId::new("stranger", "test"),
        Path::new("/s"),
        Path::new("/s"),
    );
    visits.end(number)
}

#[test]
fn who_was_there_at_the_same_time_may_have_done_it() {
    let own = Path::new("/r/own");
    let jobs = |met: &Overlap, has_outside| {
        let who = met.who(own, has_outside);
        who.iter()
            .map(|job| job.component().to_owned())
            .collect::<Vec<_>>()
    };
    let same = met(&[("same", "/r/own"), ("aside", "/r/aside")]);
    assert_eq!(jobs(&same, false), ["same"]);
    assert_eq!(jobs(&same, true), ["aside", "same"]);
    assert!(same.is_ours(Path::new("/r/own/a"), own));
    assert!(same.is_ours(Path::new("/r/a"), own));
    assert!(!same.is_ours(Path::new("/r/aside/a"), own));
    let within = met(&[("within", "/r/own/within"), ("around", "/r")]);
    assert!(!within.is_ours(Path::new("/r/own/within/a"), own));
    assert!(within.is_ours(Path::new("/r/own/a"), own));
    assert!(!within.is_ours(Path::new("/r/a"), own));
}

fn entry() -> impl Strategy<Value = Entry> {
    let kind = prop_oneof![
        Just(Kind::File),
        Just(Kind::Program),
        Just(Kind::Link),
        Just(Kind::Other)
    ];
    let seen =
        (kind, 0_u64..3, 0_i128..3, 0_i128..3).prop_map(|(kind, size, written, changed)| Seen {
            kind,
            size,
            written,
            changed,
        });
    let index = prop_oneof![Just(String::new()), Just(OBJECT.to_owned())];
    (index, prop::option::of(seen)).prop_map(|(index, seen)| Entry {
        listed: Listed { index },
        seen,
    })
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    prop::collection::btree_map("[a-d]", entry(), 0..4).prop_map(|files| {
        let files = files.into_iter();
        Snapshot {
            files: files.map(|(path, entry)| (path.into(), entry)).collect(),
            ..Snapshot::default()
        }
    })
}

proptest! {
    #[test]
    fn what_is_the_same_is_no_change(files in snapshot()) {
        prop_assert!(between(&files, &files).is_empty());
    }

    #[test]
    fn created_one_way_is_deleted_the_other(one in snapshot(), other in snapshot()) {
        let known = |of: &Snapshot, to: &Snapshot| {
            let mut all = of.clone();
            for path in to.files.keys() {
                all.files.entry(path.clone()).or_default();
            }
            all
        };
        let (one, other) = (known(&one, &other), known(&other, &one));
        let of = |change, found: BTreeMap<PathBuf, changes::FileDifference>| -> Vec<PathBuf> {
            found.into_iter().filter(|(_, found)| found.change == change).map(|(path, _)| path).collect()
        };
        prop_assert_eq!(
            of(FileChange::Created, between(&one, &other)),
            of(FileChange::Deleted, between(&other, &one))
        );
    }

    #[test]
    fn a_file_that_is_written_is_told_or_can_be_told_to_be_the_same(files in snapshot()) {
        let mut after = files.clone();
        for entry in after.files.values_mut() {
            if let Some(seen) = entry.seen.as_mut().filter(|seen| seen.kind != Kind::Other) {
                seen.written += 7;
                seen.changed += 7;
            }
        }
        let found = between(&files, &after);
        for (path, entry) in &files.files {
            let is_written = entry.seen.is_some_and(|seen| seen.kind != Kind::Other);
            prop_assert_eq!(found.contains_key(path), is_written);
        }
    }
}
