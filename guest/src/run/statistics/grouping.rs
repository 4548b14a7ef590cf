//! Groups of a record: its values of a dimension, each with the name by which it is told from others.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tally::Named;
use crate::{
    daktela::{
        error::Error,
        query::{self, Filter, Query, TAKE_MAX},
    },
    model::{
        context::Context,
        custom_field::CustomFieldSchema,
        entity::Entity,
        output::{FactValue, Reference},
        statistics::{Bucket, By, Dimension, Source},
    },
    render::markdown::{self, inline, quoted},
    run::{custom_fields, resolve},
    text, time, value,
};

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// Types of custom fields with a choice.
const CHOICES: &[&str] = &["SELECTBOX", "MULTISELECTBOX", "RADIO", "CHECKBOX"];

/// More days, weeks or months than this are not counted one by one.
const BUCKETS_MAX: i64 = 400;

/// What dimensions need beside the records.
#[derive(Default)]
pub(super) struct Lookups {
    /// Of an agent by login: the groups.
    groups_of_agents: BTreeMap<String, Vec<Named>>,
    /// The custom field: its keys, since forms may share its label, and its choices.
    custom_field: Option<(Vec<String>, CustomFieldSchema)>,
}

impl Lookups {
    /// Reads what a dimension needs before the records come.
    pub(super) fn before(&mut self, context: &Context, dimension: &Dimension) -> Result<(), Error> {
        if let By::GroupOfAgent(_) = dimension.by {
            self.groups_of_agents = groups_of_agents(context)?;
        }
        Ok(())
    }

    /// Finds the custom field by the first records.
    pub(super) fn custom_field(
        &mut self,
        context: &Context,
        entity: &Entity,
        rows: &[Value],
        wanted: &str,
    ) -> Result<(), Error> {
        if self.custom_field.is_some() || rows.is_empty() {
            return Ok(());
        }
        let schema = custom_fields::schema(context, entity, rows);
        let folded = text::fold(wanted);
        let mut keys: Vec<String> = schema.keys().filter(|key| *key == wanted).cloned().collect();
        if keys.is_empty() {
            let same = schema.iter().filter(|(_, field)| text::fold(&field.title) == folded);
            keys = same.map(|(key, _)| key.clone()).collect();
        }
        let is_choice = |key: &String| {
            schema.get(key).is_some_and(|field| {
                // What may be hidden from people is not told by its figures either.
                field.hidden == Some(false) && (field.kind.is_empty() || CHOICES.contains(&field.kind.as_str()))
            })
        };
        keys.retain(&is_choice);
        if keys.is_empty() {
            let known: Vec<String> = schema
                .iter()
                .filter(|(key, _)| is_choice(key))
                .map(|(key, field)| format!("- {} ({})", inline(&field.title, 100), inline(key, 100)))
                .collect();
            let what = format!("No custom field {} with a choice was found", quoted(wanted));
            return Err(Error::Argument(if known.is_empty() {
                format!(
                    "{what}: the first {} have none.",
                    text::count(rows.len() as u64, entity.singular, entity.plural)
                )
            } else {
                format!(
                    "{what}. Those with a choice, by the first {}:\n{}",
                    text::count(rows.len() as u64, entity.singular, entity.plural),
                    known.join("\n")
                )
            }));
        }
        self.custom_field = Some((keys, schema));
        Ok(())
    }

    /// The label of the custom field.
    pub(super) fn custom_label(&self) -> Option<&str> {
        let (keys, schema) = self.custom_field.as_ref()?;
        Some(&schema.get(keys.first()?)?.title)
            .filter(|title| !title.is_empty())
            .map(String::as_str)
    }

