//! Tools for phone calls and their transcripts.

use serde_json::Value;

use crate::{
    daktela::query::{Direction, Filter},
    model::{
        entity::{ENTITY, Entity},
        field::{coded, computed, date_time, detail, flag, number, related, seconds, text, ticket, titled, word},
        filter::{custom, eq, from, until, when, yes_no},
        list::List,
        measure::{self, Measure},
        output::{FactValue, Overflow},
        param::{self, Param},
        statistics::{self, Dimension, Source, Statistics},
        tool::{Example, Run, Tool},
    },
    phone,
    tools::{call_transcripts, contact_search},
    value,
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
        word("Activity", "activities.name"),
        ticket("Ticket", "activities.ticket"),
        date_time("Time", "call_time"),
        word("Direction", "direction"),
        flag("Answered", "answered"),
        computed(
            "Missed",
            &["missed_call", "missed_call_time", "missed_callback.id_call"],
            missed,
        ),
        detail(date_time("Missed at", "missed_call_time")),
        word("Called back by", "missed_callback.id_call"),
        computed("Caller", &["prefix_clid_name", "clid"], caller),
        text("Dialled", "did"),
        titled("Queue", "id_queue"),
        related("Agent", "id_agent"),
        related("Contact", "contact"),
        seconds("Duration", "duration"),
        seconds("Wait", "waiting_time"),
        seconds("Ringing", "ringing_time"),
        seconds("Hold", "hold_time"),
        coded("Ended by", "disposition_cause", ENDED_BY),
        coded("Unanswered because", "disconnection_cause", UNANSWERED),
        word("Pressed key", "pressed_key"),
        number("Attempts", "attempts"),
    ],
    sort: &["call_time", "duration", "waiting_time", "ringing_time"],
    overflow: Overflow::Records,
    ..ENTITY
};

/// A call with its transcript, as part of a conversation.
pub(super) const CALL_WITH_TRANSCRIPT: Entity = Entity {
    leading_fields: &[computed("", call_transcripts::LEG_FIELDS, |_| None)],
    enrich: Some(|context, _, _, rows| call_transcripts::with_transcripts(context, rows)),
    ..CALL
};

const LIST: List = List {
    entity: &CALL,
    filters: &[
        eq(&param::QUEUE, "id_queue"),
        eq(&param::USER, "id_agent"),
        eq(&param::CONTACT, "contact"),
        custom(&param::NUMBER, |_, given| {
            Ok(contact_search::with_number(given, &["clid", "did"]))
        }),
        eq(&param::CALL_DIRECTION, "direction"),
        yes_no(&param::ANSWERED, "answered"),
        // The mark of a missed call goes when it is called back.
        when(
            &param::NOT_CALLED_BACK,
            || Filter::eq("missed_call", "1"),
            "missed and not called back",
        ),
        from(&param::DATE_FROM, "call_time"),
        until(&param::DATE_TO, "call_time"),
    ],
    sort: Some(("call_time", Direction::Descending)),
    take: (50, 200),
};

const DIMENSIONS: &[Dimension] = &[
    statistics::HOUR,
    statistics::DAY,
    statistics::WEEKDAY,
    statistics::WEEK,
    statistics::MONTH,
    statistics::agent("id_agent"),
    statistics::agent_group("id_agent"),
    statistics::queue("id_queue"),
    statistics::word("direction", "Direction", "direction", &["in", "out", "internal"]),
    statistics::yes_no("answered", "Answered", "answered"),
    statistics::computed(
        "missed",
        "Missed",
        &["missed_call", "missed_call_time", "missed_callback.id_call"],
        missed,
    ),
    statistics::computed("caller", "Caller", &["clid"], |call| number_in(call, "clid")),
    statistics::computed("dialled", "Dialled", &["did"], |call| number_in(call, "did")),
    statistics::CONTACT,
    statistics::CONTACT_S_ACCOUNT,
    statistics::coded("ended_by", "Ended by", "disposition_cause", &[], ENDED_BY),
    statistics::coded(
        "unanswered_because",
        "Unanswered because",
        "disconnection_cause",
        &[],
        UNANSWERED,
    ),
];

const MEASURES: &[Measure] = &[
    measure::field("duration", "Duration", &["duration"]),
    measure::field("waiting", "Wait", &["waiting_time"]),
    measure::field("ringing", "Ringing", &["ringing_time"]),
    measure::field("hold", "Hold", &["hold_time"]),
];

