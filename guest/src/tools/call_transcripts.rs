//! Call transcripts: of one call, paged by segment, and of a list of calls.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{Direction, Filter, Query, TAKE_MAX},
    },
    model::{
        args::Args,
        context::Context,
        entity::Entity,
        field::Detail,
        list::List,
        output::{Body, Content, Leg, Moment, Output, Related, Role, Speaker, Text, TranscriptOutput, Utterance},
        param,
    },
    render::markdown,
    run::{
        self,
        filters::{conditions, with_evidence},
    },
    text, time, value,
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
            (!text.is_empty()).then_some(Utterance {
                at: Moment::Offset(start),
                speaker: speaker(segment),
                text,
                files: Vec::new(),
            })
        })
        .collect()
}

/// Who speaks, by the types that are known: `customer` is the caller, `operator` and `agent` are the other side. No other
/// value says who it is.
fn speaker(segment: &Value) -> Speaker {
    let kind = value::text_at(segment, "type").map(|kind| markdown::inline(&kind, KIND_CHARS));
    let role = match kind.as_deref().map(str::to_lowercase).as_deref() {
        Some("customer") => Role::Customer,
        Some("operator" | "agent") => Role::Agent,
        _ => Role::Unknown,
    };
    let note = kind.filter(|kind| role == Role::Unknown && !kind.eq_ignore_ascii_case("unknown"));
    Speaker {
        role,
        name: None,
        note: note.map(Into::into),
    }
}

/// A type is a word.
const KIND_CHARS: usize = 30;

/// An activity of a call, and its agent.
#[derive(Clone, Debug, PartialEq)]
struct CallActivity {
    name: String,
    agent: Option<String>,
    time: Option<String>,
}

/// The activities of a call in their order, where the times tell one.
fn activities_of(call: &Value) -> Vec<CallActivity> {
    let read = |activity: &Value| {
        let user = || value::first(activity, "user");
        Some(CallActivity {
            name: value::name_of(activity)?,
            agent: user().and_then(|user| value::text_at(user, "title").or_else(|| value::name_of(user))),
            time: value::text_at(activity, "time"),
        })
    };
    let activities: Vec<CallActivity> = value::all(call, "activities").into_iter().filter_map(read).collect();
    if activities.iter().all(|activity| activity.time.is_some()) {
        time::sort(activities, |activity| activity.time.clone(), None)
    } else {
        activities
    }
}

impl CallActivity {
    fn leg(&self, segments: Result<&Page, &Error>) -> Leg {
        let leg = |utterances, read, is_partial, remarks| Leg {
            activity: self.name.clone(),
            agent: self.agent.clone(),
            utterances,
            read,
            is_partial,
            remarks,
        };
        match segments {
            Ok(page) => {
                let read = page.rows.len();
                let is_partial = page.total.is_none_or(|total| total > read as u64);
                leg(utterances(&page.rows), read, is_partial, Vec::new())
            }
            Err(error) => leg(Vec::new(), 0, false, error.remark("the transcript could not be read")),
        }
    }
}

fn segments_of(activity: &str) -> Query {
    Query::new("activitiesCallTranscripts", TAKE_MAX)
        .fields(&["text", "type", "start", "end"])
        .filter(Filter::eq("activity", activity))
        .sort("start", Direction::Ascending)
}

/// What of a call tells its legs.
pub(crate) const LEG_FIELDS: &[&str] = &["activities.name", "activities.time", "activities.user.title"];

/// The transcript of the call that an activity belongs to, with all its legs.
pub(crate) fn transcript(context: &Context, args: &Args, call: &Entity) -> Result<Output, Error> {
    let given = args.required(&param::ACTIVITY);
    let page = context.client.read_all(&segments_of(given))?;
    let (mut activities, unknown) = call_activities(context, call, given)?;
    if activities.is_empty() {
        activities.push(CallActivity {
            name: given.to_owned(),
            agent: None,
            time: None,
        });
    }
    // What was read is of the activity that was given.
    let others: Vec<String> = activities
        .iter()
        .map(|of| of.name.clone())
        .filter(|name| name != given)
        .collect();
    let queries: Vec<Query> = others.iter().map(|activity| segments_of(activity)).collect();
    let read: Vec<Result<Page, Error>> = context.client.read_all_of_each(&queries);
    if let ([_], [Err(error)]) = (&activities[..], &read[..]) {
        return Err(error.clone());
    }
    let read: BTreeMap<String, Result<Page, Error>> = others
        .into_iter()
        .zip(read)
        .chain([(given.to_owned(), Ok(page))])
        .collect();
    let notes = unknown.map(|error| format!("Whether the call has other legs is not known. {}", error.text()));
    Ok(Output {
        content: Content::Transcript(TranscriptOutput {
            activity: text::line(given),
            legs: activities.iter().map(|of| of.leg(read[&of.name].as_ref())).collect(),
            notes: notes.into_iter().collect(),
            skip: args.skip(),
            budget: args.budget(context.settings.max_answer_bytes),
        }),
        first_record: None,
    })
}

