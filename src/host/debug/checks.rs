//! The checks before a program is debugged: dlv and the Go of the program, debug information, and
//! whether the kernel lets a process be traced.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::binary::GoBinary;
use crate::env::Environment;
use crate::host::root::HostRoot;
use crate::probe::{Probe, dotted, version_in};

/// The module of the debugger.
const DELVE: &str = "github.com/go-delve/delve";
/// The first dlv whose version follows that of Go.
const FOLLOWS_GO: u32 = 20;
/// The first dlv that listens on a unix socket.
const UNIX_SOCKETS: &[u32] = &[1, 22, 1];
/// The places of dlv besides the PATH.
const PLACES: [&str; 5] = [
    "/usr/local/go/bin/dlv",
    "/usr/local/bin/dlv",
    "/usr/bin/dlv",
    "/root/go/bin/dlv",
    "/usr/lib/go/bin/dlv",
];

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// The result.
    pub result: CheckResult,
    /// The words.
    pub message: String,
    /// The way out; empty if all is well.
    pub fix: String,
}

/// The result of a check, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// All is well.
    Good,
    /// Debugging works with less.
    Less,
    /// Debugging does not work.
    Bad,
}

fn check(result: CheckResult, message: impl Into<String>, fix: impl Into<String>) -> Check {
    Check {
        result,
        message: message.into(),
        fix: fix.into(),
    }
}

/// A debugger that was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Dlv {
    /// The path on the host.
    pub path: PathBuf,
    /// The version, if it is known.
    pub version: Option<Vec<u32>>,
}

impl Dlv {
    /// Finds dlv: the one that is named, else on the PATH, in Go's places.
    pub fn find(root: &HostRoot, environment: &Environment, named: Option<&Path>) -> Option<Self> {
        let mut places: Vec<PathBuf> = Vec::new();
        match named {
            Some(named) => places.push(named.to_owned()),
            None => {
                if root.is_this_machine() {
                    places.extend(environment.find_program("dlv"));
                    places.extend(environment.absolute("GOBIN").map(|bin| bin.join("dlv")));
                    places.extend(environment.home().map(|home| home.join("go/bin/dlv")));
                }
                places.extend(PLACES.map(PathBuf::from));
            }
        }
        let path = places.into_iter().find(|path| root.has_program(path))?;
        let version = match root.is_this_machine() {
            true => asked(&path, environment).or_else(|| built(root, &path)),
            false => built(root, &path),
        };
        Some(Self { path, version })
    }

    fn minor(&self) -> Option<u32> {
        self.version.as_ref()?.get(1).copied()
    }
}

fn asked(path: &Path, environment: &Environment) -> Option<Vec<u32>> {
    let probe = Probe {
        program: path,
        arguments: vec!["version".into()],
        directory: Path::new("/"),
        environment,
        deadline: Duration::from_secs(20),
    };
    let answer = probe.run().ok()?;
    version_in(&String::from_utf8_lossy(&answer.output))
}

/// Returns the version that a Go program says of itself.
fn built(root: &HostRoot, path: &Path) -> Option<Vec<u32>> {
    let binary = GoBinary::read(&root.resolve(path).ok()?).ok()??;
    let (module, version) = binary.module?;
    (module == DELVE).then(|| version_in(&version)).flatten()
}

/// Checks dlv against a Go program. A mismatch is no obstacle with `any_go`.
pub fn of_dlv(dlv: Option<&Dlv>, binary: &GoBinary, any_go: bool, listen: &str) -> Vec<Check> {
    let Some(dlv) = dlv else {
        let fix = install(binary.minor());
        return vec![check(CheckResult::Bad, "dlv is not installed", fix)];
    };
    let shown = dlv
        .version
        .as_deref()
        .map_or_else(|| "of unknown version".to_owned(), dotted);
    let path = dlv.path.display();
    let mut checks = vec![match (dlv.minor(), binary.minor()) {
        (Some(dlv), Some(go)) if dlv >= FOLLOWS_GO && go + 2 >= dlv && go <= dlv => check(
            CheckResult::Good,
            format!("dlv {shown} ({path}) is for {}", binary.go),
            "",
        ),
        (Some(_), Some(go)) => check(
            if any_go {
                CheckResult::Less
            } else {
                CheckResult::Bad
            },
            format!(
                "dlv {shown} ({path}) is not for {}, which built the program",
                binary.go
            ),
            format!(
                "{}, or --any-go, with which values can be missing or wrong",
                install(Some(go))
            ),
        ),
        _ => check(
            CheckResult::Less,
            format!(
                "dlv {shown} ({path}), and {}: nothing tells whether they go together",
                binary.go
            ),
            "--any-go if dlv refuses",
        ),
    }];
    let is_old = dlv
        .version
        .as_deref()
        .is_some_and(|version| !crate::probe::at_least(version, UNIX_SOCKETS));
    if listen.starts_with("unix:") && is_old {
        checks.push(check(
            CheckResult::Bad,
            format!("dlv {shown} does not listen on a unix socket"),
            install(binary.minor()),
        ));
    }
    checks
}

