//! Tests that a push uses `[gerrit]` and `[network]` of the pipeline that `run` would find.

use std::fs;

use crate::support::gerrit::{Clone, Transport, User, plain, server};
use crate::support::proxy::{CREDENTIALS, Proxy};

/// Writes a pipeline's file beside the clone.
fn beside(clone: &Clone, text: &str) {
    let file = clone.directory.parent().unwrap().join("kata-ci.toml");
    let step = "[[step]]\nname = 'test'\nrun = ['true']\n";
    fs::write(file, format!("version = 1\n{text}\n{step}")).unwrap();
}

const NO_SUBSYSTEM: &str = "names no subsystem";

#[test]
fn the_pipeline_asks_for_katas_rules_and_an_option_wins_over_it() {
    let (_, clone) = plain();
    clone.commit_with_id("file", "no subsystem");
    let dry = ["push", "--no-check", "--dry-run"];
    clone.call(&dry).expect(0);
    beside(&clone, "[gerrit]\ncommit_rules = 'kata'");
    let answer = clone.call(&dry).expect(1);
    assert!(answer.output.contains(NO_SUBSYSTEM), "{answer:?}");
    clone
        .call(&[&dry[..], &["--commit-rules", "none"]].concat())
        .expect(0);
    clone
        .call(&[&dry[..], &["-p", "makefile"]].concat())
        .expect(0);
}

#[test]
fn a_repository_of_kata_v1_has_katas_rules_with_nothing_configured() {
    let (_, clone) = plain();
    fs::create_dir(clone.directory.join(".ci")).unwrap();
    fs::write(clone.directory.join(".ci/lib.sh"), "").unwrap();
    fs::write(clone.directory.join("Makefile"), "check:\n").unwrap();
    clone.commit_with_id("file", "no subsystem");
    let answer = clone.call(&["push", "--no-check", "--dry-run"]).expect(1);
    assert!(answer.output.contains(NO_SUBSYSTEM), "{answer:?}");
}

#[test]
fn the_table_says_where_to_unless_the_repository_knows_better() {
    let (origin, clone) = plain();
    clone.commit_with_id("file", "proxy: where to");
    clone.git(&["remote", "add", "review", &origin.to_string_lossy()]);
    let place = |arguments: &[&str]| {
        let json = clone
            .call(&[&["push", "--dry-run", "--format", "json"], arguments].concat())
            .json();
        (json["remote"].clone(), json["branch"].clone())
    };
    beside(&clone, "[gerrit]\nremote = 'review'\nbranch = 'next'");
    assert_eq!(place(&[]), ("review".into(), "next".into()));
    assert_eq!(
        place(&["origin", "--branch", "mine"]),
        ("origin".into(), "mine".into())
    );
    fs::write(
        clone.directory.join(".gitreview"),
        "[gerrit]\ndefaultbranch=stable\n",
    )
    .unwrap();
    assert_eq!(
        place(&[]),
        ("review".into(), "stable".into()),
        "the file is of this branch"
    );
    beside(&clone, "[gerrit]\nurl = 'ssh://review.example.com:29418'");
    let json = clone
        .call(&["push", "--dry-run", "--format", "json"])
        .json();
    let url = json["url"].as_str().unwrap();
    assert!(url.starts_with("ssh://review.example.com:29418/"), "{url}");
}

#[test]
fn a_pipeline_that_cannot_be_read_is_told_and_nothing_is_pushed() {
    let (_, clone) = plain();
    clone.commit_with_id("file", "proxy: one");
    beside(&clone, "[gerrit]\ncommit_rules = 'katta'");
    let answer = clone.call(&["push", "--no-check"]).expect(2);
    assert!(answer.errors.contains("did you mean `kata`?"), "{answer:?}");
    assert_eq!(clone.git(&["ls-remote", "origin", "refs/for/*"]), "");
}

