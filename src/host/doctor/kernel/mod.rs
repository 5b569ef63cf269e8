//! Options of the host's kernel that a kata container needs, with what each is for.
//!
//! An option counts as there if the configuration has it, or if anything else shows it: a device, a
//! module that is loaded or built in. A module that is not loaded is loaded when it is needed,
//! unless its file is missing.

mod guest;

use super::check::{Check, Checks, Purpose};
use super::host::{Asked, Host};
use crate::host::kernel_config::KernelConfig;
use crate::host::kernel_options::{HOST_OPTIONS, KernelOption, Need};

pub(super) const PURPOSES: &[Purpose] = &[Purpose::Run];

/// The kernel of a host.
#[derive(Debug)]
struct Facts {
    release: String,
    config: Asked<Option<KernelConfig>>,
    /// Names of modules that are loaded, or of code with parameters.
    loaded: Vec<String>,
    /// The text of `modules.builtin`.
    built_in: String,
    /// The text of `modules.dep`; `None` if there are no modules of this kernel.
    modules: Option<String>,
    /// The devices among those of the options that are there.
    devices: Vec<&'static str>,
}

/// The state of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// In the kernel, or as a module that is loaded or can be.
    There,
    /// Left out of the kernel.
    NotBuilt,
    /// A module whose file is missing.
    NoFile,
    /// Nothing tells.
    Unknown,
}

impl Facts {
    fn of(host: &Host<'_>) -> Self {
        let text = |path: &str| host.files.text(path).ok().flatten();
        let release = text("/proc/sys/kernel/osrelease").unwrap_or_default();
        let release = release.trim().to_owned();
        let modules = format!("/lib/modules/{release}");
        let devices = HOST_OPTIONS.iter().filter_map(|option| option.device);
        Self {
            config: config(host, &release),
            loaded: host.files.names("/sys/module").unwrap_or_default(),
            built_in: text(&format!("{modules}/modules.builtin")).unwrap_or_default(),
            modules: text(&format!("{modules}/modules.dep")),
            devices: devices.filter(|device| host.files.has(device)).collect(),
            release,
        }
    }

    fn look_for(&self, option: &KernelOption) -> Found {
        let module = option.module.replace('-', "_");
        let is_loaded = !module.is_empty() && self.loaded.contains(&module);
        if is_loaded
            || option
                .device
                .is_some_and(|device| self.devices.contains(&device))
        {
            return Found::There;
        }
        let has_file = |list: &str| {
            let is_it = |path: &str| {
                let name = path.rsplit('/').next().unwrap_or_default();
                let name = name.split(".ko").next().unwrap_or_default();
                name.replace('-', "_") == module
            };
            list.lines()
                .any(|line| is_it(line.split(':').next().unwrap_or_default()))
        };
        if !module.is_empty() && has_file(&self.built_in) {
            return Found::There;
        }
        let in_modules = self.modules.as_deref().is_some_and(has_file);
        let Ok(Some(config)) = &self.config else {
            return match in_modules && !module.is_empty() {
                true => Found::There,
                false => Found::Unknown,
            };
        };
        match config.value(option.name) {
            Some("m") if in_modules => Found::There,
            Some("m") => Found::NoFile,
            Some("n") | None => Found::NotBuilt,
            Some(_) => Found::There,
        }
    }
}

fn config(host: &Host<'_>, release: &str) -> Asked<Option<KernelConfig>> {
    let mut unreadable = None;
    for place in KernelConfig::places(release) {
        match host.files.bytes(&place) {
            Ok(None) => {}
            Ok(Some(bytes)) => match KernelConfig::of(place.clone().into(), &bytes) {
                Ok(config) => return Ok(Some(config)),
                Err(error) => unreadable = Some(super::host::Unasked(format!("{place}: {error}"))),
            },
            Err(error) => unreadable = unreadable.or(Some(error)),
        }
    }
    unreadable.map_or(Ok(None), Err)
}

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("kernel", PURPOSES);
    let facts = Facts::of(host);
    judge(&facts, host, &mut checks);
    guest::examine(host, &mut checks);
    checks.done()
}

fn judge(facts: &Facts, host: &Host<'_>, checks: &mut Checks) {
    let (mut unknown, mut idle, mut there) = (Vec::new(), Vec::new(), 0);
    for option in HOST_OPTIONS {
        match (facts.look_for(option), option.need) {
            (Found::There, _) => there += 1,
            (Found::Unknown, Need::Always) => unknown.push(option),
            (Found::Unknown, Need::Sometimes) => {}
            (_, Need::Sometimes) => idle.push(option),
            (Found::NotBuilt, Need::Always) => checks.cannot(
                "option",
                format!(
                    "CONFIG_{} is not in kernel {}: {}",
                    option.name, facts.release, option.meaning
                ),
                host.install("linux-image-amd64", "kernel") + "  # and restart into it",
            ),
            (Found::NoFile, Need::Always) => no_file(facts, option, host, checks),
        }
    }
    let place = match &facts.config {
        Ok(Some(config)) => config.file.display().to_string(),
        _ => "modules and devices".to_owned(),
    };
    if !unknown.is_empty() {
        let reason = match &facts.config {
            Err(unasked) => unasked.0.clone(),
            _ => format!("the configuration of kernel {} is nowhere", facts.release),
        };
        let names: Vec<_> = unknown.iter().map(|option| option.name).collect();
        checks.unasked_but(
            "option",
            format!("{reason}; nothing else tells of {}", names.join(", ")),
            match host.user {
                0 => "modprobe configs && kata-ci doctor --for run".to_owned(),
                _ => "sudo kata-ci doctor --for run".to_owned(),
            },
        );
    }
    checks.can(
        "option",
        format!(
            "{there} options of kernel {} are there ({place})",
            facts.release
        ),
    );
    if !idle.is_empty() {
        let named: Vec<_> = (idle.iter())
            .map(|option| format!("{} ({})", option.name, option.meaning))
            .collect();
        checks.can(
            "idle",
            format!("not there, and seldom needed: {}", named.join(", ")),
        );
    }
}

/// A module of the configuration without a file: a package of its own, or a kernel that was
/// replaced.
fn no_file(facts: &Facts, option: &KernelOption, host: &Host<'_>, checks: &mut Checks) {
    let release = &facts.release;
    let (what, fix) = match &facts.modules {
        Some(_) => (
            format!(
                "its module {} is not in /lib/modules/{release}",
                option.module
            ),
            host.install(
                &format!("linux-modules-extra-{release}"),
                "kernel-modules-extra",
            ),
        ),
        None => (
            format!("there is no /lib/modules/{release}, as after the kernel was replaced"),
            host.as_root("systemctl reboot"),
        ),
    };
    checks.cannot(
        "module",
        format!(
            "CONFIG_{} is a module of kernel {release}, and {what}: {}",
            option.name, option.meaning
        ),
        fix,
    );
}
