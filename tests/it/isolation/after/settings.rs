//! Tests that no program is started that a strict job has named, after its start, in settings of
//! git, cargo, rustup or go. Each has a mark of its own name.

use super::Tree;
use crate::support::isolation::Who;

/// The beginning of each script. `by NAME` makes a program that leaves the mark NAME. `each` does
/// something with `$G`, a directory of git's, and `$T`, its work tree: for a repository of the
/// job's that git is led to, one nearer to the component, and one in the place of a submodule.
const PRELUDE: &str = r#"
by() { ln -sf mark "$top/a/tool/by-$1"; echo "$top/a/tool/by-$1"; }
each() {
    for T in loot $NEARER sub; do
        G=$T/.git; test $T != loot || G=loot/.git
        (eval "$1")
    done
}
set_() { each "git config -f \$G/config '$1' '$2'"; }
again() { for f in a/Makefile kata-ci.toml .gitignore .gitattributes; do touch -c -d 2001-01-01 $f; done; }
top=$PWD
mkdir -p loot/.git
for f in objects refs HEAD packed-refs config index; do test ! -e .git/$f || cp -r .git/$f loot/.git; done
for T in $NEARER sub; do
    git init -q $T; echo x > $T/x; git -C $T add x
    git -C $T -c user.name=A -c user.email=a@b commit -qm x; echo y > $T/x
done
(echo ../loot/.git > .git/commondir) 2>&- || true
"#;

/// Names a program in each setting that has one. `$C` is the configuration to write.
const PROGRAMS: &str = r#"
programs() {
    for key in diff.external diff.drive.command diff.drive.textconv merge.drive.driver \
        filter.drive.clean filter.drive.smudge filter.flow.process core.fsmonitor core.sshCommand \
        core.gitProxy core.editor core.pager core.askPass core.alternateRefsCommand gpg.program \
        uploadpack.packObjectsHook remote.origin.uploadpack remote.origin.receivepack \
        sequence.editor pager.ls-files pager.status
    do git config -f "$1" $key "$(by $key)"; done
    for key in alias.ls-files alias.hash-object alias.rev-parse alias.status credential.helper \
        submodule.sub.update
    do git config -f "$1" $key "!$(by $key)"; done
    git config -f "$1" core.attributesFile "$top/a/attributes"
    git config -f "$1" submodule.recurse true
    git config -f "$1" submodule.sub.active true
    git config -f "$1" submodule.sub.url "$top/sub"
    git config -f "$1" status.submoduleSummary true
    git config -f "$1" diff.ignoreSubmodules none
}
rules() { mkdir -p $(dirname $1); printf '* filter=drive diff=drive merge=drive\nkata-ci.toml filter=flow\n' > $1; }
rules a/attributes
"#;

/// A setting that a job plants: its name, and a script.
type Plant = (&'static str, &'static str);

