//! Output schemas: the shapes of structured content, one for each kind of output, as data, and JSON Schema made of them.
//!
//! A shape lists its members, with blanks between: `name` is a text, `name?` one that may be absent. What follows tells the type:
//! `#` a whole number, `.` a number, `!` a flag, `@x` the shape x, `[x]` a list, `{x}` a map by free keys, `=x` the word x; within
//! brackets stands the same, and nothing for texts. Shapes that others name are `$defs`. Members that are not named may come
//! in later versions.

use serde_json::{Map, Value, json};

/// The kind of output that a tool has, which its structured content is shaped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One record.
    Record,
    /// A page of records.
    List,
    /// A record with a page of what belongs to it, or the record alone.
    Conversation,
    /// How many match.
    Count,
    /// Records in groups, counted and measured.
    Statistics,
    /// The transcript of a call.
    Transcript,
    /// Several lists under one heading.
    Sections,
    /// Records with all that was said on each.
    Threads,
    /// What `search` finds.
    Results,
    /// What `fetch` shows.
    Document,
}

/// What every kind may have beside its own.
const COMMON: &str = "notes?[] hints?[] next?@next time_zone? labels?{} written_by_people?[]";

impl Shape {
    fn members(self) -> &'static str {
        match self {
            Shape::Record => "kind=record of record@record",
            Shape::List => "kind=list of records[@record] skip# rows# total?# unfit?# applied_filters?[]",
            Shape::Conversation => "kind of record@record conversation?@page",
            Shape::Count => "kind=count of total# applied_filters?[]",
            Shape::Statistics => {
                "kind=statistics of total@figures group_by[@dimension] measure? groups[@group] others?[@others] \
                 group_count# counted_more_than_once?# compared_with? applied_filters?[] basis?[] is_whole!"
            }
            Shape::Transcript => "kind=transcript activity leg_count?# legs[@leg] total# skip# is_partial!",
            Shape::Sections => "kind=sections heading at? sections[@section]",
            Shape::Threads => "kind=threads of threads[@thread] skip# rows# total?# applied_filters?[]",
            Shape::Results => "results[@result]",
            Shape::Document => "id title text url metadata{}",
        }
    }

    /// Whether it has notes and the like.
    fn has_common(self) -> bool {
        !matches!(self, Shape::Results | Shape::Document)
    }
}

/// Shapes that others name. `value` is one of its own.
const DEFS: &[(&str, &str)] = &[
    (
        "record",
        "id? title? url? facts?{@value} custom_fields?{@custom_field} remarks?[] texts?[@text]",
    ),
    ("custom_field", "label value@value left_out_characters?#"),
    (
        "text",
        "label? text? utterances?[@utterance] legs?[@leg] left_out_characters?# note?",
    ),
    (
        "utterance",
        "at? at_seconds?. speaker name? note? text files?[@value] left_out_characters?#",
    ),
    ("leg", "place?# activity agent? segments[@utterance] remarks?[]"),
    (
        "page",
        "of records[@record] skip# rows# total?# unfit?# applied_filters?[]",
    ),
    ("next", "skip?# continue?"),
    ("numbers", "with_value# sum. average. median. p90. largest."),
    ("figures", "count# seconds?@spread numbers?@numbers before?@figures"),
    ("spread", "with_value# sum# average. median. p90# longest#"),
    ("dimension", "name label"),
    (
        "group",
        "group?@value count# seconds?@spread numbers?@numbers before?@figures groups?[@group] others?[@others]",
    ),
    (
        "others",
        "group_count# fewer_than?# count# seconds?@spread numbers?@numbers before?@figures",
    ),
    ("section", "title summary figures{#} records[@record] rows#"),
    (
        "thread",
        "id? title? url? facts?{@value} custom_fields?{@custom_field} remarks?[] texts?[@text] from?# utterance_count# \
         utterances[@utterance]",
    ),
    ("result", "id title url"),
];

/// A value that is more than a text, a number or a flag. Bytes may be a text where Daktela gives no number.
const VALUE: &str =
    "id? title? url? seconds?. at? overdue_seconds?. code? meaning? name? number? address? media_type? inline?!";

