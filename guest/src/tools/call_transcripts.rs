//! Call transcripts: of one call, paged by segment, and of a list of calls.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    daktela::{
        client::Page,
        error::Error,
        observations::Mend,
        query::{self, Direction, Filter, Query, TAKE_MAX},
    },
    model::{
        args::Args,
        context::Context,
        entity::Entity,
        list::List,
        output::{Body, Content, Leg, Moment, Output, Related, Role, Speaker, Text, TranscriptOutput, Utterance},
        param,
    },
    render::markdown,
    run::{
        self,
        filters::{conditions, with_evidence},
    },
    sort, text, time, value,
};

/// The segments of a transcript that have a text, in the order of the conversation.
pub(crate) fn utterances(segments: &[Value]) -> Vec<Utterance> {
    // A segment that does not say when it began stays behind the one that it came after.
    let mut last = 0.0;
    let mut segments: Vec<(f64, &Value)> = segments
        .iter()
        .map(|segment| {
            last = value::first(segment, "start").and_then(value::number).unwrap_or(last);
            (last, segment)
        })
        .collect();
    sort::sort_by(&mut segments, |a, b| a.0.total_cmp(&b.0));
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

/// The model of segments.
const SEGMENTS: &str = "activitiesCallTranscripts";

/// What is read of a segment. Its activity tells whether it is of the call that was asked for.
const SEGMENT_FIELDS: &[&str] = &["text", "type", "start", "end", "activity.name"];

/// The segments of these activities by one condition.
fn segments_of_some(activities: &[String]) -> Query {
    // Several share a query, which is not paged, so that it needs no order.
    Query::new(SEGMENTS, TAKE_MAX)
        .fields(SEGMENT_FIELDS)
        .filter(Filter::one_of("activity", activities.to_vec()))
}

fn segments_of(activity: &str) -> Query {
    Query::new(SEGMENTS, TAKE_MAX)
        .fields(SEGMENT_FIELDS)
        .filter(Filter::eq("activity", activity))
        .sort("start", Direction::Ascending)
}

/// What of a call tells its legs.
pub(crate) const LEG_FIELDS: &[&str] = &["activities.name", "activities.time", "activities.user.title"];

/// The transcript of the call that an activity belongs to, with all its legs.
pub(crate) fn transcript(context: &Context, args: &Args, call: &Entity) -> Result<Output, Error> {
    let given = args.required(&param::ACTIVITY);
    let mut call = legs_of(context, call, given)?;
    if call.legs.is_empty() {
        call.legs.push(CallActivity {
            name: given.to_owned(),
            agent: None,
            time: None,
        });
    }
    let queries: Vec<Query> = call.legs.iter().map(|leg| segments_of(&leg.name)).collect();
    let pages = context.client.read_all_of_each(&queries);
    if let [Err(error)] = &pages[..] {
        return Err(error.clone());
    }
    let names = call.legs.iter().map(|leg| leg.name.clone());
    let mut read: Segments = names.zip(pages).collect();
    let calls = [call];
    let finding = look_elsewhere(context, &calls, &mut read, false);
    let [call] = calls;
    let unknown = call
        .unknown
        .map(|error| format!("Whether the call has other legs is not known. {}", error.text()));
    let elsewhere = finding.and_then(Finding::note);
    Ok(Output {
        content: Content::Transcript(TranscriptOutput {
            activity: text::line(given),
            legs: call.legs.iter().map(|of| of.leg(read[&of.name].as_ref())).collect(),
            notes: unknown.into_iter().chain(elsewhere.map(str::to_owned)).collect(),
            skip: args.skip(),
            budget: args.budget(context.settings.max_answer_bytes),
        }),
        first_record: None,
    })
}

/// The segments of each activity.
type Segments = BTreeMap<String, Result<Page, Error>>;

/// A call as far as its transcript goes.
#[derive(Default)]
struct Call {
    id: Option<String>,
    legs: Vec<CallActivity>,
    /// Why its legs are not known.
    unknown: Option<Error>,
}

impl Call {
    fn of(call: &Value) -> Self {
        Call {
            id: value::text_at(call, "id_call"),
            legs: activities_of(call),
            unknown: None,
        }
    }
}

/// Why no transcript came with any of some calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    /// The instance gives no segment at all.
    NoneAtAll,
    /// It gives some, but none by the activity or the call that it is of.
    NotByActivity,
}