/// Returns the command that installs the dlv for a Go.
fn install(go: Option<u32>) -> String {
    let version = match go {
        Some(go) if go >= FOLLOWS_GO => format!("v1.{go}"),
        _ => "latest".to_owned(),
    };
    format!("go install {DELVE}/cmd/dlv@{version}")
}

/// Checks the debug information of a program.
pub fn of_binary(binary: &GoBinary) -> Vec<Check> {
    let rebuild = "build it with -gcflags='all=-N -l', and without -ldflags=-s or -w";
    let mut checks = vec![
        match (binary.has_debug_information, binary.is_unoptimised) {
            (false, _) => check(
                CheckResult::Less,
                "the program has no debug information: breakpoints on functions are hit, and no values are seen",
                rebuild,
            ),
            (true, Some(true)) => check(
                CheckResult::Good,
                "the program has debug information, and is not optimised",
                "",
            ),
            (true, _) => check(
                CheckResult::Less,
                "the program has debug information, and is optimised: a breakpoint in an inlined function lands in its caller",
                rebuild,
            ),
        },
    ];
    if binary.is_trimmed {
        checks.push(check(
            CheckResult::Less,
            "the program was built with -trimpath: its sources have the paths of their modules",
            "map them in the client (substitutePath, `config substitute-path`)",
        ));
    }
    checks
}

/// Checks whether the kernel lets processes be traced.
pub fn of_ptrace(root: &HostRoot) -> Check {
    let path = Path::new("/proc/sys/kernel/yama/ptrace_scope");
    let scope = root.read(path).ok().flatten();
    let scope = scope.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    match scope.as_deref() {
        None => check(CheckResult::Good, "nothing restricts ptrace (no Yama)", ""),
        Some("3") => check(
            CheckResult::Bad,
            "kernel.yama.ptrace_scope is 3: nobody can trace anything until the next restart",
            "take it out of /etc/sysctl.d, and restart the machine",
        ),
        Some(scope) => check(
            CheckResult::Good,
            format!("kernel.yama.ptrace_scope is {scope}, which root passes"),
            "",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(go: &str) -> GoBinary {
        GoBinary {
            go: go.to_owned(),
            ..GoBinary::default()
        }
    }

    fn dlv(version: &[u32]) -> Dlv {
        Dlv {
            path: "/dlv".into(),
            version: Some(version.to_owned()),
        }
    }

    #[test]
    fn a_dlv_is_for_the_go_of_its_number_and_the_two_before() {
        let result = |dlv: Option<&Dlv>, go: &str, any: bool| {
            let checks = of_dlv(dlv, &binary(go), any, "127.0.0.1:2345");
            (checks[0].result, checks[0].fix.clone())
        };
        use CheckResult::{Bad, Good, Less};
        for (version, go, expected) in [
            (27, "go1.26.8", Good),
            (27, "go1.25", Good),
            (27, "go1.24.1", Bad),
            (27, "go1.28rc1", Bad),
            (20, "go1.21.0", Bad),
            (20, "go1.19.8", Good),
            (9, "go1.9", Bad),
        ] {
            let found = result(Some(&dlv(&[1, version, 2])), go, false);
            assert_eq!(found.0, expected, "{version} {go}");
        }
        let old = dlv(&[1, 20, 2]);
        assert_eq!(result(Some(&old), "go1.21.0", true).0, Less);
        assert!(
            result(Some(&old), "go1.24.0", false)
                .1
                .contains("cmd/dlv@v1.24,")
        );
        assert_eq!(
            result(None, "go1.13.9", false),
            (
                Bad,
                "go install github.com/go-delve/delve/cmd/dlv@latest".to_owned()
            )
        );
        assert_eq!(
            of_dlv(Some(&old), &binary("go1.20.1"), false, "unix:/s")[1].result,
            Bad
        );
    }

    #[test]
    fn what_a_build_leaves_out_is_told() {
        let mut one = binary("go1.26");
        let said = |one: &GoBinary| {
            of_binary(one)
                .iter()
                .map(|check| check.message.clone())
                .collect::<String>()
        };
        assert!(said(&one).contains("no debug information"));
        one.has_debug_information = true;
        assert!(said(&one).contains("is optimised"));
        one.is_unoptimised = Some(true);
        one.is_trimmed = true;
        assert!(said(&one).contains("is not optimised") && said(&one).contains("-trimpath"));
    }

    #[test]
    fn a_kernel_that_forbids_tracing_is_told() {
        let place = tempfile::tempdir().unwrap();
        let root = HostRoot::of(place.path()).unwrap();
        assert_eq!(of_ptrace(&root).result, CheckResult::Good);
        let directory = place.path().join("proc/sys/kernel/yama");
        std::fs::create_dir_all(&directory).unwrap();
        for (scope, expected) in [("1\n", CheckResult::Good), ("3\n", CheckResult::Bad)] {
            std::fs::write(directory.join("ptrace_scope"), scope).unwrap();
            assert_eq!(of_ptrace(&root).result, expected);
        }
    }
}
