//! Finding words: in the titles and texts of records, and in what was said in conversations. An instance narrows by patterns what has
//! to be read; what comes is compared here, and how much was read is said.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::words::{Field, Wanted};
use crate::{
    daktela::{
        error::Error,
        http::REQUESTS_AT_A_TIME,
        query::{Direction, Filter, Query, TAKE_MAX},
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
        filters::{conditions, time_of},
        records::{records_with, warnings},
        scan::{PAGE_OF_TEXTS, Scanned, Scanner},
    },
    sort, text,
    tools::{
        activity_content::{self, ChannelOf},
        call_transcripts, threads,
    },
    value,
};

/// How many calls one query asks for segments with the words.
const CALLS_PER_QUERY: usize = 40;
/// How many conversations are read whole at a time: as many as requests run at once.
const WHOLE_AT_A_TIME: usize = REQUESTS_AT_A_TIME;
/// How many places are shown of one conversation.
const PLACES_MAX: usize = 5;

/// No record holds it: a build that finds something by it does not search.
const NONSENSE: &str = "qxzvwkjqhx";

pub(crate) fn wanted(args: &Args) -> Result<Wanted, Error> {
    Wanted::parse(&args.texts(&param::WORDS))
}

/// Reads the records of a query, newest first, within the limits of the call, and hands over each. They are narrowed to those that may
/// hold the words where the build takes such a condition.
fn read(
    scanner: &mut Scanner,
    of: &Reading,
    query: &Query,
    narrow: Filter,
    row: &mut dyn FnMut(&Value) -> bool,
) -> Result<Scanned, Error> {
    let mut fold = |_: &mut Scanner, rows: &[Value]| {
        let done = rows.iter().take_while(|one| row(one)).count();
        Ok(done)
    };
    let narrowed = query.clone().filter(narrow);
    match scanner.newest(&narrowed, of.key, of.time, PAGE_OF_TEXTS, &mut fold) {
        Err(Error::Refused(_)) => scanner.newest(query, of.key, of.time, PAGE_OF_TEXTS, &mut fold),
        read => read,
    }
}

/// By what records are told apart, and by what they are sorted.
struct Reading {
    key: &'static str,
    time: &'static str,
}

/// How much was read, for the answer, and what was not: with `alone`, the argument that reads these alone.
fn said_read(scanner: &Scanner, read: &Scanned, singular: &str, plural: &str, alone: Option<&str>) -> String {
    let what = format!("{plural} that may hold the words");
    if let Some(left_out) = scanner.not_reached(read, &what, alone) {
        return left_out;
    }
    format!(
        "{} that may hold the words {} read",
        text::count(read.read, singular, plural),
        if read.read == 1 { "was" } else { "were" }
    )
}

/// A record that was found, with the sentences that hold the words.
pub(crate) struct Hit {
    pub(crate) row: Value,
    /// Whether the words stand in the fields that were searched.
    is_here: bool,
    pub(crate) sentences: Vec<String>,
}

/// Where words are looked for in records of a kind.
pub(crate) struct Search<'a> {
    pub(crate) entity: &'static Entity,
    pub(crate) fields: &'a [Field],
    /// The instance may have a full-text search of these.
    pub(crate) has_full_text: bool,
}

/// Things in the order of their times, of which only the newest are kept: as many as a page and all before it have.
pub(crate) struct Newest<T> {
    pub(crate) total: usize,
    kept: Vec<(String, T)>,
    most: usize,
}

impl<T> Newest<T> {
    fn new(most: u64) -> Self {
        Newest {
            total: 0,
            kept: Vec::new(),
            most: usize::try_from(most).unwrap_or(usize::MAX),
        }
    }

    fn add(&mut self, time: String, one: T) {
        self.total += 1;
        self.kept.push((time, one));
        if self.kept.len() / 2 > self.most.saturating_add(100) {
            self.order();
        }
    }

    fn order(&mut self) {
        sort::sort_by(&mut self.kept, |(a, _), (b, _)| b.cmp(a));
        self.kept.truncate(self.most);
    }