const PLANTS: [Plant; 12] = [
    (
        "programs in the configuration",
        "each 'programs $G/config; rules $G/info/attributes'; again",
    ),
    (
        "attributes in the tree",
        "each 'programs $G/config; rules $T/.gitattributes'; rules .gitattributes; again",
    ),
    (
        "an included configuration",
        "programs more; set_ include.path $top/more; each 'rules $G/info/attributes'; again",
    ),
    (
        "a configuration included on a condition",
        "programs more; set_ includeIf.gitdir:/**.path $top/more; each 'rules $G/info/attributes'; again",
    ),
    (
        "a configuration of the work tree",
        "set_ core.repositoryFormatVersion 1; set_ extensions.worktreeConfig true
        each 'programs $G/config.worktree; rules $G/info/attributes'
        (programs .git/config.worktree) 2>&- || true; again",
    ),
    (
        "hooks",
        r#"hooks() { mkdir -p $1; for name in post-index-change reference-transaction post-checkout pre-push \
            fsmonitor-watchman pre-auto-gc post-rewrite update pre-receive post-receive
        do ln -sf $(by $name) $1/$name; done; }
        each 'hooks $G/hooks'; (hooks .git/hooks) 2>&- || true; again"#,
    ),
    (
        "hooks elsewhere",
        r#"mkdir h; for name in post-index-change reference-transaction post-checkout pre-push
        do ln -sf $(by $name) h/$name; done; set_ core.hooksPath $top/h; again"#,
    ),
    (
        "objects that another one has to be asked for",
        r#"set_ core.repositoryFormatVersion 1; set_ extensions.partialClone origin
        set_ remote.origin.promisor true; set_ remote.origin.partialCloneFilter blob:none
        set_ remote.origin.url "ssh://host/x"; set_ core.sshCommand "$(by ssh)"
        each 'find $G/objects -type f -delete'; find .git/objects -type f -delete; again"#,
    ),
    (
        "a remote that is a program",
        r#"set_ core.repositoryFormatVersion 1; set_ extensions.partialClone origin
        set_ remote.origin.promisor true; set_ remote.origin.url "ext::$(by ext) %S"
        set_ protocol.allow always; set_ remote.origin.vcs ext
        each 'find $G/objects -type f -delete'; find .git/objects -type f -delete; again"#,
    ),
    (
        "alternates",
        "each 'mkdir -p $G/objects/info; echo $top/loot/.git/objects > $G/objects/info/alternates
        echo http://127.0.0.1:1/x > $G/objects/info/http-alternates'
        echo $top/loot/.git/objects > .git/objects/info/alternates; again",
    ),
    (
        "extensions that nobody knows",
        "set_ core.repositoryFormatVersion 1; set_ extensions.strange true
        each 'programs $G/config; rules $G/info/attributes'; again",
    ),
    (
        "updates of a submodule",
        r#"printf '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n\tupdate = !%s\n' "$(by gitmodules)" > .gitmodules
        set_ submodule.sub.update "!$(by update)"; set_ submodule.sub.url ./sub; set_ submodule.recurse true
        set_ submodule.sub.active true; set_ status.submoduleSummary true; again"#,
    ),
];

/// The files that cargo, rustup and go read, above the component and in it.
const TOOLCHAINS: Plant = (
    "toolchains",
    r#"tool=$top/a/tool; mkdir -p $tool/bin a/src .cargo a/.cargo
    for name in cargo rustc go gofmt make git; do ln -sf $(by $name) $tool/bin/$name; done
    printf '[toolchain]\npath = "%s"\n' $tool > rust-toolchain.toml; cp rust-toolchain.toml a
    printf '[build]\nrustc = "%s"\nrustc-wrapper = "%s"\nrustdoc = "%s"\n[alias]\ntest = "!%s"\n[target."cfg(all())"]\nrunner = "%s"\nlinker = "%s"\n[registry]\nglobal-credential-providers = ["%s"]\n' \
        $(by rustc) $(by wrapper) $(by rustdoc) $(by alias) $(by runner) $(by linker) $(by provider) > .cargo/config.toml
    cp .cargo/config.toml a/.cargo
    printf '[package]\nname = "a"\nversion = "0.1.0"\nedition = "2021"\nbuild = "build.rs"\n' > a/Cargo.toml; touch a/src/lib.rs
    printf 'fn main() { std::process::Command::new("%s").status().unwrap(); }\n' $(by build) > a/build.rs
    printf 'module m\n\ngo 1.21\n\ntoolchain go9.99.9\n' > a/go.mod; printf 'go 1.21\n\ntoolchain go9.99.9\nuse ./a\n' > go.work
    printf '#!/bin/sh\n' > a/GNUmakefile; cp a/Makefile a/GNUmakefile; printf 'X := $(shell %s)\n' $(by make) >> a/GNUmakefile
    printf 'GOFLAGS=-toolexec=%s\nGOPROXY=off\n' $(by toolexec) > go.env"#,
);

/// A stranger's tree whose job plants one of them. `nearer` is a directory of a further repository,
/// or nothing.
fn planted(plant: Plant, nearer: &str) -> Tree {
    let script = format!("NEARER={nearer}\n{PRELUDE}{PROGRAMS}{}\n", plant.1);
    Tree::new(&script)
}

/// The ways to call kata-ci. The last leaves its plants in the work tree.
const WAYS: [&str; 3] = ["--rev", "push", "-C"];

