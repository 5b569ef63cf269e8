//! The options of a plan, which `plan` and `submit` share.

use std::str::FromStr;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::candidates;
use super::global::GlobalArguments;
use super::run::given;
use super::settings::positive;
use crate::env::Environment;
use crate::model::{CommandError, Selection};
use crate::plan::ShardCount;
use crate::run::{
    DurationSource, MadePlan, PatchSetName, PlanRequest, RunRequest, RunSettings, make_plan,
};
use crate::say;
use crate::text::for_terminal;

/// The most bytes of a line.
const LINE_CAP: usize = 4096;

#[derive(Debug, Args)]
pub(super) struct PlanningArguments {
    /// Components to plan [default: as with run].
    #[arg(value_name = "COMPONENT", add = ArgValueCompleter::new(candidates::components))]
    components: Vec<String>,

    /// kata-v1, kata-monorepo, makefile or a file [default: as with run].
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE", add = ArgValueCompleter::new(candidates::pipelines))]
    pipeline: Option<String>,

    /// Steps to plan, with the steps they need [default: all].
    #[arg(short, long = "step", value_name = "STEP", env = "KATACI_STEP", value_delimiter = ',',
          add = ArgValueCompleter::new(candidates::steps))]
    steps: Vec<String>,

    /// Plan only the components that changed since REV, and those that need them.
    #[arg(long, value_name = "REV", env = "KATACI_SINCE")]
    since: Option<String>,

    /// Plan the commit REV [default: the commit of the work tree, which must not differ from it].
    #[arg(long, value_name = "REV", env = "KATACI_REV")]
    rev: Option<String>,

    /// Number of shards [default: 1]. Those without a job are the last.
    #[arg(long, value_name = "N", env = "KATACI_SHARDS", value_parser = positive)]
    shards: Option<usize>,

    /// As few shards as take at most S seconds each, as far as their longest job allows.
    #[arg(long, value_name = "S", env = "KATACI_MAX_SECONDS", value_parser = seconds)]
    max_seconds: Option<f64>,

    /// JUnit file or report directory to take durations from, or a directory of them; of a report
    /// that does not name its jobs, JOB=FILE says which one it is about. They win over those of
    /// kept runs.
    #[arg(
        long,
        value_name = "[JOB=]FILE",
        env = "KATACI_DURATIONS",
        value_delimiter = ':'
    )]
    durations: Vec<String>,

    /// Patch set of a Gerrit that is planned, for the vote: [PROJECT~]NUMBER,PATCHSET [default:
    /// that of gerrit-trigger's or Zuul's variables].
    #[arg(long, value_name = "CHANGE", env = "KATACI_CHANGE")]
    change: Option<PatchSetName>,
}

impl PlanningArguments {
    /// Makes the plan, and prints what is worth knowing about it.
    pub(super) fn make(&self, global: &GlobalArguments) -> Result<MadePlan, CommandError> {
        let environment = Environment::current();
        let asked = PlanRequest {
            count: match (self.max_seconds, self.shards) {
                (Some(seconds), _) => ShardCount::MaxSeconds(seconds),
                (None, shards) => ShardCount::Shards(shards.unwrap_or(1)),
            },
            durations: (self.durations.iter().filter(|text| !text.is_empty()))
                .map(|text| duration_source(text))
                .collect(),
            change: match &self.change {
                Some(change) => Some(change.clone()),
                None => change_of(&environment),
            },
        };
        let settings = RunSettings::to_look(global.color());
        let request = RunRequest {
            pipeline: given(self.pipeline.as_ref()),
            revision: given(self.rev.as_ref()),
            since: given(self.since.as_ref()),
            selection: Selection {
                components: self.components.clone(),
                steps: self.steps.clone(),
                ..Selection::default()
            },
            ..RunRequest::new(global.directory.clone(), environment, settings)
        };
        let made = make_plan(&request, &asked)?;
        for warning in &made.warnings {
            let warning = for_terminal(warning, LINE_CAP);
            say::aside(format_args!("warning: {warning}"));
        }
        Ok(made)
    }
}

impl FromStr for PatchSetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is not of the form [PROJECT~]NUMBER,PATCHSET");
        let (project, rest) = match text.rsplit_once('~') {
            Some((project, rest)) => (Some(project.to_owned()), rest),
            None => (None, text),
        };
        let (number, patch_set) = rest.split_once(',').ok_or_else(wrong)?;
        Ok(Self {
            project: project.filter(|project| !project.is_empty()),
            number: number.trim().parse().map_err(|_| wrong())?,
            patch_set: patch_set.trim().parse().map_err(|_| wrong())?,
        })
    }
}

/// Reads `JOB=FILE`, or `FILE`. A path with `=` in it is written as `./PATH`.
fn duration_source(text: &str) -> DurationSource {
    let is_job = |job: &&str| !job.contains('/') && job.contains('.');
    match text.split_once('=').filter(|(job, _)| is_job(job)) {
        Some((job, path)) => DurationSource {
            job: Some(job.to_owned()),
            path: path.into(),
        },
        None => DurationSource {
            job: None,
            path: text.into(),
        },
    }
}

/// Returns the change that Jenkins' gerrit-trigger or Zuul tells of.
fn change_of(environment: &Environment) -> Option<PatchSetName> {
    let text = |name: &str| environment.variable(name)?.to_str().map(str::to_owned);
    let of = |project: &str, number: &str, patch_set: &str| {
        Some(PatchSetName {
            project: Some(text(project)?),
            number: text(number)?.parse().ok()?,
            patch_set: text(patch_set)?.parse().ok()?,
        })
    };
    let gerrit = of(
        "GERRIT_PROJECT",
        "GERRIT_CHANGE_NUMBER",
        "GERRIT_PATCHSET_NUMBER",
    );
    gerrit.or_else(|| of("ZUUL_PROJECT", "ZUUL_CHANGE", "ZUUL_PATCHSET"))
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds > 0.0 => Ok(seconds),
        _ => Err(format!("`{text}` is no number of seconds above 0")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_change_is_named_with_its_patch_set() {
        let change = |text: &str| text.parse::<PatchSetName>();
        let of = |project: Option<&str>| PatchSetName {
            project: project.map(str::to_owned),
            number: 42,
            patch_set: 3,
        };
        assert_eq!(change("42,3"), Ok(of(None)));
        assert_eq!(change("kata/proxy~42,3"), Ok(of(Some("kata/proxy"))));
        for wrong in ["42", "a,b", "", "42,", "-1,2"] {
            assert!(change(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_name_their_job_where_the_report_does_not() {
        let path = |text: &str| duration_source(text);
        assert_eq!(path("proxy.test=a.xml").job.as_deref(), Some("proxy.test"));
        assert_eq!(path("./proxy.test=a.xml").job, None);
        assert_eq!(path("a.xml").path, PathBuf::from("a.xml"));
        assert!(seconds("0").is_err() && seconds("nan").is_err() && seconds("x").is_err());
    }
}
