//! Writes a resolved pipeline in the words of a pipeline's file, so that another machine can read
//! it as one.
//!
//! Everything that decides about a job is written out. Left out are `[network]` and `[gerrit]`,
//! which belong to a machine, and values of variables that are secrets: their names are returned,
//! and jobs get them from the environment of the machine that they run on.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{
    Component, Flaky, IsolatePolicy, Layout, LeftBehindPolicy, Limits, NetworkPolicy, Pipeline,
    Reads, Requirement, Step,
};
use crate::model::{Command, Expect};
use crate::text::secrets;

/// A pipeline as a value of its file's form.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenPipeline {
    /// The tables and keys of the file.
    pub value: Value,
    /// The names of variables whose values are secrets, and are not in the file.
    pub secrets: Vec<String>,
}

/// A command that has a secret in its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the command of step `{step}` holds a secret, which a plan must not tell")]
pub struct SecretInCommand {
    /// The step.
    pub step: String,
}

/// Writes the pipeline with these components, each with its path from the root of the workspace.
///
/// # Errors
///
/// [`SecretInCommand`]: a command cannot be written without its secret.
pub fn write<'a>(
    pipeline: &Pipeline,
    components: impl IntoIterator<Item = (&'a Component, &'a Path)>,
) -> Result<WrittenPipeline, SecretInCommand> {
    let mut secrets = Vec::new();
    let steps = (pipeline.steps.iter())
        .map(|one| step(one, &mut secrets))
        .collect::<Result<Vec<_>, _>>()?;
    let components: Vec<_> = components
        .into_iter()
        .map(|(one, path)| component(one, path, &mut secrets))
        .collect();
    let env = variables(&pipeline.env, &mut secrets);
    secrets.sort();
    secrets.dedup();
    let mut passed = pipeline.pass_env.patterns.clone();
    passed.extend(secrets.iter().cloned());
    let tools: BTreeMap<_, _> = (pipeline.tools.iter())
        .map(|(program, tool)| (program, tool.to_string()))
        .collect();
    let layout = match pipeline.layout {
        Layout::Plain => "plain",
        Layout::Gopath => "gopath",
    };
    let value = without_empty(json!({
        "version": 1,
        "layout": layout,
        "pass_env": passed,
        "env": env,
        "step": steps,
        "component": components,
        "limits": limits(pipeline.limits),
        "tools": tools,
        // The branch that changed files are compared with.
        "gerrit": { "branch": pipeline.gerrit.branch },
    }));
    Ok(WrittenPipeline { value, secrets })
}

fn step(step: &Step, secrets: &mut Vec<String>) -> Result<Value, SecretInCommand> {
    let (run, script) = match &step.command {
        Command::Run(words) => (Some(words.clone()), None),
        Command::Script(text) => (None, Some(text.clone())),
    };
    let text = match &step.command {
        Command::Run(words) => words.join(" "),
        Command::Script(text) => text.clone(),
    };
    if secrets::mask(&text).count > 0 {
        return Err(SecretInCommand {
            step: step.name.clone(),
        });
    }
    let expect = match step.expect {
        Expect::Cases => "cases",
        Expect::Commands => "commands",
        Expect::Exit => "exit",
    };
    let time = |time| humantime::format_duration(time).to_string();
    Ok(without_empty(json!({
        "name": step.name,
        "run": run,
        "script": script,
        "expect": expect,
        "timeout": time(step.timeout),
        "grace": time(step.grace),
        "retries": step.retries,
        "flaky": (step.flaky == Flaky::Fail).then_some("fail"),
        "left_behind": (step.left_behind == LeftBehindPolicy::Fail).then_some("fail"),
        "env": variables(&step.env, secrets),
        "network": network(step.network),
        "isolate": isolate(step.isolate),
        "without_root": step.without_root.then_some(true),
        "writable": step.writable,
        "junit": step.junit,
        "needs": step.needs,
        "locks": step.locks,
        "reads": (step.reads == Reads::Commits).then_some("commits"),
        "allow_vacuous": step.allow_vacuous,
        "allow_errors": step.allow_errors,
    })))
}

