//! Reads a document into its [`Layer`]. This module knows all keys, and those that this version
//! supports.
//!
//! `version` is read first: nothing of a later version is interpreted. A key that a run would rely
//! on, and that this version does not support, is refused and never ignored.

use std::path::PathBuf;
use std::sync::Arc;

use toml::de::DeTable;

use super::diagnostic::{ConfigError, Diagnostic, Diagnostics, printable, suggestion};
use super::fields::{FieldContext, Fields, Value};
use super::layer::{ComponentLayer, Layer, StepLayer, StepSettings, refuse_twins};
use super::scalars;
use super::scalars::Refusal;
use super::source::{Document, Located, Location};
use super::{Gerrit, Limits, Network, PassEnv, Review, review, variables};
use crate::model::Command;

/// The most retries. A test that needs more tells nothing.
const MOST_RETRIES: u32 = 10;

/// The version of the format.
const VERSION: i128 = 1;

/// The role of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A pipeline.
    Pipeline,
    /// The user's configuration: about the machine and its user, never about the tests of a
    /// pipeline.
    User,
}

/// The layer of a document, and the pipeline that it extends.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The content.
    pub layer: Layer,
    /// The pipeline it extends.
    pub extends: Option<Located<String>>,
    /// The operator's table; the usual values for a pipeline.
    pub review: Review,
}

/// Reads a document.
pub(super) fn read(document: &Arc<Document>, role: Role) -> Result<Read, ConfigError> {
    let table = DeTable::parse(&document.text).map_err(|error| syntax(document, &error))?;
    let diagnostics = Diagnostics::default();
    let context = FieldContext {
        document,
        diagnostics: &diagnostics,
    };
    let start = Location::new(document, 0..0);
    let mut fields = Fields::new(context, table.get_ref(), start);
    // The keys of another version have no known meaning, so their diagnostics are not reported.
    let read = version(&mut fields).map(|()| {
        let read = match role {
            Role::Pipeline => pipeline(&mut fields),
            Role::User => user(&mut fields),
        };
        fields.finish_with(|key| at_the_top(key, &keys(document, settings)));
        read
    });
    diagnostics.or(read.unwrap_or_default())
}

/// Returns the keys that a reader asks for, so that no list of them can fall behind.
fn keys<T>(document: &Arc<Document>, read: fn(&mut Fields) -> T) -> Vec<&'static str> {
    let (empty, diagnostics) = (DeTable::new(), Diagnostics::default());
    let context = FieldContext {
        document,
        diagnostics: &diagnostics,
    };
    let mut fields = Fields::new(context, &empty, Location::new(document, 0..0));
    read(&mut fields);
    fields.asked().to_vec()
}

