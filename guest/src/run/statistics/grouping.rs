//! Groups of a record: its values of a dimension, each with the name by which it is told from others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::tally::Named;
use crate::{
    daktela::{
        error::Error,
        query::{self, Direction, Filter, Query, TAKE_MAX},
    },
    model::{
        context::Context,
        custom_field::{CustomField, CustomFieldSchema},
        entity::Entity,
        output::{FactValue, Reference, Unit},
        statistics::{Bucket, By, Dimension, Source},
    },
    render::markdown::{self, inline, quoted},
    run::{custom_fields, resolve, scan::FIRST_PAGE},
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

/// Types of custom fields whose values are no amounts, even where they have digits.
const NO_AMOUNTS: &[&str] = &[
    "CHECKBOX", "DATETIME", "DATE", "TIME", "PHONE", "EMAIL", "ADDRESS", "URL",
];

/// What is longer is no unit: the number stands in a sentence.
const UNIT_CHARS: usize = 12;

/// How many units are told apart.
const UNITS_MAX: usize = 10;

/// More days, weeks or months than this are not counted one by one.
const BUCKETS_MAX: i64 = 400;

/// What dimensions need beside the records.
#[derive(Default)]
pub(super) struct Lookups {
    /// Of an agent by login: the groups.
    groups_of_agents: BTreeMap<String, Vec<Named>>,
    /// The custom field that groups: its keys, since forms may share its label, and its choices.
    custom_field: Option<(Vec<String>, CustomFieldSchema)>,
    /// The custom field that is measured: its keys, and what it is called and may hold.
    measured: Option<(Vec<String>, CustomFieldSchema, String)>,
    /// What values of it were no numbers, and what was behind those that were.
    pub(super) refused: Refused,
}

/// What does not show in a measure of numbers that people entered.
#[derive(Default)]
pub(super) struct Refused {
    pub(super) values: u64,
    pub(super) example: Option<String>,
    /// Words behind or before numbers, such as currencies.
    pub(super) units: BTreeSet<String>,
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
        if self.custom_field.is_none() && !rows.is_empty() {
            let is_choice = |field: &CustomField| field.kind.is_empty() || CHOICES.contains(&field.kind.as_str());
            self.custom_field = Some(find(context, entity, rows, wanted, &is_choice, "with a choice")?);
        }
        Ok(())
    }

    /// Finds the custom field that is measured by the first records. Numbers stand in fields of texts, since Daktela has no type for
    /// them.
    pub(super) fn measured_field(
        &mut self,
        context: &Context,
        entity: &Entity,
        rows: &[Value],
        wanted: &str,
    ) -> Result<(), Error> {
        if self.measured.is_none() && !rows.is_empty() {
            let may_hold_numbers = |field: &CustomField| !NO_AMOUNTS.contains(&field.kind.as_str());
            let (keys, schema) = find(
                context,
                entity,
                rows,
                wanted,
                &may_hold_numbers,
                "that may hold numbers",
            )?;
            let title = keys
                .first()
                .and_then(|key| schema.get(key))
                .map(|field| field.title.clone());
            let label = title
                .filter(|title| !title.is_empty())
                .unwrap_or_else(|| wanted.to_owned());
            self.measured = Some((keys, schema, label));
        }
        Ok(())
    }

    /// The label of the custom field that is measured.
    pub(super) fn measured_label(&self) -> Option<&str> {
        self.measured.as_ref().map(|(.., label)| label.as_str())
    }

    /// The number that a record has in the custom field that is measured, in parts: the sum where it has several. What is no number is
    /// counted, and not measured.
    pub(super) fn measured(&mut self, row: &Value) -> Option<f64> {
        let Lookups { measured, refused, .. } = self;
        let (keys, schema, _) = measured.as_ref()?;
        let mut sum = None;
        let of_key = |key: &String| {
            let field = schema.get(key);
            let values = value::all(&row["customFields"], key)
                .into_iter()
                .filter_map(value::text);
            // A choice is stored by its name, and is what people see.
            values.map(move |stored| {
                field
                    .and_then(|field| field.items.get(&stored))
                    .cloned()
                    .unwrap_or(stored)
            })
        };
        for given in keys.iter().flat_map(of_key) {
            match entered_number(&given) {
                Some((number, unit)) => {
                    let parts = (number * Unit::PARTS as f64).round();
                    sum = Some(sum.unwrap_or(0.0) + parts);
                    if !unit.is_empty() && refused.units.len() < UNITS_MAX {
                        refused.units.insert(unit);
                    }
                }
                None => {
                    refused.values += 1;
                    refused.example.get_or_insert(given);
                }
            }
        }
        sum
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

/// The keys of a custom field by its key or label, and all definitions; of records of today where the first ones are older than the field.
fn find(
    context: &Context,
    entity: &Entity,
    rows: &[Value],
    wanted: &str,
    is_right: &dyn Fn(&CustomField) -> bool,
    kind: &str,
) -> Result<(Vec<String>, CustomFieldSchema), Error> {
    let folded = text::fold(wanted);
    // What may be hidden from people is not told by its figures either.
    let is_open = |field: &CustomField| field.hidden == Some(false) && is_right(field);
    let keys = |schema: &CustomFieldSchema| -> Vec<String> {
        let open = || schema.iter().filter(|(_, field)| is_open(field));
        let by_key: Vec<String> = open()
            .filter(|(key, _)| *key == wanted)
            .map(|(key, _)| key.clone())
            .collect();
        if !by_key.is_empty() {
            return by_key;
        }
        let same = open().filter(|(_, field)| text::fold(&field.title) == folded);
        same.map(|(key, _)| key.clone()).collect()
    };
    let mut schema = custom_fields::schema(context, entity, rows);
    let mut found = keys(&schema);
    if found.is_empty() {
        let newest = Query::new(entity.endpoint, FIRST_PAGE)
            .fields(&[entity.key, "customFields"])
            .sort(entity.key, Direction::Descending);
        schema.extend(custom_fields::schema(
            context,
            entity,
            &context.client.read_page(&newest)?.rows,
        ));
        found = keys(&schema);
    }
    if !found.is_empty() {
        return Ok((found, schema));
    }
    let known: Vec<String> = schema
        .iter()
        .filter(|(_, field)| is_open(field))
        .map(|(key, field)| format!("- {} ({})", inline(&field.title, 100), inline(key, 100)))
        .collect();
    let what = format!("No custom field {} {kind} was found", quoted(wanted));
    Err(Error::Argument(if known.is_empty() {
        format!("{what}: the first and the newest {} have none.", entity.plural)
    } else {
        format!(
            "{what}. These are there, by the first and the newest {}:\n{}",
            entity.plural,
            known.join("\n")
        )
    }))
}

/// A number as people enter it, with what stands before or behind it: `12 500,50 Kč`, `1,234.5`, `-3`. Nothing where it is none, and where
/// nobody can tell thousands from decimals (`1,234`).
fn entered_number(given: &str) -> Option<(f64, String)> {
    let is_part = |c: char| c.is_ascii_digit() || c.is_whitespace() || ".,'’".contains(c);
    let given = given.trim();
    let start = given.find(|c: char| c.is_ascii_digit())?;
    let (before, rest) = given.split_at(start);
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let (number, behind) = rest.split_at(end);
    if behind.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    // A sign stands alone or before the unit's space: in `STP-26` and `K100` a number is part of a name.
    let (is_negative, before) = match before.strip_suffix(['-', '−', '–']) {
        Some(before) => (true, before),
        None => (false, before.strip_suffix('+').unwrap_or(before)),
    };
    if before.ends_with(char::is_alphanumeric) {
        return None;
    }
    let before = before.trim();
    let digits: String = number
        .trim()
        .chars()
        .filter(|c| !c.is_whitespace() && !"'’".contains(*c))
        .collect();
    // An ending of a sentence, or `500,-`.
    let digits = digits.trim_end_matches(['.', ',']);
    let behind = behind.trim().trim_start_matches(['-', '–']).trim();
    let plain = match digits.rfind(['.', ',']) {
        None => digits.to_owned(),
        Some(at) => {
            let separator = &digits[at..=at];
            let other = if separator == "." { "," } else { "." };
            let (whole, decimals) = (&digits[..at], &digits[at + 1..]);
            let is_group = decimals.len() == 3 && !whole.starts_with('0');
            if whole.contains(separator) {
                // Several of one kind stand between thousands.
                if whole.contains(other) {
                    return None;
                }
                digits.replace(separator, "")
            } else if is_group && !whole.contains(other) {
                return None;
            } else {
                format!("{}.{decimals}", whole.replace(other, ""))
            }
        }
    };
    let number: f64 = plain.parse().ok()?;
    let unit = [before, behind].join(" ").trim().to_owned();
    if unit.chars().count() > UNIT_CHARS {
        return None;
    }
    Some((if is_negative { -number } else { number }, unit))
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
    fn numbers_are_read_as_people_enter_them() {
        let read = |given: &str| entered_number(given).map(|(number, unit)| (number, unit.replace(' ', "_")));
        for (given, number, unit) in [
            ("12500", 12500.0, ""),
            ("12 500,50 Kč", 12500.5, "Kč"),
            ("12\u{a0}500 Kč", 12500.0, "Kč"),
            ("1,234.5", 1234.5, ""),
            ("1.234,5", 1234.5, ""),
            ("1 234 567", 1_234_567.0, ""),
            ("1.234.567", 1_234_567.0, ""),
            ("€ 99.90", 99.9, "€"),
            ("-3", -3.0, ""),
            ("0.125", 0.125, ""),
            ("500,- Kč", 500.0, "Kč"),
            ("20 %", 20.0, "%"),
            ("CZK 500", 500.0, "CZK"),
            ("CZK -500", -500.0, "CZK"),
        ] {
            assert_eq!(read(given), Some((number, unit.to_owned())), "{given}");
        }
        // Nobody can tell whether that is some thousand or a fraction; dates and words are no numbers.
        for given in [
            "1,234",
            "1.234",
            "",
            "ano",
            "2026-11-20",
            "12:30",
            "3 x 4",
            "1.234,567.8",
        ] {
            assert_eq!(read(given), None, "{given}");
        }
    }

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
