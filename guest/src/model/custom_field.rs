//! Custom-field schema: labels, types and choices of the fields that a customer's forms add.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{text, value};

/// The human side of custom fields: key → definition.
pub type CustomFieldSchema = BTreeMap<String, CustomField>;

/// A custom field's definition.
#[derive(Clone, Debug, Default)]
pub struct CustomField {
    pub title: String,
    /// People do not see it in Daktela either.
    pub hidden: bool,
    /// TEXT, PHONE, EMAIL, SELECTBOX …; empty where unknown.
    pub kind: String,
    /// Of fields with a choice: what is stored → what people see.
    pub items: BTreeMap<String, String>,
    /// The same in the order of the form, each choice once.
    pub choices: Vec<(String, String)>,
    /// It takes several values.
    pub multiple: bool,
}

/// The scheme that a record carries, if it does.
pub fn schema_of(record: &Value) -> CustomFieldSchema {
    let fields: Vec<(String, &Value)> = match record.get("_sys").and_then(|sys| sys.get("cfScheme")) {
        Some(Value::Object(fields)) => fields.iter().map(|(key, field)| (key.clone(), field)).collect(),
        // Some clients expect a list of fields that name themselves.
        Some(Value::Array(fields)) => fields
            .iter()
            .filter_map(|field| Some((value::text_at(field, "name")?, field)))
            .collect(),
        _ => Vec::new(),
    };
    fields
        .into_iter()
        .map(|(key, field)| {
            let choices = choices(field);
            let stored = |(stored, shown): &(Vec<String>, String)| -> Vec<(String, String)> {
                stored.iter().map(|stored| (stored.clone(), shown.clone())).collect()
            };
            let field = CustomField {
                title: value::text_at(field, "title")
                    .map(|title| text::line(&title))
                    .unwrap_or_default(),
                hidden: value::only_yes(field, "hidden"),
                kind: value::text_at(field, "type").unwrap_or_default(),
                items: choices.iter().flat_map(stored).collect(),
                choices: choices
                    .iter()
                    .filter_map(|(stored, shown)| Some((stored.last()?.clone(), shown.clone())))
                    .collect(),
                multiple: value::only_yes(field, "multiple"),
            };
            (key, field)
        })
        .collect()
}

/// The choices of a field: by what each may be stored, and what people see. A list of objects, or a map of the one to the other.
fn choices(field: &Value) -> Vec<(Vec<String>, String)> {
    let items = ["items", "options", "choices"].iter().filter_map(|key| field.get(key));
    let item = |item: &Value| {
        let shown = ["title", "label", "value"]
            .iter()
            .find_map(|key| value::text_at(item, key))?;
        let stored = ["name", "value"].iter().filter_map(|key| value::text_at(item, key));
        Some((stored.collect(), shown))
    };
    items
        .flat_map(|items| match items {
            Value::Array(items) => items.iter().filter_map(item).collect(),
            Value::Object(items) => items
                .iter()
                .filter_map(|(stored, shown)| Some((vec![stored.clone()], value::text(shown)?)))
                .collect(),
            _ => Vec::new(),
        })
        .collect()
}

/// How to reach a contact: by custom fields of a kind, whatever their key; without their definition, by Daktela's
/// default key.
pub struct ContactPoint {
    pub label: &'static str,
    kind: &'static str,
    default_key: &'static str,
}

pub const PHONE: ContactPoint = ContactPoint {
    label: "Phone",
    kind: "PHONE",
    default_key: "number",
};
pub const EMAIL: ContactPoint = ContactPoint {
    label: "E-mail",
    kind: "EMAIL",
    default_key: "email",
};

impl ContactPoint {
    pub fn is(&self, key: &str, scheme: &CustomFieldSchema) -> bool {
        scheme
            .get(key)
            .map_or(key == self.default_key, |field| field.kind == self.kind)
    }

    /// The keys of such fields by these definitions; without any, Daktela's default one.
    pub fn keys(&self, scheme: &CustomFieldSchema) -> Vec<String> {
        let keys: Vec<String> = scheme.keys().filter(|key| self.is(key, scheme)).cloned().collect();
        if keys.is_empty() {
            vec![self.default_key.to_owned()]
        } else {
            keys
        }
    }
}

/// The custom fields of a record. An empty map arrives as an empty list.
pub fn fields_of(record: &Value) -> impl Iterator<Item = (&String, &Value)> {
    record
        .get("customFields")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}