/// The activities of the call that one of them, or the call's own id, names; and why they are not known.
fn call_activities(context: &Context, call: &Entity, id: &str) -> Result<(Vec<CallActivity>, Option<Error>), Error> {
    let fields: Vec<String> = [call.key]
        .iter()
        .chain(LEG_FIELDS)
        .map(|field| (*field).to_owned())
        .collect();
    if id.starts_with("activities_") {
        let query = Query {
            fields,
            ..Query::new(call.endpoint, 2)
        };
        // Without the other legs the transcript of this one is still worth showing.
        return Ok(
            match context
                .client
                .read_page(&query.filter(Filter::eq("activities.name", id)))
            {
                Ok(page) => {
                    let calls = page.rows.iter().map(activities_of);
                    let of_this = calls
                        .into_iter()
                        .find(|activities| activities.iter().any(|of| of.name == id));
                    (of_this.unwrap_or_default(), None)
                }
                Err(error) => (Vec::new(), Some(error)),
            },
        );
    }
    match context.client.read_record(call.endpoint, id, &fields) {
        Ok(record) => Ok((activities_of(&record), None)),
        Err(Error::NotFound(_) | Error::Refused(_)) => Ok((Vec::new(), None)),
        Err(error) => Err(error),
    }
}

pub(crate) fn transcripts(context: &Context, args: &Args, list: &List) -> Result<Output, Error> {
    let mut conditions = conditions(context, list.filters, args)?;
    conditions.filters.insert(0, Filter::eq("answered", "1"));
    conditions.applied_filters.insert(0, "answered".to_owned());
    let (sort, said) = run::order(list.entity, list.sort, args);
    let conditions = conditions.ordered(said);
    let query = Query {
        filters: conditions.filters.clone(),
        sort,
        fields: with_evidence(
            list.entity,
            list.entity.projection(Detail::Summary),
            &conditions.filters,
        ),
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
    let calls: Vec<Vec<CallActivity>> = calls.iter().map(activities_of).collect();
    let names: Vec<String> = calls.iter().flatten().map(|activity| activity.name.clone()).collect();
    let read = read_transcripts(context, &names);
    let part = |activities: &Vec<CallActivity>| {
        if activities.is_empty() {
            return Related::remark("[no activity, so no transcript]");
        }
        let mut legs: Vec<Leg> = activities.iter().map(|of| of.leg(read[&of.name].as_ref())).collect();
        let mut remarks: Vec<String> = legs
            .iter_mut()
            .flat_map(|leg| std::mem::take(&mut leg.remarks))
            .collect();
        for leg in legs.iter().filter(|leg| leg.is_partial) {
            remarks.push(format!(
                "[the transcript is longer than the {} segments that were read]",
                text::thousands(leg.read as u64)
            ));
        }
        let is_silent = legs.iter().all(|leg| leg.utterances.is_empty());
        let mut part = match (is_silent, legs.len()) {
            (true, _) if !remarks.is_empty() => Related::default(),
            (true, _) => Related::remark("[no transcript]"),
            (false, 1) => Related::conversation("Transcript", legs.remove(0).utterances, "[no transcript]"),
            (false, _) => Related {
                text: Some(Text {
                    label: "Transcript",
                    body: Body::Legs(legs),
                    chars: usize::MAX,
                    note: None,
                }),
                ..Related::default()
            },
        };
        part.remarks.extend(remarks);
        part
    };
    calls.iter().map(part).collect()
}

/// The segments of each activity. Several activities share a query where the build takes that and tells them apart.
fn read_transcripts(context: &Context, activities: &[String]) -> BTreeMap<String, Result<Page, Error>> {
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
    let mut read: BTreeMap<String, Result<Page, Error>> = BTreeMap::new();
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
            let rows: Vec<Value> = rows;
            let total = Some(rows.len() as u64);
            read.insert(
                activity.clone(),
                Ok(Page {
                    rows,
                    total,
                    ..Page::default()
                }),
            );
        }
    }
    let queries: Vec<Query> = alone.iter().map(|activity| segments_of(activity)).collect();
    for (activity, page) in alone.into_iter().zip(context.client.read_all_of_each(&queries)) {
        read.insert(activity.clone(), page);
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
            .map(|Utterance { at, speaker, text, .. }| format!("{at:?} {:?} {text}", speaker.role))
            .collect();
        assert_eq!(
            said,
            ["Offset(0.0) Customer a", "Offset(65.5) Agent b", "Offset(65.5) Agent c"]
        );
    }

    #[test]
    fn nobody_is_the_agent_whom_the_data_does_not_name_so() {
        for (kind, role, note) in [
            (json!("customer"), Role::Customer, None),
            (json!("Operator"), Role::Agent, None),
            (json!("agent"), Role::Agent, None),
            (json!(null), Role::Unknown, None),
            (json!(""), Role::Unknown, None),
            (json!("unknown"), Role::Unknown, None),
            (json!("client"), Role::Unknown, Some("client")),
            (json!(0), Role::Unknown, Some("0")),
        ] {
            let speaker = speaker(&json!({"type": kind}));
            assert_eq!((speaker.role, speaker.note.as_deref()), (role, note), "{kind}");
        }
    }

    #[test]
    fn legs_are_in_their_order_with_their_agents() {
        let call = json!({"activities": [
            {"name": "activities_b", "time": "2026-11-20 10:05:00", "user": {"name": "eva", "title": "Eva Malá"}},
            {"name": "activities_a", "time": "2026-11-20 10:00:00", "user": null},
        ]});
        let legs: Vec<(String, Option<String>)> =
            activities_of(&call).into_iter().map(|of| (of.name, of.agent)).collect();
        assert_eq!(
            legs,
            [
                ("activities_a".to_owned(), None),
                ("activities_b".to_owned(), Some("Eva Malá".to_owned()))
            ]
        );
    }
}
