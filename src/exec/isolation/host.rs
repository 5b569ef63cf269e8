//! Finds out what this host allows by trying it: a helper sets the sandbox up around a program that
//! does nothing.
//!
//! Settings of the system are not read, because too many of them matter together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Sandbox, Space, mount_plan};
use crate::config::IsolatePolicy;
use crate::exec::child::Child;
use crate::exec::job_watch::{JobWatch, TimeLimits};
use crate::exec::protocol::Spec;
use crate::exec::stop;
use crate::model::Ending;
use crate::outcome::Trouble;

/// Time limit for setting up.
const PATIENCE: Duration = Duration::from_secs(10);

/// A kind of sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tier {
    /// True for a network of its own.
    pub network: bool,
    pub space: Level,
}

/// The level of a job's own view of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    None,
    Own,
    Strict,
}

impl From<IsolatePolicy> for Level {
    fn from(policy: IsolatePolicy) -> Self {
        match policy {
            IsolatePolicy::Off => Self::None,
            IsolatePolicy::Auto => Self::Own,
            IsolatePolicy::On => Self::Strict,
        }
    }
}

/// Tries the sandbox of a job, strict or not, with a network of its own. Returns the refused step
/// and the error of the system if it cannot be set up here.
///
/// # Errors
///
/// The refused step, with the error of the system.
pub fn try_sandbox(program: &Path, is_strict: bool) -> Result<(), String> {
    let space = match is_strict {
        true => Level::Strict,
        false => Level::Own,
    };
    let network = true;
    Host::new(program).allows(Tier { network, space })
}

/// The results, each tried once.
#[derive(Debug)]
pub(super) struct Host {
    program: PathBuf,
    answers: BTreeMap<Tier, Result<(), String>>,
}

impl Host {
    /// Creates it without results. `program` is [`crate::exec::RunOptions::program`].
    pub fn new(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            answers: BTreeMap::new(),
        }
    }

    /// Checks that such a sandbox can be set up here. Returns the refused step and the error of the
    /// system otherwise.
    pub fn allows(&mut self, tier: Tier) -> Result<(), String> {
        if let Some(answer) = self.answers.get(&tier) {
            return answer.clone();
        }
        let answer = self.ask(tier);
        self.answers.insert(tier, answer.clone());
        answer
    }

    fn ask(&self, tier: Tier) -> Result<(), String> {
        let space = (tier.space != Level::None).then(|| Space {
            strict: tier.space == Level::Strict,
            places: mount_plan::of_nobody(tier.space == Level::Strict),
        });
        let sandbox = Sandbox {
            network: tier.network,
            space,
            ..Sandbox::default()
        };
        let spec = Spec {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), ":".into()],
            directory: "/".into(),
            environment: Vec::new(),
            sandbox,
        };
        self.run(spec)
    }

    fn run(&self, spec: Spec) -> Result<(), String> {
        let said = |trouble: &Trouble| match trouble {
            Trouble::Infrastructure(what) | Trouble::Lasting(what) | Trouble::Cancelled(what) => {
                what.clone()
            }
            Trouble::Timeout(seconds) => format!("no answer within {seconds} s"),
        };
        let (_stopper, mut stops) = stop::pair().map_err(|error| error.to_string())?;
        let child = Child::start(&self.program, spec).map_err(|failure| said(&failure.trouble))?;
        let limits = TimeLimits {
            timeout: PATIENCE,
            grace: Duration::ZERO,
        };
        let watched = JobWatch::new(child, None, &mut stops, limits).run();
        match (watched.refused, watched.failure, watched.ended) {
            (Some(what), _, _) => Err(what),
            (None, Some(failure), _) => Err(said(&failure.trouble)),
            (None, None, Some(ended)) if ended.ending.is_some_and(Ending::is_success) => Ok(()),
            (None, None, ended) => Err(format!("a shell did not end well: {ended:?}")),
        }
    }
}