/// The output schema of a shape: an object with what it refers to in `$defs`.
pub fn schema(shape: Shape) -> Value {
    let members = match shape.has_common() {
        true => [shape.members(), COMMON].join(" "),
        false => shape.members().to_owned(),
    };
    let mut named = Vec::new();
    let mut out = object(&members, &mut named);
    let mut defs = Map::new();
    while let Some(name) = named.pop() {
        if defs.contains_key(name) {
            continue;
        }
        let def = match DEFS.iter().find(|(known, _)| *known == name) {
            Some((_, members)) => object(members, &mut named),
            None => value(&mut named),
        };
        defs.insert(name.to_owned(), def);
    }
    if !defs.is_empty() {
        out["$defs"] = defs.into();
    }
    out
}

fn value(named: &mut Vec<&'static str>) -> Value {
    let mut parts = object(VALUE, named);
    parts["properties"]["bytes"] = json!({"type": ["integer", "string"]});
    json!({"anyOf": [
        {"type": ["string", "number", "boolean"]},
        {"type": "array", "items": {"$ref": "#/$defs/value"}},
        parts,
    ]})
}

/// An object of these members. The shapes that they name are added to `named`.
fn object(members: &str, named: &mut Vec<&'static str>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for member in members.split_whitespace() {
        let end = member
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(member.len());
        let (name, rest) = member.split_at(end);
        let kind = match rest.strip_prefix('?') {
            Some(kind) => kind,
            None => {
                required.push(name);
                rest
            }
        };
        properties.insert(name.to_owned(), type_of(kind, named));
    }
    let mut out = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        out["required"] = json!(required);
    }
    out
}

fn type_of(kind: &str, named: &mut Vec<&'static str>) -> Value {
    let inner = || &kind[1..kind.len() - 1];
    match kind.as_bytes().first() {
        Some(b'#') => json!({"type": "integer"}),
        Some(b'.') => json!({"type": "number"}),
        Some(b'!') => json!({"type": "boolean"}),
        Some(b'=') => json!({"const": &kind[1..]}),
        Some(b'[') => json!({"type": "array", "items": type_of(inner(), named)}),
        Some(b'{') => json!({"type": "object", "additionalProperties": type_of(inner(), named)}),
        Some(b'@') => {
            let name = DEFS.iter().find(|(known, _)| *known == &kind[1..]);
            named.push(name.map_or("value", |(name, _)| *name));
            json!({"$ref": format!("#/$defs/{}", &kind[1..])})
        }
        _ => json!({"type": "string"}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_a_schema_with_what_it_refers_to() {
        assert_eq!(
            schema(Shape::Results),
            json!({
                "type": "object",
                "properties": {"results": {"type": "array", "items": {"$ref": "#/$defs/result"}}},
                "required": ["results"],
                "$defs": {"result": {
                    "type": "object",
                    "properties": {"id": {"type": "string"}, "title": {"type": "string"}, "url": {"type": "string"}},
                    "required": ["id", "title", "url"],
                }},
            })
        );
        let count = schema(Shape::Count);
        assert_eq!(count["properties"]["kind"], json!({"const": "count"}));
        assert_eq!(count["properties"]["total"], json!({"type": "integer"}));
        assert_eq!(
            count["properties"]["labels"],
            json!({"type": "object", "additionalProperties": {"type": "string"}})
        );
        assert_eq!(count["required"], json!(["kind", "of", "total"]));
        let defs = &count["$defs"];
        assert_eq!(defs.as_object().map(Map::len), Some(1), "{defs}");
    }

    #[test]
    fn every_shape_that_is_named_is_there() {
        let shapes = DEFS.iter().map(|(_, members)| *members);
        let all = [COMMON, VALUE].into_iter().chain(shapes);
        let kinds = [
            Shape::Record,
            Shape::List,
            Shape::Conversation,
            Shape::Count,
            Shape::Statistics,
            Shape::Transcript,
            Shape::Sections,
            Shape::Threads,
            Shape::Results,
            Shape::Document,
        ];
        for members in all.chain(kinds.map(Shape::members)) {
            for name in members.split('@').skip(1) {
                let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let name = &name[..end.unwrap_or(name.len())];
                assert!(
                    name == "value" || DEFS.iter().any(|(known, _)| *known == name),
                    "{name}"
                );
            }
        }
    }
}
