//! Results of tools → JSON for programs, complete: no budget applies.
//!
//! The same facts as in the text, under stable keys. Each record names the keys whose values people wrote.

use serde_json::{Map, Value, json};

use crate::model::output::{
    Body, Content, Fact, FactValue, Figures, GroupOutput, Key, Leg, ListOutput, Moment, Output, Provenance, Record,
    RecordOutput, Reference, RestOutput, Speaker, StatisticsOutput, Summary, Text, Utterance, snake_case,
};

/// The JSON of an answer.
pub fn output(output: &Output) -> Value {
    match &output.content {
        Content::Record(one) => single(one),
        Content::List(page) => list(page),
        Content::Conversation(one, page) => {
            let mut out = single(one);
            out["conversation"] = list(page);
            out
        }
        Content::Count(found) => json!({
            "total": found.total,
            "applied_filters": found.applied_filters,
            "notes": found.notes,
        }),
        Content::Json(value) => value.clone(),
        Content::Sections(board) => json!({
            "heading": board.heading,
            "sections": board.sections.iter().map(|section| json!({
                "title": section.title,
                "summary": section.said,
                "records": section.records.iter().map(record).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "notes": board.notes,
            "time_zone": board.zone,
        }),
        Content::Threads(page) => json!({
            "threads": page.threads.iter().map(|thread| {
                let mut out = record(&thread.record);
                out["utterances"] = thread.said.iter().map(utterance).collect();
                out
            }).collect::<Vec<_>>(),
            "skip": page.from.thread,
            "rows": page.rows,
            "total": page.total,
            "applied_filters": page.applied_filters,
            "notes": page.notes,
            "time_zone": page.zone,
        }),
        Content::Statistics(of) => statistics(of),
        Content::Transcript(whole) => {
            let mut skip = usize::try_from(whole.skip).unwrap_or(usize::MAX);
            let legs = whole.legs.iter().map(|of| {
                let passed = skip.min(of.utterances.len());
                skip -= passed;
                leg(of, passed)
            });
            json!({
                "activity": whole.activity,
                "legs": legs.collect::<Vec<_>>(),
                "total": whole.legs.iter().map(|leg| leg.utterances.len()).sum::<usize>(),
                "skip": whole.skip,
                "is_partial": whole.legs.iter().any(|leg| leg.is_partial),
                "notes": whole.notes,
            })
        }
    }
}

fn single(one: &RecordOutput) -> Value {
    json!({"record": record(&one.record), "notes": one.notes, "time_zone": one.zone})
}

fn list(page: &ListOutput) -> Value {
    json!({
        "records": page.records.iter().map(record).collect::<Vec<_>>(),
        "skip": page.skip,
        "rows": page.rows,
        "left_out": page.left_out,
        "total": page.total,
        "applied_filters": page.applied_filters,
        "notes": page.notes,
        "time_zone": page.zone,
    })
}

fn statistics(of: &StatisticsOutput) -> Value {
    json!({
        "total": figures(&of.whole),
        "group_by": of.dimensions.iter().map(|by| json!({"name": by.name, "label": by.label})).collect::<Vec<_>>(),
        "measure": of.measure,
        "groups": of.groups.iter().map(group).collect::<Vec<_>>(),
        "others": of.rest.iter().map(rest).collect::<Vec<_>>(),
        "group_count": of.group_count,
        "counted_more_than_once": of.repeated,
        "compared_with": of.compared_with,
        "applied_filters": of.applied_filters,
        "basis": of.basis,
        "is_whole": of.is_whole,
        "notes": of.notes,
        "time_zone": of.zone,
    })
}

fn group(of: &GroupOutput) -> Value {
    let mut out = figures(&of.figures);
    out["group"] = of.value.as_ref().map_or(Value::Null, value);
    if !of.inner.is_empty() {
        out["groups"] = of.inner.iter().map(group).collect();
    }
    if !of.rest.is_empty() {
        out["others"] = of.rest.iter().map(rest).collect();
    }
    out
}

fn rest(of: &RestOutput) -> Value {
    let mut out = figures(&of.figures);
    out["groups"] = json!(of.groups);
    if let Some(least) = of.fewer_than {
        out["fewer_than"] = json!(least);
    }
    out
}

fn figures(of: &Figures) -> Value {
    let mut out = summary(&of.now);
    if let Some(before) = &of.before {
        out["before"] = summary(before);
    }
    out
}

fn summary(of: &Summary) -> Value {
    let mut out = json!({"count": of.count});
    if let Some(spread) = &of.spread {
        out["seconds"] = json!({
            "with_value": spread.with_value,
            "sum": spread.sum,
            "average": spread.average,
            "median": spread.median,
            "p90": spread.p90,
            "longest": spread.longest,
        });
    }
    out
}

fn record(record: &Record) -> Value {
    let mut facts = Map::new();
    let mut custom_fields = Map::new();
    let mut by_people = Vec::new();
    for fact in &record.facts {
        match &fact.key {
            Key::Label => {
                let key = snake_case(&fact.label);
                if fact.provenance == Provenance::People {
                    by_people.push(key.clone());
                }
                facts.insert(key, value(&fact.value));
            }
            Key::CustomField(key) => {
                custom_fields.insert(key.clone(), custom_field(fact));
            }
        }
    }
    let mut out = Map::new();
    let mut add = |key: &str, value: Value| {
        let is_empty = match &value {
            Value::Null => true,
            Value::Array(values) => values.is_empty(),
            Value::Object(values) => values.is_empty(),
            _ => false,
        };
        if !is_empty {
            out.insert(key.to_owned(), value);
        }
    };
    add("id", json!(record.id));
    add("title", json!(record.title));
    add("url", json!(record.url));
    add("facts", Value::Object(facts));
    add("written_by_people", json!(by_people));
    add("custom_fields", Value::Object(custom_fields));
    add("remarks", json!(record.remarks));
    add("texts", record.texts.iter().map(text).collect());
    Value::Object(out)
}

fn custom_field(fact: &Fact) -> Value {
    json!({"label": fact.label, "value": value(&fact.value)})
}

fn value(of: &FactValue) -> Value {
    match of {
        FactValue::Text(text) | FactValue::Word(text) | FactValue::DateTime(text) => json!(text),
        FactValue::Number(number) => Value::Number(number.clone()),
        FactValue::Seconds(seconds) | FactValue::Duration(seconds) => json!(seconds),
        FactValue::YesNo(yes) => json!(yes),
        FactValue::Code { code, meaning } => json!({"code": code, "meaning": meaning}),
        FactValue::Reference(Reference { id, title, url }) => {
            with_those_known(&[("id", id), ("title", title), ("url", url)])
        }
        FactValue::Deadline { at, overdue } => json!({"at": at, "overdue_seconds": overdue}),
        FactValue::Caller { name, number } => with_those_known(&[("name", name), ("number", number)]),
        FactValue::Mailbox { name, address } => with_those_known(&[("name", name), ("address", address)]),
        FactValue::File {
            title,
            media_type,
            bytes,
            is_inline,
        } => {
            let mut out = with_those_known(&[("title", title), ("media_type", media_type), ("bytes", bytes)]);
            if *is_inline {
                out["inline"] = json!(true);
            }
            out
        }
        FactValue::List(values) => values.iter().map(value).collect(),
    }
}

fn with_those_known(parts: &[(&str, &Option<String>)]) -> Value {
    let known = parts
        .iter()
        .filter_map(|(key, part)| Some(((*key).to_owned(), json!(part.as_ref()?))));
    Value::Object(known.collect())
}

fn text(text: &Text) -> Value {
    let mut out = match &text.body {
        Body::Plain(body) => json!({"text": body}),
        Body::Conversation(utterances) => json!({"utterances": utterances.iter().map(utterance).collect::<Vec<_>>()}),
        Body::Legs(legs) => json!({"legs": legs.iter().map(|of| leg(of, 0)).collect::<Vec<_>>()}),
    };
    if !text.label.is_empty() {
        out["label"] = json!(text.label);
    }
    if let Some(note) = &text.note {
        out["note"] = json!(note);
    }
    out
}

/// A leg of a call, without as many segments as were passed over.
fn leg(leg: &Leg, passed: usize) -> Value {
    let mut out = json!({
        "activity": leg.activity,
        "segments": leg.utterances.iter().skip(passed).map(utterance).collect::<Vec<_>>(),
    });
    if let Some(agent) = &leg.agent {
        out["agent"] = json!(agent);
    }
    if !leg.remarks.is_empty() {
        out["remarks"] = json!(leg.remarks);
    }
    out
}

fn utterance(utterance: &Utterance) -> Value {
    let Utterance {
        at,
        speaker,
        text,
        files,
    } = utterance;
    let Speaker { role, name, note } = speaker;
    let mut out = match at {
        Moment::Offset(seconds) => json!({"at_seconds": seconds}),
        Moment::Time(time) => json!({"at": time}),
    };
    out["speaker"] = json!(role.label());
    if let Some(name) = name {
        out["name"] = json!(name);
    }
    if let Some(note) = note {
        out["kind"] = json!(note);
    }
    out["text"] = json!(text);
    if !files.is_empty() {
        out["files"] = files.iter().map(value).collect();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        args::Budget,
        output::{CountOutput, Role, TranscriptOutput},
    };

    const BUDGET: Budget = Budget {
        bytes: 2_000,
        is_server_limit: false,
    };

    fn fact(key: Key, label: &'static str, value: FactValue) -> Fact {
        Fact {
            key,
            label: label.into(),
            provenance: value.provenance(),
            value,
            max_chars: 3,
        }
    }

    #[test]
    fn a_record_keeps_its_types_and_says_what_people_wrote() {
        let reference = |title: &str| {
            FactValue::Reference(Reference {
                id: Some("jan".to_owned()),
                title: Some(title.to_owned()),
                url: None,
            })
        };
        let one = Record {
            singular: "ticket",
            id: Some("1".to_owned()),
            title: Some("Help".to_owned()),
            url: None,
            facts: vec![
                fact(Key::Label, "Stage", FactValue::Word("OPEN".to_owned())),
                fact(Key::Label, "Assigned to", reference("Jan Novák")),
                fact(Key::Label, "First answer after", FactValue::Seconds(90.0)),
                fact(Key::Label, "Unread", FactValue::YesNo(true)),
                fact(Key::Label, "Reopens", FactValue::Number(2.into())),
                fact(
                    Key::Label,
                    "SLA deadline",
                    FactValue::Deadline {
                        at: Some("2026-11-20 10:00:00".to_owned()),
                        overdue: Some(60.0),
                    },
                ),
                fact(
                    Key::CustomField("tier".to_owned()),
                    "Tier",
                    FactValue::List(vec![FactValue::Text("gold".to_owned())]),
                ),
            ],
            remarks: Vec::new(),
            texts: vec![Text {
                label: "",
                body: Body::Plain("longer than any budget".to_owned()),
                chars: 1,
                note: None,
            }],
        };
        let content = Content::Record(RecordOutput {
            singular: "ticket",
            record: one,
            notes: Vec::new(),
            zone: Some("Europe/Prague".to_owned()),
            budget: BUDGET,
        });
        let out = output(&Output {
            content,
            first_record: None,
        });
        assert_eq!(
            out,
            json!({
                "record": {
                    "id": "1",
                    "title": "Help",
                    "facts": {
                        "stage": "OPEN",
                        "assigned_to": {"id": "jan", "title": "Jan Novák"},
                        "first_answer_after": 90.0,
                        "unread": true,
                        "reopens": 2,
                        "sla_deadline": {"at": "2026-11-20 10:00:00", "overdue_seconds": 60.0},
                    },
                    "written_by_people": ["assigned_to"],
                    "custom_fields": {"tier": {"label": "Tier", "value": ["gold"]}},
                    "texts": [{"text": "longer than any budget"}],
                },
                "notes": [],
                "time_zone": "Europe/Prague",
            })
        );
    }

    #[test]
    fn a_transcript_is_who_said_what_when() {
        let segment = |at: f64, text: &str| Utterance {
            at: Moment::Offset(at),
            speaker: Speaker {
                role: Role::Customer,
                name: None,
                note: None,
            },
            text: text.to_owned(),
            files: Vec::new(),
        };
        let leg = |activity: &str, utterances| Leg {
            activity: activity.to_owned(),
            agent: Some("Jan Novák".to_owned()),
            utterances,
            read: 3,
            is_partial: false,
            remarks: Vec::new(),
        };
        let out = output(&Output {
            content: Content::Transcript(TranscriptOutput {
                activity: "1.1".to_owned(),
                legs: vec![
                    leg("activities_a", vec![segment(0.0, "a"), segment(65.5, "b")]),
                    leg("activities_b", vec![segment(2.0, "c")]),
                ],
                notes: Vec::new(),
                skip: 1,
                budget: BUDGET,
            }),
            first_record: None,
        });
        assert_eq!(out["total"], 3);
        assert_eq!(
            out["legs"],
            json!([
                {
                    "activity": "activities_a",
                    "segments": [{"at_seconds": 65.5, "speaker": "Customer", "text": "b"}],
                    "agent": "Jan Novák",
                },
                {
                    "activity": "activities_b",
                    "segments": [{"at_seconds": 2.0, "speaker": "Customer", "text": "c"}],
                    "agent": "Jan Novák",
                },
            ])
        );
    }

    #[test]
    fn a_count_is_a_number() {
        let out = output(&Output {
            content: Content::Count(CountOutput {
                singular: "ticket",
                plural: "tickets",
                total: 1234,
                applied_filters: vec!["stage OPEN".to_owned()],
                notes: Vec::new(),
            }),
            first_record: None,
        });
        assert_eq!(out["total"], 1234);
        assert_eq!(out["applied_filters"], json!(["stage OPEN"]));
    }
}
