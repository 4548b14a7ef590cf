//! Finding words: in the titles and texts of records, and in what was said in conversations. An instance narrows by patterns what has
//! to be read; what comes is compared here, and how much was read is said.

use std::collections::BTreeMap;

use serde_json::Value;

use super::words::{Field, Wanted};
use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{Direction, Filter, Query},
    },
    model::{
        args::Args,
        context::Context,
        entity::Entity,
        field::Detail,
        list::List,
        output::{
            Body, Content, FactValue, ListOutput, Moment, Output, Overflow, Record, Role, Speaker, Text, Utterance,
        },
        param,
    },
    render::{html, mail, markdown::quoted},
    run::{
        filters::conditions,
        records::{records_with, warnings},
    },
    sort, text,
    tools::{
        activity_content::{self, ChannelOf},
        call_transcripts, threads,
    },
    value,
};

/// How many records are read of each kind at most; beyond it the answer says what was not read.
const RECORDS_MAX: u64 = 1000;
/// Long texts are read in smaller pages, so that no answer of the instance is too large.
const PAGE: u64 = 200;
/// Messages take a request for each chat.
const CHATS_MAX: usize = 150;
/// How many calls one query asks for segments with the words.
const CALLS_PER_QUERY: usize = 40;
/// Calls whose whole transcripts are read where a build does not narrow them.
const WHOLE_CALLS_MAX: usize = 100;
/// How many places are shown of one conversation.
const PLACES_MAX: usize = 5;

/// No record holds it: a build that finds something by it does not search.
const NONSENSE: &str = "qxzvwkjqhx";

pub(crate) fn wanted(args: &Args) -> Result<Wanted, Error> {
    Wanted::parse(&args.texts(&param::WORDS))
}

/// Records that match a query, up to so many, in pages; the total says whether there are more.
fn read_up_to(context: &Context, query: &Query, most: u64) -> Result<Page, Error> {
    let mut whole = context.client.read_page(&Query {
        take: PAGE.min(most),
        ..query.clone()
    })?;
    let received = whole.received() as u64;
    let end = whole
        .total
        .unwrap_or(if received < PAGE { received } else { most })
        .min(most);
    if received == 0 {
        return Ok(whole);
    }
    let rest: Vec<Query> = (received..end)
        .step_by(received as usize)
        .map(|skip| Query {
            skip,
            take: PAGE.min(end - skip),
            ..query.clone()
        })
        .collect();
    for page in context.client.read_pages(&rest) {
        whole.rows.extend(page?.rows);
    }
    Ok(whole)
}

/// The same narrowed to records that may hold the words; a build that does not take the condition is read without it.
fn read_narrowed(context: &Context, query: &Query, narrow: Filter, most: u64) -> Result<Page, Error> {
    match read_up_to(context, &query.clone().filter(narrow), most) {
        Err(Error::Refused(_)) => read_up_to(context, query, most),
        page => page,
    }
}

/// How much was read, for the answer; and what was not.
fn said_read(read: usize, total: Option<u64>, singular: &str, plural: &str) -> String {
    let number = text::thousands(read as u64);
    let all = text::count(read as u64, singular, plural);
    match total {
        Some(total) if total > read as u64 => format!(
            "{number} of the {} {plural} that may hold the words were read, the newest ones; narrower dates or filters reach the others",
            text::thousands(total)
        ),
        _ => format!(
            "{all} that may hold the words {} read",
            if read == 1 { "was" } else { "were" }
        ),
    }
}

/// A record that was found, with the sentences that hold the words.
pub(crate) struct Hit {
    pub(crate) row: Value,
    pub(crate) sentences: Vec<String>,
}

/// Where words are looked for in records of a kind.
pub(crate) struct Search<'a> {
    pub(crate) entity: &'static Entity,
    pub(crate) fields: &'a [Field],
    /// The instance may have a full-text search of these.
    pub(crate) has_full_text: bool,
}

