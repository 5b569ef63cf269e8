//! Tests the levels of isolation and their reports: for root, for an ordinary user, and on a host
//! that allows nothing.

use std::net::TcpListener;
use std::path::Path;

use crate::support::isolation::{Lab, Who};
use crate::support::workspace::makefiles;
use crate::support::{Finished, run_in};

const ENFORCED: [&str; 3] = ["enforced"; 3];

/// Returns the reported isolation of network, processes and files.
fn said(run: &Finished) -> [String; 3] {
    let isolation = run.result()["isolation"].clone();
    ["network", "processes", "files"]
        .map(|part| isolation[part].as_str().expect("a word").to_owned())
}

#[test]
fn everything_is_enforced_as_whoever_runs_this() {
    enforced(Who::Myself);
}

#[test]
fn everything_is_enforced_as_an_ordinary_user() {
    enforced(Who::User);
}

fn enforced(who: Who) {
    let lab = Lab::new("echo checked");
    for arguments in [
        &["--isolate", "auto", "--network", "auto"][..],
        &["--isolate", "on"],
        &["--isolate", "on", "--network", "off"],
        &["--network", "off"],
    ] {
        let run = lab.run(who, arguments).expect_code(0);
        assert_eq!(said(&run), ENFORCED, "{who:?} {arguments:?}");
        assert_eq!(run.job("a.check")["isolation"]["files"], "enforced");
        let properties = ["network", "processes", "files"];
        for property in
            properties.map(|part| format!("name=\"isolation.{part}\" value=\"enforced\""))
        {
            assert_eq!(run.junit().matches(&property).count(), 2, "{property}");
        }
        let printed = run.printed();
        assert!(!printed.contains("advisory"), "{printed}");
        assert!(
            printed.contains(" | enforced: network, processes, files\n"),
            "{printed}"
        );
    }
}

#[test]
fn where_the_host_forbids_it_auto_runs_and_says_advisory_for_each() {
    let lab = Lab::new("echo checked");
    let run = lab.run(Who::Forbidden, &[]).expect_code(0);
    for said in said(&run) {
        assert!(said.starts_with("advisory: making namespaces: "), "{said}");
    }
    assert!(
        run.printed()
            .contains("isolation is advisory only: network, processes, files"),
        "{}",
        run.printed()
    );
    assert!(
        run.junit()
            .contains("name=\"isolation.network\" value=\"advisory: "),
        "{}",
        run.junit()
    );
}

#[test]
fn where_the_host_forbids_it_off_and_on_are_exit_69_and_nothing_runs() {
    let lab = Lab::new("touch ran");
    for (arguments, what) in [
        (
            ["--network", "off"],
            "network off is asked for a.check, and cannot be kept here: ",
        ),
        (
            ["--isolate", "on"],
            "isolate on is asked for a.check, and cannot be kept here: ",
        ),
    ] {
        let run = lab.run(Who::Forbidden, &arguments).expect_code(69);
        assert!(
            run.stderr.contains(what) && run.stderr.contains("= help: "),
            "{}",
            run.stderr
        );
        assert!(!lab.path("work/a/ran").exists());
    }
}

#[test]
fn where_the_host_forbids_it_the_pipelines_word_is_kept_too() {
    for line in ["network = 'off'", "isolate = 'on'"] {
        let lab = Lab::new("touch ran");
        let pipeline = format!("version = 1\nextends = 'makefile'\n[defaults]\n{line}\n");
        crate::support::workspace::write(&lab.path("work/kata-ci.toml"), &pipeline);
        lab.run(Who::Forbidden, &[]).expect_code(69);
        lab.run(Who::Forbidden, &["--network", "auto", "--isolate", "auto"])
            .expect_code(0);
    }
}

/// A script that connects to an address and prints the result.
fn connect(address: &str, port: u16) -> String {
    format!(
        "python3 -c 'import socket; socket.create_connection((\"{address}\", {port}), 3)' && echo reached\n"
    )
}

#[test]
fn a_job_reaches_no_network_but_a_step_that_is_to_have_one_does() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    for who in [Who::Myself, Who::User] {
        let lab = Lab::new(&format!("{} exit 0", connect("127.0.0.1", port)));
        let run = lab.run(who, &["a", "--network", "on"]).expect_code(0);
        assert!(
            run.log("a.check").contains("reached"),
            "{}",
            run.log("a.check")
        );
        assert_eq!(said(&run), ["off", "enforced", "enforced"]);
        let run = lab
            .run(who, &["a", "--network", "on", "--isolate", "on"])
            .expect_code(0);
        assert!(
            run.log("a.check").contains("reached"),
            "{}",
            run.log("a.check")
        );
        for arguments in [
            &["a"][..],
            &["a", "--network", "off"],
            &["a", "--network", "off", "--isolate", "off"],
        ] {
            let run = lab.run(who, arguments).expect_code(0);
            let log = run.log("a.check");
            assert!(
                log.contains("refused") && !log.contains("reached"),
                "{arguments:?}: {log}"
            );
        }
    }
}

