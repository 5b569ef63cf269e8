//! From what is asked for and what the host allows to what is put around each job.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::host::{Host, Level, Tier};
use super::{RunPaths, Sandbox, Space, caches, mount_plan};
use crate::config::{IsolatePolicy, NetworkPolicy};
use crate::event::{Enforcement, Isolation};
use crate::exec::limits::{Limited, OwnCgroup, Settling};
use crate::model::{JobId, Readiness};
use crate::plan::{Bounds, Job, Plan};

/// What helps where the system refuses.
const OTHER_HOST: &str = "run where namespaces are allowed (as root, or where users may make user namespaces), or ask for `auto`";
/// The reason why the network is only advisory without a sandbox.
const UNKEPT: &str =
    "jobs are asked to stay off the network; with isolate off nothing keeps them off it";
/// A network of its own and nothing else.
const NETWORK_ONLY: Tier = Tier {
    network: true,
    space: Level::None,
};
/// Jobs that are named at most.
const NAMED: usize = 3;

/// How far the jobs of a run are isolated: what holds before the run has a place of its own.
#[derive(Debug)]
pub struct IsolationPlan {
    jobs: BTreeMap<JobId, Decision>,
    room: Option<OwnCgroup>,
}

/// What is put around the jobs of a run.
#[derive(Debug, Clone, Default)]
pub struct Isolated {
    jobs: BTreeMap<JobId, JobIsolation>,
    /// Where the groups of jobs are made, until the run is over.
    _room: Option<Arc<OwnCgroup>>,
}

/// What is put around one job, and what is said of it.
#[derive(Debug, Clone)]
pub(in crate::exec) struct JobIsolation {
    pub sandbox: Sandbox,
    pub limited: Limited,
    pub said: Isolation,
}

/// What was asked for and cannot be had, for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}\n  = help: {fix}")]
pub struct UnsatisfiableIsolation {
    what: String,
    fix: &'static str,
}

impl IsolationPlan {
    /// Asks the host, and decides what every job gets that can run.
    ///
    /// # Errors
    /// When `off` or `on` is asked for and this host cannot keep it.
    pub fn of(plan: &Plan, program: &Path) -> Result<Self, UnsatisfiableIsolation> {
        let mut host = Host::new(program);
        let mut limits = Settling::default();
        let mut jobs = BTreeMap::new();
        for job in plan
            .jobs
            .iter()
            .filter(|job| job.readiness == Readiness::Ready)
        {
            let mut decision = Decision::of(job, |tier| host.allows(tier))?;
            decision.limit(job, &mut limits);
            jobs.insert(job.id.clone(), decision);
        }
        let room = limits.room;
        Ok(Self { jobs, room })
    }

    /// Settles where the places of the jobs are.
    pub fn settle(mut self, plan: &Plan, scene: &RunPaths<'_>) -> Isolated {
        let jobs = plan.jobs.iter().filter_map(|job| {
            let decision = self.jobs.remove(&job.id)?;
            Some((job.id.clone(), decision.settled(job, scene)))
        });
        Isolated {
            jobs: jobs.collect(),
            _room: self.room.map(Arc::new),
        }
    }
}

impl Isolated {
    /// What was settled for a job; none in runs that nothing was settled for.
    pub(in crate::exec) fn of(&self, job: &JobId) -> Option<&JobIsolation> {
        self.jobs.get(job)
    }

    /// What can be said of the run as a whole: of each kind the least that holds for a job that is to have it, and who is not
    /// to have it.
    pub fn overall(&self) -> Isolation {
        let all = || self.jobs.values().map(|settled| &settled.said);
        let least = |of: fn(&Isolation) -> &Enforcement| {
            let each: Vec<_> = (self.jobs.iter())
                .map(|(job, settled)| (job, of(&settled.said)))
                .collect();
            least(&each)
        };
        let mut modes: Vec<_> = all().map(|said| said.mode.as_str()).collect();
        modes.sort_unstable();
        modes.dedup();
        Isolation {
            network: least(|said| &said.network),
            processes: least(|said| &said.processes),
            files: least(|said| &said.files),
            mode: modes.join(", "),
            // The same for every job that has any.
            limits: all()
                .map(|said| &said.limits)
                .find(|limits| !limits.is_empty())
                .cloned()
                .unwrap_or_default(),
        }
    }
}

/// Sums one kind of isolation up over the jobs of a run: an advisory job makes the run advisory. If some jobs are enforced
/// and others are off, those that are off are named, so that nobody takes the first for all.
fn least(each: &[(&JobId, &Enforcement)]) -> Enforcement {
    if let Some((_, advisory)) = each.iter().find(|(_, reach)| reach.is_advisory()) {
        return (*advisory).clone();
    }
    let off: Vec<_> = (each.iter())
        .filter(|(_, reach)| **reach == Enforcement::Off)
        .map(|(job, _)| job.to_string())
        .collect();
    let more = off.len().saturating_sub(NAMED);
    let named = off[..off.len() - more].join(", ");
    match (off.len(), more) {
        (all, _) if all == each.len() => Enforcement::Off,
        (_, 0) => Enforcement::Enforced { except: named },
        (_, more) => Enforcement::Enforced {
            except: format!("{named} and {more} more"),
        },
    }
}

/// What a job gets, before it is known where its places are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decision {
    tier: Tier,
    limited: Limited,
    said: Isolation,
}

