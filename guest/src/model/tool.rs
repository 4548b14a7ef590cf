//! What a tool, an entity, a filter and a row are. The catalogue is made of these and of nothing else; schema, argument
//! checks, queries and rendering are loops over them.

use serde_json::Value;

use crate::{
    daktela::error::Error,
    daktela::query::{Direction, Filter},
    model::args::Args,
    model::param::{self, Param},
    render::listing::Output,
    render::record::Text,
    run::Context,
};

/// A tool as its callers see it.
pub struct Tool {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub run: Run,
    /// Where a value for the required argument can be had from.
    pub example: Option<Example>,
}

/// `tool`'s answer names a record whose `key` does as the required argument.
pub struct Example {
    pub tool: &'static str,
    pub key: &'static str,
}

pub enum Run {
    List(&'static List),
    Count(&'static List),
    Get(&'static Entity),
    /// A tool with logic of its own. The first argument is required where `required` is set.
    Custom {
        params: &'static [Param],
        required: bool,
        run: fn(&Context, &Args) -> Result<Output, Error>,
    },
}

impl Tool {
    /// The arguments, in the order of the schema.
    pub fn params(&self) -> Vec<Param> {
        match &self.run {
            Run::List(list) => list.params(),
            Run::Count(list) => list.filters.iter().map(|filter| filter.param).collect(),
            Run::Get(entity) => entity.get_params(),
            Run::Custom { params, .. } => params.to_vec(),
        }
    }

    /// The argument that the tool cannot do without, always the first.
    pub fn required(&self) -> Option<&'static str> {
        match &self.run {
            Run::List(_) | Run::Count(_) => None,
            Run::Get(entity) => Some(entity.get_param().name),
            Run::Custom { params, required, .. } => required.then(|| params[0].name),
        }
    }
}

/// A list of an entity: how it narrows, its order and its page.
pub struct List {
    pub entity: &'static Entity,
    pub filters: &'static [FilterParam],
    /// The order unless the caller gives one.
    pub sort: Option<(&'static str, Direction)>,
    /// How many unless the caller says, and at most.
    pub take: (u64, u64),
}

impl List {
    pub fn params(&self) -> Vec<Param> {
        let mut params: Vec<Param> = self.filters.iter().map(|filter| filter.param).collect();
        if !self.entity.sort.is_empty() {
            params.extend([param::sort(self.entity.sort), param::SORT_DIR]);
        }
        params.extend([param::SKIP, param::take(self.take.0, self.take.1)]);
        params.extend_from_slice(self.entity.extra_params);
        if !self.entity.texts.is_empty() {
            params.push(param::TEXT_CHARS);
        }
        params.push(param::MAX_BYTES);
        params
    }
}

/// An argument and what it does to the query.
pub struct FilterParam {
    pub param: Param,
    pub how: FilterOp,
}

pub enum FilterOp {
    Eq(&'static str),
    Contains(&'static str),
    From(&'static str),
    Until(&'static str),
    /// 1 or 0, as Daktela's own clients write booleans in filters.
    YesNo(&'static str),
    /// A flag that, while it is off, leaves out the records in which `field` is set; `said` tells so.
    OnlyNull {
        field: &'static str,
        said: &'static str,
    },
    /// Several conditions for one value.
    Custom(fn(&Context, &str) -> Filter),
}

pub const fn eq(param: &Param, field: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::Eq(field),
    }
}

pub const fn contains(param: &Param, field: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::Contains(field),
    }
}

pub const fn from(param: &Param, field: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::From(field),
    }
}

pub const fn until(param: &Param, field: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::Until(field),
    }
}

pub const fn yes_no(param: &Param, field: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::YesNo(field),
    }
}

pub const fn only_null(param: &Param, field: &'static str, said: &'static str) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::OnlyNull { field, said },
    }
}

pub const fn custom(param: &Param, filter: fn(&Context, &str) -> Filter) -> FilterParam {
    FilterParam {
        param: *param,
        how: FilterOp::Custom(filter),
    }
}

/// A kind of record: where it lives, how it sorts, what it shows.
pub struct Entity {
    pub endpoint: &'static str,
    pub singular: &'static str,
    pub plural: &'static str,
    /// The field that names a record in paths.
    pub key: &'static str,
    /// The path of its title; empty where it has none.
    pub title: &'static str,
    /// The record has a page of its own in Daktela's user interface, at `/{endpoint}/update/{key}`.
    pub page: bool,
    /// Rows that only this member of a family has; they come first.
    pub leading_fields: &'static [FieldSpec],
    pub fields: &'static [FieldSpec],
    pub texts: &'static [LongText],
    /// What Daktela sorts by. Empty where sorting is not known to work.
    pub sort: &'static [&'static str],
    pub custom_fields: CustomFields,
    /// When an answer is too large: shorten texts first (they are an aside), or show fewer records (they are the point).
    pub overflow: Overflow,
    /// Arguments of the list and the get beyond the usual, which `parts` reads.
    pub extra_params: &'static [Param],
    /// Reads what belongs to the records but lives elsewhere, e.g. the messages of chats; one entry for each record.
    pub enrich: Option<Enrich>,
}

pub type Enrich = fn(&Context, &Entity, &Args, &[Value]) -> Vec<Related>;

/// What belongs to a record beside its fields: more facts, remarks, and a long text.
#[derive(Default)]
pub struct Related {
    pub facts: Vec<(String, String)>,
    pub lines: Vec<String>,
    pub text: Option<Text>,
}

