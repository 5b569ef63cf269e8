//! The work of a kata developer by hand, line by line: docs/host.md has the line with its command,
//! and a story runs that command.

use std::fs;
use std::path::Path;

/// A line by hand, its command, and the file and name of the story that runs it.
type Note = (&'static str, &'static str, &'static str, &'static str);

const NOTES: &[Note] = &[
    (
        "git config --global http.proxy",
        "kata-ci doctor --for push",
        "doctor",
        "a_proxy_of_git_is_asked_and_https_proxy_is_no_setting",
    ),
    (
        "git config --global https.proxy",
        "kata-ci doctor --for push",
        "doctor",
        "a_proxy_of_git_is_asked_and_https_proxy_is_no_setting",
    ),
    (
        "cat /boot/config-`uname -r`",
        "kata-ci diag kernel",
        "diag",
        "the_kernels_configuration_is_shown_whole_or_by_option",
    ),
    (
        "CONFIG_VHOST_VSOCK=m",
        "kata-ci diag kernel VHOST_VSOCK",
        "doctor",
        "the_options_of_the_kernel_are_told_with_their_meaning",
    ),
    (
        "ps xf -o pid,ppid,stat,args",
        "kata-ci diag ps",
        "diag",
        "the_process_tree_is_shown",
    ),
    (
        "git push origin HEAD:refs/for/master",
        "kata-ci push",
        "notes",
        "head_is_pushed_for_review",
    ),
    (
        "journalctl -f -t kata-runtime --since now",
        "kata-ci diag --follow kata-runtime",
        "diag",
        "a_tag_is_followed_while_its_journal_grows",
    ),
    (
        "journalctl -t kata-runtime --since '1 min ago' > tmp.log",
        "kata-ci diag --since '1 min ago'",
        "diag",
        "a_fatal_line_of_a_log_fails",
    ),
    (
        r"cat config.json \| python -m json.tool",
        "kata-ci diag json config.json",
        "diag",
        "json_is_shown_or_its_error_has_a_caret",
    ),
    (
        "iptables -t nat -S",
        "kata-ci diag net",
        "diag_network",
        "the_network_of_the_host_and_of_a_sandbox_is_shown",
    ),
    (
        "ip r",
        "kata-ci diag net",
        "diag_network",
        "the_network_of_the_host_and_of_a_sandbox_is_shown",
    ),
    (
        r"cat <<EOF \| tee /home/test1.sh",
        "kata-ci console --debug SANDBOX < FILE",
        "console",
        "a_script_is_made_in_the_guest_through_a_pipe",
    ),
    (
        "export KATA_DEV_MODE=true",
        "kata-ci run runtime",
        "notes",
        "the_variables_of_the_notes_are_those_of_the_pipeline",
    ),
    (
        "docker.service.d/kata-containers.conf",
        "kata-ci docker apply --default --by drop-in",
        "docker",
        "the_drop_in_keeps_the_flags_of_the_distribution",
    ),
    (
        r#"{"kata-runtime": {"path": "/usr/bin/kata-runtime"}}"#,
        "kata-ci docker apply --default",
        "docker",
        "daemon_json_of_kata_1_is_that_of_the_notes",
    ),
    (
        "unix:/run/vc/vm/${sandbox-id}/console.sock",
        "kata-ci console SANDBOX",
        "console",
        "the_console_of_a_vm_is_read_typed_to_and_left",
    ),
    (
        r#""dlv": {"path": "/usr/bin/kata-runtime.swapper"}"#,
        "kata-ci debug enable",
        "debug",
        "the_swapper_stands_beside_the_runtime_as_in_the_notes",
    ),
    (
        "docker run --runtime dlv -d -ti busybox /bin/sh",
        "docker run --rm -ti --runtime dlv busybox sh",
        "debug_exec",
        "docker_run_with_the_runtime_dlv_stops_at_a_breakpoint",
    ),
];

#[test]
fn each_line_by_hand_has_its_command_and_its_story() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/host.md")).expect("the page");
    for (line, command, file, story) in NOTES {
        assert!(page.contains(line), "docs/host.md lacks: {line}");
        assert!(page.contains(command), "docs/host.md lacks: {command}");
        let path = root.join(format!("tests/it/host/{file}.rs"));
        let stories = fs::read_to_string(path).expect("stories");
        let function = format!("#[test]\nfn {story}() {{");
        assert!(stories.contains(&function), "{file}.rs lacks: {story}");
    }
}

/// `export KATA_DEV_MODE=true`, `export KATA_CI_NO_NETWORK=true`, `make check`, `make test`.
#[test]
fn the_variables_of_the_notes_are_those_of_the_pipeline() {
    let place = tempfile::tempdir().expect("a directory");
    crate::support::workspace::write(
        &place.path().join("proxy/Makefile"),
        "check test:\n\t@echo $@ $$KATA_DEV_MODE $$KATA_CI_NO_NETWORK >> said\n",
    );
    crate::support::workspace::write(
        &place.path().join("kata-ci.toml"),
        "version = 1\nextends = 'kata-v1'\nlayout = 'plain'\n[[component]]\nname = 'proxy'\npath = 'proxy'\nrequires = []\n\
         [[component]]\nname = 'runtime'\nremove = true\n[[component]]\nname = 'agent'\nremove = true\n[[component]]\nname = 'shim'\nremove = true\n\
         [[step]]\nname = 'check'\nexpect = 'exit'\n[[step]]\nname = 'test'\nexpect = 'exit'\n",
    );
    let run = crate::support::run_in(place.path()).finish();
    assert_eq!(run.code, 0, "{}", run.printed());
    let said = fs::read_to_string(place.path().join("proxy/said")).expect("said");
    let mut lines: Vec<_> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["check true true", "test true true"]);
}

/// `git push origin HEAD:refs/for/master`.
#[test]
fn head_is_pushed_for_review() {
    use crate::support::gerrit::{Transport, User, server};
    let Some(server) = server() else {
        return;
    };
    let project = server.project("notes");
    let clone = project.clone_as(User::Admin, Transport::Ssh);
    let id = clone.commit_with_id("file", "proxy: a change");
    clone.call(&["push", "--no-check"]).expect(0);
    let change = project.change(&id).expect("a change");
    assert_eq!(change["branch"], "master");
}
