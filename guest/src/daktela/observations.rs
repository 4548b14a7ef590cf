//! Observations of a call: which fields were asked for, which came, and what the instance needed in another form than this
//! program asks first. Wire names and numbers only, so that whoever runs the instance can pass them on.
//!
//! Every answer carries them in `_meta`, beside `daktela/first`; an answer that is an error carries those until then.
//!
//! | key | value |
//! |---|---|
//! | `daktela/asked` | `{model: [field, …]}`: the fields that reads asked for, related records by their root (`user` of `user.title`); of reads that gave rows |
//! | `daktela/came` | the same of those that came in at least one row, also as null |
//! | `daktela/mended` | `[{"id", "model", "fields": […], "found": bool}]`: the [`Mend`]s that were used, and whether they gave what was missing |
//! | `daktela/rows` | how many records Daktela gave for the answer's list (1 for a single record) |
//! | `daktela/error` | of an answer that is an error, its kind: `argument`, `not_found`, `refused`, `forbidden`, `no_right`, `upstream` |
//! | `daktela/total` | how many match by Daktela's count; absent where it gives none, or none that can be trusted |
//!
//! A model is its wire name (`tickets`); a record's relation is model and relation (`activitiesWeb/messages`). Of custom fields
//! only the root `customFields` is named, since their keys are a customer's words.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// A form of a read that some builds need in place of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mend {
    /// Fields that the build refuses (HTTP 400) are not asked for; `*` where no record tells which, and all came.
    KnownFields,
    /// Related records are read whole, since their dotted picks are refused or do not come.
    WholeRelations,
    /// The activities of a channel's records are found by their type and time, and matched by their `item`.
    ActivitiesByTime,
    /// A record's related list is read by a path of its own: `activitiesCall/{id}/activities`.
    RelationPath,
    /// A related record of a related record is read by itself: `contacts/{name}` for `contact.account`.
    RelatedRecord,
    /// Fields are asked for by the names of older builds.
    FormerNames,
    /// The second field of the order is left out.
    OneSortField,
    /// A condition on a parent that is ignored or refused: the parent's own path in place of the condition.
    ParentPath,
    /// A condition is ignored, and rows that contradict it were left out here. Never found: what the build counts is
    /// something else.
    FilterIgnored,
    /// An order that leaves no rows is not asked for.
    Unsorted,
    /// A list that counts records and sends none is read without projection and order.
    Unprojected,
    /// A channel's record is found by its activity's name, since the activity's `item` does not name it.
    BackReference,
    /// The same by the activity read by itself.
    ItemAlone,
    /// What several names are asked for at once is asked for one by one.
    OneByOne,
    /// Messages of chats are read as part of the whole chat.
    EmbeddedMessages,
    /// A model is read by the name that it had in older builds.
    FormerModel,
    /// A record is read without a projection.
    WholeRecord,
    /// Contacts are found by equal spellings of a number or an address, since a pattern on custom fields finds nothing.
    EqualSpellings,
    /// Contacts are searched in full text, since their custom fields give nothing.
    FullTextSearch,
    /// Tickets of an account are found through its contacts.
    ThroughContacts,
}

impl Mend {
    /// All of them, in the order in which they were introduced.
    pub const ALL: &[Mend] = &[
        Mend::KnownFields,
        Mend::WholeRelations,
        Mend::ActivitiesByTime,
        Mend::RelationPath,
        Mend::RelatedRecord,
        Mend::FormerNames,
        Mend::OneSortField,
        Mend::ParentPath,
        Mend::FilterIgnored,
        Mend::Unsorted,
        Mend::Unprojected,
        Mend::BackReference,
        Mend::ItemAlone,
        Mend::OneByOne,
        Mend::EmbeddedMessages,
        Mend::FormerModel,
        Mend::WholeRecord,
        Mend::EqualSpellings,
        Mend::FullTextSearch,
        Mend::ThroughContacts,
    ];

    /// The stable name, for `_meta` and for what is remembered of an instance.
    pub fn id(self) -> &'static str {
        match self {
            Mend::KnownFields => "known_fields",
            Mend::WholeRelations => "whole_relations",
            Mend::ActivitiesByTime => "activities_by_time",
            Mend::RelationPath => "relation_path",
            Mend::RelatedRecord => "related_record",
            Mend::FormerNames => "former_names",
            Mend::OneSortField => "one_sort_field",
            Mend::ParentPath => "parent_path",
            Mend::FilterIgnored => "filter_ignored",
            Mend::Unsorted => "unsorted",
            Mend::Unprojected => "unprojected",
            Mend::BackReference => "back_reference",
            Mend::ItemAlone => "item_alone",
            Mend::OneByOne => "one_by_one",
            Mend::EmbeddedMessages => "embedded_messages",
            Mend::FormerModel => "former_model",
            Mend::WholeRecord => "whole_record",
            Mend::EqualSpellings => "equal_spellings",
            Mend::FullTextSearch => "full_text_search",
            Mend::ThroughContacts => "through_contacts",
        }
    }

    /// The mend of a stable name; none for a name of another version.
    pub fn from_id(id: &str) -> Option<Mend> {
        Mend::ALL.iter().copied().find(|mend| mend.id() == id)
    }
}

