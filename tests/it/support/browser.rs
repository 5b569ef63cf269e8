//! Drives a headless Chromium over its DevTools pipe: descriptors 3 and 4, so there is no port.
//!
//! Every wait has a generous deadline, and the end of the browser ends it too, because its
//! descriptors are closed in all other programs that the tests start. A thread reads, so that
//! neither side waits for the other to empty a full pipe.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, pipe2};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Time limit of one answer or event.
const PATIENCE: Duration = Duration::from_secs(120);

/// Options for a machine that may have neither a display nor a large /dev/shm, and is root in a
/// container.
const OPTIONS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--no-zygote",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--no-first-run",
    "--remote-debugging-pipe",
    "--window-size=1200,900",
];

/// A browser with one tab.
pub struct Browser {
    child: Child,
    requests: File,
    messages: Receiver<Value>,
    next: u64,
    session: Value,
    target: Value,
    /// The events of the tab since it was opened, oldest first.
    pub events: Vec<Value>,
    profile: TempDir,
}

impl Browser {
    /// Starts a browser with an empty tab.
    pub fn start() -> Self {
        let profile = tempfile::tempdir().expect("a directory");
        let (theirs_in, ours_out) = pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        let (ours_in, theirs_out) = pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        let child = spawn(&profile, &above_four(&theirs_in), &above_four(&theirs_out));
        drop((theirs_in, theirs_out));
        let (send, messages) = channel();
        std::thread::spawn(move || read(File::from(ours_in), &send));
        let mut browser = Self {
            child,
            requests: File::from(ours_out),
            messages,
            next: 0,
            session: Value::Null,
            target: Value::Null,
            events: Vec::new(),
            profile,
        };
        browser.tab();
        browser
    }