/// Records with the words in these fields, and what the instance's own full-text search finds besides; with notes on what was read.
pub(crate) fn records(
    context: &Context,
    search: &Search,
    wanted: &Wanted,
    given: &[&str],
    query: &Query,
) -> Result<(Vec<Hit>, Vec<String>), Error> {
    let mut query = query.clone();
    for field in search.fields {
        if !query.fields.iter().any(|known| known == field.path) {
            query.fields.push(field.path.to_owned());
        }
    }
    let narrowed = read_narrowed(context, &query, wanted.filter(search.fields, false), RECORDS_MAX)?;
    let mut notes = vec![format!(
        "Searched: {}.",
        said_read(
            narrowed.rows.len(),
            narrowed.total,
            search.entity.singular,
            search.entity.plural
        )
    )];
    let full_text = if search.has_full_text {
        full_text(context, given, &query)
    } else {
        Vec::new()
    };
    let mut hits: Vec<Hit> = Vec::new();
    let mut elsewhere = 0;
    let mut known: Vec<Option<String>> = Vec::new();
    let is_narrowed = narrowed.rows.into_iter().map(|row| (row, false));
    for (row, by_full_text) in is_narrowed.chain(full_text.into_iter().map(|row| (row, true))) {
        let name = value::text_at(&row, search.entity.key);
        if known.contains(&name) {
            continue;
        }
        let texts: Vec<String> = search.fields.iter().filter_map(|field| readable(&row, field)).collect();
        let is_here = wanted.are_in(texts.iter().map(String::as_str));
        if !is_here && !by_full_text {
            continue;
        }
        elsewhere += usize::from(!is_here);
        known.push(name);
        let sentences = texts.iter().flat_map(|text| wanted.sentences(text)).collect();
        hits.push(Hit { row, sentences });
    }
    if elsewhere > 0 {
        notes.push(format!(
            "{elsewhere} of them come from Daktela's own full-text search; there the words stand elsewhere in the record."
        ));
    }
    Ok((hits, notes))
}

fn readable(row: &Value, field: &Field) -> Option<String> {
    let text = value::text_at(row, field.path)?;
    Some(if field.is_html {
        html::to_text(&text, html::Hidden::Marked)
    } else {
        text::line(&text)
    })
}

/// What the instance's full-text search finds; nothing where the build does not search.
fn full_text(context: &Context, given: &[&str], query: &Query) -> Vec<Value> {
    let search = |words: &str, take: u64| Query {
        search: Some(words.to_owned()),
        take,
        ..query.clone()
    };
    let mut queries: Vec<Query> = given.iter().map(|words| search(words, PAGE)).collect();
    queries.push(Query {
        fields: vec!["name".to_owned()],
        ..search(NONSENSE, 1)
    });
    let mut pages = context.client.read_pages(&queries);
    // It is help: without it the words are still found in titles and texts.
    let searches = matches!(pages.pop(), Some(Ok(page)) if page.rows.is_empty());
    let pages = pages.into_iter().filter(|_| searches);
    pages.flatten().flat_map(|page| page.rows).collect()
}

/// A tool that lists the records of a kind that hold the words.
pub(crate) fn find_records(context: &Context, args: &Args, list: &List, search: &Search) -> Result<Output, Error> {
    let wanted = wanted(args)?;
    let given = args.texts(&param::WORDS);
    let conditions = conditions(context, list.filters, args)?;
    let query = Query {
        filters: conditions.filters.clone(),
        sort: list
            .sort
            .iter()
            .map(|(field, direction)| ((*field).to_owned(), *direction))
            .collect(),
        fields: list.entity.projection(Detail::Summary),
        ..Query::new(list.entity.endpoint, 0)
    };
    let (hits, notes) = records(context, search, &wanted, &given, &query)?;
    let total = hits.len();
    let (skip, take) = (
        args.skip(),
        args.number(&param::take(list.take.0, list.take.1))
            .unwrap_or(list.take.0),
    );
    let page: Vec<Hit> = hits.into_iter().skip(skip as usize).take(take as usize).collect();
    let rows: Vec<Value> = page.iter().map(|hit| hit.row.clone()).collect();
    let mut records = records_with(context, list.entity, args, Detail::Summary, &rows, Vec::new());
    for (record, hit) in records.iter_mut().zip(page) {
        record.texts = vec![Text {
            label: "",
            body: Body::Plain(
                hit.sentences
                    .into_iter()
                    .take(PLACES_MAX)
                    .collect::<Vec<_>>()
                    .join("\n"),
            ),
            chars: 2_000,
            note: None,
        }];
        record
            .texts
            .retain(|text| !matches!(&text.body, Body::Plain(body) if body.is_empty()));
    }
    let applied = [vec![said_words(&given)], conditions.applied_filters].concat();
    let notes = [conditions.notes, notes, warnings(context)].concat();
    Ok(listing(
        context,
        args,
        list.entity,
        records,
        total,
        (skip, take),
        applied,
        notes,
    ))
}

