//! Stories of `review --watch` beside a real Gerrit: bursts and kills, a stream that lies,
//! rechecks, the page.

mod burst;
mod companions;
pub mod copied;
mod lag;
mod recheck;
mod service;
mod stream;
mod unit;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::gerrit::{Clone, Project, Server, Transport, User};

/// The time that anything may take on a machine with much to do.
const PATIENCE: Duration = Duration::from_secs(240);

/// A place to watch from: clones of projects, the operator's configuration and pipeline, the state.
struct Place {
    server: &'static Server,
    projects: Vec<Project>,
    clones: Vec<Clone>,
}

/// A running watcher.
struct Watcher {
    child: Child,
}

impl Place {
    /// Makes projects with a clone each, in one home.
    fn new(server: &'static Server, count: usize) -> Self {
        let projects: Vec<_> = (0..count).map(|_| server.project("watched")).collect();
        let mut clones = vec![projects[0].clone_as(User::Admin, Transport::Http)];
        for project in &projects[1..] {
            let url = project.url(User::Admin, Transport::Http);
            let clone = clones[0].beside(&url, &project.name);
            clones.push(clone);
        }
        let place = Self {
            server,
            projects,
            clones,
        };
        place.configure("");
        place.pipeline("true");
        place
    }

    fn home(&self) -> &Path {
        self.clones[0].home()
    }

    /// Writes the operator's configuration, with more lines for `[review]`.
    fn configure(&self, review: &str) {
        self.configure_at(self.server.value("http_port"), review);
    }

    /// Writes it for a server at this port.
    fn configure_at(&self, port: &str, review: &str) {
        let directory = self.home().join("config/kata-ci");
        std::fs::create_dir_all(&directory).expect("a directory");
        let text = format!(
            "version = 1\n[gerrit]\nurl = \"http://admin@127.0.0.1:{}\"\n[review]\ntrusted = [\"Administrators\"]\nprojects = [{}]\n{review}\n",
            port,
            self.names()
                .map(|name| format!("\"{name}\""))
                .collect::<Vec<_>>()
                .join(", "),
        );
        std::fs::write(directory.join("config.toml"), text).expect("written");
    }

    /// Writes a pipeline of one step for all projects.
    fn pipeline(&self, script: &str) {
        let mut text =
            format!("version = 1\n[[step]]\nname = \"check\"\nscript = \"\"\"{script}\"\"\"\n");
        for name in self.names() {
            text += &format!(
                "[[component]]\nname = \"{name}\"\npath = \"{name}\"\nproject = \"{name}\"\n"
            );
        }
        std::fs::write(self.home().join("pipeline.toml"), text).expect("written");
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.projects.iter().map(|project| project.name.as_str())
    }

    fn log(&self) -> PathBuf {
        self.home().join("watch.log")
    }

    /// Returns what the watchers of this place have logged.
    fn logged(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Returns a command of kata-ci above the clones.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.clones[0].kata_ci(arguments);
        command.current_dir(self.home());
        command
    }

    /// Starts a watcher.
    fn watch(&self, arguments: &[&str]) -> Watcher {
        self.watch_with(arguments, &[])
    }

    fn watch_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Watcher {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("a log");
        let mut command = self.command(&["review", "--watch", "-p", "pipeline.toml"]);
        command
            .args(["--retry-after", "1s"])
            .args(arguments)
            .envs(variables.iter().copied())
            .env("GIT_SSH_COMMAND", self.server.ssh_command(User::Admin))
            .stdout(Stdio::null())
            .stderr(log);
        if let Some((_, own)) = variables
            .iter()
            .find(|(name, _)| *name == "GIT_SSH_COMMAND")
        {
            command.env("GIT_SSH_COMMAND", own);
        }
        Watcher {
            child: command.spawn().expect("kata-ci"),
        }
    }

    /// Returns the option for the stream of the real server.
    fn stream(&self) -> String {
        format!("admin@127.0.0.1:{}", self.server.value("ssh_port"))
    }

    /// Pushes what is committed in a clone.
    fn push(&self, at: usize) {
        self.clones[at].git(&["push", "-q", "origin", "HEAD:refs/for/master"]);
    }

