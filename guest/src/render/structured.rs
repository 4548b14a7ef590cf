//! Results of tools → structured content (JSON), for programs and views.
//!
//! It is made of the same typed records as the text, and of what of them the text shows: both agree on what is left out. Strings
//! are those of the text; numbers, flags and times are typed. `model::output_schema` has the shapes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    markdown::{self, LINK_TITLE_CHARS, TITLE_CHARS, inline},
    shown::{Beside, Limit, Next, Shown, ShownThread},
};
use crate::{
    model::output::{
        Body, Content, Fact, FactValue, Figures, GroupOutput, Key, Leg, ListOutput, Moment, Output, Provenance, Record,
        RecordOutput, Reference, RestOutput, SectionsOutput, Speaker, StatisticsOutput, Summary, Text, ThreadsOutput,
        TranscriptOutput, Unit, Utterance, snake_case,
    },
    text, time,
};

/// Closing remarks, and how records are joined.
const HINTS_BYTES: usize = 600;

/// Structured content beside the text.
pub struct Structured;

impl Beside for Structured {
    fn frame(&self, content: &Content) -> usize {
        let mut draft = Draft::of(content);
        // Labels are told once for all records.
        for record in records(content) {
            draft.record(record, Limit { most: 0, ..Limit::OWN });
        }
        let frame = draft.content(content, &Shown::default());
        size(&frame) + HINTS_BYTES
    }

    fn record(&self, record: &Record, limit: Limit) -> usize {
        size(&Draft::default().record(record, limit)) + 1
    }

    fn utterance(&self, utterance: &Utterance) -> usize {
        size(&Draft::default().utterance(utterance)) + 1
    }

    fn group(&self, group: &GroupOutput) -> usize {
        size(&Draft::default().group(group)) + 1
    }

    fn rest(&self, of: &RestOutput) -> usize {
        size(&rest(of, Unit::Seconds)) + 1
    }
}

fn size(value: &Value) -> usize {
    value.to_string().len()
}

/// The structured content of an answer, of which the text shows so much.
pub fn content(output: &Output, shown: &Shown) -> Value {
    Draft::of(&output.content).content(&output.content, shown)
}

/// All records of a content.
fn records(content: &Content) -> Vec<&Record> {
    match content {
        Content::Record(one) => vec![&one.record],
        Content::List(page) => page.records.iter().collect(),
        Content::Conversation(one, page) => [&one.record].into_iter().chain(&page.records).collect(),
        Content::Sections(board) => board.sections.iter().flat_map(|section| &section.records).collect(),
        Content::Threads(page) => page.threads.iter().map(|thread| &thread.record).collect(),
        Content::Count(_) | Content::Statistics(_) | Content::Transcript(_) | Content::Json(_) => Vec::new(),
    }
}

/// Structured content while it is made, with what is said once for all of its records.
#[derive(Default)]
struct Draft<'a> {
    zone: Option<&'a str>,
    /// Of what is measured.
    unit: Unit,
    /// Labels by their keys.
    labels: BTreeMap<String, String>,
    /// Keys of what people wrote.
    by_people: BTreeSet<String>,
}

impl<'a> Draft<'a> {
    fn of(content: &'a Content) -> Self {
        let zone = match content {
            Content::Record(one) => &one.zone,
            Content::List(page) | Content::Conversation(_, page) => &page.zone,
            Content::Statistics(of) => &of.zone,
            Content::Sections(board) => &board.zone,
            Content::Threads(page) => &page.zone,
            Content::Count(_) | Content::Transcript(_) | Content::Json(_) => &None,
        };
        let measure = match content {
            Content::Statistics(of) => of.measure.as_ref(),
            _ => None,
        };
        Draft {
            zone: zone.as_deref(),
            unit: measure.map_or(Unit::Seconds, |measure| measure.unit),
            ..Draft::default()
        }
    }

