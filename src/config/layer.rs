//! The values of one configuration file: each is checked by itself, and the file need not be
//! complete.
//!
//! Layers lie on one another ([`Layer::over`]): an extending file over the one it extends, that
//! over the user's configuration.
//!
//! Laws, held by properties in the tests: an empty layer changes nothing, above or below. Of two
//! values the upper wins. It does not matter which of three layers are laid together first.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::diagnostic::{Diagnostic, Diagnostics, quote, suggestion};
use super::source::{Located, Location};
use super::{
    Flaky, Gerrit, IsolatePolicy, Layout, LeftBehindPolicy, Limits, Network, NetworkPolicy,
    PassEnv, Reads, Requirement,
};
use crate::model::Command;
use crate::model::Expect;

/// Variables by name, each located at its name.
pub(super) type Texts = BTreeMap<String, Located<String>>;

/// A list that replaces another as a whole.
pub(super) type List<T> = Option<Vec<Located<T>>>;

/// The content of one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Layer {
    pub layout: Option<Layout>,
    pub ignore: List<String>,
    pub env: Texts,
    pub pass_env: PassEnv,
    pub defaults: StepSettings,
    pub steps: Vec<StepLayer>,
    pub components: Vec<ComponentLayer>,
    pub gerrit: Gerrit,
    pub network: Network,
    pub limits: Limits,
    pub tools: Texts,
}

impl Layer {
    /// Lays this layer over another.
    pub fn over(self, under: Self, diagnostics: &Diagnostics) -> Self {
        Self {
            layout: self.layout.or(under.layout),
            ignore: self.ignore.or(under.ignore),
            env: texts(self.env, under.env),
            pass_env: self.pass_env.over(under.pass_env),
            defaults: self.defaults.over(under.defaults),
            steps: by_name(self.steps, under.steps, diagnostics),
            components: by_name(self.components, under.components, diagnostics),
            gerrit: self.gerrit.over(under.gerrit),
            network: self.network.over(under.network),
            limits: self.limits.over(under.limits),
            tools: texts(self.tools, under.tools),
        }
    }
}

/// The settings that both a step and `[defaults]` can have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct StepSettings {
    pub command: Option<Command>,
    pub expect: Option<Expect>,
    pub timeout: Option<Duration>,
    pub grace: Option<Duration>,
    pub retries: Option<u32>,
    pub flaky: Option<Flaky>,
    pub left_behind: Option<LeftBehindPolicy>,
    pub network: Option<NetworkPolicy>,
    pub isolate: Option<IsolatePolicy>,
    pub without_root: Option<bool>,
    pub writable: List<String>,
    pub junit: List<String>,
    pub env: Texts,
    pub needs: List<String>,
    pub locks: List<String>,
    pub reads: Option<Reads>,
    pub allow_vacuous: Option<String>,
    pub allow_errors: Option<String>,
}

impl StepSettings {
    /// Lays these settings over others.
    pub fn over(self, under: Self) -> Self {
        Self {
            command: self.command.or(under.command),
            expect: self.expect.or(under.expect),
            timeout: self.timeout.or(under.timeout),
            grace: self.grace.or(under.grace),
            retries: self.retries.or(under.retries),
            flaky: self.flaky.or(under.flaky),
            left_behind: self.left_behind.or(under.left_behind),
            network: self.network.or(under.network),
            isolate: self.isolate.or(under.isolate),
            without_root: self.without_root.or(under.without_root),
            writable: self.writable.or(under.writable),
            junit: self.junit.or(under.junit),
            env: texts(self.env, under.env),
            needs: self.needs.or(under.needs),
            locks: self.locks.or(under.locks),
            reads: self.reads.or(under.reads),
            allow_vacuous: self.allow_vacuous.or(under.allow_vacuous),
            allow_errors: self.allow_errors.or(under.allow_errors),
        }
    }
}

/// A `[[step]]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StepLayer {
    pub name: Located<String>,
    pub remove: bool,
    pub settings: StepSettings,
}

/// A `[[component]]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ComponentLayer {
    pub name: Located<String>,
    pub remove: bool,
    /// True if no file of the user's mentions it.
    pub optional: bool,
    pub path: Option<PathBuf>,
    pub requires: List<Requirement>,
    pub needs: List<String>,
    pub locks: List<String>,
    pub steps: List<String>,
    pub env: Texts,
    pub network: Option<NetworkPolicy>,
    pub isolate: Option<IsolatePolicy>,
    pub ignore: List<String>,
    pub project: Option<String>,
    pub allow_vacuous: Texts,
}

