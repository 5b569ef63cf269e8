//! Variables that make kata's scripts, make or git do something else than it looks.

use std::path::Path;

use super::check::{Check, Checks, Purpose};
use super::host::Host;
use crate::env::Environment;

pub(super) const PURPOSES: &[Purpose] = &[Purpose::Build, Purpose::Check, Purpose::Test];

/// The variables of kata's scripts that are on when they are set to anything.
const SET_IS_ON: [(&str, &str); 2] = [
    (
        "KATA_DEV_MODE",
        "the linters that are known to pass, and a second run of the tests as root",
    ),
    (
        "KATA_CI_NO_NETWORK",
        "the tests clone is used as it is; nothing is kept off the network",
    ),
];

/// The values that people mean as "off".
const MEANT_OFF: [&str; 5] = ["false", "0", "no", "off", "n"];

/// The variables that change each make by hand, and can make it run nothing.
const OF_MAKE: [&str; 4] = ["MAKEFLAGS", "GNUMAKEFLAGS", "MAKEFILES", "MFLAGS"];

/// The variables that lead git elsewhere.
const OF_GIT: [&str; 4] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
];

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("variables", PURPOSES);
    judge(&host.environment, &mut checks);
    gopath(host, &mut checks);
    if checks.is_empty() {
        let text = "no variable changes what kata's scripts, make and git do";
        checks.can("variables", text);
    }
    checks.done()
}

fn judge(environment: &Environment, checks: &mut Checks) {
    let value = |name: &str| {
        let value = environment.variable(name)?;
        Some(value.to_string_lossy().into_owned())
    };
    for (name, what) in SET_IS_ON {
        let Some(value) = value(name) else { continue };
        if MEANT_OFF.contains(&value.to_lowercase().as_str()) {
            checks.note(
                "set-is-on",
                format!("{name}={value} is on for kata's scripts, as any value is: {what}"),
                format!("unset {name}"),
            );
        }
    }
    for (name, value) in OF_MAKE.iter().filter_map(|name| Some((name, value(name)?))) {
        let does = match runs_nothing(name, &value) {
            true => "make by hand runs nothing and passes",
            false => "make by hand does something else",
        };
        checks.note(
            "make-flags",
            format!("{name}={value}: {does}; jobs of kata-ci do not get it"),
            format!("unset {name}"),
        );
    }
    for name in OF_GIT.iter().filter(|name| value(name).is_some()) {
        checks.note(
            "git-variables",
            format!("{name} is set: git by hand works elsewhere; jobs of kata-ci do not get it"),
            format!("unset {name}"),
        );
    }
    if value("CI").as_deref() == Some("true") && value("KATA_DEV_MODE").is_some() {
        checks.note(
            "ci-and-dev-mode",
            "CI=true and KATA_DEV_MODE are set together, which kata calls dangerous: its tests refuse to run as root",
            "unset CI",
        );
    }
    if let Some(flags) = value("GOFLAGS").filter(|flags| flags.contains("-json")) {
        checks.note(
            "go-flags",
            format!("GOFLAGS={flags}: -json breaks `go list` in kata's go-test.sh"),
            "unset GOFLAGS && export KATA_GO_TEST_FLAGS='-json -race -timeout 60s'",
        );
    }
}

/// Returns true if make only prints or asks (`-n`, `-q`, `-t`). The first word may lack its dash.
fn runs_nothing(name: &str, flags: &str) -> bool {
    let short = |(index, word): (usize, &str)| match word.strip_prefix('-') {
        Some(rest) if !rest.starts_with('-') => Some(rest.to_owned()),
        None if index == 0 && !word.contains('=') => Some(word.to_owned()),
        _ => None,
    };
    let long = [
        "--just-print",
        "--dry-run",
        "--recon",
        "--question",
        "--touch",
    ];
    name != "MAKEFILES"
        && (flags.split_whitespace().any(|word| long.contains(&word))
            || (flags.split_whitespace().enumerate().filter_map(short))
                .any(|word| word.contains(['n', 'q', 't'])))
}

/// Judges GOPATH, in which v1's Makefiles work.
fn gopath(host: &Host<'_>, checks: &mut Checks) {
    let Some(list) = host.environment.variable("GOPATH") else {
        return;
    };
    let entries: Vec<_> = std::env::split_paths(list)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    let shown = list.to_string_lossy();
    if let Some(relative) = entries.iter().find(|path| !path.is_absolute()) {
        checks.cannot(
            "gopath",
            format!(
                "GOPATH={shown}: go refuses the relative path {}",
                relative.display()
            ),
            "export GOPATH=\"$HOME/go\"",
        );
        return;
    }
    let Some(first) = entries.first() else {
        return;
    };
    let at_root = host.environment.variable("GOROOT").map(Path::new);
    if at_root == Some(first) {
        checks.cannot(
            "gopath",
            format!(
                "GOPATH and GOROOT are both {}: go then finds no package of yours",
                first.display()
            ),
            "unset GOROOT",
        );
    }
}
