//! Report of a call to the host, for its audit and its quotas: which records the answer holds, which kinds of personal data, and
//! the arguments as they may be written down. In the answer's `_meta`, from which the host takes it before a client sees it.

use serde_json::{Value, json};

use crate::{
    model::{
        output::{Body, Content, Fact, FactValue, Key, Output, Record},
        tool::Tool,
    },
    privacy::Shield,
};

/// Under this key of an answer's `_meta`.
pub(super) const KEY: &str = "daktela/report";

/// Ids of one kind that are named; beyond them the count says how many there are.
const IDS_MAX: usize = 1_000;

/// Longer arguments are told by their size. The longest that a tool needs, a list of a hundred ids, has a quarter of it.
const ARGUMENTS_BYTES_MAX: usize = 16 * 1024;

/// Whether the host asks for a report.
pub(super) fn is_wanted(context: &Value) -> bool {
    context["report"] == true
}

/// The report of a call that came to `output`, absent where it failed.
///
/// `{"tool": "list_calls", "records": [{"kind": "call", "ids": ["…"], "count": 1}], "personal": [{"kind": "phone", "treatment":
/// "shown"}], "arguments": {…}}`
pub(super) fn report(tool: &Tool, arguments: &str, output: Option<&Output>, shield: Option<&Shield>) -> Value {
    let mut records = Records::default();
    if let Some(output) = output {
        records.add_content(&output.content);
    }
    let kinds = records
        .personal
        .iter()
        .map(|kind| json!({"kind": kind, "treatment": shield.map_or(SHOWN, Shield::treatment)}));
    json!({
        "tool": tool.name,
        "records": records.kinds.iter().map(Kind::to_json).collect::<Vec<_>>(),
        "personal": kinds.collect::<Vec<_>>(),
        "arguments": written_arguments(arguments, shield),
    })
}

/// What happens to personal data without a privacy level.
const SHOWN: &str = "shown";

/// The arguments as the audit may hold them. The one place where arguments go to it.
fn written_arguments(arguments: &str, shield: Option<&Shield>) -> Value {
    if arguments.len() > ARGUMENTS_BYTES_MAX {
        return json!({"left_out_bytes": arguments.len()});
    }
    let hidden = shield.map(|shield| shield.json(arguments));
    serde_json::from_str(hidden.as_deref().unwrap_or(arguments))
        .unwrap_or_else(|_| json!({"unreadable_bytes": arguments.len()}))
}

/// The records of one kind.
struct Kind {
    kind: &'static str,
    ids: Vec<String>,
    count: u64,
}

impl Kind {
    fn to_json(&self) -> Value {
        json!({"kind": self.kind, "ids": self.ids, "count": self.count})
    }
}

#[derive(Default)]
struct Records {
    kinds: Vec<Kind>,
    personal: Vec<&'static str>,
}

impl Records {
    fn add_content(&mut self, content: &Content) {
        match content {
            Content::Record(one) => self.add_record(&one.record),
            Content::List(page) => page.records.iter().for_each(|record| self.add_record(record)),
            Content::Conversation(one, page) => {
                self.add_record(&one.record);
                page.records.iter().for_each(|record| self.add_record(record));
            }
            // A number tells of no single record.
            Content::Count(_) => {}
            Content::Statistics(of) => self.add(of.singular, None, of.whole.now.count),
            Content::Transcript(whole) => {
                for leg in &whole.legs {
                    self.add("transcript", Some(&leg.activity), 1);
                    self.add_personal("free_text");
                }
            }
            Content::Sections(board) => {
                let records = board.sections.iter().flat_map(|section| &section.records);
                records.for_each(|record| self.add_record(record));
            }
            Content::Threads(page) => {
                for thread in &page.threads {
                    self.add_record(&thread.record);
                    self.add_personal("free_text");
                }
            }
            Content::Json(found) => self.add_found(found),
        }
    }

