//! Kubernetes: an Indexed Job whose pods have the runtime class of kata, the plan as a ConfigMap,
//! the results on a volume that all share, and a Job that merges when the other has ended.

use super::{EmitError, EmitOptions, MERGE};
use crate::plan::PlanFile;

/// The most bytes of a ConfigMap, less what its other fields need.
const MOST: usize = (1 << 20) - 4096;

/// The documents, with names for what differs from plan to plan.
const TEMPLATE: &str = include_str!("kubernetes.yaml");

/// Returns the YAML documents.
pub(super) fn emit(plan: &PlanFile, options: &EmitOptions) -> Result<String, EmitError> {
    let bytes = plan.to_bytes();
    if bytes.len() > MOST {
        return Err(EmitError::TooLarge {
            what: "a ConfigMap",
            most: MOST,
            size: bytes.len(),
        });
    }
    let lines: String = String::from_utf8_lossy(&bytes)
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    let filled = [
        ("@ID@", plan.plan_id.clone()),
        ("@SHORT@", plan.short_id().to_owned()),
        ("@MERGE@", MERGE.to_owned()),
        ("@COUNT@", plan.filled().len().to_string()),
        ("@RETRIES@", options.attempts.saturating_sub(1).to_string()),
        ("@CLASS@", options.runtime_class.clone()),
        ("@IMAGE@", options.image.clone()),
        ("@CLAIM@", options.claim.clone()),
        // The plan comes last, because its texts may look like the others.
        ("@PLAN@", lines.trim_end().to_owned()),
    ];
    let text = TEMPLATE.to_owned();
    Ok(filled
        .iter()
        .fold(text, |text, (name, value)| text.replace(name, value)))
}
