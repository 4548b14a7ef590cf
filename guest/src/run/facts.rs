//! Facts of records: Daktela's JSON → typed values, as the entity declares them.

use serde_json::Value;

use crate::{
    daktela::query,
    model::{
        custom_field::{self, ContactPoint, CustomField, CustomFieldSchema, EMAIL, PHONE},
        entity::{CustomFields, Entity, LongText, TEXT, TICKET_PAGE, TextKind, page_field},
        field::{Detail, FieldSpec, Format},
        output::{Body, Fact, FactValue, Key, Provenance, Record, Reference, Related, Text, number_of, snake_case},
    },
    render::{html, mail, markdown},
    settings::Settings,
    text, value,
};

/// One value in a list stays readable; a detail shows what there is.
const VALUE_CHARS_SUMMARY: usize = 300;
const VALUE_CHARS_FULL: usize = 10_000;
/// How long the label of a custom field may be.
const LABEL_CHARS: usize = 100;

/// What reading facts needs beside the record.
pub(crate) struct Reader<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) schema: &'a CustomFieldSchema,
    pub(crate) detail: Detail,
    /// Keep quoted mail and signatures.
    pub(crate) full_mail: bool,
    /// Only these facts, by their keys; all that the detail shows where it is empty.
    pub(crate) only: Vec<&'a str>,
}

impl Reader<'_> {
    fn shows(&self, label: &str) -> bool {
        self.only.is_empty() || self.only.contains(&snake_case(label).as_str())
    }

    /// A record of an entity, with what belongs to it beside its fields.
    pub(crate) fn record(&self, entity: &Entity, record: &Value, related: Related) -> Record {
        let id = value::text_at(record, entity.key);
        let mut out = Record {
            singular: entity.singular,
            url: page_url(self.settings, entity.page, |field| value::text_at(record, field)),
            id,
            title: value::text_at(record, entity.title),
            facts: Vec::new(),
            remarks: related.remarks,
            texts: Vec::new(),
        };
        if self.shows(TEXT) {
            out.texts = entity.texts.iter().filter_map(|text| self.text(text, record)).collect();
        }
        if entity.custom_fields == CustomFields::ContactPoints {
            let points = self.contact_points(record).into_iter();
            out.facts.extend(points.filter(|fact| self.shows(&fact.label)));
        }
        let detail = if self.only.is_empty() {
            self.detail
        } else {
            Detail::Full
        };
        for spec in entity.fields_at(detail).filter(|spec| self.shows(spec.label)) {
            if let Some(value) = read(spec, record, self.settings) {
                out.facts.push(self.fact(spec.label, value));
            }
        }
        if entity.custom_fields != CustomFields::No {
            for mut fact in self.custom_fields(record, entity.custom_fields) {
                let is_named = matches!(&fact.key, Key::CustomField(key) if self.only.contains(&key.as_str()));
                if !is_named && !self.shows(&fact.label) {
                    continue;
                }
                if is_label_of_ours(entity, &fact.label) {
                    fact.label.to_mut().push_str(" (custom field)");
                }
                out.facts.push(fact);
            }
        }
        for fact in related.facts {
            add_related(&mut out, fact);
        }
        out.texts.extend(related.text);
        size_pictures(&mut out);
        out
    }

    fn fact(&self, label: &'static str, value: FactValue) -> Fact {
        Fact {
            key: Key::Label,
            label: label.into(),
            provenance: value.provenance(),
            value,
            max_chars: self.max_chars(),
        }
    }

    fn max_chars(&self) -> usize {
        match self.detail {
            Detail::Summary => VALUE_CHARS_SUMMARY,
            Detail::Full => VALUE_CHARS_FULL,
        }
    }

    /// Phone numbers and e-mail addresses.
    fn contact_points(&self, record: &Value) -> Vec<Fact> {
        let read = |point: &ContactPoint| {
            let values = custom_field::fields_of(record)
                .filter(|(key, _)| point.is(key, self.schema))
                .flat_map(|(key, _)| value::all(&record["customFields"], key))
                .filter_map(value::text)
                .map(FactValue::Text);
            FactValue::from_values(values).map(|value| self.fact(point.label, value))
        };
        [PHONE, EMAIL].iter().filter_map(read).collect()
    }

    fn custom_fields(&self, record: &Value, kind: CustomFields) -> Vec<Fact> {
        custom_field::fields_of(record)
            .filter(|(key, _)| {
                kind != CustomFields::ContactPoints || ![PHONE, EMAIL].iter().any(|point| point.is(key, self.schema))
            })
            .filter_map(|(key, values)| {
                let field = self.schema.get(key).filter(|field| field.hidden == Some(false))?;
                let values = match values {
                    Value::Array(values) => values.iter().collect(),
                    value => vec![value],
                };
                let values = values.into_iter().filter_map(|value| custom_value(field, value));
                let label = [field.title.clone(), label_of(key)]
                    .into_iter()
                    .map(|title| markdown::label(&title, LABEL_CHARS))
                    .find(|label| !label.is_empty());
                Some(Fact {
                    key: Key::CustomField(key.clone()),
                    label: label.unwrap_or_else(|| "Custom field".to_owned()).into(),
                    value: FactValue::from_values(values)?,
                    provenance: Provenance::People,
                    max_chars: self.max_chars(),
                })
            })
            .collect()
    }

    fn text(&self, long: &LongText, record: &Value) -> Option<Text> {
        let source = value::text_at(record, long.path)?;
        let (body, note) = match long.kind {
            TextKind::Mail if !self.full_mail => mail_body(&source, value::text_at(record, "title").as_deref()),
            TextKind::Mail | TextKind::Html => (html::to_text(&source, html::Hidden::Marked), None),
        };
        (!body.is_empty()).then_some(Text {
            label: long.label,
            body: Body::Plain(body),
            chars: long.chars,
            note,
        })
    }
}