/// Suggests the table of a key that was written outside of all tables. `of_steps` are the keys of a
/// step.
fn at_the_top(key: &str, of_steps: &[&'static str]) -> Option<String> {
    let similar = suggestion(key, of_steps.iter().copied());
    match similar.as_str() {
        "" => None,
        similar => Some(format!(
            "{similar} it belongs into [defaults] or a [[step]]"
        )),
    }
}

fn syntax(document: &Arc<Document>, error: &toml::de::Error) -> Diagnostic {
    let message = error.message().replace('\n', ", ");
    let place = Location::new(document, error.span().unwrap_or(0..0));
    Diagnostic::new("this is not TOML").at(&place, printable(&message))
}

fn version(fields: &mut Fields) -> Option<()> {
    let Some(value) = fields.get("version") else {
        fields.refuse(
            Diagnostic::new("the file does not say its `version`")
                .at(fields.place(), "before everything else")
                .help(format!("begin it with: version = {VERSION}")),
        );
        return None;
    };
    let number = value.number()?;
    if number == VERSION {
        return Some(());
    }
    let diagnostic = match number {
        ..VERSION => Diagnostic::new(format!("there never was a version {number}"))
            .at(&value.place(), format!("write {VERSION}")),
        _ => Diagnostic::new(format!(
            "the file is of a later version; this kata-ci ({}) reads version {VERSION}",
            env!("CARGO_PKG_VERSION")
        ))
        .at(&value.place(), "of the future")
        .help("use a newer kata-ci, or the file as it was before"),
    };
    fields.refuse(diagnostic);
    None
}

fn pipeline(fields: &mut Fields) -> Read {
    fields.forbid(
        "review",
        "this is a pipeline, which a change can contain",
        "belongs into the operator's ~/.config/kata-ci/config.toml",
    );
    let extends = fields
        .get("extends")
        .and_then(|value| value.word(scalars::filled));
    let mut layer = Layer {
        layout: fields
            .get("layout")
            .and_then(|value| word(&value, scalars::layout)),
        ignore: list(fields, "ignore", scalars::pattern),
        steps: tables(fields, "step", step),
        tools: tools(fields),
        components: tables(fields, "component", component),
        ..shared(fields, settings)
    };
    let shipped = fields.place().document.source.directory().is_none();
    for component in &mut layer.components {
        component.optional = shipped;
    }
    fields.check(|diagnostics| {
        refuse_twins(&layer.steps, diagnostics);
        refuse_twins(&layer.components, diagnostics);
    });
    Read {
        layer,
        extends,
        review: Review::default(),
    }
}

fn user(fields: &mut Fields) -> Read {
    for key in ["extends", "layout", "ignore", "tools", "step", "component"] {
        fields.forbid(
            key,
            "this is the user's configuration",
            "belongs into a pipeline's file, such as kata-ci.toml",
        );
    }
    let mut layer = shared(fields, machine_settings);
    // Steps lie over the pipeline's variables; the user's must lie under them.
    let mut env = std::mem::take(&mut layer.defaults.env);
    env.extend(std::mem::take(&mut layer.env));
    layer.env = env;
    layer.pass_env.by_user = layer.pass_env.patterns.clone();
    Read {
        layer,
        extends: None,
        review: within(fields, "review", review::review).unwrap_or_default(),
    }
}

fn shared(fields: &mut Fields, defaults: fn(&mut Fields) -> StepSettings) -> Layer {
    Layer {
        limits: within(fields, "limits", limits).unwrap_or_default(),
        network: within(fields, "network", network).unwrap_or_default(),
        env: env(fields),
        pass_env: pass_env(fields),
        defaults: within(fields, "defaults", defaults).unwrap_or_default(),
        gerrit: within(fields, "gerrit", gerrit).unwrap_or_default(),
        ..Layer::default()
    }
}

fn step(fields: &mut Fields) -> Option<StepLayer> {
    let name = name(fields, "step");
    let remove = remove(fields);
    let settings = settings(fields);
    if remove && settings != StepSettings::default() {
        refuse_more_than_removal(fields);
    }
    Some(StepLayer {
        name: name?,
        remove,
        settings,
    })
}

fn settings(fields: &mut Fields) -> StepSettings {
    StepSettings {
        command: command(fields),
        expect: fields
            .get("expect")
            .and_then(|value| word(&value, scalars::expect)),
        flaky: fields
            .get("flaky")
            .and_then(|value| word(&value, scalars::flaky)),
        left_behind: fields
            .get("left_behind")
            .and_then(|value| word(&value, scalars::left_behind)),
        needs: list(fields, "needs", scalars::filled),
        reads: fields
            .get("reads")
            .and_then(|value| word(&value, scalars::reads)),
        allow_vacuous: fields
            .get("allow_vacuous")
            .and_then(|value| word(&value, scalars::reason)),
        allow_errors: fields
            .get("allow_errors")
            .and_then(|value| word(&value, scalars::errors_reason)),
        locks: list(fields, "locks", scalars::filled),
        writable: list(fields, "writable", scalars::filled),
        junit: list(fields, "junit", scalars::reports),
        ..common_settings(fields)
    }
}

/// Reads the settings that the user's configuration may have for every step. Only the pipeline
/// decides what a green run means.
fn machine_settings(fields: &mut Fields) -> StepSettings {
    let document = fields.place().document.clone();
    let common = keys(&document, common_settings);
    let of_pipelines = keys(&document, settings).into_iter();
    for key in of_pipelines.filter(|key| !common.contains(key)) {
        fields.forbid(
            key,
            "the user's configuration does not say what is tested",
            "belongs into a pipeline's file, such as kata-ci.toml",
        );
    }
    common_settings(fields)
}

fn common_settings(fields: &mut Fields) -> StepSettings {
    StepSettings {
        isolate: fields
            .get("isolate")
            .and_then(|value| word(&value, scalars::isolate)),
        without_root: fields.get("without_root").and_then(|value| value.boolean()),
        retries: retries(fields),
        timeout: fields
            .get("timeout")
            .and_then(|value| value.duration(scalars::timeout))
            .map(|located| located.value),
        grace: fields
            .get("grace")
            .and_then(|value| value.duration(scalars::grace))
            .map(|located| located.value),
        network: fields
            .get("network")
            .and_then(|value| word(&value, scalars::network)),
        env: env(fields),
        ..StepSettings::default()
    }
}

fn retries(fields: &mut Fields) -> Option<u32> {
    let value = fields.get("retries")?;
    let number = value.number()?;
    match u32::try_from(number) {
        Ok(retries) if retries <= MOST_RETRIES => Some(retries),
        _ => {
            let title = match number {
                ..0 => "`retries` below 0".to_owned(),
                _ => format!("`retries` above {MOST_RETRIES}"),
            };
            let label = format!("write a number from 0 to {MOST_RETRIES}");
            fields.refuse(Diagnostic::new(title).at(&value.place(), label));
            None
        }
    }
}

fn command(fields: &mut Fields) -> Option<Command> {
    let (run, script) = (fields.get("run"), fields.get("script"));
    if let (Some(run), Some(script)) = (&run, &script) {
        fields.refuse(
            Diagnostic::new("`run` and `script` exclude each other")
                .at(script.key(), "either this")
                .also(run.key(), "or this"),
        );
        return None;
    }
    run.and_then(|value| arguments(fields, &value)).or_else(|| {
        script
            .and_then(|value| word(&value, scalars::filled))
            .map(Command::Script)
    })
}

fn arguments(fields: &Fields, value: &Value) -> Option<Command> {
    let words: Vec<_> = value
        .words(scalars::any)?
        .into_iter()
        .map(|word| word.value)
        .collect();
    if words
        .first()
        .is_none_or(|program| program.trim().is_empty())
    {
        fields.refuse(Diagnostic::new("`run` without a program").at(
            &value.place(),
            "write the program and its arguments: [\"make\", \"check\"]",
        ));
        return None;
    }
    Some(Command::Run(words))
}

fn component(fields: &mut Fields) -> Option<ComponentLayer> {
    let name = name(fields, "component");
    let remove = remove(fields);
    let nameless = Located {
        value: String::new(),
        place: fields.place().clone(),
    };
    let named = name.is_some();
    let removal = ComponentLayer {
        remove,
        ..ComponentLayer::named(name.unwrap_or(nameless))
    };
    let component = component_keys(fields, removal.clone());
    if remove && component != removal {
        refuse_more_than_removal(fields);
    }
    named.then_some(component)
}

fn component_keys(fields: &mut Fields, component: ComponentLayer) -> ComponentLayer {
    ComponentLayer {
        path: fields
            .get("path")
            .and_then(|value| word(&value, scalars::filled))
            .map(PathBuf::from),
        requires: list(fields, "requires", scalars::requirement),
        needs: list(fields, "needs", scalars::filled),
        locks: list(fields, "locks", scalars::filled),
        steps: steps_of(fields),
        env: env(fields),
        network: fields
            .get("network")
            .and_then(|value| word(&value, scalars::network)),
        isolate: fields
            .get("isolate")
            .and_then(|value| word(&value, scalars::isolate)),
        ignore: list(fields, "ignore", scalars::pattern),
        project: fields
            .get("project")
            .and_then(|value| word(&value, scalars::filled)),
        allow_vacuous: fields
            .get("allow_vacuous")
            .and_then(|value| value.map(scalars::filled, |_, text| scalars::reason(text)))
            .unwrap_or_default(),
        ..component
    }
}

fn steps_of(fields: &mut Fields) -> Option<Vec<Located<String>>> {
    let value = fields.get("steps")?;
    let steps = value.words(scalars::filled)?;
    if steps.is_empty() {
        fields.refuse(
            Diagnostic::new("a component without steps is never tested").at(
                &value.place(),
                "leave the key out for all steps, or drop the component",
            ),
        );
    }
    Some(steps)
}

fn name(fields: &mut Fields, what: &str) -> Option<Located<String>> {
    let Some(value) = fields.get("name") else {
        fields.refuse(
            Diagnostic::new(format!("a {what} without a `name`")).at(fields.place(), "name it"),
        );
        return None;
    };
    value.word(scalars::name)
}

fn remove(fields: &mut Fields) -> bool {
    fields
        .get("remove")
        .and_then(|value| value.boolean())
        .unwrap_or(false)
}

fn refuse_more_than_removal(fields: &Fields) {
    fields.refuse(
        Diagnostic::new("`remove = true` leaves no use for other keys")
            .at(fields.place(), "only `name` and `remove` belong here"),
    );
}

fn gerrit(fields: &mut Fields) -> Gerrit {
    let mut text = |key| {
        fields
            .get(key)
            .and_then(|value| word(&value, scalars::filled))
    };
    Gerrit {
        url: text("url"),
        remote: text("remote"),
        branch: text("branch"),
        label: text("label"),
        commit_rules: fields
            .get("commit_rules")
            .and_then(|value| word(&value, scalars::commit_rules)),
    }
}

fn limits(fields: &mut Fields) -> Limits {
    let mut size = |key, parse| fields.get(key).and_then(|value| word(&value, parse));
    Limits {
        memory: size("memory", scalars::memory),
        file_size: size("file_size", scalars::size),
        processes: processes(fields),
    }
}

fn processes(fields: &mut Fields) -> Option<u64> {
    let value = fields.get("processes")?;
    let number = value.number()?;
    let processes = u64::try_from(number).ok().filter(|number| *number > 0);
    if processes.is_none() {
        fields.refuse(
            Diagnostic::new("`processes` must be a number above 0")
                .at(&value.place(), "leave the key out for no limit"),
        );
    }
    processes
}

fn network(fields: &mut Fields) -> Network {
    let hosts = list(fields, "no_proxy", scalars::host);
    Network {
        proxy: fields
            .get("proxy")
            .and_then(|value| word(&value, scalars::proxy)),
        no_proxy: hosts.map(|hosts| hosts.into_iter().map(|host| host.value).collect()),
    }
}

fn env(fields: &mut Fields) -> super::layer::Texts {
    let value = fields.get("env");
    value
        .and_then(|value| value.map(scalars::variable, variable_value))
        .unwrap_or_default()
}

fn tools(fields: &mut Fields) -> super::layer::Texts {
    let value = fields.get("tools");
    value
        .and_then(|value| value.map(scalars::program_name, |_, text| scalars::tool(text)))
        .unwrap_or_default()
}

fn pass_env(fields: &mut Fields) -> PassEnv {
    let patterns = list(fields, "pass_env", scalars::variable_pattern);
    PassEnv {
        patterns: (patterns.into_iter().flatten())
            .map(|pattern| pattern.value)
            .collect(),
        ..PassEnv::default()
    }
}

fn variable_value(name: &str, text: &str) -> Result<String, Refusal> {
    if variables::is_misleading(name, text) {
        return Err(Refusal::new(
            format!("kata takes {name} = \"{}\" as on", printable(text)),
            "any text is on, whatever it says; write \"\" for off, \"true\" for on",
        ));
    }
    scalars::any(text)
}

fn tables<T>(fields: &mut Fields, key: &'static str, read: fn(&mut Fields) -> Option<T>) -> Vec<T> {
    let tables = fields.get(key).and_then(|value| value.tables());
    tables
        .unwrap_or_default()
        .into_iter()
        .filter_map(|mut table| {
            let item = read(&mut table);
            table.finish();
            item
        })
        .collect()
}

fn within<T>(
    fields: &mut Fields,
    key: &'static str,
    read: impl FnOnce(&mut Fields) -> T,
) -> Option<T> {
    let mut table = fields.get(key)?.table()?;
    let item = read(&mut table);
    table.finish();
    Some(item)
}

fn list<T>(
    fields: &mut Fields,
    key: &'static str,
    parse: fn(&str) -> Result<T, Refusal>,
) -> Option<Vec<Located<T>>> {
    fields.get(key)?.words(parse)
}

fn word<T>(value: &Value, parse: fn(&str) -> Result<T, Refusal>) -> Option<T> {
    value.word(parse).map(|located| located.value)
}

#[cfg(test)]
mod tests;
