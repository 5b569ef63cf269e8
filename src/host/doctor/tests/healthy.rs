//! Hosts of different kinds on which nothing is wrong.

use super::made_up::MadeUp;

/// Returns a host with git and make, on which nobody has set anything.
pub fn developer(name: &'static str) -> MadeUp {
    MadeUp::new(name)
        .program("apt-get")
        .program("make")
        .says("git --version", "git version 2.39.5")
        .says(
            "git config --list -z --show-scope",
            "local\0remote.origin.url\nhttps://review.example.com/a/runtime\0",
        )
        .says("git rev-parse --show-toplevel", "/home/ada/runtime\n")
        .says(
            "git rev-parse --git-path hooks/commit-msg",
            ".git/hooks/commit-msg\n",
        )
        .says(
            "git var GIT_COMMITTER_IDENT",
            "Ada <ada@example.com> 1795424400 +0000\n",
        )
}

/// The options of a distribution's kernel.
pub fn kernel_config(guest: bool) -> String {
    use crate::host::kernel_options::{GUEST_OPTIONS, HOST_OPTIONS};
    let host = HOST_OPTIONS.iter().map(|option| match option.module {
        "" => format!("CONFIG_{}=y\n", option.name),
        _ => format!("CONFIG_{}=m\n", option.name),
    });
    let of_guest = GUEST_OPTIONS
        .iter()
        .map(|option| format!("CONFIG_{}=y\n", option.names[0]));
    match guest {
        true => of_guest.collect(),
        false => host.collect(),
    }
}

/// Returns a host with KVM and a distribution's kernel, cgroups of version 2, without kata.
pub fn bare(name: &'static str) -> MadeUp {
    use crate::host::kernel_options::HOST_OPTIONS;
    let modules: String = (HOST_OPTIONS.iter())
        .filter(|option| !option.module.is_empty())
        .map(|option| format!("kernel/net/{}.ko.xz: kernel/x.ko.xz\n", option.module))
        .collect();
    MadeUp::new(name)
        .program("apt-get")
        .file("/proc/sys/kernel/osrelease", "6.1.0-28-amd64\n")
        .file("/proc/misc", "234 btrfs-control\n232 kvm\n")
        .file("/dev/kvm", "")
        .file("/etc/group", "kvm:x:0:\n")
        .file(
            "/proc/cpuinfo",
            "vendor_id\t: GenuineIntel\nflags\t\t: fpu vmx lm sse4_1\n",
        )
        .file(
            "/proc/modules",
            "kvm_intel 1 0 - Live 0x0\nkvm 1 1 kvm_intel, Live 0x0\n",
        )
        .file("/boot/config-6.1.0-28-amd64", kernel_config(false))
        .file("/lib/modules/6.1.0-28-amd64/modules.dep", modules)
        .file(
            "/lib/modules/6.1.0-28-amd64/modules.builtin",
            "kernel/fs/ext4/ext4.ko\n",
        )
        .file(
            "/sys/fs/cgroup/cgroup.controllers",
            "cpuset cpu io memory hugetlb pids rdma misc\n",
        )
        .file("/proc/self/cgroup", "0::/user.slice\n")
}

/// The question to a qemu.
pub fn qmp(program: &str) -> String {
    format!(
        "{program} -nodefaults -no-user-config -display none -S -qmp stdio -machine none,accel=kvm:tcg"
    )
}

pub const CONFIGURATION: &str = "/opt/kata/share/defaults/kata-containers/configuration.toml";
pub const KATA_QEMU: &str = "/opt/kata/bin/qemu-system-x86_64";
const SHARE: &str = "/opt/kata/share/kata-containers";

/// Adds kata below `/opt/kata`, as its packages put it there.
pub fn with_kata(host: MadeUp, version: &str) -> MadeUp {
    use crate::host::doctor::qemu::tests::session_of;
    let configuration = format!(
        "[hypervisor.qemu]\npath = \"{KATA_QEMU}\"\nkernel = \"{SHARE}/vmlinux.container\"\nimage = \"{SHARE}/kata-containers.img\"\n\
         machine_type = \"q35\"\nshared_fs = \"virtio-fs\"\nvirtio_fs_daemon = \"/opt/kata/libexec/virtiofsd\"\n[agent.kata]\n[runtime]\n"
    );
    let shim = format!(
        "Kata Containers containerd shim (Golang): id: \"io.containerd.kata.v2\", version: {version}, commit: 0123456\n"
    );
    host.file(CONFIGURATION, configuration)
        .file(KATA_QEMU, "")
        .file("/opt/kata/libexec/virtiofsd", "")
        .file(&format!("{SHARE}/vmlinux-6.12.36-164"), "")
        .file(&format!("{SHARE}/config-6.12.36-164"), kernel_config(true))
        .file(&format!("{SHARE}/kata-containers.img"), "")
        .link(&format!("{SHARE}/vmlinux.container"), "vmlinux-6.12.36-164")
        .file(
            "/opt/kata/bin/kata-runtime",
            "kata-containers/src/runtime/cmd/kata-runtime",
        )
        .file(
            "/opt/kata/bin/containerd-shim-kata-v2",
            "containerd shim (Golang)",
        )
        .says(
            "/opt/kata/bin/kata-runtime --version",
            &format!("kata-runtime  : {version}\n   commit   : 0123456\n   OCI specs: 1.1.0\n"),
        )
        .says("/opt/kata/bin/containerd-shim-kata-v2 --version", &shim)
        .says(
            &qmp(KATA_QEMU),
            &session_of(&["q35", "microvm"], true, true),
        )
        .says(
            &qmp(KATA_QEMU).replace("kvm:tcg", "tcg"),
            &session_of(&["q35", "microvm"], true, false),
        )
}