    fn content(mut self, content: &Content, shown: &Shown) -> Value {
        let mut out = Members::default();
        let notes = match content {
            Content::Record(one) => {
                out.add("kind", "record");
                self.single(&mut out, one, shown);
                &one.notes
            }
            Content::List(page) => {
                out.add("kind", "list");
                self.page(&mut out, page, shown);
                &page.notes
            }
            Content::Conversation(one, page) => {
                out.add("kind", "conversation");
                let none = Shown::default();
                let head = shown.head.as_deref().unwrap_or(&none);
                self.single(&mut out, one, head);
                out.add_all("notes", &one.notes);
                out.add_all("hints", &head.hints);
                let mut conversation = Members::default();
                self.page(&mut conversation, page, shown);
                out.add("conversation", conversation.0);
                &page.notes
            }
            Content::Count(found) => {
                out.add("kind", "count");
                out.add("of", found.plural);
                out.add("total", found.total);
                out.add_all("applied_filters", &found.applied_filters);
                &found.notes
            }
            Content::Statistics(of) => {
                out.add("kind", "statistics");
                self.statistics(&mut out, of, shown);
                &of.notes
            }
            Content::Transcript(whole) => {
                out.add("kind", "transcript");
                self.transcript(&mut out, whole, shown);
                &whole.notes
            }
            Content::Sections(board) => {
                out.add("kind", "sections");
                self.sections(&mut out, board, shown);
                &board.notes
            }
            Content::Threads(page) => {
                out.add("kind", "threads");
                self.threads(&mut out, page, shown);
                &page.notes
            }
            // It says itself what it is.
            Content::Json(value) => return value.clone(),
        };
        out.add_all("notes", notes);
        out.add_all("hints", &shown.hints);
        if let Some(next) = &shown.next {
            out.add(
                "next",
                match next {
                    Next::Skip(skip) => json!({ "skip": skip }),
                    Next::Continue(place) => json!({"continue": markdown::cursor(*place)}),
                },
            );
        }
        if let Some(zone) = self.zone {
            out.add("time_zone", zone);
        }
        let labels: Map<String, Value> = self
            .labels
            .into_iter()
            .filter(|(key, label)| label_of(key) != *label)
            .map(|(key, label)| (key, label.into()))
            .collect();
        if !labels.is_empty() {
            out.add("labels", labels);
        }
        out.add_all("written_by_people", &self.by_people.into_iter().collect::<Vec<_>>());
        Value::Object(out.0)
    }

    fn single(&mut self, out: &mut Members, one: &RecordOutput, shown: &Shown) {
        out.add("of", one.singular);
        // In a frame nothing shows.
        let record = match shown.count {
            0 => json!({}),
            _ => self.record(&one.record, shown.limit),
        };
        out.add("record", record);
    }

    fn page(&mut self, out: &mut Members, page: &ListOutput, shown: &Shown) {
        out.add("of", page.plural);
        let records = page.records.iter().take(shown.count);
        out.add(
            "records",
            records
                .map(|record| self.record(record, shown.limit))
                .collect::<Vec<_>>(),
        );
        out.add("skip", page.skip);
        out.add("rows", page.rows);
        if let Some(left_out) = page.left_out {
            out.add("unfit", left_out);
        }
        if let Some(total) = page.total {
            out.add("total", total);
        }
        out.add_all("applied_filters", &page.applied_filters);
    }

    fn sections(&mut self, out: &mut Members, board: &SectionsOutput, shown: &Shown) {
        out.add("heading", board.heading.as_str());
        if let Some(at) = &board.at {
            out.add("at", time::iso(at, self.zone));
        }
        let sections = board.sections.iter().enumerate().map(|(i, section)| {
            let mut out = Members::default();
            out.add("title", section.title);
            out.add("summary", section.said.as_str());
            let figures: Map<String, Value> = section
                .figures
                .iter()
                .map(|(of, number)| (inline(of, LINK_TITLE_CHARS), json!(number)))
                .collect();
            out.add("figures", figures);
            let places = shown.sections.get(i).map_or(&[][..], |places| places);
            let records: Vec<Value> = places
                .iter()
                .map(|place| self.record(&section.records[*place], Limit::OWN))
                .collect();
            out.add("records", records);
            out.add("rows", section.records.len());
            Value::Object(out.0)
        });
        let sections: Vec<Value> = sections.collect();
        out.add("sections", sections);
    }

