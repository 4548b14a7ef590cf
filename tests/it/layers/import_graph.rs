//! Import graph: no module and no folder depends on itself through others, and folders depend only on those below them.
//!
//! An arrow leads from the module that names something to the module that defines it, through re-exports. A re-export alone
//! is no arrow, neither is anything within `#[cfg(test)]`. A folder's own `mod.rs` and the files in the folder are one: what
//! they have of each other is no arrow.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::Path,
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Item, ItemMod, ItemUse, Macro, UseTree, Visibility,
    visit::{self, Visit},
};

use crate::golden;

/// The order of the folders and files in a source folder: what stands first may import from all rows below its own, and from
/// nothing else. Every one has its place.
const ORDER: &[(&str, &[&[&str]])] = &[
    (
        "guest/src",
        &[
            &["mcp"],
            &["catalog"],
            &["tools"],
            &["run"],
            &["render"],
            &["model"],
            &["daktela"],
            &["settings"],
            &["date", "names", "phone", "time", "value"],
            &["text"],
            &["unicode"],
            &["sort"],
        ],
    ),
    (
        "host/src",
        &[
            &["main"],
            &["cli"],
            &["app"],
            &["server"],
            &["config"],
            &["mcp", "oauth"],
            &["host"],
            &["auth"],
            &["limits"],
            &["sandbox"],
            &["shutdown", "telemetry", "web"],
        ],
    ),
];

/// A module by its segments below the crate, none for the crate itself.
type Module = Vec<String>;

type Arrows<T> = BTreeMap<T, BTreeSet<T>>;

/// What a file says.
#[derive(Default)]
struct Source {
    /// Paths that it names, by their segments as written.
    paths: Vec<Vec<String>>,
    /// Names that it binds by `use`, with the paths that they stand for.
    bound: BTreeMap<String, Vec<String>>,
}

/// Reads one file; paths within macros are found in their tokens.
struct Reader {
    source: Source,
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|condition| condition == "test")
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &[],
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut found = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut found);
        for (name, path) in found {
            if matches!(item.vis, Visibility::Inherited) {
                self.source.paths.push(path.clone());
            }
            self.source.bound.insert(name, path);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        visit::visit_item_mod(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.source.paths.push(segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.tokens(called.tokens.clone());
        visit::visit_macro(self, called);
    }
}

impl Reader {
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.source.paths.push(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.tokens(group.stream());
                    colons = 0;
                }
                _ => colons = 0,
            }
        }
        self.source.paths.push(path);
    }
}

/// All paths of a `use`, each with the name that it binds.
fn flatten(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<(String, Vec<String>)>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, found)),
        UseTree::Name(name) if name.ident == "self" => {
            found.push((before.last().cloned().unwrap_or_default(), before.clone()));
        }
        UseTree::Name(name) => found.push((
            name.ident.to_string(),
            [&before[..], &[name.ident.to_string()]].concat(),
        )),
        UseTree::Rename(rename) => {
            let path = match rename.ident.to_string().as_str() {
                "self" => before.clone(),
                name => [&before[..], &[name.to_owned()]].concat(),
            };
            found.push((rename.rename.to_string(), path));
        }
        // What it binds cannot be told from here.
        UseTree::Glob(_) => found.push(("*".to_owned(), before.clone())),
    }
}

/// The files of a crate, by module.
fn read(folder: &Path) -> BTreeMap<Module, Source> {
    golden::files(folder, "rs")
        .into_iter()
        .map(|path| {
            let relative = path
                .strip_prefix(folder)
                .expect("a file of the folder")
                .with_extension("");
            let mut module: Module = relative
                .iter()
                .map(|segment| segment.to_string_lossy().into_owned())
                .collect();
            if module == ["lib"] || module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            let text = fs::read_to_string(&path).expect("a source");
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let mut reader = Reader {
                source: Source::default(),
            };
            // A file that is all tests, by its attribute within or by that of its declaration.
            if !is_test(&file.attrs) && !module.iter().any(|segment| segment == "tests") {
                reader.visit_file(&file);
            }
            (module, reader.source)
        })
        .collect()
}

/// The module in which a path's thing is defined, if that is within the crate.
fn resolve(sources: &BTreeMap<Module, Source>, from: &Module, path: &[String], depth: usize) -> Option<Module> {
    let mut at = from.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => at.clear(),
        "self" => {}
        "super" => {
            at.pop()?;
        }
        first => {
            let child = [&from[..], &[first.to_owned()]].concat();
            let bound = sources[from].bound.contains_key(first);
            if !sources.contains_key(&child) && !bound {
                return None;
            }
        }
    }
    if matches!(path[0].as_str(), "crate" | "self" | "super") {
        rest = &path[1..];
    }
    while let Some(name) = rest.first() {
        if name == "super" {
            at.pop()?;
            rest = &rest[1..];
            continue;
        }
        let child = [&at[..], std::slice::from_ref(name)].concat();
        if sources.contains_key(&child) {
            at = child;
            rest = &rest[1..];
            continue;
        }
        let bound = sources.get(&at)?.bound.get(name);
        if let Some(bound) = bound.filter(|bound| depth < 8 && bound.as_slice() != path) {
            let whole = [&bound[..], &rest[1..]].concat();
            // What stands for something of another crate is that crate's.
            return resolve(sources, &at, &whole, depth + 1);
        }
        break;
    }
    Some(at)
}

