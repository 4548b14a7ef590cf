//! Content of activities: the e-mail, call or chat that an activity stands for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    daktela::{
        error::Error,
        observations::Mend,
        query::{Filter, Query},
    },
    model::{
        args::Args, context::Context, custom_field::CustomFieldSchema, entity::Entity, field::Detail, output::Related,
        param,
    },
    run::facts::Reader,
    sort, value,
};

/// The entity of an activity type's channel. Comments and custom activities have none: their text is their own.
pub(crate) type ChannelOf = fn(&str) -> Option<&'static Entity>;

/// How many activities one filter names at most, so that the request line stays within what servers take (8 KB).
const ACTIVITIES_PER_QUERY: usize = 40;

/// How a channel's record is found by its activity where `item` does not name it: by a dotted path, or by the relation
/// itself, which is a filter on names, too. Builds are known to take the one or the other.
const BACK_REFERENCES: [&str; 2] = [ACTIVITY, "activities"];

/// The activity's name in a channel's record.
const ACTIVITY: &str = "activities.name";

/// What of an activity names its channel's record: `item` in every source, `options.item` for some e-mails.
pub(crate) const ITEM_FIELDS: &[&str] = &["item.name", "item.id_call"];

/// What the channels hold for these activities, in order: the channel's record that the activity's `item` names, read from
/// each channel by its name; else by the activity's name; else what the activity by itself embeds or names.
pub(crate) fn contents(context: &Context, args: &Args, activities: &[Value], channel: ChannelOf) -> Vec<Related> {
    let wanted: Vec<Wanted> = activities
        .iter()
        .enumerate()
        .filter_map(|(i, activity)| {
            Some(Wanted {
                at: i,
                name: value::text_at(activity, "name")?,
                entity: channel(&value::text_at(activity, "type")?)?,
            })
        })
        .collect();
    let mut found: Vec<Option<Value>> = vec![None; activities.len()];
    let mut failed = BTreeMap::new();
    failed.extend(read_items(context, &wanted, activities, &mut found));
    for field in BACK_REFERENCES {
        let open = open(&wanted, &found);
        if open.is_empty() {
            break;
        }
        let client = &context.client;
        let takes = |one: &&Wanted| !client.refuses(Mend::BackReference, one.entity.endpoint, field);
        let by_activity: Vec<(&Wanted, String)> = open
            .into_iter()
            .filter(takes)
            .map(|one| (one, one.name.clone()))
            .collect();
        let errors = read_by(context, &|_| (field, ACTIVITY), &by_activity, &mut found);
        for (endpoint, is_found) in channels_of(&by_activity, &found) {
            client.note_mend(Mend::BackReference, endpoint, &[field], is_found);
        }
        for (endpoint, error) in &errors {
            if matches!(error, Error::Refused(_)) {
                client.learn_refused(Mend::BackReference, endpoint, field);
            }
        }
        failed.extend(errors);
    }
    read_alone(context, &wanted, &mut found);

    let mut parts: Vec<Related> = activities.iter().map(|_| Related::default()).collect();
    for entity in channels(wanted.iter()) {
        let (at, rows): (Vec<usize>, Vec<Value>) = wanted
            .iter()
            .filter(|one| one.entity.endpoint == entity.endpoint)
            .filter_map(|one| Some((one.at, found[one.at].clone()?)))
            .unzip();
        let more = entity
            .enrich
            .map(|parts| {
                let each = at.iter().zip(&rows);
                let rows: Vec<Value> = each.map(|(i, row)| of_activity(row, &activities[*i])).collect();
                parts(context, entity, args, &rows)
            })
            .unwrap_or_default();
        let reader = Reader {
            settings: context.settings,
            schema: &CustomFieldSchema::new(),
            detail: Detail::Summary,
            full_mail: args.flag(&param::FULL_MAIL),
            only: Vec::new(),
        };
        let mut more = more.into_iter();
        for (i, row) in at.into_iter().zip(&rows) {
            parts[i] = reader
                .record(entity, row, more.next().unwrap_or_default())
                .into_related();
        }
    }
    for one in &wanted {
        if found[one.at].is_none() {
            let what = format!("the {} itself could not be", one.entity.singular);
            parts[one.at] = match failed.get(one.entity.endpoint) {
                Some(error) => Related::remarks(error.remark(&format!("{what} read"))),
                None => Related::remark(format!("[{what} found]")),
            };
        }
    }
    parts
}

/// A channel's record with this activity alone, whose part of it is wanted: a transferred call has several.
fn of_activity(row: &Value, activity: &Value) -> Value {
    let mut row = row.clone();
    if let Some(row) = row.as_object_mut() {
        let picked = ["name", "time", "user"].map(|key| (key.to_owned(), activity[key].clone()));
        let activity: serde_json::Map<String, Value> = picked.into_iter().collect();
        row.insert("activities".to_owned(), Value::Array(vec![Value::Object(activity)]));
    }
    row
}

/// An activity whose channel record is wanted.
struct Wanted {
    /// Its place among the activities.
    at: usize,
    name: String,
    entity: &'static Entity,
}

/// Those whose channel record is not found yet.
fn open<'a>(wanted: &'a [Wanted], found: &[Option<Value>]) -> Vec<&'a Wanted> {
    wanted.iter().filter(|one| found[one.at].is_none()).collect()
}

