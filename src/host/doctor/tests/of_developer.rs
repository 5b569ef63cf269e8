//! Faults of a developer's machine.

use super::fault::{Fault, fault};
use super::made_up::{Answer, MadeUp};
use crate::host::doctor::State::{Can as But, Cannot as No, CouldNotBeAsked as Unasked};

const PROXY: &str = "proxy.example.com:80";

fn refusing(host: MadeUp, answer: Answer) -> MadeUp {
    let mut host = host.git("http.proxy", PROXY);
    host.refused.insert(PROXY.to_owned(), answer);
    host
}

/// The faults of a developer's machine.
pub const OF_DEVELOPER: &[Fault] = &[
    fault("no git", |host| host.lacks("git"), "tools.git", No),
    fault(
        "an old git",
        |host| host.says("git --version", "git version 1.8.3.1"),
        "tools.git",
        No,
    ),
    fault(
        "a git that hangs",
        |host| host.hangs("git --version"),
        "tools.git",
        Unasked,
    ),
    fault(
        "a git that says nothing",
        |host| host.says("git --version", "hello"),
        "tools.git",
        Unasked,
    ),
    fault("no make", |host| host.lacks("make"), "tools.make", No),
    fault(
        "KATA_DEV_MODE=false",
        |host| host.variable("KATA_DEV_MODE", "false"),
        "variables.set-is-on",
        But,
    ),
    fault(
        "KATA_CI_NO_NETWORK=0",
        |host| host.variable("KATA_CI_NO_NETWORK", "0"),
        "variables.set-is-on",
        But,
    ),
    fault(
        "MAKEFLAGS=n",
        |host| host.variable("MAKEFLAGS", "n"),
        "variables.make-flags",
        But,
    ),
    fault(
        "GNUMAKEFLAGS=-n",
        |host| host.variable("GNUMAKEFLAGS", "-n"),
        "variables.make-flags",
        But,
    ),
    fault(
        "MAKEFILES",
        |host| host.variable("MAKEFILES", "/tmp/x.mk"),
        "variables.make-flags",
        But,
    ),
    fault(
        "GIT_DIR",
        |host| host.variable("GIT_DIR", "/tmp/.git"),
        "variables.git-variables",
        But,
    ),
    fault(
        "CI and dev mode",
        |host| {
            host.variable("CI", "true")
                .variable("KATA_DEV_MODE", "true")
        },
        "variables.ci-and-dev-mode",
        But,
    ),
    fault(
        "GOFLAGS=-json",
        |host| host.variable("GOFLAGS", "-json"),
        "variables.go-flags",
        But,
    ),
    fault(
        "a relative GOPATH",
        |host| host.variable("GOPATH", "go"),
        "variables.gopath",
        No,
    ),
    fault(
        "GOPATH is GOROOT",
        |host| host.variable("GOPATH", "/go").variable("GOROOT", "/go"),
        "variables.gopath",
        No,
    ),
    fault(
        "nobody commits",
        |host| {
            host.fails(
                "git var GIT_COMMITTER_IDENT",
                "fatal: unable to auto-detect email address (got 'root@host.(none)')",
            )
        },
        "git.identity",
        No,
    ),
    fault(
        "an address of nobody",
        |host| {
            host.says(
                "git var GIT_COMMITTER_IDENT",
                "root <root@localhost> 1 +0000",
            )
        },
        "git.identity",
        No,
    ),
    fault(
        "another's repository",
        |host| {
            host.fails(
                "git rev-parse --show-toplevel",
                "fatal: detected dubious ownership in repository at '/home/ada/runtime'",
            )
        },
        "git.safe-directory",
        No,
    ),
    fault(
        "no repository",
        |host| {
            host.fails(
                "git rev-parse --show-toplevel",
                "fatal: not a git repository (or any of the parent directories): .git",
            )
        },
        "git.repository",
        Unasked,
    ),
    fault(
        "hooks nowhere",
        |host| {
            host.git("core.hookspath", "/nowhere").says(
                "git rev-parse --git-path hooks/commit-msg",
                "/nowhere/commit-msg",
            )
        },
        "git.hooks-path",
        But,
    ),
    fault(
        "https.proxy alone",
        |host| host.git("https.proxy", PROXY),
        "proxy.https-proxy",
        But,
    ),
    fault(
        "https.proxy beside http.proxy",
        |host| host.git("http.proxy", PROXY).git("https.proxy", PROXY),
        "proxy.https-proxy",
        But,
    ),
    fault(
        "http_proxy alone",
        |host| host.variable("http_proxy", PROXY),
        "proxy.only-http",
        But,
    ),
    fault(
        "https_proxy alone",
        |host| host.variable("https_proxy", PROXY),
        "proxy.only-https",
        But,
    ),
    fault(
        "HTTP_PROXY",
        |host| host.variable("HTTP_PROXY", PROXY),
        "proxy.upper-case",
        But,
    ),
    fault(
        "a proxy that refuses",
        |host| refusing(host, Answer::Fails("Connection refused".to_owned())),
        "proxy.reachable",
        No,
    ),
    fault(
        "a proxy that is silent",
        |host| refusing(host, Answer::Hangs),
        "proxy.reachable",
        Unasked,
    ),
    fault(
        "a proxy of nonsense",
        |host| host.git("http.proxy", "ftp://x y"),
        "proxy.form",
        No,
    ),
    fault(
        "no sandbox",
        |mut host| {
            host.sandbox = [
                Err("unshare: EPERM".to_owned()),
                Err("unshare: EPERM".to_owned()),
            ];
            host
        },
        "isolation.sandbox",
        But,
    ),
];
