//! Dead links and paths: what the pages point at has to be there.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use crate::golden;

/// Folders of the tree whose paths pages may name.
const FOLDERS: [&str; 6] = ["guest/", "host/", "tests/", "docs/", "wit/", ".ci/"];

/// Paths that an example tells its reader to make, or that only a run leaves behind.
const EXAMPLES: [&str; 2] = ["tests/cases/get_thing/", "tests/fuzz/artifacts"];

fn root() -> PathBuf {
    golden::folder().join("..")
}

fn pages() -> Vec<PathBuf> {
    let named = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|name| root().join(name));
    let mut pages = golden::files(&root().join("docs"), "md");
    pages.extend(named);
    pages
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names under which headings can be linked to, as renderers of Markdown make them.
fn anchors(page: &str) -> HashSet<String> {
    let mut is_code = false;
    let headings = page.lines().filter(|line| {
        is_code ^= line.starts_with("```");
        !is_code && line.starts_with('#')
    });
    headings
        .map(|heading| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn no_link_is_dead() {
    let mut dead = Vec::new();
    for path in pages() {
        let page = read(&path);
        for link in page.split("](").skip(1) {
            let link = link.split(')').next().expect("an end");
            if link.starts_with("http") || link.contains('…') {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().expect("a folder").join(file),
            };
            let is_there = target.exists() && (anchor.is_empty() || anchors(&read(&target)).contains(anchor));
            if !is_there {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert_eq!(dead, [""; 0]);
}

#[test]
fn no_path_is_stale() {
    let mut stale = Vec::new();
    for path in pages() {
        for code in read(&path).split('`').skip(1).step_by(2) {
            let is_path = FOLDERS.iter().any(|folder| code.starts_with(folder))
                && code.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            let is_example = EXAMPLES.iter().any(|example| code.starts_with(example));
            if is_path && !is_example && !root().join(code).exists() {
                stale.push(format!("{}: {code}", path.display()));
            }
        }
    }
    assert_eq!(stale, [""; 0]);
}

/// Operators search the page for what they see in the log.
#[test]
fn each_event_of_the_log_is_documented() {
    let page = read(&root().join("docs/observability.md"));
    let mut missing = Vec::new();
    for folder in ["host/src", "host/egress/src"] {
        for path in golden::files(&root().join(folder), "rs") {
            for event in read(&path).split("event = \"").skip(1) {
                let event = event.split('"').next().expect("an end");
                if !page.contains(&format!("`{event}`")) {
                    missing.push(event.to_owned());
                }
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
