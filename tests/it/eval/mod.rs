//! The evaluation: questions with their answers and bounds (`tests/eval`), scripted solutions, and search for tools. See
//! `docs/evaluation.md`.

mod solutions;
mod tool_search;

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::golden;

/// An array of one of the files of data.
fn data(file: &str, key: &str) -> Vec<Value> {
    let path = golden::folder().join("eval").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    json[key].as_array().expect("an array").clone()
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {of}"))
}

/// How many entries there are by the value of a key.
fn count_by<'a>(entries: &'a [Value], key: &str) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for entry in entries {
        *counts.entry(text(entry, key)).or_default() += 1;
    }
    counts
}
