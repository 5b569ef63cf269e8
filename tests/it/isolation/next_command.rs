//! Tests that the commands after a strict run ask git nothing where its jobs left what leads git to
//! a program, and that its builds and reports are not believed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::isolation::{Lab, Who};
use crate::support::workspace::{git, write};
use crate::support::{Finished, KataCi};

const EVERYBODY: [Who; 2] = [Who::Myself, Who::User];

/// Points git to a repository of the job's, whose configuration and attributes name the program.
const COMMONDIR: &str = "mkdir loot; cp -r .git/objects .git/refs .git/HEAD loot
    git config -f loot/config core.repositoryformatversion 0
    git config -f loot/config filter.mark.clean \"$MARK\"; git config -f loot/config diff.external \"$MARK\"
    git config -f loot/config core.sshCommand \"$MARK\"; git config -f loot/config core.pager \"$MARK\"
    mkdir loot/info; echo '* filter=mark diff=mark' > loot/info/attributes; echo ../loot > .git/commondir
    touch -d 2001-01-01 Makefile";

/// Replaces what `.git` is.
const MOVED: &str = "mkdir other; cp -r .git/objects .git/refs .git/HEAD .git/config other
    git config -f other/config filter.mark.clean \"$MARK\"; mkdir other/info
    echo '* filter=mark' > other/info/attributes; mkdir -p deep; echo gitdir: ../other > deep/.git";

/// Fills the directory of a submodule.
const GITLINK: &str = "cd sub; git init -q .; echo x > x; git add x; git -c user.name=A -c user.email=a@b commit -qm x
    echo '* filter=mark' > .gitattributes; git config filter.mark.clean \"$MARK\"; echo y > x";

/// A lab whose component `a` runs the script once, in the strict sandbox, with a program `$MARK`
/// that leaves a mark outside.
fn after_a_strict_run(who: Who, script: &str) -> Lab {
    let lab = Lab::new(&format!(
        "test ! -e planted || exit 0; touch planted; MARK=$PWD/tool; {script}\n"
    ));
    let work = lab.path("work/a");
    let tool = work.join("tool");
    let mark = lab.path("mark").display().to_string();
    write(
        &tool,
        &format!("#!/bin/sh\necho \"$0 $*\" >> '{mark}'\ncat\nexit 1\n"),
    );
    fs::set_permissions(&tool, PermissionsExt::from_mode(0o755)).expect("set");
    write(&work.join(".gitignore"), "planted\nbuilt\n");
    fs::create_dir_all(work.join("sub")).expect("made");
    git(&work, &["add", "."]);
    git(&work, &["config", "include.path", "../.gitconfig"]);
    git(&work, &["config", "core.hooksPath", ".githooks"]);
    let gitlink = "160000,587be6b4c3f93f93c489c0111bba5596147a26cb,sub";
    git(&work, &["update-index", "--add", "--cacheinfo", gitlink]);
    git(&work, &["commit", "-qm", "more"]);
    git(&work, &["update-ref", "refs/remotes/origin/master", "HEAD"]);
    git(
        &work,
        &["remote", "add", "origin", "/nonexistent/origin.git"],
    );
    let run = lab.run(who, &["a", "-s", "check", "--isolate", "on"]);
    run.expect_code(0);
    lab
}

fn call(lab: &Lab, who: Who, directory: &str, arguments: &[&str]) -> Finished {
    let call = KataCi::bare().args(arguments).args(["-C"]);
    let call = call.args([lab.path(directory)]).env("TOKEN", "secret");
    let call = call.reports_in(&lab.path("reports"));
    who.calls(call, &lab.path("")).finish()
}

/// The commands that ask git about the work tree.
const COMMANDS: [&[&str]; 9] = [
    &["run", "--isolate", "auto"],
    &["run", "--isolate", "on"],
    &["run", "--rev", "HEAD"],
    &["run", "--dry-run"],
    &["run", "--since", "HEAD"],
    &["push", "--dry-run"],
    &["push", "--fix", "-y"],
    &["hook", "status"],
    &["hook", "install"],
];

/// Tests each command in this directory after the script.
fn git_is_not_asked(script: &str, directory: &str, file: &str) {
    for who in EVERYBODY {
        let lab = after_a_strict_run(who, script);
        for command in COMMANDS {
            let finished = call(&lab, who, directory, command);
            let said = finished.printed();
            let mark = fs::read_to_string(lab.path("mark")).unwrap_or_default();
            assert_eq!(mark, "", "{who:?} {command:?}: {said}");
            assert_ne!(finished.code, 0, "{who:?} {command:?}: {said}");
            let left = lab.path(file).display().to_string();
            assert!(said.contains(&left), "{who:?} {command:?}: {said}");
        }
    }
}

#[test]
fn where_a_common_directory_was_left() {
    git_is_not_asked(COMMONDIR, "work/a", "work/a/.git/commondir");
}

#[test]
fn where_a_nearer_repository_was_left() {
    git_is_not_asked(MOVED, "work/a/deep", "work/a/deep/.git");
}

#[test]
fn where_a_submodule_was_filled() {
    git_is_not_asked(GITLINK, "work/a", "work/a/sub/.git");
}

/// Makes a repository of its own a submodule, by the index alone.
const NEW_SUBMODULE: &str = "mkdir new; cd new; git init -q .; echo x > x; git add x
    git -c user.name=A -c user.email=a@b commit -qm x
    echo '* filter=mark' > .gitattributes; git config filter.mark.clean \"$MARK\"; echo y > x; touch -d 2001-01-01 x
    cd ..; git update-index --add --cacheinfo 160000,$(git -C new rev-parse HEAD),new";