/// The channels of these activities, each once.
fn channels<'a>(wanted: impl Iterator<Item = &'a Wanted>) -> Vec<&'static Entity> {
    let mut channels: Vec<&'static Entity> = wanted.map(|one| one.entity).collect();
    sort::sort_by_key(&mut channels, |entity| entity.endpoint);
    channels.dedup_by_key(|entity| entity.endpoint);
    channels
}

/// The channels of what was looked for, and whether a record of it was found.
fn channels_of(looked_for: &[(&Wanted, String)], found: &[Option<Value>]) -> BTreeMap<&'static str, bool> {
    let mut out = BTreeMap::new();
    for (one, _) in looked_for {
        *out.entry(one.entity.endpoint).or_insert(false) |= found[one.at].is_some();
    }
    out
}

/// What an activity says of its channel's record: the record's name, or all of it.
enum Item<'a> {
    Named(String),
    Whole(&'a Value),
}

fn item<'a>(activity: &'a Value, entity: &Entity) -> Option<Item<'a>> {
    let item = &activity["item"];
    let times = ["time", "call_time"];
    if times.iter().any(|time| item.get(time).is_some()) {
        return Some(Item::Whole(item));
    }
    let name = value::text_at(activity, &format!("item.{}", entity.key));
    name.or_else(|| value::text_at(activity, "options.item.name"))
        .map(Item::Named)
}

/// Reads the channels' records that the activities name, and returns why a channel could not be read.
fn read_items(
    context: &Context,
    wanted: &[Wanted],
    activities: &[Value],
    found: &mut [Option<Value>],
) -> Vec<(&'static str, Error)> {
    let mut named = Vec::new();
    for one in wanted {
        match item(&activities[one.at], one.entity) {
            Some(Item::Whole(record)) => found[one.at] = Some(record.clone()),
            Some(Item::Named(name)) => named.push((one, name)),
            None => {}
        }
    }
    read_by(context, &|entity| (entity.key, entity.key), &named, found)
}

/// Where a channel's record has what it is looked for by: the field of a filter, and the path in its rows.
type By<'a> = &'a dyn Fn(&Entity) -> (&'static str, &'static str);

/// Reads channels' records by a field, some at once, and returns why a channel could not be read.
fn read_by(
    context: &Context,
    by: By,
    looked_for: &[(&Wanted, String)],
    found: &mut [Option<Value>],
) -> Vec<(&'static str, Error)> {
    let mut of = Vec::new();
    let mut queries = Vec::new();
    for entity in channels(looked_for.iter().map(|(one, _)| *one)) {
        let names: Vec<String> = looked_for
            .iter()
            .filter(|(one, _)| one.entity.endpoint == entity.endpoint)
            .map(|(_, name)| name.clone())
            .collect();
        let (field, path) = by(entity);
        for names in names.chunks(ACTIVITIES_PER_QUERY) {
            // The activities themselves are known.
            let mut fields = entity.projection(Detail::Summary);
            fields.retain(|field| !field.starts_with("activities."));
            if !fields.iter().any(|field| field == path) {
                fields.push(path.to_owned());
            }
            // An activity has one record in its channel; the rest is room for builds that find more.
            let take = 2 * names.len() as u64;
            of.push(entity);
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
    for (page, entity) in context.client.read_pages(&queries).into_iter().zip(of) {
        let rows = match page {
            Ok(page) => page.rows,
            Err(error) => {
                failed.push((entity.endpoint, error));
                continue;
            }
        };
        let (_, path) = by(entity);
        for row in rows {
            let names: Vec<String> = value::all(&row, path).into_iter().filter_map(value::text).collect();
            for (one, name) in looked_for {
                if one.entity.endpoint == entity.endpoint && names.contains(name) {
                    found[one.at] = Some(row.clone());
                }
            }
        }
    }
    failed
}

/// Reads of each activity by itself what it embeds or names, and then the channels' records that are named so.
fn read_alone(context: &Context, wanted: &[Wanted], found: &mut [Option<Value>]) {
    let open = open(wanted, found);
    if open.is_empty() {
        return;
    }
    let names: Vec<&str> = open.iter().map(|one| one.name.as_str()).collect();
    let fields = ["name", "item", "options"].map(str::to_owned);
    let mut named = Vec::new();
    for (one, activity) in open
        .iter()
        .zip(context.client.read_records("activities", &names, &fields))
    {
        match activity.as_ref().ok().and_then(|activity| item(activity, one.entity)) {
            Some(Item::Whole(record)) => found[one.at] = Some(record.clone()),
            Some(Item::Named(name)) => named.push((*one, name)),
            None => {}
        }
    }
    let by_channel = read_by(context, &|entity| (entity.key, entity.key), &named, found);
    let failed = by_channel.into_iter().map(|(endpoint, _)| endpoint);
    // A build that does not filter by names gives records by their paths.
    let failed: Vec<&str> = failed.collect();
    for (one, name) in named.iter().filter(|(one, _)| failed.contains(&one.entity.endpoint)) {
        let fields = one.entity.projection(Detail::Summary);
        found[one.at] = context.client.read_record(one.entity.endpoint, name, &fields).ok();
    }
    for (endpoint, is_found) in channels_of(&open.iter().map(|one| (*one, String::new())).collect::<Vec<_>>(), found) {
        context.client.note_mend(Mend::ItemAlone, endpoint, &["item"], is_found);
    }
}
