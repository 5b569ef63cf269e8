//! The kernel in the virtual machine: the configuration that kata's packages put beside it.

use super::super::check::Checks;
use super::super::host::Host;
use super::super::kata::Kata;
use crate::host::kernel_config::KernelConfig;
use crate::host::kernel_options::{GUEST_OPTIONS, Need};

/// The kernels of kata's packages.
const KERNELS: [&str; 2] = [
    "/opt/kata/share/kata-containers/vmlinux.container",
    "/usr/share/kata-containers/vmlinux.container",
];

/// Examines the kernel of kata's configuration, else those of the usual places.
pub(super) fn examine(host: &Host<'_>, checks: &mut Checks) {
    let named = Kata::of(host).kernel();
    let kernels = match &named {
        Some(path) => vec![path.as_str()],
        None => KERNELS.to_vec(),
    };
    for kernel in kernels {
        let Some(place) = configuration(host, kernel) else {
            continue;
        };
        let Some(Some(bytes)) = checks.answer("guest", host.files.bytes(&place)) else {
            continue;
        };
        match KernelConfig::of(place.clone().into(), &bytes) {
            Ok(config) => judge(&config, &place, checks),
            Err(error) => checks.unasked("guest", format!("{place}: {error}")),
        }
    }
}

/// Returns the file that lies beside a kernel: `config-6.12` beside `vmlinux-6.12`, which
/// `vmlinux.container` leads to.
fn configuration(host: &Host<'_>, kernel: &str) -> Option<String> {
    let (directory, name) = kernel.rsplit_once('/')?;
    let target = host.files.link(kernel);
    let file = target.as_deref().unwrap_or(name).rsplit('/').next()?;
    Some(format!("{directory}/config-{}", file.split_once('-')?.1))
}

fn judge(config: &KernelConfig, place: &str, checks: &mut Checks) {
    let is_there = |name: &&'static str| !matches!(config.value(name), None | Some("n"));
    let (mut idle, mut is_whole) = (Vec::new(), true);
    for option in GUEST_OPTIONS {
        if option.names.iter().any(is_there) {
            continue;
        }
        let names = option.names.join(" or CONFIG_");
        if option.need == Need::Sometimes {
            idle.push(format!("{names} ({})", option.meaning));
            continue;
        }
        is_whole = false;
        checks.cannot(
            "guest-option",
            format!("the guest's kernel lacks CONFIG_{names}: {} ({place})", option.meaning),
            "git clone https://github.com/kata-containers/kata-containers && cd kata-containers/tools/packaging/kernel && ./build-kernel.sh setup && ./build-kernel.sh build && sudo ./build-kernel.sh install",
        );
    }
    if is_whole {
        checks.can(
            "guest",
            format!("the guest's kernel has what kata needs ({place})"),
        );
    }
    if !idle.is_empty() {
        checks.can(
            "guest-idle",
            format!(
                "the guest's kernel lacks, seldom needed: {}",
                idle.join(", ")
            ),
        );
    }
}
