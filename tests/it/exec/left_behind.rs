//! Tests that leftovers of jobs are reported, with and without isolation, and can fail a job.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::Finished;
use crate::support::isolation::{Lab, Who};
use crate::support::workspace::write;

/// No isolation, the isolation that the host can enforce, and strict isolation.
const MODES: [[&str; 4]; 3] = [
    ["--isolate", "off", "--network", "on"],
    ["--isolate", "auto", "--network", "auto"],
    ["--isolate", "on", "--network", "off"],
];

/// Returns the leftovers of a job from result.json.
fn left(run: &Finished) -> Value {
    run.job("a.check")["left_behind"].clone()
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).collect()
}

/// Makes leftovers fail the jobs of the pipeline.
fn forbid(lab: &Lab) {
    let pipeline = "version = 1\nextends = 'makefile'\n[defaults]\nleft_behind = 'fail'\n";
    write(&lab.path("work/kata-ci.toml"), pipeline);
}

const FILES: &str = "echo mode: set > coverage.txt
echo '# more' >> Makefile
mkdir built; echo built > built/ignored; echo '*' > built/.gitignore
rm -f gone
printf x > \"$(printf 'a\\nb\\033[31m\\377')\"
cp probe.sh x; cat x > probe.sh; rm x";

#[test]
fn files_that_were_made_changed_or_removed_are_listed() {
    for who in [Who::Myself, Who::User] {
        for mode in MODES {
            let lab = Lab::new(FILES);
            write(&lab.path("work/a/gone"), "it was new before\n");
            let run = lab.run(who, &mode).expect_code(0);
            let expected = json!({"files": [
                {"path": "Makefile", "change": "changed"},
                {"path": "a\nb\u{1b}[31m\u{fffd}", "change": "created"},
                {"path": "coverage.txt", "change": "created"},
                {"path": "gone", "change": "deleted"},
            ]});
            assert_eq!(left(&run), expected, "{who:?} {mode:?}");
            let line = "a.check left files behind: Makefile (changed), a b? (created), coverage.txt (created), gone (deleted)";
            assert!(run.printed().contains(line), "{}", run.printed());
            assert!(!run.printed().contains('\u{1b}'), "{:?}", run.printed());
            assert_eq!(run.junit().matches("name=\"left_files\"").count(), 1);
            assert!(run.job("b.check")["left_behind"].is_null());
        }
    }
}

