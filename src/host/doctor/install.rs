//! `doctor --install`: gets the programs of `[tools]` by the package managers that have them, into
//! directories of kata-ci's own. Nothing of the system is changed.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::check::{Check, Checks, Purpose};
use super::host::Host;
use crate::config::tools::COMPLETE;
use crate::config::{Tool, ToolSource};
use crate::env::Environment;
use crate::probe::Probe;
use crate::run::{RunRequest, pipeline};
use crate::say;

/// The time limit of a command, which may build a large program.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// The most letters of a line of a complaint: pip lists all versions that there are.
const LONGEST_LINE: usize = 160;

/// Installs what the pipeline lists, and says what became of each program.
pub(super) fn install(host: &Host<'_>, request: &RunRequest, purposes: &[Purpose]) -> Vec<Check> {
    let mut checks = Checks::of("install", purposes);
    let asked = request.pipeline.as_deref();
    let tools = match pipeline::anywhere(asked, &request.directory, &request.environment) {
        Ok(pipeline) => pipeline.tools,
        Err(error) => {
            let what = format!(
                "nothing was installed: {}",
                error.to_string().replace('\n', " / ")
            );
            checks.unasked("install", what);
            return checks.done();
        }
    };
    if tools.is_empty() {
        checks.can(
            "install",
            "the pipeline lists no program in [tools]: nothing was installed",
        );
    }
    for (program, tool) in &tools {
        one(host, program, tool, &request.environment, &mut checks);
    }
    checks.done()
}

fn one(host: &Host<'_>, program: &str, tool: &Tool, user: &Environment, checks: &mut Checks) {
    let Some(directory) = tool.directory(program, user) else {
        let what =
            format!("{program} ({tool}) has no place: neither HOME nor XDG_STATE_HOME is set");
        return checks.cannot("install", what, "export HOME=/root");
    };
    if Tool::is_installed(&directory) {
        return checks.can(
            "install",
            format!("{program} ({tool}) is in {}", directory.display()),
        );
    }
    let (manager, debian, fedora) = manager(tool.source);
    if host.ask.program(manager).is_none() {
        let what = format!("{program} ({tool}) cannot be had: {manager} is not on PATH");
        return checks.cannot("install", what, host.install(debian, fedora));
    }
    say::aside(format!("installing {program} ({tool})"));
    let installation = Installation {
        program,
        tool,
        directory: &directory,
        environment: user,
    };
    match installation.carry_out() {
        Ok(()) => checks.can(
            "install",
            format!(
                "{program} ({tool}) was installed into {}",
                directory.display()
            ),
        ),
        Err(reason) => {
            let what = format!("{program} ({tool}) cannot be had: {reason}");
            match host.ask.program(program) {
                Some(path) => checks.note(
                    "install",
                    format!("{} is used: {what}", path.display()),
                    installation.command(),
                ),
                None => checks.cannot("install", what, installation.command()),
            }
        }
    }
}

/// Returns the program of a package manager, and its packages at Debian and Fedora.
fn manager(source: ToolSource) -> (&'static str, &'static str, &'static str) {
    match source {
        ToolSource::Go => ("go", "golang-go", "golang"),
        ToolSource::Cargo => ("cargo", "cargo", "cargo"),
        ToolSource::Pip => ("python3", "python3-venv", "python3"),
        ToolSource::Apt => ("apt-get", "apt", "apt"),
    }
}

/// One program on its way into its directory.
struct Installation<'a> {
    program: &'a str,
    tool: &'a Tool,
    directory: &'a Path,
    environment: &'a Environment,
}