    /// Returns all changes of the projects, with messages and labels. They are found and read
    /// without the server's index, which is stale after a kill.
    fn changes(&self) -> Vec<Value> {
        const OPTIONS: &str = "o=CURRENT_REVISION&o=ALL_REVISIONS&o=DETAILED_LABELS&o=MESSAGES";
        let mut all = Vec::new();
        for project in &self.projects {
            let listed = crate::support::workspace::git(
                &project.repository(),
                &[
                    "for-each-ref",
                    "--format=%(refname)",
                    "refs/changes/*/*/meta",
                ],
            );
            for number in listed.lines().filter_map(|name| name.split('/').nth(3)) {
                let path = format!("changes/{}~{number}?{OPTIONS}", project.id());
                all.push(self.server.rest(User::Admin, "GET", &path, None));
            }
        }
        all
    }

    /// Waits until a condition of all changes holds.
    fn until(&self, what: &str, mut holds: impl FnMut(&[Value]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let changes = self.changes();
            if holds(&changes) {
                return;
            }
            assert!(Instant::now() < deadline, "{what}: {}", self.told(&changes));
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Waits until the watcher has logged a text this many times.
    fn until_logged(&self, text: &str, times: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.logged().matches(text).count() < times {
            assert!(Instant::now() < deadline, "no `{text}`: {}", self.told(&[]));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Describes a failure.
    fn told(&self, changes: &[Value]) -> String {
        let verdicts: Vec<_> = changes
            .iter()
            .map(|change| format!("{}: {:?}", change["_number"], verdicts(change)))
            .collect();
        let log = self.logged();
        let tail = log.len().saturating_sub(6000);
        format!(
            "{}\n{}",
            verdicts.join("\n"),
            &log[log.floor_char_boundary(tail)..]
        )
    }
}

impl Watcher {
    /// Kills it, as a crash would.
    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// Ends it in order, and returns its exit code.
    fn terminate(&mut self) -> Option<i32> {
        kill(self.pid(), Signal::SIGTERM).expect("a signal");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("waited for") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it ends");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the tags of the verdicts on a change, in order.
fn verdicts(change: &Value) -> Vec<String> {
    let messages = change["messages"].as_array().into_iter().flatten();
    let tags = messages.filter_map(|message| message["tag"].as_str());
    tags.filter(|tag| tag.starts_with("autogenerated:kata-ci~") && !tag.ends_with("~remark"))
        .map(str::to_owned)
        .collect()
}

fn current(change: &Value) -> &str {
    change["current_revision"].as_str().expect("a commit")
}

/// Returns the numbers of the verdicts on the current commit.
fn on_current(change: &Value) -> Vec<String> {
    let prefix = format!("autogenerated:kata-ci~{}~", current(change));
    let verdicts = verdicts(change);
    let own = verdicts.iter().filter_map(|tag| tag.strip_prefix(&prefix));
    own.map(str::to_owned).collect()
}

/// Returns the value of our vote on the current patch set.
fn vote(change: &Value) -> i64 {
    let all = change["labels"]["Verified"]["all"]
        .as_array()
        .into_iter()
        .flatten();
    let own = all.filter(|vote| vote["username"] == "admin" || vote["_account_id"] == 1_000_000);
    own.filter_map(|vote| vote["value"].as_i64())
        .next()
        .unwrap_or(0)
}

/// Expects exactly one verdict on each current commit, and no message twice.
fn expect_one_verdict_each(place: &Place) {
    place.until("each vote stands", |all| {
        all.iter().all(|change| vote(change) == 1)
    });
    for change in place.changes() {
        let all = verdicts(&change);
        let mut counts = BTreeMap::new();
        for tag in &all {
            *counts.entry(tag.clone()).or_insert(0) += 1;
        }
        assert!(counts.values().all(|count| *count == 1), "twice: {all:?}");
        assert_eq!(
            on_current(&change),
            ["1"],
            "change {}: {all:?}",
            change["_number"]
        );
        assert_eq!(vote(&change), 1, "{:#}", change["messages"]);
        assert_eq!(
            vote_tag(&change),
            Some(format!("autogenerated:kata-ci~{}~1", current(&change)))
        );
    }
}

/// Returns the tag of the review that gave our vote on the current patch set.
fn vote_tag(change: &Value) -> Option<String> {
    let all = change["labels"]["Verified"]["all"].as_array()?;
    let given = all
        .iter()
        .find(|vote| vote["value"].as_i64().is_some_and(|value| value != 0))?;
    Some(given["tag"].as_str()?.to_owned())
}
