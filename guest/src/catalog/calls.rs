use serde_json::Value;

use crate::{
    daktela::query::Direction,
    model::{
        entity::{ENTITY, Entity, Overflow},
        field::{coded, computed, detail, flag, plain, related, seconds, ticket, titled},
        filter::{eq, from, until, yes_no},
        list::List,
        param::{self, Param},
        tool::{Example, Run, Tool},
    },
    tools::call_transcripts,
    value::{self},
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

const ANSWERED_CALL: Entity = Entity {
    singular: "answered call",
    plural: "answered calls",
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
    param::MAX_BYTES,
];

pub const TOOLS: &[Tool] = &[
    Tool::list(
        "list_calls",
        "List calls",
        &LIST,
        "List phone calls with queue, agent, duration, outcome, the activity id (for get_call_transcript) and the ticket. Narrow by dates.",
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
            required: true,
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
        description: "Answered calls with their whole transcripts, the last first: for reviewing many conversations. Page through all of them with skip before concluding.",
        run: Run::Custom {
            params: TRANSCRIBED_PARAMS,
            required: false,
            run: |context, args| call_transcripts::transcripts(context, args, &TRANSCRIBED),
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
}
