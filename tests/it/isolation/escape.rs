//! Tests that no known attempt to escape from `--isolate on` works.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command};

use crate::support::isolation::{Lab, Who};

/// Tries everything, and prints `ESCAPED: WHAT` for what works, then `tried`.
const PROBE: &str = r#"python3 - <<'END'
import ctypes, os, signal, socket, subprocess, sys

def attempt(what, action):
    try:
        if action():
            print('ESCAPED:', what)
    except Exception as error:
        print('kept:', what, '-', error)

def tcp(address, port):
    socket.create_connection((address, port), 3)
    return True

def unix(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    return True

def write(path):
    with open(path, 'a') as file:
        file.write('x')
    return True

def secret(path):
    return 'SECRET' in open(path).read()

def ptrace(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.ptrace(16, pid, 0, 0) == 0

def kill(pid):
    os.kill(pid, signal.SIGKILL)
    return True

def environ(pid):
    return b'SECRET' in open(f'/proc/{pid}/environ', 'rb').read()

def succeeds(*words):
    return subprocess.run(words, stderr=subprocess.DEVNULL).returncode == 0

HOME, OTHER, REPORTS = '@HOME@', '@OTHER@', '@REPORTS@'
attempt('loopback', lambda: tcp('127.0.0.1', @PORT@))
attempt('own address', lambda: tcp('@ADDRESS@', @ADDRESS_PORT@))
attempt('vsock', lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))
attempt('io_uring', lambda: ctypes.CDLL(None).syscall(425, 1, ctypes.create_string_buffer(120)) >= 0)
attempt('abstract socket', lambda: unix('\0@ABSTRACT@'))
for path in '@SOCKET@', '@OTHER@/socket', '/run/docker.sock', '/var/run/docker.sock':
    attempt('socket ' + path, lambda: unix(path))
for pid in @VICTIM@, @KATA_CI@, 1:
    if pid != 1:
        attempt(f'kill {pid}', lambda: kill(pid))
    attempt(f'ptrace {pid}', lambda: ptrace(pid))
    attempt(f'environ {pid}', lambda: environ(pid))
for path in '/etc/kata-ci-test', OTHER + '/.git/config', OTHER + '/.git/hooks/post-checkout', OTHER + '/main.c', '/usr/kata-ci-test', '@PLACE@/kata-ci-test':
    attempt('write ' + path, lambda: write(path))
for path in HOME + '/escaped', HOME + '/.bashrc', REPORTS + '/result.json', REPORTS + '/events.jsonl', '/tmp/@MARK@':
    # These can be private copies: the test looks at the host's own afterwards.
    attempt('private ' + path, lambda: write(path) and False)
for path in HOME + '/.ssh/id_rsa', HOME + '/.netrc', HOME + '/.git-credentials':
    attempt('read ' + path, lambda: secret(path))
for path in '/etc/shadow', '/etc/shadow-', '/etc/gshadow-':
    attempt('read ' + path, lambda: len(open(path).read()) > 0)
for path in 'config', 'hooks/post-checkout':
    attempt('own .git/' + path, lambda: write('.git/' + path))
attempt('moving .git away', lambda: os.rename('.git', 'moved') or True)
attempt('mount', lambda: succeeds('mount', '-t', 'tmpfs', 'none', '/mnt'))
attempt('umount', lambda: succeeds('umount', '/tmp') or succeeds('umount', HOME) or succeeds('umount', '/run'))
attempt('remount', lambda: succeeds('mount', '-o', 'remount,rw,bind', '/'))
attempt('nested umount', lambda: succeeds('unshare', '-Urm', 'sh', '-c', 'umount -l /tmp || umount -l /run || mount -o remount,rw,bind /'))
attempt('control groups', lambda: succeeds('unshare', '-UrmC', 'sh', '-c', 'mount -t cgroup2 none /tmp && [ -w /tmp/cgroup.procs ]'))
attempt('mknod', lambda: os.mknod('node', 0o60600, os.makedev(8, 0)) or open('node', 'rb').read(1))
attempt('core_pattern', lambda: write('/proc/sys/kernel/core_pattern'))
attempt('sysrq', lambda: os.access('/proc/sysrq-trigger', os.W_OK) and write('/proc/sysrq-trigger') and False)
attempt('sysfs', lambda: os.access('/sys/kernel/mm/transparent_hugepage/enabled', os.W_OK))
attempt('host name', lambda: socket.sethostname('escaped') or True)
attempt('chroot out', lambda: os.chroot('/proc/1/root') or True)
attempt('setns', lambda: succeeds('nsenter', '-t', '1', '-m', 'true'))
attempt('terminal', lambda: os.path.exists('/dev/tty'))
print('tried')
END
"#;

struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns an address of this machine besides the loopback's, if it has one.
fn own_address() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.254:9").ok()?;
    Some(socket.local_addr().ok()?.ip().to_string())
}