    fn threads(&mut self, out: &mut Members, page: &ThreadsOutput, shown: &Shown) {
        out.add("of", page.plural);
        let each = page.threads.iter().zip(&shown.threads);
        let threads: Vec<Value> = each
            .map(|(thread, part)| {
                let ShownThread {
                    limit,
                    from,
                    skipped,
                    count,
                    parted,
                } = *part;
                let said = thread.said.iter().enumerate().skip(from).take(count);
                let utterances: Vec<Value> = said
                    .map(|(u, said)| {
                        let skipped = if u == from { skipped } else { 0 };
                        let most = parted.filter(|_| u + 1 == from + count).unwrap_or(usize::MAX);
                        self.utterance(&markdown::utterance_from(said, skipped, most))
                    })
                    .collect();
                let mut record = self.record(&thread.record, limit);
                if from > 0 || skipped > 0 {
                    record["from"] = json!(from + 1);
                }
                record["utterance_count"] = json!(thread.said.len());
                record["utterances"] = utterances.into();
                record
            })
            .collect();
        out.add("threads", threads);
        out.add("skip", page.from.thread);
        out.add("rows", page.rows);
        if let Some(total) = page.total {
            out.add("total", total);
        }
        out.add_all("applied_filters", &page.applied_filters);
    }

    fn statistics(&mut self, out: &mut Members, of: &StatisticsOutput, shown: &Shown) {
        out.add("of", of.plural);
        out.add("total", figures(&of.whole, self.unit));
        let dimensions: Vec<Value> = of
            .dimensions
            .iter()
            .map(|by| json!({"name": by.name, "label": by.label}))
            .collect();
        out.add("group_by", dimensions);
        if let Some(measure) = &of.measure {
            out.add("measure", measure.label.as_str());
        }
        // Rows of the table are groups, or what is in them.
        let mut room = shown.count;
        let has_rows_within = markdown::has_rows_within(of);
        let mut groups = Vec::new();
        for group in &of.groups {
            if room == 0 {
                break;
            }
            if !has_rows_within {
                room -= 1;
                groups.push(self.group(group));
                continue;
            }
            let inner = group.inner.len().min(room);
            let rest = group.rest.len().min(room - inner);
            room -= inner + rest;
            let mut out = self.group_alone(group);
            self.add_inner(&mut out, &group.inner[..inner], &group.rest[..rest]);
            groups.push(out);
        }
        out.add("groups", groups);
        if !of.rest.is_empty() {
            let others: Vec<Value> = of.rest.iter().map(|of| rest(of, self.unit)).collect();
            out.add("others", others);
        }
        out.add("group_count", of.group_count);
        if of.repeated > 0 {
            out.add("counted_more_than_once", of.repeated);
        }
        if let Some(period) = &of.compared_with {
            out.add("compared_with", period.as_str());
        }
        out.add_all("applied_filters", &of.applied_filters);
        out.add_all("basis", &of.basis);
        out.add("is_whole", of.is_whole);
    }

    fn group(&self, of: &GroupOutput) -> Value {
        let mut out = self.group_alone(of);
        self.add_inner(&mut out, &of.inner, &of.rest);
        out
    }

    fn group_alone(&self, of: &GroupOutput) -> Value {
        let mut out = figures(&of.figures, self.unit);
        if let Some(value) = &of.value {
            out["group"] = self.value(value, LINK_TITLE_CHARS);
        }
        out
    }

    fn add_inner(&self, out: &mut Value, inner: &[GroupOutput], others: &[RestOutput]) {
        if !inner.is_empty() {
            out["groups"] = inner.iter().map(|group| self.group(group)).collect();
        }
        if !others.is_empty() {
            out["others"] = others.iter().map(|of| rest(of, self.unit)).collect();
        }
    }

    fn transcript(&self, out: &mut Members, whole: &TranscriptOutput, shown: &Shown) {
        out.add("activity", inline(&whole.activity, TITLE_CHARS));
        let (mut skip, mut room) = (usize::try_from(whole.skip).unwrap_or(usize::MAX), shown.count);
        let mut legs = Vec::new();
        let is_continued = skip > 0;
        for (i, leg) in whole.legs.iter().enumerate() {
            let passed = skip.min(leg.utterances.len());
            let is_passed = is_continued && skip >= leg.utterances.len();
            skip -= passed;
            // It was shown whole before.
            if is_passed {
                continue;
            }
            let count = room.min(leg.utterances.len() - passed);
            room -= count;
            let mut out = self.leg(leg, &leg.utterances[passed..passed + count]);
            if whole.legs.len() > 1 {
                out["place"] = json!(i + 1);
            }
            legs.push(out);
            if passed + count < leg.utterances.len() {
                break;
            }
        }
        if whole.legs.len() > 1 {
            out.add("leg_count", whole.legs.len());
        }
        out.add("legs", legs);
        out.add(
            "total",
            whole.legs.iter().map(|leg| leg.utterances.len()).sum::<usize>(),
        );
        out.add("skip", whole.skip);
        out.add("is_partial", whole.legs.iter().any(|leg| leg.is_partial));
    }