fn said_words(given: &[&str]) -> String {
    let words: Vec<String> = given.iter().map(|words| quoted(words)).collect();
    format!("words {}", words.join(" or "))
}

#[expect(clippy::too_many_arguments, reason = "the parts of a page")]
fn listing(
    context: &Context,
    args: &Args,
    entity: &Entity,
    records: Vec<Record>,
    total: usize,
    (skip, take): (u64, u64),
    applied_filters: Vec<String>,
    notes: Vec<String>,
) -> Output {
    Output {
        first_record: None,
        content: Content::List(ListOutput {
            singular: entity.singular,
            plural: entity.plural,
            rows: records.len(),
            left_out: None,
            records,
            skip,
            take,
            total: Some(total as u64),
            applied_filters,
            notes,
            zone: context.client.zone(),
            overflow: Overflow::Records,
            text_chars: None,
            budget: args.budget(context.settings.max_answer_bytes),
        }),
    }
}

/// Lists of conversations in which words are looked for, with the filters that each takes.
pub(crate) struct Conversations {
    pub(crate) emails: &'static List,
    pub(crate) calls: &'static List,
    pub(crate) chats: &'static [(&'static str, &'static List)],
    pub(crate) comments: &'static List,
    /// Activities of every kind: what a ticket holds is read by them.
    pub(crate) activities: &'static List,
    pub(crate) channel: ChannelOf,
}

/// A conversation that holds the words: when it was, its row, and the places.
struct Conversation {
    time: String,
    entity: &'static Entity,
    row: Value,
    places: Vec<Utterance>,
}

/// A tool that finds words in what was said and written, whichever the channel.
pub(crate) fn find_in_conversations(context: &Context, args: &Args, of: &Conversations) -> Result<Output, Error> {
    let wanted = wanted(args)?;
    let types = args.texts(&param::ACTIVITY_TYPE);
    let is_wanted = |kind: &str| types.is_empty() || types.contains(&kind);
    let mut found: Vec<Conversation> = Vec::new();
    let mut read: Vec<String> = Vec::new();
    let mut failed: Vec<Error> = Vec::new();
    let mut applied = vec![said_words(&args.texts(&param::WORDS))];
    let mut notes = Vec::new();
    // Every list has the same arguments: the first one tells how they were understood.
    let said = conditions(context, of.activities.filters, args)?;
    applied.extend(said.applied_filters);
    notes.extend(said.notes);
    let mut add = |result: Result<(Vec<Conversation>, String), Error>| match result {
        Ok((conversations, note)) => {
            found.extend(conversations);
            read.push(note);
        }
        Err(error) => failed.push(error),
    };
    let is_of_ticket = [&param::TICKET, &param::WITHIN]
        .iter()
        .any(|param| args.text(param).is_some());
    if is_of_ticket {
        add(in_ticket(context, args, of, &wanted, &types));
    }
    if is_wanted("EMAIL") && !is_of_ticket {
        add(in_emails(context, args, of.emails, &wanted));
    }
    if is_wanted("CALL") && !is_of_ticket {
        add(in_calls(context, args, of.calls, &wanted));
    }
    let chats: Vec<&List> = of
        .chats
        .iter()
        .filter(|(kind, _)| is_wanted(kind))
        .map(|(_, list)| *list)
        .collect();
    if !chats.is_empty() && !is_of_ticket {
        add(in_chats(context, args, &chats, &wanted));
    }
    if is_wanted("COMMENT") && !is_of_ticket {
        add(in_comments(context, args, of.comments, &wanted));
    }
    if let (true, Some(error)) = (read.is_empty(), failed.first()) {
        return Err(error.clone());
    }
    notes.push(format!("Searched: {}.", read.join("; ")));
    notes.extend(
        failed
            .iter()
            .map(|error| format!("Some could not be read. {}", error.text())),
    );
    sort::sort_by(&mut found, |a, b| b.time.cmp(&a.time));
    let total = found.len();
    let (skip, take) = (args.skip(), args.number(&param::take(20, 100)).unwrap_or(20));
    let page = found.into_iter().skip(skip as usize).take(take as usize);
    let records = page
        .map(|conversation| {
            let rows = [conversation.row];
            let mut record = records_with(context, conversation.entity, args, Detail::Summary, &rows, Vec::new())
                .pop()
                .expect("one record");
            let more = conversation.places.len().saturating_sub(PLACES_MAX);
            if more > 0 {
                record.remarks.push(format!("[{more} more places]"));
            }
            record.texts = vec![Text {
                label: "",
                body: Body::Conversation(conversation.places.into_iter().take(PLACES_MAX).collect()),
                chars: usize::MAX,
                note: None,
            }];
            record
        })
        .collect();
    applied.push("newest first".to_owned());
    let notes = [notes, warnings(context)].concat();
    Ok(listing(
        context,
        args,
        of.comments.entity,
        records,
        total,
        (skip, take),
        applied,
        notes,
    ))
}

