//! Tests that real builds work inside of `--isolate on`.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Finished;
use crate::support::isolation::{Lab, Who, as_user};
use crate::support::workspace::write;

const EVERYBODY: [Who; 2] = [Who::Myself, Who::User];

fn run(lab: &Lab, who: Who, environment: &[(&str, PathBuf)]) -> Finished {
    let mut call = lab.call(who, &["a", "--isolate", "on"]);
    for (name, value) in environment {
        call = call.env(name, value);
    }
    call.finish()
}

/// Returns the log of a run that passed.
fn passed(lab: &Lab, who: Who, environment: &[(&str, PathBuf)]) -> String {
    let run = run(lab, who, environment);
    assert_eq!(
        run.code,
        0,
        "{who:?}: {}\n{}",
        run.printed(),
        run.log("a.check")
    );
    assert_eq!(run.job("a.check")["isolation"]["files"], "enforced");
    run.log("a.check")
}

fn add(lab: &Lab, files: &[(&str, &str)]) {
    for (name, text) in files {
        write(&lab.path("work/a").join(name), text);
    }
}

const GO: &[(&str, &str)] = &[
    ("go.mod", "module example.com/a\n\ngo 1.19\n"),
    (
        "a.go",
        "package a\n\nfunc Twice(n int) int { return 2 * n }\n",
    ),
    (
        "a_test.go",
        "package a

import \"testing\"

func TestTwice(t *testing.T) {
\tanswers := make(chan int)
\tgo func() { answers <- Twice(4) }()
\tif answer := <-answers; answer != 8 {
\t\tt.Fatal(answer)
\t}
}
",
    ),
    ("command/main.go", "package main\n\nfunc main() {}\n"),
];

/// A data race.
const RACE: &str = "package a

import \"testing\"

func TestRace(t *testing.T) {
\tcount, done := 0, make(chan bool)
\tgo func() { count++; close(done) }()
\tcount++
\t<-done
}
";

/// Returns true if the log says that the runtime was compiled, so no cache that the build saw had
/// it.
fn compiles_runtime(log: &str) -> bool {
    log.lines().any(|line| line == "runtime")
}

#[test]
fn go_build_and_go_test_race_with_a_cold_and_a_warm_cache() {
    let lab = Lab::new("set -e; go build -v ./...; go test -race -count=1 -v ./...");
    add(&lab, GO);
    let cache = lab.path("cache");
    std::fs::create_dir(&cache).expect("made");
    let environment = [("GOCACHE", cache.clone())];
    let log = passed(&lab, Who::Myself, &environment);
    assert!(
        compiles_runtime(&log) && log.contains("--- PASS: TestTwice"),
        "{log}"
    );
    let is_empty = std::fs::read_dir(&cache).expect("read").next().is_none();
    assert!(is_empty, "what the job compiled went with it");
    let isolate = ["a", "--isolate", "auto"];
    let own = lab.call(Who::Myself, &isolate).env("GOCACHE", &cache);
    own.finish().expect_code(0);
    assert!(cache.join("README").exists(), "the cache is the user's own");
    let before = entries(&cache);
    for who in EVERYBODY {
        let log = passed(&lab, who, &environment);
        assert!(
            !compiles_runtime(&log) && log.contains("--- PASS: TestTwice"),
            "{log}"
        );
    }
    add(&lab, &[("race_test.go", RACE)]);
    let log = run(&lab, Who::Myself, &environment).log("a.check");
    assert!(log.contains("WARNING: DATA RACE"), "{log}");
    assert_eq!(entries(&cache), before);
}

/// All there is below a directory, with size and time.
fn entries(directory: &Path) -> Vec<String> {
    let found = Command::new("find")
        .arg(directory)
        .args(["-type", "f", "-printf", "%P %s %T@\\n"])
        .output();
    let text = String::from_utf8(found.expect("find runs").stdout).expect("text");
    let mut all: Vec<_> = text.lines().map(str::to_owned).collect();
    all.sort();
    all
}

#[test]
fn a_cache_of_go_that_was_not_there_is_the_jobs_own() {
    for who in EVERYBODY {
        let lab = Lab::new("go build -v -o /dev/null ./command");
        add(&lab, GO);
        for _ in 0..2 {
            assert!(compiles_runtime(&passed(&lab, who, &[])), "{who:?}");
            assert_eq!(entries(&lab.path("home/.cache/go-build")), [""; 0]);
        }
    }
}

