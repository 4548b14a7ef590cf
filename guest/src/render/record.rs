//! Records → markdown. A record leads with its id, its page in Daktela and its title; then facts, then texts. What is
//! empty is left out.

use serde_json::Value;

use super::{html, mail};
use crate::{
    daktela::query,
    model::{
        custom_field::{self, ContactPoint, CustomField, CustomFieldSchema, EMAIL, PHONE},
        entity::{CustomFields, Entity, LongText, TextKind},
        field::{Detail, FieldSpec, Format},
        output::{Related, Text},
    },
    settings::Settings,
    text, value,
};

/// A record, ready to be printed at any length of its texts.
pub struct Record {
    heading: String,
    facts: Vec<(String, String)>,
    lines: Vec<String>,
    texts: Vec<Text>,
}

/// One value in a list stays readable; a detail shows what there is.
const VALUE_CHARS_LIST: usize = 300;
const VALUE_CHARS_DETAIL: usize = 10_000;

/// A stored value as people see it.
fn shown(field: &CustomField, value: String) -> String {
    if let Some(shown) = field.items.get(&value) {
        return shown.clone();
    }
    match field.kind.as_str() {
        "HTML" | "TEXTAREA" => html::to_text(&value),
        "CHECKBOX" => match value.as_str() {
            "1" => "yes".to_owned(),
            "0" => "no".to_owned(),
            _ => value,
        },
        _ => value,
    }
}

/// Everything that rendering needs to know beside the record.
pub struct View<'a> {
    pub settings: &'a Settings,
    pub scheme: &'a CustomFieldSchema,
    pub detail: Detail,
    /// Show quoted mail and signatures.
    pub full_mail: bool,
}