    /// The groups of a record by a dimension; `time` is the field that the dates filter.
    pub(super) fn groups(&self, dimension: &Dimension, source: &Source, time: &str, row: &Value) -> Vec<Named> {
        match dimension.by {
            By::Time(bucket) => {
                let at = value::text_at(row, time);
                at.and_then(|at| self::bucket(bucket, &at)).into_iter().collect()
            }
            By::Related { path, .. } => value::all(row, path).into_iter().filter_map(related).collect(),
            By::GroupOfAgent(path) => value::first(row, path)
                .and_then(value::name_of)
                .and_then(|agent| self.groups_of_agents.get(&agent).cloned())
                .unwrap_or_default(),
            By::Word { path, meanings, .. } => value::all(row, path)
                .into_iter()
                .filter_map(value::text)
                .map(|word| self::word(word, meanings))
                .collect(),
            By::YesNo(path) => value::first(row, path)
                .and_then(value::yes_no)
                .map(yes_no)
                .into_iter()
                .collect(),
            By::Computed(_, compute) => compute(row).map(|value| (key(&value), value)).into_iter().collect(),
            By::Channel => vec![(source.channel.to_owned(), FactValue::Word(source.channel.to_owned()))],
            By::CustomField => {
                let Some((keys, schema)) = &self.custom_field else {
                    return Vec::new();
                };
                let values = keys.iter().flat_map(|key| {
                    let field = schema.get(key);
                    value::all(&row["customFields"], key)
                        .into_iter()
                        .filter_map(move |stored| {
                            let stored = value::text(stored)?;
                            let shown = field.and_then(|field| field.items.get(&stored)).cloned();
                            let shown = match (shown, field.map(|field| field.kind.as_str()), stored.as_str()) {
                                (None, Some("CHECKBOX"), "1" | "yes") => return Some(yes_no(true)),
                                (None, Some("CHECKBOX"), "0" | "no") => return Some(yes_no(false)),
                                (shown, ..) => shown.unwrap_or_else(|| stored.clone()),
                            };
                            // What people see tells choices apart: forms may store one under several names.
                            Some((shown.clone(), FactValue::Text(shown)))
                        })
                });
                values.collect()
            }
        }
    }
}

fn related(of: &Value) -> Option<Named> {
    let (id, title) = (value::name_of(of), value::text_at(of, "title"));
    let key = id.clone().or_else(|| title.clone())?;
    Some((key, FactValue::Reference(Reference { id, title, url: None })))
}

fn word(word: String, meanings: &'static [(&'static str, &'static str)]) -> Named {
    let known = meanings.iter().find(|(known, _)| *known == word);
    let value = match known {
        Some((_, meaning)) => FactValue::Code {
            code: word.clone(),
            meaning: (*meaning).into(),
        },
        None => FactValue::Word(word.clone()),
    };
    (word, value)
}

fn yes_no(yes: bool) -> Named {
    (if yes { "yes" } else { "no" }.to_owned(), FactValue::YesNo(yes))
}

/// By what a value is told from others.
fn key(of: &FactValue) -> String {
    match of {
        FactValue::Code { code, .. } => code.clone(),
        FactValue::Text(text) | FactValue::Word(text) | FactValue::DateTime(text) => text.clone(),
        FactValue::Reference(Reference { id, title, .. }) => id.clone().or_else(|| title.clone()).unwrap_or_default(),
        FactValue::YesNo(yes) => yes_no(*yes).0,
        other => markdown::value(other),
    }
}

/// The part of a time that it belongs to.
fn bucket(bucket: Bucket, at: &str) -> Option<Named> {
    let named = |key: &str, shown: String| (key.to_owned(), FactValue::Word(shown));
    match bucket {
        Bucket::HourOfDay => at.get(11..13).map(|hour| named(hour, format!("{hour}:00"))),
        Bucket::Day => at.get(..10).map(|day| named(day, day.to_owned())),
        Bucket::Month => at.get(..7).map(|month| named(month, month.to_owned())),
        Bucket::Weekday => {
            let number = time::day_of_week(at)?;
            let name = WEEKDAYS.get(number as usize - 1)?;
            Some(named(&number.to_string(), (*name).to_owned()))
        }
        Bucket::Week => time::week(at).map(|(week, monday)| named(&week, format!("{week} (from {monday})"))),
    }
}