/// Plants each in turn as both users, of whom one makes a nearer repository too.
fn nothing_runs(plants: &[Plant]) {
    let mut troubles = Vec::new();
    for (index, plant) in plants.iter().enumerate() {
        let mut users = [Who::Myself, Who::User];
        users.rotate_left(index % 2);
        for (nearer, who) in ["", "a"].into_iter().zip(users) {
            let tree = planted(*plant, nearer);
            for way in WAYS {
                let finished = tree.call_by(who, way);
                let (marks, stamps) = (tree.marks(), tree.stamps());
                if (finished.code, marks.as_str(), stamps) != (0, "", 0) {
                    let printed = finished.printed();
                    troubles.push(format!(
                        "{} {nearer:?} {who:?} {way}: code {}, stamps {stamps}, started:\n{marks}{printed}",
                        plant.0, finished.code
                    ));
                }
            }
        }
    }
    assert!(troubles.is_empty(), "{}", troubles.join("\n\n"));
}

#[test]
fn a_job_that_plants_nothing_gets_its_stamps() {
    for who in [Who::Myself, Who::User] {
        for way in ["--rev", "push", "-C", "-p"] {
            let tree = Tree::new("true");
            let finished = tree.call_by(who, way).expect_code(0);
            drop(finished);
            assert!(tree.stamps() > 0, "{who:?} {way}");
        }
    }
}

#[test]
fn of_git_in_its_configuration() {
    nothing_runs(&PLANTS[..3]);
}

#[test]
fn of_git_in_further_configurations() {
    nothing_runs(&PLANTS[3..6]);
}

#[test]
fn of_git_elsewhere_and_of_objects_that_lack() {
    nothing_runs(&PLANTS[6..9]);
}

#[test]
fn of_git_in_extensions_and_submodules() {
    nothing_runs(&PLANTS[9..]);
}

#[test]
fn of_cargo_rustup_and_go() {
    nothing_runs(&[TOOLCHAINS]);
}

/// Files of git's that lead it somewhere. A job can write them one by one.
const LEADS: [&str; 9] = [
    "mkdir -p .git/info; echo '* text' > .git/info/attributes",
    "mkdir -p .git/info; echo x >> .git/info/exclude",
    "echo $PWD/a > .git/objects/info/alternates",
    "echo http://127.0.0.1:1/ > .git/objects/info/http-alternates",
    "mkdir -p .git/worktrees/w; echo x > .git/worktrees/w/gitdir",
    "mkdir -p .git/modules/sub; echo '[core]' > .git/modules/sub/config",
    "git init -q sub",
    "git rev-parse HEAD > .git/shallow",
    "git update-ref --no-deref HEAD HEAD; git checkout -q --detach 2>&-; git symbolic-ref HEAD refs/heads/other",
];

#[test]
fn where_a_file_that_leads_git_changed_there_is_no_stamp() {
    for (index, script) in LEADS.iter().enumerate() {
        let who = [Who::Myself, Who::User][index % 2];
        let tree = Tree::new(script);
        for way in ["--rev", "-C"] {
            let finished = tree.call_by(who, way).expect_code(0);
            assert_eq!(tree.stamps(), 0, "{script} {way}: {}", finished.printed());
        }
    }
}

/// Says what it finds in builds, and leaves settings there.
const IN_BUILDS: &str = r#"if test -e a/target; then echo KEPT; fi; mkdir -p a/target/.cargo; cd a/target
    printf 'Signature: 8a477f597d28d172789f06886806bc55\n' > CACHEDIR.TAG; git init -q .
    git config filter.drive.clean $top/a/tool/mark; echo '* filter=drive' > .gitattributes
    printf '[build]\nrustc-wrapper = "%s"\n' $top/a/tool/mark > .cargo/config.toml
    find . -exec touch -h -d 2001-01-01 {} +; cd ../.."#;

#[test]
fn what_is_planted_in_builds_is_in_no_later_checkout() {
    for who in [Who::Myself, Who::User] {
        let tree = Tree::new(&format!("top=$PWD\n{IN_BUILDS}"));
        for round in ["first", "second", "third"] {
            let finished = tree.call_by(who, "--rev").expect_code(0);
            let log = finished.log("a.check");
            assert!(!log.contains("KEPT"), "{who:?} {round}: {log}");
            tree.assert_nothing_ran(round);
        }
    }
}
