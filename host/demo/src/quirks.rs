//! Builds of Daktela differ, and no public source shows one build wholly. Each difference that a client must survive is a
//! switch here; the defaults are a build of 2026.

use std::time::Duration;

/// About 4 MB of memory each; more than this is no use as a sample.
pub const MAX_SCALE: usize = 200;

#[derive(Clone, Debug)]
pub struct Quirks {
    /// A name in `fields` that the model does not have.
    pub unknown_field: UnknownField,
    /// `fields[0]=user.title`.
    pub dotted_fields: DottedFields,
    /// `fields` on a single record.
    pub single_fields: SingleFields,
    /// Whether `fields[0]=_sys` brings `_sys`, and with it the labels of custom fields.
    pub sys_in_fields: bool,
    /// Fields (model, field) that this build is too old to know: neither shown nor understood.
    pub missing_fields: Vec<(String, String)>,
    /// `filter[field]=contact.account`.
    pub dotted_filters: DottedFilters,
    /// `tickets/787001/activities`.
    pub relations: Relations,
    /// The shape of `result.data`.
    pub data: DataShape,
    /// The shape of `result.total`.
    pub total: Total,
    /// `item` of an activity at the top level.
    pub item: Item,
    /// Whether transcripts take `activity in […]`.
    pub transcripts_in: bool,
    /// Whether answers carry `_serverTime` and `_timezone`.
    pub server_time: bool,
    pub login: LoginAnswer,
    /// Where an e-mail keeps its files.
    pub email_files: EmailFiles,
    /// Whether chats have the relation `messages`.
    pub chat_messages: bool,
    /// Whether `filter[logic]=or` is understood.
    pub or_groups: bool,
    /// Whether longer answers come packed to those who accept gzip.
    pub gzip: bool,
    /// What `_timezone` says. Texts of dates do not change with it.
    pub time_zone: String,
    /// People with titles and foreign names, numbers of several countries, a call that was transferred, files in messages.
    pub extended: bool,
    /// How many times as large the company is, from 1 to [`MAX_SCALE`]; the data of 1 are in all of them. 50 is a centre with about
    /// 10,000 calls, 5,000 e-mails and 4,000 tickets in its busiest month, October 2026.
    pub scale: usize,
    /// How long a token from login lives, in real time.
    pub token_lifetime: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownField {
    Refused,
    Ignored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DottedFields {
    /// `{"user": {"title": …}}`
    Nested,
    /// The entry is passed over.
    Absent,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SingleFields {
    Honoured,
    Ignored,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DottedFilters {
    Work,
    Refused,
    MatchNothing,
    /// As if the condition were not there: everything matches.
    Ignored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relations {
    Work,
    /// 404 for each of them.
    Missing,
    /// 400 as soon as a filter is given.
    RefuseFilters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataShape {
    Array,
    /// An object keyed by record name.
    ByName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    Integer,
    Text,
    Null,
    Absent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    Object,
    Integer,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginAnswer {
    Object,
    /// The bare token where `only_token=1` asks for it.
    TokenWhenAsked,
    /// The bare token always.
    AlwaysToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailFiles {
    Attachments,
    Files,
}

impl Default for Quirks {
    fn default() -> Quirks {
        Quirks {
            unknown_field: UnknownField::Refused,
            dotted_fields: DottedFields::Nested,
            single_fields: SingleFields::Honoured,
            sys_in_fields: true,
            missing_fields: Vec::new(),
            dotted_filters: DottedFilters::Work,
            relations: Relations::Work,
            data: DataShape::Array,
            total: Total::Integer,
            item: Item::Object,
            transcripts_in: true,
            server_time: true,
            login: LoginAnswer::Object,
            email_files: EmailFiles::Attachments,
            chat_messages: true,
            or_groups: true,
            gzip: false,
            time_zone: "Europe/Prague".into(),
            extended: false,
            scale: 1,
            token_lifetime: Duration::from_secs(2 * 60 * 60),
        }
    }
}

impl Quirks {
    pub(crate) fn lacks(&self, model: &str, field: &str) -> bool {
        self.missing_fields.iter().any(|(m, f)| m == model && f == field)
    }
}