pub const CONTAINERD: &str = "/etc/containerd/config.toml";
pub const DUMP: &str = "containerd --config /etc/containerd/config.toml config dump";

/// A handler of kata in the configuration of a containerd.
pub fn handler(plugin: &str) -> String {
    format!(
        "[plugins.\"{plugin}\".containerd.runtimes.kata-qemu]\nruntime_type = \"io.containerd.kata-qemu.v2\"\n\
         runtime_path = \"/opt/kata/bin/containerd-shim-kata-v2\"\nprivileged_without_host_devices = true\n\
         [plugins.\"{plugin}\".containerd.runtimes.kata-qemu.options]\nConfigPath = \"{CONFIGURATION}\"\n"
    )
}

pub fn containerd_1_6(name: &'static str) -> MadeUp {
    let text = format!("version = 2\n{}", handler("io.containerd.grpc.v1.cri"));
    with_kata(bare(name), "4.1.0")
        .says(
            "containerd --version",
            "containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3\n",
        )
        .file("/run/containerd/containerd.sock", "")
        .file(CONTAINERD, &text)
        .says(DUMP, &text)
}

pub fn containerd_2(name: &'static str) -> MadeUp {
    let text = handler("io.containerd.cri.v1.runtime");
    with_kata(bare(name), "4.1.0")
        .says(
            "containerd --version",
            "containerd github.com/containerd/containerd/v2 v2.4.2 0123456\n",
        )
        .file("/run/containerd/containerd.sock", "")
        .file(CONTAINERD, "version = 3\n")
        .file(
            "/etc/containerd/conf.d/kata-deploy.toml",
            format!("version = 3\n{text}"),
        )
        .says(
            DUMP,
            &format!("version = 4\nimports = [\"/etc/containerd/conf.d/*.toml\"]\n{text}"),
        )
}

pub const CLASSES: &str = "k3s kubectl get runtimeclasses -o json --request-timeout=5s";

pub fn classes(handler: &str) -> String {
    format!(
        r#"{{"items":[{{"handler":"runc","metadata":{{"name":"runc"}}}},{{"handler":"{handler}","metadata":{{"name":"kata-qemu"}}}}]}}"#
    )
}

pub fn k3s(name: &'static str) -> MadeUp {
    let place = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml";
    let program = "/var/lib/rancher/k3s/data/current/bin/containerd";
    let text = format!("version = 3\n{}", handler("io.containerd.cri.v1.runtime"));
    with_kata(bare(name), "4.1.0")
        .file(place, &text)
        .says(
            &format!("{program} --version"),
            "containerd github.com/k3s-io/containerd v2.1.4-k3s1 0123456\n",
        )
        .says(&format!("{program} --config {place} config dump"), &text)
        .file("/run/k3s/containerd/containerd.sock", "")
        .says(CLASSES, &classes("kata-qemu"))
}

pub fn crio(name: &'static str) -> MadeUp {
    let text = format!(
        "[crio.runtime]\ndefault_runtime = \"crun\"\n[crio.runtime.runtimes.crun]\nruntime_path = \"/usr/bin/crun\"\n\
         [crio.runtime.runtimes.kata-qemu]\nruntime_path = \"/opt/kata/bin/containerd-shim-kata-v2\"\nruntime_type = \"vm\"\n\
         runtime_root = \"/run/vc\"\nruntime_config_path = \"{CONFIGURATION}\"\nprivileged_without_host_devices = true\n"
    );
    with_kata(bare(name), "4.1.0")
        .says("crio config", &text)
        .file("/run/crio/crio.sock", "")
        .file("/var/lib/kubelet/config.yaml", "")
        .says(
            "kubectl get runtimeclasses -o json --request-timeout=5s",
            &classes("kata-qemu"),
        )
}

/// A virtual machine that hands on virtualization, with control groups of version 1.
pub fn nested(name: &'static str) -> MadeUp {
    let mut host = containerd_1_6(name)
        .file("/proc/cpuinfo", "vendor_id\t: AuthenticAMD\nflags\t\t: fpu svm lm hypervisor\n")
        .file("/proc/modules", "vmw_vsock_vmci_transport 1 0 - Live 0x0\nkvm_amd 1 0 - Live 0x0\n")
        .file("/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t3\t1\t1\ncpu\t1\t1\t1\nmemory\t4\t1\t1\npids\t8\t1\t1\n");
    host.magic = 0x0102_1994;
    host
}

