use std::fs;
use std::time::{Duration, SystemTime};

use super::*;
use crate::git::Git;
use crate::git::test_repository::{TestRepository, environment};

/// A repository, and a directory for state beside it.
struct Place {
    state: tempfile::TempDir,
    repository: TestRepository,
}

impl Place {
    fn new() -> Self {
        Self {
            state: tempfile::tempdir().unwrap(),
            repository: TestRepository::with_a_commit(),
        }
    }

    fn environment(&self) -> Environment {
        let mut environment = environment();
        environment.set("XDG_STATE_HOME", self.state.path());
        environment
    }

    fn runs(&self) -> StrictRuns {
        StrictRuns::of(&self.environment())
    }

    fn top(&self) -> PathBuf {
        self.repository.path().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.top().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn begin(&self) -> StrictRun {
        self.begin_in(vec![self.top()], vec![self.top().join("sub")])
    }

    fn begin_in(&self, directories: Vec<PathBuf>, inner: Vec<PathBuf>) -> StrictRun {
        let tree = StrictTree {
            top: self.top(),
            directories,
            inner,
            led: Vec::new(),
        };
        self.runs().begin(tree).unwrap()
    }

    /// Runs a strict job that is this closure, with a submodule's directory `sub`.
    fn job(&self, job: impl FnOnce()) {
        let noted = self.begin();
        job();
        drop(noted);
    }

    fn refused(&self, directory: &str) -> Option<String> {
        let refused = self.runs().check(&self.top().join(directory)).err()?;
        let top = self.top().display().to_string();
        Some(refused.to_string().replace(&top, "TOP"))
    }

    /// Lets the clock of the file system go on for more than the margin.
    fn later(&self) {
        let file = self.state.path().join("tick");
        let tick = || {
            fs::write(&file, "").unwrap();
            file.metadata().unwrap().modified().unwrap()
        };
        let now = tick();
        while tick() < now + Duration::from_micros(3 * MARGIN.unsigned_abs()) {
            std::thread::yield_now();
        }
    }
}

#[test]
fn what_leads_git_elsewhere_is_refused_until_it_is_gone() {
    let place = Place::new();
    place.job(|| place.write(".git/commondir", "../evil\n"));
    assert_eq!(
        place.refused(".").as_deref(),
        Some(
            "git is not asked in TOP: jobs under `isolate on` left what can lead it to run a program: TOP/.git/commondir"
        )
    );
    let git = Git::find(&place.environment()).unwrap();
    let error = git.at(place.top()).revision().unwrap_err();
    assert!(error.to_string().contains(".git/commondir"), "{error}");
    assert!(error.fix().unwrap().contains("rm "), "{error}");
    fs::remove_file(place.top().join(".git/commondir")).unwrap();
    assert_eq!(place.refused("."), None);
    assert!(git.at(place.top()).revision().is_ok());
}

#[test]
fn what_git_writes_all_the_time_is_not_refused() {
    let place = Place::new();
    place.job(|| {
        place.repository.commit("another", "x\n");
        place.repository.git(&["branch", "other"]);
        place.repository.git(&["gc", "--quiet"]);
    });
    assert_eq!(place.refused("."), None);
}

#[test]
fn what_the_user_changes_after_the_run_is_the_users() {
    let place = Place::new();
    place.job(|| place.write(".git/info/attributes", "* filter=evil\n"));
    assert!(place.refused(".").is_some());
    place.write(".git/info/attributes", "* text\n");
    place.repository.git(&["config", "user.name", "B"]);
    place
        .repository
        .git(&["remote", "add", "other", "/nonexistent"]);
    assert_eq!(place.refused("."), None);
}

#[test]
fn a_nearer_repository_or_a_filled_submodule_is_refused() {
    let place = Place::new();
    for below in ["a/b/c", "bare/x", "sub"] {
        fs::create_dir_all(place.top().join(below)).unwrap();
    }
    place.job(|| {
        place.write("a/b/.git", "gitdir: ../../evil\n");
        place.write("bare/HEAD", "ref: refs/heads/master\n");
        place.write("bare/objects/x", "");
        place.write("bare/refs/x", "");
    });
    assert!(place.refused("a/b/c").unwrap().ends_with("TOP/a/b/.git"));
    assert!(place.refused("bare/x").unwrap().ends_with("TOP/bare/HEAD"));
    assert_eq!(place.refused("a"), None);
    assert_eq!(place.refused("."), None);
    place.job(|| place.write("sub/.git/config", ""));
    assert!(place.refused(".").unwrap().contains("TOP/sub/.git"));
}

#[test]
fn a_repository_of_the_users_that_came_later_is_not_refused() {
    let place = Place::new();
    place.job(|| place.write("a/x", ""));
    place.later();
    place.write("a/.git/HEAD", "ref: refs/heads/master\n");
    assert_eq!(place.refused("a"), None);
}

#[test]
fn after_a_run_without_an_end_everything_that_changed_counts() {
    let place = Place::new();
    place.later();
    let noted = place.begin();
    std::mem::forget(noted);
    assert_eq!(place.refused("."), None);
    place.write(".git/config.worktree", "");
    assert!(place.refused(".").is_some());
    assert!(place.runs().first_changed(&place.top()).is_none());
    place.write("target/build", "");
    let changed = place.runs().first_changed(&place.top());
    assert_eq!(changed, Some(place.top().join("target/build")));
}

#[test]
fn of_two_runs_side_by_side_the_first_beginning_counts() {
    let place = Place::new();
    let first = place.begin();
    place.write(".git/commondir", "../evil\n");
    let second = place.begin();
    drop(first);
    assert!(place.refused(".").is_some());
    drop(second);
    assert!(place.refused(".").is_some());
}

#[test]
fn builds_of_a_strict_job_are_told_whatever_their_date() {
    let place = Place::new();
    let top = place.top();
    place.write("target/mine", "");
    place.later();
    place.job(|| {
        place.write("target/theirs", "");
        let theirs = fs::File::options()
            .write(true)
            .open(top.join("target/theirs"));
        theirs
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
    });
    place.later();
    place.write("target/mine too", "");
    let first = || place.runs().first_changed(&top);
    assert_eq!(first(), Some(top.join("target/theirs")));
    assert_eq!(first(), Some(top.join("target/theirs")));
    fs::remove_file(top.join("target/theirs")).unwrap();
    assert_eq!(first(), None);
    let record = place
        .state
        .path()
        .join("kata-ci/strict-runs")
        .join(name(&top));
    assert!(!record.exists());
}

#[test]
fn a_record_that_cannot_be_read_refuses() {
    let place = Place::new();
    place.job(|| ());
    let file = place
        .state
        .path()
        .join("kata-ci/strict-runs")
        .join(name(&place.top()));
    for broken in ["", "{}", "{\"version\": 9}"] {
        fs::write(&file, broken).unwrap();
        assert!(place.refused(".").is_some(), "{broken}");
    }
    fs::remove_file(file).unwrap();
    assert_eq!(place.refused("."), None);
}

#[test]
fn without_a_directory_for_state_no_strict_job_is_begun() {
    let runs = StrictRuns::of(&Environment::default());
    let place = tempfile::tempdir().unwrap();
    let tree = StrictTree {
        top: place.path().to_owned(),
        directories: Vec::new(),
        inner: Vec::new(),
        led: Vec::new(),
    };
    assert!(runs.begin(tree).is_err());
    assert!(runs.check(place.path()).is_ok());
}

#[test]
fn what_the_jobs_could_not_write_to_is_not_theirs() {
    let place = Place::new();
    let job = place.top().join("a");
    place.write("a/Makefile", "");
    place.write("b/.git/HEAD", "ref: refs/heads/master\n");
    place.later();
    let noted = place.begin_in(vec![job], Vec::new());
    place.write("b/.git/index.lock", "");
    place.write("b/target/build", "");
    drop(noted);
    assert_eq!(place.refused("b"), None);
    assert_eq!(place.runs().first_changed(&place.top()), None);
}

#[test]
fn a_repository_within_that_was_there_before_goes_by_its_own_files() {
    let place = Place::new();
    place.write("within/.git/HEAD", "ref: refs/heads/master\n");
    let within = place.top().join("within");
    let job = |name: &str| {
        let noted = place.begin_in(vec![place.top()], vec![within.clone()]);
        place.write(name, "");
        drop(noted);
        place.refused("within")
    };
    assert_eq!(job("within/.git/index"), None);
    assert!(job("within/.git/commondir").is_some());
}

#[test]
fn a_record_of_jobs_that_still_run_is_kept() {
    let place = Place::new();
    place.later();
    let noted = place.begin();
    assert_eq!(place.runs().first_changed(&place.top()), None);
    place.write(".git/commondir", "../evil\n");
    drop(noted);
    assert!(place.refused(".").is_some());
}

#[test]
fn a_run_that_comes_after_a_look_is_noticed() {
    let place = Place::new();
    let runs = place.runs();
    assert!(runs.check(&place.top()).is_ok());
    place.job(|| place.write(".git/commondir", "../evil\n"));
    assert!(runs.check(&place.top()).is_err());
    assert!(runs.check(&place.top().join(".git")).is_err());
    fs::remove_file(place.top().join(".git/commondir")).unwrap();
    assert!(runs.check(&place.top()).is_ok());
    place.job(|| place.write(".git/commondir", "../evil\n"));
    assert!(runs.check(&place.top()).is_err());
}

#[test]
fn git_in_the_environment_of_jobs_knows_of_them_too() {
    let place = Place::new();
    let git = Git::find(&place.environment()).unwrap();
    let mut environment = environment();
    environment.set("GIT_DIR", "/nonexistent");
    let of_jobs = git.find_in(&environment).unwrap();
    assert!(of_jobs.at(place.top()).revision().is_ok());
    place.job(|| place.write(".git/commondir", "../evil\n"));
    assert!(of_jobs.at(place.top()).revision().is_err());
}