/// Whether a record has custom fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CustomFields {
    No,
    Fields,
    /// Phone numbers and e-mail addresses are among them and lead, whatever the customer's form calls them.
    ContactPoints,
}

impl Related {
    /// Why there is nothing to show.
    pub fn remark(line: impl Into<String>) -> Self {
        Related {
            lines: vec![line.into()],
            ..Related::default()
        }
    }

    /// What was said, line by line; `remark` where nothing was.
    pub fn conversation(label: &str, lines: &[String], remark: &str) -> Self {
        if lines.is_empty() {
            return Related::remark(remark);
        }
        let text = Text {
            label: label.to_owned(),
            body: lines.join("\n"),
            chars: usize::MAX,
            note: None,
        };
        Related {
            text: Some(text),
            ..Related::default()
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    Texts,
    Records,
}

/// What the rest of an entity is written over.
pub const ENTITY: Entity = Entity {
    endpoint: "",
    singular: "",
    plural: "",
    key: "name",
    title: "title",
    page: false,
    leading_fields: &[],
    fields: &[],
    texts: &[],
    sort: &[],
    custom_fields: CustomFields::No,
    overflow: Overflow::Texts,
    extra_params: &[],
    enrich: None,
};

impl Entity {
    pub fn get_param(&self) -> Param {
        if self.endpoint == "tickets" {
            param::TICKET_NAME
        } else {
            param::NAME
        }
    }

    fn get_params(&self) -> Vec<Param> {
        let mut params = vec![self.get_param()];
        params.extend(self.extra_params.iter().filter(|p| p.name != param::MESSAGES.name));
        params.push(param::MAX_BYTES);
        params
    }

    /// What shows at this detail.
    pub fn fields_at(&self, detail: Detail) -> impl Iterator<Item = &'static FieldSpec> {
        self.leading_fields
            .iter()
            .chain(self.fields)
            .filter(move |row| detail == Detail::Full || row.detail == Detail::Summary)
    }

    /// The fields that a list or a detail shows, and so asks for.
    pub fn projection(&self, detail: Detail) -> Vec<String> {
        let mut fields = vec![self.key.to_owned()];
        let mut add = |field: String| {
            if !field.is_empty() && !fields.contains(&field) {
                fields.push(field);
            }
        };
        add(self.title.to_owned());
        for row in self.fields_at(detail) {
            match row.format {
                Format::Titled => add(format!("{}.title", row.path)),
                Format::Related | Format::Ticket => {
                    add(format!("{}.name", row.path));
                    add(format!("{}.title", row.path));
                }
                Format::Computed(picks, _) => picks.iter().for_each(|pick| add((*pick).to_owned())),
                Format::Plain | Format::Seconds | Format::YesNo | Format::Coded(_) => add(row.path.to_owned()),
            }
        }
        for text in self.texts {
            add(text.path.to_owned());
        }
        if self.custom_fields != CustomFields::No {
            add("customFields".to_owned());
            if detail == Detail::Full {
                add("_sys".to_owned());
            }
        }
        fields
    }
}

/// A fact about a record: a label and where its value is.
pub struct FieldSpec {
    pub label: &'static str,
    pub path: &'static str,
    pub format: Format,
    pub detail: Detail,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// In lists and in the detail.
    Summary,
    /// In the detail only.
    Full,
}

/// How a value shows. Nothing shows for an empty one.
#[derive(Clone, Copy)]
pub enum Format {
    Plain,
    /// A number of seconds; zero is worth showing.
    Seconds,
    YesNo,
    /// Codes and what they mean.
    Coded(&'static [(&'static str, &'static str)]),
    /// A related record, or several, by title.
    Titled,
    /// The same with the id, which other tools take.
    Related,
    /// A related ticket, with a link to its page.
    Ticket,
    /// Whatever a function makes of these fields.
    Computed(&'static [&'static str], fn(&Value) -> Option<String>),
}

const fn row(label: &'static str, path: &'static str, format: Format) -> FieldSpec {
    FieldSpec {
        label,
        path,
        format,
        detail: Detail::Summary,
    }
}

pub const fn plain(label: &'static str, path: &'static str) -> FieldSpec {
    row(label, path, Format::Plain)
}

pub const fn seconds(label: &'static str, path: &'static str) -> FieldSpec {
    row(label, path, Format::Seconds)
}

pub const fn flag(label: &'static str, path: &'static str) -> FieldSpec {
    row(label, path, Format::YesNo)
}

pub const fn coded(
    label: &'static str,
    path: &'static str,
    codes: &'static [(&'static str, &'static str)],
) -> FieldSpec {
    row(label, path, Format::Coded(codes))
}

pub const fn titled(label: &'static str, path: &'static str) -> FieldSpec {
    row(label, path, Format::Titled)
}

pub const fn related(label: &'static str, path: &'static str) -> FieldSpec {
    row(label, path, Format::Related)
}

pub const fn ticket(label: &'static str, path: &'static str) -> FieldSpec {
    row(label, path, Format::Ticket)
}

pub const fn computed(
    label: &'static str,
    picks: &'static [&'static str],
    show: fn(&Value) -> Option<String>,
) -> FieldSpec {
    row(label, "", Format::Computed(picks, show))
}

/// The same row, in the detail only.
pub const fn detail(row: FieldSpec) -> FieldSpec {
    FieldSpec {
        detail: Detail::Full,
        ..row
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
