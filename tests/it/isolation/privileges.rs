//! Tests that a strict job cannot use the rights of others: keys of the kernel, set-user-ID
//! programs, passwords for the network, and kata-ci's own state.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::support::isolation::{Lab, Who};
use crate::support::workspace::{git, write};
use crate::support::{KataCi, until};

/// Continues as the user of the tests, with one more step before that: @KEY@.
const BEFORE: &str = "
import os, sys
words = sys.argv[1:]
at = next(i for i, word in enumerate(words) if word.endswith('/kata-ci'))
os.execvp(words[0], words[:at] + ['python3', '-c', '''@KEY@'''] + words[at:])
";

/// Puts a key into the keyring of the user, and one into a keyring of the session's.
const KEY: &str = "
import ctypes, os, sys
call = ctypes.CDLL(None).syscall
call(@KEYCTL@, 1, None)
call(@ADD_KEY@, b\"user\", b\"kata-ci-test\", b\"KEPT\", 4, -4)
os.execvp(sys.argv[1], sys.argv[1:])
";

/// Searches for it like a stranger: every visible keyring of a user, linked to the job's own, in
/// every way that the kernel offers.
const FIND_KEY: &str = r#"python3 - <<'END'
import ctypes, mmap, os
call = ctypes.CDLL(None).syscall
X32 = 0x40000000

def read(abi):
    for line in open('/proc/keys'):
        words = line.split()
        if '_uid.' in line:
            call(@KEYCTL@ | abi, 8, int(words[0], 16), -3)
    value = ctypes.create_string_buffer(9)
    key = call(@KEYCTL@ | abi, 10, -3, b'user', b'kata-ci-test', 0)
    call(@KEYCTL@ | abi, 11, key, value, 9)
    return value.value.decode()

print('key:', read(0))
print('by x32:', read(X32))
print('own:', call(@ADD_KEY@, b'user', b'other', b'x', 1, -3) > 0)
print('asked:', call(@REQUEST_KEY@, b'user', b'other', None, -3) > 0)

def by_32_bits():
    # mov eax, keyctl; mov ebx, KEYCTL_GET_KEYRING_ID; mov ecx, KEY_SPEC_USER_KEYRING; int 0x80; ret
    code = bytes.fromhex('53b820010000bb00000000b9fcffffffcd805bc3')
    memory = mmap.mmap(-1, 4096, prot=7)
    memory.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)()

if os.uname().machine == 'x86_64':
    child = os.fork()
    if child == 0:
        os._exit(1 if by_32_bits() > 0 else 0)
    print('by 32 bits:', os.waitstatus_to_exitcode(os.wait()[1]) > 0)
END
"#;

fn numbered(text: &str) -> String {
    use nix::libc;
    [
        ("@KEYCTL@", libc::SYS_keyctl),
        ("@ADD_KEY@", libc::SYS_add_key),
        ("@REQUEST_KEY@", libc::SYS_request_key),
    ]
    .iter()
    .fold(text.to_owned(), |text, (name, number)| {
        text.replace(name, &number.to_string())
    })
}

#[test]
fn a_strict_job_reaches_no_key_of_the_kernels() {
    let before = numbered(&BEFORE.replace("@KEY@", KEY));
    for who in [Who::Myself, Who::User] {
        let lab = Lab::new(&numbered(FIND_KEY));
        let log = |mode: &str, network: &str| {
            let call = lab.call(who, &["a", "--isolate", mode, "--network", network]);
            let program = match (who, nix::unistd::geteuid().is_root()) {
                (Who::User, true) => "setpriv",
                _ => "env",
            };
            let call = call.through(&["python3", "-c", &before], Path::new(program));
            call.finish().expect_code(0).log("a.check")
        };
        // A container may have no keys at all.
        let is_there = log("off", "on").contains("key: KEPT\n");
        for network in ["on", "off"] {
            let log = log("on", network);
            let expected = "key: \nby x32: \nown: False\nasked: False\n";
            assert!(log.starts_with(expected), "{who:?} {is_there}: {log}");
            assert!(!log.contains("by 32 bits: True"), "{who:?}: {log}");
        }
    }
}

/// Makes set-user-ID programs in each way there is, and tries to set a capability.
const SET_ID: &str = r#"python3 - <<'END'
import ctypes, os
def made(name, mode):
    open(name, 'w').close()
    os.chmod(name, mode)
made('by-chmod', 0o4755)
os.close(os.open('by-open', os.O_CREAT | os.O_WRONLY, 0o4755))
file = os.open('by-fchmod', os.O_CREAT | os.O_WRONLY)
os.fchmod(file, 0o2755)
os.mkdir('directory')
os.chmod('directory', 0o2755)
made('directory/below', 0o6755)
made('cleared', 0o4755)
os.chmod('cleared', 0o755)
os.mknod('by-mknod', 0o104755)
how = (ctypes.c_uint64 * 3)(os.O_CREAT | os.O_WRONLY, 0o4755, 0)
ctypes.CDLL(None).syscall(437, -100, b'by-openat2', how, 24)
for name in 'by-chmod', 'by-open', 'by-fchmod', 'by-mknod':
    assert os.stat(name).st_mode & 0o6000, name
assert os.stat('before').st_mode & 0o4000
try:
    os.setxattr('by-chmod', b'security.capability', bytes.fromhex('01000002ffffffff0000000000000000ffffffff'))
    print('a capability')
except OSError as error:
    print('none:', error)
END
echo made
"#;

