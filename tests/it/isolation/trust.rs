//! Tests that builds, stamps and runs of a stranger's job are not believed by others.

use std::fs::{File, FileTimes};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::isolation::{Lab, Who};
use crate::support::workspace::{git, write};
use crate::support::{Finished, KataCi};

const EVERYBODY: [Who; 2] = [Who::Myself, Who::User];

const PIPELINE: &str = r#"
version = 1
[gerrit]
branch = "master"
[[step]]
name = "test"
run = ["make", "test"]
expect = "exit"
[[component]]
name = "proxy"
path = "."
"#;

/// Like cargo, make trusts a target that is no older than its sources. The test fails unless
/// `verdict` is good.
const MAKEFILE: &str = "test: target/passed
\t@echo ran >> ran
target/passed: verdict
\t@echo tested; mkdir -p target; printf 'Signature: 8a477f597d28d172789f06886806bc55\\n' > target/CACHEDIR.TAG
\tgrep -x good verdict
\ttouch target/passed
";

/// A repository with `master` on a server, a stranger's branch, and a commit of the user's to push.
struct Place {
    place: tempfile::TempDir,
    who: Who,
}

impl Place {
    fn new(who: Who) -> Self {
        let place = tempfile::tempdir().expect("a temporary directory");
        let identity = "[user]\nname = A\nemail = a@example.com\n[safe]\ndirectory = *\n";
        write(&place.path().join("home/.gitconfig"), identity);
        let this = Self { place, who };
        let origin = this.path("origin.git");
        git(
            this.place.path(),
            &["init", "-q", "--bare", "-b", "master", "origin.git"],
        );
        std::fs::create_dir(this.path("proxy")).expect("made");
        this.git(&["init", "-q", "-b", "master", "."]);
        this.git(&["remote", "add", "origin", &origin.to_string_lossy()]);
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.path("proxy"), arguments)
    }

    fn commit(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            write(&self.path("proxy").join(name), text);
        }
        self.git(&["add", "-A"]);
        let id = format!("Change-Id: {}", crate::support::gerrit::fresh_id());
        self.git(&["commit", "-qm", "proxy: say it", "-m", &id]);
    }

    /// Publishes these files on `master`.
    fn publish(&self, files: &[(&str, &str)]) {
        self.commit(files);
        self.git(&["push", "-q", "-u", "origin", "master"]);
    }

    /// Commits as the stranger, on top of the published commit.
    fn stranger(&self, files: &[(&str, &str)]) {
        self.git(&["checkout", "-q", "-b", "stranger", "origin/master"]);
        self.commit(files);
        self.git(&["checkout", "-q", "master"]);
    }

    fn call(&self, arguments: &[&str]) -> KataCi {
        let call = KataCi::bare()
            .args(["-C"])
            .args([self.path("proxy")])
            .args(arguments);
        let call = call.env("XDG_CACHE_HOME", self.path("cache"));
        self.who.calls(call, self.place.path())
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        let reports = self.path("reports");
        let call = self.call(&["run"]);
        let call = call.args(["--report-dir"]).args([&reports]);
        call.args(arguments).reports_in(&reports).finish()
    }

    /// Returns true if the server got a commit for review.
    fn is_pushed(&self) -> bool {
        self.path("origin.git/refs/for/master").exists()
    }

    /// Sets the date of all kept builds.
    fn date_builds(&self, date: &str) {
        let dated = Command::new("find")
            .arg(self.path("cache/kata-ci/builds"))
            .args(["-exec", "touch", "-h", "-d", date, "{}", "+"])
            .status();
        assert!(dated.expect("find runs").success());
    }
}

fn with_make(who: Who) -> Place {
    let place = Place::new(who);
    place.publish(&[
        ("kata-ci.toml", PIPELINE),
        ("Makefile", MAKEFILE),
        (".gitignore", "target\nran\n"),
        ("verdict", "good\n"),
    ]);
    place
}

