//! Call transcripts: of one call, paged by segment, and of a list of calls.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    daktela::{
        error::Error,
        query::{Direction, Filter, Query, TAKE_MAX},
    },
    model::{
        args::Args,
        context::Context,
        entity::Entity,
        field::Detail,
        list::List,
        output::{Output, Related},
        param,
    },
    run::{self, filters::conditions},
    text, value,
};

/// The segments of a transcript as lines, in the order of the conversation.
fn lines(segments: &[Value]) -> Vec<String> {
    // A segment that does not say when it began stays behind the one that it came after.
    let mut last = 0.0;
    let mut segments: Vec<(f64, &Value)> = segments
        .iter()
        .map(|segment| {
            last = value::first(segment, "start").and_then(value::number).unwrap_or(last);
            (last, segment)
        })
        .collect();
    segments.sort_by(|a, b| a.0.total_cmp(&b.0));
    segments
        .into_iter()
        .filter_map(|(start, segment)| {
            let said = text::line(&value::text_at(segment, "text")?);
            let customer = value::text_at(segment, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("customer"));
            let at = start as u64;
            (!said.is_empty()).then(|| {
                format!(
                    "[{}:{:02}] {}: {said}",
                    at / 60,
                    at % 60,
                    if customer { "Customer" } else { "Agent" }
                )
            })
        })
        .collect()
}

fn activity_names(call: &Value) -> Vec<String> {
    value::all(call, "activities.name")
        .into_iter()
        .filter_map(value::text)
        .collect()
}

fn segments_of(activity: &str) -> Query {
    Query::new("activitiesCallTranscripts", TAKE_MAX)
        .fields(&["text", "type", "start", "end"])
        .filter(Filter::eq("activity", activity))
        .sort("start", Direction::Ascending)
}

pub(crate) fn transcript(context: &Context, args: &Args, call: &Entity) -> Result<Output, Error> {
    let given = args.required(&param::ACTIVITY);
    let mut activity = given.to_owned();
    let mut page = context.client.read_all(&segments_of(given))?;
    if page.rows.is_empty() {
        for of_call in activities_of_call(context, call, given)? {
            page = context.client.read_all(&segments_of(&of_call))?;
            activity = of_call;
            if !page.rows.is_empty() {
                break;
            }
        }
    }
    let activity = text::line(&activity);
    if page.rows.is_empty() {
        return Ok(Output::text(format!(
            "No transcript for activity {activity:?}. Calls have one only where transcription was on; the id must be a call's activity id (activities_…), as list_calls shows it."
        )));
    }
    let all = lines(&page.rows);
    if all.is_empty() {
        return Ok(Output::text(format!(
            "The transcript of activity {activity} has {} but no text.",
            text::count(page.rows.len() as u64, "segment", "segments")
        )));
    }
    let total = all.len();
    let skip = usize::try_from(args.skip()).unwrap_or(usize::MAX).min(total);
    // Room for the heading and the closing remark.
    let mut room = args.budget(context.settings.max_answer_bytes).bytes.saturating_sub(500);
    let shown: Vec<&String> = all[skip..]
        .iter()
        .enumerate()
        .take_while(|(i, line)| {
            let size = line.len() + 3;
            let fits = *i == 0 || size <= room;
            room = room.saturating_sub(size);
            fits
        })
        .map(|(_, line)| line)
        .collect();
    if shown.is_empty() {
        return Ok(Output::text(format!(
            "skip={} is past the end: the transcript has {}.",
            args.skip(),
            text::count(total as u64, "segment", "segments")
        )));
    }
    let next = skip + shown.len();
    let mut out = format!(
        "Transcript of activity {activity}, segments {}–{next} of {total} ([minute:second])\n",
        skip + 1
    );
    for line in shown {
        out += &format!("\n> {line}");
    }
    if next < total {
        out += &format!("\n\n{} more segments: call again with skip={next}.", total - next);
    }
    if page.total.is_none_or(|total| total > page.rows.len() as u64) {
        out += &format!(
            "\n\nNote: the transcript is longer than the {} segments that one call reads.",
            text::thousands(page.rows.len() as u64)
        );
    }
    Ok(Output::text(out))
}

