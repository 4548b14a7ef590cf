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
}

/// The scheme that a record carries, if it does.
pub fn schema_of(record: &Value) -> CustomFieldSchema {
    let Some(fields) = value::first(record, "_sys.cfScheme").and_then(Value::as_object) else {
        return CustomFieldSchema::new();
    };
    fields
        .iter()
        .map(|(key, field)| {
            let item = |item: &Value| {
                let shown = value::text_at(item, "title").or_else(|| value::text_at(item, "value"))?;
                Some(
                    ["name", "value"]
                        .iter()
                        .filter_map(|key| value::text_at(item, key))
                        .map(|stored| (stored, shown.clone()))
                        .collect::<Vec<_>>(),
                )
            };
            let field = CustomField {
                title: value::text_at(field, "title")
                    .map(|title| text::line(&title))
                    .unwrap_or_default(),
                hidden: value::only_yes(field, "hidden"),
                kind: value::text_at(field, "type").unwrap_or_default(),
                items: value::all(field, "items")
                    .into_iter()
                    .filter_map(item)
                    .flatten()
                    .collect(),
            };
            (key.clone(), field)
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
