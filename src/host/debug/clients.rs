//! The settings of the clients of a debugger.

use super::swapper::Swapper;

/// Returns the settings of GoLand, VS Code and dlv, and the way in from another machine.
pub fn settings(swapper: &Swapper, name: &str, is_trimmed: bool) -> String {
    let mut text =
        format!("docker run --rm -ti --runtime {name} busybox sh    # waits for a client\n\n");
    let Some((address, port)) = swapper
        .listen
        .rsplit_once(':')
        .filter(|_| !swapper.listen.starts_with("unix:"))
    else {
        let socket = swapper.listen.trim_start_matches("unix:");
        text.push_str(&format!(
            "dlv        dlv connect unix:{socket}\nssh        ssh -L 2345:{socket} root@HOST, then GoLand or VS Code with 127.0.0.1:2345\n"
        ));
        return text;
    };
    let paths = match is_trimmed {
        true => {
            ",\n             \"substitutePath\": [{\"from\": \"${workspaceFolder}\", \"to\": \"github.com/kata-containers/runtime\"}]"
        }
        false => "",
    };
    text.push_str(&format!(
        "GoLand     Run, Edit Configurations, +, Go Remote: Host {address}, Port {port}; then a breakpoint, and Debug
VS Code    in .vscode/launch.json, \"configurations\":
           {{\"name\": \"kata\", \"type\": \"go\", \"request\": \"attach\", \"mode\": \"remote\", \"host\": \"{address}\", \"port\": {port}{paths}}}
dlv        dlv connect {address}:{port}
ssh        ssh -L {port}:{address}:{port} root@HOST, then the above with 127.0.0.1
"
    ));
    text.push_str(match swapper.any_user {
        true => "users      every user of that machine can connect, and whoever connects is root there\n",
        false => "users      only root of that machine can connect: dlv closes the connection of another user (ssh -L as that user is one); --any-user lets all in\n",
    });
    text
}

/// Returns the words on runtime-rs, which dlv cannot debug.
pub fn of_rust(shim: &str) -> String {
    format!(
        "dlv is for Go, and {shim} is written in Rust (runtime-rs): use gdb or lldb.

    build it with debug information: make -C src/runtime-rs BUILD_TYPE=debug
    a sandbox that runs: rust-gdb -p \"$(pgrep -f {shim} | head -n 1)\"
    (gdb) rbreak virt_container::sandbox::.*start
    from its beginning: containerd starts it, so have gdb wait for it:
    while ! pid=$(pgrep -nf {shim}); do :; done; rust-gdb -p \"$pid\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn each_client_has_its_settings() {
        let mut swapper = Swapper::of(Path::new("/usr/bin/kata-runtime"), Path::new("/dlv"));
        let text = settings(&swapper, "dlv", true);
        for words in [
            "docker run --rm -ti --runtime dlv busybox",
            "Go Remote: Host 127.0.0.1, Port 2345",
            "\"mode\": \"remote\", \"host\": \"127.0.0.1\", \"port\": 2345,",
            "substitutePath",
            "dlv connect 127.0.0.1:2345",
            "ssh -L 2345:127.0.0.1:2345 root@HOST",
            "only root of that machine",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        swapper.any_user = true;
        assert!(settings(&swapper, "dlv", false).contains("every user"));
        swapper.listen = "unix:/run/kata-ci/dlv.sock".to_owned();
        assert!(
            settings(&swapper, "dlv", false).contains("dlv connect unix:/run/kata-ci/dlv.sock")
        );
    }
}
