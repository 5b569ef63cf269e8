//! Asks programs, the kernel and the network of a host.

use std::ffi::OsString;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kvm_ioctls::Kvm;

use super::{Asked, Unasked};
use crate::env::Environment;
use crate::exec;
use crate::git::{Git, GitError, Repository};
use crate::probe::{Answer, Probe};

/// The time limit of a program, which takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(10);
/// The time limit of a git that asks a server.
const TALKING: Duration = Duration::from_secs(20);
/// The time limit of a connection.
const CONNECTING: Duration = Duration::from_secs(4);

/// A question to a program.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The name of the program on PATH.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its standard input.
    pub input: String,
}

impl Question {
    /// Makes a question without an input.
    pub fn of(program: &str, arguments: &[&str]) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&one| one.to_owned()).collect(),
            input: String::new(),
        }
    }
}

/// The answer of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// True if its exit code is 0.
    pub is_success: bool,
    /// Its standard output.
    pub output: String,
    /// The first lines of its standard error.
    pub complaint: String,
}

/// A step of the proof of KVM that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The step: `open`, `KVM_GET_API_VERSION`, `KVM_CREATE_VM`.
    pub step: &'static str,
    /// The number of the error.
    pub errno: i32,
}

/// Answers all questions that are not about files.
pub(crate) trait Ask: Sync {
    /// Returns the path of a program on the user's PATH.
    fn program(&self, name: &str) -> Option<PathBuf>;

    /// Asks a program; `None` if there is none of this name. It ends by a deadline.
    fn run(&self, question: &Question) -> Asked<Option<Said>>;

    /// Asks git in the user's directory. It ends by a deadline and asks nobody.
    fn git(&self, arguments: &[&str]) -> Result<Said, GitError>;

    /// Makes a virtual machine, and returns the version of the interface.
    fn create_vm(&self) -> Result<i32, Refusal>;

    /// Connects to a place, `HOST:PORT`. `Ok(Some(reason))` if that is refused.
    fn connect(&self, place: &str) -> Asked<Option<String>>;

    /// Returns the kind of a file system, as statfs(2) has it.
    fn file_system(&self, path: &str) -> Asked<i64>;

    /// Returns true if the user may write there.
    fn may_write(&self, path: &str) -> bool;

    /// Tries a sandbox of jobs, strict or not. `Err` has the step that is refused.
    fn sandbox(&self, is_strict: bool) -> Result<(), String>;
}

/// The machine that this runs on.
pub(crate) struct ThisHost {
    environment: Environment,
    /// The directory that git is asked in.
    directory: PathBuf,
}

impl ThisHost {
    /// Returns this machine. Its programs speak English.
    pub fn new(environment: &Environment, directory: &Path) -> Self {
        let mut environment = environment.clone();
        environment.set("LC_ALL", "C");
        Self {
            environment,
            directory: directory.to_owned(),
        }
    }
}

impl Ask for ThisHost {
    fn program(&self, name: &str) -> Option<PathBuf> {
        let found = self.environment.find_program(name);
        // Root's programs are not on every user's PATH.
        found.or_else(|| {
            let of_root = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
            let mut paths = of_root.iter().map(|place| Path::new(place).join(name));
            paths.find(|path| path.is_file())
        })
    }

    fn run(&self, question: &Question) -> Asked<Option<Said>> {
        let Some(program) = self.program(&question.program) else {
            return Ok(None);
        };
        let probe = Probe {
            program: &program,
            arguments: question.arguments.iter().map(OsString::from).collect(),
            directory: Path::new("/"),
            environment: &self.environment,
            deadline: DEADLINE,
        };
        let answer = probe.run_with(question.input.as_bytes());
        let answer = answer.map_err(|error| Unasked(error.to_string()))?;
        Ok(Some(Said::of(&answer)))
    }

    fn git(&self, arguments: &[&str]) -> Result<Said, GitError> {
        let git = Git::of_user(&self.environment).with_deadline(TALKING);
        let repository: Repository = git.at(&self.directory);
        let answer = repository.answer(arguments.iter())?;
        Ok(Said::of(&answer))
    }

    fn create_vm(&self) -> Result<i32, Refusal> {
        let refused = |step| {
            move |error: kvm_ioctls::Error| Refusal {
                step,
                errno: error.errno(),
            }
        };
        let kvm = Kvm::new().map_err(refused("open"))?;
        let version = kvm.get_api_version();
        match version {
            // The kernel's only version since 2007.
            12 => kvm.create_vm().map_err(refused("KVM_CREATE_VM"))?,
            _ => {
                return Err(Refusal {
                    step: "KVM_GET_API_VERSION",
                    errno: version,
                });
            }
        };
        Ok(version)
    }

    fn connect(&self, place: &str) -> Asked<Option<String>> {
        // The resolver has no time limit of its own.
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let wanted = place.to_owned();
        let asking = std::thread::Builder::new().spawn(move || {
            let _ = sender.send(wanted.to_socket_addrs());
        });
        asking.map_err(|error| Unasked(error.to_string()))?;
        let addresses = match receiver.recv_timeout(CONNECTING) {
            Err(_) => {
                let seconds = CONNECTING.as_secs();
                return Err(Unasked(format!(
                    "the address of {place} was not found within {seconds} s"
                )));
            }
            Ok(Err(error)) => return Ok(Some(format!("{error}"))),
            Ok(Ok(addresses)) => addresses,
        };
        let mut reason = "it has no address".to_owned();
        for address in addresses.take(4) {
            match TcpStream::connect_timeout(&address, CONNECTING) {
                Ok(_) => return Ok(None),
                Err(error) => reason = error.to_string(),
            }
        }
        Ok(Some(reason))
    }

    fn file_system(&self, path: &str) -> Asked<i64> {
        let found = rustix::fs::statfs(path);
        let found = found.map_err(|error| Unasked(format!("statfs of {path}: {error}")))?;
        Ok(found.f_type)
    }

    fn may_write(&self, path: &str) -> bool {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
    }

    fn sandbox(&self, is_strict: bool) -> Result<(), String> {
        exec::try_sandbox(&exec::own_program(), is_strict)
    }
}

impl Said {
    /// Makes it of the answer of a probe.
    pub fn of(answer: &Answer) -> Self {
        Self {
            is_success: answer.status.success(),
            output: String::from_utf8_lossy(&answer.output).into_owned(),
            complaint: match answer.complaint() {
                empty if empty.is_empty() && !answer.status.success() => answer.status.to_string(),
                complaint => complaint,
            },
        }
    }
}
