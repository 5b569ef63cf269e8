//! A real Gerrit on loopback, started once for all tests of this binary, with a project for each
//! test.
//!
//! The server ends with the test process, however that ends: `gerrit-up --attended` stops it once
//! its standard input is closed, and this process holds the other end.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use serde_json::Value;

/// The newest version at Maven Central.
const NEWEST: &str = "3.13.5";

/// A user of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// May do everything.
    Admin,
    /// May do what any registered user may.
    Guest,
}

impl User {
    /// Returns the name at the server.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Guest => "guest",
        }
    }

    fn email(self) -> &'static str {
        match self {
            Self::Admin => "admin@example.com",
            Self::Guest => "guest@example.com",
        }
    }
}

/// The transport of a clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Authenticated by key.
    Ssh,
    /// Authenticated by password, through git's credential store.
    Http,
}

/// The running server.
pub struct Server {
    values: BTreeMap<String, String>,
    /// The script that keeps the server: a line to it is an order, and it ends with our end.
    guard: Mutex<Guard>,
}

struct Guard {
    child: Child,
    said: BufReader<ChildStdout>,
}

/// Returns the server, which the first call starts. `None` if this machine cannot run one; the test
/// then reports that and ends.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    let required = "KATACI_TEST_REQUIRE_GERRIT";
    usable(SERVER.get_or_init(|| start("", None)), required)
}

/// Returns a server of the newest Gerrit that Maven has, which needs Java 21; see [`server`].
pub fn newest_server() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    let required = "KATACI_TEST_REQUIRE_NEWEST_GERRIT";
    usable(SERVER.get_or_init(|| start("", Some(NEWEST))), required)
}

/// Starts a server for one test, with more text for its gerrit.config; see [`server`]. It ends with
/// the test process.
pub fn server_with(configuration: &str) -> Option<&'static Server> {
    let required = "KATACI_TEST_REQUIRE_GERRIT";
    usable(Box::leak(Box::new(start(configuration, None))), required)
}

/// Returns true if the server of all tests is a Gerrit 3.10, which it is unless the environment
/// says otherwise.
pub fn is_of_310() -> bool {
    server().is_some_and(|server| server.value("version").starts_with("3.10."))
}

