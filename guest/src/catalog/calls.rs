use std::collections::BTreeMap;

use serde_json::Value;

use super::{get, list};
use crate::{
    daktela::error::Error,
    daktela::query::{Direction, Filter, Query, TAKE_MAX},
    model::args::Args,
    model::param::{self, Param},
    model::tool::{
        Detail, ENTITY, Entity, Example, List, Overflow, Related, Run, Tool, coded, computed, detail, eq, flag, from,
        plain, related, seconds, ticket, titled, until, yes_no,
    },
    render::listing::Output,
    run::Context,
    text, value,
};

const ENDED_BY: &[(&str, &str)] = &[
    ("system", "the system"),
    ("transfer", "transfer"),
    ("agent", "the agent"),
    ("caller", "the caller"),
];
const UNANSWERED: &[(&str, &str)] = &[
    ("abandon", "the caller gave up"),
    ("exitwithtimeout", "timeout in the queue"),
    ("exitwithkey", "left the queue by a key"),
    ("exitempty", "no agent in the queue"),
    ("noanswer", "no answer"),
    ("amdmachine", "answering machine"),
];
pub const CALL: Entity = Entity {
    endpoint: "activitiesCall",
    singular: "call",
    plural: "calls",
    key: "id_call",
    title: "",
    fields: &[
        plain("Activity", "activities.name"),
        ticket("Ticket", "activities.ticket"),
        plain("Time", "call_time"),
        plain("Direction", "direction"),
        flag("Answered", "answered"),
        computed(
            "Missed",
            &["missed_call", "missed_call_time", "missed_callback.id_call"],
            missed,
        ),
        detail(plain("Missed at", "missed_call_time")),
        plain("Called back by", "missed_callback.id_call"),
        computed("Caller", &["prefix_clid_name", "clid"], caller),
        plain("Dialled", "did"),
        titled("Queue", "id_queue"),
        related("Agent", "id_agent"),
        related("Contact", "contact"),
        seconds("Duration", "duration"),
        seconds("Wait", "waiting_time"),
        seconds("Ringing", "ringing_time"),
        seconds("Hold", "hold_time"),
        coded("Ended by", "disposition_cause", ENDED_BY),
        coded("Unanswered because", "disconnection_cause", UNANSWERED),
        plain("Pressed key", "pressed_key"),
        plain("Attempts", "attempts"),
    ],
    sort: &["call_time", "duration", "waiting_time", "ringing_time"],
    overflow: Overflow::Records,
    ..ENTITY
};

const LIST: List = List {
    entity: &CALL,
    filters: &[
        eq(&param::QUEUE, "id_queue"),
        eq(&param::USER, "id_agent"),
        eq(&param::CONTACT, "contact"),
        eq(&param::CALL_DIRECTION, "direction"),
        yes_no(&param::ANSWERED, "answered"),
        from(&param::DATE_FROM, "call_time"),
        until(&param::DATE_TO, "call_time"),
    ],
    sort: Some(("call_time", Direction::Descending)),
    take: (50, 200),
};

/// Only answered calls have something to transcribe; the last ones first.
const TRANSCRIBED: List = List {
    filters: &[
        eq(&param::QUEUE, "id_queue"),
        eq(&param::USER, "id_agent"),
        from(&param::DATE_FROM, "call_time"),
        until(&param::DATE_TO, "call_time"),
    ],
    sort: Some(("call_time", Direction::Descending)),
    take: (20, 50),
    ..LIST
};

const TRANSCRIBED_PARAMS: &[Param] = &[
    param::DATE_FROM,
    param::DATE_TO,
    param::USER,
    param::QUEUE,
    param::SKIP,
    param::take(20, 50),
    param::MAX_BYTES,
];

pub const TOOLS: &[Tool] = &[
    list(
        "list_calls",
        "List calls",
        &LIST,
        "List phone calls with queue, agent, duration, outcome, the activity id (for get_call_transcript) and the ticket. Narrow by dates.",
    ),
    get(
        "get_call",
        "Call",
        &CALL,
        "list_calls",
        "One call by its id (the one with a dot).",
    ),
    Tool {
        name: "get_call_transcript",
        title: "Call transcript",
        description: "The whole transcript of one call. Not every call has one.",
        run: Run::Custom {
            params: &[param::ACTIVITY, param::SKIP, param::MAX_BYTES],
            required: true,
            run: transcript,
        },
        example: Some(Example {
            tool: "list_call_transcripts",
            key: "activity",
        }),
    },
    Tool {
        name: "list_call_transcripts",
        title: "Calls with transcripts",
        description: "Answered calls with their whole transcripts, the last first: for reviewing many conversations. Page through all of them with skip before concluding.",
        run: Run::Custom {
            params: TRANSCRIBED_PARAMS,
            required: false,
            run: transcripts,
        },
        example: None,
    },
];