impl View<'_> {
    pub fn record(&self, entity: &Entity, record: &Value, part: Related) -> Record {
        let id = value::text_at(record, entity.key);
        let title = value::text_at(record, entity.title).map(|title| inline(&title, VALUE_CHARS_LIST));
        let heading = match (&id, &title) {
            (Some(id), title) => {
                let id = if entity.page {
                    link(self.settings, entity.endpoint, id)
                } else {
                    format!("**{}**", inline(id, VALUE_CHARS_LIST))
                };
                title.as_ref().map_or(id.clone(), |title| format!("{id} {title}"))
            }
            (None, Some(title)) => format!("**{title}**"),
            (None, None) => format!("**{} without an id**", entity.singular),
        };
        let mut facts = if entity.custom_fields == CustomFields::ContactPoints {
            self.reach(record)
        } else {
            Vec::new()
        };
        for row in entity.fields_at(self.detail) {
            if let Some(value) = self.fact(row, record) {
                facts.push((row.label.to_owned(), value));
            }
        }
        if entity.custom_fields != CustomFields::No {
            facts.extend(self.custom(record, entity.custom_fields));
        }
        for (label, value) in part.facts {
            // A channel's record repeats what its activity says; where it differs, it says whose word this is.
            let said = facts.iter().find(|(known, _)| *known == label).map(|(_, said)| said);
            if said == Some(&value) || id.as_ref() == Some(&value) {
                continue;
            }
            let label = if said.is_some() {
                format!("{label} in the channel")
            } else {
                label
            };
            facts.push((label, value));
        }
        let mut texts: Vec<Text> = entity.texts.iter().filter_map(|text| self.text(text, record)).collect();
        texts.extend(part.text);
        Record {
            heading,
            facts,
            lines: part.lines,
            texts,
        }
    }

    fn chars(&self) -> usize {
        if self.detail == Detail::Summary {
            VALUE_CHARS_LIST
        } else {
            VALUE_CHARS_DETAIL
        }
    }

    fn fact(&self, row: &FieldSpec, record: &Value) -> Option<String> {
        let values = || value::all(record, row.path).into_iter();
        let shown: Vec<String> = match row.format {
            Format::Plain => values().filter_map(value::text).collect(),
            Format::Seconds => values().filter_map(value::number).map(|n| format!("{n} s")).collect(),
            Format::YesNo => values()
                .filter_map(value::yes_no)
                .map(|yes| if yes { "yes" } else { "no" }.to_owned())
                .collect(),
            Format::Coded(codes) => values()
                .filter_map(value::text)
                .map(|code| {
                    codes
                        .iter()
                        .find(|(known, _)| *known == code)
                        .map_or(code, |(_, meaning)| (*meaning).to_owned())
                })
                .collect(),
            Format::Titled => values()
                .filter_map(|related| value::text_at(related, "title").or_else(|| value::name_of(related)))
                .collect(),
            Format::Related => values().filter_map(related).collect(),
            Format::Ticket => {
                let links: Vec<String> = values().filter_map(|ticket| self.ticket(ticket)).collect();
                return (!links.is_empty()).then(|| links.join(", "));
            }
            Format::Computed(_, show) => show(record).into_iter().collect(),
        };
        (!shown.is_empty()).then(|| inline(&shown.join(", "), self.chars()))
    }

    /// `[787979](https://…) Title`.
    fn ticket(&self, ticket: &Value) -> Option<String> {
        let link = link(self.settings, "tickets", &value::name_of(ticket)?);
        Some(match value::text_at(ticket, "title") {
            Some(title) => format!("{link} {}", inline(&title, 100)),
            None => link,
        })
    }

    /// Phone numbers and e-mail addresses.
    fn reach(&self, record: &Value) -> Vec<(String, String)> {
        let shown = |reach: &ContactPoint| {
            let values: Vec<String> = custom_field::fields_of(record)
                .filter(|(key, _)| reach.is(key, self.scheme))
                .flat_map(|(key, _)| value::all(&record["customFields"], key))
                .filter_map(value::text)
                .collect();
            (!values.is_empty()).then(|| (reach.label.to_owned(), inline(&values.join(", "), self.chars())))
        };
        [PHONE, EMAIL].iter().filter_map(shown).collect()
    }

    fn custom(&self, record: &Value, kind: CustomFields) -> Vec<(String, String)> {
        custom_field::fields_of(record)
            .filter(|(key, _)| {
                kind != CustomFields::ContactPoints || ![PHONE, EMAIL].iter().any(|reach| reach.is(key, self.scheme))
            })
            .filter(|(key, _)| !self.scheme.get(*key).is_some_and(|field| field.hidden))
            .filter_map(|(key, values)| {
                let unknown = CustomField::default();
                let field = self.scheme.get(key).unwrap_or(&unknown);
                let values = match values {
                    Value::Array(values) => values.iter().collect(),
                    value => vec![value],
                };
                let shown: Vec<String> = values
                    .into_iter()
                    .filter_map(|value| value::text(value).or_else(|| related(value)).or_else(|| parts(value)))
                    .map(|value| shown(field, value))
                    .collect();
                let label = if field.title.is_empty() {
                    label(key)
                } else {
                    field.title.clone()
                };
                (!shown.is_empty()).then(|| (inline(&label, 100), inline(&shown.join(", "), self.chars())))
            })
            .collect()
    }

    fn text(&self, long: &LongText, record: &Value) -> Option<Text> {
        let source = value::text_at(record, long.path)?;
        let (body, note) = match long.kind {
            TextKind::Mail if !self.full_mail => mail_body(&source, value::text_at(record, "title").as_deref()),
            TextKind::Mail | TextKind::Html => (text::clean(&html::to_text(&source)), None),
        };
        (!body.is_empty()).then(|| Text {
            label: long.label.to_owned(),
            body,
            chars: long.chars,
            note,
        })
    }
}

/// The readable text of a mail by its subject, and what was folded away.
fn mail_body(source: &str, subject: Option<&str>) -> (String, Option<String>) {
    let body = text::clean(&html::to_text(source));
    let folded = mail::fold(&body, subject.is_some_and(mail::is_forwarded));
    let note = folded
        .note()
        .map(|what| format!("[folded: {what}; full=true shows all]"));
    (folded.text, note)
}

/// A related record by title and id.
pub fn related(related: &Value) -> Option<String> {
    match (value::text_at(related, "title"), value::name_of(related)) {
        (Some(title), Some(name)) if title != name => Some(format!("{title} ({name})")),
        (title, name) => title.or(name),
    }
}