/// A use of a mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mended {
    pub mend: Mend,
    /// The model, with the relation if it was one: `activitiesWeb/messages`.
    pub model: String,
    /// The fields by which the build differs, as wire names; none where the mend is of no field.
    pub fields: Vec<String>,
    /// Whether the other form gave what was missing.
    pub found: bool,
}

/// What the reads of a call showed of the instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observations {
    /// Field roots asked for, by model.
    pub asked: BTreeMap<String, BTreeSet<String>>,
    /// Field roots that came in at least one row, by model.
    pub came: BTreeMap<String, BTreeSet<String>>,
    pub mended: BTreeSet<Mended>,
}

impl Observations {
    /// Adds those of another read.
    pub(crate) fn merge(&mut self, other: Observations) {
        for (mine, others) in [(&mut self.asked, other.asked), (&mut self.came, other.came)] {
            for (model, fields) in others {
                mine.entry(model).or_default().extend(fields);
            }
        }
        self.mended.extend(other.mended);
    }

    /// Adds the use of a mend. `endpoint` may name a record; `fields` may be dotted.
    pub(crate) fn mend(&mut self, mend: Mend, endpoint: &str, fields: &[String], found: bool) {
        let names: BTreeSet<String> = fields.iter().map(|field| named(field).to_owned()).collect();
        self.mended.insert(Mended {
            mend,
            model: model(endpoint),
            fields: names.into_iter().collect(),
            found,
        });
    }

    /// Adds the fields that a read asked for and those that its rows have. Nothing is learnt from no rows.
    pub(crate) fn fields(&mut self, endpoint: &str, asked: &[String], rows: &[Value]) {
        if asked.is_empty() || rows.is_empty() {
            return;
        }
        let came = |field: &&String| rows.iter().any(|row| has_root(row, field));
        let model = model(endpoint);
        let roots = |fields: &mut dyn Iterator<Item = &String>| fields.map(|field| root(field).to_owned()).collect();
        let came: BTreeSet<String> = roots(&mut asked.iter().filter(came));
        let asked: BTreeSet<String> = roots(&mut asked.iter());
        self.asked.entry(model.clone()).or_default().extend(asked);
        self.came.entry(model).or_default().extend(came);
    }

    /// As members of `_meta`.
    pub fn to_meta(&self) -> Map<String, Value> {
        let mended = self.mended.iter().map(|mended| {
            json!({
                "id": mended.mend.id(),
                "model": mended.model,
                "fields": mended.fields,
                "found": mended.found,
            })
        });
        let mut meta = Map::new();
        if !self.asked.is_empty() {
            meta.insert("daktela/asked".to_owned(), json!(self.asked));
            meta.insert("daktela/came".to_owned(), json!(self.came));
        }
        if !self.mended.is_empty() {
            meta.insert("daktela/mended".to_owned(), mended.collect());
        }
        meta
    }
}

/// A field as it may be told: the key of a custom field is a customer's word.
pub(crate) fn named(field: &str) -> &str {
    if root(field) == "customFields" {
        root(field)
    } else {
        field
    }
}

/// The model of an endpoint, with the relation: `activitiesWeb/messages` for `activitiesWeb/web_1/messages`.
pub(crate) fn model(endpoint: &str) -> String {
    match endpoint.split('/').collect::<Vec<_>>()[..] {
        [model, _, relation] => format!("{model}/{relation}"),
        [model, ..] => model.to_owned(),
        [] => endpoint.to_owned(),
    }
}

/// Whether a row has a field, or the related record that a dotted pick is of.
pub(crate) fn has_root(row: &Value, field: &str) -> bool {
    row.get(root(field)).is_some() || row.get(field).is_some()
}

/// `user` of `user.title`.
pub(crate) fn root(field: &str) -> &str {
    field.split('.').next().unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relation_is_told_without_its_record_and_a_custom_field_without_its_key() {
        let mut observed = Observations::default();
        let fields = ["customFields.favourite_colour", "user.title"].map(str::to_owned);
        observed.mend(Mend::WholeRelations, "activitiesWeb/web_1/messages", &fields, true);
        observed.fields("tickets", &fields, &[json!({"user": null})]);
        observed.fields("contacts", &fields, &[]);
        assert_eq!(
            Value::Object(observed.to_meta()),
            json!({
                "daktela/asked": {"tickets": ["customFields", "user"]},
                "daktela/came": {"tickets": ["user"]},
                "daktela/mended": [{
                    "id": "whole_relations", "model": "activitiesWeb/messages", "fields": ["customFields", "user.title"],
                    "found": true
                }],
            })
        );
    }

    #[test]
    fn ids_of_mends_lead_back_to_them() {
        for mend in Mend::ALL {
            assert_eq!(Mend::from_id(mend.id()), Some(*mend));
        }
        assert_eq!(Mend::from_id("of another version"), None);
    }
}