/// Nothing where the call was not missed. A missed call loses its mark when it is called back, and some builds write
/// the same 0 for calls that never were missed: only the time and the call back tell them apart.
fn missed(call: &Value) -> Option<String> {
    let was_missed = ["missed_call_time", "missed_callback"]
        .iter()
        .any(|path| value::first(call, path).is_some_and(value::is_filled));
    match value::first(call, "missed_call").and_then(value::yes_no)? {
        true => Some("yes, not called back".to_owned()),
        false => was_missed.then(|| "yes, called back".to_owned()),
    }
}

fn caller(call: &Value) -> Option<String> {
    let parts: Vec<String> = ["prefix_clid_name", "clid"]
        .iter()
        .filter_map(|path| value::text_at(call, path))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

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

fn transcript(context: &Context, args: &Args) -> Result<Output, Error> {
    let given = args.required(&param::ACTIVITY);
    let mut activity = given.to_owned();
    let mut page = context.client.read_all(&segments_of(given))?;
    if page.rows.is_empty() {
        for of_call in activities_of_call(context, given)? {
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
fn activities_of_call(context: &Context, id: &str) -> Result<Vec<String>, Error> {
    if id.starts_with("activities_") {
        return Ok(Vec::new());
    }
    match context
        .client
        .read_record(CALL.endpoint, id, &["id_call".to_owned(), "activities.name".to_owned()])
    {
        Ok(record) => Ok(activity_names(&record)),
        Err(Error::NotFound(_) | Error::Refused(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn transcripts(context: &Context, args: &Args) -> Result<Output, Error> {
    let mut conditions = context.conditions(TRANSCRIBED.filters, args)?;
    conditions.filters.insert(0, Filter::eq("answered", "1"));
    conditions.applied_filters.insert(0, "answered".to_owned());
    let (sort, said) = crate::run::order(&Entity { sort: &[], ..CALL }, TRANSCRIBED.sort, args);
    conditions.applied_filters.extend(said);
    let query = Query {
        filters: conditions.filters.clone(),
        sort,
        fields: CALL.projection(Detail::Summary),
        skip: args.skip(),
        take: context.take(&TRANSCRIBED, args),
        ..Query::new(CALL.endpoint, 0)
    };
    let page = context.client.read_page(&query)?;
    let entity = Entity {
        singular: "answered call",
        plural: "answered calls",
        enrich: Some(|context, _, _, rows| with_transcripts(context, rows)),
        ..CALL
    };
    let mut answer = context.listing(&entity, args, conditions, &query, &page);
    // For programs: a call that has something to read.
    if let Some(row) = page
        .rows
        .iter()
        .find(|row| value::first(row, "activities.name").is_some())
    {
        answer.first_record = Some(crate::run::first_ids(&CALL, row));
    }
    Ok(answer)
}

/// How many calls one query asks the transcripts of. A conversation has some 20 segments a minute, so that five
/// calls of ten minutes fit one page; a batch that does not is read call by call.
const CALLS_PER_QUERY: usize = 5;

fn with_transcripts(context: &Context, calls: &[Value]) -> Vec<Related> {
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
    fn a_call_that_was_never_missed_is_not_called_back() {
        assert_eq!(
            missed(&json!({"missed_call": 1})).as_deref(),
            Some("yes, not called back")
        );
        assert_eq!(
            missed(&json!({"missed_call": 0, "missed_callback": {"id_call": "1.2"}})).as_deref(),
            Some("yes, called back")
        );
        assert_eq!(missed(&json!({"missed_call": 0, "missed_call_time": null})), None);
        assert_eq!(
            missed(&json!({"missed_call": 0, "missed_callback": {"id_call": null}})),
            None
        );
        assert_eq!(missed(&json!({"missed_call": null})), None);
    }

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
