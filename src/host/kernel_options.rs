//! Options of kernels that matter to kata, with what each is for.
//!
//! Sources: `virtcontainers` and `tools/packaging/kernel/configs` of kata's monorepo.

/// The degree to which an option is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// For every container.
    Always,
    /// For a feature that is not on by default.
    Sometimes,
}

/// An option of the host's kernel.
#[derive(Debug)]
pub(crate) struct KernelOption {
    /// The name without `CONFIG_`.
    pub name: &'static str,
    /// The module that it may be; empty for none.
    pub module: &'static str,
    /// The device that shows it.
    pub device: Option<&'static str>,
    /// The degree to which it is needed.
    pub need: Need,
    /// The purpose.
    pub meaning: &'static str,
}

/// An option of the kernel in the virtual machine.
#[derive(Debug)]
pub(crate) struct GuestOption {
    /// The names without `CONFIG_`, of which one is enough.
    pub names: &'static [&'static str],
    /// The degree to which it is needed.
    pub need: Need,
    /// The purpose.
    pub meaning: &'static str,
}

/// The options of the host's kernel. KVM is not among them: it is tried out.
pub(crate) const HOST_OPTIONS: &[KernelOption] = &[
    KernelOption {
        name: "VHOST_NET",
        module: "vhost_net",
        device: Some("/dev/vhost-net"),
        need: Need::Always,
        meaning: "the network of a virtual machine (virtio-net) in the kernel",
    },
    KernelOption {
        name: "VHOST_VSOCK",
        module: "vhost_vsock",
        device: Some("/dev/vhost-vsock"),
        need: Need::Always,
        meaning: "the agent in the virtual machine is reached by vsock",
    },
    KernelOption {
        name: "TUN",
        module: "tun",
        device: Some("/dev/net/tun"),
        need: Need::Always,
        meaning: "the tap device of a virtual machine",
    },
    KernelOption {
        name: "NET_SCH_INGRESS",
        module: "sch_ingress",
        device: None,
        need: Need::Always,
        meaning: "the queue that tcfilter, the usual network model, takes packets from",
    },
    KernelOption {
        name: "NET_CLS_U32",
        module: "cls_u32",
        device: None,
        need: Need::Always,
        meaning: "tcfilter matches all packets by it",
    },
    KernelOption {
        name: "NET_ACT_MIRRED",
        module: "act_mirred",
        device: None,
        need: Need::Always,
        meaning: "tcfilter redirects packets by it",
    },
    KernelOption {
        name: "VETH",
        module: "veth",
        device: None,
        need: Need::Always,
        meaning: "the two ends of a container's network",
    },
    KernelOption {
        name: "BRIDGE",
        module: "bridge",
        device: None,
        need: Need::Always,
        meaning: "the bridge of docker and of CNI",
    },
    KernelOption {
        name: "NAMESPACES",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "anything of its own that a container has",
    },
    KernelOption {
        name: "NET_NS",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "a network of its own",
    },
    KernelOption {
        name: "PID_NS",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "processes of its own",
    },
    KernelOption {
        name: "IPC_NS",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "shared memory of its own",
    },
    KernelOption {
        name: "UTS_NS",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "a host name of its own",
    },
    KernelOption {
        name: "CGROUPS",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "groups that limit and count a sandbox",
    },
    KernelOption {
        name: "MEMCG",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "the memory of a sandbox is limited and counted",
    },
    KernelOption {
        name: "CPUSETS",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "the processors of a sandbox",
    },
    KernelOption {
        name: "CGROUP_PIDS",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "the number of processes of a sandbox",
    },
    KernelOption {
        name: "CGROUP_DEVICE",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "the devices of a sandbox",
    },
    KernelOption {
        name: "CFS_BANDWIDTH",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "the processor time of a sandbox is limited",
    },
    KernelOption {
        name: "OVERLAY_FS",
        module: "overlay",
        device: None,
        need: Need::Always,
        meaning: "the layers of images",
    },
    KernelOption {
        name: "TMPFS",
        module: "",
        device: None,
        need: Need::Always,
        meaning: "guest memory that virtiofsd shares, in /dev/shm",
    },
    KernelOption {
        name: "MEMFD_CREATE",
        module: "",
        device: None,
        need: Need::Sometimes,
        meaning: "guest memory without a file",
    },
    KernelOption {
        name: "MACVTAP",
        module: "macvtap",
        device: None,
        need: Need::Sometimes,
        meaning: "the network model macvtap",
    },
    KernelOption {
        name: "HUGETLBFS",
        module: "",
        device: None,
        need: Need::Sometimes,
        meaning: "guest memory in huge pages (enable_hugepages)",
    },
    KernelOption {
        name: "VFIO_PCI",
        module: "vfio_pci",
        device: None,
        need: Need::Sometimes,
        meaning: "devices that are handed to a virtual machine",
    },
    KernelOption {
        name: "IOMMU_SUPPORT",
        module: "",
        device: None,
        need: Need::Sometimes,
        meaning: "devices that are handed to a virtual machine",
    },
    KernelOption {
        name: "EROFS_FS",
        module: "erofs",
        device: None,
        need: Need::Sometimes,
        meaning: "the erofs snapshotter",
    },
    KernelOption {
        name: "USER_NS",
        module: "",
        device: None,
        need: Need::Sometimes,
        meaning: "containers without root",
    },
];

