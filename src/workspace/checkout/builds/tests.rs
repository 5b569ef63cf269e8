use std::fs::{File, FileTimes};
use std::os::unix::fs::symlink;
use std::time::Duration;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// Creates a cache with files of this age.
fn cache(directory: &Path, content: &str, age: Duration) {
    fs::create_dir_all(directory.join("deps")).unwrap();
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
    fs::write(directory.join("CACHEDIR.TAG"), tag).unwrap();
    fs::write(directory.join("built"), content).unwrap();
    for name in ["CACHEDIR.TAG", "built", "deps", ""] {
        date(&directory.join(name), SystemTime::now() - age);
    }
}

fn date(path: &Path, time: SystemTime) {
    let times = FileTimes::new().set_modified(time);
    File::open(path).unwrap().set_times(times).unwrap();
}

struct Lab {
    temporary: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        Self { temporary }
    }

    fn kept(&self) -> PathBuf {
        self.temporary.path().join("kept")
    }

    /// Creates a fresh checkout with a directory for the cache.
    fn checkout(&self, name: &str) -> PathBuf {
        let checkout = self.temporary.path().join(name);
        fs::create_dir_all(checkout.join("src/agent")).unwrap();
        fs::write(checkout.join("src/agent/lib.rs"), "").unwrap();
        checkout
    }

    fn bring(&self, trust: &Trust, checkout: &Path) -> Builds {
        Builds::bring(&self.kept(), trust, checkout).unwrap()
    }

    /// Returns the kept content in a new checkout of this name.
    fn brought(&self, trust: &Trust, name: &str) -> Option<String> {
        let checkout = self.checkout(name);
        self.bring(trust, &checkout);
        fs::read_to_string(checkout.join("src/agent/target/built")).ok()
    }

    /// Lets a run of this trust leave a cache.
    fn leave(&self, trust: &Trust, content: &str, age: Duration) -> PathBuf {
        let checkout = self.checkout("leaving");
        let builds = self.bring(trust, &checkout);
        cache(&checkout.join("src/agent/target"), content, age);
        builds.keep();
        assert!(!checkout.join("src/agent/target").exists());
        fs::remove_dir_all(checkout).unwrap();
        (self.kept().join(trust.directory().unwrap())).join("src/agent/target")
    }
}

#[test]
fn caches_move_out_and_into_the_next_checkout() {
    let (lab, trust) = (Lab::new(), Trust::of_the_user());
    let one = lab.checkout("one");
    let builds = lab.bring(&trust, &one);
    cache(&one.join("src/agent/target"), "first", HOUR);
    fs::write(one.join("src/agent/coverage.txt"), "").unwrap();
    builds.keep();
    assert!(!one.join("src/agent/target").exists());
    let two = lab.checkout("two");
    let builds = lab.bring(&trust, &two);
    let built = two.join("src/agent/target/built");
    assert_eq!(fs::read_to_string(&built).unwrap(), "first");
    assert!(!two.join("src/agent/coverage.txt").exists());
    fs::write(built, "second").unwrap();
    let kept = lab.leave(&trust, "of a run beside", HOUR);
    builds.keep();
    assert_eq!(fs::read_to_string(kept.join("built")).unwrap(), "second");
}

#[test]
fn a_commit_without_the_directory_leaves_the_cache_where_it_is() {
    let (lab, trust) = (Lab::new(), Trust::of_the_user());
    let kept = lab.leave(&trust, "first", HOUR);
    fs::create_dir(lab.temporary.path().join("bare")).unwrap();
    lab.bring(&trust, &lab.temporary.path().join("bare"));
    assert!(kept.join("built").is_file());
}

#[test]
fn what_one_trust_built_no_other_gets() {
    let lab = Lab::new();
    let trusts = [
        Trust::of_the_user(),
        Trust::of_author("ada@example.com"),
        Trust::of_author("bob@example.com"),
        // Names are not paths.
        Trust::of_author("own"),
        Trust::of_author("../own"),
    ];
    for (number, trust) in trusts.iter().enumerate() {
        assert_eq!(lab.brought(trust, &format!("before {number}")), None);
        lab.leave(trust, &format!("of {number}"), HOUR);
    }
    for (number, trust) in trusts.iter().enumerate() {
        let brought = lab.brought(trust, &format!("after {number}"));
        assert_eq!(brought, Some(format!("of {number}")));
    }
    let checkout = lab.checkout("of nobody");
    assert!(Builds::bring(&lab.kept(), &Trust::of_nobody(), &checkout).is_none());
}