/// The activities of a call that was named by its own id; a transferred call has several.
fn activities_of_call(context: &Context, call: &Entity, id: &str) -> Result<Vec<String>, Error> {
    if id.starts_with("activities_") {
        return Ok(Vec::new());
    }
    match context
        .client
        .read_record(call.endpoint, id, &["id_call".to_owned(), "activities.name".to_owned()])
    {
        Ok(record) => Ok(activity_names(&record)),
        Err(Error::NotFound(_) | Error::Refused(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

pub(crate) fn transcripts(context: &Context, args: &Args, list: &List) -> Result<Output, Error> {
    let mut conditions = conditions(context, list.filters, args)?;
    conditions.filters.insert(0, Filter::eq("answered", "1"));
    conditions.applied_filters.insert(0, "answered".to_owned());
    let (sort, said) = run::order(list.entity, list.sort, args);
    conditions.applied_filters.extend(said);
    let query = Query {
        filters: conditions.filters.clone(),
        sort,
        fields: list.entity.projection(Detail::Summary),
        skip: args.skip(),
        take: run::page_size(list, args),
        ..Query::new(list.entity.endpoint, 0)
    };
    let page = context.client.read_page(&query)?;
    let mut answer = run::listing(context, list.entity, args, conditions, &query, &page);
    // For programs: a call that has something to read.
    if let Some(row) = page
        .rows
        .iter()
        .find(|row| value::first(row, "activities.name").is_some())
    {
        answer.first_record = Some(run::first_ids(list.entity, row));
    }
    Ok(answer)
}

/// How many calls one query asks the transcripts of. A conversation has some 20 segments a minute, so that five
/// calls of ten minutes fit one page; a batch that does not is read call by call.
const CALLS_PER_QUERY: usize = 5;

pub(crate) fn with_transcripts(context: &Context, calls: &[Value]) -> Vec<Related> {
    let activities: Vec<Vec<String>> = calls.iter().map(activity_names).collect();
    let read = read_transcripts(context, &activities.concat());
    let part = |activities: &Vec<String>| {
        if activities.is_empty() {
            return Related::remark("[no activity, so no transcript]");
        }
        let (mut said, mut failed) = (Vec::new(), Vec::new());
        for activity in activities {
            match &read[activity] {
                Ok(segments) => said.extend(lines(segments)),
                Err(error) => {
                    let which = if activities.len() > 1 {
                        format!(" of activity {}", text::line(activity))
                    } else {
                        String::new()
                    };
                    let why = text::line(error.text());
                    failed.push(format!("[the transcript{which} could not be read: {why}]"));
                }
            }
        }
        if said.is_empty() && !failed.is_empty() {
            return Related {
                lines: failed,
                ..Related::default()
            };
        }
        let mut part = Related::conversation("Transcript", &said, "[no transcript]");
        part.lines.extend(failed);
        part
    };
    activities.iter().map(part).collect()
}

/// The segments of each activity. Several activities share a query where the build takes that and tells them apart.
fn read_transcripts(context: &Context, activities: &[String]) -> BTreeMap<String, Result<Vec<Value>, Error>> {
    let batches: Vec<&[String]> = activities.chunks(CALLS_PER_QUERY).collect();
    let queries: Vec<Query> = batches
        .iter()
        .map(|batch| {
            Query::new("activitiesCallTranscripts", TAKE_MAX)
                .fields(&["text", "type", "start", "end", "activity.name"])
                .filter(Filter::one_of("activity", batch.to_vec()))
                .sort("start", Direction::Ascending)
        })
        .collect();
    let mut read: BTreeMap<String, Result<Vec<Value>, Error>> = BTreeMap::new();
    let mut alone: Vec<&String> = Vec::new();
    for (batch, page) in batches.iter().zip(context.client.read_pages(&queries)) {
        let Ok(page) = page else {
            alone.extend(*batch);
            continue;
        };
        let owner = |row: &Value| {
            value::first(row, "activity")
                .and_then(value::name_of)
                .filter(|name| batch.contains(name))
        };
        let whole = page.total.is_some_and(|total| total == page.rows.len() as u64)
            && page.rows.iter().all(|row| owner(row).is_some());
        if !whole {
            alone.extend(*batch);
            continue;
        }
        for activity in *batch {
            let rows = page
                .rows
                .iter()
                .filter(|row| owner(row).as_deref() == Some(activity))
                .cloned()
                .collect();
            read.insert(activity.clone(), Ok(rows));
        }
    }
    let queries: Vec<Query> = alone.iter().map(|activity| segments_of(activity)).collect();
    for (activity, page) in alone.into_iter().zip(context.client.read_all_of_each(&queries)) {
        read.insert(activity.clone(), page.map(|page| page.rows));
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_segment_without_a_start_stays_in_its_place() {
        let segments = json!([
            {"start": "0", "type": "customer", "text": "a"},
            {"start": "65.5", "type": "agent", "text": "b"},
            {"start": null, "type": "agent", "text": "c"},
            {"start": 70, "type": "agent", "text": null},
        ]);
        assert_eq!(
            lines(segments.as_array().expect("a list")),
            ["[0:00] Customer: a", "[1:05] Agent: b", "[1:05] Agent: c"]
        );
    }
}
