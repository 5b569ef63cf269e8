//! Virtual machines: the proof is a virtual machine that is made. Flags of the processor, modules
//! and permissions only explain a proof that failed.
//!
//! `/dev/kvm` is opened only if the kernel has registered it, because opening a node that stands
//! for a module loads it.

use nix::errno::Errno;

use super::check::{Check, Checks, Purpose};
use super::host::{Asked, Host, Refusal};
use crate::host::root::Kind;
use crate::probe::{at_least, version_in};

pub(super) const PURPOSES: &[Purpose] = &[Purpose::Run];

const DEVICE: &str = "/dev/kvm";

/// The facts about KVM.
#[derive(Debug)]
struct Facts {
    device: Asked<Option<Kind>>,
    /// True if the kernel has registered the device.
    is_registered: Asked<bool>,
    /// The proof, if the device could be opened without loading a module.
    proof: Option<Result<i32, Refusal>>,
    cpu: Cpu,
    modules: Asked<Option<String>>,
    /// The user's own id, 0 for root.
    user: u32,
    /// The name of the group that the device belongs to.
    group: Option<String>,
    release: String,
    /// True if `/dev/vhost-vsock` is there.
    has_vsock: bool,
}

/// The processor.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Cpu {
    is_intel: bool,
    /// True if it can run virtual machines, as far as its flags say; `None` without flags, as on
    /// other processors than x86.
    has_extensions: Option<bool>,
    /// True if this machine is a virtual one.
    is_guest: bool,
}

impl Cpu {
    fn of(cpuinfo: &str) -> Self {
        let mut cpu = Self::default();
        for line in cpuinfo.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            match key.trim() {
                "vendor_id" => cpu.is_intel |= value.trim() == "GenuineIntel",
                "flags" => {
                    let has = |wanted: &[&str]| {
                        value.split_whitespace().any(|flag| wanted.contains(&flag))
                    };
                    cpu.has_extensions =
                        Some(cpu.has_extensions == Some(true) || has(&["vmx", "svm"]));
                    cpu.is_guest |= has(&["hypervisor"]);
                }
                _ => {}
            }
        }
        cpu
    }

    fn module(self) -> &'static str {
        match self.is_intel {
            true => "kvm_intel",
            false => "kvm_amd",
        }
    }
}

impl Facts {
    fn of(host: &Host<'_>) -> Self {
        let device = host.files.kind(DEVICE);
        let is_registered = is_registered(host);
        let proof = match (&device, &is_registered) {
            (Ok(Some(kind)), Ok(true)) if !kind.is_directory => Some(host.ask.create_vm()),
            _ => None,
        };
        let text = |path: &str| host.files.text(path).ok().flatten().unwrap_or_default();
        let group = match &device {
            Ok(Some(kind)) => group_name(&text("/etc/group"), kind.group),
            _ => None,
        };
        Self {
            device,
            is_registered,
            proof,
            cpu: Cpu::of(&text("/proc/cpuinfo")),
            modules: host.files.text("/proc/modules"),
            user: host.user,
            group,
            release: text("/proc/sys/kernel/osrelease").trim().to_owned(),
            has_vsock: host.files.has("/dev/vhost-vsock"),
        }
    }

    fn has_module(&self, name: &str) -> bool {
        let modules = self.modules.as_ref().ok().and_then(Option::as_deref);
        let mut names = modules.unwrap_or_default().lines();
        names.any(|line| line.split(' ').next() == Some(name))
    }
}

/// Returns true if the kernel has registered the device: then its module is there.
pub(super) fn is_registered(host: &Host<'_>) -> Asked<bool> {
    if host.files.has("/sys/class/misc/kvm") {
        return Ok(true);
    }
    let misc = host.files.text("/proc/misc")?;
    let is_kvm = |line: &str| line.split_whitespace().nth(1) == Some("kvm");
    Ok(misc.is_some_and(|misc| misc.lines().any(is_kvm)))
}

fn group_name(groups: &str, id: u32) -> Option<String> {
    let is_it = |fields: &Vec<&str>| fields.get(2).and_then(|text| text.parse().ok()) == Some(id);
    let mut lines = groups
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    Some(lines.find(is_it)?.first()?.to_string())
}

pub(super) fn examine(host: &Host<'_>) -> Vec<Check> {
    let mut checks = Checks::of("kvm", PURPOSES);
    let facts = Facts::of(host);
    judge(&facts, &|command| host.as_root(command), &mut checks);
    checks.done()
}

fn judge(facts: &Facts, as_root: &dyn Fn(&str) -> String, checks: &mut Checks) {
    match (&facts.proof, &facts.device, &facts.is_registered) {
        (Some(Ok(_)), _, _) => {
            checks.can("proof", "a virtual machine can be made (KVM_CREATE_VM)");
        }
        (Some(Err(refusal)), _, _) => refused(facts, refusal, as_root, checks),
        (None, Err(unasked), _) | (None, _, Err(unasked)) => checks.unasked("proof", &unasked.0),
        (None, Ok(device), Ok(false)) => not_registered(facts, device.is_some(), as_root, checks),
        (None, Ok(None), Ok(true)) => checks.cannot(
            "device",
            "the kernel has KVM, and there is no /dev/kvm here, as in a container that did not get it",
            as_root("mknod -m 660 /dev/kvm c 10 232  # or start the container with --device /dev/kvm"),
        ),
        (None, Ok(Some(_)), Ok(true)) => checks.cannot(
            "device",
            "/dev/kvm is there, and is no device",
            as_root("rm -r /dev/kvm && mknod -m 660 /dev/kvm c 10 232"),
        ),
    }
    vsock(facts, as_root, checks);
}