    /// A record, as much of it as `limit` shows.
    fn record(&mut self, record: &Record, limit: Limit) -> Value {
        let mut facts = Map::new();
        let mut custom_fields = Map::new();
        for fact in record.facts.iter().take(limit.facts) {
            match &fact.key {
                Key::Label => {
                    let key = self.key(&fact.label, &facts);
                    if fact.provenance == Provenance::People {
                        self.by_people.insert(key.clone());
                    }
                    facts.insert(key, self.fact(fact));
                }
                Key::CustomField(key) => {
                    custom_fields.insert(key.clone(), self.custom_field(fact, limit));
                }
            }
        }
        let mut out = Members::default();
        if let Some(id) = &record.id {
            out.add("id", inline(id, TITLE_CHARS));
        }
        if let Some(title) = &record.title {
            out.add("title", inline(title, TITLE_CHARS));
        }
        if let Some(url) = &record.url {
            out.add("url", url.as_str());
        }
        if !facts.is_empty() {
            out.add("facts", facts);
        }
        if !custom_fields.is_empty() {
            out.add("custom_fields", custom_fields);
        }
        out.add_all("remarks", &record.remarks);
        if !record.texts.is_empty() {
            let texts: Vec<Value> = record.texts.iter().map(|text| self.text(text, limit)).collect();
            out.add("texts", texts);
        }
        Value::Object(out.0)
    }

    /// The key of a label: its own in this record, and the same for this label in all.
    fn key(&mut self, label: &str, taken: &Map<String, Value>) -> String {
        let mut key = snake_case(label);
        while taken.contains_key(&key) || self.labels.get(&key).is_some_and(|known| known != label) {
            key += "_2";
        }
        self.labels.insert(key.clone(), label.to_owned());
        key
    }

    fn fact(&self, fact: &Fact) -> Value {
        let is_list = matches!(
            &fact.value,
            FactValue::Text(_) | FactValue::Word(_) | FactValue::List(_)
        );
        let is_cut = || markdown::plain(&fact.value).chars().nth(fact.max_chars).is_some();
        if is_list && is_cut() {
            return markdown::fact_value(fact).into();
        }
        self.value(&fact.value, fact.max_chars)
    }

    fn custom_field(&self, fact: &Fact, limit: Limit) -> Value {
        let mut out = json!({"label": fact.label});
        if !markdown::is_long(fact) {
            out["value"] = self.fact(fact);
            return out;
        }
        let whole = markdown::long_value(fact);
        let (kept, left_out) = kept(&whole, limit.chars(fact.max_chars));
        out["value"] = kept.into();
        if left_out > 0 {
            out["left_out_characters"] = left_out.into();
        }
        out
    }

    /// A typed value; strings are at most so many characters long.
    fn value(&self, of: &FactValue, chars: usize) -> Value {
        match of {
            FactValue::Text(text) | FactValue::Word(text) => json!(inline(text, chars)),
            FactValue::DateTime(time) => json!(inline(&time::iso(time, self.zone), chars)),
            FactValue::Number(number) => Value::Number(number.clone()),
            FactValue::Seconds(seconds) | FactValue::Duration(seconds) => json!({"seconds": number(*seconds)}),
            FactValue::YesNo(yes) => json!(yes),
            FactValue::Code { code, meaning } => {
                json!({"code": inline(code, chars), "meaning": inline(meaning, chars)})
            }
            FactValue::Reference(Reference { id, title, url }) => {
                let chars = if url.is_some() { LINK_TITLE_CHARS } else { chars };
                let mut out = with_those_known(&[("id", id), ("title", title)], chars);
                if let Some(url) = url {
                    out["url"] = json!(url);
                }
                out
            }
            FactValue::Deadline { at, overdue } => {
                let mut out = json!({});
                if let Some(at) = at {
                    out["at"] = json!(inline(&time::iso(at, self.zone), chars));
                }
                if let Some(overdue) = overdue {
                    out["overdue_seconds"] = number(*overdue);
                }
                out
            }
            FactValue::Caller { name, number } => with_those_known(&[("name", name), ("number", number)], chars),
            FactValue::Mailbox { name, address } => with_those_known(&[("name", name), ("address", address)], chars),
            FactValue::File {
                title,
                media_type,
                bytes,
                is_inline,
            } => {
                let mut out = with_those_known(&[("title", title), ("media_type", media_type)], chars);
                if let Some(bytes) = bytes {
                    out["bytes"] = bytes
                        .parse::<u64>()
                        .map_or_else(|_| json!(inline(bytes, chars)), |bytes| json!(bytes));
                }
                if *is_inline {
                    out["inline"] = json!(true);
                }
                out
            }
            FactValue::List(values) => values.iter().map(|of| self.value(of, chars)).collect(),
        }
    }

