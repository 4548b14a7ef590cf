//! Content of activities: the e-mail, call or chat that an activity stands for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    daktela::{
        error::Error,
        query::{Filter, Query},
    },
    model::{
        args::Args, context::Context, custom_field::CustomFieldSchema, entity::Entity, field::Detail, output::Related,
        param,
    },
    run::facts::Reader,
    value,
};

/// The entity of an activity type's channel. Comments and custom activities have none: their text is their own.
pub(crate) type ChannelOf = fn(&str) -> Option<&'static Entity>;

/// How many activities one filter names at most, so that the request line stays within what servers take (8 KB).
const ACTIVITIES_PER_QUERY: usize = 40;

/// How a channel's record is found by its activity: by a dotted path, or by the relation itself, which is a filter on
/// names, too. Builds are known to take the one or the other.
const BACK_REFERENCES: [&str; 2] = ["activities.name", "activities"];

/// Whole records are large; where a build needs them, this many are read at most.
const WHOLE_MAX: usize = 25;

/// What the channels hold for these activities, in order: read from each channel by the activities' names; where a
/// build does not find them so, from the channel's record that the whole activity embeds or names.
pub(crate) fn contents(context: &Context, args: &Args, activities: &[Value], channel: ChannelOf) -> Vec<Related> {
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
        let reader = Reader {
            settings: context.settings,
            schema: &CustomFieldSchema::new(),
            detail: Detail::Summary,
            full_mail: args.flag(&param::FULL_MAIL),
        };
        let mut more = more.into_iter();
        for (i, row) in at.into_iter().zip(&rows) {
            parts[i] = reader
                .record(entity, row, more.next().unwrap_or_default())
                .into_related();
        }
    }
    for (i, _, entity) in &wanted {
        if found[*i].is_none() {
            let what = format!("the {} itself could not be", entity.singular);
            parts[*i] = match failed.get(entity.endpoint) {
                Some(error) => Related::remarks(error.remark(&format!("{what} read"))),
                None => Related::remark(format!("[{what} found]")),
            };
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
