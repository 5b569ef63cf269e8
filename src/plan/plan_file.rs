//! The plan file: what a run is, so that many machines can carry it out in parts.
//!
//! Invariants: the id is a digest of everything else in the file, so a plan that was changed is
//! refused. Keys are sorted and jobs stand in the order of the pipeline, so the same input makes
//! the same bytes. It holds no secret.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::model::JobId;

/// The version of the format.
const VERSION: u32 = 1;

/// The name under which the revision of kata's tests repository is pinned, where its scripts are
/// the jobs. No component of kata v1 has it.
pub const TESTS_CLONE: &str = "tests";

/// The number of digits of an id.
const ID_DIGITS: usize = 32;

/// A plan for several machines. Field names are a contract: add, never rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFile {
    version: u32,
    /// The digest of the plan.
    pub plan_id: String,
    /// The name of the pipeline, for people.
    pub name: String,
    /// The resolved pipeline in the form of its file.
    pub pipeline: Value,
    /// Variables with secrets, which each machine must have in its own environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The URL of each component's repository, where it has one.
    #[serde(default)]
    pub sources: BTreeMap<String, String>,
    /// The top of each component's repository, relative to the workspace.
    #[serde(default)]
    pub repositories: BTreeMap<String, PathBuf>,
    /// The commit of each component.
    pub revisions: BTreeMap<String, String>,
    /// The change of a Gerrit that is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<PlannedChange>,
    /// The shards, numbered from 0.
    pub shards: Vec<Shard>,
}

/// A patch set of a Gerrit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// The project.
    pub project: String,
    /// The number of the change.
    pub number: u64,
    /// The number of the patch set.
    pub patch_set: u32,
    /// The commit.
    pub sha: String,
}

/// A part of the plan that one machine carries out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shard {
    /// Its number, from 0.
    pub index: usize,
    /// The seconds that its jobs take one after the other, as far as that is known.
    pub estimate: f64,
    /// Its jobs in the order of the pipeline.
    pub jobs: Vec<PlannedJob>,
}

/// A job of a shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedJob {
    /// The job.
    pub id: JobId,
    /// The seconds that it took before; `None` if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<f64>,
    /// The piece of the job, if it is split by case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// A piece of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its number, from 0.
    pub index: usize,
    /// The number of pieces.
    pub of: usize,
    /// The cases, or the packages, that this piece runs.
    pub cases: Vec<String>,
}

/// The content of a plan, before it has an id.
#[derive(Debug, Clone, Default)]
pub struct PlanContent {
    /// See [`PlanFile::name`].
    pub name: String,
    /// See [`PlanFile::pipeline`].
    pub pipeline: Value,
    /// See [`PlanFile::secrets`].
    pub secrets: Vec<String>,
    /// See [`PlanFile::sources`].
    pub sources: BTreeMap<String, String>,
    /// See [`PlanFile::repositories`].
    pub repositories: BTreeMap<String, PathBuf>,
    /// See [`PlanFile::revisions`].
    pub revisions: BTreeMap<String, String>,
    /// See [`PlanFile::change`].
    pub change: Option<PlannedChange>,
    /// See [`PlanFile::shards`].
    pub shards: Vec<Shard>,
}

/// A text that is no plan.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPlan {
    /// The text is no JSON object of this form.
    #[error("it is no plan: {0}")]
    Form(#[from] serde_json::Error),
    /// The file is of another version.
    #[error("it is a plan of version {0}, and this kata-ci ({ours}) reads version {VERSION}", ours = env!("CARGO_PKG_VERSION"))]
    Version(u64),
    /// The content was changed, or the file is damaged.
    #[error("its plan_id is not that of its content: it was changed, or is damaged")]
    Id,
    /// The shards are not numbered from 0.
    #[error("its shards are not numbered from 0")]
    Numbers,
}

