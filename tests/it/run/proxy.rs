//! Tests a proxy in `[network]`: jobs and git use it, and its password is never shown.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::proxy::{CREDENTIALS, Files, Proxy, free_port};
use crate::support::{Finished, run_in};

/// Creates a bare repository that can be fetched from a server without git.
fn repository(directory: &Path) {
    let script = "git init -q --bare -b master repository && cd repository &&
        tree=$(git mktree </dev/null) &&
        git -c user.name=a -c user.email=a@b update-ref refs/heads/master $(git -c user.name=a -c user.email=a@b commit-tree -m one $tree) &&
        git update-server-info";
    let status = Command::new("sh")
        .args(["-ec", script])
        .current_dir(directory)
        .status();
    assert!(status.expect("sh").success());
}

/// Runs a job that contacts the server by git and by curl, and shows its environment, with this
/// `[network]`.
fn asked(files: &Files, network: &str) -> (Finished, TempDir) {
    let home = tempfile::tempdir().unwrap();
    // git prefers its configuration to every variable: here a proxy that nobody runs.
    let nobody = format!("[http]\n\tproxy = http://127.0.0.1:{}\n", free_port());
    std::fs::write(home.path().join(".gitconfig"), &nobody).unwrap();
    let place = home.path().join("place");
    std::fs::create_dir(&place).unwrap();
    let url = format!("http://127.0.0.1:{}", files.port);
    let pipeline = format!(
        "version = 1\n{network}\n[[step]]\nname = 'ask'\nnetwork = 'on'\nscript = '''
        git ls-remote {url}/repository
        curl -sS -v {url}/by-curl
        env
        '''\n[[component]]\nname = 'place'\npath = '.'\n"
    );
    std::fs::write(place.join("kata-ci.toml"), pipeline).unwrap();
    let finished = run_in(&place)
        .env("HOME", home.path())
        .env("all_proxy", "http://127.0.0.1:1")
        .finish();
    let after = std::fs::read_to_string(home.path().join(".gitconfig")).unwrap();
    assert_eq!(after, nobody, "git's configuration is the user's");
    (finished, home)
}

fn served() -> (Files, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    repository(directory.path());
    std::fs::write(directory.path().join("by-curl"), "served\n").unwrap();
    (Files::serve(directory.path()), directory)
}

#[test]
fn jobs_and_their_git_go_through_the_proxy() {
    let proxy = Proxy::start();
    let (files, _directory) = served();
    let network = format!("[network]\nproxy = '{}'\nno_proxy = []\n", proxy.url());
    let (finished, _home) = asked(&files, &network);
    let finished = finished.expect_code(0);
    let log = proxy.log();
    for path in ["repository/info/refs", "by-curl"] {
        assert!(
            log.contains(&format!("GET http://127.0.0.1:{}/{path}", files.port)),
            "{path}: {log}"
        );
    }
    let said = finished.log("place.ask");
    assert!(
        said.contains("refs/heads/master") && said.contains("served"),
        "{said}"
    );
}

#[test]
fn its_password_is_in_no_log_and_no_report() {
    let proxy = Proxy::start();
    let (files, _directory) = served();
    let network = format!("[network]\nproxy = '{}'\nno_proxy = []\n", proxy.url());
    let (finished, _home) = asked(&files, &network);
    let finished = finished.expect_code(0);
    let said = finished.log("place.ask");
    assert!(said.contains("http_proxy=http://****"), "{said}");
    assert!(said.contains("Proxy-Authorization: Basic ****"), "{said}");
    let password = CREDENTIALS.split(':').nth(1).unwrap();
    for secret in [password, "YWRhOnMzY3JldC1wYXNz"] {
        assert!(
            !finished.printed().contains(secret),
            "{}",
            finished.printed()
        );
        let found = Command::new("grep")
            .args(["-rl", secret])
            .arg(&finished.reports)
            .output()
            .unwrap();
        assert!(
            found.stdout.is_empty(),
            "{}",
            String::from_utf8_lossy(&found.stdout)
        );
    }
}

#[test]
fn hosts_of_no_proxy_are_reached_without_it() {
    let proxy = Proxy::start();
    let (files, _directory) = served();
    let network = format!(
        "[network]\nproxy = '{}'\nno_proxy = ['127.0.0.1']\n",
        proxy.url()
    );
    asked(&files, &network).0.expect_code(0);
    assert_eq!(proxy.log(), "");
}

#[test]
fn the_empty_proxy_is_none_whatever_else_is_said() {
    let (files, _directory) = served();
    asked(&files, "[network]\nproxy = ''\n").0.expect_code(0);
}
