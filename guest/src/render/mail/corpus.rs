//! The corpus of invented mails in `tests/mails`: what must stay visible, and what should be folded.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use super::body;
use crate::text;

struct Case {
    file: String,
    id: String,
    subject: Option<String>,
    body: String,
    keep: Vec<String>,
    drop: Vec<String>,
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/mails")
}

fn cases() -> Vec<Case> {
    let mut files: Vec<_> = fs::read_dir(folder())
        .expect("tests/mails is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let file = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let source = fs::read_to_string(&path).expect("it can be read");
        let list: Vec<serde_json::Value> = serde_json::from_str(&source).expect("it is a list");
        let strings = |value: &serde_json::Value| {
            value
                .as_array()
                .expect("keep and drop are lists")
                .iter()
                .map(|word| word.as_str().expect("of texts").to_owned())
                .collect()
        };
        for case in &list {
            let text = |key: &str| case[key].as_str().map(str::to_owned);
            cases.push(Case {
                file: file.clone(),
                id: text("id").expect("a case has an id"),
                subject: text("subject"),
                body: text("body").expect("a case has a body"),
                keep: strings(&case["keep"]),
                drop: strings(&case["drop"]),
            });
        }
    }
    cases
}

/// Golden numbers: of each file the cases that lose own words and those that leave a quote. Neither may grow; with
/// `UPDATE_EXPECT=1` the numbers of this run are written down.
#[test]
fn no_more_mails_lose_words_or_leave_quotes_than_before() {
    let mut report = String::new();
    let mut counts: BTreeMap<String, (usize, Vec<String>, Vec<String>)> = BTreeMap::new();
    for case in cases() {
        let shown = text::defuse(&body(&case.body, case.subject.as_deref()).text).into_owned();
        let (total, lost, left) = counts.entry(case.file.clone()).or_default();
        *total += 1;
        let missing: Vec<&String> = case.keep.iter().filter(|word| !shown.contains(*word)).collect();
        let remaining: Vec<&String> = case.drop.iter().filter(|word| shown.contains(*word)).collect();
        if !missing.is_empty() {
            lost.push(case.id.clone());
            writeln!(report, "LOST {} {}: {missing:?} in\n{shown}\n", case.file, case.id).expect("a string grows");
        }
        if !remaining.is_empty() {
            left.push(case.id.clone());
            writeln!(report, "LEFT {} {}: {remaining:?} in\n{shown}\n", case.file, case.id).expect("a string grows");
        }
    }
    let mut found = String::new();
    for (file, (total, lost, left)) in &counts {
        writeln!(found, "{file}: {total} mails, lost {}, left {}", lost.len(), left.len()).expect("a string grows");
        for (what, ids) in [("lost", lost), ("left", left)] {
            for id in ids {
                writeln!(found, "  {what} {id}").expect("a string grows");
            }
        }
    }
    let golden = folder().join("golden.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&golden, &found).expect("golden.txt can be written");
    }
    let known = fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(
        found, known,
        "run again with UPDATE_EXPECT=1 if each difference is meant"
    );
}
