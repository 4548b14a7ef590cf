//! Standard terms: the glossary is found by search, and names that only this repository would understand do not come back.

use std::{collections::BTreeSet, fs, path::Path};

use syn::{Item, visit::Visit};

use crate::golden;

/// Names of files, without ending, and of folders; beside each what it is called now.
const FILES: &[(&str, &str)] = &[
    ("builds", "upstream_variants"),
    ("crowds", "denial_of_service"),
    ("document", "claims"),
    ("door", "origin_guard"),
    ("face", "adapter"),
    ("faces", "adapters"),
    ("fault", "error"),
    ("gate", "egress"),
    ("guess", "login_guard"),
    ("guesses", "brute_force"),
    ("held", "body_guard"),
    ("memory", "store"),
    ("operations", "health"),
    ("own", "in_memory"),
    ("reach", "ssrf"),
    ("refusal", "error"),
    ("rpc", "stateless_http"),
    ("seal", "sealed_token"),
    ("served", "server_harness"),
    ("shape", "normalize"),
    ("stopwatch", "cpu_time"),
    ("spans", "traces"),
    ("sweep", "smoke_test"),
    ("throttle", "rate_limit"),
    ("ticker", "epoch_ticker"),
    ("turns", "fair_queue"),
    ("whole", "body"),
];

/// Names of types, traits, functions and constants, of which each was a riddle.
const ITEMS: &[(&str, &str)] = &[
    ("Gate", "Egress"),
    ("Guess", "LoginAttempt"),
    ("News", "Progress"),
    ("Presented", "Credentials"),
    ("PublicOnly", "PublicOnlyResolver"),
    ("Stopwatch", "CpuTime"),
    ("TooMany", "RateLimited"),
    ("Turns", "FairQueue"),
    ("Unclear", "CredentialError"),
    ("blame", "attribute_to_proxy"),
    ("for_strangers", "public_only"),
];

/// Where the project's own sources lie.
const FOLDERS: [&str; 3] = ["guest", "host", "tests"];

fn root() -> std::path::PathBuf {
    golden::folder().join("..")
}

fn sources(folder: &str) -> Vec<std::path::PathBuf> {
    let is_built = |path: &Path| path.components().any(|part| part.as_os_str() == "target");
    let mut files = golden::files(&root().join(folder), "rs");
    files.retain(|path| !is_built(path.strip_prefix(root()).expect("a file of the tree")));
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Words as a search finds them, however they are joined.
fn words(text: &str) -> String {
    let apart = text.to_lowercase().replace(['-', '_', '\n', '*', '`'], " ");
    apart.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rows of the glossary: our words and the field's terms, and where the thing is.
fn glossary(page: &str) -> Vec<(Vec<String>, Vec<String>, String)> {
    let (_, glossary) = page.split_once("## Glossary").expect("a glossary");
    let rows = glossary.lines().filter(|line| line.starts_with("| ")).skip(1);
    let rows: Vec<_> = rows
        .map(|row| {
            let [ours, terms, place] = row
                .trim_matches('|')
                .split(" | ")
                .map(str::trim)
                .collect::<Vec<_>>()
                .try_into()
                .unwrap_or_else(|_| panic!("the glossary's rows have three cells: {row}"));
            let each = |cell: &str| cell.split(", ").map(words).collect();
            (each(ours), each(terms), place.trim_matches('`').to_owned())
        })
        .collect();
    assert!(rows.len() > 20, "{} rows", rows.len());
    rows
}

#[test]
fn every_term_of_the_glossary_is_found_in_code_and_docs() {
    let page = read(&root().join("docs/architecture.md"));
    let (before, _) = page.split_once("## Glossary").expect("a glossary");
    let mut docs = words(before);
    for path in golden::files(&root().join("docs"), "md") {
        if !path.ends_with("architecture.md") {
            docs += &words(&read(&path));
        }
    }
    docs += &words(&read(&root().join("README.md")));
    let mut missing = Vec::new();
    for (ours, terms, place) in glossary(&page) {
        let path = root().join(&place);
        let code: String = if path.is_dir() {
            let files = golden::files(&path, "rs");
            files.iter().map(|path| words(&read(path))).collect()
        } else {
            words(&read(&path))
        };
        let is_used = |ours: &String| code.contains(ours) || docs.contains(ours);
        missing.extend(ours.into_iter().filter(|ours| !is_used(ours)));
        for term in terms {
            for (text, name) in [(&code, place.as_str()), (&docs, "docs")] {
                if !text.contains(&term) {
                    missing.push(format!("{term} in {name}"));
                }
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn files_have_standard_names() {
    let mut found = BTreeSet::new();
    for path in FOLDERS.iter().flat_map(|folder| sources(folder)) {
        let relative = path
            .strip_prefix(root())
            .expect("a file of the tree")
            .with_extension("");
        for part in &relative {
            if let Some((old, new)) = FILES.iter().find(|(old, _)| part == *old) {
                found.insert(format!("{}: {old} is {new}", relative.display()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Collects the names of what a file declares.
#[derive(Default)]
struct Declared(Vec<String>);

impl<'ast> Visit<'ast> for Declared {
    fn visit_item(&mut self, item: &'ast Item) {
        let name = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            _ => None,
        };
        self.0.extend(name.map(ToString::to_string));
        syn::visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.0.push(item.sig.ident.to_string());
    }
}

#[test]
fn items_have_standard_names() {
    let mut found = BTreeSet::new();
    for path in FOLDERS.iter().flat_map(|folder| sources(folder)) {
        let file = syn::parse_file(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut declared = Declared::default();
        declared.visit_file(&file);
        for name in declared.0 {
            if let Some((old, new)) = ITEMS.iter().find(|(old, _)| name == *old) {
                found.insert(format!("{}: {old} is {new}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