    /// A long text, as much of it as shows.
    fn text(&self, of: &Text, limit: Limit) -> Value {
        let mut out = Members::default();
        if !of.label.is_empty() {
            out.add("label", of.label);
        }
        let most = limit.chars(of.chars);
        let left_out = match &of.body {
            Body::Plain(body) => {
                let body = text::defuse(body);
                let (kept, left_out) = kept(&body, most);
                out.add("text", kept);
                left_out
            }
            Body::Conversation(utterances) => {
                let mut cut = Cut::of(most, || {
                    let lines: Vec<String> = utterances.iter().map(markdown::utterance).collect();
                    lines.join("\n")
                });
                out.add("utterances", self.utterances(utterances, &mut cut));
                cut.left_out
            }
            Body::Legs(legs) => {
                let mut cut = Cut::of(most, || markdown::legs(legs));
                let shown: Vec<Value> = legs
                    .iter()
                    .enumerate()
                    .map(|(i, leg)| {
                        cut.take(&format!("[{}]", markdown::leg_border(leg, i + 1, legs.len())));
                        let mut out = self.leg(leg, &[]);
                        out["segments"] = self.utterances(&leg.utterances, &mut cut).into();
                        if leg.utterances.is_empty() {
                            cut.take("[no transcript]");
                        }
                        out
                    })
                    .collect();
                out.add("legs", shown);
                cut.left_out
            }
        };
        if left_out > 0 {
            out.add("left_out_characters", left_out);
        }
        if let Some(note) = &of.note {
            out.add("note", note.as_str());
        }
        Value::Object(out.0)
    }

    /// Those that show where the text of all of them is cut; of the last one perhaps a part.
    fn utterances(&self, utterances: &[Utterance], cut: &mut Cut) -> Vec<Value> {
        if cut.room == usize::MAX {
            return utterances.iter().map(|said| self.utterance(said)).collect();
        }
        let mut out = Vec::new();
        for said in utterances {
            let line = markdown::utterance(said);
            match cut.take(&line) {
                None => out.push(self.utterance(said)),
                Some(0) => {}
                Some(shown) => {
                    // What stands before the text shows, and some of the text.
                    let nothing = Utterance {
                        text: String::new(),
                        files: Vec::new(),
                        ..said.clone()
                    };
                    let before = markdown::utterance(&nothing)
                        .trim_end_matches("[no text]")
                        .chars()
                        .count();
                    let part: String = line.chars().take(shown).skip(before).collect();
                    let mut part = self.utterance(&Utterance {
                        text: part.replace("\n    ", "\n"),
                        ..nothing
                    });
                    part["left_out_characters"] = json!(line.chars().count() - shown);
                    out.push(part);
                }
            }
        }
        out
    }

    /// A leg of a call with these of its segments.
    fn leg(&self, leg: &Leg, segments: &[Utterance]) -> Value {
        let mut out = Members::default();
        out.add("activity", inline(&leg.activity, TITLE_CHARS));
        if let Some(agent) = &leg.agent {
            out.add("agent", inline(agent, LINK_TITLE_CHARS));
        }
        out.add(
            "segments",
            segments.iter().map(|said| self.utterance(said)).collect::<Vec<_>>(),
        );
        out.add_all("remarks", &leg.remarks);
        Value::Object(out.0)
    }

