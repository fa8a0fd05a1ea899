//! Which module of a crate imports which other, read from its sources. A re-exported name is followed to the module that defines it, so
//! that a `mod.rs` which only passes names on imports nothing. Code under `#[cfg(test)]` and folders called `tests` do not count.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fs,
    path::Path,
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Item, ItemUse, UseTree, Visibility, visit::Visit};

/// The path of a module from its crate on; empty for `lib.rs` and `main.rs`.
pub type ModulePath = Vec<String>;

/// The modules of one crate, a file each.
pub struct ModuleGraph {
    modules: BTreeMap<ModulePath, Module>,
    edges: BTreeMap<ModulePath, BTreeSet<ModulePath>>,
}

#[derive(Default)]
struct Module {
    folder: Vec<String>,
    defined: HashSet<String>,
    /// Names brought in by `use`, with the path they stand for.
    aliases: HashMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    /// Absolute paths that the file mentions.
    mentioned: BTreeSet<Vec<String>>,
}

impl ModuleGraph {
    /// Reads every file below `src`.
    pub fn read(src: &Path) -> Self {
        let mut files = Vec::new();
        collect(src, &mut Vec::new(), &mut files);
        let texts = files
            .into_iter()
            .map(|(path, folder, file)| (path, folder, fs::read_to_string(file).unwrap()));
        Self::of(texts)
    }

    /// The same of modules given as path, folder and text.
    pub fn of(files: impl IntoIterator<Item = (ModulePath, Vec<String>, String)>) -> Self {
        let mut modules: BTreeMap<ModulePath, Module> = BTreeMap::new();
        for (path, folder, text) in files {
            let file = syn::parse_file(&text).unwrap();
            let module = modules.entry(path.clone()).or_default();
            module.folder = folder;
            let mut reader = Reader {
                inside: path,
                module,
            };
            reader.visit_file(&file);
        }
        let mut graph = Self {
            modules,
            edges: BTreeMap::new(),
        };
        for (path, module) in &graph.modules {
            let targets = module.mentioned.iter().filter_map(|target| {
                let found = graph.resolve(target, 0)?;
                (found != *path).then_some(found)
            });
            graph.edges.insert(path.clone(), targets.collect());
        }
        graph
    }

    /// The folder that a module belongs to, from `src` on.
    pub fn folder(&self, module: &ModulePath) -> &[String] {
        &self.modules[module].folder
    }

    /// Every module.
    pub fn modules(&self) -> impl Iterator<Item = &ModulePath> {
        self.modules.keys()
    }

    /// Every import, as importing and imported module.
    pub fn imports(&self) -> impl Iterator<Item = (&ModulePath, &ModulePath)> {
        self.edges
            .iter()
            .flat_map(|(from, all)| all.iter().map(move |to| (from, to)))
    }

    /// Sets of more than one module, each of which imports every other of its set, directly or not.
    pub fn circles(&self) -> Vec<Vec<ModulePath>> {
        let reached: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> = self
            .edges
            .keys()
            .map(|from| (from, self.reached(from)))
            .collect();
        let mut circles: Vec<Vec<ModulePath>> = Vec::new();
        for (from, all) in &reached {
            let circle: Vec<ModulePath> = all
                .iter()
                .filter(|to| reached[**to].contains(*from))
                .map(|to| (*to).clone())
                .collect();
            if circle.len() > 1 && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }

    fn reached<'a>(&'a self, from: &'a ModulePath) -> BTreeSet<&'a ModulePath> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&ModulePath> = self.edges[from].iter().collect();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(&self.edges[next]);
            }
        }
        seen
    }

    /// The module that defines what a path names.
    fn resolve(&self, path: &[String], depth: u32) -> Option<ModulePath> {
        let mut at: ModulePath = Vec::new();
        for (place, segment) in path.iter().enumerate() {
            let module = self.modules.get(&at)?;
            let below = [&at[..], std::slice::from_ref(segment)].concat();
            if self.modules.contains_key(&below) {
                at = below;
                continue;
            }
            if module.defined.contains(segment) || depth > 8 {
                break;
            }
            let alias = module.aliases.get(segment).cloned().or_else(|| {
                module.globs.iter().find_map(|glob| {
                    let target = self.resolve(glob, depth + 1)?;
                    let defines = self.modules[&target].defined.contains(segment);
                    defines.then(|| [&target[..], std::slice::from_ref(segment)].concat())
                })
            });
            return match alias {
                Some(alias) => self.resolve(&[&alias[..], &path[place + 1..]].concat(), depth + 1),
                None => Some(at),
            };
        }
        Some(at)
    }
}

fn collect(
    folder: &Path,
    place: &mut Vec<String>,
    files: &mut Vec<(ModulePath, Vec<String>, std::path::PathBuf)>,
) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && stem != "tests" {
            place.push(stem);
            collect(&path, place, files);
            place.pop();
        } else if path.extension().is_some_and(|e| e == "rs") && stem != "tests" {
            let mut module = place.clone();
            if !["mod", "lib", "main"].contains(&stem.as_str()) {
                module.push(stem);
            }
            // `a.rs` with modules of its own in `a/` belongs to that folder, as `a/mod.rs` would.
            let own = path.with_extension("").is_dir();
            let home = if own { module.clone() } else { place.clone() };
            files.push((module, home, path));
        }
    }
}