/// Explains a virtual machine that could not be made.
fn refused(
    facts: &Facts,
    refusal: &Refusal,
    as_root: &dyn Fn(&str) -> String,
    checks: &mut Checks,
) {
    let errno = Errno::from_raw(refusal.errno);
    let said = format!("{}: {}", refusal.step, errno.desc());
    match errno {
        Errno::EACCES | Errno::EPERM if facts.user != 0 => checks.unasked_but(
            "proof",
            format!(
                "user {} may not open /dev/kvm ({said}); docker and containerd start kata as root, who was not asked",
                facts.user
            ),
            access(facts),
        ),
        Errno::EACCES | Errno::EPERM => checks.cannot(
            "access",
            format!("root may not use /dev/kvm ({said}): a container without the device, or a security module"),
            "docker run --device /dev/kvm --help | head -n 1  # start this container with --device /dev/kvm",
        ),
        Errno::EBUSY => {
            let others = ["vboxdrv", "vmmon"];
            let other = others.into_iter().find(|name| facts.has_module(name));
            checks.cannot(
                "busy",
                format!("another hypervisor has the processor ({said}){}", match other {
                    Some(name) => format!(": {name}"),
                    None => String::new(),
                }),
                as_root(&format!("modprobe -r {}", other.unwrap_or("vboxdrv"))),
            );
        }
        Errno::ENODEV | Errno::ENXIO | Errno::ENOENT | Errno::EOPNOTSUPP => {
            not_registered(facts, true, as_root, checks);
        }
        _ if refusal.step == "KVM_GET_API_VERSION" => checks.cannot(
            "version",
            format!("KVM has the interface {}, and hypervisors need 12", refusal.errno),
            "uname -r  # use a kernel of this century",
        ),
        Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE | Errno::EINTR | Errno::EAGAIN => {
            checks.unasked("proof", format!("no virtual machine could be made now ({said})"));
        }
        _ => checks.cannot(
            "proof",
            format!("no virtual machine can be made ({said})"),
            as_root("dmesg | grep -i kvm"),
        ),
    }
}

/// Returns the command that lets this user open the device, or asks as root.
fn access(facts: &Facts) -> String {
    match (&facts.device, &facts.group) {
        (Ok(Some(kind)), Some(group)) if kind.mode & 0o060 == 0o060 => {
            format!(
                "sudo usermod -aG {group} \"$USER\"  # and log in again; or: sudo kata-ci doctor --for run"
            )
        }
        _ => "sudo kata-ci doctor --for run".to_owned(),
    }
}

/// Explains a kernel that has not registered the device.
fn not_registered(
    facts: &Facts,
    has_device: bool,
    as_root: &dyn Fn(&str) -> String,
    checks: &mut Checks,
) {
    let node = match has_device {
        true => "/dev/kvm stands for a module that is not loaded",
        false => "there is no /dev/kvm",
    };
    let module = facts.cpu.module();
    match (facts.cpu.has_extensions, facts.cpu.is_guest) {
        (Some(false), true) => checks.cannot(
            "nested",
            format!("{node}: this is a virtual machine, and the machine around it does not hand on virtualization"),
            format!(
                "echo 'options {module} nested=1' | sudo tee /etc/modprobe.d/nested.conf  # on the machine around; reload {module} there, and give this machine the processor of the host"
            ),
        ),
        (Some(false), false) => checks.cannot(
            "processor",
            format!("{node}: the processor has no virtualization, or the firmware has it off"),
            as_root("systemctl reboot --firmware-setup  # switch VT-x or SVM on"),
        ),
        (Some(true), _) => checks.cannot(
            "module",
            format!("{node}: the processor can, and {module} is not loaded"),
            as_root(&format!("modprobe {module}")),
        ),
        (None, _) => checks.cannot("module", format!("{node}: KVM is not loaded"), as_root("modprobe kvm")),
    }
}

/// Judges the module for vsock, which another one may have kept out. Both fit side by side from
/// Linux 5.5 on.
fn vsock(facts: &Facts, as_root: &dyn Fn(&str) -> String, checks: &mut Checks) {
    let before = version_in(&facts.release).is_some_and(|release| !at_least(&release, &[5, 5]));
    let others = ["vmw_vsock_vmci_transport", "vmw_vsock_virtio_transport"];
    let other = others.into_iter().find(|name| facts.has_module(name));
    if let (true, Some(other), false) = (before, other, facts.has_module("vhost_vsock"))
        && !facts.has_vsock
    {
        checks.cannot(
            "vsock-busy",
            format!("{other} was loaded first, so vhost_vsock says `Device or resource busy`: agents cannot be reached by vsock"),
            as_root(&format!("modprobe -r {other}")) + " && " + &as_root("modprobe vhost_vsock"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_processor_is_read_as_the_kernel_writes_it() {
        let text =
            "vendor_id\t: GenuineIntel\nflags\t\t: fpu vmx lm\n\nflags\t\t: fpu hypervisor\n";
        let cpu = Cpu {
            is_intel: true,
            has_extensions: Some(true),
            is_guest: true,
        };
        assert_eq!(Cpu::of(text), cpu);
        assert_eq!(Cpu::of("Features\t: fp asimd\n").has_extensions, None);
        let groups = "root:x:0:\nkvm:x:108:ada\n";
        assert_eq!(group_name(groups, 108).as_deref(), Some("kvm"));
        assert_eq!(group_name("x\n:::\n", 108), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = (Cpu::of(&text), group_name(&text, 0));
        }
    }
}