    fn utterance(&self, utterance: &Utterance) -> Value {
        let Utterance {
            at,
            speaker: Speaker { role, name, note },
            text,
            files,
        } = utterance;
        let mut out = Members::default();
        match at {
            Moment::Offset(seconds) => out.add("at_seconds", number(*seconds)),
            Moment::Time(time) if time.is_empty() => {}
            Moment::Time(time) => out.add("at", time::iso(time, self.zone)),
        }
        out.add("speaker", role.label());
        if let Some(name) = name {
            out.add("name", inline(name, LINK_TITLE_CHARS));
        }
        if let Some(note) = note {
            out.add("note", note.as_ref());
        }
        out.add("text", text::defuse(text).as_ref());
        if !files.is_empty() {
            let files: Vec<Value> = files.iter().map(|file| self.value(file, TITLE_CHARS)).collect();
            out.add("files", files);
        }
        Value::Object(out.0)
    }
}

/// Members of an object in their order; lists that are empty are left out.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn add(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Adds to the list of this key.
    fn add_all(&mut self, key: &str, texts: &[String]) {
        if texts.is_empty() {
            return;
        }
        let list = self.0.entry(key.to_owned()).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.extend(texts.iter().map(|text| json!(text)));
        }
    }
}

/// How much is left of the characters that show of several lines.
struct Cut {
    room: usize,
    left_out: usize,
}

impl Cut {
    /// Of a text of several lines at most `most` characters show.
    fn of(most: usize, whole: impl FnOnce() -> String) -> Self {
        if most == usize::MAX {
            return Cut {
                room: most,
                left_out: 0,
            };
        }
        let whole = whole();
        let (kept, left_out) = kept(&whole, most);
        Cut {
            room: kept.chars().count(),
            left_out,
        }
    }

    /// How many characters of a line show, `None` where all do. A line that is cut ends what shows.
    fn take(&mut self, line: &str) -> Option<usize> {
        let length = line.chars().count();
        if length <= self.room && (self.room > 0 || self.left_out == 0) {
            // With the line break.
            self.room = self.room.saturating_sub(length + 1);
            return None;
        }
        Some(std::mem::take(&mut self.room))
    }
}

/// As much of a text as shows, and how many characters are left out.
fn kept(body: &str, most: usize) -> (&str, usize) {
    let Some((at, _)) = body.char_indices().nth(most) else {
        return (body, 0);
    };
    let kept = body[..at].trim_end();
    (kept, body[kept.len()..].chars().count())
}

/// A label that a key stands for, unless another one is named: `first_answer_after` → `First answer after`.
fn label_of(key: &str) -> String {
    let mut chars = key.chars();
    chars.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .chain(chars.map(|c| if c == '_' { ' ' } else { c }))
            .collect()
    })
}

/// Whole numbers without a fraction.
fn number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        json!(number as i64)
    } else {
        json!(number)
    }
}

fn rest(of: &RestOutput, unit: Unit) -> Value {
    let mut out = figures(&of.figures, unit);
    out["group_count"] = json!(of.groups);
    if let Some(least) = of.fewer_than {
        out["fewer_than"] = json!(least);
    }
    out
}

fn figures(of: &Figures, unit: Unit) -> Value {
    let mut out = summary(&of.now, unit);
    if let Some(before) = &of.before {
        out["before"] = summary(before, unit);
    }
    out
}

fn summary(of: &Summary, unit: Unit) -> Value {
    let mut out = json!({"count": of.count});
    if let (Some(spread), Unit::Number) = (&of.spread, unit) {
        let figure = |parts: f64| number(unit.figure(parts));
        out["numbers"] = json!({
            "with_value": spread.with_value,
            "sum": figure(spread.sum as f64),
            "average": figure(spread.average),
            "median": figure(spread.median),
            "p90": figure(spread.p90 as f64),
            "largest": figure(spread.longest as f64),
        });
    } else if let Some(spread) = &of.spread {
        out["seconds"] = json!({
            "with_value": spread.with_value,
            "sum": spread.sum,
            "average": spread.average,
            "median": number(spread.median),
            "p90": spread.p90,
            "longest": spread.longest,
        });
    }
    out
}

fn with_those_known(parts: &[(&str, &Option<String>)], chars: usize) -> Value {
    let known = parts
        .iter()
        .filter_map(|(key, part)| Some(((*key).to_owned(), json!(inline(part.as_ref()?, chars)))));
    Value::Object(known.collect())
}