impl Decision {
    fn of(
        job: &Job,
        mut allows: impl FnMut(Tier) -> Result<(), String>,
    ) -> Result<Self, UnsatisfiableIsolation> {
        let wanted = wanted(&job.bounds);
        let strict = wanted.space == Level::Strict;
        let own = sudo(&job.bounds).or_else(|| {
            (wanted.space != Level::None).then(|| mount_plan::conflict(job, strict))?
        });
        let fix = match own {
            None => OTHER_HOST,
            Some(_) => "see to what stands in the way, or ask for `auto`",
        };
        let Err(reason) = own.map_or_else(|| allows(wanted), Err) else {
            return Ok(Self::new(job, wanted, ""));
        };
        if strict {
            return Err(unmet(job, "isolate on", &reason, fix));
        }
        let fallback = fallback(&job.bounds, wanted, &mut allows);
        if job.bounds.network == NetworkPolicy::Off && !fallback.network {
            let reason = allows(NETWORK_ONLY).err().unwrap_or(reason);
            return Err(unmet(job, "network off", &reason, OTHER_HOST));
        }
        Ok(Self::new(job, fallback, &reason))
    }

    fn new(job: &Job, tier: Tier, reason: &str) -> Self {
        let advisory = || Enforcement::Advisory(reason.to_owned());
        let of_space = || match (job.bounds.isolate, tier.space) {
            (IsolatePolicy::Off, _) => Enforcement::Off,
            (_, Level::None) => advisory(),
            _ => Enforcement::ENFORCED,
        };
        let network = match (job.bounds.network, tier.network) {
            (NetworkPolicy::On, _) => Enforcement::Off,
            (_, true) => Enforcement::ENFORCED,
            (NetworkPolicy::Auto, false) if job.bounds.isolate == IsolatePolicy::Off => {
                Enforcement::Advisory(UNKEPT.to_owned())
            }
            (_, false) => advisory(),
        };
        Self {
            tier,
            limited: Limited::default(),
            said: Isolation {
                network,
                processes: of_space(),
                files: of_space(),
                mode: mode(job.bounds.isolate).to_owned(),
                limits: BTreeMap::new(),
            },
        }
    }

    /// Root's processes are not counted, see setrlimit(2); those of others are counted for each user namespace.
    fn limit(&mut self, job: &Job, settling: &mut Settling) {
        let is_apart = self.tier.space != Level::None && !nix::unistd::geteuid().is_root();
        self.limited = settling.settle(job.bounds.limits, is_apart);
        self.said.limits = self.limited.said.clone();
    }

    fn settled(self, job: &Job, scene: &RunPaths<'_>) -> JobIsolation {
        let strict = self.tier.space == Level::Strict;
        if self.tier.space != Level::None {
            caches::make(job, strict);
        }
        let space = (self.tier.space != Level::None).then(|| Space {
            strict,
            places: mount_plan::places(job, scene, strict),
        });
        JobIsolation {
            sandbox: Sandbox {
                network: self.tier.network,
                space,
                limits: self.limited.of_each,
                groups: Vec::new(),
            },
            limited: self.limited,
            said: self.said,
        }
    }
}

/// What is asked for. Without a sandbox, `auto` leaves the network as it is: an ordinary user's job could have one of its
/// own in a user namespace only, which changes more than the network.
fn wanted(bounds: &Bounds) -> Tier {
    let network = match bounds.network {
        NetworkPolicy::Off => true,
        NetworkPolicy::Auto => bounds.isolate != IsolatePolicy::Off,
        NetworkPolicy::On => false,
    };
    Tier {
        network,
        space: bounds.isolate.into(),
    }
}

/// The best there is of what is asked for, when all of it cannot be had.
fn fallback(
    bounds: &Bounds,
    wanted: Tier,
    mut allows: impl FnMut(Tier) -> Result<(), String>,
) -> Tier {
    let nothing = Tier {
        network: false,
        space: Level::None,
    };
    // An ordinary user's network comes with a user namespace, too.
    if bounds.calls_sudo && bounds.network != NetworkPolicy::Off {
        return nothing;
    }
    let space_only = Tier {
        network: false,
        ..wanted
    };
    if wanted.network && wanted != NETWORK_ONLY && allows(NETWORK_ONLY).is_ok() {
        return NETWORK_ONLY;
    }
    if wanted.network && bounds.network != NetworkPolicy::Off && allows(space_only).is_ok() {
        return space_only;
    }
    nothing
}

fn sudo(bounds: &Bounds) -> Option<String> {
    let is_asked = bounds.isolate == IsolatePolicy::Auto && bounds.network != NetworkPolicy::Off;
    (bounds.calls_sudo && is_asked)
        .then(|| "the job calls sudo, which no sandbox of an ordinary user lets through".to_owned())
}

fn mode(policy: IsolatePolicy) -> &'static str {
    match policy {
        IsolatePolicy::Off => "off",
        IsolatePolicy::Auto => "auto",
        IsolatePolicy::On => "on",
    }
}

fn unmet(job: &Job, what: &str, reason: &str, fix: &'static str) -> UnsatisfiableIsolation {
    UnsatisfiableIsolation {
        what: format!(
            "{what} is asked for {}, and cannot be kept here: {reason}",
            job.id
        ),
        fix,
    }
}

#[cfg(test)]
mod tests;