fn bits(path: &Path) -> u32 {
    let metadata = std::fs::symlink_metadata(path).unwrap();
    metadata.permissions().mode() & 0o6000
}

const PROGRAMS: [&str; 6] = [
    "by-chmod",
    "by-fchmod",
    "by-mknod",
    "by-open",
    "by-openat2",
    "directory/below",
];

#[test]
fn what_a_strict_job_made_to_run_as_its_owner_does_not_after_it() {
    for who in [Who::Myself, Who::User] {
        let lab = Lab::new(SET_ID);
        let path = |name: &str| lab.path("work/a").join(name);
        write(&path("before"), "");
        let call = lab.call(who, &["a", "--isolate", "on"]);
        std::fs::set_permissions(path("before"), PermissionsExt::from_mode(0o4755)).unwrap();
        // Files are distinguished by their times.
        std::thread::sleep(std::time::Duration::from_millis(40));
        let run = call.finish().expect_code(0);
        let log = run.log("a.check");
        assert!(log.contains("none: ") && log.contains("made"), "{log}");
        for name in PROGRAMS {
            assert_eq!(bits(&path(name)), 0, "{who:?}: {name}");
        }
        assert_eq!(bits(&path("directory")), 0o2000);
        assert_eq!(bits(&path("before")), 0o4000, "it is the user's");
        let left = run.job("a.check")["left_behind"]["set_id"].to_string();
        for name in PROGRAMS {
            assert!(left.contains(&format!("{name} (")), "{left}");
        }
        assert!(
            !left.contains("cleared") && !left.contains("before"),
            "{left}"
        );
        let said = "left set-user-ID programs behind, which are no such any more: ";
        assert!(run.printed().contains(said), "{}", run.printed());
    }
}

#[test]
fn neither_does_it_after_a_run_that_was_killed() {
    for who in [Who::Myself, Who::User] {
        let lab = Lab::new(&format!("{SET_ID}\nsleep 1000"));
        let path = |name: &str| lab.path("work/a").join(name);
        write(&path("before"), "");
        let call = lab.call(who, &["a", "--isolate", "on"]);
        std::fs::set_permissions(path("before"), PermissionsExt::from_mode(0o4755)).unwrap();
        let run = call.start();
        run.wait_for_log("a.check", "made");
        assert_eq!(bits(&path("by-chmod")), 0o4000);
        run.signal(Signal::SIGKILL);
        for name in PROGRAMS {
            until(name, || bits(&path(name)) == 0);
        }
        run.finish();
    }
}

/// Prints the variables that hold a password, in a form that is not masked.
const TELL: &str = "for name in http_proxy GOPROXY GIT_CONFIG_VALUE_0; do
    eval value=\\$$name
    case \"$value\" in *secret*) echo $name: told ;; *127.0.0.1*) echo $name: bare ;; *) echo $name: none ;; esac
done";

#[test]
fn passwords_are_for_jobs_with_a_network_that_are_not_strict() {
    for who in [Who::Myself, Who::User] {
        let lab = Lab::new(TELL);
        let pipeline = "version = 1\nextends = 'makefile'\n[network]\nproxy = 'http://ada:secret@127.0.0.1:9'\n";
        write(&lab.path("work/kata-ci.toml"), pipeline);
        let told = |isolate: &str, network: &str| {
            let call = lab.call(who, &["a", "--isolate", isolate, "--network", network]);
            let call = call.env("GOPROXY", "http://ada:secret@127.0.0.1:9,direct");
            call.finish().expect_code(0).log("a.check")
        };
        let of_all = |word: &str| {
            format!("http_proxy: {word}\nGOPROXY: {word}\nGIT_CONFIG_VALUE_0: {word}\n")
        };
        assert_eq!(told("off", "on"), of_all("told"));
        assert_eq!(told("auto", "on"), of_all("told"));
        assert_eq!(told("auto", "off"), of_all("bare"));
        assert_eq!(told("on", "off"), of_all("bare"));
        assert_eq!(told("on", "on"), of_all("bare"));
    }
}

/// Writes to kata-ci's own directories, also by creating another directory of the name.
const FORGE: &str =
    "forge() { mkdir -p own/$1/kata-ci/stamps && echo x > own/$1/kata-ci/stamps/forged; }
for kind in state cache config; do
    forge $kind
    mv own/$kind own/moved-$kind && forge $kind
done 2>&1
mv own moved && for kind in state cache config; do forge $kind; done
echo tried";

#[test]
fn what_kata_ci_believes_later_on_is_not_a_strict_jobs_to_write() {
    for who in [Who::Myself, Who::User] {
        let lab = Lab::new(FORGE);
        write(&lab.path("work/a/.gitignore"), "own/\nmoved/\n");
        git(&lab.path("work/a"), &["add", "."]);
        git(&lab.path("work/a"), &["commit", "-qm", "ignore"]);
        let own = |kind: &str| lab.path("work/a/own").join(kind);
        let call = lab.call(who, &["a", "--isolate", "on"]);
        let call: KataCi = call
            .env("XDG_STATE_HOME", own("state"))
            .env("XDG_CACHE_HOME", own("cache"))
            .env("XDG_CONFIG_HOME", own("config"));
        let run = call.finish().expect_code(0);
        assert!(run.log("a.check").contains("tried"));
        let found = std::process::Command::new("find")
            .arg(lab.path("work/a"))
            .args(["-name", "forged", "-not", "-path", "*/moved-*"])
            .output()
            .unwrap();
        let found = String::from_utf8_lossy(&found.stdout);
        assert_eq!(found, "", "{who:?}: {}", run.log("a.check"));
    }
}
