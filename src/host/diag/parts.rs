//! The parts of a bundle: each file of it, and the programs and files that it is made of.

use std::path::PathBuf;

use super::ask::Ask;

/// The most bytes of a part that is no log.
pub(super) const MOST: usize = 192 << 10;

/// The most bytes of a log.
pub(super) const MOST_OF_LOG: usize = 384 << 10;

/// The subject of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// Versions and configuration of kata.
    Kata,
    /// The journal.
    Journal,
    /// Units of systemd.
    Units,
    /// The process tree.
    Processes,
    /// Addresses, routes and rules.
    Network,
    /// The kernel, mounts and control groups.
    Kernel,
    /// Docker and podman.
    Docker,
    /// containerd.
    Containerd,
    /// CRI-O.
    Crio,
    /// Kubernetes.
    Kubernetes,
}

/// A part of a bundle.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The name of its file, without the extension.
    pub name: String,
    /// Its subject.
    pub subject: Subject,
    /// The way to its content.
    pub ask: Ask,
}

impl Part {
    pub fn new(subject: Subject, name: &str, ask: Ask) -> Self {
        Self {
            name: name.to_owned(),
            subject,
            ask,
        }
    }

    /// Returns true if kata's rule for logs holds for it.
    pub fn is_log(&self) -> bool {
        matches!(self.ask, Ask::Journal(_))
    }

    /// Returns the most bytes of it.
    pub fn most(&self) -> usize {
        match self.is_log() {
            true => MOST_OF_LOG,
            false => MOST,
        }
    }
}

/// The tags of the journal that are kata's, and of programs that it starts.
const TAGS: &[&str] = &[
    "kata",
    "kata-runtime",
    "kata-proxy",
    "kata-shim",
    "virtiofsd",
];

/// The units that start kata.
const UNITS: &[&str] = &["containerd", "crio", "docker", "kubelet"];

/// Programs and arguments; alternatives of a program are separated by `|`, the first that is there
/// is called.
const PROGRAMS: &[(Subject, &str, &str)] = &[
    (
        Subject::Kata,
        "kata-runtime-version",
        "kata-runtime --version",
    ),
    (Subject::Kata, "kata-runtime-env", "kata-runtime env"),
    (
        Subject::Kata,
        "kata-runtime-paths",
        "kata-runtime --show-default-config-paths",
    ),
    (Subject::Kata, "kata-ctl-version", "kata-ctl --version"),
    (Subject::Kata, "kata-ctl-env", "kata-ctl env"),
    (
        Subject::Kata,
        "kata-shim-version",
        "containerd-shim-kata-v2 --version",
    ),
    (
        Subject::Kata,
        "qemu-version",
        "qemu-system-x86_64|qemu-system-aarch64|qemu-kvm --version",
    ),
    (
        Subject::Kata,
        "cloud-hypervisor-version",
        "cloud-hypervisor --version",
    ),
    (
        Subject::Kata,
        "firecracker-version",
        "firecracker --version",
    ),
    (Subject::Kata, "virtiofsd-version", "virtiofsd --version"),
    (Subject::Network, "net-links", "ip -d link"),
    (Subject::Network, "net-addresses", "ip addr"),
    (Subject::Network, "net-routes", "ip route show table all"),
    (Subject::Network, "net-rules", "ip rule"),
    (Subject::Network, "net-qdiscs", "tc qdisc"),
    (
        Subject::Network,
        "net-iptables-nft",
        "iptables-nft-save|iptables-save",
    ),
    (
        Subject::Network,
        "net-iptables-legacy",
        "iptables-legacy-save",
    ),
    (
        Subject::Network,
        "net-ip6tables-nft",
        "ip6tables-nft-save|ip6tables-save",
    ),
    (
        Subject::Network,
        "net-ip6tables-legacy",
        "ip6tables-legacy-save",
    ),
    (Subject::Network, "net-nft", "nft list ruleset"),
    (Subject::Kernel, "dmesg", "dmesg"),
    (Subject::Kernel, "namespaces", "lsns"),
    (Subject::Docker, "docker-version", "docker version"),
    (Subject::Docker, "docker-info", "docker info"),
    (
        Subject::Docker,
        "docker-containers",
        "docker ps --all --no-trunc",
    ),
    (Subject::Docker, "podman-info", "podman info"),
    (
        Subject::Containerd,
        "containerd-version",
        "containerd --version",
    ),
    (
        Subject::Containerd,
        "containerd-config",
        "containerd config dump",
    ),
    (
        Subject::Containerd,
        "containerd-tasks",
        "ctr --connect-timeout 2s --namespace k8s.io tasks list",
    ),
    (
        Subject::Containerd,
        "containerd-tasks-moby",
        "ctr --connect-timeout 2s --namespace moby tasks list",
    ),
    (Subject::Containerd, "crictl-pods", "crictl pods"),
    (Subject::Containerd, "crictl-containers", "crictl ps --all"),
    (Subject::Crio, "crio-version", "crio --version"),
    (Subject::Crio, "crio-config", "crio config"),
    (
        Subject::Kubernetes,
        "kubectl-version",
        "kubectl version --request-timeout=4s",
    ),
    (
        Subject::Kubernetes,
        "kubectl-runtimeclasses",
        "kubectl get runtimeclass -o yaml --request-timeout=4s",
    ),
    (
        Subject::Kubernetes,
        "kubectl-nodes",
        "kubectl get nodes -o wide --request-timeout=4s",
    ),
];

