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
    /// Whether people do not see it in Daktela either; `None` where the definition does not say.
    pub hidden: Option<bool>,
    /// TEXT, PHONE, EMAIL, SELECTBOX …; empty where unknown.
    pub kind: String,
    /// Of fields with a choice: what is stored → what people see.
    pub items: BTreeMap<String, String>,
    /// The same in the order of the form, each choice once.
    pub choices: Vec<(String, String)>,
    /// It takes several values.
    pub multiple: bool,
}

/// The scheme that a record carries, if it does: a map by key, or a list of definitions that name theirs.
pub fn schema_of(record: &Value) -> CustomFieldSchema {
    let named = |field: &Value| {
        let key = ["name", "key"].iter().find_map(|key| value::text_at(field, key))?;
        Some((key, definition(field)))
    };
    match record.get("_sys").and_then(|sys| sys.get("cfScheme")) {
        Some(Value::Object(fields)) => {
            let fields = fields.iter().filter(|(_, field)| field.is_object());
            fields.map(|(key, field)| (key.clone(), definition(field))).collect()
        }
        // Some clients expect a list of fields that name themselves.
        Some(Value::Array(fields)) => fields.iter().filter_map(named).collect(),
        _ => CustomFieldSchema::new(),
    }
}

fn definition(field: &Value) -> CustomField {
    let choices = choices(field);
    let stored = |(stored, shown): &(Vec<String>, String)| -> Vec<(String, String)> {
        stored.iter().map(|stored| (stored.clone(), shown.clone())).collect()
    };
    CustomField {
        title: ["title", "label"]
            .iter()
            .find_map(|key| value::text_at(field, key))
            .map(|title| text::line(&title))
            .unwrap_or_default(),
        hidden: field.get("hidden").and_then(value::yes_no),
        kind: value::text_at(field, "type").unwrap_or_default(),
        items: choices.iter().flat_map(stored).collect(),
        choices: choices
            .iter()
            .filter_map(|(stored, shown)| Some((stored.last()?.clone(), shown.clone())))
            .collect(),
        multiple: value::only_yes(field, "multiple"),
    }
}

/// The choices of a field: by what each may be stored, and what people see. A list of objects, or a map of the one to the other.
fn choices(field: &Value) -> Vec<(Vec<String>, String)> {
    let items = ["items", "options", "choices"].iter().filter_map(|key| field.get(key));
    let shown = |item: &Value| {
        ["title", "label", "value"]
            .iter()
            .find_map(|key| value::text_at(item, key))
    };
    let stored = |item: &Value| {
        ["name", "value"]
            .iter()
            .filter_map(|key| value::text_at(item, key))
            .collect()
    };
    let listed = |item: &Value| Some((stored(item), shown(item)?));
    let mapped = |(key, item): (&String, &Value)| {
        let shown = value::text(item).or_else(|| shown(item))?;
        Some((vec![key.clone()], shown))
    };
    items
        .flat_map(|items| match items {
            Value::Array(items) => items.iter().filter_map(listed).collect(),
            Value::Object(items) => items.iter().filter_map(mapped).collect(),
            _ => Vec::new(),
        })
        .collect()
}

/// How to reach a contact: by custom fields of a kind, whatever their key; without their definition, by the keys that are
/// known to be in use.
pub struct ContactPoint {
    pub label: &'static str,
    kind: &'static str,
    /// Daktela's default first.
    usual_keys: &'static [&'static str],
}

pub const PHONE: ContactPoint = ContactPoint {
    label: "Phone",
    kind: "PHONE",
    usual_keys: &["number", "phone", "telefon"],
};
pub const EMAIL: ContactPoint = ContactPoint {
    label: "E-mail",
    kind: "EMAIL",
    usual_keys: &["email"],
};

impl ContactPoint {
    pub fn is(&self, key: &str, scheme: &CustomFieldSchema) -> bool {
        scheme
            .get(key)
            .map_or(self.usual_keys.contains(&key), |field| field.kind == self.kind)
    }

    /// Keys that such fields have where nobody renamed them.
    pub fn usual_keys(&self) -> &'static [&'static str] {
        self.usual_keys
    }

    /// The keys of such fields by these definitions; without any, Daktela's default one.
    pub fn keys(&self, scheme: &CustomFieldSchema) -> Vec<String> {
        let keys: Vec<String> = scheme.keys().filter(|key| self.is(key, scheme)).cloned().collect();
        if keys.is_empty() {
            vec![self.usual_keys[0].to_owned()]
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn definitions_are_read_in_every_shape() {
        let choice = json!([{"name": "g", "title": "Gold"}]);
        for scheme in [
            json!({"level": {"title": "Level", "type": "SELECTBOX", "hidden": false, "items": choice}}),
            json!({"level": {"label": "Level", "type": "SELECTBOX", "hidden": 0, "options": {"g": "Gold"}}}),
            json!([{"name": "level", "title": "Level", "type": "SELECTBOX", "hidden": "0", "choices": {"g": {"title": "Gold"}}}]),
            json!([{"key": "level", "title": "Level", "type": "SELECTBOX", "hidden": false, "choices": [{"value": "g", "label": "Gold"}]}]),
        ] {
            let schema = schema_of(&json!({"_sys": {"cfScheme": scheme}}));
            let field = schema
                .get("level")
                .unwrap_or_else(|| panic!("no definition in {scheme}"));
            assert_eq!((field.title.as_str(), field.hidden), ("Level", Some(false)), "{scheme}");
            assert_eq!(field.items.get("g").map(String::as_str), Some("Gold"), "{scheme}");
        }
        let schema = schema_of(&json!({"_sys": {"cfScheme": {"level": {"title": "Level"}, "void": null}}}));
        assert_eq!(schema["level"].hidden, None);
        assert!(!schema.contains_key("void"));
    }
}