#[test]
fn a_push_goes_through_the_proxy_and_its_password_is_not_shown() {
    let Some(server) = server() else { return };
    let project = server.project("proxied");
    let clone = project.clone_as(User::Admin, Transport::Http);
    let proxy = Proxy::start();
    let id = clone.commit_with_id("file", "proxy: by a proxy");
    let configuration = || fs::read(clone.home().join("gitconfig")).unwrap();
    // The proxy that git is configured with leads nowhere.
    clone.git(&["config", "--global", "http.proxy", "http://127.0.0.1:1"]);
    let before = configuration();
    beside(
        &clone,
        &format!("[network]\nproxy = '{}'\nno_proxy = []", proxy.url()),
    );
    let answer = clone
        .call(&["push", "--no-check", "--format", "json"])
        .expect(0);
    assert!(project.change(&id).is_some());
    let place = format!(
        "http://127.0.0.1:{}/a/{}",
        server.value("http_port"),
        project.name
    );
    for path in ["info/refs?service=git-receive-pack", "git-receive-pack"] {
        assert!(
            proxy.log().contains(&format!("{place}/{path}")),
            "{path}: {}",
            proxy.log()
        );
    }
    assert_eq!(configuration(), before);
    assert!(!format!("{answer:?}").contains(CREDENTIALS), "{answer:?}");
    beside(
        &clone,
        "[network]\nproxy = 'http://ada:s3cret-pass@127.0.0.1:1'\nno_proxy = []",
    );
    clone.commit_with_id("file", "proxy: by nobody");
    let answer = clone.call(&["push", "--no-check"]).expect(75);
    assert!(!format!("{answer:?}").contains("s3cret"), "{answer:?}");
    beside(
        &clone,
        "[network]\nproxy = 'http://127.0.0.1:1'\nno_proxy = ['127.0.0.1']",
    );
    clone.call(&["push", "--no-check"]).expect(0);
}

#[test]
fn nothing_a_file_says_is_taken_for_an_option_or_a_program() {
    let (_, clone) = plain();
    clone.commit_with_id("file", "proxy: harmless");
    let pwned = clone.home().join("pwned");
    let program = format!("touch {}", pwned.display());
    for table in [
        format!("remote = 'ext::sh -c \"{program}\"'"),
        format!("remote = '--receive-pack={program}'"),
        format!("url = 'ext::sh -c \"{program}\"'"),
        format!("url = 'ssh://-oProxyCommand={program}/'"),
        format!("branch = '--upload-pack={program}'"),
        "branch = 'master%submit'".to_owned(),
        "branch = \"master\\n-o submit\"".to_owned(),
    ] {
        beside(&clone, &format!("[gerrit]\n{table}"));
        let answer = clone.call(&["push", "--no-check"]).expect(2);
        assert!(!answer.errors.is_empty(), "{table}");
    }
    beside(&clone, "");
    for lines in [
        format!("host=-oProxyCommand={program}\nproject=x"),
        format!("scheme=ext::sh -c {program} #\nhost=h\nproject=x"),
        format!("host=example.com\nport=22 -o ProxyCommand={program}\nproject=x"),
        format!("defaultbranch=--upload-pack={program}"),
        format!("defaultremote=--upload-pack={program}\nhost=-x\nproject=y"),
    ] {
        let file = clone.directory.join(".gitreview");
        fs::write(file, format!("[gerrit]\n{lines}\n")).unwrap();
        let answer = clone.call(&["push", "--no-check"]).expect(2);
        assert!(!answer.errors.is_empty(), "{lines}");
    }
    fs::remove_file(clone.directory.join(".gitreview")).unwrap();
    for text in [
        format!("https://-oProxyCommand={program}/c/x/+/1"),
        format!("I$({program})"),
        format!("github.com/--upload-pack={program}/x#1"),
    ] {
        clone.git(&["reset", "-q", "--hard", "origin/master"]);
        clone.commit_with_id("file", &format!("proxy: evil\n\nDepends-on: {text}"));
        clone.call(&["push", "-p", "makefile"]).expect(2);
    }
    assert!(!pwned.exists());
    assert_eq!(clone.git(&["ls-remote", "origin", "refs/for/*"]), "");
}
