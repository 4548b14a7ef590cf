//! Normalization of records: one form, whatever build sent it.

use serde_json::{Map, Value};

use crate::value;

/// Fields that older builds call otherwise: model, name now, name before. Records are read with the names of now.
const RENAMED: &[(&str, &str, &str)] = &[
    ("activitiesEmail", "attachments", "files"),
    ("activitiesEmail", "state", "result"),
    ("activitiesSms", "sender", "clid"),
    ("users", "deactivated", "deleted"),
];

/// Models that older builds call otherwise: name now, name before.
const RENAMED_MODELS: &[(&str, &str)] = &[("activitiesWeb", "activitiesChat")];

/// An endpoint with the name that its model has in older builds: `activitiesChat/web_1/messages`.
pub(crate) fn former_model(endpoint: &str) -> Option<String> {
    RENAMED_MODELS.iter().find_map(|(now, before)| {
        let rest = endpoint.strip_prefix(now)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{before}{rest}"))
    })
}

pub fn former_name(endpoint: &str, field: &str) -> Option<&'static str> {
    RENAMED
        .iter()
        .find(|(model, now, _)| *model == endpoint && *now == field)
        .map(|(_, _, before)| *before)
}

/// Fields by their names of now, custom fields as a map, and picked fields of related records
/// within an object even where a build answers `{"user.title": …}`.
pub fn normalise(endpoint: &str, row: &mut Value) {
    let Some(row) = row.as_object_mut() else { return };
    for (_, now, before) in RENAMED.iter().filter(|(model, ..)| *model == endpoint) {
        if !row.contains_key(*now)
            && let Some(value) = row.shift_remove(*before)
        {
            row.insert((*now).to_owned(), value);
        }
    }
    if let Some(Value::Array(fields)) = row.get("customFields") {
        let named = |field: &Value| {
            let value = field.get("value").or_else(|| field.get("values"))?;
            Some((value::text_at(field, "name")?, value.clone()))
        };
        let fields = fields.iter().filter_map(named).collect();
        row.insert("customFields".to_owned(), Value::Object(fields));
    }
    let dotted: Vec<String> = row.keys().filter(|key| key.contains('.')).cloned().collect();
    for key in dotted {
        let value = row.shift_remove(&key).unwrap_or_default();
        let parts: Vec<&str> = key.split('.').collect();
        match value {
            // Of a list of related records.
            Value::Array(values) => {
                let related = row.entry(parts[0]).or_insert_with(|| Value::Array(Vec::new()));
                if !related.is_array() {
                    *related = Value::Array(Vec::new());
                }
                let related = related.as_array_mut().expect("made above");
                related.resize_with(related.len().max(values.len()), || Value::Object(Map::new()));
                for (one, value) in related.iter_mut().zip(values) {
                    if let Some(one) = one.as_object_mut() {
                        put(one, &parts[1..], value);
                    }
                }
            }
            value => put(row, &parts, value),
        }
    }
}

/// Sets what is at a path, through objects that are made where there are none.
fn put(mut at: &mut Map<String, Value>, path: &[&str], value: Value) {
    let Some((last, path)) = path.split_last() else { return };
    for part in path {
        let inner = at.entry(*part).or_insert_with(|| Value::Object(Map::new()));
        if !inner.is_object() {
            *inner = Value::Object(Map::new());
        }
        at = inner.as_object_mut().expect("made above");
    }
    at.insert((*last).to_owned(), value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_have_one_shape() {
        let mut row =
            json!({"user.name": "jan", "user.title": "Jan", "contact.account.title": "Acme", "files": [1], "name": 1});
        normalise("activitiesEmail", &mut row);
        assert_eq!(
            row,
            json!({"name": 1, "attachments": [1], "user": {"name": "jan", "title": "Jan"}, "contact": {"account": {"title": "Acme"}}})
        );
    }

    #[test]
    fn picks_of_a_list_of_related_records_stay_with_their_record() {
        let mut row = json!({"statuses.name": ["a", "b"], "statuses.title": ["A", "B"], "activities.ticket.name": [1]});
        normalise("tickets", &mut row);
        assert_eq!(
            row,
            json!({"statuses": [{"name": "a", "title": "A"}, {"name": "b", "title": "B"}], "activities": [{"ticket": {"name": 1}}]})
        );
    }

    #[test]
    fn custom_fields_are_a_map() {
        let mut row = json!({"customFields": [{"name": "number", "title": "Phone", "value": ["777"]}, {"name": "x"}]});
        normalise("contacts", &mut row);
        assert_eq!(row, json!({"customFields": {"number": ["777"]}}));
    }
}
