//! Tools for outbound campaigns.

use crate::{
    daktela::query::{Direction, Filter},
    model::{
        entity::{CustomFields, ENTITY, Entity},
        field::{coded, date_time, related, text, titled, word},
        filter::{custom, eq, from, until},
        list::List,
        param::{self, Kind},
        statistics::{self, Dimension, Source, Statistics},
        tool::Tool,
    },
};

const ACTIONS: &[(&str, &str)] = &[
    ("0", "not assigned"),
    ("1", "ready"),
    ("2", "rescheduled by the dialler"),
    ("3", "call in progress"),
    ("4", "hung up"),
    ("5", "done"),
    ("6", "rescheduled"),
];

const RECORD: Entity = Entity {
    endpoint: "campaignsRecords",
    singular: "campaign record",
    plural: "campaign records",
    title: "",
    fields: &[
        titled("Campaign type", "record_type"),
        titled("Database", "database"),
        coded("Action", "action", ACTIONS),
        titled("Statuses", "statuses"),
        related("Agent", "user"),
        related("Contact", "contact"),
        word("Call", "call_id"),
        word("Activity", "activity"),
        date_time("Next call", "nextcall"),
        date_time("Created", "created"),
        date_time("Edited", "edited"),
    ],
    sort: &["edited", "created", "nextcall"],
    custom_fields: CustomFields::ContactPoints,
    ..ENTITY
};

const TYPE: Entity = Entity {
    endpoint: "campaignsTypes",
    singular: "campaign type",
    plural: "campaign types",
    fields: &[
        titled("Queue", "queue"),
        date_time("Created", "created"),
        text("Description", "description"),
    ],
    is_reference_data: true,
    ..ENTITY
};

const RECORDS: List = List {
    entity: &RECORD,
    filters: &[
        eq(&param::CAMPAIGN, "record_type"),
        custom(&param::CAMPAIGN_ACTION, |_, given| {
            Ok(Filter::eq("action", code(given)).into())
        }),
        from(&param::NEXT_CALL_FROM, "nextcall"),
        until(&param::NEXT_CALL_TO, "nextcall"),
        eq(&param::USER, "user"),
        eq(&param::CONTACT, "contact"),
        from(&param::DATE_FROM, "created"),
        until(&param::DATE_TO, "created"),
    ],
    sort: Some(("edited", Direction::Descending)),
    take: (50, 200),
};

const TYPES: List = List {
    entity: &TYPE,
    filters: &[],
    sort: None,
    take: (200, 1000),
};

const DIMENSIONS: &[Dimension] = &[
    statistics::related("campaign_type", "Campaign type", "record_type"),
    statistics::related("database", "Database", "database"),
    statistics::coded(
        "action",
        "Action",
        "action",
        &["0", "1", "2", "3", "4", "5", "6"],
        ACTIONS,
    ),
    statistics::related("status", "Status", "statuses"),
    statistics::agent("user"),
    statistics::agent_group("user"),
    statistics::CONTACT,
    statistics::CONTACT_S_ACCOUNT,
    statistics::CUSTOM_FIELD,
    statistics::HOUR,
    statistics::DAY,
    statistics::WEEKDAY,
    statistics::WEEK,
    statistics::MONTH,
];

const STATISTICS: Statistics = Statistics {
    singular: "campaign record",
    plural: "campaign records",
    sources: &[Source {
        channel: "",
        list: &RECORDS,
        lacks: &[],
    }],
    filters: RECORDS.filters,
    channel: None,
    dimensions: DIMENSIONS,
    group_by: &statistics::names::<{ DIMENSIONS.len() }>(DIMENSIONS),
    measures: &[],
    of: &[],
};

pub const TOOLS: &[Tool] = &[
    Tool::statistics(
        "campaign_statistics",
        "Campaign statistics",
        &STATISTICS,
        "Totals of records of outbound campaigns in one answer: how many, by campaign type, action (ready, done …), status, agent, custom field or day of \
         creation. Exact over all that match.",
    ),
    Tool::list(
        "list_campaign_records",
        "List campaign records",
        &RECORDS,
        "List records of outbound campaigns with the state of their calls. Dates filter by creation.",
    ),
    Tool::get(
        "get_campaign_record",
        "Campaign record",
        &RECORD,
        "list_campaign_records",
        "One campaign record with all its custom fields.",
    ),
    Tool::list(
        "list_campaign_types",
        "List campaign types",
        &TYPES,
        "List the types of campaigns.",
    ),
];

/// The code that Daktela has for a state: its place among the words.
fn code(word: &str) -> String {
    let Kind::OneOf(words) = param::CAMPAIGN_ACTION.kind else {
        return word.to_owned();
    };
    let place = words.iter().position(|known| *known == word);
    place.map_or_else(|| word.to_owned(), |place| ACTIONS[place].0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_filter_has_a_code() {
        let Kind::OneOf(words) = param::CAMPAIGN_ACTION.kind else {
            panic!("a choice")
        };
        let codes: Vec<String> = words.iter().map(|word| code(word)).collect();
        assert_eq!(codes, ACTIONS.iter().map(|(code, _)| *code).collect::<Vec<_>>());
    }
}
