//! Reads a file's syntax: the modules in it, the names they have, and every path in their code.
//!
//! Paths are taken from imports, expressions, types, patterns, attributes and the words inside of
//! macro calls. Comments and doc links are not code.

use crate::source::SourceFile;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Item, Macro, Meta, Signature, UseTree, Visibility};

/// A path in code: `crate::event::Event`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The names of the path.
    pub names: Vec<String>,
    /// The line it stands in, from 1.
    pub line: usize,
}

/// A name that an import gives to a path.
#[derive(Debug)]
pub struct Import {
    /// The name.
    pub name: String,
    /// The path.
    pub names: Vec<String>,
}

/// A module: a file, or a `mod` with a body in a file.
#[derive(Debug, Default)]
pub struct Module {
    /// Its path from the root of the crate.
    pub path: Vec<String>,
    /// The names of the items that it defines.
    pub items: BTreeSet<String>,
    /// Its imports, private ones included.
    pub imports: Vec<Import>,
    /// The paths of its `*` imports.
    pub globs: Vec<Vec<String>>,
    /// Every path in its code.
    pub mentions: Vec<Mention>,
}

/// A function and its length.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`, from 1.
    pub line: usize,
    /// The number of lines from there to its last brace.
    pub lines: usize,
}

/// The content of a file.
#[derive(Debug, Default)]
pub struct Syntax {
    /// The file's module, then those inside of it.
    pub modules: Vec<Module>,
    /// Every function with a body.
    pub functions: Vec<Function>,
}

/// Reads the syntax of `file`.
pub fn read(file: &SourceFile) -> Syntax {
    let parsed = syn::parse_file(&file.text)
        .unwrap_or_else(|error| panic!("{}:{}: {error}", file.path, error.span().start().line));
    let mut reader = Reader::default();
    reader.enter(file.module(), &parsed.items);
    reader.visit_file(&parsed);
    reader.syntax
}

#[derive(Default)]
struct Reader {
    syntax: Syntax,
    /// The indices of the modules that enclose the code being read.
    inside: Vec<usize>,
}

impl Reader {
    fn enter(&mut self, path: Vec<String>, items: &[Item]) {
        self.inside.push(self.syntax.modules.len());
        self.syntax.modules.push(Module {
            path,
            items: items.iter().filter_map(item_name).collect(),
            ..Module::default()
        });
    }

    fn module(&mut self) -> &mut Module {
        let index = *self.inside.last().unwrap();
        &mut self.syntax.modules[index]
    }

    fn mention(&mut self, names: Vec<String>, line: usize) {
        self.module().mentions.push(Mention { names, line });
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        let line = signature.fn_token.span.start().line;
        self.syntax.functions.push(Function {
            name: signature.ident.to_string(),
            line,
            lines: block.brace_token.span.close().end().line - line + 1,
        });
    }

    fn import(&mut self, before: &[String], tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.import(&joined(before, &path.ident), &path.tree),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(before, tree);
                }
            }
            UseTree::Name(name) if name.ident == "self" => {
                self.bind(before.last().cloned(), before.to_vec(), &name.ident);
            }
            UseTree::Name(name) => {
                self.bind(
                    Some(name.ident.to_string()),
                    joined(before, &name.ident),
                    &name.ident,
                );
            }
            UseTree::Rename(rename) => {
                let names = match rename.ident == "self" {
                    true => before.to_vec(),
                    false => joined(before, &rename.ident),
                };
                self.bind(Some(rename.rename.to_string()), names, &rename.ident);
            }
            UseTree::Glob(glob) => {
                self.module().globs.push(before.to_vec());
                self.mention(before.to_vec(), glob.star_token.spans[0].start().line);
            }
        }
    }

    fn bind(&mut self, name: Option<String>, names: Vec<String>, place: &Ident) {
        self.mention(names.clone(), place.span().start().line);
        if let Some(name) = name {
            self.module().imports.push(Import { name, names });
        }
    }

    /// Takes every path out of words that have no syntax of their own, as those in a macro call.
    fn words(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut line, mut colons, mut after_dot) = (0, 0, false);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 || path.is_empty() {
                        self.end_path(&mut path, line);
                        line = ident.span().start().line;
                    }
                    if !(after_dot && path.is_empty()) {
                        path.push(ident.to_string());
                    }
                    (colons, after_dot) = (0, false);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    if colons == 2 && group.delimiter() == Delimiter::Brace {
                        panic!("line {line}: an import inside of a macro");
                    }
                    self.end_path(&mut path, line);
                    self.words(group.stream());
                    (colons, after_dot) = (0, false);
                }
                TokenTree::Punct(punct) => {
                    self.end_path(&mut path, line);
                    (colons, after_dot) = (0, punct.as_char() == '.');
                }
                TokenTree::Literal(_) => {
                    self.end_path(&mut path, line);
                    (colons, after_dot) = (0, false);
                }
            }
        }
        self.end_path(&mut path, line);
    }

    fn end_path(&mut self, path: &mut Vec<String>, line: usize) {
        if !path.is_empty() {
            self.mention(std::mem::take(path), line);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let Some((_, items)) = &module.content else {
            return;
        };
        let path = joined(&self.module().path.clone(), &module.ident);
        self.enter(path, items);
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        if import.leading_colon.is_none() {
            self.import(&[], &import.tree);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.function(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            self.mention(names, path.segments[0].ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.words(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => {
                self.words(list.tokens.clone());
                self.quoted(list.tokens.clone());
            }
            Meta::Path(_) | Meta::NameValue(_) => {}
        }
    }

    // `pub(in crate::exec)` says who may come, and calls nobody.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

impl Reader {
    /// Takes the paths out of strings in an attribute: `#[serde(with = "crate::event::seconds")]`.
    fn quoted(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.quoted(group.stream()),
                TokenTree::Literal(literal) => {
                    let line = literal.span().start().line;
                    let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) else {
                        continue;
                    };
                    let Ok(path) = syn::parse_str::<syn::Path>(&text.value()) else {
                        continue;
                    };
                    let names = path
                        .segments
                        .iter()
                        .map(|segment| segment.ident.to_string());
                    self.mention(names.collect(), line);
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

fn joined(before: &[String], ident: &Ident) -> Vec<String> {
    let mut names = before.to_vec();
    names.push(ident.to_string());
    names
}

fn item_name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
