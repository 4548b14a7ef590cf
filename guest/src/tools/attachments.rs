//! Attachments of e-mails, chat messages, activities and comments: name, type, size, and whether a file stands within the text.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{model::output::FactValue, value};

/// Where builds keep the files of a record.
const FIELDS: &[&str] = &["attachments", "files"];

/// Where some builds keep those that stand within the text.
const INLINE_FIELD: &str = "inlineAttachments";

/// The files of a record, in order, but for those of [`only_inline`].
pub(crate) fn files(record: &Value) -> Vec<FactValue> {
    read(record, FIELDS, &mut BTreeSet::new())
}

/// The files that a build keeps apart, since they stand within the text, and names nowhere else.
pub(crate) fn only_inline(record: &Value) -> Vec<FactValue> {
    let mut seen = BTreeSet::new();
    read(record, FIELDS, &mut seen);
    read(record, &[INLINE_FIELD], &mut seen)
}

/// Files that were not seen yet: a build that has two lists may name a file in both.
fn read(record: &Value, fields: &[&str], seen: &mut BTreeSet<String>) -> Vec<FactValue> {
    let all = fields.iter().flat_map(|field| {
        let is_inline = *field == INLINE_FIELD;
        value::all(record, field).into_iter().map(move |file| (file, is_inline))
    });
    all.filter(|(file, _)| value::text_at(file, "file").is_none_or(|id| seen.insert(id)))
        .filter(|(file, _)| value::is_filled(file))
        .map(|(file, is_inline)| FactValue::File {
            // Some builds only name the file.
            title: ["title", "filename", "name"]
                .iter()
                .find_map(|field| value::text_at(file, field))
                .or_else(|| value::text(file)),
            media_type: value::text_at(file, "type"),
            bytes: value::text_at(file, "size"),
            is_inline: is_inline || value::first(file, "inline").and_then(value::yes_no) == Some(true),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(title: Option<&str>, media_type: Option<&str>, bytes: Option<&str>, is_inline: bool) -> FactValue {
        FactValue::File {
            title: title.map(str::to_owned),
            media_type: media_type.map(str::to_owned),
            bytes: bytes.map(str::to_owned),
            is_inline,
        }
    }

    #[test]
    fn every_file_leaves_a_trace() {
        let record = json!({"attachments": [
            {"file": 1, "title": "ram.jpg", "type": "image/jpeg", "size": 48211, "inline": "0"},
            {"file": 2, "title": "image001.png", "type": "image/png", "size": "345678", "inline": "1"},
            {"file": 3, "title": null},
            null,
        ], "inlineAttachments": [{"file": 2, "title": "image001.png"}, {"file": 4, "title": "image002.png"}]});
        assert_eq!(
            files(&record),
            [
                file(Some("ram.jpg"), Some("image/jpeg"), Some("48211"), false),
                file(Some("image001.png"), Some("image/png"), Some("345678"), true),
                file(None, None, None, false),
            ]
        );
        assert_eq!(only_inline(&record), [file(Some("image002.png"), None, None, true)]);
        assert_eq!(files(&json!({"attachments": []})), []);
        assert_eq!(
            files(&json!({"files": ["a.pdf"]})),
            [file(Some("a.pdf"), None, None, false)]
        );
    }
}
