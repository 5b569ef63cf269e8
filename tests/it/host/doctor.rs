//! Stories of `kata-ci doctor`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::docker::{is_root, program};
use crate::support::proxy::Proxy;
use crate::support::workspace::{git, makefiles, write};
use crate::support::{Finished, KataCi, run_in};

fn doctor(directory: &Path, arguments: &[&str]) -> KataCi {
    KataCi::bare()
        .args(["doctor", "-C"])
        .args([directory])
        .args(arguments)
}

/// Returns a repository of the test's own, with a global configuration of its own.
fn repository() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a directory");
    git(place.path(), &["init", "-q"]);
    write(
        &place.path().join("home/.gitconfig"),
        "[user]\nname = Ada\nemail = ada@example.com\n",
    );
    place
}

fn at_home(call: KataCi, place: &Path) -> KataCi {
    call.env("HOME", place.join("home"))
}

fn states(run: &Finished) -> Vec<(String, String)> {
    let answer: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let checks = answer["checks"].as_array().expect("checks").clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (checks.iter())
        .map(|check| {
            let rule = format!("{}.{}", text(&check["subject"]), text(&check["rule"]));
            (rule, text(&check["state"]))
        })
        .collect()
}

fn state(run: &Finished, rule: &str) -> String {
    let states = states(run);
    let found = states.iter().find(|(name, _)| name == rule);
    found
        .unwrap_or_else(|| panic!("{rule}: {states:?}"))
        .1
        .clone()
}

#[test]
fn outside_of_a_workspace_components_could_not_be_asked_and_the_rest_is_answered() {
    let place = tempfile::tempdir().expect("a directory");
    let run = doctor(place.path(), &[]).finish().expect_code(75);
    assert!(
        run.stdout.contains("check  could not be asked"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("git is "), "{}", run.stdout);
    doctor(&place.path().join("none"), &[])
        .finish()
        .expect_code(2);
}

#[test]
fn a_component_that_lacks_something_is_said_with_its_fix() {
    let place = makefiles(&[("a", "check:\n  true\ntest:\n  true")]);
    let pipeline = "version = 1\nextends = \"makefile\"\n[[component]]\nname = \"a\"\nrequires = [\"program:no-such-program\"]\n";
    doctor(place.path(), &["--for", "check,test"])
        .finish()
        .expect_code(0);
    write(&place.path().join("kata-ci.toml"), pipeline);
    let run = doctor(place.path(), &["--for", "check,test", "--format", "json"]);
    let run = run.finish().expect_code(1);
    assert_eq!(state(&run, "components.requirement"), "cannot");
    write(
        &place.path().join("kata-ci.toml"),
        "version = 1\nnonsense = 1\n",
    );
    let run = doctor(place.path(), &["--for", "check"])
        .finish()
        .expect_code(1);
    assert!(run.stdout.contains("cannot"), "{}", run.stdout);
}

#[test]
fn a_program_that_hangs_could_not_be_asked() {
    let place = repository();
    let bin = place.path().join("bin");
    let program = bin.join("git");
    write(&program, "#!/bin/sh\nexec sleep 1000\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).expect("executable");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"));
    let call = doctor(place.path(), &["--for", "push", "--format", "json"]);
    let run = call.env("PATH", path).finish().expect_code(75);
    assert_eq!(state(&run, "tools.git"), "could-not-be-asked");
    assert!(run.seconds < 120.0, "{}", run.seconds);
}

#[test]
fn a_proxy_of_git_is_asked_and_https_proxy_is_no_setting() {
    let (proxy, place) = (Proxy::start(), repository());
    let url = proxy.url();
    git(
        place.path(),
        &["remote", "add", "origin", "http://127.0.0.1:9/a/runtime"],
    );
    let call = || {
        at_home(
            doctor(place.path(), &["--for", "push", "--format", "json"]),
            place.path(),
        )
    };
    git(place.path(), &["config", "https.proxy", &url]);
    let run = call().finish();
    assert!(
        run.stdout.contains("https.proxy (http://127.0.0.1:"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("s3cret"), "{}", run.stdout);
    // The fix works when it is pasted.
    let answer: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let checks = answer["checks"].as_array().expect("checks");
    let check = checks
        .iter()
        .find(|check| check["rule"] == "https-proxy")
        .expect("said");
    let fix = check["fix"].as_str().expect("a fix");
    let pasted = Command::new("sh")
        .args(["-c", fix])
        .current_dir(place.path())
        .output();
    assert!(pasted.expect("sh").status.success(), "{fix}");
    let run = call().finish();
    assert_eq!(state(&run, "proxy.reachable"), "can");
    assert!(
        run.stdout.contains("http and https by http://127.0.0.1:"),
        "{}",
        run.stdout
    );
    drop(proxy);
    let run = call().finish().expect_code(1);
    assert_eq!(state(&run, "proxy.reachable"), "cannot");
    let unset = "git config --local --unset-all http.proxy";
    assert!(run.stdout.contains(unset), "{}", run.stdout);
}

/// Returns the states of `kata-ci doctor --for run`, with a directory in place of containerd's.
fn with_containerd(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let place = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        write(&place.path().join(name), text);
    }
    let script = "mount --bind \"$1\" /etc/containerd && shift && exec \"$@\"";
    let place = place.path().display().to_string();
    let words = ["unshare", "--mount", "sh", "-c", script, "sh", &place];
    let run = KataCi::bare()
        .args(["doctor", "--for", "run", "--format", "json"])
        .through(&words, Path::new(env!("CARGO_BIN_EXE_kata-ci")))
        .finish();
    states(&run)
}