fn component(component: &Component, path: &Path, secrets: &mut Vec<String>) -> Value {
    let requires: Vec<_> = component
        .requires
        .iter()
        .map(Requirement::written)
        .collect();
    without_empty(json!({
        "name": component.name,
        "path": path.to_string_lossy(),
        "requires": requires,
        "needs": component.needs,
        "locks": component.locks,
        "steps": component.steps,
        "env": variables(&component.env, secrets),
        "network": component.network.map(network),
        "isolate": component.isolate.map(isolate),
        "project": component.project,
        "allow_vacuous": component.allow_vacuous,
    }))
}

/// Returns the variables without secrets, whose names are added to the others.
fn variables(
    all: &BTreeMap<String, String>,
    secrets: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let is_secret = |name: &str, value: &str| {
        secrets::mask(&format!("{name}={value}")).count > 0 || secrets::mask(value).count > 0
    };
    let (hidden, shown): (BTreeMap<_, _>, BTreeMap<_, _>) = all
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .partition(|(name, value)| !value.is_empty() && is_secret(name, value));
    secrets.extend(hidden.into_keys());
    shown
}

fn limits(limits: Limits) -> Value {
    let size = |bytes: Option<u64>| bytes.map(|bytes| format!("{bytes}B"));
    json!({
        "memory": size(limits.memory),
        "processes": limits.processes,
        "file_size": size(limits.file_size),
    })
}

fn network(policy: NetworkPolicy) -> &'static str {
    match policy {
        NetworkPolicy::Off => "off",
        NetworkPolicy::Auto => "auto",
        NetworkPolicy::On => "on",
    }
}

fn isolate(policy: IsolatePolicy) -> &'static str {
    match policy {
        IsolatePolicy::Off => "off",
        IsolatePolicy::Auto => "auto",
        IsolatePolicy::On => "on",
    }
}

/// Takes out the keys that say nothing. Empty values of variables stay: they unset one.
fn without_empty(value: Value) -> Value {
    let says_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, without_empty(value)))
                .filter(|(_, value)| !says_nothing(value))
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, PipelineSource, load, load_written};
    use std::path::PathBuf;

    fn everything() -> Pipeline {
        let file = "fixtures/configurations/valid/everything.toml";
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        load(&PipelineSource::File(file), &Overrides::default(), None).unwrap()
    }

    fn written(pipeline: &Pipeline) -> WrittenPipeline {
        let components = pipeline.components.iter();
        write(pipeline, components.map(|one| (one, one.path.as_path()))).unwrap()
    }

    #[test]
    fn what_is_written_reads_as_the_same_pipeline() {
        let pipeline = everything();
        let value = written(&pipeline).value;
        let base = PathBuf::from("/somewhere");
        let read = load_written(&value, "a plan", base.clone(), &Overrides::default(), None);
        // These belong to the machine, or only to the choice of what is planned.
        let mut expected = Pipeline {
            name: "a plan".to_owned(),
            base: Some(base),
            network: crate::config::Network::default(),
            gerrit: crate::config::Gerrit {
                branch: pipeline.gerrit.branch.clone(),
                ..Default::default()
            },
            ignore: Vec::new(),
            ..pipeline
        };
        for component in &mut expected.components {
            component.ignore.clear();
        }
        assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn secrets_stay_where_they_are() {
        let mut pipeline = everything();
        let token = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
        pipeline.env.insert("GITHUB_TOKEN".into(), token.into());
        pipeline.steps[0]
            .env
            .insert("DB_PASSWORD".into(), "hunter2hunter2".into());
        let written = written(&pipeline);
        let text = written.value.to_string();
        assert!(!text.contains(token) && !text.contains("hunter2"), "{text}");
        assert!(!text.contains("user:password"), "{text}");
        assert_eq!(written.secrets, ["DB_PASSWORD", "GITHUB_TOKEN"]);
        pipeline.steps[0].command = Command::Script(format!("curl -H 'token: {token}' x"));
        let refused = write(&pipeline, []).unwrap_err();
        assert!(refused.to_string().contains("step `fetch`"), "{refused}");
    }
}