#[test]
fn a_strangers_build_of_the_year_2100_has_no_failing_test_pushed() {
    for (who, isolate) in EVERYBODY
        .into_iter()
        .flat_map(|who| [(who, "on"), (who, "auto")])
    {
        let place = with_make(who);
        let dating = "\tfind target -exec touch -d 2100-01-01 {} +\n";
        let makefile = MAKEFILE.replacen("\t@echo ran >> ran\n", dating, 1);
        place.stranger(&[("Makefile", &makefile)]);
        place.commit(&[("verdict", "bad\n")]);
        let stranger = place.run(&["--rev", "stranger", "--isolate", isolate]);
        stranger.expect_code(0);
        for again in [false, true] {
            let push = place.call(&["push"]).finish().expect_code(1);
            let said = push.printed();
            assert!(
                said.contains("1 failed"),
                "{who:?} {isolate} {again}: {said}"
            );
            assert!(!place.is_pushed(), "{who:?} {isolate}");
        }
    }
}

#[test]
fn a_pass_on_a_build_that_is_dated_ahead_excuses_no_check() {
    for who in EVERYBODY {
        let place = with_make(who);
        place.commit(&[("verdict", "bad\n")]);
        let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
        for name in ["CACHEDIR.TAG", "passed"] {
            let file = place.path("proxy/target").join(name);
            write(&file, tag);
            let year = Duration::from_secs(365 * 24 * 3600);
            let times = FileTimes::new().set_modified(SystemTime::now() + 70 * year);
            let opened = File::options().write(true).open(file).expect("opened");
            opened.set_times(times).expect("dated");
        }
        // In the user's own work tree nothing is taken away, so make trusts it.
        place.run(&[]).expect_code(0);
        let push = place.call(&["push"]).finish().expect_code(1);
        assert!(push.printed().contains("1 failed"), "{}", push.printed());
        assert!(!place.is_pushed(), "{who:?}");
    }
}

#[test]
fn what_a_strict_run_built_is_there_in_no_other_run() {
    for who in EVERYBODY {
        let place = with_make(who);
        // Whatever is there will do.
        let makefile = MAKEFILE.replace("target/passed: verdict", "target/passed:");
        place.commit(&[("Makefile", &makefile)]);
        let builds = |isolate: &str| {
            let run = place.run(&["--rev", "HEAD", "--isolate", isolate]);
            let run = run.expect_code(0);
            run.log("proxy.test").contains("tested")
        };
        assert!(builds("on") && builds("on"), "{who:?}: nor in one like it");
        assert!(builds("auto"), "{who:?}");
        assert!(!builds("auto"), "{who:?}: what the user's own built is");
        assert!(builds("on"), "{who:?}: and it gets nothing to spoil");
        assert!(!builds("auto"), "{who:?}");
    }
}