/// Says how large the pictures are that stand within texts: their marks name the file, the attachments know its size.
fn size_pictures(record: &mut Record) {
    const MARK: &str = "[picture: ";
    let sizes: Vec<(&str, &str)> = record
        .facts
        .iter()
        .flat_map(|fact| match &fact.value {
            FactValue::List(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        })
        .filter_map(|value| match value {
            FactValue::File {
                title: Some(title),
                bytes: Some(bytes),
                ..
            } => Some((title.as_str(), bytes.as_str())),
            _ => None,
        })
        .collect();
    let size_of = |inner: &str| {
        let file = inner.rsplit_once(", ").map_or(inner, |(_, file)| file);
        // Content ids often leave the ending out.
        let is_named = |title: &str| {
            title == file || title == inner || title.rsplit_once('.').is_some_and(|(stem, _)| stem == file)
        };
        sizes.iter().find(|(title, _)| is_named(title)).map(|(_, bytes)| *bytes)
    };
    for text in &mut record.texts {
        let Body::Plain(body) = &mut text.body else { continue };
        if sizes.is_empty() || !body.contains(MARK) {
            continue;
        }
        let mut out = String::with_capacity(body.len() + 64);
        let mut rest = body.as_str();
        while let Some(at) = rest.find(MARK) {
            let (before, mark) = rest.split_at(at + MARK.len());
            out.push_str(before);
            let end = mark.find([']', '\n']).unwrap_or(mark.len());
            out.push_str(&mark[..end]);
            if let Some(bytes) = size_of(&mark[..end]).filter(|_| mark[end..].starts_with(']')) {
                out.push_str(&format!(", {bytes} bytes"));
            }
            rest = &mark[end..];
        }
        out.push_str(rest);
        *body = out;
    }
}

/// Labels of lines around records.
const FRAME_LABELS: &[&str] = &["note", "times"];

/// Whether a custom field bears the label of a declared field, or of a line of ours, for which its value could pass.
fn is_label_of_ours(entity: &Entity, label: &str) -> bool {
    let label = text::fold(label);
    FRAME_LABELS.contains(&label.as_str())
        || entity
            .fields_at(Detail::Full)
            .map(|spec| spec.label)
            .chain(entity.texts.iter().map(|text| text.label))
            .chain([PHONE.label, EMAIL.label])
            .any(|ours| text::fold(ours) == label)
}

/// A channel's record repeats what its activity says; where it differs, it says whose word this is.
fn add_related(record: &mut Record, mut fact: Fact) {
    let value = markdown::fact_value(&fact);
    let known = record.facts.iter().find(|known| known.label == fact.label);
    let is_known = known.is_some_and(|known| markdown::fact_value(known) == value);
    if is_known || record.id.as_ref() == Some(&value) {
        return;
    }
    if known.is_some() {
        fact.label.to_mut().push_str(" in the channel");
    }
    record.facts.push(fact);
}

/// The value of a declared field. Nothing for an empty one.
fn read(spec: &FieldSpec, record: &Value, settings: &Settings) -> Option<FactValue> {
    let values = || value::all(record, spec.path).into_iter();
    match spec.format {
        Format::Text => FactValue::from_values(values().filter_map(value::text).map(FactValue::Text)),
        Format::Word => FactValue::from_values(values().filter_map(value::text).map(FactValue::Word)),
        Format::DateTime => FactValue::from_values(values().filter_map(value::text).map(FactValue::DateTime)),
        Format::Number => FactValue::from_values(values().filter_map(number_of)),
        Format::Seconds => FactValue::from_values(values().filter_map(value::number).map(FactValue::Seconds)),
        Format::YesNo => FactValue::from_values(values().filter_map(value::yes_no).map(FactValue::YesNo)),
        Format::OnlyYes => value::only_yes(record, spec.path).then_some(FactValue::YesNo(true)),
        Format::Coded(codes) => FactValue::from_values(values().filter_map(value::text).map(|code| {
            let known = codes.iter().find(|(known, _)| *known == code);
            FactValue::Code {
                meaning: known.map_or_else(|| code.clone().into(), |(_, meaning)| (*meaning).into()),
                code,
            }
        })),
        Format::Titled => FactValue::from_values(values().filter_map(titled).map(FactValue::Reference)),
        Format::Related => FactValue::from_values(values().filter_map(related).map(FactValue::Reference)),
        Format::Ticket => FactValue::from_values(values().filter_map(|ticket| {
            let id = value::name_of(ticket)?;
            Some(FactValue::Reference(Reference {
                url: page_url(settings, TICKET_PAGE, |_| Some(id.clone())),
                id: Some(id),
                title: value::text_at(ticket, "title"),
            }))
        })),
        Format::Computed(_, compute) => compute(record),
    }
}

fn titled(related: &Value) -> Option<Reference> {
    let title = value::text_at(related, "title");
    let id = if title.is_none() { value::name_of(related) } else { None };
    (title.is_some() || id.is_some()).then_some(Reference { id, title, url: None })
}

fn related(related: &Value) -> Option<Reference> {
    let (title, id) = (value::text_at(related, "title"), value::name_of(related));
    (title.is_some() || id.is_some()).then_some(Reference { id, title, url: None })
}

/// A value of a custom field as people see it.
fn custom_value(field: &CustomField, value: &Value) -> Option<FactValue> {
    let Some(stored) = value::text(value) else {
        return related(value)
            .map(FactValue::Reference)
            .or_else(|| parts(value).map(FactValue::Text));
    };
    if let Some(shown) = field.items.get(&stored) {
        return Some(FactValue::Code {
            meaning: shown.clone().into(),
            code: stored,
        });
    }
    Some(match (field.kind.as_str(), stored.as_str(), value) {
        ("HTML" | "TEXTAREA", ..) => FactValue::Text(html::to_text(&stored, html::Hidden::Marked)),
        (_, _, Value::Bool(yes)) => FactValue::YesNo(*yes),
        ("CHECKBOX", "1", _) => FactValue::YesNo(true),
        ("CHECKBOX", "0", _) => FactValue::YesNo(false),
        _ => FactValue::Text(stored),
    })
}

/// A value of several parts, such as a postal address.
fn parts(value: &Value) -> Option<String> {
    let shown: Vec<String> = value.as_object()?.values().filter_map(value::text).collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// The readable text of a mail by its subject, and what was folded away.
fn mail_body(source: &str, subject: Option<&str>) -> (String, Option<String>) {
    let folded = mail::body(source, subject);
    let note = folded
        .note()
        .map(|what| format!("[folded: {what}; full=true shows all]"));
    (folded.text, note)
}

/// The page of a record in Daktela's user interface; none where a part of its path is not known. Browsers need no encoded
/// dots, people like them less.
fn page_url(settings: &Settings, page: &str, field: impl Fn(&str) -> Option<String>) -> Option<String> {
    if page.is_empty() {
        return None;
    }
    let mut url = settings.origin.clone();
    for part in page.split('/') {
        url = match page_field(part) {
            Some(name) => url + query::path("", &[&field(name)?])?.replace("%2E", ".").as_str(),
            None => url + "/" + part,
        };
    }
    Some(url)
}

/// A custom field's key as words, for want of a label: `leadType` → `Lead type`.
fn label_of(key: &str) -> String {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_reads_as_words() {
        for (key, words) in [
            ("lead_type", "Lead type"),
            ("leadType", "Lead type"),
            ("SLAName", "SLAName"),
            ("", ""),
        ] {
            assert_eq!(label_of(key), words);
        }
    }

    #[test]
    fn custom_fields_show_in_every_shape() {
        let defined = CustomField {
            hidden: Some(false),
            ..CustomField::default()
        };
        let schema: CustomFieldSchema = ["address", "vip", "none"]
            .map(|key| (key.to_owned(), defined.clone()))
            .into();
        let reader = Reader {
            settings: &Settings::default(),
            schema: &schema,
            detail: Detail::Summary,
            full_mail: false,
            only: Vec::new(),
        };
        let shown = |fields| -> Vec<String> {
            reader
                .custom_fields(&json!({"customFields": fields}), CustomFields::Fields)
                .iter()
                .map(|fact| format!("{}: {}", fact.label, markdown::fact_value(fact)))
                .collect()
        };
        assert_eq!(
            shown(
                json!({"address": [{"street": "Dlouhá 1", "city": "Brno", "zip": null}], "vip": true, "none": [null]})
            ),
            ["Address: Dlouhá 1, Brno", "Vip: yes"]
        );
        assert_eq!(shown(json!([])), [""; 0]);
        // What has no definition may be hidden from people, too.
        assert_eq!(shown(json!({"salary": [1]})), [""; 0]);
    }

    #[test]
    fn pictures_within_a_text_say_how_large_they_are() {
        let file = |title: &str, bytes: &str| FactValue::File {
            title: Some(title.to_owned()),
            media_type: None,
            bytes: Some(bytes.to_owned()),
            is_inline: true,
        };
        let mut record = Record {
            singular: "e-mail",
            id: None,
            title: None,
            url: None,
            facts: vec![Fact {
                key: Key::Label,
                label: "Attachments".into(),
                value: FactValue::List(vec![file("image001.png", "345678"), file("b, c.jpg", "5")]),
                provenance: Provenance::People,
                max_chars: 100,
            }],
            remarks: Vec::new(),
            texts: vec![Text {
                label: "",
                body: Body::Plain(
                    "Viz [picture: image001.png] a [picture: Logo, image001] a [picture: b, c.jpg] a [picture: x.png] [picture: \nimage001.png]"
                        .to_owned(),
                ),
                chars: 100,
                note: None,
            }],
        };
        size_pictures(&mut record);
        let Body::Plain(body) = &record.texts[0].body else {
            panic!("plain")
        };
        assert_eq!(
            body,
            "Viz [picture: image001.png, 345678 bytes] a [picture: Logo, image001, 345678 bytes] a [picture: b, c.jpg, 5 bytes] a \
             [picture: x.png] [picture: \nimage001.png]"
        );
    }

    #[test]
    fn a_custom_field_cannot_pass_for_a_field_of_ours() {
        const FIELDS: &[FieldSpec] = &[crate::model::field::word("Stage", "stage")];
        let entity = Entity {
            custom_fields: CustomFields::Fields,
            fields: FIELDS,
            ..crate::model::entity::ENTITY
        };
        let reader = Reader {
            settings: &Settings::default(),
            schema: &[("note", "Note"), ("s", "STAGE"), ("h", "# Ticket: 1"), ("b", "Barva")]
                .map(|(key, title)| {
                    let field = CustomField {
                        title: title.to_owned(),
                        hidden: Some(false),
                        ..CustomField::default()
                    };
                    (key.to_owned(), field)
                })
                .into(),
            detail: Detail::Full,
            full_mail: false,
            only: Vec::new(),
        };
        let record =
            json!({"name": "1", "stage": "OPEN", "customFields": {"note": "a", "s": "CLOSE", "h": "b", "b": "c"}});
        let shown = reader.record(&entity, &record, Related::default());
        let labels: Vec<&str> = shown.facts.iter().map(|fact| &*fact.label).collect();
        assert_eq!(
            labels,
            [
                "Stage",
                "Note (custom field)",
                "STAGE (custom field)",
                "Ticket 1",
                "Barva"
            ]
        );
    }

    #[test]
    fn what_is_stored_of_a_choice_stays_beside_what_people_see() {
        let field = CustomField {
            items: [("g".to_owned(), "Gold".to_owned())].into(),
            ..CustomField::default()
        };
        assert_eq!(
            custom_value(&field, &json!("g")),
            Some(FactValue::Code {
                code: "g".to_owned(),
                meaning: "Gold".into()
            })
        );
    }
}