/// Changes the sources that the next build of anybody compiles, and forges and removes what else
/// lies in caches.
const FORGE: &str = "set -e
for f in \"$CARGO_HOME/registry/src/x/build.rs\" \"$CARGO_HOME/git/checkouts/x/build.rs\" \"$GOPATH/pkg/mod/m@v1/m.go\" \
    \"$GOCACHE/00/entry\"; do
  [ \"$(cat \"$f\")\" = good ]; chmod -R u+w \"${f%/*}\"; echo forged > \"$f\"; echo new > \"${f%/*}/new\"
  [ \"$(cat \"$f\")\" = forged ]; mv \"$f\" \"$f.moved\"; echo forged > \"$f\"
done
rm -r \"$GOCACHE/00\"; echo complete";

#[test]
fn what_a_job_writes_into_the_caches_of_cargo_and_go_is_gone_with_it() {
    for who in EVERYBODY {
        let lab = Lab::new(FORGE);
        let place = |name| lab.path("caches").join(name);
        for name in [
            "cargo/registry/src/x/build.rs",
            "cargo/git/checkouts/x/build.rs",
            "gopath/pkg/mod/m@v1/m.go",
            "go/00/entry",
        ] {
            write(&place(name), "good");
        }
        let before = entries(&lab.path("caches"));
        let environment = [
            ("CARGO_HOME", place("cargo")),
            ("GOPATH", place("gopath")),
            ("GOCACHE", place("go")),
        ];
        assert_eq!(passed(&lab, who, &environment), "complete\n", "{who:?}");
        assert_eq!(entries(&lab.path("caches")), before, "{who:?}");
    }
}

#[test]
fn what_is_installed_or_built_in_kata_s_tests_stays_the_jobs_own() {
    const CLONE: &str = "src/github.com/kata-containers/tests";
    let script = "set -e; cd \"$GOPATH\"
[ \"$(cat src/github.com/kata-containers/tests/cmd/there)\" = there ]
printf '#!/bin/sh\\necho installed\\n' > bin/tool; chmod +x bin/tool; bin/tool
cd src/github.com/kata-containers/tests; echo built > cmd/built; rm cmd/there; mv Makefile makefile; ls . cmd
stat -c %u . ../../../../bin
! touch ../other 2> /dev/null";
    for (who, place) in EVERYBODY
        .into_iter()
        .flat_map(|who| [(who, "home/go"), (who, "go")])
    {
        let lab = Lab::new(script);
        let gopath = lab.path(place);
        write(&gopath.join(CLONE).join("cmd/there"), "there");
        write(&gopath.join(CLONE).join("Makefile"), "");
        std::fs::create_dir(gopath.join("bin")).expect("made");
        let log = passed(&lab, who, &[("GOPATH", gopath.clone())]);
        assert!(
            log.starts_with("installed\n.:\ncmd\nmakefile\n\ncmd:\nbuilt\n"),
            "{log}"
        );
        let owner = gopath.join("bin").metadata().expect("there").uid();
        assert!(log.ends_with(&format!("{owner}\n{owner}\n")), "{log}");
        let names = |directory: &Path| -> Vec<_> {
            let entries = std::fs::read_dir(directory).expect("listed");
            let names = entries.map(|entry| entry.expect("an entry").file_name());
            names.collect()
        };
        assert!(names(&gopath.join("bin")).is_empty());
        assert_eq!(names(&gopath.join(CLONE).join("cmd")), ["there"]);
        assert!(gopath.join(CLONE).join("Makefile").exists());
    }
}

#[test]
fn cargo_test_of_a_crate_without_dependencies() {
    let lab = Lab::new("cargo test --offline");
    add(
        &lab,
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
            ),
            (
                "src/lib.rs",
                "#[test]\nfn adds() {\n    assert_eq!(1 + 1, 2);\n}\n",
            ),
        ],
    );
    let home = PathBuf::from(std::env::var_os("HOME").expect("HOME"));
    let place =
        |name: &str, rest| std::env::var_os(name).map_or_else(|| home.join(rest), PathBuf::from);
    let environment = [
        ("CARGO_HOME", place("CARGO_HOME", ".cargo")),
        ("RUSTUP_HOME", place("RUSTUP_HOME", ".rustup")),
    ];
    let log = passed(&lab, Who::Myself, &environment);
    assert!(log.contains("test adds ... ok"), "{log}");
    assert!(lab.path("work/a/target").is_dir());
}

#[test]
fn make_with_many_jobs_compiles_c() {
    let lab = Lab::new("make -j4 -f build.mk");
    add(
        &lab,
        &[
            (
                "build.mk",
                "all: bin-a bin-b bin-c bin-d\n\t@./bin-a && ./bin-b && ./bin-c && ./bin-d && echo built\n\
                 bin-%: main.c\n\tcc -o $@ $<\n",
            ),
            ("main.c", "int main(void) { return 0; }\n"),
        ],
    );
    for who in EVERYBODY {
        assert!(passed(&lab, who, &[]).contains("\nbuilt\n"));
        for name in ["bin-a", "bin-b", "bin-c", "bin-d"] {
            std::fs::remove_file(lab.path("work/a").join(name)).expect(name);
        }
    }
}

#[test]
fn git_status_and_git_commit_in_the_work_tree() {
    for who in EVERYBODY {
        let lab = Lab::new(
            "set -e\ngit status --porcelain\necho '# more' >> Makefile\ngit status --porcelain\n\
             git commit -qam 'made inside'\ngit log -1 --format=%s",
        );
        let log = passed(&lab, who, &[]);
        assert_eq!(log, " M Makefile\nmade inside\n", "{who:?}");
        let outside = Command::new("git")
            .args(["-c", "safe.directory=*", "-C"])
            .arg(lab.path("work/a"))
            .args(["log", "--format=%s"])
            .output();
        assert_eq!(outside.expect("git runs").stdout, b"made inside\nbegin\n");
    }
}

#[test]
fn devices_that_builds_use_are_there_and_the_terminal_is_not() {
    let script = "set -e
[ -c /dev/null ]; echo gone > /dev/null; cat < /dev/null
[ \"$(head -c 8 /dev/zero | wc -c)\" = 8 ]; [ \"$(head -c 8 /dev/urandom | wc -c)\" = 8 ]
python3 - <<'END'
from multiprocessing import Lock, shared_memory
memory = shared_memory.SharedMemory(create=True, size=1 << 20)
memory.buf[7] = 1
memory.unlink()
with Lock():
    pass
import os, pty
ours, theirs = pty.openpty()
os.write(theirs, b'x')
assert os.read(ours, 1) == b'x'
END
echo x > /dev/shm/x; cat /dev/fd/0 < /dev/shm/x
[ ! -e /dev/tty ]; ! cat 2>/dev/null < /dev/tty
echo complete";
    for who in EVERYBODY {
        let log = passed(&Lab::new(script), who, &[]);
        assert_eq!(log, "x\ncomplete\n", "{who:?}");
    }
}

/// Makes a set-user-ID program of root, like sudo. Returns false without root.
fn make_program_of_root(path: &Path) -> bool {
    std::fs::copy("/usr/bin/id", path).expect("copied");
    let is_made = chown(path, Some(0), Some(0)).is_ok();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o4755)).expect("set");
    is_made
}

#[test]
fn no_program_gives_a_job_more_than_it_has_and_sudo_says_so() {
    let script = "grep NoNewPrivs /proc/self/status; ./of-root -u; sudo -n true";
    let lab = Lab::new(script);
    let call = lab.call(Who::User, &["a", "--isolate", "on"]);
    let program = lab.path("work/a/of-root");
    if make_program_of_root(&program) {
        let mut outside = as_user();
        outside.extend([program.display().to_string(), "-u".to_owned()]);
        let outside = Command::new(&outside[0]).args(&outside[1..]).output();
        assert_eq!(
            outside.expect("it runs").stdout,
            b"0\n",
            "it can become root"
        );
    }
    let run = call.finish().expect_code(1);
    let log = run.log("a.check");
    assert!(log.starts_with("NoNewPrivs:\t1\n"), "{log}");
    assert!(
        !log.contains("\n0\n") && log.contains("no new privileges"),
        "{log}"
    );
    let log = passed(
        &Lab::new("grep NoNewPrivs /proc/self/status"),
        Who::Myself,
        &[],
    );
    assert_eq!(log, "NoNewPrivs:\t1\n");
}