    /// Those of a page.
    pub(crate) fn page(mut self, skip: u64) -> impl Iterator<Item = T> {
        self.order();
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        self.kept.into_iter().skip(skip).map(|(_, one)| one)
    }
}

/// How records are looked for and in what order they are wanted.
pub(crate) struct Order {
    /// The time that dates filter: they are read by it, so that the answer can say how far that went.
    pub(crate) time: Option<&'static str>,
    /// The time by which they are listed, the newest first.
    pub(crate) by: &'static str,
    /// How many are wanted.
    pub(crate) most: u64,
    /// Whether nothing more is read when there are so many.
    pub(crate) is_enough: bool,
}

/// Records with the words in these fields, and what the instance's own full-text search finds besides; with notes on what was read.
pub(crate) fn records(
    context: &Context,
    search: &Search,
    wanted: &Wanted,
    given: &[&str],
    query: &Query,
    order: &Order,
) -> Result<(Newest<Hit>, Vec<String>), Error> {
    let Search { entity, fields, .. } = search;
    let mut query = query.clone();
    let more = fields
        .iter()
        .map(|field| field.path)
        .chain([order.by])
        .chain(order.time);
    for field in more {
        if !query.fields.iter().any(|known| known == field) {
            query.fields.push(field.to_owned());
        }
    }
    if let Some(time) = order.time {
        query.sort = vec![(time.to_owned(), Direction::Descending)];
    }
    let of = Reading {
        key: entity.key,
        time: order.time.unwrap_or(entity.key),
    };
    let mut hits = Newest::new(order.most);
    let mut known: BTreeSet<String> = BTreeSet::new();
    let has_enough = |hits: &Newest<Hit>| order.is_enough && hits.total as u64 >= order.most;
    let mut add = |hits: &mut Newest<Hit>, row: &Value, is_found: bool| {
        let found = hit(search, wanted, row).filter(|hit| is_found || hit.is_here)?;
        let is_here = found.is_here;
        known
            .insert(value::text_at(row, entity.key).unwrap_or_default())
            .then(|| hits.add(value::text_at(row, order.by).unwrap_or_default(), found))?;
        Some(is_here)
    };
    let mut scanner = Scanner::new(context);
    let narrow = wanted.filter(fields, false);
    // The instance's full-text search has its share, too.
    scanner.share(1 + u64::from(search.has_full_text));
    let read = read(&mut scanner, &of, &query, narrow, &mut |row| {
        add(&mut hits, row, false);
        !has_enough(&hits)
    })?;
    // Without dates no shorter period is whole.
    let dated = |read: Scanned| Scanned {
        until: read.until.clone().filter(|_| order.time.is_some()),
        ..read
    };
    let mut notes = vec![format!(
        "Searched: {}.",
        said_read(&scanner, &dated(read), entity.singular, entity.plural, None)
    )];
    let mut failed = None;
    let searches = match search.has_full_text && !has_enough(&hits) {
        true => searches(context, &query).unwrap_or_else(|error| {
            failed = Some(error);
            false
        }),
        false => false,
    };
    if searches {
        let mut elsewhere = 0;
        for words in given {
            scanner.share(1);
            let query = Query {
                search: Some((*words).to_owned()),
                ..query.clone()
            };
            let read = scanner.newest(&query, of.key, of.time, PAGE_OF_TEXTS, &mut |_, rows| {
                let fold = |row: &&Value| {
                    elsewhere += usize::from(add(&mut hits, row, true) == Some(false));
                    !has_enough(&hits)
                };
                Ok(rows.iter().take_while(fold).count())
            });
            let read = match read {
                Ok(read) => read,
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            };
            let what = format!("{} that Daktela's own full-text search finds", entity.plural);
            let left_out = scanner.not_reached(&dated(read), &what, None);
            notes.extend(left_out.map(|left_out| format!("Full text: {left_out}.")));
        }
        if elsewhere > 0 {
            notes.push(format!(
                "{elsewhere} of them come from Daktela's own full-text search; there the words stand elsewhere in the record."
            ));
        }
    }
    // It is help: without it the words are still found in titles and texts.
    notes.extend(failed.map(|error| {
        format!(
            "Daktela's own full-text search could not be read, so that {} that hold the words elsewhere may be missing. {}",
            entity.plural,
            error.text()
        )
    }));
    Ok((hits, notes))
}

