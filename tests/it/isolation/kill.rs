//! Tests a SIGKILL of kata-ci in the middle of each misbehaving job: two seconds later no process,
//! mount or socket is left, and the next run starts clean.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use crate::run::misbehaving::{Fixture, TESTED, prepared};
use crate::support::isolation::Who;
use crate::support::{KataCi, Started, processes, until};

/// Time after which nothing may be left.
const PATIENCE: Duration = Duration::from_secs(2);

/// Latest time of a kill after the start of the job.
const LATEST: Duration = Duration::from_millis(300);

/// Number of further kills, if each before came before the job had a process: the journal says that
/// it has started a moment earlier.
const MORE: usize = 20;

/// Number of fixtures to kill in parallel.
const SIDE_BY_SIDE: usize = 3;

/// Directories with mounts of the job's own in a sandbox.
const COVERED: &[&str] = &[
    "/tmp", "/var/tmp", "/run", "/root", "/home", "/proc", "/dev", "/dev/shm", "/dev/pts",
];

/// Users and isolation. With the network on, sockets of the job are in the host's own tables.
const SETTINGS: &[(Who, &[&str])] = &[
    (Who::Myself, &["--isolate", "on"]),
    (Who::User, &["--isolate", "auto", "--network", "on"]),
    (Who::User, &["--isolate", "on"]),
    (Who::Myself, &["--isolate", "auto", "--network", "on"]),
];

/// The script to run after a kill. It looks for leftovers from inside of a job. With the host's
/// network it also sees the sockets of other fixtures, which have other names. The mark is put
/// together from parts, because the command line of the shell has the script.
const CLEAN: &str = r#"
[[step]]
name = 'clean'
expect = 'exit'
script = '''
mark="kata-ci""-fixture-NAME"
seen=$(ls -A /tmp /var/tmp /dev/shm /run; cat /proc/net/unix /proc/mounts; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ')
! printf '%s\n' "$seen" | grep -e "$mark"
'''
"#;

#[test]
fn killed_in_the_middle_of_each_fixture_nothing_stays() {
    rounds(2);
}

#[test]
#[ignore = "takes minutes: make soak"]
fn killed_twenty_times_in_the_middle_of_each_fixture_nothing_stays() {
    rounds(20);
}

fn rounds(count: usize) {
    let waiting = Mutex::new(TESTED.iter().enumerate());
    let next = || waiting.lock().expect("no panic").next();
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some((number, fixture)) = next() {
                    let mut scene = Scene::new(fixture);
                    (0..count).for_each(|round| scene.round(number * 2 + round));
                    (count..count + MORE).for_each(|round| {
                        if !scene.has_seen_any() {
                            scene.round(number * 2 + round);
                        }
                    });
                    assert!(scene.has_seen_any(), "{fixture}: every kill came too early");
                    let job = match scene.starts_no_job() {
                        true => " before any job",
                        false => "",
                    };
                    eprintln!("{fixture}: {count} kills{job}, nothing left");
                }
            });
        }
    });
}

/// A fixture that runs again and again in the same directory.
struct Scene {
    fixture: Fixture,
    runs: usize,
    /// True after a kill before which there were processes and sockets. It proves that leftovers
    /// would be found.
    has_seen: bool,
}

/// The processes and sockets of a run.
struct Seen {
    /// Process id, start time and command line.
    processes: BTreeSet<(i32, String, String)>,
    /// Inodes of the sockets.
    sockets: BTreeSet<String>,
}

impl Scene {
    fn new(name: &str) -> Self {
        let fixture = prepared(name);
        let pipeline = fixture.place.path().join("kata-ci.toml");
        let clean = CLEAN.replace("NAME", &fixture.name);
        let text = fs::read_to_string(&pipeline).expect("a pipeline") + &clean;
        fs::write(pipeline, text).expect("written");
        Self {
            fixture,
            runs: 0,
            has_seen: false,
        }
    }

    fn marker(&self) -> &str {
        self.fixture.place.path().to_str().expect("text")
    }