/// The query of a list with the arguments of a call, newest first.
fn query_of(context: &Context, args: &Args, list: &List, more: &[&str]) -> Result<Query, Error> {
    let mut fields = list.entity.projection(Detail::Summary);
    fields.extend(more.iter().map(|field| (*field).to_owned()));
    let (time, direction) = list.sort.unwrap_or(("time", Direction::Descending));
    Ok(Query {
        filters: conditions(context, list.filters, args)?.filters,
        fields,
        ..Query::new(list.entity.endpoint, 0)
    }
    .sort(time, direction))
}

fn time_of(row: &Value) -> String {
    let time = ["time", "call_time"].iter().find_map(|path| value::text_at(row, path));
    time.unwrap_or_default()
}

fn in_emails(
    context: &Context,
    args: &Args,
    list: &List,
    wanted: &Wanted,
) -> Result<(Vec<Conversation>, String), Error> {
    const FIELDS: &[Field] = &[
        Field {
            path: "title",
            is_html: false,
        },
        Field {
            path: "text",
            is_html: true,
        },
    ];
    let query = query_of(
        context,
        args,
        list,
        &["text", "direction", "contact.title", "user.title", "address"],
    )?;
    let page = read_narrowed(context, &query, wanted.filter(FIELDS, false), RECORDS_MAX)?;
    let note = said_read(page.rows.len(), page.total, "e-mail", "e-mails");
    let mut found = Vec::new();
    for row in page.rows {
        let subject = value::text_at(&row, "title")
            .map(|title| text::line(&title))
            .unwrap_or_default();
        let source = value::text_at(&row, "text").unwrap_or_default();
        let body = if args.flag(&param::FULL_MAIL) {
            html::to_text(&source, html::Hidden::Marked)
        } else {
            mail::body(&source, Some(&subject)).text
        };
        if !wanted.are_in([subject.as_str(), body.as_str()]) {
            continue;
        }
        let time = time_of(&row);
        let speaker = || writer(&row);
        let said = |text: String| Utterance {
            at: Moment::Time(time.clone()),
            speaker: speaker(),
            text,
            files: Vec::new(),
        };
        let mut places: Vec<Utterance> = wanted.sentences(&body).into_iter().map(said).collect();
        if places.is_empty() {
            places.extend(wanted.sentences(&subject).into_iter().map(said));
        }
        found.push(Conversation {
            time: time.clone(),
            entity: list.entity,
            row: without(row, "text"),
            places,
        });
    }
    Ok((found, note))
}

fn without(mut row: Value, field: &str) -> Value {
    if let Some(row) = row.as_object_mut() {
        row.remove(field);
    }
    row
}

/// Who wrote an e-mail: by its direction the agent, or the contact or address of the other side.
pub(crate) fn writer(mail: &Value) -> Speaker {
    let line = |path: &str| value::text_at(mail, path).map(|name| text::line(&name));
    let (role, name) = match value::text_at(mail, "direction")
        .map(|way| way.to_lowercase())
        .as_deref()
    {
        Some("out") => (Role::Agent, line("user.title")),
        Some("in") => (Role::Customer, line("contact.title").or_else(|| line("address"))),
        _ => (Role::Unknown, None),
    };
    Speaker { role, name, note: None }
}

