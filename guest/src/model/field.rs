//! Declarations of fields: label, place in the record, format of the value.

use serde_json::Value;

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