impl Installation<'_> {
    /// Makes the directory. It counts from its last file on; what an earlier call left is removed.
    fn carry_out(&self) -> Result<(), String> {
        let parent = self.directory.parent().ok_or("it has no place")?;
        fs::create_dir_all(parent).map_err(|error| of(parent, &error))?;
        let lock = parent.join("lock");
        let lock = File::create(&lock).map_err(|error| of(&lock, &error))?;
        lock.lock()
            .map_err(|error| format!("the lock of the directory: {error}"))?;
        if Tool::is_installed(self.directory) {
            return Ok(());
        }
        self.clear();
        let made = self.make();
        if made.is_err() {
            self.clear();
        }
        made
    }

    fn make(&self) -> Result<(), String> {
        let bin = self.directory.join("bin");
        fs::create_dir_all(&bin).map_err(|error| of(&bin, &error))?;
        match self.tool.source {
            ToolSource::Go => self.go(&bin)?,
            ToolSource::Cargo => self.cargo()?,
            ToolSource::Pip => self.pip(&bin)?,
            ToolSource::Apt => self.apt(&bin)?,
        }
        let program = bin.join(self.program);
        if !program.exists() {
            return Err(format!("{} has no program {}", self.tool, self.program));
        }
        let complete = self.directory.join(COMPLETE);
        fs::write(&complete, format!("{}\n", self.tool)).map_err(|error| of(&complete, &error))
    }

    /// Removes what there is; a half of it never counts.
    fn clear(&self) {
        let _ = fs::remove_dir_all(self.directory);
    }

    /// Returns the command that a person would type.
    fn command(&self) -> String {
        let (package, version) = (
            &self.tool.package,
            self.tool.version.as_deref().unwrap_or_default(),
        );
        let at = crate::probe::quoted(self.directory);
        match self.tool.source {
            ToolSource::Go => {
                format!("GOBIN={at}/bin GO111MODULE=on go install {package}@{version}")
            }
            ToolSource::Cargo => {
                format!("cargo install --locked --root {at} --version {version} {package}")
            }
            ToolSource::Pip => format!(
                "python3 -m venv {at}/venv && {at}/venv/bin/pip install {package}=={version}"
            ),
            ToolSource::Apt => format!("apt-get download {}", self.debian()),
        }
    }

    fn debian(&self) -> String {
        match &self.tool.version {
            Some(version) => format!("{}={version}", self.tool.package),
            None => self.tool.package.clone(),
        }
    }

    fn go(&self, bin: &Path) -> Result<(), String> {
        let mut environment = self.environment.clone();
        environment.set("GOBIN", bin);
        environment.set("GO111MODULE", "on");
        // The user's flags, such as -mod=vendor, are for other modules. An empty value would leave
        // those of `go env -w`.
        environment.set("GOFLAGS", "-mod=mod");
        let version = self.tool.version.as_deref().unwrap_or_default();
        let package = format!("{}@{version}", self.tool.package);
        run("go", &["install", &package], Path::new("/"), &environment).map(drop)
    }

    fn cargo(&self) -> Result<(), String> {
        let version = self.tool.version.as_deref().unwrap_or_default();
        let root = self.directory.to_string_lossy();
        let arguments = [
            "install",
            "--locked",
            "--quiet",
            "--root",
            &root,
            "--version",
            version,
            &self.tool.package,
        ];
        run("cargo", &arguments, Path::new("/"), self.environment).map(drop)
    }

    fn pip(&self, bin: &Path) -> Result<(), String> {
        let own = self.directory.join("venv");
        let venv = own.to_string_lossy();
        run(
            "python3",
            &["-m", "venv", &venv],
            Path::new("/"),
            self.environment,
        )?;
        let python = own.join("bin/python3").to_string_lossy().into_owned();
        let version = self.tool.version.as_deref().unwrap_or_default();
        let package = format!("{}=={version}", self.tool.package);
        let arguments = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            &package,
        ];
        run(&python, &arguments, Path::new("/"), self.environment)?;
        let program = own.join("bin").join(self.program);
        match program.exists() {
            true => symlink(&program, bin.join(self.program)).map_err(|error| of(bin, &error)),
            false => Ok(()),
        }
    }

    /// Unpacks a package with those that it needs and that are not installed.
    fn apt(&self, bin: &Path) -> Result<(), String> {
        let package = self.debian();
        let plan = [
            "install",
            "--simulate",
            "--no-install-recommends",
            "--reinstall",
            &package,
        ];
        let plan = run("apt-get", &plan, Path::new("/"), self.environment)?;
        let wanted = packages(&plan);
        if wanted.is_empty() {
            return Err("apt-get would install nothing".to_owned());
        }
        let (debs, root) = (self.directory.join("debs"), self.directory.join("root"));
        for directory in [&debs, &root] {
            fs::create_dir_all(directory).map_err(|error| of(directory, &error))?;
        }
        let mut arguments = vec!["download", "--quiet"];
        arguments.extend(wanted.iter().map(String::as_str));
        run("apt-get", &arguments, &debs, self.environment)?;
        let entries = fs::read_dir(&debs).map_err(|error| of(&debs, &error))?;
        for entry in entries.flatten() {
            let file = entry.path().to_string_lossy().into_owned();
            let root = root.to_string_lossy();
            run(
                "dpkg-deb",
                &["--extract", &file, &root],
                &debs,
                self.environment,
            )?;
        }
        let _ = fs::remove_dir_all(&debs);
        let places = ["usr/bin", "usr/sbin", "bin", "sbin", "usr/games"];
        let mut found = places
            .iter()
            .map(|place| root.join(place).join(self.program));
        let Some(program) = found.find(|path| path.exists()) else {
            return Ok(());
        };
        wrap(&program, &root, &bin.join(self.program)).map_err(|error| of(bin, &error))
    }
}