/// The options of the kernel in the virtual machine.
pub(crate) const GUEST_OPTIONS: &[GuestOption] = &[
    GuestOption {
        names: &["VIRTIO_PCI", "VIRTIO_MMIO"],
        need: Need::Always,
        meaning: "the bus of all devices of the virtual machine",
    },
    GuestOption {
        names: &["VIRTIO_BLK", "SCSI_VIRTIO", "VIRTIO_PMEM", "LIBNVDIMM"],
        need: Need::Always,
        meaning: "the disk with the image, and volumes",
    },
    GuestOption {
        names: &["VIRTIO_NET"],
        need: Need::Always,
        meaning: "the network",
    },
    GuestOption {
        names: &["VIRTIO_CONSOLE"],
        need: Need::Always,
        meaning: "the console hvc0",
    },
    GuestOption {
        names: &["VIRTIO_FS", "NET_9P_VIRTIO"],
        need: Need::Always,
        meaning: "the share of the root file system",
    },
    GuestOption {
        names: &["FUSE_FS", "NET_9P_VIRTIO"],
        need: Need::Always,
        meaning: "the share of the root file system",
    },
    GuestOption {
        names: &["VSOCKETS", "VIRTIO_CONSOLE"],
        need: Need::Always,
        meaning: "the agent is reached by vsock",
    },
    GuestOption {
        names: &["VIRTIO_VSOCKETS", "VIRTIO_CONSOLE"],
        need: Need::Always,
        meaning: "the agent is reached by vsock",
    },
    GuestOption {
        names: &["EXT4_FS", "EROFS_FS"],
        need: Need::Always,
        meaning: "the file system of the image",
    },
    GuestOption {
        names: &["NAMESPACES"],
        need: Need::Always,
        meaning: "containers in the virtual machine",
    },
    GuestOption {
        names: &["CGROUPS"],
        need: Need::Always,
        meaning: "limits of containers in the virtual machine",
    },
    GuestOption {
        names: &["MEMCG"],
        need: Need::Always,
        meaning: "memory limits of containers in the virtual machine",
    },
    GuestOption {
        names: &["SECCOMP_FILTER"],
        need: Need::Always,
        meaning: "seccomp of containers in the virtual machine",
    },
    GuestOption {
        names: &["OVERLAY_FS"],
        need: Need::Sometimes,
        meaning: "images that are unpacked in the virtual machine",
    },
    GuestOption {
        names: &["HW_RANDOM_VIRTIO"],
        need: Need::Sometimes,
        meaning: "random numbers of the host",
    },
    GuestOption {
        names: &["HOTPLUG_CPU"],
        need: Need::Sometimes,
        meaning: "processors that are added later",
    },
    GuestOption {
        names: &["MEMORY_HOTPLUG"],
        need: Need::Sometimes,
        meaning: "memory that is added later",
    },
    GuestOption {
        names: &["HOTPLUG_PCI_PCIE", "HOTPLUG_PCI_ACPI", "HOTPLUG_PCI_SHPC"],
        need: Need::Sometimes,
        meaning: "devices that are added later",
    },
    GuestOption {
        names: &["VIRTIO_BALLOON"],
        need: Need::Sometimes,
        meaning: "memory that is given back",
    },
    GuestOption {
        names: &["VIRTIO_MEM"],
        need: Need::Sometimes,
        meaning: "memory that is added by virtio-mem",
    },
    GuestOption {
        names: &["DAX"],
        need: Need::Sometimes,
        meaning: "an image that is not copied into memory",
    },
    GuestOption {
        names: &["SERIAL_8250_CONSOLE"],
        need: Need::Sometimes,
        meaning: "the console ttyS0 for debugging",
    },
    GuestOption {
        names: &["NETFILTER"],
        need: Need::Sometimes,
        meaning: "packet filters in the virtual machine",
    },
    GuestOption {
        names: &["NF_CONNTRACK"],
        need: Need::Sometimes,
        meaning: "packet filters in the virtual machine",
    },
];