fn in_calls(
    context: &Context,
    args: &Args,
    list: &List,
    wanted: &Wanted,
) -> Result<(Vec<Conversation>, String), Error> {
    const TEXT: &[Field] = &[Field {
        path: "text",
        is_html: false,
    }];
    let query = query_of(context, args, list, call_transcripts::LEG_FIELDS)?.filter(Filter::eq("answered", "1"));
    let page = read_up_to(context, &query, RECORDS_MAX)?;
    let mut note = match page.total {
        Some(total) if total > page.rows.len() as u64 => format!(
            "the transcripts of the newest {} of {} answered calls were searched; narrower dates reach the others",
            text::thousands(page.rows.len() as u64),
            text::thousands(total)
        ),
        _ => format!(
            "the transcripts of {} were searched",
            text::count(page.rows.len() as u64, "answered call", "answered calls")
        ),
    };
    let legs: Vec<String> = page
        .rows
        .iter()
        .flat_map(|call| value::all(call, "activities").into_iter().filter_map(value::name_of))
        .collect();
    let segments = |names: &[String], narrow: Filter| {
        Query::new("activitiesCallTranscripts", crate::daktela::query::TAKE_MAX)
            .fields(&["text", "type", "start", "end", "activity.name"])
            .filter(Filter::one_of("activity", names.to_vec()))
            .filter(narrow)
            .sort("start", Direction::Ascending)
    };
    let mut is_refused = call_transcripts::are_one_by_one(context);
    let queries: Vec<Query> = legs
        .chunks(CALLS_PER_QUERY)
        .filter(|_| !is_refused)
        .map(|names| segments(names, wanted.filter(TEXT, true)))
        .collect();
    let mut by_leg: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for read in context.client.read_pages(&queries) {
        match read {
            Ok(page) => {
                let owners = page.rows.iter().all(|row| owner(row).is_some());
                is_refused |= !owners;
                for row in page.rows {
                    if let Some(owner) = owner(&row) {
                        by_leg.entry(owner).or_default().push(row);
                    }
                }
            }
            Err(Error::Refused(_)) => is_refused = true,
            Err(error) => return Err(error),
        }
    }
    let mut utterances: BTreeMap<String, Vec<Utterance>> = by_leg
        .into_iter()
        .map(|(leg, rows)| (leg, call_transcripts::utterances(&rows)))
        .collect();
    if is_refused {
        // A build that does not narrow transcripts gives them call by call.
        let calls = &page.rows[..page.rows.len().min(WHOLE_CALLS_MAX)];
        if calls.len() < page.rows.len() {
            note = format!(
                "the transcripts of the newest {} answered calls were searched, since this Daktela gives them call by call",
                calls.len()
            );
        }
        utterances = call_transcripts::of_each_leg(context, calls);
    }
    let mut found = Vec::new();
    for row in page.rows {
        let names = value::all(&row, "activities").into_iter().filter_map(value::name_of);
        let mut places: Vec<Utterance> = names.filter_map(|name| utterances.remove(&name)).flatten().collect();
        if !wanted.are_in(places.iter().map(|said| said.text.as_str())) {
            continue;
        }
        places.retain(|said| wanted.is_any_in(&said.text));
        found.push(Conversation {
            time: time_of(&row),
            entity: list.entity,
            row,
            places,
        });
    }
    Ok((found, note))
}

fn owner(segment: &Value) -> Option<String> {
    value::first(segment, "activity").and_then(value::name_of)
}

fn in_chats(
    context: &Context,
    args: &Args,
    lists: &[&List],
    wanted: &Wanted,
) -> Result<(Vec<Conversation>, String), Error> {
    let mut rows: Vec<(String, usize, Value)> = Vec::new();
    let mut total = 0;
    let mut error = None;
    let mut answered = 0;
    for (i, list) in lists.iter().enumerate() {
        match read_up_to(context, &query_of(context, args, list, &[])?, CHATS_MAX as u64) {
            Ok(page) => {
                answered += 1;
                total += page.total.unwrap_or(page.rows.len() as u64);
                rows.extend(page.rows.into_iter().map(|row| (time_of(&row), i, row)));
            }
            // A channel that the company does not have.
            Err(Error::NoRight(_) | Error::NotFound(_)) => {}
            Err(other) => error = Some(other),
        }
    }
    if let (0, Some(error)) = (answered, error) {
        return Err(error);
    }
    sort::sort_by(&mut rows, |a, b| b.0.cmp(&a.0));
    rows.truncate(CHATS_MAX);
    let note = if total > rows.len() as u64 {
        format!(
            "the messages of the newest {} of {} chats were read; narrower dates or one type reach the others",
            rows.len(),
            text::thousands(total)
        )
    } else {
        format!(
            "the messages of {} were read",
            text::count(rows.len() as u64, "chat", "chats")
        )
    };
    let mut found = Vec::new();
    for (i, list) in lists.iter().enumerate() {
        let these: Vec<Value> = rows
            .iter()
            .filter(|(_, of, _)| *of == i)
            .map(|(.., row)| row.clone())
            .collect();
        let Some(enrich) = list.entity.enrich.filter(|_| !these.is_empty()) else {
            continue;
        };
        let related = enrich(context, list.entity, args, &these);
        for (row, related) in these.into_iter().zip(related) {
            let Some(Body::Conversation(mut places)) = related.text.map(|text| text.body) else {
                continue;
            };
            if !wanted.are_in(places.iter().map(|said| said.text.as_str())) {
                continue;
            }
            places.retain(|said| wanted.is_any_in(&said.text));
            found.push(Conversation {
                time: time_of(&row),
                entity: list.entity,
                row,
                places,
            });
        }
    }
    Ok((found, note))
}

