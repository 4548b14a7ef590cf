//! Builds of Daktela that cases run against, by the name that a case gives after `~`.

use daktela_demo::{
    DataShape, DottedFields, DottedFilters, EmailFiles, Item, Quirks, Relations, SingleFields, Total, UnknownField,
};

pub(crate) fn quirks(name: &str) -> Quirks {
    let modern = Quirks::default();
    match name {
        "" => modern,
        "dotted fields are passed over" => Quirks {
            dotted_fields: DottedFields::Absent,
            ..modern
        },
        "dotted fields are refused" => Quirks {
            dotted_fields: DottedFields::Refused,
            ..modern
        },
        "unknown fields are passed over" => Quirks {
            unknown_field: UnknownField::Ignored,
            missing_fields: missing(),
            ..modern
        },
        "some fields are not known yet" => Quirks {
            missing_fields: missing(),
            ..modern
        },
        "fields of a single record are refused" => Quirks {
            single_fields: SingleFields::Refused,
            ..modern
        },
        "fields of a single record are ignored" => Quirks {
            single_fields: SingleFields::Ignored,
            ..modern
        },
        "projected records have no _sys" => Quirks {
            sys_in_fields: false,
            ..modern
        },
        "dotted filters are refused" => Quirks {
            dotted_filters: DottedFilters::Refused,
            ..modern
        },
        "dotted filters match nothing" => Quirks {
            dotted_filters: DottedFilters::MatchNothing,
            ..modern
        },
        "dotted filters are ignored" => Quirks {
            dotted_filters: DottedFilters::Ignored,
            ..modern
        },
        "dotted filters match nothing and item is a number" => Quirks {
            dotted_filters: DottedFilters::MatchNothing,
            item: Item::Integer,
            ..modern
        },
        "data is keyed by name" => Quirks {
            data: DataShape::ByName,
            ..modern
        },
        "total is text" => Quirks {
            total: Total::Text,
            ..modern
        },
        "total is null" => Quirks {
            total: Total::Null,
            ..modern
        },
        "total is absent" => Quirks {
            total: Total::Absent,
            ..modern
        },
        "transcripts take one activity at a time" => Quirks {
            transcripts_in: false,
            ..modern
        },
        "with people abroad and a transferred call" => Quirks {
            extended: true,
            ..modern
        },
        "no time zone is told" => Quirks {
            server_time: false,
            ..modern
        },
        "e-mails have files" => Quirks {
            email_files: EmailFiles::Files,
            ..modern
        },
        "chats have no messages" => Quirks {
            chat_messages: false,
            ..modern
        },
        "there are no relations" => Quirks {
            relations: Relations::Missing,
            ..modern
        },
        "or is refused" => Quirks {
            or_groups: false,
            ..modern
        },
        other => panic!("no build is called {other:?}; tests/it/tools/upstream_variants.rs lists them"),
    }
}

fn missing() -> Vec<(String, String)> {
    [
        ("activitiesCall", "hold_time"),
        ("tickets", "last_activity_client"),
        ("users", "deactivated"),
    ]
    .map(|(model, field)| (model.to_owned(), field.to_owned()))
    .to_vec()
}
