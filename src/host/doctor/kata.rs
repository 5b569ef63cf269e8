//! The kata of a host: its programs, and the configuration that it reads.

use toml::{Table, Value};

use super::check::{Check, Checks, Purpose};
use super::host::{Asked, Host, Said};
use crate::probe::{dotted, quoted, version_in};

pub(super) const PURPOSES: &[Purpose] = &[Purpose::Run];

/// The places of kata's programs.
const DIRECTORIES: [&str; 4] = [
    "/usr/bin",
    "/usr/local/bin",
    "/opt/kata/bin",
    "/opt/kata/runtime-rs/bin",
];
const SHIM: &str = "containerd-shim-kata-v2";
const RUNTIME: &str = "kata-runtime";

/// The places of the configuration, in the order in which they count.
const CONFIGURATIONS: [&str; 3] = [
    "/etc/kata-containers",
    "/usr/share/defaults/kata-containers",
    "/opt/kata/share/defaults/kata-containers",
];

/// Keys of a hypervisor that are paths, and what they are.
const PATHS: [(&str, &str); 5] = [
    ("path", "the hypervisor"),
    ("kernel", "the guest's kernel"),
    ("image", "the guest's image"),
    ("initrd", "the guest's initrd"),
    ("virtio_fs_daemon", "the daemon that shares files"),
];

/// A program of kata.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// The path.
    pub path: String,
    /// The answer to `--version`.
    told: Asked<Option<Said>>,
}

impl Program {
    /// Returns the version.
    pub fn version(&self) -> Option<Vec<u32>> {
        let said = self.told.as_ref().ok()?.as_ref()?;
        version_in(&said.output.replace([',', ':'], " "))
    }

    /// Returns true for a shim of containerd.
    pub fn is_shim(&self) -> bool {
        self.path.ends_with(SHIM)
    }

    fn is_rust(&self) -> bool {
        let said = self.told.as_ref().ok().and_then(Option::as_ref);
        said.is_some_and(|said| said.output.contains("(Rust)"))
    }
}

/// A configuration file.
#[derive(Debug, Clone)]
struct Configuration {
    path: String,
    text: Asked<String>,
}

/// Kata on a host.
#[derive(Debug, Default)]
pub(super) struct Kata {
    /// Its programs.
    pub programs: Vec<Program>,
    /// The configuration files that are there, in the order in which they count.
    files: Vec<Configuration>,
    /// The drop-ins beside the first one.
    drop_ins: Vec<Configuration>,
}

impl Kata {
    /// Looks for kata.
    pub fn of(host: &Host<'_>) -> Self {
        let paths = DIRECTORIES
            .iter()
            .flat_map(|directory| [RUNTIME, SHIM].map(|name| format!("{directory}/{name}")));
        let programs: Vec<_> = (paths.filter(|path| host.files.has(path)))
            .map(|path| Program {
                told: host.say(&path, &["--version"]),
                path,
            })
            .collect();
        let is_rust = programs.iter().any(Program::is_rust)
            && !programs.iter().any(|one| one.is_shim() && !one.is_rust());
        let below = match is_rust {
            true => "/runtime-rs/configuration.toml",
            false => "/configuration.toml",
        };
        let places = CONFIGURATIONS.map(|directory| format!("{directory}{below}"));
        let files: Vec<_> = places
            .into_iter()
            .filter_map(|path| Configuration::of(host, path))
            .collect();
        let beside = files
            .first()
            .map(|file| file.path.replace("/configuration.toml", "/config.d"));
        let drop_ins = beside.and_then(|directory| host.files.files(&directory, ".toml").ok());
        let drop_ins = drop_ins.unwrap_or_default().into_iter();
        Self {
            drop_ins: drop_ins
                .filter_map(|path| Configuration::of(host, path))
                .collect(),
            programs,
            files,
        }
    }

    /// Returns true if nothing of kata is there.
    pub fn is_absent(&self) -> bool {
        self.programs.is_empty()
    }

    /// Returns true for kata 1, whose `kata-runtime` is a runtime itself.
    pub fn is_first(&self) -> bool {
        let version = |one: &Program| one.version()?.first().copied();
        self.programs
            .iter()
            .any(|one| !one.is_shim() && version(one) == Some(1))
    }