fn usable(server: &'static Result<Server, String>, required: &str) -> Option<&'static Server> {
    match server {
        Ok(server) => Some(server),
        Err(reason) => {
            let required = std::env::var_os(required).is_some();
            assert!(!required, "no Gerrit: {reason}");
            // Past the capture of the test harness: a skipped test must be seen.
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            let line = format!("SKIPPED {test}: no Gerrit here: {reason}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
            None
        }
    }
}

fn start(configuration: &str, version: Option<&str>) -> Result<Server, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gerrit/gerrit-up");
    let site = tempfile::Builder::new()
        .prefix("kata-ci-gerrit-")
        .tempdir()
        .map_err(|error| error.to_string())?
        .keep();
    let mut errors = tempfile::tempfile().map_err(|error| error.to_string())?;
    let mut guard = Command::new(script)
        .arg("--attended")
        .arg(&site)
        .env("KATACI_GERRIT_CONFIG", configuration)
        .envs(version.map(|version| ("KATACI_GERRIT_VERSION", version)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(errors.try_clone().map_err(|error| error.to_string())?)
        .spawn()
        .map_err(|error| format!("gerrit-up: {error}"))?;
    let mut line = String::new();
    let mut said_by = BufReader::new(guard.stdout.take().expect("piped"));
    let _ = said_by.read_line(&mut line);
    let mut said = String::new();
    let _ = errors.rewind();
    let _ = errors.read_to_string(&mut said);
    if line.trim_end() == "ready" {
        let values = read_values(&site.join("server"));
        return Ok(Server {
            values,
            guard: Mutex::new(Guard {
                child: guard,
                said: said_by,
            }),
        });
    }
    let status = guard.wait().map_err(|error| error.to_string())?;
    let _ = std::fs::remove_dir_all(&site);
    // Code 3 is "cannot be had here"; whatever else it is must not pass for that.
    assert_eq!(status.code(), Some(3), "gerrit-up failed: {said}");
    Err(said.trim().to_owned())
}

fn read_values(file: &Path) -> BTreeMap<String, String> {
    std::fs::read_to_string(file)
        .expect("gerrit-up describes the server")
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

impl Server {
    /// Returns a value that gerrit-up printed.
    pub fn value(&self, key: &str) -> &str {
        &self.values[key]
    }

    /// Returns the base URL without a trailing slash.
    pub fn url(&self) -> &str {
        self.value("url")
    }

    /// Returns the user's HTTP password.
    pub fn password(&self, user: User) -> &str {
        self.value(&format!("{}_password", user.name()))
    }

    /// Returns the ssh command for git.
    pub fn ssh_command(&self, user: User) -> String {
        format!(
            "ssh -i {} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
            self.value(&format!("{}_key", user.name()))
        )
    }

    /// Kills the server and starts it again.
    pub fn restart(&self) {
        let mut guard = self.guard.lock().expect("nobody panicked");
        let orders = guard.child.stdin.as_mut().expect("piped");
        orders.write_all(b"restart\n").expect("an order");
        orders.flush().expect("an order");
        let mut line = String::new();
        guard.said.read_line(&mut line).expect("an answer");
        assert_eq!(line.trim_end(), "ready", "the server is there again");
    }

    /// Calls the REST interface, and returns the answer as JSON (null without a body).
    pub fn rest(&self, user: User, method: &str, path: &str, body: Option<&Value>) -> Value {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--noproxy", "*", "--fail-with-body", "-X", method])
            .args(["-u", &format!("{}:{}", user.name(), self.password(user))])
            .arg(format!("{}/a/{path}", self.url()));
        if let Some(body) = body {
            curl.args([
                "-H",
                "Content-Type: application/json",
                "--data-binary",
                &body.to_string(),
            ]);
        }
        let output = curl.output().expect("curl");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{method} {path}: {text}");
        let json = text.strip_prefix(")]}'").unwrap_or("").trim();
        serde_json::from_str(json).unwrap_or(Value::Null)
    }

    /// Downloads a public file of the server.
    pub fn download(&self, path: &str) -> Vec<u8> {
        let output = Command::new("curl")
            .args(["-sSf", "--noproxy", "*"])
            .arg(format!("{}/{path}", self.url()))
            .output()
            .expect("curl");
        assert!(output.status.success(), "GET {path}");
        output.stdout
    }

    /// Creates a project with one commit on `master`.
    pub fn project(&'static self, stem: &str) -> Project {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        self.project_named(&format!("{stem}-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Creates a project of this name.
    pub fn project_named(&'static self, name: &str) -> Project {
        let body = serde_json::json!({"create_empty_commit": true, "branches": ["master"]});
        let path = format!("projects/{}", name.replace('/', "%2F"));
        self.rest(User::Admin, "PUT", &path, Some(&body));
        Project {
            server: self,
            name: name.to_owned(),
        }
    }
}

/// A project at the server.
pub struct Project {
    /// The server.
    pub server: &'static Server,
    /// Its name.
    pub name: String,
}

impl Project {
    /// Returns its bare repository on the server's disk.
    pub fn repository(&self) -> PathBuf {
        let site = Path::new(self.server.value("admin_key"))
            .parent()
            .expect("a site");
        site.join(format!("git/{}.git", self.name))
    }

    /// Returns its name for a path of REST.
    pub fn id(&self) -> String {
        self.name.replace('/', "%2F")
    }

    /// Returns its URL for a user.
    pub fn url(&self, user: User, transport: Transport) -> String {
        let name = user.name();
        match transport {
            Transport::Ssh => {
                format!(
                    "ssh://{name}@127.0.0.1:{}/{}",
                    self.server.value("ssh_port"),
                    self.name
                )
            }
            Transport::Http => format!(
                "http://{name}@127.0.0.1:{}/a/{}",
                self.server.value("http_port"),
                self.name
            ),
        }
    }

    /// Clones it, with the user's name and e-mail.
    pub fn clone_as(&self, user: User, transport: Transport) -> Clone {
        let server = self.server;
        let home = Home::new(user.name(), user.email());
        let store = home.path().join("credentials");
        let port = server.value("http_port");
        let password = server.password(user);
        std::fs::write(
            &store,
            format!("http://{}:{password}@127.0.0.1:{port}\n", user.name()),
        )
        .expect("written");
        // The server has neither a .gitreview nor Gerrit's usual port.
        home.configure("gerrit.createChangeId", "true");
        home.configure("core.sshCommand", &server.ssh_command(user));
        home.configure(
            "credential.helper",
            &format!("store --file={}", store.display()),
        );
        home.clone(&self.url(user, transport), &self.name)
    }

    /// Returns a change by its Change-Id, with details, if there is one.
    pub fn change(&self, change_id: &str) -> Option<Value> {
        let path = format!(
            "changes/?q=project:{}+change:{change_id}&o=CURRENT_REVISION&o=CURRENT_COMMIT&o=DETAILED_LABELS&o=DETAILED_ACCOUNTS&o=MESSAGES",
            self.id()
        );
        let found = self.server.rest(User::Admin, "GET", &path, None);
        found.as_array().and_then(|list| list.first().cloned())
    }

    /// Sets a rule for all registered users: `ALLOW` or `BLOCK`.
    pub fn rule(&self, reference: &str, permission: &str, action: &str) {
        let rule = serde_json::json!({"global:Registered-Users": {"action": action}});
        let permissions = serde_json::json!({permission: {"rules": rule}});
        let body = serde_json::json!({"add": {reference: {"permissions": permissions}}});
        let path = format!("projects/{}/access", self.id());
        self.server.rest(User::Admin, "POST", &path, Some(&body));
    }

    /// Changes the project's configuration.
    pub fn configure(&self, body: Value) {
        let path = format!("projects/{}/config", self.id());
        self.server.rest(User::Admin, "PUT", &path, Some(&body));
    }

    /// Creates a branch at `master`.
    pub fn branch(&self, name: &str) {
        let path = format!("projects/{}/branches/{name}", self.id());
        let body = serde_json::json!({"revision": "master"});
        self.server.rest(User::Admin, "PUT", &path, Some(&body));
    }

    /// Returns the number of changes.
    pub fn count(&self) -> usize {
        let path = format!("changes/?q=project:{}", self.id());
        let found = self.server.rest(User::Admin, "GET", &path, None);
        found.as_array().map_or(0, Vec::len)
    }
}

/// A temporary home with a git configuration of its own.
pub struct Home(tempfile::TempDir);

impl Home {
    /// Creates the home of a user.
    pub fn new(name: &str, email: &str) -> Self {
        let home = Self(tempfile::tempdir().expect("a temporary directory"));
        for (key, value) in [
            ("user.name", name),
            ("user.email", email),
            ("init.defaultBranch", "master"),
            ("advice.detachedHead", "false"),
        ] {
            home.configure(key, value);
        }
        home
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Sets a key of the user's git configuration.
    pub fn configure(&self, key: &str, value: &str) {
        let file = self.path().join("gitconfig");
        let status = Command::new("git")
            .args(["config", "--file"])
            .arg(file)
            .args([key, value])
            .status();
        assert!(status.expect("git").success());
    }

    /// Clones into it.
    pub fn clone(self, url: &str, name: &str) -> Clone {
        Clone::of(std::sync::Arc::new(self), url, name)
    }
}

/// Creates a plain git server that stands for a Gerrit, as a directory, with one commit on
/// `master`, and a clone of it.
pub fn plain() -> (PathBuf, Clone) {
    let (origin, clone) = hub();
    let home = clone.home().join("gitconfig");
    clone.git(&[
        "config",
        "--file",
        &home.to_string_lossy(),
        "gerrit.createChangeId",
        "true",
    ]);
    (origin, clone)
}

/// Creates a plain git server, as [`plain`] does, with nothing that says Gerrit.
pub fn hub() -> (PathBuf, Clone) {
    let home = Home::new("ada", "ada@example.com");
    let origin = home.path().join("origin.git");
    let status = Command::new("git")
        .args(["init", "-q", "--bare", "--initial-branch=master"])
        .arg(&origin)
        .status();
    assert!(status.expect("git").success());
    let status = Command::new("git")
        .arg("-C")
        .arg(&origin)
        .args(["config", "receive.advertisePushOptions", "true"])
        .status();
    assert!(status.expect("git").success());
    let clone = home.clone(&origin.to_string_lossy(), "proxy");
    clone.commit("file", "proxy: begin\n");
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    clone.git(&["remote", "set-head", "origin", "master"]);
    (origin, clone)
}

/// A temporary clone with a home and a git configuration of its own.
pub struct Clone {
    home: std::sync::Arc<Home>,
    /// The work tree.
    pub directory: PathBuf,
}

impl Clone {
    fn of(home: std::sync::Arc<Home>, url: &str, name: &str) -> Self {
        let directory = home.path().join(name);
        let clone = Self { directory, home };
        let directory = clone.directory.to_string_lossy().into_owned();
        clone.git_in(clone.home.path(), &["clone", "-q", url, &directory]);
        clone
    }

    /// Clones into the same home, at this path.
    pub fn beside(&self, url: &str, path: &str) -> Self {
        Self::of(self.home.clone(), url, path)
    }

    /// Copies the work tree and its repository to a new place in the same home.
    pub fn copied(&self, name: &str) -> Self {
        let directory = self.home.path().join(name);
        let status = Command::new("cp")
            .arg("-a")
            .args([&self.directory, &directory])
            .status();
        assert!(status.expect("cp").success());
        Self {
            home: self.home.clone(),
            directory,
        }
    }

    /// Returns variables that confine git and kata-ci to this clone's configuration and state.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let home = self.home.path();
        vec![
            ("HOME", home.display().to_string()),
            (
                "GIT_CONFIG_GLOBAL",
                home.join("gitconfig").display().to_string(),
            ),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("XDG_STATE_HOME", home.join("state").display().to_string()),
            ("XDG_CONFIG_HOME", home.join("config").display().to_string()),
            ("GIT_TERMINAL_PROMPT", "0".to_owned()),
            ("no_proxy", "127.0.0.1".to_owned()),
        ]
    }

    /// Returns the HOME of this clone.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    fn git_in(&self, directory: &Path, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(directory)
            .envs(self.environment())
            .output()
            .expect("git");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {errors}");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Runs git, which must succeed.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.directory, arguments)
    }

    /// Commits a new content of `file` with exactly this message.
    pub fn commit(&self, file: &str, message: &str) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let content = format!("{}\n", COUNT.fetch_add(1, Ordering::Relaxed));
        std::fs::write(self.directory.join(file), content).expect("written");
        let path = self.home.path().join("message");
        std::fs::write(&path, message).expect("written");
        self.git(&["add", "-A"]);
        self.git(&[
            "commit",
            "-q",
            "--no-verify",
            "--cleanup=verbatim",
            "--allow-empty-message",
            "-F",
            &path.to_string_lossy(),
        ]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Commits with a new Change-Id below the message, and returns that.
    pub fn commit_with_id(&self, file: &str, message: &str) -> String {
        let id = fresh_id();
        self.commit(file, &format!("{message}\n\nChange-Id: {id}\n"));
        id
    }

    /// Returns a kata-ci command in the work tree.
    pub fn kata_ci(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kata-ci"));
        command
            .args(arguments)
            .current_dir(&self.directory)
            .envs(self.environment())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Calls kata-ci and returns its answer.
    pub fn call(&self, arguments: &[&str]) -> Answer {
        Answer::of(&mut self.kata_ci(arguments))
    }
}

/// Returns a new Change-Id.
pub fn fresh_id() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("I{:08x}{count:032x}", std::process::id())
}

/// The output and exit code of a program.
#[derive(Debug)]
pub struct Answer {
    /// Exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

impl Answer {
    /// Runs the command to its end.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("it starts");
        Self {
            code: output.status.code(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Expects this exit code.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Parses standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
