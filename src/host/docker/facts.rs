//! The facts about docker on a host: its version, unit, flags and `daemon.json`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command_line::{CommandLine, Flag};
use super::daemon_json::{DaemonJson, DaemonJsonError};
use super::unit::{DockerUnit, UnitError};
use crate::env::Environment;
use crate::host::root::HostRoot;
use crate::probe::{Probe, version_in};

/// The file that docker reads unless a flag names another one.
pub const DAEMON_JSON: &str = "/etc/docker/daemon.json";
/// The time limit of a question to a program.
const DEADLINE: Duration = Duration::from_secs(20);
/// Packages that hold dockerd.
const PACKAGES: [&str; 3] = ["docker-ce", "docker.io", "moby-engine"];

/// Docker on a host.
#[derive(Debug)]
pub struct DockerFacts {
    /// The version, if it is known.
    pub version: Option<Vec<u32>>,
    /// The unit with its drop-ins.
    pub unit: DockerUnit,
    /// The command in force, `None` without a unit; or the reason why systemd finds none.
    pub command: Result<Option<CommandLine>, String>,
    /// The path of `daemon.json` on the host.
    pub daemon_json: PathBuf,
    /// The bytes of `daemon.json`, if there is one.
    pub bytes: Option<Vec<u8>>,
}

impl DockerFacts {
    /// Gathers the facts. A version or file that is given is not looked for.
    ///
    /// # Errors
    /// When the unit or `daemon.json` cannot be read.
    pub fn of(
        root: &HostRoot,
        environment: &Environment,
        version: Option<&str>,
        daemon_json: Option<&Path>,
    ) -> Result<Self, UnitError> {
        let unit = match in_force(root, environment) {
            Some(paths) => DockerUnit::of_files(root, paths)?,
            None => DockerUnit::read(root)?,
        };
        let command = command(root, &unit);
        let mut facts = Self {
            version: version.and_then(|text| version_in(&dotted_text(text))),
            unit,
            command,
            daemon_json: PathBuf::new(),
            bytes: None,
        };
        if version.is_none() {
            facts.version = facts.ask_version(root, environment);
        }
        let named = facts
            .flag("config-file")
            .map(|flag| PathBuf::from(flag.value));
        let named = daemon_json.map(Path::to_owned).or(named);
        facts.daemon_json = named.unwrap_or_else(|| DAEMON_JSON.into());
        facts.bytes = root
            .read(&facts.daemon_json)
            .map_err(|error| UnitError::Read {
                path: facts.daemon_json.clone(),
                error,
            })?;
        Ok(facts)
    }

    /// Returns the command in force, if there is one.
    pub fn command_line(&self) -> Option<&CommandLine> {
        self.command.as_ref().ok()?.as_ref()
    }

    /// Returns the flags of the command in force.
    pub fn flags(&self) -> Vec<Flag> {
        self.command_line()
            .map(CommandLine::flags)
            .unwrap_or_default()
    }

    /// Returns the last flag of this name.
    pub fn flag(&self, name: &str) -> Option<Flag> {
        let mut flags = self.flags().into_iter();
        flags.rfind(|flag| flag.name == name)
    }

    /// Returns `daemon.json` as docker reads it. One that is not there counts as empty.
    ///
    /// # Errors
    /// When it cannot be edited.
    pub fn parsed(&self) -> Result<DaemonJson, DaemonJsonError> {
        DaemonJson::parse(self.bytes.as_deref().unwrap_or_default())
    }

    fn ask_version(&self, root: &HostRoot, environment: &Environment) -> Option<Vec<u32>> {
        if !root.is_this_machine() {
            return package_version(root);
        }
        let named = self
            .command_line()
            .map(|command| PathBuf::from(command.program()));
        let program = (named.filter(|path| path.is_absolute() && path.is_file()))
            .or_else(|| environment.find_program("dockerd"))?;
        let answer = output(&program, &["--version"], environment)?;
        version_in(&answer)
    }
}

fn command(root: &HostRoot, unit: &DockerUnit) -> Result<Option<CommandLine>, String> {
    let said = |error: UnitError| error.to_string();
    let Some(command) = unit.exec_start().map_err(said)? else {
        return Ok(None);
    };
    let line = CommandLine::of(command, unit.variables(root).map_err(said)?);
    line.map(Some).map_err(|error| error.to_string())
}