#[test]
fn the_network_of_ones_own_has_a_loopback_of_both_kinds() {
    let script = "python3 - <<'END'
import socket
for family, address in (socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1'):
    with socket.socket(family) as listener:
        listener.bind((address, 10000))
        listener.listen()
        socket.create_connection((address, 10000), 3).close()
END";
    for who in [Who::Myself, Who::User] {
        for arguments in [["--isolate", "auto"], ["--isolate", "on"]] {
            Lab::new(script).run(who, &arguments).expect_code(0);
        }
        Lab::new(script)
            .run(who, &["--isolate", "off", "--network", "off"])
            .expect_code(0);
    }
}

#[test]
fn shared_directories_are_empty_and_what_is_left_in_them_is_gone() {
    let mark = format!("kata-ci-test-{}", std::process::id());
    let script = format!(
        "for place in /tmp /var/tmp /run /dev/shm; do\n\
         [ ! -e $place/{mark} ] && echo 1 > $place/{mark} || exit 1\ndone\n\
         ls -A /run /var/tmp /dev/shm"
    );
    for who in [Who::Myself, Who::User] {
        let lab = Lab::new(&script);
        for arguments in [
            ["--isolate", "auto"],
            ["--isolate", "on"],
            ["--isolate", "auto"],
        ] {
            // An ordinary user's /run is the user's own inside.
            let run = lab.run(who, &arguments).expect_code(0);
            assert_eq!(
                run.log("a.check").matches(&mark).count(),
                3,
                "{}",
                run.log("a.check")
            );
        }
    }
    for place in ["/tmp", "/var/tmp", "/run", "/dev/shm"] {
        assert!(!std::path::Path::new(place).join(&mark).exists(), "{place}");
    }
}

#[test]
fn a_job_sees_its_own_processes_and_is_told_its_own_user() {
    let script = "test $(ps -e --no-headers -o pid= | wc -l) -lt 9 && id -u";
    for (who, user) in [
        (Who::Myself, nix::unistd::getuid().to_string()),
        (Who::User, "54321".to_owned()),
    ] {
        for mode in ["auto", "on"] {
            let lab = Lab::new(script);
            let run = lab.run(who, &["a", "--isolate", mode]).expect_code(0);
            let expected = if nix::unistd::getuid().is_root() {
                user.clone()
            } else {
                nix::unistd::getuid().to_string()
            };
            assert_eq!(run.log("a.check").trim(), expected);
        }
    }
}

#[test]
fn what_the_pipeline_names_can_be_written_and_nothing_else() {
    let lab = Lab::new("");
    crate::support::workspace::write(
        &lab.path("work/kata-ci.toml"),
        "version = 1\nextends = 'makefile'\n[[step]]\nname = 'check'\nexpect = 'exit'\nwritable = ['../b', '~/cache']\n\
         script = 'touch ../b/here ~/cache/here; ! touch ../c/here 2>/dev/null'\n",
    );
    std::fs::create_dir(lab.path("home/cache")).expect("made");
    std::fs::create_dir(lab.path("work/c")).expect("made");
    crate::support::workspace::write(&lab.path("work/c/Makefile"), "check:\n\t@true\n");
    for who in [Who::Myself, Who::User] {
        lab.run(who, &["a", "--isolate", "on"]).expect_code(0);
        for name in ["work/b/here", "home/cache/here"] {
            std::fs::remove_file(lab.path(name)).expect(name);
        }
    }
}

/// Runs kata-ci as the first process of a container without a session: its group is outside, and
/// has no number inside.
#[test]
fn kata_ci_itself_may_be_the_first_process_of_a_namespace() {
    let place = makefiles(&[("a", "check:\n @echo checked\n.PHONY: check")]);
    let namespace = [
        "unshare",
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--mount-proc",
    ];
    for isolate in ["off", "auto"] {
        let call = run_in(place.path()).args(["-s", "check", "--isolate", isolate]);
        let run = call
            .through(&namespace, Path::new(env!("CARGO_BIN_EXE_kata-ci")))
            .finish()
            .expect_code(0);
        assert_eq!(run.outcome("a.check"), "passed");
    }
}