/// Whether the instance has a full-text search of these records: a build without one passes over what it is asked, and finds all.
fn searches(context: &Context, query: &Query) -> Result<bool, Error> {
    let nonsense = Query {
        search: Some(NONSENSE.to_owned()),
        fields: vec!["name".to_owned()],
        take: 1,
        ..query.clone()
    };
    match context.client.read_page(&nonsense) {
        Ok(page) => Ok(page.rows.is_empty()),
        Err(Error::Refused(_) | Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A record with the sentences that hold the words.
fn hit(search: &Search, wanted: &Wanted, row: &Value) -> Option<Hit> {
    let texts: Vec<String> = search.fields.iter().filter_map(|field| readable(row, field)).collect();
    let mut row = row.clone();
    for field in search.fields.iter().filter(|field| field.is_html) {
        // Long, and said by its sentences.
        row = without(row, field.path);
    }
    Some(Hit {
        is_here: wanted.are_in(texts.iter().map(String::as_str)),
        sentences: texts.iter().flat_map(|text| wanted.sentences(text)).collect(),
        row,
    })
}

fn readable(row: &Value, field: &Field) -> Option<String> {
    let text = value::text_at(row, field.path)?;
    Some(if field.is_html {
        html::to_text(&text, html::Hidden::Marked)
    } else {
        text::line(&text)
    })
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
    let (skip, take) = (
        args.skip(),
        args.number(&param::take(list.take.0, list.take.1))
            .unwrap_or(list.take.0),
    );
    let order = Order {
        time: time_of(list.filters),
        by: list.sort.map_or(list.entity.key, |(by, _)| by),
        most: skip.saturating_add(take),
        is_enough: false,
    };
    let (hits, notes) = records(context, search, &wanted, &given, &query, &order)?;
    let total = hits.total;
    let page: Vec<Hit> = hits.page(skip).collect();
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
    let notes = [
        conditions.notes,
        notes,
        too_many_words(&given, total),
        warnings(context),
    ]
    .concat();
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

/// What finds more where nothing has all the words.
fn too_many_words(given: &[&str], found: usize) -> Vec<String> {
    let has_several = given.iter().any(|words| words.split_whitespace().count() > 1);
    let advice = "Words of one alternative all have to occur: fewer of them find more, and so do commas between them.";
    Vec::from_iter((found == 0 && has_several).then(|| advice.to_owned()))
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

/// A conversation that holds the words: its row, and the places.
struct Conversation {
    entity: &'static Entity,
    row: Value,
    places: Vec<Utterance>,
}

/// What a search has for all its kinds of conversations.
struct Finder<'a, 'b> {
    context: &'a Context<'a>,
    args: &'b Args,
    wanted: &'b Wanted,
    scanner: Scanner<'a>,
    found: Newest<Conversation>,
    /// What could not be read, and why.
    lacks: Vec<String>,
    /// Remarks of chats that could not be read whole.
    unread_chats: Vec<String>,
}

/// What could not be read of some conversations: how many they are, and why, each reason once.
fn unread(remarks: Vec<String>, one: &str, many: &str) -> Option<String> {
    let number = remarks.iter().filter(|remark| remark.starts_with('[')).count();
    let mut reasons: Vec<&String> = Vec::new();
    for remark in &remarks {
        if !reasons.contains(&remark) && reasons.len() < REASONS_MAX {
            reasons.push(remark);
        }
    }
    (!reasons.is_empty()).then(|| {
        format!(
            "{} could not be searched whole: {}",
            text::count(number as u64, one, many),
            reasons.into_iter().map(String::as_str).collect::<Vec<_>>().join("\n")
        )
    })
}

/// How many lines say why conversations could not be read.
const REASONS_MAX: usize = 6;

/// A kind of conversation: its word for `type`, and the list that it is read from.
#[derive(Clone, Copy)]
struct Kind {
    word: &'static str,
    list: &'static List,
    find: fn(&mut Finder, Kind) -> Result<Said, Error>,
}

/// What one kind's search says of itself.
enum Said {
    /// In words.
    All(String),
    /// So many chats were read whole; chats of all channels are said together.
    Chats(u64),
    /// The company does not have this channel.
    Absent,
}

/// A tool that finds words in what was said and written, whichever the channel.
pub(crate) fn find_in_conversations(context: &Context, args: &Args, of: &Conversations) -> Result<Output, Error> {
    let wanted = wanted(args)?;
    let types = args.texts(&param::ACTIVITY_TYPE);
    let mut applied = vec![said_words(&args.texts(&param::WORDS))];
    let mut notes = Vec::new();
    // Every list has the same arguments: the first one tells how they were understood.
    let said = conditions(context, of.activities.filters, args)?;
    applied.extend(said.applied_filters);
    notes.extend(said.notes);
    let (skip, take) = (args.skip(), args.number(&param::take(20, 100)).unwrap_or(20));
    let mut finder = Finder {
        context,
        args,
        wanted: &wanted,
        scanner: Scanner::new(context),
        found: Newest::new(skip.saturating_add(take)),
        lacks: Vec::new(),
        unread_chats: Vec::new(),
    };
    let mut read: Vec<String> = Vec::new();
    let mut failed: Vec<Error> = Vec::new();
    let is_of_ticket = [&param::TICKET, &param::WITHIN]
        .iter()
        .any(|param| args.text(param).is_some());
    if is_of_ticket {
        match in_ticket(&mut finder, of, &types) {
            Ok(note) => read.push(note),
            Err(error) => failed.push(error),
        }
    } else {
        let kind = |word, list, find| Kind { word, list, find };
        let chats = of.chats.iter().map(|(word, list)| kind(word, list, in_chats));
        let kinds: Vec<Kind> = [kind("EMAIL", of.emails, in_emails), kind("CALL", of.calls, in_calls)]
            .into_iter()
            .chain(chats)
            .chain([kind("COMMENT", of.comments, in_comments)])
            .filter(|kind| types.is_empty() || types.contains(&kind.word))
            .collect();
        let mut chats = None;
        let mut has_chats = false;
        let mut unread_chats: Vec<(String, Error)> = Vec::new();
        for (i, kind) in kinds.iter().enumerate() {
            finder.scanner.share((kinds.len() - i) as u64);
            match (kind.find)(&mut finder, *kind) {
                Ok(Said::All(note)) => {
                    read.extend(chats.take().map(said_of_chats));
                    read.push(note);
                }
                Ok(Said::Chats(number)) => {
                    has_chats = true;
                    *chats.get_or_insert(0) += number;
                }
                Ok(Said::Absent) => chats = chats.or(Some(0)),
                Err(error) if of.chats.iter().any(|(word, _)| *word == kind.word) => {
                    let lack = format!("No {} were searched. {}", kind.list.entity.plural, error.text());
                    unread_chats.push((lack, error));
                }
                Err(error) => failed.push(error),
            }
        }
        read.extend(chats.map(said_of_chats));
        match unread_chats.pop() {
            // Not one channel could be read.
            Some((_, error)) if !has_chats => failed.push(error),
            Some((lack, _)) => {
                finder.lacks.extend(unread_chats.into_iter().map(|(lack, _)| lack));
                finder.lacks.push(lack);
            }
            None => {}
        }
        let remarks = std::mem::take(&mut finder.unread_chats);
        finder.lacks.extend(unread(remarks, "chat", "chats"));
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
    notes.extend(finder.lacks);
    let total = finder.found.total;
    let page = finder.found.page(skip);
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
    let advice = too_many_words(&args.texts(&param::WORDS), total);
    let notes = [notes, advice, warnings(context)].concat();
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

fn said_of_chats(read: u64) -> String {
    format!("the messages of {} were read", text::count(read, "chat", "chats"))
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

fn time_in(row: &Value) -> String {
    let time = ["time", "call_time"].iter().find_map(|path| value::text_at(row, path));
    time.unwrap_or_default()
}

/// By what the records of a list are told apart, and by what they are sorted.
fn reading(list: &List) -> Reading {
    Reading {
        key: list.entity.key,
        time: list.sort.map_or("time", |(time, _)| time),
    }
}

/// The argument that searches one kind alone.
fn alone(kind: Kind) -> String {
    format!("type={}", kind.word)
}

fn in_emails(finder: &mut Finder, kind: Kind) -> Result<Said, Error> {
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
    let Finder {
        context,
        args,
        wanted,
        scanner,
        found,
        ..
    } = finder;
    let list = kind.list;
    let query = query_of(
        context,
        args,
        list,
        &["text", "direction", "contact.title", "user.title", "address"],
    )?;
    let read = read(
        scanner,
        &reading(list),
        &query,
        wanted.filter(FIELDS, false),
        &mut |row| {
            let subject = value::text_at(row, "title")
                .map(|title| text::line(&title))
                .unwrap_or_default();
            let source = value::text_at(row, "text").unwrap_or_default();
            let body = if args.flag(&param::FULL_MAIL) {
                html::to_text(&source, html::Hidden::Marked)
            } else {
                mail::body(&source, Some(&subject)).text
            };
            if !wanted.are_in([subject.as_str(), body.as_str()]) {
                return true;
            }
            let time = time_in(row);
            let speaker = || writer(row);
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
            found.add(
                time.clone(),
                Conversation {
                    entity: list.entity,
                    row: without(row.clone(), "text"),
                    places,
                },
            );
            true
        },
    )?;
    Ok(Said::All(said_read(
        scanner,
        &read,
        "e-mail",
        "e-mails",
        Some(&alone(kind)),
    )))
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

fn in_calls(finder: &mut Finder, kind: Kind) -> Result<Said, Error> {
    let Finder {
        context,
        args,
        wanted,
        scanner,
        found,
        lacks,
        ..
    } = finder;
    let list = kind.list;
    let query = query_of(context, args, list, call_transcripts::LEG_FIELDS)?.filter(Filter::eq("answered", "1"));
    let Reading { key, time } = reading(list);
    let mut is_whole = call_transcripts::are_one_by_one(context);
    let mut remarks = Vec::new();
    let read = scanner.newest(&query, key, time, TAKE_MAX, &mut |scanner, calls| {
        let mut done = 0;
        while done < calls.len() {
            // The first ones are read in any case, so that an answer covers something.
            if done > 0 && scanner.exhausted().is_some() {
                break;
            }
            let at_once = if is_whole {
                WHOLE_AT_A_TIME
            } else {
                let queries = usize::try_from(scanner.requests_left()).unwrap_or(usize::MAX);
                CALLS_PER_QUERY * queries.clamp(1, REQUESTS_AT_A_TIME)
            };
            let these = &calls[done..calls.len().min(done + at_once)];
            let narrowed = match is_whole {
                true => None,
                false => segments(context, wanted, these)?,
            };
            let mut utterances = match narrowed {
                Some(by_leg) => by_leg,
                None if is_whole => {
                    let said = call_transcripts::of_each_leg(context, these);
                    remarks.extend(said.remarks);
                    said.by_leg
                }
                None => {
                    // A build that does not narrow transcripts gives them call by call.
                    is_whole = true;
                    continue;
                }
            };
            done += these.len();
            for row in these {
                let names = value::all(row, "activities").into_iter().filter_map(value::name_of);
                let mut places: Vec<Utterance> = names.filter_map(|name| utterances.remove(&name)).flatten().collect();
                if !wanted.are_in(places.iter().map(|said| said.text.as_str())) {
                    continue;
                }
                places.retain(|said| wanted.is_any_in(&said.text));
                found.add(
                    time_in(row),
                    Conversation {
                        entity: list.entity,
                        row: row.clone(),
                        places,
                    },
                );
            }
        }
        Ok(done)
    })?;
    lacks.extend(unread(remarks, "leg of calls", "legs of calls"));
    let not_reached = scanner.not_reached(&read, "answered calls", Some(&alone(kind)));
    Ok(Said::All(match not_reached {
        Some(left_out) => format!("of transcripts those of {left_out}"),
        None => format!(
            "the transcripts of {} were searched",
            text::count(read.read, "answered call", "answered calls")
        ),
    }))
}

/// What was said with the words in it in these calls, by leg; nothing where the build does not narrow transcripts so.
fn segments(
    context: &Context,
    wanted: &Wanted,
    calls: &[Value],
) -> Result<Option<BTreeMap<String, Vec<Utterance>>>, Error> {
    const TEXT: &[Field] = &[Field {
        path: "text",
        is_html: false,
    }];
    let legs: Vec<String> = calls
        .iter()
        .flat_map(|call| value::all(call, "activities").into_iter().filter_map(value::name_of))
        .collect();
    let queries: Vec<Query> = legs
        .chunks(CALLS_PER_QUERY)
        .map(|names| {
            Query::new("activitiesCallTranscripts", TAKE_MAX)
                .fields(&["text", "type", "start", "end", "activity.name"])
                .filter(Filter::one_of("activity", names.to_vec()))
                .filter(wanted.filter(TEXT, true))
                .sort("start", Direction::Ascending)
        })
        .collect();
    let mut by_leg: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for read in context.client.read_all_of_each(&queries) {
        let page = match read {
            Ok(page) => page,
            Err(Error::Refused(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        for row in page.rows {
            let Some(owner) = owner(&row) else { return Ok(None) };
            by_leg.entry(owner).or_default().push(row);
        }
    }
    let legs = by_leg.into_iter();
    Ok(Some(sort::map(
        legs.map(|(leg, rows)| (leg, call_transcripts::utterances(&rows))),
    )))
}

fn owner(segment: &Value) -> Option<String> {
    value::first(segment, "activity").and_then(value::name_of)
}

fn in_chats(finder: &mut Finder, kind: Kind) -> Result<Said, Error> {
    let Finder {
        context,
        args,
        wanted,
        scanner,
        found,
        unread_chats,
        ..
    } = finder;
    let list = kind.list;
    let Some(enrich) = list.entity.enrich else {
        return Ok(Said::Absent);
    };
    let query = query_of(context, args, list, &[])?;
    let Reading { key, time } = reading(list);
    // Messages take a request for each chat.
    let read = scanner.newest(&query, key, time, PAGE_OF_TEXTS, &mut |scanner, chats| {
        let mut done = 0;
        while done < chats.len() && (done == 0 || scanner.exhausted().is_none()) {
            let left = usize::try_from(scanner.requests_left()).unwrap_or(usize::MAX);
            let at_once = WHOLE_AT_A_TIME.min(left).max(1);
            let these = &chats[done..chats.len().min(done + at_once)];
            done += these.len();
            for (row, mut related) in these.iter().zip(enrich(context, list.entity, args, these)) {
                unread_chats.extend(related.take_failures());
                let Some(Body::Conversation(mut places)) = related.text.map(|text| text.body) else {
                    continue;
                };
                if !wanted.are_in(places.iter().map(|said| said.text.as_str())) {
                    continue;
                }
                places.retain(|said| wanted.is_any_in(&said.text));
                found.add(
                    time_in(row),
                    Conversation {
                        entity: list.entity,
                        row: row.clone(),
                        places,
                    },
                );
            }
        }
        Ok(done)
    });
    let read = match read {
        Ok(read) => read,
        // A channel that the build does not have.
        Err(Error::NotFound(_)) => return Ok(Said::Absent),
        Err(error) => return Err(error),
    };
    let left_out = scanner.not_reached(&read, list.entity.plural, Some(&alone(kind)));
    Ok(match left_out {
        Some(left_out) => Said::All(format!("of messages those of {left_out}")),
        None => Said::Chats(read.read),
    })
}

/// What was said on one ticket or in one activity, whole: no build has to filter channels by tickets.
fn in_ticket(finder: &mut Finder, of: &Conversations, types: &[&str]) -> Result<String, Error> {
    let Finder {
        context,
        args,
        wanted,
        scanner,
        found,
        lacks,
        ..
    } = finder;
    let query = query_of(
        context,
        args,
        of.activities,
        &["type", "description", "attachments", "created_by.title"],
    )?;
    let Reading { key, time } = reading(of.activities);
    let mut searched = 0;
    let mut unreadable = Vec::new();
    let read = scanner.newest(&query, key, time, PAGE_OF_TEXTS, &mut |scanner, rows| {
        let mut done = 0;
        while done < rows.len() && (done == 0 || scanner.exhausted().is_none()) {
            let these = &rows[done..rows.len().min(done + ACTIVITIES_AT_A_TIME)];
            done += these.len();
            let is_wanted = |row: &&Value| {
                let kind = value::text_at(row, "type").unwrap_or_else(|| "COMMENT".to_owned());
                types.is_empty() || types.contains(&kind.as_str())
            };
            let these: Vec<Value> = these.iter().filter(is_wanted).cloned().collect();
            searched += these.len();
            let contents = activity_content::contents(context, args, &these, of.channel);
            for (row, mut content) in these.into_iter().zip(contents) {
                unreadable.extend(content.take_failures());
                let mut said = threads::said(&row, content, Some(""));
                said.retain(|said| !threads::is_placeholder(&said.text));
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
                found.add(
                    time_in(&row),
                    Conversation {
                        places: places.collect(),
                        entity: of.activities.entity,
                        row: without(row, "description"),
                    },
                );
            }
        }
        Ok(done)
    })?;
    lacks.extend(unread(unreadable, "activity", "activities"));
    Ok(match scanner.not_reached(&read, "activities", None) {
        Some(left_out) => format!("what was said in {left_out}"),
        None => format!(
            "what was said in {} was read",
            text::count(searched as u64, "activity", "activities")
        ),
    })
}

/// How many activities of a ticket are read whole at a time.
const ACTIVITIES_AT_A_TIME: usize = 40;

fn in_comments(finder: &mut Finder, kind: Kind) -> Result<Said, Error> {
    const FIELDS: &[Field] = &[Field {
        path: "description",
        is_html: true,
    }];
    let Finder {
        context,
        args,
        wanted,
        scanner,
        found,
        ..
    } = finder;
    let list = kind.list;
    let comment = Filter::Any(vec![Filter::eq("type", ""), Filter::eq("type", "COMMENT")]);
    let query = query_of(context, args, list, &["description", "user.title", "created_by.title"])?.filter(comment);
    let read = read(
        scanner,
        &reading(list),
        &query,
        wanted.filter(FIELDS, false),
        &mut |row| {
            let source = value::text_at(row, "description").unwrap_or_default();
            let body = html::to_text(&source, html::Hidden::Marked);
            if !wanted.are_in([body.as_str()]) {
                return true;
            }
            let name = ["user.title", "created_by.title"]
                .iter()
                .find_map(|path| value::text_at(row, path));
            let time = time_in(row);
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
            found.add(
                time.clone(),
                Conversation {
                    places: places.collect(),
                    entity: list.entity,
                    row: without(row.clone(), "description"),
                },
            );
            true
        },
    )?;
    Ok(Said::All(said_read(
        scanner,
        &read,
        "comment",
        "comments",
        Some(&alone(kind)),
    )))
}

/// What kind of conversation a row is, for lists that hold several kinds.
pub(crate) fn kind(word: &'static str) -> Option<FactValue> {
    Some(FactValue::Word(word.to_owned()))
}