/// A value of several parts, such as a postal address.
fn parts(value: &Value) -> Option<String> {
    let shown: Vec<String> = value.as_object()?.values().filter_map(value::text).collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// A value on one line. It cannot look like a link or like the start of the next fact of ours.
pub fn inline(value: &str, chars: usize) -> String {
    text::cut(&text::line(value).replace('·', "•").replace("](", "] ("), chars)
}

/// A link to a record's page in Daktela's user interface. Browsers need no encoded dots, people like them less.
pub fn link(settings: &Settings, endpoint: &str, id: &str) -> String {
    let page = query::path(&format!("{endpoint}/update"), &[id]).replace("%2E", ".");
    format!("[{}]({}/{page})", inline(id, VALUE_CHARS_LIST), settings.origin)
}

/// A custom field's key as words, for want of a label: `leadType` → `Lead type`.
fn label(key: &str) -> String {
    let mut out = String::new();
    for c in key.chars() {
        let after_lower = out.chars().next_back().is_some_and(char::is_lowercase);
        match c {
            '_' | '-' => out.push(' '),
            c if c.is_uppercase() && after_lower => out.extend([' '].into_iter().chain(c.to_lowercase())),
            c if out.is_empty() => out.extend(c.to_uppercase()),
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

impl Record {
    /// As an item of a list; texts show at most `limit` characters, or their own measure.
    pub fn print_item(&self, limit: impl Fn(usize) -> usize) -> String {
        let mut out = format!("- {}", self.heading);
        let facts: Vec<String> = self
            .facts
            .iter()
            .map(|(label, value)| format!("{label}: {value}"))
            .collect();
        if !facts.is_empty() {
            out += &format!("\n  {}", facts.join(" · "));
        }
        self.print_rest(&mut out, "  ", limit);
        out
    }

    /// By itself; `one` is what it is called.
    pub fn print_detail(&self, singular: &str, limit: impl Fn(usize) -> usize) -> String {
        let mut out = format!("# {singular} {}", self.heading);
        for (label, value) in &self.facts {
            out += &format!("\n{label}: {value}");
        }
        self.print_rest(&mut out, "", limit);
        out
    }

    fn print_rest(&self, out: &mut String, indent: &str, limit: impl Fn(usize) -> usize) {
        for line in &self.lines {
            *out += &format!("\n{indent}{line}");
        }
        for text in &self.texts {
            if !text.label.is_empty() {
                *out += &format!("\n{indent}{}:", text.label);
            }
            *out += &format!("\n{}", text::quote(&text::cut(&text.body, limit(text.chars)), indent));
            if let Some(note) = &text.note {
                *out += &format!("\n{indent}{note}");
            }
        }
    }

    /// As a part of another record, e.g. an activity's channel record.
    pub fn into_part(self) -> Related {
        Related {
            facts: self.facts,
            lines: self.lines,
            text: self.texts.into_iter().next(),
        }
    }

    /// Without a fact that goes without saying where the record is shown.
    pub fn without(mut self, label: &str) -> Self {
        self.facts.retain(|(known, _)| known != label);
        self
    }

    /// Whether a text of it is longer than `limit` shows.
    pub fn is_cut(&self, limit: impl Fn(usize) -> usize) -> bool {
        self.texts
            .iter()
            .any(|text| text.body.chars().nth(limit(text.chars)).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_as_words() {
        for (key, words) in [
            ("lead_type", "Lead type"),
            ("leadType", "Lead type"),
            ("SLAName", "SLAName"),
            ("", ""),
        ] {
            assert_eq!(label(key), words);
        }
    }

    #[test]
    fn custom_fields_show_in_every_shape() {
        let view = View {
            settings: &Settings {
                origin: String::new(),
                max_answer_bytes: 10_000,
            },
            scheme: &CustomFieldSchema::new(),
            detail: Detail::Summary,
            full_mail: false,
        };
        let shown = |fields| view.custom(&serde_json::json!({"customFields": fields}), CustomFields::Fields);
        let fact = |label: &str, value: &str| (label.to_owned(), value.to_owned());
        assert_eq!(
            shown(
                serde_json::json!({"address": [{"street": "Dlouhá 1", "city": "Brno", "zip": null}], "vip": true, "none": [null]})
            ),
            [fact("Address", "Dlouhá 1, Brno"), fact("Vip", "yes")]
        );
        assert_eq!(shown(serde_json::json!([])), []);
    }

    #[test]
    fn a_value_cannot_pass_for_a_link_or_a_fact() {
        assert_eq!(
            inline("a\n· Stage: CLOSE [x](http://evil)", 100),
            "a • Stage: CLOSE [x] (http://evil)"
        );
    }
}
