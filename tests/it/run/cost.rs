//! Tests that a run asks once what it can ask once, however many components there are.

use std::os::unix::fs::PermissionsExt;

use crate::support::run_in;
use crate::support::workspace::{git, makefiles, write};

/// Returns the questions to git of a run of so many components, of one repository or of none.
fn questions(count: usize, is_repository: bool, isolate: &str) -> Vec<String> {
    let names: Vec<_> = (0..count).map(|number| format!("c{number}")).collect();
    let components: Vec<_> = (names.iter())
        .map(|name| (name.as_str(), "check:\n  true"))
        .collect();
    let place = makefiles(&components);
    if is_repository {
        git(place.path(), &["init", "-q"]);
        git(place.path(), &["add", "."]);
        git(place.path(), &["commit", "-qm", "begin"]);
        let head = "refs/remotes/origin/main";
        git(place.path(), &["update-ref", head, "HEAD"]);
    }
    let outside = tempfile::tempdir().expect("a directory");
    let (bin, log) = (outside.path().join("bin"), outside.path().join("log"));
    let real = git(place.path(), &["--exec-path"]).trim().to_owned();
    // One write a line, because several gits are called side by side.
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\nexec {real}/git \"$@\"\n",
        log.display()
    );
    write(&bin.join("git"), &script);
    std::fs::set_permissions(bin.join("git"), PermissionsExt::from_mode(0o755)).expect("set");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"));
    let run = || {
        let call = run_in(place.path()).env("PATH", &path);
        let call = call.env("XDG_STATE_HOME", outside.path().join("state"));
        call.args(["-s", "check", "--isolate", isolate])
            .finish()
            .expect_code(0)
    };
    run();
    // From the second run on there may be records of strict jobs.
    std::fs::remove_file(&log).expect("git was asked");
    run();
    let log = std::fs::read_to_string(log).expect("git was asked");
    // What a job leaves behind is looked for around each job.
    let is_of_job = |line: &&str| line.contains("core.hooksPath=/dev/null");
    let asked = log.lines().filter(|line| !is_of_job(line));
    asked.map(str::to_owned).collect()
}

#[test]
fn git_is_asked_as_often_for_many_components_as_for_two() {
    for is_repository in [true, false] {
        for isolate in ["off", "auto", "on"] {
            let (two, many) = (
                questions(2, is_repository, isolate),
                questions(12, is_repository, isolate),
            );
            let what = format!("{is_repository} {isolate}\n{}", many.join("\n"));
            assert_eq!(two.len(), many.len(), "{what}");
            assert!(is_repository || many.len() == 2, "{what}");
        }
    }
}