impl Finding {
    fn note(self) -> Option<&'static str> {
        Some(match self {
            Finding::NoneAtAll => {
                "This Daktela gives no transcript of any call: it has none, or its account may not read them."
            }
            Finding::NotByActivity => {
                "This Daktela has transcripts, but gives none by the activity or the call that it is of: whether there is one here is not known."
            }
        })
    }
}

/// Where none of these calls has a segment: whether that is so, and the segments by another way where there is one. Asks
/// nothing where some came. `by_list`: several activities were asked for at once, which may be what fails.
fn look_elsewhere(context: &Context, calls: &[Call], read: &mut Segments, by_list: bool) -> Option<Finding> {
    let is_empty = |page: &Result<Page, Error>| page.as_ref().is_ok_and(|page| page.rows.is_empty());
    if read.is_empty() || !read.values().all(is_empty) {
        return None;
    }
    let client = &context.client;
    let any = Query::new(SEGMENTS, 1).fields(&["activity.name"]);
    let first = client.read_page(&any).ok()?.rows.into_iter().next();
    let Some(known) = first.map(|row| value::first(&row, "activity").and_then(value::name_of)) else {
        return Some(Finding::NoneAtAll);
    };
    // An activity that has segments shows which way leads to them.
    let gives = |query: Query| {
        let one = Query {
            take: 1,
            sort: Vec::new(),
            ..query
        };
        client.read_page(&one).is_ok_and(|page| !page.rows.is_empty())
    };
    if let Some(known) = known {
        if by_list && gives(segments_of_some(std::slice::from_ref(&known))) {
            return None;
        }
        if gives(segments_of(&known)) {
            if !by_list {
                return None;
            }
            client.learn(Mend::OneByOne, SEGMENTS);
            let names: Vec<String> = read.keys().cloned().collect();
            let queries: Vec<Query> = names.iter().map(|name| segments_of(name)).collect();
            read.extend(names.into_iter().zip(client.read_all_of_each(&queries)));
            client.note_mend(Mend::OneByOne, SEGMENTS, &["activity"], !read.values().all(is_empty));
            return None;
        }
    }
    let mut of_calls = Vec::new();
    for call in calls {
        let path = call
            .id
            .as_deref()
            .and_then(|id| query::path("activitiesCall", &[id, "transcripts"]));
        of_calls.extend(path.map(|path| (call, Query::new(path, TAKE_MAX).fields(SEGMENT_FIELDS))));
    }
    let queries: Vec<Query> = of_calls.iter().map(|(_, query)| query.clone()).collect();
    for ((call, _), page) in of_calls.into_iter().zip(client.read_all_of_each(&queries)) {
        let Ok(page) = page else { continue };
        let mut rest = page.rows;
        for (i, leg) in call.legs.iter().enumerate() {
            // A segment that does not say whose it is stands in the first leg.
            let is_of = |row: &Value| match value::first(row, "activity").and_then(value::name_of) {
                Some(name) => name == leg.name,
                None => i == 0,
            };
            let (rows, others): (Vec<Value>, Vec<Value>) = rest.into_iter().partition(is_of);
            rest = others;
            let total = Some(rows.len() as u64);
            let page = Page {
                rows,
                total,
                ..Page::default()
            };
            read.insert(leg.name.clone(), Ok(page));
        }
    }
    let found = !read.values().all(is_empty);
    client.note_mend(Mend::RelationPath, "activitiesCall", &["transcripts"], found);
    (!found).then_some(Finding::NotByActivity)
}

