//! Forbidden dependencies: no tool name in the host, no transport in the guest; contents of the container image.

use std::fs;

use guest::catalog;

use crate::{golden, program};

fn read(path: &std::path::Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The tour is data, and the command line's example is for people; the code passes on what the component says. A name of one
/// word, such as `search`, is a word of the language as well, and is not looked for.
#[test]
fn the_host_knows_no_tool_by_name() {
    let folders = ["../host/src", "../host/egress/src"].map(|folder| golden::folder().join(folder));
    for path in folders.iter().flat_map(|folder| golden::files(folder, "rs")) {
        let code = read(&path);
        for tool in catalog::tools().filter(|tool| tool.name.contains('_')) {
            let mentions = code
                .lines()
                .filter(|line| {
                    line.contains(tool.name) && !line.trim_start().starts_with("//") && !line.contains("Example:")
                })
                .count();
            assert_eq!(mentions, 0, "{} names {}", path.display(), tool.name);
        }
    }
}

/// The base of the image holds no more than the C library and GCC's, and its compiler is the one that the manifest asks for.
#[cfg(target_os = "linux")]
#[test]
fn the_image_has_what_the_program_needs() {
    let root = golden::folder().join("..");
    let (dockerfile, manifest) = (read(&root.join("Dockerfile")), read(&root.join("Cargo.toml")));
    let between = |text: &str, before: &str, after: &str| {
        let (_, rest) = text.split_once(before).expect(before);
        rest.split_once(after).expect(after).0.to_owned()
    };
    assert_eq!(
        between(&dockerfile, "FROM rust:", "-slim"),
        between(&manifest, "rust-version = \"", "\"")
    );
    let linked = std::process::Command::new("ldd")
        .arg(program::path())
        .output()
        .expect("ldd");
    let linked = String::from_utf8(linked.stdout).expect("UTF-8");
    let mut libraries: Vec<&str> = linked
        .lines()
        .filter_map(|line| line.split_once(" => ").map(|(name, _)| name.trim()))
        .collect();
    libraries.sort_unstable();
    assert_eq!(libraries, ["libc.so.6", "libgcc_s.so.1", "libm.so.6"]);
}

#[test]
fn the_guest_knows_no_transport() {
    let manifest = read(&golden::folder().join("../guest/Cargo.toml"));
    let (_, dependencies) = manifest.split_once("[dependencies]").expect("dependencies");
    let (dependencies, _) = dependencies.split_once("\n[").expect("another section");
    let names: Vec<&str> = dependencies
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['=', '.', ' ']).next())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(names, ["htmlize", "daktela-protocol", "serde_json"]);
}

/// Wire names of Daktela's models belong to the catalogue; elsewhere they would be a second truth.
#[test]
fn only_the_query_module_builds_paths() {
    for path in golden::files(&golden::folder().join("../guest/src"), "rs") {
        let code = read(&path);
        let builds = code.contains("/api/v6/") && !path.ends_with("query.rs") && !path.ends_with("http.rs");
        assert!(
            !builds,
            "{} builds a path; guest/src/daktela/query.rs does that",
            path.display()
        );
    }
}