#[test]
fn one_file_as_new_as_the_checkout_spoils_the_cache() {
    let (lab, trust) = (Lab::new(), Trust::of_the_user());
    let spoiled = ["CACHEDIR.TAG", "built", "deps", ""];
    for (number, name) in spoiled.into_iter().enumerate() {
        let kept = lab.leave(&trust, "dated", HOUR);
        date(&kept.join(name), SystemTime::now() + 1000 * HOUR);
        let checkout = lab.checkout(&number.to_string());
        let builds = lab.bring(&trust, &checkout);
        let target = checkout.join("src/agent/target");
        assert!(!target.exists(), "{name}");
        assert_eq!(builds.refused, [target]);
    }
}

#[test]
fn the_same_moment_is_not_older() {
    let (lab, trust) = (Lab::new(), Trust::of_the_user());
    let kept = lab.leave(&trust, "of then", HOUR);
    let checkout = lab.checkout("one");
    let then = kept.join("built").metadata().unwrap().modified().unwrap();
    date(&checkout.join("src/agent/lib.rs"), then);
    assert_eq!(lab.bring(&trust, &checkout).refused.len(), 1);
}

#[test]
fn a_link_is_as_old_as_what_it_leads_to() {
    let (lab, trust) = (Lab::new(), Trust::of_the_user());
    lab.leave(&trust, "of then", HOUR);
    let outside = lab.temporary.path().join("outside");
    fs::write(&outside, "").unwrap();
    date(&outside, SystemTime::now() - 2 * HOUR);
    let checkout = lab.checkout("one");
    symlink(&outside, checkout.join("src/agent/data")).unwrap();
    assert_eq!(lab.bring(&trust, &checkout).refused.len(), 1);
    fs::remove_file(checkout.join("src/agent/data")).unwrap();
    assert_eq!(lab.bring(&trust, &checkout).refused.len(), 0);
}

#[test]
fn a_cache_that_the_commit_holds_is_not_kept() {
    let (lab, trust) = (Lab::new(), Trust::of_the_user());
    let checkout = lab.checkout("one");
    cache(&checkout.join("src/agent/target"), "committed", HOUR);
    lab.bring(&trust, &checkout).keep();
    assert_eq!(lab.brought(&trust, "two"), None);
}

#[test]
fn a_pipe_in_the_place_of_a_tag_holds_nobody_up() {
    let (lab, trust) = (Lab::new(), Trust::of_the_user());
    let checkout = lab.checkout("one");
    let builds = lab.bring(&trust, &checkout);
    let tag = checkout.join("src/agent/CACHEDIR.TAG");
    nix::unistd::mkfifo(&tag, nix::sys::stat::Mode::S_IRWXU).unwrap();
    builds.keep();
    assert!(tag.exists());
}

/// A build that is refused stays in the store, with what a job left in it.
#[test]
fn a_link_in_a_kept_build_leads_nothing_out_of_the_store() {
    let lab = Lab::new();
    let trust = Trust::of_author("1");
    let victim = lab.temporary.path().join("victim");
    fs::create_dir_all(victim.join("deep")).unwrap();
    fs::write(victim.join("deep/file"), "the user's").unwrap();
    let checkout = lab.checkout("one");
    let builds = lab.bring(&trust, &checkout);
    let outer = checkout.join("src/agent/out");
    cache(&outer, "x", Duration::ZERO);
    symlink(&victim, outer.join("link")).unwrap();
    date(&outer.join("built"), SystemTime::now() + HOUR);
    builds.keep();
    let checkout = lab.checkout("two");
    let builds = lab.bring(&trust, &checkout);
    assert_eq!(builds.refused.len(), 1);
    cache(&checkout.join("src/agent/out/link/deep"), "the job's", HOUR);
    builds.keep();
    let left = fs::read_to_string(victim.join("deep/file")).unwrap();
    assert_eq!(left, "the user's");
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
}