    fn call(&mut self, who: Who, arguments: &[&str], step: &str) -> KataCi {
        self.runs += 1;
        let reports = self
            .fixture
            .place
            .path()
            .join(format!("reports-{}", self.runs));
        let mut call = KataCi::bare()
            .args(["run", "-C"])
            .args([self.fixture.place.path()])
            .args(["-s", step, "--report-dir"])
            .args([&reports])
            .args(arguments)
            .reports_in(&reports);
        for (name, value) in &self.fixture.header.env {
            call = call.env(name, value);
        }
        who.calls(call, self.fixture.place.path())
    }

    /// Kills once and runs again. A run that ends before its kill makes the next kill come sooner.
    fn round(&mut self, number: usize) {
        let setting = SETTINGS[number % SETTINGS.len()];
        let steps = &self.fixture.header.expect;
        let (step, outcome) = steps[(number / SETTINGS.len()) % steps.len()].clone();
        let mounts = host_mounts();
        let mut latest = LATEST;
        while !self.killed(setting, (&step, &outcome), latest, &mounts) {
            latest = latest * 2 / 3;
        }
        let (who, arguments) = setting;
        let clean = self.call(who, arguments, "clean").finish();
        if self.starts_no_job() {
            return;
        }
        let said = clean
            .expect_code(0)
            .job(&format!("{}.clean", self.fixture.name));
        assert_eq!(said["isolation"]["processes"], "enforced", "{said:#}");
    }

    /// Returns true if the workspace is refused, so that no job starts.
    fn starts_no_job(&self) -> bool {
        let steps = &self.fixture.header.expect;
        !self.fixture.header.requires.is_empty()
            && steps.iter().all(|(_, outcome)| outcome == "error")
    }

    /// Returns true if a kill met processes and sockets, or none of the jobs is long enough for it.
    fn has_seen_any(&self) -> bool {
        let mut steps = self.fixture.header.expect.iter();
        self.has_seen || !steps.any(|(_, outcome)| outcome == "timed-out")
    }

    /// Returns true if there was something to kill.
    fn killed(
        &mut self,
        (who, arguments): (Who, &[&str]),
        (step, outcome): (&str, &str),
        latest: Duration,
        mounts: &BTreeSet<(String, PathBuf)>,
    ) -> bool {
        let mut run = self.call(who, arguments, step).start();
        wait_for_job(&mut run);
        std::thread::sleep(latest.mul_f64(random()));
        let seen = Seen::of(run.child.id() as i32);
        run.child.kill().expect("killed");
        let killed = Instant::now();
        let reports = run.reports.clone();
        let finished = run.finish();
        let code = finished.code;
        while !self.left(&seen, mounts).is_empty() && killed.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        let what = format!("{} {step} {who:?} {arguments:?}", self.fixture.name);
        let left = self.left(&seen, mounts);
        assert!(left.is_empty(), "{what}: left after {PATIENCE:?}: {left:?}");
        if outcome == "timed-out" {
            assert_eq!(code, 137, "{what}");
        }
        self.has_seen |= !seen.processes.is_empty() && !seen.sockets.is_empty();
        let removed = fs::remove_dir_all(reports);
        assert!(
            removed.is_ok(),
            "{what}: {removed:?}: {code} {}",
            finished.printed()
        );
        code == 137 || self.starts_no_job()
    }

    fn left(&self, seen: &Seen, mounts: &BTreeSet<(String, PathBuf)>) -> Vec<String> {
        let now = host_mounts();
        let sockets = socket_numbers();
        let marker = Path::new(self.marker());
        let mounted = now.difference(mounts).filter(|(_, place)| {
            place.starts_with(marker) || COVERED.iter().any(|covered| place == Path::new(covered))
        });
        let kept = seen.sockets.intersection(&sockets);
        seen.alive()
            .into_iter()
            .chain(processes::with(self.marker()))
            .chain(mounted.map(|(_, place)| format!("a mount at {}", place.display())))
            .chain(kept.map(|number| format!("socket {number}")))
            .collect()
    }
}

/// Waits until a job has begun, or the run has ended.
fn wait_for_job(run: &mut Started) {
    let journal = run.reports.join("events.jsonl");
    until("a job that has begun", || {
        fs::read_to_string(&journal).is_ok_and(|events| events.contains("job-started"))
            || run.child.try_wait().expect("waited").is_some()
    });
}