impl ComponentLayer {
    /// Makes a component that has only a name.
    pub fn named(name: Located<String>) -> Self {
        Self {
            name,
            remove: false,
            optional: false,
            path: None,
            requires: None,
            needs: None,
            locks: None,
            steps: None,
            env: Texts::new(),
            network: None,
            isolate: None,
            ignore: None,
            project: None,
            allow_vacuous: Texts::new(),
        }
    }
}

/// An item that is merged by its name.
pub(super) trait Named: Sized {
    /// The kind of the item in messages.
    const WHAT: &'static str;
    /// Returns its name.
    fn name(&self) -> &Located<String>;
    /// Returns true if it removes the item of the same name below it.
    fn is_removal(&self) -> bool;
    /// Lays it over an item of the same name.
    fn over(self, under: Self) -> Self;
}

impl Named for StepLayer {
    const WHAT: &'static str = "step";

    fn name(&self) -> &Located<String> {
        &self.name
    }

    fn is_removal(&self) -> bool {
        self.remove
    }

    fn over(self, under: Self) -> Self {
        Self {
            settings: self.settings.over(under.settings),
            ..self
        }
    }
}

impl Named for ComponentLayer {
    const WHAT: &'static str = "component";

    fn name(&self) -> &Located<String> {
        &self.name
    }

    fn is_removal(&self) -> bool {
        self.remove
    }

    fn over(self, under: Self) -> Self {
        Self {
            path: self.path.or(under.path),
            requires: self.requires.or(under.requires),
            needs: self.needs.or(under.needs),
            locks: self.locks.or(under.locks),
            steps: self.steps.or(under.steps),
            env: texts(self.env, under.env),
            network: self.network.or(under.network),
            isolate: self.isolate.or(under.isolate),
            ignore: self.ignore.or(under.ignore),
            project: self.project.or(under.project),
            allow_vacuous: texts(self.allow_vacuous, under.allow_vacuous),
            ..self
        }
    }
}

fn texts(over: Texts, mut under: Texts) -> Texts {
    under.extend(over);
    under
}

/// Merges items by name. The lower ones keep their order, and new ones come after them.
fn by_name<T: Named>(over: Vec<T>, under: Vec<T>, diagnostics: &Diagnostics) -> Vec<T> {
    let mut merged: Vec<Option<T>> = under.into_iter().map(Some).collect();
    let index: BTreeMap<String, usize> = merged
        .iter()
        .flatten()
        .enumerate()
        .map(|(index, item)| (item.name().value.clone(), index))
        .collect();
    for item in over {
        match index.get(&item.name().value) {
            Some(index) if item.is_removal() => merged[*index] = None,
            Some(index) => {
                merged[*index] = match merged[*index].take() {
                    Some(under) => Some(item.over(under)),
                    None => Some(item),
                };
            }
            None if item.is_removal() => {
                diagnostics.add(nothing_to_remove(&item, index.keys().map(String::as_str)));
            }
            None => merged.push(Some(item)),
        }
    }
    merged.into_iter().flatten().collect()
}

fn nothing_to_remove<'a, T: Named>(item: &T, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let name = item.name();
    unknown(T::WHAT, name, known).help(format!(
        "`remove = true` drops a {} of the pipeline that is extended",
        T::WHAT
    ))
}

/// Makes the diagnostic of a name that no item has.
pub(super) fn unknown<'a>(
    what: &str,
    name: &Located<String>,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let known: Vec<_> = known.into_iter().collect();
    let label = match suggestion(&name.value, known.iter().copied()) {
        similar if !similar.is_empty() => similar,
        _ if known.is_empty() => format!("there is no {what} at all"),
        _ => format!("there are: {}", listed(&known)),
    };
    Diagnostic::new(format!("no {what} {}", quote(&name.value))).at(&name.place, label)
}

/// Lists names in a row, as many as can be read.
fn listed(names: &[&str]) -> String {
    const READABLE: usize = 12;
    let mut quoted: Vec<_> = names.iter().take(READABLE).copied().map(quote).collect();
    if names.len() > READABLE {
        quoted.push(format!("and {} more", names.len() - READABLE));
    }
    quoted.join(", ")
}

/// Refuses an item with the name of an earlier one in the same file.
pub(super) fn refuse_twins<T: Named>(items: &[T], diagnostics: &Diagnostics) {
    let mut first: BTreeMap<&str, &Location> = BTreeMap::new();
    for Located { value, place } in items.iter().map(Named::name) {
        match first.get(value.as_str()) {
            Some(earlier) => diagnostics.add(
                Diagnostic::new(format!("two {}s are named {}", T::WHAT, quote(value)))
                    .at(place, "the second")
                    .also(earlier, "the first")
                    .help("give one of them another name, or make one of the two"),
            ),
            None => {
                first.insert(value, place);
            }
        }
    }
}
