//! Builds of Daktela that cases run against, by the name that a case gives after `~`.

use daktela_demo::{
    DataShape, DottedFields, DottedFilters, EmailFiles, Item, Quirks, Refusals, Relations, Scheme, SingleFields, Total,
    UnknownField,
};

/// A name, and how the build differs from the default.
type Build = (&'static str, fn(&mut Quirks));

/// Each way in which a build may differ from the default, and its name: what no public source settles (see the demo's
/// documentation), or what builds are known to differ in.
pub(crate) const BUILDS: &[Build] = &[
    ("unknown fields are refused", |build| {
        build.unknown_field = UnknownField::Refused
    }),
    ("unknown fields are passed over", |build| {
        build.unknown_field = UnknownField::Ignored;
        build.missing_fields = missing();
    }),
    ("some fields are not known yet", |build| {
        build.unknown_field = UnknownField::Refused;
        build.missing_fields = missing();
    }),
    ("to-one nested, to-many dropped", |build| {
        build.dotted_fields = DottedFields::ToOne
    }),
    ("dotted fields are passed over", |build| {
        build.dotted_fields = DottedFields::Absent
    }),
    ("dotted fields are refused", |build| {
        build.dotted_fields = DottedFields::Refused
    }),
    ("fields of a single record are refused", |build| {
        build.single_fields = SingleFields::Refused
    }),
    ("fields of a single record are ignored", |build| {
        build.single_fields = SingleFields::Ignored
    }),
    ("projected records have no _sys", |build| build.sys_in_fields = false),
    ("dotted filters are refused", |build| {
        build.dotted_filters = DottedFilters::Refused
    }),
    ("dotted filters match nothing", |build| {
        build.dotted_filters = DottedFilters::MatchNothing
    }),
    ("dotted filters are ignored", |build| {
        build.dotted_filters = DottedFilters::Ignored
    }),
    ("dotted filters match nothing and item is a number", |build| {
        build.dotted_filters = DottedFilters::MatchNothing;
        build.item = Item::Integer;
    }),
    ("filters without proof are ignored", |build| {
        build.ignored_filters = unproven_filters()
    }),
    ("activities are not filtered by ticket", |build| {
        build.ignored_filters = pairs(&[("activities", "ticket")])
    }),
    ("channel records are not found by activity", |build| {
        build.back_references = false
    }),
    ("item is a number", |build| build.item = Item::Integer),
    ("sorts without proof empty a list", |build| {
        build.unsortable = unproven_sorts()
    }),
    ("custom fields match no pattern", |build| {
        build.custom_field_patterns = false
    }),
    ("pages have at most 10 rows", |build| build.max_page = 10),
    ("data is keyed by name", |build| build.data = DataShape::ByName),
    ("total is text", |build| build.total = Total::Text),
    ("total is null", |build| build.total = Total::Null),
    ("total is absent", |build| build.total = Total::Absent),
    ("transcripts take one activity at a time", |build| {
        build.transcripts_in = false
    }),
    ("transcripts are not found by activity", |build| {
        build.transcripts_by_activity = false
    }),
    ("there are no transcripts", |build| build.transcripts = false),
    ("no time zone is told", |build| build.server_time = false),
    ("e-mails have files", |build| build.email_files = EmailFiles::Files),
    ("headers keep the sender's spelling", |build| build.header_case = true),
    ("chats have no messages", |build| build.chat_messages = false),
    ("messages stand in the whole chat", |build| {
        build.chat_messages = false;
        build.messages_in_chats = true;
    }),
    ("web chats are activitiesChat", |build| build.old_web_chats = true),
    ("there are no relations", |build| build.relations = Relations::Missing),
    ("relations refuse filters", |build| {
        build.relations = Relations::RefuseFilters
    }),
    ("an empty relation is not found", |build| {
        build.relations = Relations::EmptyIsMissing
    }),
    ("or is refused", |build| build.or_groups = false),
    ("what is not found is a 400", |build| {
        build.refusals = Refusals::NotFoundInWords
    }),
    ("rights are told in words", |build| {
        build.refusals = Refusals::RightsInWords
    }),
    ("errors come with 200", |build| build.refusals = Refusals::With200),
    ("custom fields are defined in a list", |build| {
        build.custom_field_scheme = Scheme::List
    }),
    ("choices are called options", |build| {
        build.custom_field_scheme = Scheme::Options
    }),
    ("custom fields are not defined", |build| {
        build.custom_field_scheme = Scheme::Absent
    }),
    ("sessions do not name their agent", |build| {
        build.missing_fields = pairs(&[("realtimeSessions", "id_agent")])
    }),
    ("sessions cannot be projected", |build| build.projected_sessions = false),
    ("the version is a text", |build| build.version_object = false),
];

/// Not another build, but other data: what few instances have.
const EXTENDED: &str = "with people abroad and a transferred call";

/// The build of a name; the default one for an empty name.
pub(crate) fn quirks(name: &str) -> Quirks {
    let mut quirks = Quirks {
        extended: name == EXTENDED,
        ..Quirks::default()
    };
    if !name.is_empty() && name != EXTENDED {
        let found = BUILDS.iter().find(|(known, _)| *known == name);
        let (_, change) = found
            .unwrap_or_else(|| panic!("no build is called {name:?}; tests/it/tools/upstream_variants.rs lists them"));
        change(&mut quirks);
    }
    quirks
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(model, field)| ((*model).to_owned(), (*field).to_owned()))
        .collect()
}

fn missing() -> Vec<(String, String)> {
    pairs(&[
        ("activitiesCall", "hold_time"),
        ("tickets", "last_activity_client"),
        ("users", "deactivated"),
    ])
}

const CHATS: [&str; 6] = [
    "activitiesWeb",
    "activitiesSms",
    "activitiesFbm",
    "activitiesIgdm",
    "activitiesWap",
    "activitiesVbr",
];

/// Conditions that one client alone is known to send, or none.
fn unproven_filters() -> Vec<(String, String)> {
    let mut filters = pairs(&[
        ("activities", "action"),
        ("activities", "queue"),
        ("activities", "user"),
        ("activitiesCall", "answered"),
        ("activitiesCall", "contact"),
        ("activitiesCall", "direction"),
        ("activitiesEmail", "contact"),
        ("activitiesEmail", "direction"),
        ("activitiesEmail", "queue"),
        ("activitiesEmail", "user"),
        ("contacts", "account"),
        ("crmRecords", "account"),
        ("crmRecords", "contact"),
        ("crmRecords", "stage"),
        ("tickets", "contact"),
        ("tickets", "priority"),
    ]);
    for field in ["answered", "contact", "direction", "queue", "user"] {
        filters.extend(CHATS.map(|chat| (chat.to_owned(), field.to_owned())));
    }
    filters
}

fn unproven_sorts() -> Vec<(String, String)> {
    let mut sorts = pairs(&[
        ("accounts", "edited"),
        ("activitiesEmail", "time"),
        ("campaignsRecords", "edited"),
        ("contacts", "edited"),
        ("crmRecords", "edited"),
    ]);
    sorts.extend(CHATS.map(|chat| (chat.to_owned(), "time".to_owned())));
    sorts
}
