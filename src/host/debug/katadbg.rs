//! kata's own script for the Go shim, `containerd-shim-katadbg-v2`, made ready for a host.
//!
//! The script is that of a kata checkout. Three of its lines are changed: the shim, the place of
//! dlv, and the address that dlv listens on, which would be all of them otherwise.

use std::path::Path;

/// The script in a kata checkout.
pub const SCRIPT: &str = "tools/containerd-shim-katadbg-v2";
/// The place of the script on a host. containerd looks for it on its PATH.
pub const PLACE: &str = "/usr/local/bin/containerd-shim-katadbg-v2";

/// Returns the script for this shim. `None` if a line that has to be changed is not there.
pub(super) fn adapted(script: &str, shim: &Path, dlv: &Path, listen: &str) -> Option<String> {
    let (address, port) = listen.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let (mut has_shim, mut has_port, mut listens) = (false, false, false);
    let mut text = String::new();
    for line in script.lines() {
        let line = match line {
            line if line.starts_with("SHIM_BINARY=") => {
                has_shim = true;
                format!("SHIM_BINARY={}", quoted(shim))
            }
            line if line.starts_with("DLV_PORT=") => {
                has_port = true;
                format!("DLV_PORT={port}")
            }
            line if line.starts_with("export PATH=") => {
                let directory = dlv.parent().unwrap_or(Path::new("/usr/local/bin"));
                format!("export PATH={}:${{PATH}}", quoted(directory))
            }
            line if line.contains("--listen=:${DLV_PORT}") => {
                listens = true;
                line.replace("--listen=:", &format!("--listen={address}:"))
            }
            line => line.to_owned(),
        };
        text.push_str(&line);
        text.push('\n');
    }
    (has_shim && has_port && listens).then_some(text)
}

fn quoted(path: &Path) -> String {
    crate::probe::quoted(path)
}

/// Returns what is left to do by hand, and how a client follows the shim, which executes itself.
pub fn words(shim: &Path, port: &str) -> String {
    let name = shim.file_name().unwrap_or_default().to_string_lossy();
    format!(
        "containerd, in /etc/containerd/config.toml or a file of conf.d (version = 3; with version = 2 the plugin is \"io.containerd.grpc.v1.cri\"):

    [plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.katadbg]
      runtime_type = \"io.containerd.katadbg.v2\"

CRI-O, in /etc/crio/crio.conf.d/99-katadbg.conf:

    [crio.runtime.runtimes.katadbg]
      runtime_path = \"{PLACE}\"
      runtime_root = \"/run/vc\"
      runtime_type = \"vm\"
      privileged_without_host_devices = true

docker 24 or newer: kata-ci docker apply --name katadbg --path {PLACE}

Then: crictl runp --runtime=katadbg sandbox.json, which waits for a client:

    dlv connect 127.0.0.1:{port}
    (dlv) target follow-exec -on .*/{name}
    (dlv) break virtcontainers.CreateSandbox
    (dlv) continue

The first line is needed: the shim starts itself again and ends. VS Code cannot say it: a `dlv connect` has to say it first.
A shim that runs already is simpler, and surer (dlv 1.27.2 can run past the breakpoints of a shim that it has followed):
dlv attach PID --headless --listen=127.0.0.1:{port}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_gets_its_shim_and_listens_for_this_machine_only() {
        let script = "#!/bin/bash\nSHIM_BINARY=/go/x\nDLV_PORT=12345\nexport PATH=/usr/local/go/bin/:${PATH}\ndlv exec ${SHIM_BINARY} --headless --listen=:${DLV_PORT} -- \"\\$@\"\n";
        let made = adapted(
            script,
            Path::new("/opt/k/shim"),
            Path::new("/opt/go/bin/dlv"),
            "127.0.0.1:2345",
        );
        assert_eq!(
            made.unwrap(),
            "#!/bin/bash\nSHIM_BINARY=/opt/k/shim\nDLV_PORT=2345\nexport PATH=/opt/go/bin:${PATH}\ndlv exec ${SHIM_BINARY} --headless --listen=127.0.0.1:${DLV_PORT} -- \"\\$@\"\n"
        );
        for gone in ["SHIM_BINARY=", "DLV_PORT=1", "--listen=:"] {
            let other = script.replace(gone, "x");
            assert_eq!(
                adapted(&other, Path::new("/s"), Path::new("/dlv"), "127.0.0.1:1"),
                None,
                "{gone}"
            );
        }
        assert_eq!(
            adapted(script, Path::new("/s"), Path::new("/dlv"), "unix:/s"),
            None
        );
    }
}