/// All groups of a dimension with the condition of each, where they are known and no record is in two of them. `from` and `to`
/// bound the time.
pub(super) fn partition(
    context: &Context,
    dimension: &Dimension,
    time: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Option<Vec<(Named, Filter)>> {
    match dimension.by {
        By::Word { path, words, meanings } if !words.is_empty() => Some(
            words
                .iter()
                .map(|word| (self::word((*word).to_owned(), meanings), Filter::eq(path, *word)))
                .collect(),
        ),
        By::YesNo(path) => Some(vec![
            (yes_no(true), Filter::eq(path, "1")),
            (yes_no(false), Filter::eq(path, "0")),
        ]),
        By::Related {
            path,
            directory: Some(directory),
            ..
        } => Some(
            resolve::entries(context, directory)?
                .into_iter()
                .map(|(name, title)| {
                    let title = (!title.is_empty()).then_some(title);
                    let filter = Filter::eq(path, name.clone());
                    let value = FactValue::Reference(Reference {
                        id: Some(name.clone()),
                        title,
                        url: None,
                    });
                    ((name, value), filter)
                })
                .collect(),
        ),
        By::Time(of @ (Bucket::Day | Bucket::Week | Bucket::Month)) => {
            let (from, to) = (from?, to?);
            let days = (time::seconds(to)?.div_euclid(86_400)) - (time::seconds(from)?.div_euclid(86_400));
            let mut out: Vec<(Named, Filter)> = Vec::new();
            let mut begins = from.to_owned();
            for day in 0..=days {
                let midnight = time::later(from.get(..10)?, (day + 1) * 86_400)?;
                let group = bucket(of, &time::later(from.get(..10)?, day * 86_400)?)?;
                let ends_here = day == days || bucket(of, &midnight)?.0 != group.0;
                if ends_here {
                    let end = if day == days {
                        to.to_owned()
                    } else {
                        time::later(&midnight, -1)?
                    };
                    let within = vec![Filter::new(time, "gte", begins), Filter::new(time, "lte", end)];
                    out.push((group, Filter::All(within)));
                    begins = midnight;
                }
                if out.len() as i64 > BUCKETS_MAX {
                    return None;
                }
            }
            Some(out)
        }
        _ => None,
    }
}

/// The groups of users, by the logins of those who are in them.
fn groups_of_agents(context: &Context) -> Result<BTreeMap<String, Vec<Named>>, Error> {
    let groups = context.client.read_all(
        &Query::new("groups", TAKE_MAX)
            .fields(&["name", "title"])
            .filter(Filter::eq("type", "users"))
            .reference_data(true),
    )?;
    let has_path = |(name, _): &Named| query::path("groups", &[name, "members"]).is_some();
    let groups: Vec<Named> = groups.rows.iter().filter_map(related).filter(has_path).collect();
    let queries: Vec<Query> = groups
        .iter()
        .filter_map(|(name, _)| query::path("groups", &[name, "members"]))
        .map(|members| Query::new(members, TAKE_MAX).fields(&["name"]).reference_data(true))
        .collect();
    let mut out: BTreeMap<String, Vec<Named>> = BTreeMap::new();
    for (group, members) in groups.into_iter().zip(context.client.read_all_of_each(&queries)) {
        for member in members?.rows.iter().filter_map(value::name_of) {
            out.entry(member).or_default().push(group.clone());
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_belongs_to_its_hour_day_week_and_month() {
        let shown = |of| match bucket(of, "2027-01-01 08:59:59") {
            Some((key, FactValue::Word(shown))) => (key, shown),
            other => panic!("{other:?}"),
        };
        let pair = |key: &str, shown: &str| (key.to_owned(), shown.to_owned());
        assert_eq!(shown(Bucket::HourOfDay), pair("08", "08:00"));
        assert_eq!(shown(Bucket::Day), pair("2027-01-01", "2027-01-01"));
        assert_eq!(shown(Bucket::Weekday), pair("5", "Friday"));
        assert_eq!(shown(Bucket::Week), pair("2026-W53", "2026-W53 (from 2026-12-28)"));
        assert_eq!(shown(Bucket::Month), pair("2027-01", "2027-01"));
        assert!(bucket(Bucket::Week, "").is_none());
    }
}
