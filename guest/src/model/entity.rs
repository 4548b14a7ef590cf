//! Declarations of entities: where a kind of record is read, how it sorts, what it shows.

use serde_json::Value;

use super::{
    args::Args,
    context::Context,
    field::{Detail, FieldSpec, Format},
    measure::Measure,
    output::{Overflow, Related, snake_case},
    param::{self, Param},
};

/// A kind of record: where it lives, how it sorts, what it shows.
pub struct Entity {
    pub endpoint: &'static str,
    pub singular: &'static str,
    pub plural: &'static str,
    /// The field that names a record in paths.
    pub key: &'static str,
    /// The argument that names a record.
    pub id_param: Param,
    /// The path of its title; empty where it has none.
    pub title: &'static str,
    /// The page of a record in Daktela's user interface, its fields in braces; empty where it is not known to have one.
    pub page: &'static str,
    /// Rows that only this member of a family has; they come first.
    pub leading_fields: &'static [FieldSpec],
    pub fields: &'static [FieldSpec],
    pub texts: &'static [LongText],
    /// What Daktela sorts by. Empty where sorting is not known to work.
    pub sort: &'static [&'static str],
    /// What a list is sorted by here, since Daktela does not: all that matches is read for it.
    pub computed_sort: &'static [Measure],
    /// The names of both, where there are such.
    pub list_sort: &'static [&'static str],
    pub custom_fields: CustomFields,
    /// When an answer is too large: shorten texts first (they are an aside), or show fewer records (they are the point).
    pub overflow: Overflow,
    /// Arguments of the list and the get beyond the usual, which `parts` reads.
    pub extra_params: &'static [Param],
    /// Reads what belongs to the records but lives elsewhere, e.g. the messages of chats; one entry for each record.
    pub enrich: Option<Enrich>,
    /// How the contact centre is set up rather than its work: caches may answer for an hour.
    pub is_reference_data: bool,
}

/// What long texts, messages and transcripts are called among the facts that a list shows.
pub const TEXT: &str = "text";

/// The page of a ticket.
pub const TICKET_PAGE: &str = "tickets/update/{name}";

/// The field that a part of a page's path stands for.
pub fn page_field(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

pub type Enrich = fn(&Context, &Entity, &Args, &[Value]) -> Vec<Related>;

/// Whether a record has custom fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CustomFields {
    No,
    Fields,
    /// Phone numbers and e-mail addresses are among them and lead, whatever the customer's form calls them.
    ContactPoints,
}

/// What the rest of an entity is written over.
pub const ENTITY: Entity = Entity {
    endpoint: "",
    singular: "",
    plural: "",
    key: "name",
    id_param: param::NAME,
    title: "title",
    page: "",
    leading_fields: &[],
    fields: &[],
    texts: &[],
    sort: &[],
    computed_sort: &[],
    list_sort: &[],
    custom_fields: CustomFields::No,
    overflow: Overflow::Texts,
    extra_params: &[],
    enrich: None,
    is_reference_data: false,
};

impl Entity {
    pub fn get_params(&self) -> Vec<Param> {
        let mut params = vec![self.id_param];
        params.extend(self.extra_params.iter().filter(|p| p.name != param::MESSAGES.name));
        params.push(param::MAX_BYTES);
        params
    }

    /// What shows at this detail.
    pub fn fields_at(&self, detail: Detail) -> impl Iterator<Item = &'static FieldSpec> {
        self.leading_fields
            .iter()
            .chain(self.fields)
            .filter(move |field| detail == Detail::Full || field.detail == Detail::Summary)
    }

    /// The fields that a list or a detail shows, and so asks for.
    pub fn projection(&self, detail: Detail) -> Vec<String> {
        self.projection_of(self.fields_at(detail), true, detail)
    }

    /// The same of a list that shows only these facts.
    pub fn projection_only(&self, only: &[&str]) -> Vec<String> {
        let chosen = self
            .fields_at(Detail::Full)
            .filter(|field| field.label.is_empty() || only.contains(&snake_case(field.label).as_str()));
        let is_label = |name: &&str| {
            self.fields_at(Detail::Full)
                .any(|field| snake_case(field.label) == **name)
        };
        let mut fields = self.projection_of(chosen, only.contains(&TEXT), Detail::Summary);
        // What is no label may be a custom field.
        if only.iter().all(|name| *name == TEXT || is_label(name)) {
            fields.retain(|field| field != "customFields");
        }
        fields
    }

    fn projection_of(
        &self,
        shown: impl Iterator<Item = &'static FieldSpec>,
        has_texts: bool,
        detail: Detail,
    ) -> Vec<String> {
        let mut fields = vec![self.key.to_owned()];
        let mut add = |field: String| {
            if !field.is_empty() && !fields.contains(&field) {
                fields.push(field);
            }
        };
        add(self.title.to_owned());
        for field in shown {
            match field.format {
                Format::Titled => add(format!("{}.title", field.path)),
                Format::Related | Format::Ticket => {
                    add(format!("{}.name", field.path));
                    add(format!("{}.title", field.path));
                }
                Format::Computed(picks, _) => picks.iter().for_each(|pick| add((*pick).to_owned())),
                Format::Text
                | Format::Word
                | Format::Number
                | Format::DateTime
                | Format::Seconds
                | Format::YesNo
                | Format::OnlyYes
                | Format::Coded(_) => add(field.path.to_owned()),
            }
        }
        for text in self.texts.iter().filter(|_| has_texts) {
            add(text.path.to_owned());
        }
        self.page
            .split('/')
            .filter_map(page_field)
            .for_each(|field| add(field.to_owned()));
        if self.custom_fields != CustomFields::No {
            add("customFields".to_owned());
            if detail == Detail::Full {
                add("_sys".to_owned());
            }
        }
        fields
    }
}

/// A long text of a record.
pub struct LongText {
    /// Said before the text; empty where the text speaks for itself.
    pub label: &'static str,
    pub path: &'static str,
    pub kind: TextKind,
    /// How much of it a list shows, in characters.
    pub chars: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    Html,
    /// HTML whose quoted mail and signature are folded.
    Mail,
}