/// Notes what one file defines and mentions. `inside` is the module it is in, which inline modules deepen.
struct Reader<'a> {
    inside: ModulePath,
    module: &'a mut Module,
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

fn name(ident: &proc_macro2::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").unwrap_or(&text).to_owned()
}

impl Reader<'_> {
    /// The path from the crate on; `None` for paths of other crates and for plain names.
    fn absolute(&self, segments: &[String]) -> Option<Vec<String>> {
        let (first, rest) = segments.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&self.inside[..], rest].concat()),
            "super" => {
                let mut at = self.inside.clone();
                at.pop();
                let mut rest = rest;
                while let Some((head, tail)) = rest.split_first()
                    && head == "super"
                {
                    at.pop();
                    rest = tail;
                }
                Some([&at[..], rest].concat())
            }
            _ => None,
        }
    }

    fn mention(&mut self, segments: &[String]) {
        if let Some(path) = self.absolute(segments) {
            self.module.mentioned.insert(path);
        }
    }

    fn note_use(&mut self, item: &ItemUse) {
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        for (segments, alias) in leaves {
            // `use child::Name` is short for `use self::child::Name`; what is no module here resolves to this one.
            let path = self
                .absolute(&segments)
                .unwrap_or_else(|| [&self.inside[..], &segments[..]].concat());
            match alias {
                Some(alias) => {
                    self.module.aliases.insert(alias, path.clone());
                }
                None => self.module.globs.push(path.clone()),
            }
            let passed_on =
                !matches!(item.vis, Visibility::Inherited) && path.starts_with(&self.inside);
            if !passed_on {
                self.module.mentioned.insert(path);
            }
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                    path.push(name(&ident));
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1
                }
                other => {
                    self.mention(&std::mem::take(&mut path));
                    colons = 0;
                    match other {
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        TokenTree::Ident(ident) => path.push(name(&ident)),
                        _ => {}
                    }
                }
            }
        }
        self.mention(&path);
    }
}

fn flatten(
    tree: &UseTree,
    before: &mut Vec<String>,
    leaves: &mut Vec<(Vec<String>, Option<String>)>,
) {
    match tree {
        UseTree::Path(path) => {
            before.push(name(&path.ident));
            flatten(&path.tree, before, leaves);
            before.pop();
        }
        UseTree::Group(group) => {
            for item in &group.items {
                flatten(item, before, leaves);
            }
        }
        UseTree::Glob(_) => leaves.push((before.clone(), None)),
        UseTree::Name(leaf) if leaf.ident == "self" => {
            leaves.push((before.clone(), before.last().cloned()));
        }
        UseTree::Name(leaf) => {
            let leaf = name(&leaf.ident);
            leaves.push((
                [&before[..], std::slice::from_ref(&leaf)].concat(),
                Some(leaf),
            ));
        }
        UseTree::Rename(leaf) => {
            let path = match leaf.ident == "self" {
                true => before.clone(),
                false => [&before[..], &[name(&leaf.ident)]].concat(),
            };
            leaves.push((path, Some(name(&leaf.rename))));
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, defined) = match item {
            Item::Const(i) => (&i.attrs, Some(&i.ident)),
            Item::Enum(i) => (&i.attrs, Some(&i.ident)),
            Item::Fn(i) => (&i.attrs, Some(&i.sig.ident)),
            Item::Macro(i) => (&i.attrs, i.ident.as_ref()),
            Item::Mod(i) => (&i.attrs, None),
            Item::Static(i) => (&i.attrs, Some(&i.ident)),
            Item::Struct(i) => (&i.attrs, Some(&i.ident)),
            Item::Trait(i) => (&i.attrs, Some(&i.ident)),
            Item::Type(i) => (&i.attrs, Some(&i.ident)),
            Item::Use(i) => (&i.attrs, None),
            Item::Impl(i) => (&i.attrs, None),
            _ => return syn::visit::visit_item(self, item),
        };
        if is_test(attributes) {
            return;
        }
        if let Some(ident) = defined {
            self.module.defined.insert(name(ident));
        }
        match item {
            Item::Use(item) => self.note_use(item),
            Item::Mod(inline) if inline.content.is_some() => {
                self.inside.push(name(&inline.ident));
                syn::visit::visit_item(self, item);
                self.inside.pop();
            }
            _ => syn::visit::visit_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            syn::visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| name(&s.ident)).collect();
        if segments.len() > 1 && self.absolute(&segments).is_none() {
            // `child::name`: a module below this one, where there is one of that name.
            let below = [&self.inside[..], &segments[..]].concat();
            self.module.mentioned.insert(below);
        } else {
            self.mention(&segments);
        }
        syn::visit::visit_path(self, path);
    }

    /// `pub(crate)` is no import.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
        syn::visit::visit_macro(self, item);
    }
}
