//! Checks programs and their versions, and make with its Makefile.
use std::path::Path;
use std::time::Duration;

use super::go_toolchain::GoQuery;
use super::{Preflight, RequirementProblem};
use crate::config::{NetworkPolicy, Step};
use crate::env::Environment;
use crate::model::Command;
use crate::probe::{Probe, at_least, dotted, quoted, version_in};
use crate::workspace::fs::has_makefile;
use crate::workspace::packages::offline;
use crate::workspace::toolchain::{self, MissingToolchain};

/// The time limit of a version query, which takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(20);

impl Preflight<'_> {
    pub(super) fn program(&self, name: &str, least: Option<&[u32]>) -> Option<RequirementProblem> {
        let Some(path) = self.environment.find_program(name) else {
            return Some(RequirementProblem::unmet(
                format!("{name} is not on PATH"),
                format!("install {}, and put it on PATH", product(name, least)),
            ));
        };
        if name == "cargo"
            && let Some(toolchain) = toolchain::missing(&path, self.directory, self.environment)
        {
            return Some(not_installed_rust(&toolchain));
        }
        let go = (name == "go").then(|| self.go(&path));
        if let Some(toolchain) = go.as_ref().and_then(GoQuery::named_missing) {
            return Some(not_installed_go(&toolchain));
        }
        // A program that exists is not started without a reason.
        if least.is_none() && !["go", "cargo"].contains(&name) {
            return None;
        }
        // A program that the tree provides is started only by its jobs, which will report its
        // problems.
        if name != "go" && toolchain::is_named_by_path(self.directory, self.environment) {
            return None;
        }
        let told = match version(name, &path, self.directory, self.environment) {
            Ok(text) => text,
            Err(reason) => return Some(self.does_not_start(name, least, &path, &reason)),
        };
        let found = version_in(&told);
        let asked = go.zip(found.as_deref());
        if let Some(toolchain) = asked.and_then(|(go, version)| go.missing(version)) {
            return Some(not_installed_go(&toolchain));
        }
        let least = least?;
        // A go built from its sources is newer than any release that could be required.
        let development = found.is_none() && told.contains("devel");
        if development || found.as_deref().is_some_and(|found| at_least(found, least)) {
            return None;
        }
        let found = found.map_or_else(|| format!("`{}`", told.trim()), |found| dotted(&found));
        Some(RequirementProblem::unmet(
            format!(
                "{name} is {found} ({}), {} or newer is needed",
                path.display(),
                dotted(least)
            ),
            format!(
                "install {}, and put it first on PATH",
                product(name, Some(least))
            ),
        ))
    }

    fn go<'a>(&'a self, program: &'a Path) -> GoQuery<'a> {
        let has_network =
            |step: &&Step| self.component.network.unwrap_or(step.network) == NetworkPolicy::On;
        GoQuery {
            directory: self.directory,
            environment: self.environment,
            program,
            can_download: self.steps.iter().any(has_network),
        }
    }

    fn does_not_start(
        &self,
        name: &str,
        least: Option<&[u32]>,
        path: &Path,
        reason: &str,
    ) -> RequirementProblem {
        let fix = match name {
            "cargo" => format!(
                "install the toolchain that is asked for there (`cd {} && rustup toolchain install`), or set RUSTUP_TOOLCHAIN in [env]",
                quoted(self.directory)
            ),
            name => format!("install {}", product(name, least)),
        };
        RequirementProblem::unmet(
            format!(
                "{name} ({}) does not tell its version in {}: {reason}",
                path.display(),
                self.directory.display()
            ),
            fix,
        )
    }

    /// Checks make and its Makefile, which no component requires by name.
    pub(super) fn make(&self) -> Vec<RequirementProblem> {
        let Some(words) = self.steps.iter().find_map(|step| plain_make(&step.command)) else {
            return Vec::new();
        };
        let program = self.environment.find_program(words).is_none().then(|| {
            RequirementProblem::broken(
                format!("{words} is not on PATH"),
                "install GNU make, and put it on PATH",
            )
        });
        let makefile = (!has_makefile(self.directory)).then(|| {
            RequirementProblem::broken(
                format!("there is no Makefile in {}", self.directory.display()),
                format!("see that {} is a complete checkout", quoted(self.directory)),
            )
        });
        program.into_iter().chain(makefile).collect()
    }
}

/// The finding is the same for all components, so that it is reported once.
fn not_installed_rust(toolchain: &MissingToolchain) -> RequirementProblem {
    let command = format!(
        "rustup toolchain install {}",
        quoted(Path::new(&toolchain.name))
    );
    not_installed("Rust", &toolchain.name, toolchain.asked_by, command)
}

/// Like that of Rust. The toolchain is downloaded once, by name, and then used by name.
fn not_installed_go(toolchain: &MissingToolchain) -> RequirementProblem {
    let set = format!("GOTOOLCHAIN={}", quoted(Path::new(&toolchain.name)));
    let version = toolchain.name.trim_start_matches("go");
    let command = format!("{set} go version && export {set}");
    not_installed("Go", version, toolchain.asked_by, command)
}

fn not_installed(
    language: &str,
    version: &str,
    asked_by: &str,
    command: String,
) -> RequirementProblem {
    RequirementProblem::unmet(
        format!("{language} {version}, which {asked_by} asks for, is not installed"),
        command,
    )
}

/// Returns the make of a command that reads the Makefile of the directory it runs in.
fn plain_make(command: &Command) -> Option<&str> {
    let Command::Run(words) = command else {
        return None;
    };
    let (program, arguments) = words.split_first()?;
    let elsewhere = arguments.iter().any(|word| {
        ["-f", "--file", "--makefile", "-C", "--directory"]
            .iter()
            .any(|option| word.starts_with(option))
    });
    (Path::new(program).ends_with("make") && !elsewhere).then_some(program)
}

/// Asks a program for its version; go has a subcommand instead of an option.
pub(super) fn version(
    name: &str,
    path: &Path,
    directory: &Path,
    environment: &Environment,
) -> Result<String, String> {
    let environment = offline(environment, directory);
    let probe = Probe {
        program: path,
        arguments: vec![if name == "go" { "version" } else { "--version" }.into()],
        directory,
        environment: &environment,
        deadline: DEADLINE,
    };
    let answer = probe.run().map_err(|error| error.to_string())?;
    if !answer.status.success() {
        return Err(format!("{} ({})", answer.complaint(), answer.status));
    }
    let text = if answer.output.is_empty() {
        answer.errors
    } else {
        answer.output
    };
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn product(name: &str, least: Option<&[u32]>) -> String {
    let product = match name {
        "go" => "Go",
        "cargo" => "Rust with cargo",
        other => other,
    };
    match least {
        Some(version) => format!("{product} {} or newer", dotted(version)),
        None => product.to_owned(),
    }
}
