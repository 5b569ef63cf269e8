//! Rules, routes and links of a namespace of the test's own, and of a sandbox in it.

use std::process::Command;

use crate::support::host::{is_root, real};

/// Sets up a network in a namespace of its own, with one for a sandbox as kata makes it, and shows
/// it: `iptables -t nat -S` and `ip r`.
const SCRIPT: &str = r#"
set -e
mount --make-rprivate /
mount -t tmpfs none /run
ip link set lo up
ip link add veth0 type veth peer name veth1
ip addr add 10.9.8.7/24 dev veth0
ip link set veth0 up
ip route add 10.77.0.0/16 dev veth0
iptables-nft -t nat -A POSTROUTING -s 10.9.8.0/24 -j MASQUERADE -m comment --comment "token=Zq7-secret" || echo no nft >&2
iptables-legacy -t nat -A PREROUTING -p tcp --dport 8081 -j REDIRECT --to-ports 81 2>/dev/null || echo no legacy >&2
nft add table inet kata
nft 'add chain inet kata c { type filter hook input priority 0; }'
nft add rule inet kata c tcp dport 4711 drop
ip netns add sandbox
ip -n sandbox link add eth0 type veth peer name tap0_kata
ip -n sandbox addr add 10.1.2.3/24 dev eth0
ip -n sandbox link set eth0 up
ip -n sandbox link set tap0_kata up
tc -n sandbox qdisc add dev eth0 handle ffff: ingress 2>/dev/null &&
tc -n sandbox filter add dev eth0 parent ffff: protocol all u32 match u8 0 0 action mirred egress redirect dev tap0_kata 2>/dev/null || echo no filter >&2
exec "$0" diag net
"#;

#[test]
fn the_network_of_the_host_and_of_a_sandbox_is_shown() {
    if !is_root() || real("nft").is_none() || real("iptables-nft").is_none() {
        return;
    }
    let done = Command::new("unshare")
        .args([
            "--net",
            "--mount",
            "sh",
            "-c",
            SCRIPT,
            env!("CARGO_BIN_EXE_kata-ci"),
        ])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{errors}\n{text}");
    for line in [
        "10.77.0.0/16 dev veth0",
        "inet 10.9.8.7/24",
        "tcp dport 4711 drop",
        "# sandbox",
        "inet 10.1.2.3/24",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}\n{errors}");
    }
    for (missing, line) in [
        ("no nft", "-A POSTROUTING -s 10.9.8.0/24"),
        ("no legacy", "--dport 8081 -j REDIRECT --to-ports 81"),
        ("no filter", "mirred (Egress Redirect to device tap0_kata)"),
    ] {
        assert!(
            errors.contains(missing) || text.contains(line),
            "no {line} in\n{text}\n{errors}"
        );
    }
    assert!(!text.contains("Zq7-secret"), "{text}");
}