/// Makes `24` a version with a dot.
fn dotted_text(text: &str) -> String {
    match text.contains('.') {
        true => text.to_owned(),
        false => format!("{text}.0"),
    }
}

fn output(program: &Path, arguments: &[&str], environment: &Environment) -> Option<String> {
    let probe = Probe {
        program,
        arguments: arguments.iter().map(Into::into).collect(),
        directory: Path::new("/"),
        environment,
        deadline: DEADLINE,
    };
    let answer = probe.run().ok()?;
    (answer.status.success()).then(|| String::from_utf8_lossy(&answer.output).into_owned())
}

/// Asks systemd for the files of the unit in force. `None` where it does not run.
fn in_force(root: &HostRoot, environment: &Environment) -> Option<Vec<PathBuf>> {
    if !root.is_this_machine() || !root.has(Path::new("/run/systemd/system")) {
        return None;
    }
    let systemctl = environment.find_program("systemctl")?;
    let arguments = [
        "show",
        "--property=FragmentPath,DropInPaths",
        "docker.service",
    ];
    files_shown(&output(&systemctl, &arguments, environment)?)
}

/// Reads `systemctl show`: the unit, then its drop-ins.
fn files_shown(text: &str) -> Option<Vec<PathBuf>> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let unit = value("FragmentPath=").filter(|path| !path.is_empty())?;
    let drop_ins = value("DropInPaths=").unwrap_or_default().split_whitespace();
    Some(
        std::iter::once(unit)
            .chain(drop_ins)
            .map(PathBuf::from)
            .collect(),
    )
}

/// Returns the version of the installed Debian package.
fn package_version(root: &HostRoot) -> Option<Vec<u32>> {
    let bytes = crate::fs::read(
        &root.resolve(Path::new("/var/lib/dpkg/status")).ok()?,
        256 << 20,
    );
    let text = String::from_utf8_lossy(&bytes.ok()?).into_owned();
    let paragraphs = text
        .split("\n\n")
        .filter(|one| one.contains("\nStatus: install ok installed"));
    let field = |paragraph: &str, name: &str| {
        let mut lines = paragraph.lines();
        lines.find_map(|line| line.strip_prefix(name).map(str::to_owned))
    };
    let mut found = paragraphs.filter_map(|paragraph| {
        let name = field(paragraph, "Package: ")?;
        let version = field(paragraph, "Version: ")?;
        PACKAGES.contains(&name.as_str()).then_some(version)
    });
    let version = found.next()?;
    // 5:24.0.7-1~debian: the epoch is no part of docker's own version.
    version_in(
        version
            .split_once(':')
            .map_or(&version, |(_, version)| version),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_names_the_files_in_force() {
        let text = "FragmentPath=/lib/systemd/system/docker.service\nDropInPaths=/etc/a.conf /run/b.conf\n";
        let paths = files_shown(text).unwrap();
        assert_eq!(
            paths,
            [
                "/lib/systemd/system/docker.service",
                "/etc/a.conf",
                "/run/b.conf"
            ]
            .map(PathBuf::from)
        );
        assert_eq!(files_shown("FragmentPath=\nDropInPaths=\n"), None);
    }

    #[test]
    fn the_version_of_another_root_is_that_of_its_package() {
        let place = tempfile::tempdir().unwrap();
        let root = HostRoot::of(place.path()).unwrap();
        let status = place.path().join("var/lib/dpkg");
        std::fs::create_dir_all(&status).unwrap();
        let text = "Package: docker.io\nStatus: deinstall ok config-files\nVersion: 1.0\n\nPackage: docker-ce\nStatus: install ok installed\nVersion: 5:24.0.7-1~debian.12~bookworm\n";
        std::fs::write(status.join("status"), text).unwrap();
        let none = Environment::default();
        let version =
            |said: Option<&str>| DockerFacts::of(&root, &none, said, None).unwrap().version;
        assert_eq!(version(None), Some(vec![24, 0, 7]));
        assert_eq!(version(Some("26")), Some(vec![26, 0]));
    }
}