    /// What a client reads as JSON: one document, or a list of them.
    fn add_found(&mut self, found: &Value) {
        let many = found["results"].as_array().into_iter().flatten();
        let one = Some(found).filter(|found| found.get("id").is_some());
        for document in many.chain(one) {
            self.add("document", document["id"].as_str(), 1);
            self.add_personal("free_text");
        }
    }

    fn add_record(&mut self, record: &Record) {
        self.add(record.singular, record.id.as_deref(), 1);
        if record.title.is_some() && PEOPLE.contains(&record.singular) {
            self.add_personal("name");
        }
        record.facts.iter().for_each(|fact| self.add_fact(fact));
        for text in &record.texts {
            match &text.body {
                Body::Plain(_) | Body::Conversation(_) => self.add_personal("free_text"),
                Body::Legs(legs) => {
                    for leg in legs {
                        self.add("transcript", Some(&leg.activity), 1);
                    }
                    self.add_personal("free_text");
                }
            }
        }
    }

    fn add_fact(&mut self, fact: &Fact) {
        if matches!(fact.key, Key::CustomField(_)) {
            self.add_personal("custom_field");
            return;
        }
        let label = fact.label.to_lowercase();
        if let Some((_, kind)) = LABELS.iter().find(|(part, _)| label.contains(part)) {
            self.add_personal(kind);
        }
        self.add_value(&fact.value);
    }

    fn add_value(&mut self, value: &FactValue) {
        match value {
            FactValue::Caller { .. } => {
                self.add_personal("name");
                self.add_personal("phone");
            }
            FactValue::Mailbox { .. } => {
                self.add_personal("name");
                self.add_personal("email");
            }
            FactValue::List(values) => values.iter().for_each(|value| self.add_value(value)),
            _ => {}
        }
    }

    fn add(&mut self, kind: &'static str, id: Option<&str>, count: u64) {
        let at = self
            .kinds
            .iter()
            .position(|known| known.kind == kind)
            .unwrap_or_else(|| {
                self.kinds.push(Kind {
                    kind,
                    ids: Vec::new(),
                    count: 0,
                });
                self.kinds.len() - 1
            });
        let of = &mut self.kinds[at];
        of.count += count;
        if let Some(id) = id.filter(|_| of.ids.len() < IDS_MAX) {
            of.ids.push(id.to_owned());
        }
    }

    fn add_personal(&mut self, kind: &'static str) {
        if !self.personal.contains(&kind) {
            self.personal.push(kind);
        }
    }
}

/// Records whose title is a person's or a company's name.
const PEOPLE: &[&str] = &["contact", "account", "user"];

/// Parts of labels, in lower case, with the kind of personal data that such a fact holds.
const LABELS: &[(&str, &str)] = &[
    ("mail", "email"),
    ("phone", "phone"),
    ("number", "phone"),
    ("address", "address"),
    ("contact", "name"),
    ("agent", "name"),
    ("user", "name"),
    ("owner", "name"),
    ("account", "name"),
    ("name", "name"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_written_whole_or_told_by_their_size() {
        assert_eq!(written_arguments(r#"{"user": "jan"}"#, None), json!({"user": "jan"}));
        assert_eq!(written_arguments("{", None), json!({"unreadable_bytes": 1}));
        let long = format!(r#"{{"words": "{}"}}"#, "a".repeat(ARGUMENTS_BYTES_MAX));
        assert_eq!(written_arguments(&long, None), json!({"left_out_bytes": long.len()}));
    }

    #[test]
    fn records_are_named_up_to_a_number_and_counted_beyond() {
        let mut records = Records::default();
        for id in 0..IDS_MAX + 5 {
            records.add("call", Some(&id.to_string()), 1);
        }
        assert_eq!(
            (records.kinds[0].ids.len(), records.kinds[0].count),
            (IDS_MAX, IDS_MAX as u64 + 5)
        );
    }
}
