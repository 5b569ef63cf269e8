//! Resolves the isolation of each job, from the request and the abilities of the host.

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

/// The fix if the system refuses.
const OTHER_HOST: &str = "run where namespaces are allowed (as root, or where users may make user namespaces), or ask for `auto`";
/// The reason why the network is only advisory without a sandbox.
const UNKEPT: &str =
    "jobs are asked to stay off the network; with isolate off nothing keeps them off it";
/// A network of its own and nothing else.
const NETWORK_ONLY: Tier = Tier {
    network: true,
    space: Level::None,
};
/// The greatest number of jobs that are named.
const NAMED: usize = 3;

/// The isolation of the jobs of a run, before the run has directories.
#[derive(Debug)]
pub struct IsolationPlan {
    jobs: BTreeMap<JobId, Decision>,
    cgroup: Option<OwnCgroup>,
}

/// The isolation of the jobs of a run.
#[derive(Debug, Clone, Default)]
pub struct Isolated {
    jobs: BTreeMap<JobId, JobIsolation>,
    /// The control group below which those of jobs are made. It lasts as long as the run.
    _cgroup: Option<Arc<OwnCgroup>>,
}

/// The isolation of one job.
#[derive(Debug, Clone)]
pub(in crate::exec) struct JobIsolation {
    pub sandbox: Sandbox,
    pub limited: Limited,
    /// The enforcement of each kind of isolation.
    pub enforcement: Isolation,
}

/// The error of isolation that is asked for and cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}\n  = help: {fix}")]
pub struct UnsatisfiableIsolation {
    what: String,
    fix: &'static str,
}

impl IsolationPlan {
    /// Tries what the host allows, and decides the isolation of every job that can run.
    ///
    /// # Errors
    /// Fails if `--network off` or `--isolate on` is asked for and this host cannot enforce it.
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
        let cgroup = limits.cgroup;
        Ok(Self { jobs, cgroup })
    }

    /// Computes the view of the files of each job, now that the directories of the run are known.
    pub fn settle(mut self, plan: &Plan, paths: &RunPaths<'_>) -> Isolated {
        let jobs = plan.jobs.iter().filter_map(|job| {
            let decision = self.jobs.remove(&job.id)?;
            Some((job.id.clone(), decision.settled(job, paths)))
        });
        Isolated {
            jobs: jobs.collect(),
            _cgroup: self.cgroup.map(Arc::new),
        }
    }
}

impl Isolated {
    /// Returns the isolation of a job; `None` in a run without isolation.
    pub(in crate::exec) fn of(&self, job: &JobId) -> Option<&JobIsolation> {
        self.jobs.get(job)
    }

    /// Sums the isolation up over the run: the weakest of each kind among the jobs that asked for
    /// it, and the jobs that opted out.
    pub fn overall(&self) -> Isolation {
        let all = || self.jobs.values().map(|job| &job.enforcement);
        let least = |of: fn(&Isolation) -> &Enforcement| {
            let each: Vec<_> = (self.jobs.iter())
                .map(|(id, job)| (id, of(&job.enforcement)))
                .collect();
            least(&each)
        };
        let mut modes: Vec<_> = all().map(|one| one.mode.as_str()).collect();
        modes.sort_unstable();
        modes.dedup();
        Isolation {
            network: least(|one| &one.network),
            processes: least(|one| &one.processes),
            files: least(|one| &one.files),
            mode: modes.join(", "),
            // The same for every job that has any.
            limits: all()
                .map(|one| &one.limits)
                .find(|limits| !limits.is_empty())
                .cloned()
                .unwrap_or_default(),
        }
    }
}

/// Sums one kind of isolation up over the jobs of a run: an advisory job makes the run advisory. If
/// some jobs are enforced and others are off, those that are off are named, so that nobody takes
/// the first for all.
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

/// The isolation of a job, before the directories of the run are known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decision {
    tier: Tier,
    limited: Limited,
    enforcement: Isolation,
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
            enforcement: Isolation {
                network,
                processes: of_space(),
                files: of_space(),
                mode: mode(job.bounds.isolate).to_owned(),
                limits: BTreeMap::new(),
            },
        }
    }

    /// Decides the limits. The kernel does not count the processes of root (see setrlimit(2)), and
    /// counts those of others for each user namespace.
    fn limit(&mut self, job: &Job, settling: &mut Settling) {
        let is_apart = self.tier.space != Level::None && !nix::unistd::geteuid().is_root();
        self.limited = settling.settle(job.bounds.limits, is_apart);
        self.enforcement.limits = self.limited.enforcement.clone();
    }

    fn settled(self, job: &Job, paths: &RunPaths<'_>) -> JobIsolation {
        let strict = self.tier.space == Level::Strict;
        if self.tier.space != Level::None {
            caches::make(job, strict);
        }
        let space = (self.tier.space != Level::None).then(|| Space {
            strict,
            places: mount_plan::places(job, paths, strict),
        });
        JobIsolation {
            sandbox: Sandbox {
                network: self.tier.network,
                space,
                limits: self.limited.of_each,
                groups: Vec::new(),
            },
            limited: self.limited,
            enforcement: self.enforcement,
        }
    }
}

/// Returns the sandbox that is asked for. With `isolate off`, `network auto` leaves the network as
/// it is: for an ordinary user it would take a user namespace, which changes more than the network.
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

/// Returns the best sandbox that can be had if the wanted one cannot.
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
