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
        output::{Content, Moment, Output, Related, Role, Speaker, TranscriptOutput, Utterance},
        param,
    },
    run::{self, filters::conditions},
    text, value,
};

/// The segments of a transcript that have a text, in the order of the conversation.
fn utterances(segments: &[Value]) -> Vec<Utterance> {
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
            let text = text::line(&value::text_at(segment, "text")?);
            let is_customer = value::text_at(segment, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("customer"));
            (!text.is_empty()).then_some(Utterance {
                at: Moment::Offset(start),
                speaker: Speaker {
                    role: if is_customer { Role::Customer } else { Role::Agent },
                    name: None,
                    note: None,
                },
                text,
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
    Ok(Output {
        content: Content::Transcript(TranscriptOutput {
            activity: text::line(&activity),
            segments: utterances(&page.rows),
            read: page.rows.len(),
            is_partial: page.total.is_none_or(|total| total > page.rows.len() as u64),
            skip: args.skip(),
            budget: args.budget(context.settings.max_answer_bytes),
        }),
        first_record: None,
    })
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
                Ok(segments) => said.extend(utterances(segments)),
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
                remarks: failed,
                ..Related::default()
            };
        }
        let mut part = Related::conversation("Transcript", said, "[no transcript]");
        part.remarks.extend(failed);
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
        let said: Vec<String> = utterances(segments.as_array().expect("a list"))
            .into_iter()
            .map(|Utterance { at, speaker, text }| format!("{at:?} {:?} {text}", speaker.role))
            .collect();
        assert_eq!(
            said,
            ["Offset(0.0) Customer a", "Offset(65.5) Agent b", "Offset(65.5) Agent c"]
        );
    }
}