/// Writes what the user's configuration leads git to.
const LED: &str = "printf '[filter \"mark\"]\\n\\tclean = %s\\n' \"$MARK\" > .gitconfig
    echo '* filter=mark' > .gitattributes; touch -d 2001-01-01 Makefile
    mkdir -p .githooks; cp tool .githooks/pre-push";

#[test]
fn where_a_repository_became_a_submodule() {
    git_is_not_asked(NEW_SUBMODULE, "work/a", "work/a/new/.git");
}

#[test]
fn where_the_users_configuration_leads_git_into_the_tree() {
    git_is_not_asked(LED, "work/a", "work/a/.gitconfig");
}

/// A work tree with a secret beside it, whose strict job shows it if it can, and runs the script.
fn beside_a_secret(who: Who, script: &str) -> Lab {
    let lab = Lab::new("true");
    let work = lab.path("work/a");
    let secret = lab.path("private/key");
    write(&secret, "SECRET\n");
    write(&work.join("b/Makefile"), "");
    let script = format!(
        "cat '{}' 2> /dev/null; cd '{}'; test ! -e planted || exit 0; touch planted; PRIVATE='{}'\n{script}\n",
        secret.display(),
        work.display(),
        lab.path("private").display()
    );
    write(&work.join("job.sh"), &script);
    let pipeline = format!(
        "version = 1\nextends = 'base.toml'\n[[step]]\nname = 'check'\nscript = \"sh '{}'\"\n",
        work.join("job.sh").display()
    );
    write(&work.join("kata-ci.toml"), &pipeline);
    let base = "version = 1\n[[step]]\nname = 'check'\nexpect = 'exit'\nwritable = ['cache']\n\
        [[component]]\nname = 'b'\npath = 'b'\n";
    write(&work.join("base.toml"), base);
    fs::create_dir_all(work.join("b/cache")).expect("made");
    write(&work.join(".gitignore"), "planted\nb/cache\n");
    git(&work, &["add", "."]);
    git(&work, &["commit", "-qm", "more"]);
    call(&lab, who, "work/a", &["run", "--isolate", "on"]).expect_code(0);
    let log = lab.path("state/kata-ci/runs/latest/logs/b.check.log");
    assert_eq!(fs::read_to_string(log).expect("a log"), "", "{who:?}");
    lab
}

#[test]
fn paths_and_pipelines_that_strict_jobs_wrote_open_nothing_to_later_ones() {
    for (script, named) in [
        (
            "echo \"writable = ['$PRIVATE']\" >> kata-ci.toml",
            "work/a/kata-ci.toml",
        ),
        (
            "sed -i \"s|'cache'|'$PRIVATE'|\" base.toml",
            "work/a/base.toml",
        ),
        ("mv b c; ln -s \"$PRIVATE\" b", "work/a/b"),
        (
            "mv b/cache b/c; ln -s \"$PRIVATE\" b/cache",
            "work/a/b/cache",
        ),
    ] {
        for who in EVERYBODY {
            let lab = beside_a_secret(who, script);
            let again = call(&lab, who, "work/a", &["run", "--isolate", "on"]);
            let said = again.printed();
            assert_eq!(again.code, 2, "{who:?} {script}: {said}");
            let named = format!("wrote {}", lab.path(named).display());
            assert!(said.contains(&named), "{who:?} {script}: {said}");
        }
    }
}

#[test]
fn it_is_asked_again_when_that_is_gone() {
    for who in EVERYBODY {
        let lab = after_a_strict_run(who, COMMONDIR);
        fs::remove_file(lab.path("work/a/.git/commondir")).expect("removed");
        fs::remove_dir_all(lab.path("work/a/loot")).expect("removed");
        call(
            &lab,
            who,
            "work/a",
            &["run", "-s", "check", "--isolate", "auto"],
        )
        .expect_code(0);
    }
}

#[test]
fn what_a_strict_job_built_in_the_work_tree_gives_no_stamp() {
    for who in EVERYBODY {
        let lab = after_a_strict_run(who, "touch -d 2001-01-01 built");
        let stamps = || {
            let kept = lab.path("state/kata-ci/stamps").read_dir();
            kept.map_or(0, Iterator::count)
        };
        let before = stamps();
        let run = || {
            call(
                &lab,
                who,
                "work/a",
                &["run", "-s", "check", "--isolate", "auto"],
            )
            .expect_code(0)
        };
        let said = run().printed();
        assert!(said.contains("left") && said.contains("work/a/"), "{said}");
        assert_eq!(stamps(), before, "{who:?}: {said}");
        for built in ["built", "planted"] {
            fs::remove_file(lab.path("work/a").join(built)).expect("removed");
        }
        write(&lab.path("work/a/planted"), "");
        let said = run().printed();
        assert!(stamps() > before, "{who:?}: {said}");
    }
}

#[test]
fn a_run_that_a_strict_job_left_is_not_gone_on_with() {
    for who in EVERYBODY {
        let lab = after_a_strict_run(who, "mkdir -p built; echo '{}' > built/events.jsonl");
        let reports = lab.path("work/a/built").display().to_string();
        for option in ["--resume", "--rerun-failed"] {
            let words = ["run", "--isolate", "auto", "--report-dir", &reports, option];
            let said = call(&lab, who, "work/a", &words).expect_code(2).printed();
            assert!(said.contains("says nothing of an earlier run"), "{said}");
        }
    }
}
