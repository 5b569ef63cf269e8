//! Root's mounts, devices and links: the same by hand and in a job, and gone from the host.

use std::path::Path;
use std::process::Command;

use crate::support::isolation::{Lab, Who};

/// Does the same as tests of agents and runtimes, and prints for each action if it worked. It
/// cleans up only what would stay on a host without any isolation.
const AS_ROOT: &str = r#"
place=$(mktemp -d)
try() { what=$1; shift; if ("$@") >/dev/null 2>"$place/words"; then echo "$what: yes"; else echo "$what: no"; fi; }
mkdir "$place/dev" "$place/tmpfs" "$place/proc" "$place/sys" "$place/moved" "$place/upper"
try 'bind /dev' mount --bind /dev "$place/dev"
try 'device through it' sh -c "echo x > $place/dev/null"
try tmpfs mount -t tmpfs none "$place/tmpfs"
mkdir "$place/tmpfs/lower" "$place/tmpfs/upper" "$place/tmpfs/work" "$place/tmpfs/merged"
try proc mount -t proc none "$place/proc"
try sysfs mount -t sysfs none "$place/sys"
try overlay mount -t overlay none -o "lowerdir=$place/tmpfs/lower,upperdir=$place/tmpfs/upper,workdir=$place/tmpfs/work" "$place/tmpfs/merged"
try 'writing to overlay' touch "$place/tmpfs/merged/file"
try 'moving a mount' mount --move "$place/proc" "$place/moved"
try propagation unshare -m --propagation unchanged sh -c "mount -t tmpfs none $place/upper"
try 'it came back' mountpoint "$place/upper"
try mknod mknod "$place/null" c 1 3
try 'writing to it' sh -c "echo x > $place/null"
try 'mknod below tmpfs' sh -c "mknod $place/tmpfs/null c 1 3 && echo x > $place/tmpfs/null"
touch "$place/file"
try chown sh -c "chown 4242:4343 $place/file && test \$(stat -c %u:%g $place/file) = 4242:4343"
try '/sys' sh -c 'cat /sys/kernel/mm/transparent_hugepage/enabled | sed "s/.*\[\(.*\)\].*/\1/" > /sys/kernel/mm/transparent_hugepage/enabled'
try '/sys/bus/pci/rescan' sh -c 'test ! -e /sys/bus/pci/rescan || echo 1 > /sys/bus/pci/rescan'
try '/proc/sys' sh -c 'cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness'
try oom sh -c 'echo -500 > /proc/self/oom_score_adj'
try 'dummy link' ip link add kcitest0 type dummy
try 'it is in /sys' test -e /sys/class/net/kcitest0
try 'link up' ip link set kcitest0 up
try 'control groups' sh -c 'ls /sys/fs/cgroup | grep -q .'
group=$(sed -n '/ cgroup2\? /{s/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\) .*/\1/p}' /proc/self/mountinfo | grep -m1 -E 'pids|unified|cgroup$')/kcitest$$
try 'own control group' sh -c "mkdir $group && sh -c 'echo \$\$ > $group/cgroup.procs' && rmdir $group"
try 'network namespace' unshare -n ip link set lo up
try chroot sh -c 'chroot / true'
try 'user namespace' unshare -Ur true
ip link del kcitest0 2>/dev/null
for mount in upper dev sys moved tmpfs/merged tmpfs proc; do umount "$place/$mount" 2>/dev/null; done
if [ -n "$LEAVE" ]; then
    mount -t tmpfs none "$place/tmpfs"
    mount --bind /dev "$HERE"
    ip link add kcileft0 type dummy
    setsid sleep 54321 &
fi
rm -rf "$place"
"#;

/// Nothing is mounted on the host itself, whatever comes of it.
const APART: [&str; 2] = ["unshare", "--mount"];

fn lab_name(lab: &Lab) -> String {
    lab.path("work").display().to_string()
}

fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mountinfo").expect("the mounts")
}

#[test]
fn what_root_does_comes_out_as_by_hand_with_each_isolation_but_strict() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root does what is tried here");
        return;
    }
    let lab = Lab::new(AS_ROOT);
    let by_hand = Command::new(APART[0])
        .args(&APART[1..])
        .args(["sh", "probe.sh"])
        .current_dir(lab.path("work/a"))
        .output()
        .expect("by hand");
    let by_hand = String::from_utf8_lossy(&by_hand.stdout).into_owned();
    assert!(by_hand.contains("mknod: yes"), "{by_hand}");
    for isolate in ["off", "auto"] {
        let call = lab.call(Who::Myself, &["a", "--isolate", isolate]);
        let run = call.through(&APART, Path::new("env")).finish();
        assert_eq!(run.log("a.check"), by_hand, "--isolate {isolate}");
    }
}

#[test]
fn nothing_of_roots_mounts_links_and_processes_is_left() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root does what is tried here");
        return;
    }
    let lab = Lab::new(&AS_ROOT.replace("$LEAVE", "yes").replace("$HERE", "."));
    // Each of the job's mounts would have one of these words.
    let is_ours = |line: &&str| line.contains("/tmp.") || line.contains(lab_name(&lab).as_str());
    let run = lab.run(Who::Myself, &["a", "--isolate", "auto"]);
    assert!(run.log("a.check").contains("mknod: yes"));
    let mounts = mounts();
    assert_eq!(mounts.lines().find(is_ours), None);
    assert!(!Path::new("/sys/class/net/kcileft0").exists());
    let left = run.job("a.check")["left_behind"].to_string();
    assert!(left.contains("sleep") && left.contains("(tmpfs)"), "{left}");
    let sleeping = Command::new("pgrep").args(["-f", "sleep 54321"]).output();
    assert_eq!(
        String::from_utf8_lossy(&sleeping.expect("pgrep").stdout),
        ""
    );
}