    /// Returns the configuration in force: the first file, with its drop-ins over it.
    fn table(&self) -> Option<Table> {
        let parsed = |file: &Configuration| file.text.as_ref().ok()?.parse::<Table>().ok();
        let mut table = parsed(self.files.first()?)?;
        for drop_in in self.drop_ins.iter().filter_map(parsed) {
            merge(&mut table, drop_in);
        }
        Some(table)
    }

    /// Returns the name of the hypervisor.
    pub fn hypervisor(&self) -> Option<&'static str> {
        const KNOWN: [&str; 8] = [
            "qemu",
            "clh",
            "cloud-hypervisor",
            "firecracker",
            "dragonball",
            "stratovirt",
            "acrn",
            "remote",
        ];
        let table = self.table()?;
        let named = table.get("hypervisor")?.as_table()?;
        KNOWN.into_iter().find(|name| named.contains_key(*name))
    }

    fn setting(&self, key: &str) -> Option<String> {
        let table = self.table()?;
        let value = table.get("hypervisor")?.get(self.hypervisor()?)?.get(key)?;
        value
            .as_str()
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    }

    /// Returns the path of the hypervisor.
    pub fn hypervisor_path(&self) -> Option<String> {
        self.setting("path")
    }

    /// Returns the machine type that the hypervisor is asked for.
    pub fn machine_type(&self) -> String {
        let usual = match std::env::consts::ARCH {
            "x86_64" => "q35",
            "s390x" => "s390-ccw-virtio",
            "powerpc64" => "pseries",
            _ => "virt",
        };
        self.setting("machine_type")
            .unwrap_or_else(|| usual.to_owned())
    }

    /// Returns the guest's kernel of the configuration.
    pub fn kernel(&self) -> Option<String> {
        self.setting("kernel")
    }
}

impl Configuration {
    fn of(host: &Host<'_>, path: String) -> Option<Self> {
        let text = host.files.text(&path).transpose()?;
        Some(Self { path, text })
    }
}

fn merge(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("kata", PURPOSES);
    let kata = Kata::of(host);
    programs(&kata, &mut checks);
    if !kata.is_absent() {
        configuration(host, &kata, &mut checks);
    }
    checks.done()
}

fn programs(kata: &Kata, checks: &mut Checks) {
    if kata.is_absent() {
        checks.cannot(
            "programs",
            format!("kata is not installed: neither {RUNTIME} nor {SHIM} is in {}", DIRECTORIES.join(", ")),
            "git clone https://github.com/kata-containers/kata-containers && make -C kata-containers/src/runtime && sudo make -C kata-containers/src/runtime install",
        );
    }
    for program in &kata.programs {
        let path = &program.path;
        match (&program.told, program.version()) {
            (Err(unasked), _) => checks.unasked("programs", &unasked.0),
            (Ok(None), _) => checks.unasked("programs", format!("{path} cannot be started")),
            (Ok(Some(_)), Some(version)) => {
                let kind = match (program.is_shim(), program.is_rust(), version[0]) {
                    (true, true, _) => ", a shim in Rust (runtime-rs)",
                    (true, ..) => ", a shim",
                    (false, _, 1) => ", a runtime",
                    _ => ", a helper and no runtime",
                };
                checks.can(
                    "programs",
                    format!("{path} is kata {}{kind}", dotted(&version)),
                );
            }
            (Ok(Some(said)), None) => checks.cannot(
                "programs",
                format!(
                    "{path} does not tell its version: {}{}",
                    said.output.trim(),
                    said.complaint
                ),
                format!("{} --version", quoted(path.as_ref())),
            ),
        }
    }
}