const STATISTICS: Statistics = Statistics {
    singular: "call",
    plural: "calls",
    sources: &[Source {
        channel: "",
        list: &LIST,
        lacks: &[],
    }],
    filters: LIST.filters,
    channel: None,
    dimensions: DIMENSIONS,
    group_by: &statistics::names::<{ DIMENSIONS.len() }>(DIMENSIONS),
    measures: MEASURES,
    of: &measure::names::<{ MEASURES.len() }>(MEASURES),
};

const ANSWERED_CALL: Entity = Entity {
    singular: "answered call",
    plural: "answered calls",
    // Shows nothing by itself: the transcripts name the legs.
    leading_fields: &[computed("", call_transcripts::LEG_FIELDS, |_| None)],
    enrich: Some(|context, _, _, rows| call_transcripts::with_transcripts(context, rows)),
    ..CALL
};

/// Only answered calls have something to transcribe; the last ones first.
const TRANSCRIBED: List = List {
    entity: &ANSWERED_CALL,
    filters: &[
        eq(&param::QUEUE, "id_queue"),
        eq(&param::USER, "id_agent"),
        from(&param::DATE_FROM, "call_time"),
        until(&param::DATE_TO, "call_time"),
    ],
    sort: Some(("call_time", Direction::Descending)),
    take: (20, 50),
};

const TRANSCRIBED_PARAMS: &[Param] = &[
    param::DATE_FROM,
    param::DATE_TO,
    param::USER,
    param::QUEUE,
    param::SKIP,
    param::take(20, 50),
    param::FIELDS,
    param::MAX_BYTES,
];

pub const TOOLS: &[Tool] = &[
    Tool::list(
        "list_calls",
        "List calls",
        &LIST,
        "List phone calls with queue, agent, duration, outcome, the activity id (for get_call_transcript) and the ticket. Filter by dates.",
    ),
    Tool::statistics(
        "call_statistics",
        "Call statistics",
        &STATISTICS,
        "Totals of phone calls in one answer: how many, by hour, day, agent, queue or caller (who called repeatedly: group_by=caller, min_count=2), with talk, \
         waiting, ringing and hold times. Exact over all calls of the period. Times of talk make sense with answered=true.",
    ),
    Tool::get(
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
            run: |context, args| call_transcripts::transcript(context, args, &CALL),
        },
        example: Some(Example {
            tool: "list_call_transcripts",
            key: "activity",
        }),
    },
    Tool {
        name: "list_call_transcripts",
        title: "Calls with transcripts",
        description: "Answered calls with their whole transcripts, newest first: for reviewing many conversations. Page through all of them with skip before concluding.",
        run: Run::Custom {
            params: TRANSCRIBED_PARAMS,
            run: |context, args| call_transcripts::transcripts(context, args, &TRANSCRIBED),
        },
        example: None,
    },
];

/// Nothing where the call was not missed. A missed call loses its mark when it is called back, and some builds write
/// the same 0 for calls that never were missed: only the time and the call back tell them apart.
fn missed(call: &Value) -> Option<FactValue> {
    let was_missed = ["missed_call_time", "missed_callback"]
        .iter()
        .any(|path| value::first(call, path).is_some_and(value::is_filled));
    let (code, meaning) = match value::first(call, "missed_call").and_then(value::yes_no)? {
        true => ("not_called_back", "yes, not called back"),
        false if was_missed => ("called_back", "yes, called back"),
        false => return None,
    };
    Some(FactValue::Code {
        code: code.to_owned(),
        meaning: meaning.into(),
    })
}

/// A phone number in one spelling for all of the same.
fn number_in(call: &Value, field: &str) -> Option<FactValue> {
    let number = value::text_at(call, field)?;
    Some(FactValue::Text(match phone::Number::parse(&number) {
        Some(parsed) => parsed.canonical(),
        None => number,
    }))
}

fn caller(call: &Value) -> Option<FactValue> {
    let (name, number) = (value::text_at(call, "prefix_clid_name"), value::text_at(call, "clid"));
    (name.is_some() || number.is_some()).then_some(FactValue::Caller { name, number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_that_was_never_missed_is_not_called_back() {
        let code = |call| match missed(&call) {
            Some(FactValue::Code { code, .. }) => code,
            _ => "never missed".to_owned(),
        };
        assert_eq!(code(json!({"missed_call": 1})), "not_called_back");
        assert_eq!(
            code(json!({"missed_call": 0, "missed_callback": {"id_call": "1.2"}})),
            "called_back"
        );
        for call in [
            json!({"missed_call": 0, "missed_call_time": null}),
            json!({"missed_call": 0, "missed_callback": {"id_call": null}}),
            json!({"missed_call": null}),
        ] {
            assert_eq!(code(call), "never missed");
        }
    }
}
