use std::collections::BTreeMap;

use serde_json::Value;

use super::{calls, chats, emails, list};
use crate::{
    daktela::error::Error,
    daktela::query::{Direction, Filter, Query},
    model::args::Args,
    model::param,
    model::tool::{
        CustomFields, Detail, ENTITY, Entity, Example, List, LongText, Overflow, Related, Run, TextKind, Tool, coded,
        computed, custom, detail, eq, from, plain, related, seconds, ticket, titled, until,
    },
    render::record::{CustomFieldSchema, View},
    run::Context,
    text, value,
};

/// Activity states, and what agents call them.
const ACTIONS: &[(&str, &str)] = &[("WAIT", "WAIT (not taken yet)"), ("POSTPONE", "POSTPONE (later)")];
/// Kinds whose code does not say what they are. A comment's may be empty.
const TYPES: &[(&str, &str)] = &[
    ("CHAT", "CHAT (web chat)"),
    ("FBM", "FBM (Messenger)"),
    ("IGDM", "IGDM (Instagram)"),
    ("WAP", "WAP (WhatsApp)"),
    ("VBR", "VBR (Viber)"),
];

pub const ACTIVITY: Entity = Entity {
    endpoint: "activities",
    singular: "activity",
    plural: "activities",
    fields: &[
        computed("Type", &["type"], kind),
        coded("State", "action", ACTIONS),
        titled("Queue", "queue"),
        related("Agent", "user"),
        ticket("Ticket", "ticket"),
        related("Contact", "contact"),
        plain("Time", "time"),
        detail(plain("Waiting since", "time_wait")),
        plain("Opened", "time_open"),
        plain("Closed", "time_close"),
        seconds("Duration", "duration"),
        detail(seconds("Ringing", "ringing_time")),
        detail(seconds("Wrap-up", "aaw")),
        titled("Statuses", "statuses"),
        computed("Important", &["important"], |activity| {
            value::only_yes(activity, "important")
        }),
        detail(related("Created by", "created_by")),
        detail(plain("NPS score", "survey.score")),
        computed("Attachments", &["attachments"], emails::attachments),
    ],
    texts: &[LongText {
        label: "",
        path: "description",
        kind: TextKind::Html,
        chars: 500,
    }],
    sort: &["time", "time_close", "duration", "ringing_time"],
    custom_fields: CustomFields::Fields,
    overflow: Overflow::Records,
    ..ENTITY
};

/// One activity by itself shows what its channel holds.
const ACTIVITY_DETAIL: Entity = Entity {
    extra_params: &[param::FULL_MAIL],
    enrich: Some(|context, _, args, rows| contents(context, args, rows)),
    ..ACTIVITY
};

const LIST: List = List {
    entity: &ACTIVITY,
    filters: &[
        custom(&param::ACTIVITY_TYPE, of_type),
        eq(&param::ACTION, "action"),
        eq(&param::QUEUE, "queue"),
        eq(&param::TICKET, "ticket"),
        eq(&param::USER, "user"),
        from(&param::DATE_FROM, "time"),
        until(&param::DATE_TO, "time"),
    ],
    sort: Some(("time", Direction::Descending)),
    take: (50, 200),
};

pub const TOOLS: &[Tool] = &[
    list(
        "list_activities",
        "List activities",
        &LIST,
        "List activities of every channel: what was done when, by whom, on which ticket. Narrow by dates. For the content use the tools of the \
         channel, get_activity or get_ticket_detail.",
    ),
    Tool {
        name: "get_activity",
        title: "Activity",
        description: "One activity with its content: the e-mail's text, the call's facts, the chat's messages or the comment.",
        run: Run::Get(&ACTIVITY_DETAIL),
        example: Some(Example {
            tool: "list_activities",
            key: "name",
        }),
    },
];

/// Comments have an empty type in most builds.
fn of_type(_: &Context, given: &str) -> Filter {
    if given == "COMMENT" {
        Filter::Any(vec![Filter::eq("type", "COMMENT"), Filter::eq("type", "")])
    } else {
        Filter::eq("type", given)
    }
}

fn kind(activity: &Value) -> Option<String> {
    let code = value::text_at(activity, "type").unwrap_or_else(|| "COMMENT".to_owned());
    Some(
        TYPES
            .iter()
            .find(|(known, _)| *known == code)
            .map_or(code, |(_, shown)| (*shown).to_owned()),
    )
}

/// The channel of an activity type. Comments and custom activities have none: their text is their own.
fn channel(kind: &str) -> Option<&'static Entity> {
    match kind {
        "EMAIL" => Some(&emails::EMAIL),
        "CALL" => Some(&calls::CALL),
        "CHAT" => Some(&chats::WEB),
        "SMS" => Some(&chats::SMS),
        "FBM" => Some(&chats::MESSENGER),
        "IGDM" => Some(&chats::INSTAGRAM),
        "WAP" => Some(&chats::WHATSAPP),
        "VBR" => Some(&chats::VIBER),
        _ => None,
    }
}

/// How many activities one filter names at most, so that the request line stays within what servers take (8 KB).
const ACTIVITIES_PER_QUERY: usize = 40;

/// How a channel's record is found by its activity: by a dotted path, or by the relation itself, which is a filter on
/// names, too. Builds are known to take the one or the other.
const BACK_REFERENCES: [&str; 2] = ["activities.name", "activities"];

/// Whole records are large; where a build needs them, this many are read at most.
const WHOLE_MAX: usize = 25;