/// Writes a script that starts a program with the libraries that were unpacked beside it.
fn wrap(program: &Path, root: &Path, script: &Path) -> std::io::Result<()> {
    let machine = format!("{}-linux-gnu", std::env::consts::ARCH);
    let libraries: Vec<_> = ["usr/lib", "lib"]
        .iter()
        .flat_map(|place| [root.join(place).join(&machine), root.join(place)])
        .filter(|place| place.is_dir())
        .map(|place| place.to_string_lossy().into_owned())
        .collect();
    let (libraries, program) = (libraries.join(":"), crate::probe::quoted(program));
    let text = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH={}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}} exec {program} \"$@\"\n",
        crate::probe::quoted(libraries.as_ref())
    );
    fs::write(script, text)?;
    fs::set_permissions(script, fs::Permissions::from_mode(0o755))
}

/// Returns the packages that `apt-get --simulate` would install, with their versions.
fn packages(plan: &str) -> Vec<String> {
    let package = |line: &str| {
        let mut words = line.strip_prefix("Inst ")?.split_whitespace();
        let name = words.next()?.to_owned();
        // `[1.0]` is the version that is there.
        let version = words.find_map(|word| word.strip_prefix('('))?;
        Some(format!("{name}={version}"))
    };
    plan.lines().filter_map(package).collect()
}

fn of(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Runs a command and returns its output, or the reason why it failed.
fn run(
    program: &str,
    arguments: &[&str],
    directory: &Path,
    environment: &Environment,
) -> Result<String, String> {
    let mut environment = environment.clone();
    environment.set("LC_ALL", "C");
    let path: PathBuf = match program.starts_with('/') {
        true => program.into(),
        false => environment
            .find_program(program)
            .ok_or_else(|| format!("{program} is not on PATH"))?,
    };
    let probe = Probe {
        program: &path,
        arguments: arguments.iter().map(Into::into).collect(),
        directory,
        environment: &environment,
        deadline: PATIENCE,
    };
    let answer = probe.run().map_err(|error| error.to_string())?;
    match answer.status.success() {
        true => Ok(String::from_utf8_lossy(&answer.output).into_owned()),
        false => Err(format!(
            "`{}`: {} ({})",
            probe.command(),
            complaint(&String::from_utf8_lossy(&answer.errors)),
            answer.status
        )),
    }
}

/// Returns the last lines of what a package manager complains of; the first ones tell its progress.
fn complaint(errors: &str) -> String {
    let is_progress = |line: &str| line.is_empty() || line.starts_with("go: downloading");
    let lines = errors.lines().map(str::trim);
    let mut lines: Vec<_> = (lines.filter(|line| !is_progress(line)))
        .map(|line| match line.char_indices().nth(LONGEST_LINE) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line.to_owned(),
        })
        .collect();
    lines.drain(..lines.len().saturating_sub(2));
    lines.join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_of_apt_has_packages_with_versions() {
        let plan = "Reading package lists...\nInst libjq1 (1.6-2.1 Debian:12 [amd64])\nInst jq [1.5] (1.6-2.1 Debian:12 [amd64])\nConf jq (1.6-2.1)\n";
        assert_eq!(packages(plan), ["libjq1=1.6-2.1", "jq=1.6-2.1"]);
    }

    #[test]
    fn a_complaint_is_told_by_its_end() {
        let errors =
            "go: downloading x v1\ngo: finding x\n\n x.go:1: y\n\tserver response: gone.\n";
        assert_eq!(complaint(errors), "x.go:1: y / server response: gone.");
        let long = complaint(&format!("ERROR: é{}", "1.0, ".repeat(900)));
        assert!(long.chars().count() == LONGEST_LINE + 1 && long.ends_with('…'));
        assert_eq!(complaint(""), "");
    }
}