    /// Opens a new tab in place of the old one, with no emulation and no memory.
    pub fn tab(&mut self) {
        let last = std::mem::take(&mut self.target);
        self.session = Value::Null;
        let made = self.call("Target.createTarget", json!({"url": "about:blank"}));
        self.target = made["targetId"].clone();
        let attached = self.call(
            "Target.attachToTarget",
            json!({"targetId": self.target, "flatten": true}),
        );
        if !last.is_null() {
            self.call("Target.closeTarget", json!({"targetId": last}));
        }
        self.session = attached["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        self.call("Page.setLifecycleEventsEnabled", json!({"enabled": true}));
        let focused = json!({"enabled": true});
        self.call("Emulation.setFocusEmulationEnabled", focused);
        self.events.clear();
    }

    /// Opens a file and waits until it is loaded. Its scripts have run then.
    pub fn open(&mut self, page: &Path, hash: &str) {
        self.open_url(&format!("file://{}{hash}", page.display()));
    }

    /// Opens an address and waits until it is loaded.
    pub fn open_url(&mut self, url: &str) {
        let answer = self.call("Page.navigate", json!({"url": url}));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        let loader = answer["loaderId"].clone();
        // Another place in the same page is not loaded.
        if !loader.is_null() {
            self.wait(&format!("{url} to load"), |event| {
                let told = &event["params"];
                told["name"] == "load" && told["loaderId"] == loader
            });
        }
    }

    /// Calls a method and returns its answer.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let mut request = json!({"id": self.next, "method": method, "params": parameters});
        if !self.session.is_null() && !method.starts_with("Target.") {
            request["sessionId"] = self.session.clone();
        }
        let mut bytes = serde_json::to_vec(&request).expect("JSON");
        bytes.push(0);
        self.requests.write_all(&bytes).expect("sent");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self.receive(method, deadline);
            if message["id"] == self.next {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    /// Evaluates an expression in the page; awaits a promise.
    pub fn evaluate(&mut self, script: &str) -> Value {
        let parameters = json!({"expression": script, "returnByValue": true, "awaitPromise": true, "userGesture": true});
        let answer = self.call("Runtime.evaluate", parameters);
        assert!(answer["exceptionDetails"].is_null(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Evaluates an expression to text.
    pub fn text(&mut self, script: &str) -> String {
        let value = self.evaluate(script);
        value
            .as_str()
            .map(str::to_owned)
            .unwrap_or_else(|| panic!("{script} is {value}"))
    }

    /// Evaluates a condition until it holds.
    pub fn until(&mut self, condition: &str) {
        super::until(condition, || self.evaluate(condition) == true);
    }

    /// Presses and releases a key.
    pub fn press(&mut self, key: &str) {
        let (key, code, text) = match key {
            "Tab" => (key, 9, None),
            "Enter" => (key, 13, Some("\r")),
            "Escape" => (key, 27, None),
            "Space" => (" ", 32, Some(" ")),
            "PageUp" => (key, 33, None),
            "End" => (key, 35, None),
            "Home" => (key, 36, None),
            "ArrowUp" => (key, 38, None),
            "ArrowDown" => (key, 40, None),
            other => (other, 0, Some(other)),
        };
        let mut event = json!({"type": "keyDown", "key": key, "windowsVirtualKeyCode": code});
        if let Some(text) = text {
            event["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", event);
        let released = json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", released);
    }

    /// Types into the focused element.
    pub fn enter(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Waits for an event; earlier events count.
    fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !self.events.iter().any(&wanted) {
            self.receive(what, deadline);
        }
    }

    /// Returns the next message, and keeps events of the tab.
    fn receive(&mut self, what: &str, deadline: Instant) -> Value {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(message) = self.messages.recv_timeout(left) else {
            panic!(
                "{what}: chromium {:?}\n{}",
                self.child.try_wait(),
                self.said()
            );
        };
        if !self.session.is_null()
            && message["sessionId"] == self.session
            && message["id"].is_null()
        {
            self.events.push(message.clone());
        }
        message
    }

    fn said(&self) -> String {
        let said = std::fs::read(self.profile.path().join("said")).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its renderers are of its group. None of them has anything to save.
        let _ = killpg(Pid::from_raw(self.child.id() as i32), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Starts Chromium with requests on its descriptor 3 and answers on 4.
fn spawn(profile: &TempDir, requests: &OwnedFd, answers: &OwnedFd) -> Child {
    let program = which::which("chromium")
        .expect("chromium is there: scripts/setup installs it (package chromium)");
    let said = File::create(profile.path().join("said")).expect("a file");
    let mut command = Command::new(program);
    command
        .args(OPTIONS)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .env("HOME", profile.path())
        .env("TMPDIR", profile.path())
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said);
    let (requests, answers) = (requests.as_raw_fd(), answers.as_raw_fd());
    // SAFETY: dup2 is async-signal-safe, and nothing else happens between fork and exec.
    unsafe {
        command.pre_exec(move || {
            for (from, to) in [(requests, 3), (answers, 4)] {
                if libc::dup2(from, to) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    command.spawn().expect("chromium starts")
}

/// Copies a descriptor to a number above 4 that other programs do not inherit.
fn above_four(descriptor: &OwnedFd) -> OwnedFd {
    let copy = fcntl(descriptor, FcntlArg::F_DUPFD_CLOEXEC(10)).expect("a copy");
    // SAFETY: fcntl has just made it, and nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(copy) }
}

/// Passes on messages, which end in a zero byte, until Chromium closes its end.
fn read(answers: File, send: &Sender<Value>) {
    for message in BufReader::new(answers).split(0) {
        let Ok(bytes) = message else { return };
        let Ok(message) = serde_json::from_slice(&bytes) else {
            return;
        };
        if send.send(message).is_err() {
            return;
        }
    }
}

/// Makes the page of a JUnit file.
pub fn page_of(place: &Path, junit: &str) -> PathBuf {
    let (xml, html) = (place.join("junit.xml"), place.join("report.html"));
    std::fs::write(&xml, junit).expect("written");
    let made = super::KataCi::bare()
        .args(["report", "html", "-o"])
        .args([&html, &xml])
        .finish();
    assert_eq!(made.code, 0, "{}", made.stderr);
    html
}