fn arrows(sources: &BTreeMap<Module, Source>) -> Arrows<Module> {
    let mut arrows = Arrows::new();
    for (from, source) in sources {
        for path in &source.paths {
            if let Some(to) = resolve(sources, from, path, 0)
                && !to.starts_with(from)
                && !from.starts_with(&to)
            {
                arrows.entry(from.clone()).or_default().insert(to);
            }
        }
    }
    arrows
}

/// For each set of nodes that reach each other, the shortest way from one of them back to itself.
fn circles<T: Ord + Clone>(arrows: &Arrows<T>) -> Vec<Vec<T>> {
    let mut ways: Vec<Vec<T>> = arrows.keys().filter_map(|start| way_back(arrows, start)).collect();
    ways.sort_by_key(Vec::len);
    let mut told: BTreeSet<T> = BTreeSet::new();
    let mut circles = Vec::new();
    for way in ways {
        if way.iter().all(|node| !told.contains(node)) {
            told.extend(way.iter().flat_map(|node| {
                reachable(arrows, node)
                    .into_iter()
                    .filter(|other| reachable(arrows, other).contains(node))
            }));
            circles.push(way);
        }
    }
    circles
}

fn reachable<T: Ord + Clone>(arrows: &Arrows<T>, start: &T) -> BTreeSet<T> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(node) = open.pop() {
        for next in arrows.get(node).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    seen
}

fn way_back<T: Ord + Clone>(arrows: &Arrows<T>, start: &T) -> Option<Vec<T>> {
    let mut ways = VecDeque::from([vec![start.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in arrows.get(way.last()?).into_iter().flatten() {
            let longer = [&way[..], std::slice::from_ref(next)].concat();
            if next == start {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push_back(longer);
            }
        }
    }
    None
}

/// The graph between what lies directly in a folder: files, and folders with all that they hold.
fn between(arrows: &Arrows<Module>, folder: &[String]) -> Arrows<String> {
    let member = |module: &Module| -> Option<String> { module.strip_prefix(folder)?.first().cloned() };
    let mut collapsed = Arrows::new();
    for (from, to) in arrows
        .iter()
        .flat_map(|(from, all)| all.iter().map(move |to| (from, to)))
    {
        if let (Some(from), Some(to)) = (member(from), member(to))
            && from != to
        {
            collapsed.entry(from).or_default().insert(to);
        }
    }
    collapsed
}

fn name(module: &Module) -> String {
    if module.is_empty() {
        "the crate's root".to_owned()
    } else {
        module.join("::")
    }
}

/// All circles below a source folder, each with what it is a circle of.
fn circles_of(sources: &BTreeMap<Module, Source>) -> Vec<String> {
    let arrows = arrows(sources);
    let mut found: Vec<String> = circles(&arrows)
        .iter()
        .map(|circle| circle.iter().map(name).collect::<Vec<_>>().join(" → "))
        .collect();
    let folders: BTreeSet<&[String]> = sources
        .keys()
        .filter_map(|module| module.split_last())
        .map(|(_, folder)| folder)
        .collect();
    for folder in folders {
        for circle in circles(&between(&arrows, folder)) {
            found.push(format!("within {}: {}", name(&folder.to_vec()), circle.join(" → ")));
        }
    }
    found
}

/// The sources of each crate of the workspace.
fn crates() -> Vec<String> {
    let manifest = fs::read_to_string(golden::folder().join("../Cargo.toml")).expect("a manifest");
    let (_, members) = manifest.split_once("members = [").expect("members");
    let (members, _) = members.split_once(']').expect("their end");
    let crates: Vec<String> = members
        .split('"')
        .skip(1)
        .step_by(2)
        .map(|member| format!("{member}/src"))
        .collect();
    assert!(crates.len() > 10, "{crates:?}");
    crates
}

#[test]
fn no_module_and_no_folder_imports_itself_through_others() {
    let mut found = Vec::new();
    for source in crates() {
        let circles = circles_of(&read(&golden::folder().join("..").join(&source)));
        found.extend(circles.iter().map(|circle| format!("{source}: {circle}")));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn folders_import_only_what_stands_below_them() {
    let mut upward = Vec::new();
    for (source, order) in ORDER {
        let sources = read(&golden::folder().join("..").join(source));
        let row = |name: &String| order.iter().position(|row| row.contains(&name.as_str()));
        let top: BTreeSet<&String> = sources.keys().filter_map(|module| module.first()).collect();
        for name in top {
            assert!(row(name).is_some(), "{source}: {name} has no place in the order");
        }
        for (from, all) in between(&arrows(&sources), &[]) {
            for to in all {
                if row(&from) >= row(&to) {
                    upward.push(format!("{source}: {from} imports {to}, which does not stand below it"));
                }
            }
        }
    }
    assert!(upward.is_empty(), "\n{}", upward.join("\n"));
}