fn escape(who: Who) {
    use std::os::linux::net::SocketAddrExt;
    let loopback = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = own_address().unwrap_or_else(|| "127.0.0.1".to_owned());
    let outside = TcpListener::bind((address.as_str(), 0)).unwrap();
    let mark = format!("kata-ci-test-{}-{who:?}", std::process::id());
    let name = std::os::unix::net::SocketAddr::from_abstract_name(&mark).unwrap();
    let _abstract = UnixListener::bind_addr(&name).unwrap();
    let lab = Lab::new("");
    let _other = UnixListener::bind(lab.path("work/b/socket")).unwrap();
    // Neither below /tmp nor in a home: only a cover keeps a job from it.
    let place = tempfile::tempdir_in("/var")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let _socket = UnixListener::bind(place.path().join("socket")).unwrap();
    for path in [
        place.path().to_owned(),
        place.path().join("socket"),
        lab.path("work/b/socket"),
    ] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let victim = Victim(
        Command::new("sleep")
            .arg("1000")
            .env("KEY", "SECRET")
            .spawn()
            .unwrap(),
    );
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port().to_string();
    let probe = [
        ("@HOME@", lab.path("home").display().to_string()),
        ("@OTHER@", lab.path("work/b").display().to_string()),
        ("@REPORTS@", lab.path("reports").display().to_string()),
        ("@PORT@", port(&loopback)),
        ("@ADDRESS@", address),
        ("@ADDRESS_PORT@", port(&outside)),
        ("@ABSTRACT@", mark.clone()),
        (
            "@SOCKET@",
            place.path().join("socket").display().to_string(),
        ),
        ("@PLACE@", place.path().display().to_string()),
        ("@VICTIM@", victim.0.id().to_string()),
        ("@KATA_CI@", std::process::id().to_string()),
        ("@MARK@", mark.clone()),
    ]
    .iter()
    .fold(PROBE.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    });
    std::fs::write(lab.path("work/a/probe.sh"), probe).unwrap();
    let config = std::fs::read(lab.path("work/b/.git/config")).unwrap();
    let run = lab
        .call(who, &["a", "--isolate", "on"])
        .env("TOKEN", "SECRET")
        .finish()
        .expect_code(0);
    let log = run.log("a.check");
    assert!(log.contains("tried"), "{log}");
    assert!(!log.contains("ESCAPED"), "{who:?}: {log}");
    assert!(!log.contains("SECRET"), "{who:?}: {log}");
    for path in [
        "home/escaped",
        "home/.bashrc",
        "work/b/main.c",
        "work/b/.git/hooks/post-checkout",
    ] {
        assert!(!lab.path(path).exists(), "{path}");
    }
    assert!(!Path::new("/tmp").join(&mark).exists());
    assert!(!place.path().join("kata-ci-test").exists());
    assert_eq!(
        std::fs::read(lab.path("work/b/.git/config")).unwrap(),
        config
    );
    assert_eq!(run.result()["exit"], 0, "the reports are kata-ci's own");
}

/// Starts a program with a key in a session keyring of its own.
const WITH_KEY: &str = "
import ctypes, os, sys
call = ctypes.CDLL(None).syscall
call(@KEYCTL@, 1, None)
call(@ADD_KEY@, b'user', b'kata-ci-test', b'KEPT', 4, -3)
os.execvp(sys.argv[1], sys.argv[1:])
";

/// Prints the key that it finds in its session.
const FIND_KEY: &str = "python3 -c '
import ctypes
call = ctypes.CDLL(None).syscall
value = ctypes.create_string_buffer(9)
call(@KEYCTL@, 11, call(@KEYCTL@, 10, -3, b\"user\", b\"kata-ci-test\", 0), value, 9)
print(\"key:\", value.value.decode())'
";

#[test]
fn keys_of_the_session_are_not_a_jobs() {
    let numbered = |text: &str| {
        text.replace("@KEYCTL@", &nix::libc::SYS_keyctl.to_string())
            .replace("@ADD_KEY@", &nix::libc::SYS_add_key.to_string())
    };
    let lab = Lab::new(&numbered(FIND_KEY));
    let log = |mode: &str| {
        let call = lab.call(Who::Myself, &["a", "--isolate", mode, "--network", "on"]);
        let call = call.through(&["python3", "-c", &numbered(WITH_KEY)], Path::new("env"));
        call.finish().expect_code(0).log("a.check")
    };
    let kept = log("off");
    // In a container there may be no keys at all.
    assert!(
        ["key: KEPT\n", "key: \n"].contains(&kept.as_str()),
        "{kept}"
    );
    for mode in ["auto", "on"] {
        assert_eq!(log(mode), "key: \n", "{mode}");
    }
}

#[test]
fn nothing_gets_out_as_whoever_runs_this() {
    escape(Who::Myself);
}

#[test]
fn nothing_gets_out_as_an_ordinary_user() {
    escape(Who::User);
}

#[test]
fn the_probe_escapes_where_nothing_holds_it() {
    // The attempts work without isolation; otherwise the tests above would prove nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let lab = Lab::new("");
    let probe = PROBE
        .replace("@HOME@", &lab.path("home").display().to_string())
        .replace("@PORT@", &port)
        .replace("@OTHER@", &lab.path("work/b").display().to_string())
        .replace("@PLACE@", &lab.path("work").display().to_string());
    let begin = probe.find("attempt('own address'").unwrap();
    let end = probe.find("for path in '/etc/kata-ci-test'").unwrap();
    let rest = probe.find("for path in HOME + '/.ssh").unwrap();
    let writing = "for path in OTHER + '/.git/config', OTHER + '/main.c':\n    attempt('write ' + path, lambda: write(path))\n";
    let until = probe.find("for path in '/etc/shadow'").unwrap();
    let text = format!(
        "{}{writing}{}print('tried')\nEND\n",
        &probe[..begin],
        &probe[rest..until]
    );
    assert!(begin < end && end < rest);
    std::fs::write(lab.path("work/a/probe.sh"), text).unwrap();
    let run = lab
        .run(Who::Myself, &["a", "--isolate", "off", "--network", "on"])
        .expect_code(0);
    let log = run.log("a.check");
    assert_eq!(log.matches("ESCAPED").count(), 6, "{log}");
}