/// Returns a number below 1; it only matters that it differs.
fn random() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    f64::from(now.expect("a time").subsec_nanos() % 10_007) / 10_007.0
}

impl Seen {
    /// Returns everything below a process, in any namespace.
    fn of(top: i32) -> Self {
        let all = all_processes();
        let mut found = BTreeSet::from([top]);
        loop {
            let below = all.iter().filter(|process| found.contains(&process.parent));
            let more: BTreeSet<_> = below.map(|process| process.id).collect();
            let before = found.len();
            found.extend(more);
            if found.len() == before {
                break;
            }
        }
        found.remove(&top);
        let processes = all
            .into_iter()
            .filter(|process| found.contains(&process.id))
            .map(|process| (process.id, process.started, process.name))
            .collect();
        Self {
            processes,
            sockets: found.into_iter().flat_map(sockets_of).collect(),
        }
    }

    /// Describes the processes that are still alive.
    fn alive(&self) -> Vec<String> {
        all_processes()
            .into_iter()
            .map(|process| (process.id, process.started, process.name))
            .filter(|(id, started, _)| {
                let same =
                    |(other, begun, _): &(i32, String, String)| other == id && begun == started;
                self.processes.iter().any(same)
            })
            .map(|(id, _, name)| format!("process {id} {name}"))
            .collect()
    }
}

struct Process {
    id: i32,
    parent: i32,
    started: String,
    name: String,
}

/// Returns all running processes without zombies; see proc_pid_stat(5).
fn all_processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|stat| process(&stat))
        .collect()
}

fn process(stat: &str) -> Option<Process> {
    let (id, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let words: Vec<_> = rest.split_whitespace().collect();
    let is_there = !matches!(*words.first()?, "Z" | "X");
    is_there.then_some(())?;
    Some(Process {
        id: id.parse().ok()?,
        parent: words.get(1)?.parse().ok()?,
        started: (*words.get(19)?).to_owned(),
        name: name.to_owned(),
    })
}

fn sockets_of(process: i32) -> Vec<String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter_map(|target| socket_number(&target))
        .collect()
}

fn socket_number(link: &Path) -> Option<String> {
    let number = link.to_str()?.strip_prefix("socket:[")?;
    Some(number.strip_suffix(']')?.to_owned())
}

/// Returns the inodes of all sockets in the host's network, from each table.
fn socket_numbers() -> BTreeSet<String> {
    let tables = [
        ("unix", 6),
        ("tcp", 9),
        ("tcp6", 9),
        ("udp", 9),
        ("udp6", 9),
    ];
    tables
        .into_iter()
        .flat_map(|(name, column)| {
            let table = fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
            let numbers = table
                .lines()
                .skip(1)
                .map(|line| line.split_whitespace().nth(column));
            numbers.flatten().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// Returns id and mount point of each mount of the host; see proc_pid_mountinfo(5).
fn host_mounts() -> BTreeSet<(String, PathBuf)> {
    let table = fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    let mounts = table.lines().filter_map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        Some(((*words.first()?).to_owned(), words.get(4)?.into()))
    });
    mounts.collect()
}

#[test]
fn what_is_looked_for_can_be_found() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let (one, _other) = UnixStream::pair().expect("a pair");
    let known = socket_numbers();
    for number in [listener.as_raw_fd(), one.as_raw_fd()] {
        let link = fs::read_link(format!("/proc/self/fd/{number}")).expect("a socket");
        assert!(known.contains(&socket_number(&link).expect("a number")));
    }
    let is_mounted = |place| host_mounts().iter().any(|(_, at)| at == Path::new(place));
    assert!(is_mounted("/") && is_mounted("/proc"));
    let mut child = Command::new("sleep").arg("60").spawn().expect("started");
    let seen = Seen::of(std::process::id() as i32);
    let name = format!("process {} sleep", child.id());
    let was_alive = seen.alive().contains(&name);
    child.kill().expect("killed");
    child.wait().expect("waited");
    assert!(was_alive && !seen.alive().contains(&name));
}
