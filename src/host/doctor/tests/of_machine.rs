//! Faults of the machine itself: KVM, kernels, control groups.

use super::fault::{Fault, fault};
use super::healthy::kernel_config;
use super::made_up::MadeUp;
use crate::host::doctor::State::{Cannot as No, CouldNotBeAsked as Unasked};
use crate::host::doctor::host::Refusal;

const CONFIG: &str = "/boot/config-6.1.0-28-amd64";
const GUEST: &str = "/opt/kata/share/kata-containers/config-6.12.36-164";

/// Adds a guest kernel that lacks a line of its configuration.
fn guest(mut host: MadeUp, lacks: &str) -> MadeUp {
    let link = "/opt/kata/share/kata-containers/vmlinux.container";
    host.links
        .insert(link.to_owned(), "vmlinux-6.12.36-164".to_owned());
    host.file(GUEST, super::healthy::kernel_config(true))
        .edit(GUEST, lacks, "")
}

fn errno(mut host: MadeUp, step: &'static str, errno: nix::errno::Errno) -> MadeUp {
    host.kvm = Err(Refusal {
        step,
        errno: errno as i32,
    });
    host
}

/// Faults of the machine itself.
pub const OF_MACHINE: &[Fault] = &[
    fault(
        "no module of kvm",
        |host| host.file("/proc/misc", "1 x\n"),
        "kvm.module",
        No,
    ),
    fault(
        "no virtualization",
        |host| {
            host.file("/proc/misc", "")
                .file("/proc/cpuinfo", "flags\t: fpu lm\n")
        },
        "kvm.processor",
        No,
    ),
    fault(
        "no nested virtualization",
        |host| {
            host.file("/proc/misc", "")
                .without("/dev/kvm")
                .file("/proc/cpuinfo", "flags\t: fpu lm hypervisor\n")
        },
        "kvm.nested",
        No,
    ),
    fault(
        "a container without the device",
        |host| host.without("/dev/kvm"),
        "kvm.device",
        No,
    ),
    fault(
        "a directory as the device",
        |host| host.without("/dev/kvm").file("/dev/kvm/x", ""),
        "kvm.device",
        No,
    ),
    fault(
        "an ordinary user",
        |host| errno(host.user(1000), "open", nix::errno::Errno::EACCES),
        "kvm.proof",
        Unasked,
    ),
    fault(
        "a container's root",
        |host| errno(host, "open", nix::errno::Errno::EPERM),
        "kvm.access",
        No,
    ),
    fault(
        "another hypervisor",
        |host| {
            errno(host, "KVM_CREATE_VM", nix::errno::Errno::EBUSY)
                .file("/proc/modules", "vboxdrv 1 0 - Live 0x0\n")
        },
        "kvm.busy",
        No,
    ),
    fault(
        "a strange refusal",
        |host| errno(host, "KVM_CREATE_VM", nix::errno::Errno::EINVAL),
        "kvm.proof",
        No,
    ),
    fault(
        "no memory",
        |host| errno(host, "KVM_CREATE_VM", nix::errno::Errno::ENOMEM),
        "kvm.proof",
        Unasked,
    ),
    fault(
        "an unreadable list of devices",
        |host| host.unreadable("/proc/misc"),
        "kvm.proof",
        Unasked,
    ),
    fault(
        "vsock taken",
        |host| {
            host.file("/proc/sys/kernel/osrelease", "5.4.0")
                .file(
                    "/boot/config-5.4.0",
                    kernel_config(false).replace("=m", "=y"),
                )
                .file("/proc/modules", "vmw_vsock_vmci_transport 1 0 - Live 0x0\n")
        },
        "kvm.vsock-busy",
        No,
    ),
    fault(
        "a kernel without vsock",
        |host| {
            host.edit(
                CONFIG,
                "CONFIG_VHOST_VSOCK=m",
                "# CONFIG_VHOST_VSOCK is not set",
            )
        },
        "kernel.option",
        No,
    ),
    fault(
        "a kernel without tun",
        |host| host.edit(CONFIG, "CONFIG_TUN=m\n", ""),
        "kernel.option",
        No,
    ),
    fault(
        "a kernel without memory groups",
        |host| host.edit(CONFIG, "CONFIG_MEMCG=y", "CONFIG_MEMCG=n"),
        "kernel.option",
        No,
    ),
    fault(
        "modules of another kernel",
        |host| host.without("/lib/modules"),
        "kernel.module",
        No,
    ),
    fault(
        "a module that is not installed",
        |host| {
            host.edit(
                "/lib/modules/6.1.0-28-amd64/modules.dep",
                "kernel/net/vhost_vsock.ko.xz",
                "kernel/y.ko",
            )
        },
        "kernel.module",
        No,
    ),
    fault(
        "no configuration of the kernel",
        |host| host.without(CONFIG),
        "kernel.option",
        Unasked,
    ),
    fault(
        "an unreadable configuration of the kernel",
        |host| host.unreadable(CONFIG),
        "kernel.option",
        Unasked,
    ),
    fault(
        "a broken configuration of the kernel",
        |host| {
            host.without(CONFIG)
                .file("/proc/config.gz", [0x1f, 0x8b, 1, 2, 3])
        },
        "kernel.option",
        Unasked,
    ),
    fault(
        "a guest without vsock",
        |host| guest(host, "CONFIG_VSOCKETS=y\n").edit(GUEST, "CONFIG_VIRTIO_CONSOLE=y\n", ""),
        "kernel.guest-option",
        No,
    ),
    fault(
        "a guest without a file system",
        |host| guest(host, "CONFIG_EXT4_FS=y\n"),
        "kernel.guest-option",
        No,
    ),
    fault(
        "no memory controller",
        |host| host.edit("/sys/fs/cgroup/cgroup.controllers", "memory ", ""),
        "cgroups.controllers",
        No,
    ),
    fault(
        "no control groups",
        |mut host| {
            host.magic = 1;
            host
        },
        "cgroups.version",
        No,
    ),
];