/// What was said on one ticket or in one activity, whole: no build has to filter channels by tickets.
fn in_ticket(
    context: &Context,
    args: &Args,
    of: &Conversations,
    wanted: &Wanted,
    types: &[&str],
) -> Result<(Vec<Conversation>, String), Error> {
    let query = query_of(
        context,
        args,
        of.activities,
        &["type", "description", "attachments", "created_by.title"],
    )?;
    let mut page = read_up_to(context, &query, RECORDS_MAX)?;
    page.rows.retain(|row| {
        let kind = value::text_at(row, "type").unwrap_or_else(|| "COMMENT".to_owned());
        types.is_empty() || types.contains(&kind.as_str())
    });
    let mut note = format!(
        "what was said in {} was read",
        text::count(page.rows.len() as u64, "activity", "activities")
    );
    if let Some(total) = page.total.filter(|total| *total > RECORDS_MAX) {
        note += &format!(", the newest of {}", text::thousands(total));
    }
    let contents = activity_content::contents(context, args, &page.rows, of.channel);
    let mut found = Vec::new();
    for (row, content) in page.rows.into_iter().zip(contents) {
        let said = threads::said(&row, content, Some(""));
        if !wanted.are_in(said.iter().map(|said| said.text.as_str())) {
            continue;
        }
        let places = said.into_iter().flat_map(|whole| match whole.at {
            // Segments and messages are short.
            Moment::Offset(_) => Vec::from_iter(wanted.is_any_in(&whole.text).then_some(whole)),
            Moment::Time(ref time) => {
                let sentences = wanted.sentences(&whole.text).into_iter();
                let each = sentences.map(|text| Utterance {
                    at: Moment::Time(time.clone()),
                    speaker: whole.speaker.clone(),
                    text,
                    files: Vec::new(),
                });
                each.collect()
            }
        });
        found.push(Conversation {
            time: time_of(&row),
            places: places.collect(),
            entity: of.activities.entity,
            row: without(row, "description"),
        });
    }
    Ok((found, note))
}

fn in_comments(
    context: &Context,
    args: &Args,
    list: &List,
    wanted: &Wanted,
) -> Result<(Vec<Conversation>, String), Error> {
    const FIELDS: &[Field] = &[Field {
        path: "description",
        is_html: true,
    }];
    let comment = Filter::Any(vec![Filter::eq("type", ""), Filter::eq("type", "COMMENT")]);
    let query = query_of(context, args, list, &["description", "user.title", "created_by.title"])?.filter(comment);
    let page = read_narrowed(context, &query, wanted.filter(FIELDS, false), RECORDS_MAX)?;
    let note = said_read(page.rows.len(), page.total, "comment", "comments");
    let mut found = Vec::new();
    for row in page.rows {
        let source = value::text_at(&row, "description").unwrap_or_default();
        let body = html::to_text(&source, html::Hidden::Marked);
        if !wanted.are_in([body.as_str()]) {
            continue;
        }
        let name = ["user.title", "created_by.title"]
            .iter()
            .find_map(|path| value::text_at(&row, path));
        let time = time_of(&row);
        let places = wanted.sentences(&body).into_iter().map(|text| Utterance {
            at: Moment::Time(time.clone()),
            speaker: Speaker {
                role: Role::Agent,
                name: name.as_deref().map(text::line),
                note: Some("comment".into()),
            },
            text,
            files: Vec::new(),
        });
        found.push(Conversation {
            places: places.collect(),
            time,
            entity: list.entity,
            row: without(row, "description"),
        });
    }
    Ok((found, note))
}

/// What kind of conversation a row is, for lists that hold several kinds.
pub(crate) fn kind(word: &'static str) -> Option<FactValue> {
    Some(FactValue::Word(word.to_owned()))
}
