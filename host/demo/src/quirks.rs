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
    /// Whether filtering transcripts by activity finds them; the relation of a call does in any case.
    pub transcripts_by_activity: bool,
    /// Whether there are transcripts at all.
    pub transcripts: bool,
    /// Conditions (model, field) that are passed over, as if they were not there.
    pub ignored_filters: Vec<(String, String)>,
    /// Whether channel records are found by the activity that they belong to.
    pub back_references: bool,
    /// Fields (model, field) by which sorting leaves no rows.
    pub unsortable: Vec<(String, String)>,
    /// Whether `like` finds anything in custom fields; `eq` does in any case.
    pub custom_field_patterns: bool,
    /// The most rows of a page, whatever `take` asks for.
    pub max_page: usize,
    pub refusals: Refusals,
    /// The shape of custom fields' definitions.
    pub custom_field_scheme: Scheme,
    /// Whether `realtimeSessions` are sent where `fields` picks some of them; otherwise they are counted only.
    pub projected_sessions: bool,
    /// Whether `whoim` tells its version as an object.
    pub version_object: bool,
    /// Whether e-mails' headers keep the sender's spelling (`Auto-Submitted`) instead of small letters.
    pub header_case: bool,
    /// Whether web chats have the name of older builds, `activitiesChat`.
    pub old_web_chats: bool,
    /// Whether answers carry `_serverTime` and `_timezone`.
    pub server_time: bool,
    pub login: LoginAnswer,
    /// Where an e-mail keeps its files.
    pub email_files: EmailFiles,
    /// Whether chats have the relation `messages`.
    pub chat_messages: bool,
    /// Whether a chat shows its messages, whole or picked by `fields`.
    pub messages_in_chats: bool,
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
    /// Picks of one related record come; those of several (`statuses.title`) and of two levels (`contact.account.title`) are passed
    /// over.
    ToOne,
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
    /// 404 where there is nothing in it.
    EmptyIsMissing,
}

/// How the instance says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusals {
    /// 400 with words; 401, 403 and 404 without a body.
    ByStatus,
    /// What does not exist is a 400 with words.
    NotFoundInWords,
    /// What a user may not read is a 400 with words.
    RightsInWords,
    /// Everything but 401 comes with 200 and the words in `error`.
    With200,
}

/// `_sys.cfScheme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// By key, choices under `items`.
    Map,
    /// A list, each entry with its key as `name`.
    List,
    /// By key, choices under `options` as a map from value to title.
    Options,
    Absent,
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
            unknown_field: UnknownField::Ignored,
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
            transcripts_by_activity: true,
            transcripts: true,
            ignored_filters: Vec::new(),
            back_references: true,
            unsortable: Vec::new(),
            custom_field_patterns: true,
            max_page: usize::MAX,
            refusals: Refusals::ByStatus,
            custom_field_scheme: Scheme::Map,
            projected_sessions: true,
            version_object: true,
            header_case: false,
            old_web_chats: false,
            server_time: true,
            login: LoginAnswer::Object,
            email_files: EmailFiles::Attachments,
            chat_messages: true,
            messages_in_chats: false,
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
        names(&self.missing_fields, model, field)
    }

    pub(crate) fn ignores(&self, model: &str, field: &str) -> bool {
        names(&self.ignored_filters, model, field)
    }

    pub(crate) fn cannot_sort(&self, model: &str, field: &str) -> bool {
        names(&self.unsortable, model, field)
    }
}

fn names(list: &[(String, String)], model: &str, field: &str) -> bool {
    list.iter().any(|(m, f)| m == model && f == field)
}