/// Files; a name with `*` stands for all files of its directory with that end.
const FILES: &[(Subject, &str, &[&str])] = &[
    (
        Subject::Kata,
        "kata-configuration",
        &[
            "/etc/kata-containers/configuration.toml",
            "/etc/kata-containers/config.d/*.toml",
            "/etc/kata-containers/*.toml",
            "/etc/kata-containers/runtime-rs/*.toml",
            "/etc/kata-containers/runtime-rs/config.d/*.toml",
            "/usr/share/defaults/kata-containers/*.toml",
            "/usr/share/defaults/kata-containers/runtime-rs/*.toml",
            "/opt/kata/share/defaults/kata-containers/*.toml",
            "/opt/kata/share/defaults/kata-containers/config.d/*.toml",
            "/opt/kata/share/defaults/kata-containers/runtime-rs/*.toml",
            "/opt/kata/VERSION",
        ],
    ),
    (
        Subject::Docker,
        "docker-configuration",
        &[
            "/etc/docker/daemon.json",
            "/etc/default/docker",
            "/etc/sysconfig/docker",
            "/etc/systemd/system/docker.service",
            "/etc/systemd/system/docker.service.d/*.conf",
            "/run/systemd/system/docker.service.d/*.conf",
            "/lib/systemd/system/docker.service",
            "/usr/lib/systemd/system/docker.service",
        ],
    ),
    (
        Subject::Containerd,
        "containerd-configuration",
        &[
            "/etc/containerd/config.toml",
            "/etc/containerd/conf.d/*.toml",
            "/opt/kata/containerd/config.d/*.toml",
            "/etc/k0s/containerd.toml",
            "/etc/k0s/containerd.d/*.toml",
            "/var/lib/rancher/k3s/agent/etc/containerd/*.toml",
            "/var/lib/rancher/k3s/agent/etc/containerd/*.tmpl",
            "/var/lib/rancher/rke2/agent/etc/containerd/*.toml",
            "/etc/systemd/system/containerd.service.d/*.conf",
            "/etc/crictl.yaml",
        ],
    ),
    (
        Subject::Crio,
        "crio-configuration",
        &[
            "/etc/crio/crio.conf",
            "/etc/crio/crio.conf.d/*",
            "/usr/share/crio/crio.conf.d/*",
        ],
    ),
    (
        Subject::Kubernetes,
        "kubelet-configuration",
        &[
            "/var/lib/kubelet/config.yaml",
            "/var/lib/kubelet/kubeadm-flags.env",
            "/etc/systemd/system/kubelet.service.d/*.conf",
            "/usr/lib/systemd/system/kubelet.service.d/*.conf",
        ],
    ),
    (
        Subject::Kernel,
        "system",
        &[
            "/etc/os-release",
            "/proc/version",
            "/proc/cmdline",
            "/proc/meminfo",
            "/proc/modules",
            "/proc/misc",
        ],
    ),
    (Subject::Kernel, "mounts", &["/proc/self/mountinfo"]),
    (
        Subject::Kernel,
        "cgroups",
        &[
            "/proc/cgroups",
            "/proc/self/cgroup",
            "/sys/fs/cgroup/cgroup.controllers",
            "/sys/fs/cgroup/cgroup.subtree_control",
        ],
    ),
    (
        Subject::Kernel,
        "kvm",
        &[
            "/sys/module/kvm_intel/parameters/nested",
            "/sys/module/kvm_intel/parameters/unrestricted_guest",
            "/sys/module/kvm_amd/parameters/nested",
            "/sys/module/kvm/parameters/*",
        ],
    ),
];

/// Returns all parts, those that matter most first.
pub(super) fn all() -> Vec<Part> {
    let mut parts = Vec::new();
    let files = FILES.iter().map(|(subject, name, files)| {
        Part::new(
            *subject,
            name,
            Ask::Files(files.iter().map(PathBuf::from).collect()),
        )
    });
    parts.extend(files);
    let programs = PROGRAMS.iter().map(|(subject, name, words)| {
        let words = words.split(' ').map(str::to_owned).collect();
        Part::new(*subject, name, Ask::Program(words))
    });
    parts.extend(programs);
    parts.extend(
        TAGS.iter()
            .map(|tag| journal(&format!("journal-{tag}"), &["-t", tag])),
    );
    parts.push(journal("journal-kernel", &["_TRANSPORT=kernel"]));
    parts.extend(
        UNITS
            .iter()
            .map(|unit| journal(&format!("journal-unit-{unit}"), &["-u", unit])),
    );
    for unit in UNITS {
        let ask = |verb: &str| {
            let words = ["systemctl", "--no-pager", verb, unit];
            Ask::Program(words.map(str::to_owned).to_vec())
        };
        parts.push(Part::new(
            Subject::Units,
            &format!("unit-{unit}"),
            ask("show"),
        ));
        parts.push(Part::new(
            Subject::Units,
            &format!("unit-{unit}-files"),
            ask("cat"),
        ));
    }
    parts.push(Part::new(Subject::Processes, "processes", Ask::Processes));
    parts.push(Part::new(Subject::Network, "net-filters", Ask::Filters));
    parts.push(Part::new(Subject::Network, "net-sandboxes", Ask::Sandboxes));
    parts.push(Part::new(
        Subject::Kernel,
        "kernel-configuration",
        Ask::KernelConfig,
    ));
    parts.push(Part::new(Subject::Kernel, "cpu", Ask::Processor));
    parts.sort_by_key(|part| part.subject);
    parts
}

fn journal(name: &str, selection: &[&str]) -> Part {
    let selection = selection.iter().map(|word| (*word).to_owned()).collect();
    Part::new(Subject::Journal, name, Ask::Journal(selection))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_part_has_a_file_of_its_own() {
        let parts = all();
        let names: BTreeSet<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names.len(), parts.len());
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        assert!(names.iter().all(|name| name.chars().all(plain)));
    }
}