/// The call that one of its activities, or its own id, names.
fn legs_of(context: &Context, call: &Entity, id: &str) -> Result<Call, Error> {
    let client = &context.client;
    let fields: Vec<String> = [call.key]
        .iter()
        .chain(LEG_FIELDS)
        .map(|field| (*field).to_owned())
        .collect();
    if !id.starts_with("activities_") {
        return match client.read_record(call.endpoint, id, &fields) {
            Ok(record) => Ok(Call::of(&record)),
            Err(Error::NotFound(_) | Error::Refused(_)) => Ok(Call::default()),
            Err(error) => Err(error),
        };
    }
    let query = Query {
        fields: fields.clone(),
        ..Query::new(call.endpoint, 2)
    };
    // Without the other legs the transcript of this one is still worth showing.
    // A build that refuses the condition is not asked again.
    let by_item = client.needs(Mend::ItemAlone, call.endpoint);
    let read = (!by_item).then(|| client.read_page(&query.filter(Filter::eq("activities.name", id))));
    let unknown = match read {
        None => None,
        Some(Ok(page)) => {
            let mut calls = page.rows.iter().map(Call::of);
            if let Some(found) = calls.find(|call| call.legs.iter().any(|leg| leg.name == id)) {
                return Ok(found);
            }
            None
        }
        Some(Err(error)) => Some(error),
    };
    // The activity itself names its call.
    let item = format!("item.{}", call.key);
    let activity = client.read_record("activities", id, &["name".to_owned(), item.clone()]);
    let named = activity.ok().and_then(|activity| value::text_at(&activity, &item));
    let found = named.and_then(|name| client.read_record(call.endpoint, &name, &fields).ok());
    client.note_mend(Mend::ItemAlone, call.endpoint, &["item"], found.is_some());
    if found.is_some() && matches!(unknown, Some(Error::Refused(_))) {
        client.learn(Mend::ItemAlone, call.endpoint);
    }
    Ok(match found {
        Some(record) => Call::of(&record),
        None => Call {
            unknown,
            ..Call::default()
        },
    })
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
        fields: with_evidence(list.entity, run::projection(list.entity, args)?, &conditions.filters),
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

/// What was said on each leg of these calls, read whole; a leg that could not be read is absent.
pub(crate) fn of_each_leg(context: &Context, calls: &[Value]) -> BTreeMap<String, Vec<Utterance>> {
    let legs = calls.iter().flat_map(|call| Call::of(call).legs);
    let names: Vec<String> = legs.map(|leg| leg.name).collect();
    let read = read_transcripts(context, &names).into_iter();
    read.filter_map(|(name, page)| Some((name, utterances(&page.ok()?.rows))))
        .collect()
}

/// How many calls one query asks the transcripts of. A conversation has some 20 segments a minute, so that five
/// calls of ten minutes fit one page; a batch that does not is read call by call.
const CALLS_PER_QUERY: usize = 5;

pub(crate) fn with_transcripts(context: &Context, calls: &[Value]) -> Vec<Related> {
    let calls: Vec<Call> = calls.iter().map(Call::of).collect();
    let names = calls.iter().flat_map(|call| &call.legs).map(|leg| leg.name.clone());
    let mut read = read_transcripts(context, &names.collect::<Vec<_>>());
    let by_list = !context.client.needs(Mend::OneByOne, SEGMENTS);
    let finding = look_elsewhere(context, &calls, &mut read, by_list);
    if let Some(note) = finding.and_then(Finding::note) {
        context.client.note(note);
    }
    let silent = match finding {
        Some(Finding::NotByActivity) => "[whether it has a transcript is not known]",
        _ => "[no transcript]",
    };
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
            (true, _) => Related::remark(silent),
            (false, 1) => Related::conversation("Transcript", legs.remove(0).utterances, silent),
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
    calls.iter().map(|call| part(&call.legs)).collect()
}

/// Whether it is known that the build refuses transcripts of several activities at once.
pub(crate) fn are_one_by_one(context: &Context) -> bool {
    context.client.needs(Mend::OneByOne, SEGMENTS)
}

/// The segments of each activity. Several activities share a query where the build takes that and tells them apart.
fn read_transcripts(context: &Context, activities: &[String]) -> Segments {
    let batches: Vec<&[String]> = activities.chunks(CALLS_PER_QUERY).collect();
    let (batches, mut alone): (Vec<&[String]>, Vec<&String>) = if are_one_by_one(context) {
        (Vec::new(), activities.iter().collect())
    } else {
        (batches, Vec::new())
    };
    let mut is_refused = false;
    let queries: Vec<Query> = batches.iter().map(|batch| segments_of_some(batch)).collect();
    let mut read = Segments::new();
    for (batch, page) in batches.iter().zip(context.client.read_pages(&queries)) {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                is_refused |= matches!(error, Error::Refused(_));
                alone.extend(*batch);
                continue;
            }
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
        if is_refused && page.is_ok() {
            context.client.learn(Mend::OneByOne, SEGMENTS);
        }
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