#[test]
fn a_file_that_was_new_already_is_listed_when_it_is_written_again() {
    let lab = Lab::new("echo again > coverage.txt");
    let change = |run: &Finished| left(run)["files"][0]["change"].clone();
    let run = lab.run(Who::Myself, &["a"]).expect_code(0);
    assert_eq!(change(&run), "created");
    write(&lab.path("work/a/other"), "the user's\n");
    let run = lab.run(Who::Myself, &["a"]).expect_code(0);
    assert_eq!(change(&run), "changed");
    assert_eq!(left(&run)["files"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_job_that_leaves_nothing_is_told_nothing() {
    for mode in MODES {
        let lab = Lab::new("touch Makefile; echo x > /tmp/left; rm -f x; : > x; rm x");
        forbid(&lab);
        let run = lab.run(Who::Myself, &mode).expect_code(0);
        assert!(left(&run).is_null(), "{}", left(&run));
        assert!(!run.printed().contains("behind"), "{}", run.printed());
    }
}

/// A background process that listens on TCP and on a path. The job ends when it does.
const LISTENER: &str = "mkfifo ready; rm -f socket
python3 - <<'END' &
import socket, time
tcp = socket.create_server(('127.0.0.1', 0))
unix = socket.socket(socket.AF_UNIX); unix.bind('socket'); unix.listen()
print('port', tcp.getsockname()[1], flush=True)
open('ready', 'w').close()
time.sleep(600)
END
cat ready; rm ready";

#[test]
fn a_process_that_still_listens_is_listed_with_its_sockets() {
    for who in [Who::Myself, Who::User] {
        for mode in MODES {
            let lab = Lab::new(LISTENER);
            let run = lab.run(who, &["a"].iter().chain(&mode).copied().collect::<Vec<_>>());
            let run = run.expect_code(0);
            let log = run.log("a.check");
            let port = log.trim().strip_prefix("port ").expect("a port");
            let left = left(&run);
            assert_eq!(
                names(&left["sockets"]),
                [format!("tcp 127.0.0.1:{port}"), "unix socket".to_owned()],
                "{who:?} {mode:?}"
            );
            assert_eq!(names(&left["processes"]).len(), 1, "{left}");
            assert!(left["unknown"].is_null(), "{left}");
            let printed = run.printed();
            for line in [
                "a.check left processes behind, which were killed: python3",
                &format!(
                    "a.check left listening sockets behind, which are closed: tcp 127.0.0.1:{port}, unix socket"
                ),
            ] {
                assert!(printed.contains(line), "{printed}");
            }
        }
    }
}

/// Runs with the permission to mount, in a mount namespace of its own, so nothing is mounted on
/// this machine.
fn run_by_root(lab: &Lab, arguments: &[&str]) -> Finished {
    let call = lab.call(Who::Myself, arguments);
    let own_mounts = ["unshare", "--map-root-user", "--mount"];
    call.through(&own_mounts, Path::new("env")).finish()
}

#[test]
fn a_mount_that_is_left_is_listed_and_without_isolation_it_is_said_that_it_may_be_anybodys() {
    let script = "mkdir -p made undone; mount -t tmpfs none made; mount -t tmpfs none undone; umount undone; rmdir undone";
    let words = |lab: &Lab| format!("{} (tmpfs)", lab.path("work/a/made").display());
    let lab = Lab::new(script);
    let run = run_by_root(&lab, &["a"]).expect_code(0);
    assert_eq!(run.result()["isolation"]["files"], "enforced");
    assert_eq!(names(&left(&run)["mounts"]), [words(&lab)]);
    let lab = Lab::new(script);
    let run = run_by_root(&lab, &["a", "--isolate", "off", "--network", "on"]).expect_code(0);
    let left = left(&run);
    assert!(left["mounts"].is_null(), "{left}");
    let unknown = names(&left["unknown"]);
    assert!(
        unknown.len() == 1
            && unknown[0].ends_with(&format!("stay until `umount`: {}", words(&lab))),
        "{left}"
    );
    let lab = Lab::new(script);
    forbid(&lab);
    std::fs::create_dir(lab.path("work/a/made")).expect("made");
    let run = run_by_root(&lab, &["a", "--isolate", "off", "--network", "on"]).expect_code(75);
    assert_eq!(run.outcome("a.check"), "error");
}

#[test]
fn a_pipeline_can_have_it_fail() {
    for (script, reason) in [
        (
            "for n in 1 2 3 4 5; do : > new-$n; done",
            "it left behind files: new-1 (created), new-2 (created), new-3 (created), 2 more",
        ),
        ("sleep 600 &", "it left behind processes: sleep ("),
    ] {
        let lab = Lab::new(script);
        forbid(&lab);
        let run = lab.run(Who::Myself, &[]).expect_code(1);
        let job = run.job("a.check");
        assert_eq!(job["outcome"], "failed");
        let said = job["reason"].as_str().unwrap_or_default();
        assert!(said.starts_with(reason), "{said}");
        assert!(run.junit().contains("it left behind "), "{}", run.junit());
        assert!(run.printed().contains("fix: have the job clean up"));
        assert_eq!(run.outcome("b.check"), "passed");
    }
}

#[test]
fn what_failed_by_itself_keeps_its_reason_and_is_told_all_the_same() {
    let lab = Lab::new("echo > new; exit 3");
    forbid(&lab);
    let run = lab
        .run(Who::Myself, &["a", "--retries", "1"])
        .expect_code(1);
    let reason = run.job("a.check")["reason"].clone();
    assert!(
        !reason.as_str().unwrap_or_default().contains("left behind"),
        "{reason}"
    );
    assert_eq!(
        left(&run)["files"][0],
        json!({"path": "new", "change": "created"})
    );
}

#[test]
fn where_git_cannot_tell_it_is_unknown_and_no_pass_that_forbids_it() {
    let lab = Lab::new("echo > new");
    std::fs::remove_dir_all(lab.path("work/a/.git")).expect("removed");
    let run = lab.run(Who::Myself, &[]).expect_code(0);
    assert_eq!(left(&run), json!({"unknown": ["files: not in git"]}));
    let line = "  a.check: cannot tell what files it left (not in git)";
    assert!(run.printed().contains(line), "{}", run.printed());
    forbid(&lab);
    let run = lab.run(Who::Myself, &[]).expect_code(75);
    assert_eq!(run.outcome("a.check"), "error");
    let lab = Lab::new("echo > new");
    std::fs::write(lab.path("work/a/.git/index"), "broken").expect("written");
    let run = lab.run(Who::Myself, &["a"]).expect_code(0);
    let left = left(&run);
    assert!(
        names(&left["unknown"])[0].starts_with("files: `git "),
        "{left}"
    );
}

#[test]
fn what_lies_where_git_may_not_look_is_unknown() {
    let lab = Lab::new("mkdir closed; : > closed/file; chmod 000 closed");
    let run = lab.run(Who::User, &["a"]).expect_code(0);
    let expected = "files: could not open directory 'closed/': Permission denied";
    assert_eq!(left(&run), json!({"unknown": [expected]}));
    write(&lab.path("work/a/probe.sh"), "true");
    let run = lab.run(Who::User, &["a"]).expect_code(0);
    assert!(left(&run).is_null(), "it is no news: {}", left(&run));
    let removable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(lab.path("work/a/closed"), removable).expect("set");
}

#[test]
fn jobs_in_one_repository_at_the_same_time_are_told_of_each_other() {
    let lab = Lab::new("");
    let pipeline = "version = 1\n[[step]]\nname = 'check'\nexpect = 'exit'\n\
        script = 'echo > check-made; : > check-runs; until [ -e other-runs ]; do sleep 0.01; done'\n\
        [[step]]\nname = 'other'\n\
        script = 'until [ -e check-runs ]; do sleep 0.01; done; : > other-runs'\n\
        [[component]]\nname = 'a'\n";
    write(&lab.path("work/kata-ci.toml"), pipeline);
    let run = lab
        .run(Who::Myself, &["-s", "other", "-j2", "--timeout", "60s"])
        .expect_code(0);
    assert_eq!(left(&run)["shared_with"], json!(["a.other"]));
    assert!(
        run.printed().contains("(or a.other did, at the same time)"),
        "{}",
        run.printed()
    );
}

#[test]
fn what_kata_ci_writes_meanwhile_is_not_what_a_job_left() {
    let lab = Lab::new("echo done");
    forbid(&lab);
    let inside = lab.path("work/a/reports");
    std::fs::create_dir(&inside).expect("made");
    std::os::unix::fs::symlink(&inside, lab.path("reports")).expect("linked");
    let output = format!("exec \"$@\" > {}/work/a/output", lab.path("").display());
    for _ in ["new", "replaced"] {
        let call = lab.call(Who::Myself, &["a", "--format", "json"]);
        let call = call.through(&["sh", "-c", &output, "sh"], Path::new("env"));
        let run = call.finish().expect_code(0);
        assert!(left(&run).is_null(), "{}", left(&run));
    }
}

#[test]
fn a_long_list_is_cut_and_counted() {
    let lab = Lab::new("mkdir many; cd many; seq 1 3000 | xargs touch");
    let run = lab.run(Who::Myself, &["a"]).expect_code(0);
    let left = left(&run);
    assert_eq!(left["files"].as_array().map(Vec::len), Some(100));
    assert_eq!(left["more_files"], 2900);
    assert!(
        run.printed().contains("many/1000 (created), 2996 more"),
        "{}",
        run.printed()
    );
}

#[test]
fn of_many_processes_the_first_are_named_and_all_are_counted() {
    for mode in MODES {
        let lab = Lab::new("for n in $(seq 50); do sleep 600 & done");
        forbid(&lab);
        let run = lab.run(Who::Myself, &[&["a"], &mode[..]].concat());
        let run = run.expect_code(1);
        let left = left(&run);
        assert_eq!(names(&left["processes"]).len(), 20, "{left}");
        assert_eq!(left["more_processes"], 30);
        let reason = run.job("a.check")["reason"].clone();
        let reason = reason.as_str().unwrap_or_default();
        assert!(reason.ends_with(": sleep 600, 47 more"), "{reason}");
        assert!(run.printed().contains(", 46 more\n"), "{}", run.printed());
    }
}

#[test]
fn nothing_that_a_job_puts_into_the_configuration_of_git_is_run_outside() {
    let lab = Lab::new("");
    let ran = lab.path("ran");
    let script = format!(
        "git config core.fsmonitor 'touch {ran}'; git config filter.evil.clean 'touch {ran}'\n\
         git config filter.evil.process 'touch {ran}'; echo '* filter=evil' > .gitattributes; touch probe.sh",
        ran = ran.display()
    );
    write(&lab.path("work/a/probe.sh"), &script);
    let run = lab
        .run(Who::Myself, &["a", "--isolate", "off", "--network", "on"])
        .expect_code(0);
    let expected = json!([
        {"path": ".git/config", "change": "changed"},
        {"path": ".gitattributes", "change": "created"},
        {"path": "probe.sh", "change": "changed"},
    ]);
    assert_eq!(left(&run)["files"], expected);
    assert!(!ran.exists());
}

#[test]
fn a_job_that_commits_is_told_and_so_is_one_that_hides_what_it_made() {
    for (script, path, change) in [
        (
            "git -c user.name=A -c user.email=a@e.x commit -q --allow-empty -m more",
            ".git/HEAD",
            "changed",
        ),
        ("git checkout -q -b other", ".git/HEAD", "changed"),
        (
            "mkdir -p .git/info; echo made > .git/info/exclude; : > made",
            ".git/info/exclude",
            "changed",
        ),
        (": > .git/index.lock", ".git/index.lock", "created"),
    ] {
        let lab = Lab::new(script);
        let run = lab.run(Who::Myself, &["a"]).expect_code(0);
        let files = left(&run)["files"].clone();
        assert_eq!(files, json!([{"path": path, "change": change}]), "{script}");
    }
}

#[test]
fn where_git_finds_its_configuration_is_told_when_a_job_changes_it() {
    let lab = Lab::new("echo . > .git/commondir");
    let run = lab
        .run(Who::Myself, &["a", "--isolate", "on"])
        .expect_code(0);
    let expected = json!([{"path": ".git/commondir", "change": "created"}]);
    assert_eq!(left(&run)["files"], expected);
}
