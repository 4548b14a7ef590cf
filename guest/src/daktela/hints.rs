//! Hints: a capability cache of the instance's build, kept by the host between calls.
//!
//! Each call is a fresh component that keeps nothing, so a build that refuses a field would cost a request on every call.
//! What a call learns goes out with its answer and comes back with the next call of the same caller. A hint is one word of
//! this program's own names, `known_fields:users:deactivated`: the [`Mend`] that was needed, the model, and a field. It never
//! holds what an instance or a person wrote, and it may be out of date: where a way by hints fails, the usual way is tried.

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::{Value, json};

use super::{
    normalize::former_name,
    observations::{Mend, model, named, root},
    query::{Filter, Query},
};

/// Before a mend's name: it was tried, and the build refused it.
const USELESS: &str = "not_";

/// The hints of a call: those that the host kept, and those that the call adds or finds wrong.
#[derive(Debug, Default)]
pub struct Hints {
    given: BTreeSet<String>,
    known: RefCell<BTreeSet<String>>,
    is_kept: bool,
}

impl Hints {
    /// Those of a call's `context`, a JSON object. A host that keeps hints gives a list, be it empty: `{"hints": []}`.
    pub fn from_context(context: &str) -> Self {
        let context: Value = serde_json::from_str(context).unwrap_or_default();
        let list = context["hints"].as_array();
        let given: BTreeSet<String> = list
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        Hints {
            is_kept: list.is_some(),
            known: RefCell::new(given.clone()),
            given,
        }
    }

    /// What the host is to keep from now on, and what no longer: `{"learnt": […], "forgotten": […]}`. `None` where nothing
    /// changed, or nobody keeps it.
    pub fn changes(&self) -> Option<Value> {
        let known = self.known.borrow();
        let learnt: Vec<&String> = known.difference(&self.given).collect();
        let forgotten: Vec<&String> = self.given.difference(&known).collect();
        let is_changed = !learnt.is_empty() || !forgotten.is_empty();
        (self.is_kept && is_changed).then(|| json!({"learnt": learnt, "forgotten": forgotten}))
    }

    /// The fields of a model that are known to need a mend.
    pub(crate) fn fields(&self, mend: Mend, endpoint: &str) -> Vec<String> {
        let prefix = word(mend, endpoint, "");
        let known = self.known.borrow();
        let fields = known.iter().filter_map(|hint| hint.strip_prefix(&prefix));
        fields.filter(|field| !field.is_empty()).map(str::to_owned).collect()
    }

    /// Whether a mend is known to be needed for a model, of whatever field.
    pub(crate) fn has(&self, mend: Mend, endpoint: &str) -> bool {
        let prefix = word(mend, endpoint, "");
        self.known.borrow().iter().any(|hint| hint.starts_with(&prefix))
    }

    /// Remembers that a mend was needed: of these fields, or of none where it is of no field.
    pub(crate) fn learn<'a>(&self, mend: Mend, endpoint: &str, fields: impl IntoIterator<Item = &'a str>) {
        let mut known = self.known.borrow_mut();
        let mut fields = fields.into_iter().peekable();
        if fields.peek().is_none() {
            known.insert(word(mend, endpoint, ""));
        }
        // All fields are none that could be left out.
        known.extend(
            fields
                .filter(|field| *field != "*")
                .map(|field| word(mend, endpoint, named(field))),
        );
    }

    /// Whether a mend of a field is known to be refused.
    pub(crate) fn is_useless(&self, mend: Mend, endpoint: &str, field: &str) -> bool {
        let hint = format!("{USELESS}{}", word(mend, endpoint, field));
        self.known.borrow().contains(&hint)
    }

    /// Remembers that a mend of these fields was refused.
    pub(crate) fn learn_useless(&self, mend: Mend, endpoint: &str, fields: &[String]) {
        let hint = |field: &String| format!("{USELESS}{}", word(mend, endpoint, named(field)));
        self.known.borrow_mut().extend(fields.iter().map(hint));
    }

    /// Forgets what was known of a query's model and its fields, and orders. Of other fields it may still hold.
    pub(crate) fn forget(&self, query: &Query) {
        let model = model(&query.endpoint);
        let is_asked = |name: &str| {
            let sorts = query.sort.iter().map(|(field, _)| field);
            query
                .fields
                .iter()
                .chain(sorts)
                .any(|field| root(field) == root(name) || former_name(&query.endpoint, field) == Some(name))
                || parent_fields(query).any(|field| field == name)
        };
        self.known.borrow_mut().retain(|hint| {
            let mut parts = hint.splitn(3, ':').skip(1);
            let is_of_model = parts.next() == Some(model.as_str());
            !(is_of_model && parts.next().is_none_or(|name| name.is_empty() || is_asked(name)))
        });
    }
}

/// The fields of the conditions that a query is sure to have.
fn parent_fields(query: &Query) -> impl Iterator<Item = &String> {
    query.filters.iter().filter_map(|filter| match filter {
        Filter::Is { field, .. } => Some(field),
        Filter::Any(_) | Filter::All(_) => None,
    })
}

fn word(mend: Mend, endpoint: &str, field: &str) -> String {
    format!("{}:{}:{field}", mend.id(), model(endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learnt_is_told_to_who_keeps_it() {
        let hints =
            Hints::from_context(r#"{"hints": ["one_sort_field:tickets:name", "known_fields:users:deactivated", 7]}"#);
        hints.forget(&Query::new("tickets", 1).fields(&["name"]));
        hints.forget(&Query::new("users", 1).fields(&["name"]));
        hints.learn(Mend::WholeRelations, "activitiesWeb/web_1/messages", ["user"]);
        hints.learn(Mend::KnownFields, "contacts", ["customFields.favourite_colour", "*"]);
        hints.learn(Mend::WholeRecord, "tickets", []);
        assert_eq!(
            hints.changes(),
            Some(json!({
                "learnt": ["known_fields:contacts:customFields", "whole_record:tickets:", "whole_relations:activitiesWeb/messages:user"],
                "forgotten": ["one_sort_field:tickets:name"]
            }))
        );
        assert_eq!(hints.fields(Mend::KnownFields, "users"), ["deactivated"]);
        assert_eq!(hints.fields(Mend::WholeRecord, "tickets"), [""; 0]);
        assert!(hints.has(Mend::WholeRecord, "tickets") && !hints.has(Mend::WholeRecord, "users"));
    }

    #[test]
    fn nobody_is_told_who_does_not_keep() {
        let hints = Hints::from_context("{}");
        hints.learn(Mend::WholeRecord, "tickets", []);
        assert!(hints.has(Mend::WholeRecord, "tickets"));
        assert_eq!(hints.changes(), None);
        assert_eq!(Hints::from_context(r#"{"hints": ["a:b:c"]}"#).changes(), None);
    }
}
