//! Declarations of fields: label, place in the record, format of the value.

use serde_json::Value;

use super::output::FactValue;

/// A fact about a record: its label, where its value is, and of which type.
///
/// The label in snake case is the key of the value for programs.
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

/// The type of a value. An empty one is absent.
#[derive(Clone, Copy)]
pub enum Format {
    /// Text that people wrote.
    Text,
    /// A word or an id of Daktela's own.
    Word,
    Number,
    /// `YYYY-MM-DD HH:MM:SS`, local time of the instance.
    DateTime,
    /// A number of seconds; zero is worth showing.
    Seconds,
    YesNo,
    /// A flag that says nothing while it is off.
    OnlyYes,
    /// Codes and what they mean.
    Coded(&'static [(&'static str, &'static str)]),
    /// A related record, or several, by title.
    Titled,
    /// The same with the id, which other tools take.
    Related,
    /// A related ticket, with a link to its page.
    Ticket,
    /// Whatever a function makes of these fields.
    Computed(&'static [&'static str], fn(&Value) -> Option<FactValue>),
}

impl FieldSpec {
    /// Whether it shows a related record, which its `name` tells apart.
    pub(crate) fn is_relation(&self) -> bool {
        matches!(self.format, Format::Titled | Format::Related | Format::Ticket)
    }
}

const fn field(label: &'static str, path: &'static str, format: Format) -> FieldSpec {
    FieldSpec {
        label,
        path,
        format,
        detail: Detail::Summary,
    }
}

pub const fn text(label: &'static str, path: &'static str) -> FieldSpec {
    field(label, path, Format::Text)
}

pub const fn word(label: &'static str, path: &'static str) -> FieldSpec {
    field(label, path, Format::Word)
}

pub const fn number(label: &'static str, path: &'static str) -> FieldSpec {
    field(label, path, Format::Number)
}

pub const fn date_time(label: &'static str, path: &'static str) -> FieldSpec {
    field(label, path, Format::DateTime)
}

pub const fn seconds(label: &'static str, path: &'static str) -> FieldSpec {
    field(label, path, Format::Seconds)
}

pub const fn flag(label: &'static str, path: &'static str) -> FieldSpec {
    field(label, path, Format::YesNo)
}

pub const fn only_yes(label: &'static str, path: &'static str) -> FieldSpec {
    field(label, path, Format::OnlyYes)
}

pub const fn coded(
    label: &'static str,
    path: &'static str,
    codes: &'static [(&'static str, &'static str)],
) -> FieldSpec {
    field(label, path, Format::Coded(codes))
}

pub const fn titled(label: &'static str, path: &'static str) -> FieldSpec {
    field(label, path, Format::Titled)
}

pub const fn related(label: &'static str, path: &'static str) -> FieldSpec {
    field(label, path, Format::Related)
}

pub const fn ticket(label: &'static str, path: &'static str) -> FieldSpec {
    field(label, path, Format::Ticket)
}

pub const fn computed(
    label: &'static str,
    picks: &'static [&'static str],
    compute: fn(&Value) -> Option<FactValue>,
) -> FieldSpec {
    field(label, "", Format::Computed(picks, compute))
}

/// The same field, in the detail only.
pub const fn detail(field: FieldSpec) -> FieldSpec {
    FieldSpec {
        detail: Detail::Full,
        ..field
    }
}
