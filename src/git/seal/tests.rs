//! Changes that break a seal, and changes that do not.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::git::test_repository::{TestRepository, environment};

/// A repository with the tracked files `file`, `dir/inner` and the empty place of a submodule,
/// `sub`; whether its seal holds after something was done.
fn holds_after(act: impl FnOnce(&TestRepository)) -> bool {
    let repository = TestRepository::with_a_commit();
    let top = repository.path();
    fs::create_dir(top.join("dir")).unwrap();
    repository.commit("dir/inner", "inner\n");
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let gitlink = format!("160000,{commit},sub");
    repository.git(&["update-index", "--add", "--cacheinfo", &gitlink]);
    fs::create_dir(top.join("sub")).unwrap();
    repository.git(&["commit", "--quiet", "--message", "sub"]);
    let seal = Seal::of(&Git::find(&environment()).unwrap(), top).unwrap();
    act(&repository);
    seal.unwrap().holds()
}

fn write(repository: &TestRepository, name: &str, text: &str) {
    let path = repository.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn nothing_done_breaks_nothing() {
    assert!(holds_after(|_| {}));
}

#[test]
fn index_refs_logs_and_objects_may_change() {
    assert!(holds_after(|repository| {
        write(repository, "new", "");
        repository.git(&["add", "new"]);
        repository.git(&["branch", "other"]);
        repository.git(&["pack-refs", "--all"]);
        repository.git(&["repack", "-q", "-a", "-d"]);
        repository.git(&["stash", "--quiet"]);
    }));
}

#[test]
fn a_file_that_is_written_again_as_it_was_is_the_same() {
    assert!(holds_after(|repository| {
        let path = repository.path().join("dir/inner");
        fs::remove_file(&path).unwrap();
        write(repository, "dir/inner", "inner\n");
    }));
}

#[test]
fn what_leads_git_elsewhere_breaks_it() {
    for name in [
        ".git/config",
        ".git/config.worktree",
        ".git/commondir",
        ".git/gitdir",
        ".git/info/attributes",
        ".git/info/exclude",
        ".git/hooks/post-checkout",
        ".git/objects/info/alternates",
        ".git/modules/sub/config",
        ".git/worktrees/w/gitdir",
        ".git/shallow",
        ".git/HEAD",
        "sub/.git",
    ] {
        assert!(!holds_after(|it| write(it, name, "x\n")), "{name}");
    }
}

#[test]
fn a_tracked_file_that_is_another_one_breaks_it() {
    assert!(!holds_after(|it| write(it, "dir/inner", "other\n")));
    assert!(!holds_after(|it| write(it, "dir/inner", "lines\n")));
    assert!(!holds_after(|it| {
        fs::remove_file(it.path().join("file")).unwrap();
    }));
    assert!(!holds_after(|it| {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(it.path().join("file"), mode).unwrap();
    }));
    assert!(!holds_after(|it| {
        let (top, aside) = (it.path(), it.path().join("aside"));
        fs::rename(top.join("dir"), &aside).unwrap();
        symlink(aside, top.join("dir")).unwrap();
    }));
}

#[test]
fn what_lies_in_the_way_is_not_waited_for() {
    for name in [".git/index", ".git/config", ".git/commondir", "file"] {
        assert!(!holds_after(|it| {
            let path = it.path().join(name);
            let _ = fs::remove_file(&path);
            nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        }));
    }
}

#[test]
fn another_entry_of_the_same_name_breaks_it() {
    assert!(!holds_after(|it| {
        let top = it.path();
        fs::rename(top.join(".git"), top.join("moved")).unwrap();
        write(it, ".git", "gitdir: moved\n");
    }));
    assert!(!holds_after(|it| {
        let top = it.path();
        fs::rename(top.join(".git"), top.join("moved")).unwrap();
        symlink("moved", top.join(".git")).unwrap();
    }));
}

/// git keeps these files otherwise than they lie there.
#[test]
fn a_repository_with_filters_has_a_seal_that_holds() {
    let repository = TestRepository::with_a_commit();
    write(&repository, ".gitattributes", "* text eol=crlf\n");
    repository.commit("lines", "a\nb\n");
    fs::remove_file(repository.path().join("lines")).unwrap();
    repository.git(&["checkout", "--quiet", "lines"]);
    assert!(
        fs::read(repository.path().join("lines"))
            .unwrap()
            .contains(&b'\r')
    );
    let seal = Seal::of(&Git::find(&environment()).unwrap(), repository.path()).unwrap();
    assert!(seal.unwrap().holds());
}