/// Points to the cargo and toolchains of the user of the tests, because another user has none.
fn with_cargo(call: KataCi) -> KataCi {
    let home = PathBuf::from(std::env::var_os("HOME").expect("HOME"));
    let lies =
        |name: &str, rest| std::env::var_os(name).map_or_else(|| home.join(rest), PathBuf::from);
    call.env("CARGO_HOME", lies("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", lies("RUSTUP_HOME", ".rustup"))
}

#[test]
fn cargo_builds_anew_what_a_clock_that_was_ahead_has_dated() {
    let place = Place::new(Who::Myself);
    let manifest = "[package]\nname = \"proxy\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let test = |truth: &str| format!("#[test]\nfn holds() {{\n    assert!({truth});\n}}\n");
    let pipeline = PIPELINE
        .replace(r#"["make", "test"]"#, r#"["cargo", "test", "--offline"]"#)
        .replace(r#"expect = "exit""#, r#"expect = "cases""#);
    place.publish(&[
        ("kata-ci.toml", &pipeline),
        ("Cargo.toml", manifest),
        (".gitignore", "target\n"),
        ("src/lib.rs", &test("true")),
    ]);
    place.commit(&[("src/lib.rs", &test("false"))]);
    let run = |revision: &str| {
        let reports = place.path("reports");
        let call = place.call(&["run", "--rev", revision]);
        let call = with_cargo(call).args(["--report-dir"]).args([&reports]);
        call.reports_in(&reports).finish()
    };
    run("HEAD~").expect_code(0);
    place.date_builds("+1 hour");
    let run = run("HEAD").expect_code(1);
    let said = run.printed();
    assert!(said.contains("is built anew"), "{said}");
    assert!(run.log("proxy.test").contains("Compiling proxy"));
}

#[test]
fn what_passed_under_strict_isolation_counts_for_no_other_and_the_reverse() {
    for (who, first, second) in [
        (Who::Myself, "on", "auto"),
        (Who::User, "on", "auto"),
        (Who::Myself, "auto", "on"),
        (Who::User, "auto", "on"),
    ] {
        let place = with_make(who);
        place.commit(&[("verdict", "good\n\n")]);
        let push = |isolate: &str| {
            let call = place.call(&["push"]).env("KATACI_ISOLATE", isolate);
            let said = call.finish().expect_code(0).printed();
            said.contains("1 passed before")
        };
        assert!(!push(first), "{who:?} {first}");
        assert!(push(first), "{who:?} {first}: of its own kind it counts");
        assert!(!push(second), "{who:?} {second}");
    }
}

/// Counts stamps and job lists.
fn stamps(lab: &Lab) -> usize {
    let directory = lab.path("state/kata-ci/stamps");
    directory.read_dir().map_or(0, Iterator::count)
}

#[test]
fn strict_jobs_of_several_repositories_leave_no_stamp() {
    for who in EVERYBODY {
        let lab = Lab::new("true");
        let pipeline = "version = 1\nextends = \"makefile\"\n";
        write(&lab.path("work/kata-ci.toml"), pipeline);
        for component in ["a", "b"] {
            let directory = lab.path("work").join(component);
            git(
                &directory,
                &["update-ref", "refs/remotes/origin/main", "HEAD"],
            );
        }
        lab.run(who, &["--isolate", "on"]).expect_code(0);
        assert_eq!(stamps(&lab), 0, "{who:?}");
        lab.run(who, &["a", "--isolate", "on"]).expect_code(0);
        let of_one = stamps(&lab);
        assert!(of_one > 0, "{who:?}: of one alone");
        lab.run(who, &["--isolate", "auto"]).expect_code(0);
        assert!(stamps(&lab) > of_one, "{who:?}");
    }
}

/// Fails until a marker exists; then it forges the journal of another run.
const FORGER: &str = "if [ ! -e again ]; then touch again; exit 1; fi
sed -i 's/\"outcome\":\"failed\"/\"outcome\":\"passed\"/' reports/events.jsonl";

#[test]
fn an_earlier_run_is_not_read_from_where_strict_jobs_can_write_one() {
    for who in EVERYBODY {
        let lab = Lab::new(FORGER);
        let inside = lab.path("work/a/reports");
        let call = |reports: &Path, arguments: &[&str]| {
            let call = KataCi::bare().args(["run", "a", "-s", "check", "-C"]);
            let call = call.args([lab.path("work")]).args(arguments);
            let call = call
                .args(["--isolate", "on", "--report-dir"])
                .args([reports]);
            let call = call.reports_in(reports);
            who.calls(call, &lab.path("")).finish()
        };
        call(&inside, &[]).expect_code(1);
        call(&lab.path("elsewhere"), &[]).expect_code(0);
        for option in ["--rerun-failed", "--resume"] {
            let run = call(&inside, &[option]).expect_code(2);
            let said = run.printed();
            assert!(said.contains("says nothing of an earlier run"), "{said}");
        }
        assert!(inside.join("result.json").exists(), "it stays for people");
        call(&lab.path("elsewhere"), &["--rerun-failed"]).expect_code(4);
    }
}