impl PlanFile {
    /// Makes the plan with the id of its content.
    ///
    /// # Errors
    /// Fails if the content cannot be JSON.
    pub fn new(content: PlanContent) -> Result<Self, InvalidPlan> {
        let mut plan = Self {
            version: VERSION,
            plan_id: String::new(),
            name: content.name,
            pipeline: content.pipeline,
            secrets: content.secrets,
            sources: content.sources,
            repositories: content.repositories,
            revisions: content.revisions,
            change: content.change,
            shards: content.shards,
        };
        plan.plan_id = id(&serde_json::to_value(&plan)?);
        Ok(plan)
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// [`InvalidPlan`].
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidPlan> {
        let value: Value = serde_json::from_slice(bytes)?;
        match value.get("version").and_then(Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => {
                return Err(InvalidPlan::Version(version));
            }
            _ => {}
        }
        let computed = id(&value);
        let plan: Self = serde_json::from_value(value)?;
        if plan.plan_id != computed {
            return Err(InvalidPlan::Id);
        }
        let mut numbered = plan.shards.iter().enumerate();
        match numbered.all(|(number, shard)| shard.index == number) {
            true => Ok(plan),
            false => Err(InvalidPlan::Numbers),
        }
    }

    /// Returns the bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A value sorts the keys. It was JSON before, so it is JSON again.
        let value = serde_json::to_value(self).unwrap_or_default();
        let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Returns the shards that have jobs. Those without are the last.
    pub fn filled(&self) -> &[Shard] {
        let filled = self.shards.iter().take_while(|one| !one.jobs.is_empty());
        &self.shards[..filled.count()]
    }

    /// Returns the first digits of the id, for names.
    pub fn short_id(&self) -> &str {
        self.plan_id.get(..8).unwrap_or(&self.plan_id)
    }
}

/// Computes the id over everything but the id itself.
fn id(value: &Value) -> String {
    let mut value = value.clone();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("plan_id");
    }
    let digest = Sha256::digest(value.to_string().as_bytes());
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    digits[..ID_DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> PlanFile {
        let job = |id: &str| PlannedJob {
            id: JobId::new(id, "test"),
            estimate: Some(0.1),
            part: None,
        };
        PlanFile::new(PlanContent {
            name: "kata-v1".to_owned(),
            revisions: [("proxy".to_owned(), "0".repeat(40))].into(),
            shards: vec![
                Shard {
                    index: 0,
                    estimate: 0.1,
                    jobs: vec![job("proxy")],
                },
                Shard {
                    index: 1,
                    estimate: 0.0,
                    jobs: Vec::new(),
                },
            ],
            ..PlanContent::default()
        })
        .unwrap()
    }

    #[test]
    fn a_plan_reads_as_it_was_written() {
        let plan = plan();
        assert_eq!(PlanFile::parse(&plan.to_bytes()).unwrap(), plan);
        assert_eq!(plan.plan_id.len(), ID_DIGITS);
        assert_eq!(plan.filled().len(), 1);
    }

    #[test]
    fn a_changed_plan_is_refused_and_a_key_of_a_later_version_is_not() {
        let text = String::from_utf8(plan().to_bytes()).unwrap();
        let refusal = |text: &str| PlanFile::parse(text.as_bytes()).unwrap_err().to_string();
        let changed = text.replace("proxy.test", "shim.test");
        assert!(refusal(&changed).contains("it was changed"), "{changed}");
        assert!(refusal(&text[..text.len() / 2]).contains("it is no plan"));
        let later = text.replace("\"version\": 1", "\"version\": 2");
        assert!(refusal(&later).contains("a plan of version 2"));
        let mut more: Value = serde_json::from_str(&text).unwrap();
        more["shards"][0]["colour"] = "red".into();
        more["plan_id"] = id(&more).into();
        assert!(PlanFile::parse(more.to_string().as_bytes()).is_ok());
        more["shards"][0]["index"] = 7.into();
        more["plan_id"] = id(&more).into();
        assert!(refusal(&more.to_string()).contains("not numbered"));
    }
}
