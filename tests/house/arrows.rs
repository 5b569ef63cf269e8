//! Follows every path in code to the file that defines what it names, through re-exports.

use crate::source::SourceFile;
use crate::syntax::{self, Function, Module};
use std::collections::{BTreeMap, BTreeSet};

/// Code of one file that names an item of another.
#[derive(Debug, Clone)]
pub struct Arrow {
    /// The index of the file that names it.
    pub from: usize,
    /// The line of the path, from 1.
    pub line: usize,
    /// The path as it stands there.
    pub path: String,
    /// The index of the file that defines it.
    pub to: usize,
}

/// A source tree and what its files name of each other.
pub struct Tree {
    /// The files.
    pub files: Vec<SourceFile>,
    /// Of each file the path of its module.
    pub modules: Vec<Vec<String>>,
    /// Of each file its functions.
    pub functions: Vec<Vec<Function>>,
    /// The first arrow from each file to each other, by file and line.
    pub arrows: Vec<Arrow>,
}

impl Tree {
    /// Reads all `files`, and finds the arrows between them.
    pub fn new(files: Vec<SourceFile>) -> Self {
        let mut table = Table::default();
        let mut functions = Vec::new();
        for (file, source) in files.iter().enumerate() {
            let syntax = syntax::read(source);
            functions.push(syntax.functions);
            for module in syntax.modules {
                table.add(file, module);
            }
        }
        Self {
            modules: files.iter().map(SourceFile::module).collect(),
            arrows: table.arrows(),
            files,
            functions,
        }
    }
}

/// Every module of the crate, and the file it is in.
#[derive(Default)]
struct Table {
    modules: Vec<(usize, Module)>,
    by_path: BTreeMap<Vec<String>, usize>,
}

/// A module, or something defined in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Module(usize),
    ItemOf(usize),
}

/// The names being looked for on the way here, as imports can lead in a circle.
type Seen = BTreeSet<(usize, String)>;

impl Table {
    fn add(&mut self, file: usize, module: Module) {
        self.by_path.insert(module.path.clone(), self.modules.len());
        self.modules.push((file, module));
    }

    fn arrows(&self) -> Vec<Arrow> {
        let mut first = BTreeMap::new();
        for (index, (file, module)) in self.modules.iter().enumerate() {
            for mention in &module.mentions {
                let Some(target) = self.resolve(index, &mention.names, &mut Seen::new()) else {
                    continue;
                };
                let to = match target {
                    // A module alone is no value: a name alone that is a module's is a variable's.
                    Target::Module(_) if mention.names.len() == 1 => continue,
                    Target::Module(module) | Target::ItemOf(module) => self.modules[module].0,
                };
                let arrow = Arrow {
                    from: *file,
                    line: mention.line,
                    path: mention.names.join("::"),
                    to,
                };
                let known = first.entry((*file, to)).or_insert_with(|| arrow.clone());
                if arrow.line < known.line {
                    *known = arrow;
                }
            }
        }
        first
            .into_values()
            .filter(|arrow| arrow.from != arrow.to)
            .collect()
    }

    /// Follows a path that stands in a module; `None` if it leads out of the crate.
    fn resolve(&self, from: usize, names: &[String], seen: &mut Seen) -> Option<Target> {
        let mut at = from;
        for (position, name) in names.iter().enumerate() {
            let last = position + 1 == names.len();
            let candidates = match (name.as_str(), position) {
                ("crate" | "kata_ci", 0) => vec![Target::Module(*self.by_path.get(&Vec::new())?)],
                ("self", _) => vec![Target::Module(at)],
                ("super", _) => {
                    let (_, parent) = self.modules[at].1.path.split_last()?;
                    vec![Target::Module(*self.by_path.get(parent)?)]
                }
                _ => self.named(at, name, seen),
            };
            let module = candidates
                .iter()
                .find(|target| matches!(target, Target::Module(_)));
            let item = candidates
                .iter()
                .find(|target| matches!(target, Target::ItemOf(_)));
            match (module, item) {
                (Some(&Target::Module(module)), None) => at = module,
                (Some(&Target::Module(module)), Some(_)) if !last => at = module,
                (_, Some(&item)) => return Some(item),
                // Something that a macro defines, or that is not there.
                _ if position > 0 => return Some(Target::ItemOf(at)),
                _ => return None,
            }
        }
        Some(Target::Module(at))
    }

    /// Everything that goes by `name` in a module: an item, a module, what is imported.
    fn named(&self, module: usize, name: &str, seen: &mut Seen) -> Vec<Target> {
        if !seen.insert((module, name.to_owned())) {
            return Vec::new();
        }
        let Module {
            path,
            items,
            imports,
            globs,
            ..
        } = &self.modules[module].1;
        let mut targets = Vec::new();
        if items.contains(name) {
            targets.push(Target::ItemOf(module));
        }
        let child: Vec<String> = path
            .iter()
            .map(String::as_str)
            .chain([name])
            .map(str::to_owned)
            .collect();
        targets.extend(
            self.by_path
                .get(&child)
                .map(|&module| Target::Module(module)),
        );
        for import in imports.iter().filter(|import| import.name == name) {
            targets.extend(self.resolve(module, &import.names, seen));
        }
        if targets.is_empty() {
            for glob in globs {
                if let Some(Target::Module(of)) = self.resolve(module, glob, seen) {
                    targets.extend(self.named(of, name, seen));
                }
            }
        }
        seen.remove(&(module, name.to_owned()));
        targets
    }
}
