//! Faults of kata, its hypervisor, and a containerd 1.6.

use super::fault::{Fault, fault};
use super::healthy::{CONFIGURATION, CONTAINERD, DUMP, KATA_QEMU, handler, qmp};
use crate::host::doctor::State::{Can as But, Cannot as No, CouldNotBeAsked as Unasked};
use crate::host::doctor::qemu::tests::session_of;

const MAIN_1_6: &str = "version = 2\n";

/// Faults of kata, its hypervisor, and a containerd 1.6.
pub const OF_CONTAINERD_1_6: &[Fault] = &[
    fault(
        "kata is not installed",
        |host| {
            host.without("/opt/kata/bin/kata-runtime")
                .without("/opt/kata/bin/containerd-shim")
        },
        "kata.programs",
        No,
    ),
    fault(
        "a kata that hangs",
        |host| host.hangs("/opt/kata/bin/kata-runtime --version"),
        "kata.programs",
        Unasked,
    ),
    fault(
        "a kata that says nothing",
        |host| host.says("/opt/kata/bin/kata-runtime --version", "?"),
        "kata.programs",
        No,
    ),
    fault(
        "no configuration",
        |host| host.without(CONFIGURATION).lacks(KATA_QEMU),
        "kata.configuration",
        No,
    ),
    fault(
        "an unreadable configuration",
        |host| host.unreadable(CONFIGURATION).lacks(KATA_QEMU),
        "kata.configuration",
        Unasked,
    ),
    fault(
        "a configuration that is not TOML",
        |host| {
            host.edit(CONFIGURATION, "[runtime]", "[runtime")
                .lacks(KATA_QEMU)
        },
        "kata.syntax",
        No,
    ),
    fault(
        "a drop-in that is not TOML",
        |host| {
            host.file(
                "/opt/kata/share/defaults/kata-containers/config.d/1.toml",
                "a = ",
            )
        },
        "kata.syntax",
        No,
    ),
    fault(
        "a configuration of kata 1",
        |host| {
            host.edit(
                CONFIGURATION,
                "[runtime]",
                "[proxy.kata]\n[shim.kata]\n[runtime]",
            )
        },
        "kata.old-configuration",
        But,
    ),
    fault(
        "no hypervisor",
        |host| {
            host.edit(CONFIGURATION, "[hypervisor.qemu]", "[hypervisor.quemu]")
                .lacks(KATA_QEMU)
        },
        "kata.hypervisor",
        No,
    ),
    fault(
        "a guest kernel that is gone",
        |host| host.edit(CONFIGURATION, "vmlinux.container", "vmlinux.gone"),
        "kata.path",
        No,
    ),
    fault(
        "an image that is gone",
        |host| host.without("/opt/kata/share/kata-containers/kata-containers.img"),
        "kata.path",
        No,
    ),
    fault(
        "a virtiofsd that is gone",
        |host| host.without("/opt/kata/libexec/virtiofsd"),
        "kata.path",
        No,
    ),
    fault(
        "image and initrd",
        |host| {
            host.edit(
                CONFIGURATION,
                "image =",
                "initrd = \"/opt/kata/bin/kata-runtime\"\nimage =",
            )
        },
        "kata.image",
        No,
    ),
    fault(
        "neither image nor initrd",
        |host| host.edit(CONFIGURATION, "image =", "imgae ="),
        "kata.image",
        No,
    ),
    fault(
        "a drop-in with another machine type",
        |host| {
            host.file(
                "/opt/kata/share/defaults/kata-containers/config.d/1.toml",
                "[hypervisor.qemu]\nmachine_type = \"pc\"\n",
            )
        },
        "qemu.machine",
        No,
    ),
    fault(
        "no qemu",
        |host| host.lacks(KATA_QEMU).without(KATA_QEMU),
        "qemu.program",
        No,
    ),
    fault(
        "a qemu that hangs",
        |host| host.hangs(&qmp(KATA_QEMU)),
        "qemu.answers",
        Unasked,
    ),
    fault(
        "a qemu that does not start",
        |host| {
            host.fails(
                &qmp(KATA_QEMU),
                "error while loading shared libraries: libfdt.so.1",
            )
        },
        "qemu.starts",
        No,
    ),
    fault(
        "a qemu without KVM",
        |host| host.says(&qmp(KATA_QEMU), &session_of(&["q35"], false, false)),
        "qemu.kvm",
        No,
    ),
    fault(
        "a qemu that emulates",
        |host| host.says(&qmp(KATA_QEMU), &session_of(&["q35"], true, false)),
        "qemu.kvm",
        No,
    ),
    fault(
        "a qemu without q35",
        |host| host.says(&qmp(KATA_QEMU), &session_of(&["pc"], true, true)),
        "qemu.machine",
        No,
    ),
    fault(
        "a qemu of few words",
        |host| host.says(&qmp(KATA_QEMU), &session_of(&[], true, true)),
        "qemu.machine",
        Unasked,
    ),
    fault(
        "a containerd that does not run",
        |host| host.without("/run/containerd"),
        "engines.containerd-runs",
        No,
    ),
    fault(
        "a configuration that containerd refuses",
        |host| {
            host.fails(
                DUMP,
                "containerd: invalid plugin key URI \"cri\" expect io.containerd.x.vx",
            )
        },
        "engines.containerd-config",
        No,
    ),
    fault(
        "a containerd that hangs",
        |host| host.hangs(DUMP),
        "engines.containerd",
        Unasked,
    ),
    fault(
        "an unreadable configuration of containerd",
        |host| host.unreadable(CONTAINERD),
        "engines.containerd",
        Unasked,
    ),
    fault(
        "an import that replaces",
        |host| host.says(DUMP, MAIN_1_6),
        "engines.containerd-imports",
        No,
    ),
    fault(
        "a file of version 3",
        |host| {
            host.file(
                CONTAINERD,
                format!("version = 3\n{}", handler("io.containerd.cri.v1.runtime")),
            )
            .says(DUMP, MAIN_1_6)
        },
        "engines.containerd-version",
        No,
    ),
    fault(
        "a file in conf.d",
        |host| {
            host.file(CONTAINERD, MAIN_1_6).says(DUMP, MAIN_1_6).file(
                "/etc/containerd/conf.d/kata-deploy.toml",
                handler("io.containerd.grpc.v1.cri"),
            )
        },
        "engines.containerd-conf-d",
        No,
    ),
    fault(
        "the part for kubernetes is off",
        |host| {
            host.says(
                DUMP,
                &format!(
                    "disabled_plugins = [\"cri\"]\n{}",
                    handler("io.containerd.grpc.v1.cri")
                ),
            )
        },
        "engines.containerd-cri",
        No,
    ),
    fault(
        "no handler",
        |host| host.file(CONTAINERD, MAIN_1_6).says(DUMP, MAIN_1_6),
        "engines.registered",
        No,
    ),
    fault(
        "a shim that is gone",
        |host| {
            host.says(
                DUMP,
                &handler("io.containerd.grpc.v1.cri").replace("/opt/kata/bin/", "/opt/gone/"),
            )
        },
        "engines.handler-program",
        No,
    ),
    fault(
        "a shim by name that is not on PATH",
        |host| {
            host.says(
                DUMP,
                &handler("io.containerd.grpc.v1.cri").replace("runtime_path", "x"),
            )
        },
        "engines.handler-program",
        No,
    ),
    fault(
        "a type that names no shim",
        |host| {
            host.says(
                DUMP,
                &handler("io.containerd.grpc.v1.cri")
                    .replace("runtime_path", "x")
                    .replace("io.containerd.kata-qemu.v2", "kata"),
            )
        },
        "engines.handler-type",
        No,
    ),
    fault(
        "a configuration of a handler that is gone",
        |host| {
            host.says(
                DUMP,
                &handler("io.containerd.grpc.v1.cri").replace("defaults/kata", "defaults/gone"),
            )
        },
        "engines.handler-configuration",
        No,
    ),
    fault(
        "no engine",
        |host| host.lacks("containerd"),
        "engines.engine",
        No,
    ),
];