/// What the channels hold for these activities, in order: read from each channel by the activities' names; where a
/// build does not find them so, from the channel's record that the whole activity embeds or names.
pub fn contents(context: &Context, args: &Args, activities: &[Value]) -> Vec<Related> {
    let wanted: Vec<Wanted> = activities
        .iter()
        .enumerate()
        .filter_map(|(i, activity)| {
            Some((
                i,
                value::text_at(activity, "name")?,
                channel(&value::text_at(activity, "type")?)?,
            ))
        })
        .collect();
    let mut found: Vec<Option<Value>> = vec![None; activities.len()];
    let mut failed = BTreeMap::new();
    for field in BACK_REFERENCES {
        failed.extend(read_by_activity(context, field, &wanted, &mut found));
    }
    read_through_item(context, &wanted, &mut found);

    let mut parts: Vec<Related> = activities.iter().map(|_| Related::default()).collect();
    for entity in channels(&wanted.iter().collect::<Vec<_>>()) {
        let (at, rows): (Vec<usize>, Vec<Value>) = wanted
            .iter()
            .filter(|(_, _, e)| e.endpoint == entity.endpoint)
            .filter_map(|(i, ..)| Some((*i, found[*i].clone()?)))
            .unzip();
        let more = entity
            .enrich
            .map(|parts| parts(context, entity, args, &rows))
            .unwrap_or_default();
        let view = View {
            settings: context.settings,
            scheme: &CustomFieldSchema::new(),
            detail: Detail::Summary,
            full_mail: args.flag(&param::FULL_MAIL),
        };
        let mut more = more.into_iter();
        for (i, row) in at.into_iter().zip(&rows) {
            parts[i] = view.record(entity, row, more.next().unwrap_or_default()).into_part();
        }
    }
    for (i, _, entity) in &wanted {
        if found[*i].is_none() {
            let why = failed
                .get(entity.endpoint)
                .map(|error| format!("read: {}", text::line(error.text())));
            let why = why.unwrap_or_else(|| "found".to_owned());
            parts[*i] = Related::remark(format!("[the {} itself could not be {why}]", entity.singular));
        }
    }
    parts
}

/// An activity whose channel record is wanted: its place among the activities, its name, its channel.
type Wanted = (usize, String, &'static Entity);

/// Reads what is still missing, and returns why a channel could not be read.
fn read_by_activity(
    context: &Context,
    field: &str,
    wanted: &[Wanted],
    found: &mut [Option<Value>],
) -> Vec<(&'static str, Error)> {
    let missing: Vec<&Wanted> = wanted.iter().filter(|(i, ..)| found[*i].is_none()).collect();
    let mut endpoints = Vec::new();
    let mut queries = Vec::new();
    for entity in channels(&missing) {
        let names: Vec<String> = missing
            .iter()
            .filter(|(.., e)| e.endpoint == entity.endpoint)
            .map(|(_, name, _)| name.clone())
            .collect();
        for names in names.chunks(ACTIVITIES_PER_QUERY) {
            let mut fields = entity.projection(Detail::Summary);
            if !fields.iter().any(|field| field == "activities.name") {
                fields.push("activities.name".to_owned());
            }
            // An activity has one record in its channel; the rest is room for builds that find more.
            let take = 2 * names.len() as u64;
            endpoints.push(entity.endpoint);
            queries.push(
                Query {
                    fields,
                    ..Query::new(entity.endpoint, take)
                }
                .filter(Filter::one_of(field, names.to_vec())),
            );
        }
    }
    let mut failed = Vec::new();
    for (page, endpoint) in context.client.read_pages(&queries).into_iter().zip(endpoints) {
        let rows = match page {
            Ok(page) => page.rows,
            Err(error) => {
                failed.push((endpoint, error));
                continue;
            }
        };
        for row in rows {
            let names: Vec<String> = value::all(&row, "activities.name")
                .into_iter()
                .filter_map(value::text)
                .collect();
            for (i, name, entity) in wanted {
                if entity.endpoint == endpoint && names.contains(name) {
                    found[*i] = Some(row.clone());
                }
            }
        }
    }
    failed
}

/// The channels of these activities, each once.
fn channels(wanted: &[&Wanted]) -> Vec<&'static Entity> {
    let mut channels: Vec<&'static Entity> = wanted.iter().map(|(.., entity)| *entity).collect();
    channels.sort_by_key(|entity| entity.endpoint);
    channels.dedup_by_key(|entity| entity.endpoint);
    channels
}

fn read_through_item(context: &Context, wanted: &[Wanted], found: &mut [Option<Value>]) {
    let missing: Vec<&Wanted> = wanted
        .iter()
        .filter(|(i, ..)| found[*i].is_none())
        .take(WHOLE_MAX)
        .collect();
    let names: Vec<&str> = missing.iter().map(|(_, name, _)| name.as_str()).collect();
    for ((i, _, entity), activity) in missing
        .iter()
        .zip(context.client.read_records("activities", &names, &[]))
    {
        let Ok(activity) = activity else { continue };
        let item = &activity["item"];
        if item.get("time").is_some() || item.get("call_time").is_some() {
            found[*i] = Some(item.clone());
            continue;
        }
        let name = value::text_at(item, entity.key).or_else(|| value::text_at(&activity, "options.item.name"));
        let record = name.map(|name| {
            context
                .client
                .read_record(entity.endpoint, &name, &entity.projection(Detail::Summary))
        });
        found[*i] = record.and_then(Result::<Value, Error>::ok);
    }
}
