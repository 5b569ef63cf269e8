//! Checks the programs that kata's static-checks.sh asks for, which v1's `make check` calls.
//!
//! The script would download a missing program after minutes, or ask for a password. Only what the
//! script of the tests clone really asks for is checked, and only what it comes to for the
//! component and its change.

use std::collections::BTreeMap;
use std::path::Path;

use super::programs::version;
use super::{LARGEST, Preflight, RequirementProblem, gopath, joined, mentions};
use crate::config::{NetworkPolicy, Step};
use crate::env::Environment;
use crate::fs;
use crate::model::{Expect, Readiness, go_install};
use crate::probe::{at_least, dotted, version_in};
use crate::workspace::overlay;

/// The script, in the tests clone and as Makefiles call it.
const SCRIPT: &str = "static-checks.sh";

/// When the script comes to a program.
#[derive(Debug, Clone, Copy)]
enum Use {
    Always,
    /// For components in Go.
    Go,
    /// If the change has a file whose name ends like this.
    Changed(&'static [&'static str]),
}

/// The text by which the script brings dep itself, also where it is installed.
const GETS_DEP: &str = "go get github.com/golang/dep";

/// The last release of Go whose `go get` works outside of a module.
const LAST_WITH_GET: &[u32] = &[1, 21];

/// The command that runs all with such a go. With modules off, go takes no other toolchain by
/// itself.
const WITH_GET: &str = "PATH=\"$(GO111MODULE=on GOTOOLCHAIN=go1.21.13 go env GOROOT)/bin:$PATH\" kata-ci run --network on";

/// A program, and the text by which the script asks for it.
struct Tool {
    name: &'static str,
    asked_by: &'static str,
    when: Use,
    /// The distribution's package; `None` for a program of Go.
    package: Option<&'static str>,
}

const TOOLS: &[Tool] = &[
    Tool::of_go("xurls", "\"xurls\"", Use::Always),
    Tool::of_go("golangci-lint", "\"golangci-lint\"", Use::Go),
    Tool::packaged("yamllint", "install_yamllint", Use::Always, "yamllint"),
    Tool::packaged("jq", "jq -S", Use::Changed(&[".json"]), "jq"),
    Tool::packaged(
        "xmllint",
        "xmllint -format",
        Use::Changed(&[".xml"]),
        "libxml2-utils",
    ),
    Tool::packaged(
        "chronic",
        "chronic=chronic",
        Use::Changed(&[".json", ".xml", ".sh", ".bash"]),
        "moreutils",
    ),
    Tool::packaged(
        "hunspell",
        "kata-spell-check.sh",
        Use::Changed(&[".md"]),
        "hunspell",
    ),
    Tool::packaged(
        "pandoc",
        "kata-spell-check.sh",
        Use::Changed(&[".md"]),
        "pandoc",
    ),
];

impl Tool {
    const fn of_go(name: &'static str, asked_by: &'static str, when: Use) -> Self {
        Self {
            name,
            asked_by,
            when,
            package: None,
        }
    }

    const fn packaged(
        name: &'static str,
        asked_by: &'static str,
        when: Use,
        package: &'static str,
    ) -> Self {
        Self {
            package: Some(package),
            ..Self::of_go(name, asked_by, when)
        }
    }
}