fn configuration(host: &Host<'_>, kata: &Kata, checks: &mut Checks) {
    let Some(first) = kata.files.first() else {
        let fix = host.as_root("sh -c 'mkdir -p /etc/kata-containers && cp /opt/kata/share/defaults/kata-containers/configuration-qemu.toml /etc/kata-containers/configuration.toml'");
        checks.cannot(
            "configuration",
            format!(
                "kata has no configuration: there is none in {}",
                CONFIGURATIONS.join(", ")
            ),
            fix,
        );
        return;
    };
    let mut is_whole = true;
    for file in std::iter::once(first).chain(&kata.drop_ins) {
        is_whole &= is_toml(file, checks);
    }
    if !is_whole {
        return;
    }
    let hidden: Vec<_> = kata.files[1..]
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    let hidden = match hidden.as_slice() {
        [] => String::new(),
        hidden => format!(", which hides {}", hidden.join(" and ")),
    };
    checks.can(
        "configuration",
        format!("kata reads {}{hidden}", first.path),
    );
    for drop_in in &kata.drop_ins {
        checks.can("drop-in", format!("{} is laid over it", drop_in.path));
    }
    of_first_kata(kata, &first.path, checks);
    match kata.hypervisor() {
        None => checks.cannot(
            "hypervisor",
            format!(
                "{} names no hypervisor ([hypervisor.qemu], say)",
                first.path
            ),
            format!("grep -n '^\\[' {}", quoted(first.path.as_ref())),
        ),
        Some(_) => paths(host, kata, &first.path, checks),
    }
}

fn is_toml(file: &Configuration, checks: &mut Checks) -> bool {
    let text = match &file.text {
        Ok(text) => text,
        Err(unasked) => {
            checks.unasked("configuration", &unasked.0);
            return false;
        }
    };
    let Err(error) = text.parse::<Table>() else {
        return true;
    };
    let before = error
        .span()
        .and_then(|span| text.get(..span.start))
        .unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    checks.cannot(
        "syntax",
        format!(
            "{}, line {line}: {}",
            file.path,
            error.message().lines().next().unwrap_or_default()
        ),
        format!("${{EDITOR:-vi}} +{line} {}", quoted(file.path.as_ref())),
    );
    false
}

/// Says that the configuration of kata 1 is left for a later kata.
fn of_first_kata(kata: &Kata, path: &str, checks: &mut Checks) {
    let table = kata.table().unwrap_or_default();
    let is_old = ["proxy", "shim", "netmon"]
        .iter()
        .any(|name| table.contains_key(*name));
    if is_old && !kata.is_first() {
        let path = quoted(path.as_ref());
        checks.note(
            "old-configuration",
            format!("{path} is of kata 1 ([proxy], [shim]), and the kata here is a later one"),
            format!("sudo mv {path} {path}.kata-1"),
        );
    }
}

/// Looks for the files that the configuration names.
fn paths(host: &Host<'_>, kata: &Kata, configuration: &str, checks: &mut Checks) {
    let mut there = Vec::new();
    for (key, what) in PATHS {
        let Some(path) = kata.setting(key) else {
            continue;
        };
        match host.files.kind(&path) {
            Err(unasked) => checks.unasked("path", unasked.0),
            Ok(Some(_)) => there.push(what),
            // Only the share by virtiofs has a daemon.
            Ok(None)
                if key == "virtio_fs_daemon"
                    && kata
                        .setting("shared_fs")
                        .is_some_and(|it| !it.starts_with("virtio-fs")) => {}
            Ok(None) => checks.cannot(
                "path",
                format!("{what} is not there: {key} = {path} in {configuration}"),
                format!("${{EDITOR:-vi}} +/{key} {}", quoted(configuration.as_ref())),
            ),
        }
    }
    let edit = format!(
        "${{EDITOR:-vi}} +/initrd {}",
        quoted(configuration.as_ref())
    );
    match (kata.setting("image"), kata.setting("initrd")) {
        (Some(_), Some(_)) => checks.cannot(
            "image",
            format!("{configuration} has image and initrd, and kata takes one"),
            edit,
        ),
        (None, None) if kata.hypervisor() != Some("remote") => {
            checks.cannot(
                "image",
                format!("{configuration} has neither image nor initrd"),
                edit,
            );
        }
        _ => {}
    }
    if !there.is_empty() {
        checks.can(
            "path",
            format!(
                "{} ({}): {} are there",
                kata.hypervisor().unwrap_or_default(),
                configuration,
                there.join(", ")
            ),
        );
    }
}