#[test]
fn a_real_qemu_is_asked_by_its_own_protocol() {
    if program("/usr/bin/qemu-system-x86_64").is_none() {
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    let call = doctor(place.path(), &["--for", "run", "--format", "json"]);
    let run = call.env("PATH", "/usr/bin:/bin").finish();
    assert_eq!(state(&run, "qemu.machine"), "can");
    assert!(
        run.stdout.contains("has the machine type q35"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_real_containerd_says_what_it_makes_of_its_files() {
    let is_there =
        program("/usr/bin/containerd").is_some() && Path::new("/etc/containerd").is_dir();
    if !is_there || !is_root() {
        return;
    }
    let runtime = "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.kata]\nruntime_type = \"io.containerd.kata.v2\"\nruntime_path = \"/bin/sh\"\n";
    let main = format!("version = 2\n{runtime}");
    let has = |states: &[(String, String)], rule: &str, state: &str| {
        let found = states.iter().any(|(name, is)| name == rule && is == state);
        assert!(found, "{rule} {state}: {states:?}");
    };
    let whole = with_containerd(&[("config.toml", &main)]);
    has(&whole, "engines.handler", "can");
    let imports = format!("imports = [\"/etc/containerd/more.toml\"]\n{main}");
    let more = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\nenable_selinux = false\n";
    let replaced = with_containerd(&[("config.toml", &imports), ("more.toml", more)]);
    has(&replaced, "engines.containerd-imports", "cannot");
    let broken = with_containerd(&[("config.toml", "version = 2\n[plugins.cri]\n")]);
    has(&broken, "engines.containerd-config", "cannot");
    let beside = with_containerd(&[
        ("config.toml", "version = 2\n"),
        ("conf.d/kata.toml", &main),
    ]);
    has(&beside, "engines.containerd-conf-d", "cannot");
}

#[test]
fn an_ordinary_user_is_told_what_only_root_can_ask() {
    if !is_root() {
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    let binary = place.path().join("kata-ci");
    std::fs::copy(env!("CARGO_BIN_EXE_kata-ci"), &binary).expect("copied");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.path(), open).expect("open");
    let words = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let run = KataCi::bare()
        .args(["doctor", "--for", "run", "--format", "json", "-C", "/"])
        .env("HOME", "/nonexistent")
        .through(&words, &binary)
        .finish();
    let kvm: Vec<_> = states(&run)
        .into_iter()
        .filter(|(rule, _)| rule.starts_with("kvm."))
        .collect();
    let is_denied = std::fs::metadata("/dev/kvm")
        .is_ok_and(|kvm| std::os::unix::fs::MetadataExt::mode(&kvm) & 0o006 == 0);
    let denied = [("kvm.proof".to_owned(), "could-not-be-asked".to_owned())];
    assert!(!is_denied || kvm == denied, "{kvm:?}");
    assert!(!run.stdout.contains("panicked"), "{}", run.stdout);
}

#[test]
fn a_tool_of_the_pipeline_is_installed_once_and_is_on_the_path_of_jobs() {
    let place = makefiles(&[("a", "check:\n  hello\ntest:\n  true")]);
    let pipeline = "version = 1\nextends = \"makefile\"\n[tools]\nhello = \"go:example.com/hello@v1.2.3\"\n[[component]]\nname = \"a\"\nrequires = [\"program:hello\"]\n";
    write(&place.path().join("kata-ci.toml"), pipeline);
    // The modules of Go are elsewhere: this one makes the program that it is asked for.
    let go = place.path().join("bin/go");
    write(
        &go,
        "#!/bin/sh\n[ \"$1 $2\" = 'install example.com/hello@v1.2.3' ] || exit 9\nprintf '#!/bin/sh\\necho hello\\n' > \"$GOBIN/hello\"\nchmod +x \"$GOBIN/hello\"\necho \"$2\" >> \"$HOME/installed\"\n",
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&go, mode).expect("executable");
    let home = place.path().join("home");
    std::fs::create_dir(&home).expect("a home");
    let path = format!("{}:/usr/bin:/bin", place.path().join("bin").display());
    let at_home = |call: KataCi| {
        call.env("HOME", &home)
            .env("XDG_STATE_HOME", home.join("state"))
            .env("PATH", &path)
    };
    let run = || at_home(run_in(place.path()).args(["-s", "check"])).finish();
    assert_ne!(run().code, 0);
    let call = doctor(place.path(), &["--for", "check"]);
    let missing = at_home(call).finish().expect_code(1);
    let fix = "$ kata-ci doctor --install\n";
    assert!(missing.stdout.contains(fix), "{}", missing.stdout);
    for _ in 0..2 {
        let call = doctor(
            place.path(),
            &["--install", "--for", "check", "--format", "json"],
        );
        let installed = at_home(call).finish().expect_code(0);
        assert_eq!(state(&installed, "install.install"), "can");
    }
    let installed = std::fs::read_to_string(home.join("installed")).expect("installed");
    assert_eq!(installed, "example.com/hello@v1.2.3\n");
    assert_eq!(run().code, 0);
    // What cannot be had is said.
    write(
        &place.path().join("kata-ci.toml"),
        &pipeline.replace("v1.2.3", "v9.9.9"),
    );
    let call = doctor(
        place.path(),
        &["--install", "--for", "check", "--format", "json"],
    );
    let refused = at_home(call).finish().expect_code(1);
    assert_eq!(state(&refused, "install.install"), "cannot");
    // Nothing is left of it.
    let tools = std::fs::read_dir(home.join("state/kata-ci/tools")).expect("tools");
    let names = tools.map(|entry| entry.expect("an entry").file_name());
    let whole = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("hello-v1.2.3-");
    let mut names: Vec<_> = names.filter(|name| name != "lock").collect();
    names.retain(|name| !whole(name));
    assert!(names.is_empty(), "{names:?}");
    write(
        &place.path().join("kata-ci.toml"),
        &pipeline.replace("go:", "curl:"),
    );
    let call = doctor(place.path(), &["--install", "--for", "check"]);
    let refused = at_home(call).finish().expect_code(1);
    assert!(refused.stdout.contains("cannot"), "{}", refused.stdout);
}

/// `kata-ci diag kernel VHOST_VSOCK`, and what doctor says of the same file.
#[test]
fn the_options_of_the_kernel_are_told_with_their_meaning() {
    if !is_root() {
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("config");
    write(
        &file,
        "CONFIG_VHOST_VSOCK=m\nCONFIG_TUN=y\n# CONFIG_VHOST_NET is not set\n",
    );
    // The configuration of this kernel, for as long as the command runs.
    let script = "if [ -e /proc/config.gz ]; then mount --bind \"$1\" /proc/config.gz; else mount -t tmpfs none /boot && cp \"$1\" \"/boot/config-$(uname -r)\"; fi && shift && exec \"$@\"";
    let file = file.display().to_string();
    let words = ["unshare", "--mount", "sh", "-c", script, "sh", &file];
    let call = |arguments: &[&str]| {
        KataCi::bare()
            .args(arguments)
            .through(&words, Path::new(env!("CARGO_BIN_EXE_kata-ci")))
            .finish()
    };
    let one = call(&["diag", "kernel", "VHOST_VSOCK"]).expect_code(0);
    assert!(
        one.stdout.starts_with("CONFIG_VHOST_VSOCK=m    # /"),
        "{}",
        one.stdout
    );
    call(&["diag", "kernel", "VHOST_NET"]).expect_code(1);
    let all = call(&["diag", "kernel"]).expect_code(0);
    assert!(all.stdout.contains("\nCONFIG_TUN=y\n"), "{}", all.stdout);
    let run = call(&["doctor", "--for", "run"]).expect_code(1);
    let has = |words: &[&str]| {
        let found = (run.stdout.lines()).any(|line| words.iter().all(|word| line.contains(word)));
        assert!(found, "{words:?}: {}", run.stdout);
    };
    has(&[
        "cannot ",
        "CONFIG_VHOST_NET is not in kernel",
        "(virtio-net)",
    ]);
    has(&["cannot ", "CONFIG_NET_SCH_INGRESS", "tcfilter"]);
    has(&["can ", "options of kernel", "are there"]);
    assert!(!run.stdout.contains("CONFIG_TUN is"), "{}", run.stdout);
}

/// Every complaint of doctor about this very machine is held against the machine itself.
#[test]
fn this_machine_has_no_false_alarm() {
    if program("/usr/bin/qemu-system-x86_64").is_none() {
        return;
    }
    let place = makefiles(&[("a", "check:\n  true\ntest:\n  true")]);
    write(
        &place.path().join("home/.gitconfig"),
        "[user]\nname = Ada\nemail = ada@example.com\n",
    );
    let call = doctor(place.path(), &["--for", "build,check,test,run"]);
    let run = at_home(call.args(["--format", "json"]), place.path()).finish();
    let answer: Value = serde_json::from_str(&run.stdout).expect("JSON");
    for one in answer["answers"].as_array().expect("answers") {
        assert!(one["for"] == "run" || one["state"] == "can", "{one}");
    }
    let checks = answer["checks"].as_array().expect("checks");
    let alarms = checks.iter().filter(|check| check["state"] == "cannot");
    let has_kata = ["/opt/kata", "/usr/bin/kata-runtime"].map(|path| Path::new(path).exists());
    for check in alarms {
        let text = check["text"].as_str().expect("a text");
        let is_true = match check["subject"].as_str().expect("a subject") {
            "kernel" => is_missing_option(text),
            "kvm" => !makes_a_machine(),
            "kata" | "engines" | "qemu" => has_kata == [false, false],
            _ => false,
        };
        assert!(is_true, "{check}");
    }
    let says_kvm = checks.iter().any(|check| {
        check["subject"] == "kvm" && check["rule"] == "proof" && check["state"] == "can"
    });
    assert_eq!(says_kvm, makes_a_machine(), "{}", run.stdout);
}

/// Returns true if a text complains of an option that this kernel does not have built in.
fn is_missing_option(text: &str) -> bool {
    let name = text.split(' ').next().expect("a word");
    let option = KataCi::bare().args(["diag", "kernel", name]).finish();
    !option.stdout.contains(&format!("{name}=y"))
}

/// Returns true if qemu gets a virtual machine from KVM.
fn makes_a_machine() -> bool {
    use std::io::Write;
    let words = "-machine none,accel=kvm -nodefaults -no-user-config -display none -S -qmp stdio";
    let mut qemu = Command::new("/usr/bin/qemu-system-x86_64")
        .args(words.split(' '))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("qemu");
    let orders = b"{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"quit\"}\n";
    // It may be gone already, because it has no KVM.
    let _ = qemu.stdin.take().expect("piped").write_all(orders);
    qemu.wait().expect("waited").success()
}

/// Each package manager, for real: run by `make soak`.
#[test]
#[ignore = "builds and downloads for minutes"]
fn each_source_of_a_tool_is_really_had() {
    let place = makefiles(&[(
        "a",
        "check:\n\txurls --version || true\n\tyamllint --version\n\tjq --version\n\tb3sum --version\n",
    )]);
    let tools = [
        ("xurls", "go:mvdan.cc/xurls/v2/cmd/xurls@v2.2.0"),
        ("b3sum", "cargo:b3sum@1.5.0"),
        ("yamllint", "pip:yamllint@1.35.1"),
        ("jq", "apt:jq"),
    ];
    let tools = tools.map(|(name, source)| format!("{name} = '{source}'\n"));
    let text = format!(
        "version = 1\nextends = 'makefile'\n[tools]\n{}",
        tools.concat()
    );
    write(&place.path().join("kata-ci.toml"), &text);
    let state = place.path().join("state");
    let call = doctor(place.path(), &["--install", "--for", "check"]);
    let installed = call.env("XDG_STATE_HOME", &state).finish().expect_code(0);
    for name in ["xurls", "b3sum", "yamllint", "jq"] {
        let line = (installed.stdout.lines())
            .any(|line| line.contains(&format!("{name} (")) && line.contains("was installed into"));
        assert!(line, "{name}: {}", installed.stdout);
    }
    let run = run_in(place.path()).args(["-s", "check", "--isolate", "on"]);
    let run = run.env("XDG_STATE_HOME", &state).finish();
    assert_eq!(run.code, 0, "{}", run.printed());
}