impl Preflight<'_> {
    /// Returns the steps that cannot run although the component can, with the reason. A step with
    /// the network on is not among them: there the script brings what it misses.
    pub(in crate::workspace) fn unready_steps(&self) -> BTreeMap<String, Readiness> {
        let script = self.tests_clone.found();
        let script =
            script.and_then(|clone| fs::read(&clone.join(".ci").join(SCRIPT), LARGEST).ok());
        let Some(script) = script.filter(|_| self.calls_static_checks()) else {
            return BTreeMap::new();
        };
        let is_offline = |step: &Step| {
            self.component.network.unwrap_or(step.network) != NetworkPolicy::On
                && step.expect == Expect::Commands
        };
        (self.steps.iter())
            .filter(|step| is_offline(step))
            .map(|step| (step.name.clone(), self.tools(step, &script)))
            .filter(|(_, readiness)| *readiness != Readiness::Ready)
            .collect()
    }

    fn calls_static_checks(&self) -> bool {
        mentions(self.directory, SCRIPT)
    }

    fn tools(&self, step: &Step, script: &[u8]) -> Readiness {
        let mut environment = self.environment.clone();
        overlay(&mut environment, &step.env);
        let asks = |tool: &&Tool| memchr::memmem::find(script, tool.asked_by.as_bytes()).is_some();
        let missing: Vec<&Tool> = (TOOLS.iter())
            .filter(asks)
            .filter(|tool| self.comes_to(tool.when, &environment))
            .filter(|tool| environment.find_program(tool.name).is_none())
            .collect();
        let names: Vec<_> = missing.iter().map(|tool| tool.name).collect();
        let programs = (!missing.is_empty()).then(|| {
            RequirementProblem::unmet(
                format!("kata's {SCRIPT} needs {}, not on PATH", names.join(", ")),
                self.installation(&missing, &environment),
            )
        });
        let dep = self.dep(script, &environment);
        joined(programs.into_iter().chain(dep).collect())
    }

    /// Finds that the check of vendored code cannot pass, because the script calls `go get` there,
    /// which needs the network, and a Go that does it outside of a module.
    fn dep(&self, script: &[u8], environment: &Environment) -> Option<RequirementProblem> {
        let exists = |name: &str| self.directory.join(name).exists();
        let is_checked = !is_rust(environment)
            && exists("Gopkg.lock")
            && !exists("go.mod")
            && memchr::memmem::find(script, GETS_DEP.as_bytes()).is_some();
        let go = is_checked.then(|| self.go_version()).flatten()?;
        let has_get = at_least(LAST_WITH_GET, go.get(..2)?);
        let (what, fix) = match has_get {
            true if self.has_sources_of_dep() => return None,
            true => ("needs the network".to_owned(), "kata-ci run --network on"),
            false => (format!("go {} no longer does there", dotted(&go)), WITH_GET),
        };
        Some(RequirementProblem::unmet(
            format!("kata's {SCRIPT} runs `{GETS_DEP}/cmd/dep`, which {what}"),
            fix,
        ))
    }

    /// Returns true if `go get` would only build what an earlier one brought.
    fn has_sources_of_dep(&self) -> bool {
        let sources = "src/github.com/golang/dep/cmd/dep";
        gopath(self.environment).is_some_and(|gopath| gopath.join(sources).is_dir())
    }

    fn go_version(&self) -> Option<Vec<u32>> {
        let go = self.environment.find_program("go")?;
        version_in(&version("go", &go, self.directory, self.environment).ok()?)
    }

    fn comes_to(&self, when: Use, environment: &Environment) -> bool {
        let exists = |name: &str| self.directory.join(name).exists();
        match when {
            Use::Always => true,
            Use::Go => !is_rust(environment) && !exists("Cargo.toml"),
            Use::Changed(ends) => (self.changed_files.into_iter().flatten())
                .any(|file| ends.iter().any(|end| file.ends_with(end))),
        }
    }

    /// Returns the commands that install the programs, for pasting.
    fn installation(&self, missing: &[&Tool], environment: &Environment) -> String {
        let bin = self.go_bin.and_then(Path::to_str);
        let mut commands: Vec<_> = (missing.iter())
            .filter(|tool| tool.package.is_none())
            .filter_map(|tool| go_install(tool.name, bin))
            .collect();
        let packages: Vec<_> = missing.iter().filter_map(|tool| tool.package).collect();
        if !packages.is_empty() {
            commands.push(self.package_command(&packages.join(" "), environment));
        }
        commands.join(" && ")
    }

    fn package_command(&self, packages: &str, environment: &Environment) -> String {
        let sudo = match self.machine.is_root() {
            true => "",
            false => "sudo ",
        };
        let managers = ["apt-get", "dnf", "zypper"];
        let found = (managers.iter()).find(|name| environment.find_program(name).is_some());
        match found {
            Some(manager) => format!("{sudo}{manager} install -y {packages}"),
            None => format!("install {packages}"),
        }
    }
}

/// Returns true if the script checks a component in Rust.
fn is_rust(environment: &Environment) -> bool {
    environment.get("RUST_AGENT").is_some_and(|it| it == "yes")
}