/// A host without flags of virtualization, in which the kernel makes virtual machines all the same.
pub fn pvm(name: &'static str) -> MadeUp {
    containerd_2(name)
        .file(
            "/proc/cpuinfo",
            "vendor_id\t: AuthenticAMD\nflags\t\t: fpu lm hypervisor\n",
        )
        .file("/proc/modules", "")
}

/// A machine of another processor, whose list of flags has another name.
pub fn without_flags(name: &'static str) -> MadeUp {
    containerd_2(name).file(
        "/proc/cpuinfo",
        "processor\t: 0\nFeatures\t: fp asimd evtstrm\n",
    )
}

/// A kernel with everything built in, and without modules.
pub fn monolithic(name: &'static str) -> MadeUp {
    containerd_2(name)
        .without("/boot")
        .without("/lib/modules")
        .file("/proc/config.gz", kernel_config(false).replace("=m", "=y"))
}

/// Another hypervisor, for which there is no qemu.
pub fn cloud_hypervisor(name: &'static str) -> MadeUp {
    containerd_2(name)
        .edit(CONFIGURATION, "[hypervisor.qemu]", "[hypervisor.clh]")
        .edit(CONFIGURATION, KATA_QEMU, "/opt/kata/bin/cloud-hypervisor")
        .file("/opt/kata/bin/cloud-hypervisor", "")
}

pub const DAEMON_JSON: &str = "/etc/docker/daemon.json";
pub const UNIT: &str = "/lib/systemd/system/docker.service";

/// Adds a docker of a version, as Debian packs it, beside a containerd that serves docker alone.
pub fn with_docker(host: MadeUp, package: &str, version: &str, daemon_json: &str) -> MadeUp {
    let status =
        format!("Package: {package}\nStatus: install ok installed\nVersion: {version}\n\n");
    let alone = "version = 2\ndisabled_plugins = [\"cri\"]\n";
    host.program("dockerd")
        .executable("/usr/sbin/dockerd", "")
        .file("/var/lib/dpkg/status", status)
        .file(UNIT, "[Service]\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS\n")
        .file("/run/docker.sock", "")
        .file(DAEMON_JSON, daemon_json)
        .says("containerd --version", "containerd containerd.io 1.7.27 0123456\n")
        .file(CONTAINERD, alone)
        .says(DUMP, alone)
}

/// Kata 1 with docker 20.10.
pub fn docker_20_10(name: &'static str) -> MadeUp {
    let runtime = "/usr/bin/kata-runtime";
    let text = format!(
        r#"{{"default-runtime":"kata-runtime","runtimes":{{"kata-runtime":{{"path":"{runtime}"}}}}}}"#
    );
    let host = with_docker(bare(name), "docker.io", "20.10.24+dfsg1-1+deb12u1", &text);
    let configuration = "/usr/share/defaults/kata-containers/configuration.toml";
    host.executable(runtime, "github.com/kata-containers/runtime/cli")
        .says(&format!("{runtime} --version"), "kata-runtime  : 1.13.0\n   commit   : 0123456\n   OCI specs: 1.0.1-dev\n")
        .file(configuration, "[hypervisor.qemu]\npath = \"/usr/bin/qemu-vanilla-system-x86_64\"\nkernel = \"/usr/share/kata-containers/vmlinuz.container\"\nimage = \"/usr/share/kata-containers/kata-containers.img\"\nmachine_type = \"pc\"\n[proxy.kata]\npath = \"/usr/libexec/kata-containers/kata-proxy\"\n[shim.kata]\n[agent.kata]\n")
        .file("/usr/bin/qemu-vanilla-system-x86_64", "")
        .file("/usr/share/kata-containers/vmlinuz.container", "")
        .file("/usr/share/kata-containers/kata-containers.img", "")
        .says(&qmp("/usr/bin/qemu-vanilla-system-x86_64"), &crate::host::doctor::qemu::tests::session_of(&["pc"], true, true))
        .says(&qmp("/usr/bin/qemu-vanilla-system-x86_64").replace("kvm:tcg", "tcg"), &crate::host::doctor::qemu::tests::session_of(&["pc"], true, false))
}

/// Kata 4 with docker 27.
pub fn docker_27(name: &'static str) -> MadeUp {
    let text = r#"{"runtimes":{"kata":{"runtimeType":"/opt/kata/bin/containerd-shim-kata-v2"}}}"#;
    with_docker(
        with_kata(bare(name), "4.1.0"),
        "docker-ce",
        "5:27.0.3-1~debian.12~bookworm",
        text,
    )
    .executable(
        "/opt/kata/bin/kata-runtime",
        "kata-containers/src/runtime/cmd/kata-runtime",
    )
    .executable(
        "/opt/kata/bin/containerd-shim-kata-v2",
        "containerd shim (Golang)",
    )
}
