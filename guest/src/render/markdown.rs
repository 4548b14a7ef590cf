//! Results of tools → markdown within a byte budget.
//!
//! A record leads with its id, its page in Daktela and its title; then facts, then remarks, then texts. Each record is
//! rendered once, except for its texts, whose sizes are counted first: what does not fit is left out in steps, never
//! silently, and the answer tells what is missing and how to get it.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

use super::budget::{self, DIVISORS};
use crate::{
    model::output::{
        Body, Content, CountOutput, Fact, FactValue, Figures, GroupOutput, Grouping, Key, Leg, ListOutput, Moment,
        Output, Overflow, Place, Record, RecordOutput, Reference, RestOutput, SectionsOutput, Speaker,
        StatisticsOutput, Summary, ThreadsOutput, TranscriptOutput, Utterance,
    },
    sort, text, time,
};

/// How long an id or a title may be, and the title of a linked ticket.
const TITLE_CHARS: usize = 300;
const LINK_TITLE_CHARS: usize = 100;

/// What headings and closing remarks may take of the budget.
const FRAME_BYTES: usize = 900;
/// The same of a transcript, which says less.
const TRANSCRIPT_FRAME_BYTES: usize = 500;

/// The text of an answer.
pub fn output(output: &Output) -> String {
    match &output.content {
        Content::Record(one) => record(one),
        Content::List(page) => list(page, 0),
        Content::Conversation(one, page) => {
            let head = record(one);
            let page = list(page, head.len());
            format!("{head}\n\n{page}")
        }
        Content::Count(found) => count(found),
        Content::Statistics(of) => statistics(of),
        Content::Transcript(whole) => transcript(whole),
        Content::Sections(board) => sections(board),
        Content::Threads(page) => threads(page),
        Content::Json(value) => value.to_string(),
    }
}

/// A value on one line. It cannot look like a link, like an id of ours, which is bold, or like the start of the next fact.
pub fn inline(value: &str, chars: usize) -> String {
    let mut line = text::line(value).replace(is_middle_dot, "•");
    while line.contains("**") {
        line = line.replace("**", "* *");
    }
    text::cut(&text::defuse(&line), chars)
}

/// A label that people chose, e.g. of a custom field, on one line: it begins with a letter or a digit, so that it cannot look
/// like a heading, a quote or an item of a list, and has no colon, which ends a label of ours.
pub fn label(text: &str, chars: usize) -> String {
    let text = inline(text, chars).replace([':', '：'], " ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.trim_start_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

/// The dot between facts, and what looks like it or becomes it in another normal form.
fn is_middle_dot(c: char) -> bool {
    "\u{b7}\u{387}\u{1427}\u{16eb}\u{2027}\u{2219}\u{22c5}\u{2e31}\u{2e33}\u{30fb}\u{a78f}\u{ff65}\u{10101}".contains(c)
}

/// Words of a caller or of a record in quotation marks, for a sentence of ours.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", inline(text, QUOTED_CHARS).replace('"', "\\\""))
}

/// No longer than an argument may be.
const QUOTED_CHARS: usize = 500;

/// The value of a fact as text.
pub fn fact_value(fact: &Fact) -> String {
    match &fact.value {
        FactValue::Reference(reference @ Reference { url: Some(_), .. }) => link_with_title(reference),
        FactValue::List(values)
            if matches!(
                values.first(),
                Some(FactValue::Reference(Reference { url: Some(_), .. }))
            ) =>
        {
            let links: Vec<String> = values
                .iter()
                .filter_map(|value| match value {
                    FactValue::Reference(reference) => Some(link_with_title(reference)),
                    _ => None,
                })
                .collect();
            links.join(", ")
        }
        value => inline(&plain(value), fact.max_chars),
    }
}

/// A value of any type on one line, safe to stand in an answer.
pub fn value(value: &FactValue) -> String {
    inline(&plain(value), LINK_TITLE_CHARS)
}

/// A value as text that is not yet safe to stand in an answer.
fn plain(value: &FactValue) -> Cow<'_, str> {
    match value {
        FactValue::Text(text) | FactValue::Word(text) | FactValue::DateTime(text) => text.into(),
        FactValue::Number(number) => number.to_string().into(),
        FactValue::Seconds(seconds) => format!("{seconds} s").into(),
        FactValue::Duration(seconds) => time::duration(*seconds).into(),
        FactValue::YesNo(yes) => if *yes { "yes" } else { "no" }.into(),
        FactValue::Code { meaning, .. } => meaning.as_ref().into(),
        FactValue::Reference(Reference { id, title, .. }) => match (title, id) {
            (Some(title), Some(id)) if title != id => format!("{title} ({id})").into(),
            (title, id) => title.as_deref().or(id.as_deref()).unwrap_or_default().into(),
        },
        FactValue::Deadline { at, overdue } => match (at, overdue.map(time::duration)) {
            (Some(at), Some(late)) => format!("{at} (overdue by {late})").into(),
            (None, Some(late)) => format!("overdue by {late} (no deadline is given)").into(),
            (at, None) => at.as_deref().unwrap_or_default().into(),
        },
        FactValue::Caller { name, number } => {
            let parts: Vec<&str> = [name, number].into_iter().flatten().map(String::as_str).collect();
            parts.join(" ").into()
        }
        FactValue::Mailbox { name, address } => match (name, address) {
            (Some(name), Some(address)) if name != address => format!("{name} <{address}>").into(),
            (name, address) => address.as_deref().or(name.as_deref()).unwrap_or_default().into(),
        },
        FactValue::File {
            title,
            media_type,
            bytes,
            is_inline,
        } => {
            let title = title.as_deref().unwrap_or("without a name");
            let facts: Vec<String> = media_type
                .iter()
                .cloned()
                .chain(bytes.iter().map(|bytes| format!("{bytes} bytes")))
                .chain(is_inline.then(|| "within the text".to_owned()))
                .collect();
            if facts.is_empty() {
                title.into()
            } else {
                format!("{title} ({})", facts.join(", ")).into()
            }
        }
        FactValue::List(values) => {
            let separator = match values.first() {
                Some(FactValue::File { .. }) => "; ",
                _ => ", ",
            };
            values.iter().map(plain).collect::<Vec<_>>().join(separator).into()
        }
    }
}

/// `[787979](https://…)`.
fn link(id: &str, url: &str) -> String {
    format!("[{}]({url})", inline(id, TITLE_CHARS))
}

/// `[787979](https://…) Title`.
fn link_with_title(reference: &Reference) -> String {
    let id = reference.id.as_deref().unwrap_or_default();
    let link = link(id, reference.url.as_deref().unwrap_or_default());
    match &reference.title {
        Some(title) => format!("{link} {}", inline(title, LINK_TITLE_CHARS)),
        None => link,
    }
}

fn heading(record: &Record) -> String {
    let title = record.title.as_ref().map(|title| inline(title, TITLE_CHARS));
    match (&record.id, title) {
        (Some(id), title) => {
            let id = match &record.url {
                Some(url) => link(id, url),
                None => format!("**{}**", inline(id, TITLE_CHARS)),
            };
            match title {
                Some(title) => format!("{id} {title}"),
                None => id,
            }
        }
        (None, Some(title)) => format!("**{title}**"),
        (None, None) => format!("**{} without an id**", record.singular),
    }
}

/// How much of each text is shown.
#[derive(Clone, Copy)]
struct Limit {
    /// In characters, where the caller says so; else each text has its own measure.
    asked: Option<usize>,
    /// By how much that is shortened; 0 leaves the texts out.
    divisor: usize,
    /// At most this many characters.
    most: usize,
}

impl Limit {
    const OWN: Limit = Limit {
        asked: None,
        divisor: 1,
        most: usize::MAX,
    };
    const WHOLE: Limit = Limit {
        asked: Some(usize::MAX),
        ..Limit::OWN
    };

    /// For a text of this measure.
    fn chars(self, own: usize) -> usize {
        let chars = self.asked.unwrap_or(own);
        chars.checked_div(self.divisor).unwrap_or(0).min(self.most)
    }
}

/// A record, rendered but for the length of its texts.
struct Item<'a> {
    /// Heading, facts and remarks.
    head: String,
    texts: Vec<ItemText<'a>>,
    indent: &'static str,
}

struct ItemText<'a> {
    label: &'a str,
    body: Cow<'a, str>,
    chars: usize,
    note: Option<&'a str>,
}

impl<'a> Item<'a> {
    /// As an item of a list.
    fn in_list(record: &'a Record) -> Self {
        let mut head = format!("- {}", heading(record));
        for (i, fact) in record.facts.iter().filter(|fact| !is_long(fact)).enumerate() {
            head += if i == 0 { "\n  " } else { " · " };
            head += &fact.label;
            head += ": ";
            head += &fact_value(fact);
        }
        Self::new(record, head, "  ")
    }

    /// By itself; `singular` is what it is called.
    fn alone(record: &'a Record, singular: &str) -> Self {
        let mut head = format!("# {singular} {}", heading(record));
        for fact in record.facts.iter().filter(|fact| !is_long(fact)) {
            head.push('\n');
            head += &fact.label;
            head += ": ";
            head += &fact_value(fact);
        }
        Self::new(record, head, "")
    }

    fn new(record: &'a Record, mut head: String, indent: &'static str) -> Self {
        for remark in &record.remarks {
            head.push('\n');
            head += indent;
            head += remark;
        }
        let long = record.facts.iter().filter(|fact| is_long(fact)).map(|fact| ItemText {
            label: &fact.label,
            body: text::defuse(&text::clean(&plain(&fact.value))).into_owned().into(),
            chars: fact.max_chars,
            note: None,
        });
        let texts = record.texts.iter().map(|text| ItemText {
            label: text.label,
            body: match &text.body {
                Body::Plain(body) => text::defuse(body),
                Body::Conversation(utterances) => {
                    utterances.iter().map(utterance).collect::<Vec<_>>().join("\n").into()
                }
                Body::Legs(of) => legs(of).into(),
            },
            chars: text.chars,
            note: text.note.as_deref(),
        });
        Item {
            head,
            texts: long.chain(texts).collect(),
            indent,
        }
    }

    fn write_texts(&self, out: &mut dyn Write, limit: Limit) -> fmt::Result {
        for text in &self.texts {
            if !text.label.is_empty() {
                write!(out, "\n{}{}:", self.indent, text.label)?;
            }
            out.write_char('\n')?;
            write_quote(out, &text.body, limit.chars(text.chars), self.indent)?;
            if let Some(note) = text.note {
                write!(out, "\n{}{note}", self.indent)?;
            }
        }
        Ok(())
    }

    fn size(&self, limit: Limit) -> usize {
        let mut count = ByteCount(self.head.len());
        self.write_texts(&mut count, limit).expect("counting does not fail");
        count.0
    }

    fn print(&self, limit: Limit) -> String {
        let mut out = self.head.clone();
        self.write_texts(&mut out, limit).expect("a String takes all");
        out
    }

    /// Its texts as long as fits; where not even its facts fit, they are cut.
    fn print_within(&self, room: usize, limit: Limit) -> String {
        let within = |most| Limit { most, ..limit };
        let largest = budget::largest_limit(room, |most| self.size(within(most)));
        let printed = self.print(within(largest));
        if printed.len() <= room {
            return printed;
        }
        text::cut(&printed, printed[..printed.floor_char_boundary(room)].chars().count())
    }

    /// Whether a text of it is longer than `limit` shows.
    fn is_cut(&self, limit: Limit) -> bool {
        self.texts
            .iter()
            .any(|text| text.body.chars().nth(limit.chars(text.chars)).is_some())
    }
}

/// A custom field that holds a text rather than a value: it is quoted, so that it cannot pass for facts of ours.
fn is_long(fact: &Fact) -> bool {
    matches!(fact.key, Key::CustomField(_)) && plain(&fact.value).chars().nth(LONG_VALUE_CHARS).is_some()
}

/// Values up to this many characters stand behind their label.
const LONG_VALUE_CHARS: usize = 200;

/// Counts what would be written.
struct ByteCount(usize);

impl Write for ByteCount {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// The first `max` characters of a text, each line behind `> ` and that behind `indent`; what is missing is said.
fn write_quote(out: &mut dyn Write, body: &str, max: usize, indent: &str) -> fmt::Result {
    let cut = if max >= body.len() {
        None
    } else {
        body.char_indices().nth(max)
    };
    let kept = cut.map_or(body, |(at, _)| body[..at].trim_end());
    for (i, line) in kept.lines().enumerate() {
        if i > 0 {
            out.write_char('\n')?;
        }
        let line = line.trim_end();
        out.write_str(indent)?;
        out.write_str(if line.is_empty() { ">" } else { "> " })?;
        out.write_str(line)?;
    }
    if cut.is_some() {
        let missing = body[kept.len()..].chars().count();
        if kept.is_empty() {
            write!(out, "{indent}> [+{missing} characters]")?;
        } else {
            write!(out, " … [+{missing} characters]")?;
        }
    }
    Ok(())
}

/// How many bytes records take in a list, with their texts at their own measure.
pub fn size_in_list(records: &[Record]) -> usize {
    records
        .iter()
        .map(|record| Item::in_list(record).size(Limit::OWN))
        .sum()
}

fn record(one: &RecordOutput) -> String {
    let notes: usize = one.notes.iter().map(|note| note.len() + 8).sum();
    let room = one.budget.bytes.saturating_sub(FRAME_BYTES + notes);
    let item = Item::alone(&one.record, &capitalised(one.singular));
    let is_too_large = item.size(Limit::WHOLE) > room;
    let mut out = if is_too_large {
        item.print_within(room, Limit::WHOLE)
    } else {
        item.print(Limit::WHOLE)
    };
    let notes = one.notes.iter().map(|note| format!("Note: {note}"));
    let cut = is_too_large.then(|| one.budget.cut());
    let zone = one.zone.as_ref().map(|zone| format!("Times: {zone}."));
    for line in notes.chain(cut).chain(zone) {
        out += "\n\n";
        out += &line;
    }
    out
}

/// A page, of whose budget `before` bytes are taken by what stands before it.
fn list(page: &ListOutput, before: usize) -> String {
    if page.records.is_empty() {
        return with_notes(empty(page), &page.notes, &[]);
    }
    let limit = |divisor| Limit {
        asked: page.text_chars,
        divisor,
        ..Limit::OWN
    };
    let notes: usize = page.notes.iter().map(|note| note.len() + 8).sum();
    let applied: usize = page.applied_filters.iter().map(|filter| filter.len() + 4).sum();
    let room = page.budget.bytes.saturating_sub(FRAME_BYTES + before + notes + applied);

    // Whoever says how much of each text to show wants that of fewer records rather than less of all.
    let shorten_texts = page.overflow == Overflow::Texts && page.text_chars.is_none();
    let mut items = Vec::new();
    let sizes = page.records.iter().map(|record| {
        let item = Item::in_list(record);
        let size = |divisor| item.size(limit(divisor)) + 1;
        let sizes = if shorten_texts {
            DIVISORS.map(size)
        } else {
            [size(1), 0, 0, 0]
        };
        items.push(item);
        sizes
    });
    let fit = budget::fit(sizes, room, shorten_texts);
    items.truncate(fit.shown);

    let mut closing = Vec::new();
    if fit.divisor != 1 {
        let how = if fit.divisor == 0 {
            "left out".to_owned()
        } else {
            format!("shortened to 1/{}", fit.divisor)
        };
        closing.push(format!(
            "Long texts are {how} to fit max_bytes={}; ask for fewer records with take to see more of each.",
            page.budget.bytes
        ));
    } else if !fit.is_first_too_large && items.iter().any(|item| item.is_cut(limit(1))) {
        closing.push("Texts that end in [+n characters] are shortened; text_chars shows more.".to_owned());
    }
    if items.len() < page.rows {
        closing.push(format!(
            "{} of the {} records of this page did not fit max_bytes={}.",
            page.rows - items.len(),
            page.rows,
            page.budget.bytes
        ));
    }
    if fit.is_first_too_large {
        closing.push(page.budget.cut());
    }
    let mut next = page.skip + items.len() as u64;
    if items.len() == page.rows {
        next += page.left_out.unwrap_or_default() as u64;
    }
    match page.total {
        Some(total) if total > next => closing.push(format!(
            "{} more: call again with skip={next}.",
            text::thousands(total - next)
        )),
        None if received(page) >= page.take || items.len() < page.rows => {
            closing.push(format!("There may be more: call again with skip={next}."))
        }
        _ => {}
    }

    let total = page
        .total
        .map_or_else(|| "an unknown total".to_owned(), text::thousands);
    let mut out = match page.left_out {
        None => format!("{} {}–{next} of {total}", capitalised(page.plural), page.skip + 1),
        Some(_) => format!(
            "{} that fit, of those that Daktela sent unfiltered",
            capitalised(page.plural)
        ),
    };
    for filter in &page.applied_filters {
        out += " · ";
        out += filter;
    }
    if let Some(zone) = &page.zone {
        out += " · times: ";
        out += zone;
    }
    out.push('\n');
    for item in &items {
        out.push('\n');
        if fit.is_first_too_large {
            out += &item.print_within(room, limit(1));
        } else {
            out += &item.head;
            item.write_texts(&mut out, limit(fit.divisor))
                .expect("a String takes all");
        }
    }
    with_notes(out, &page.notes, &closing)
}

/// How many records Daktela sent for a page.
fn received(page: &ListOutput) -> u64 {
    (page.rows + page.left_out.unwrap_or_default()) as u64
}

fn empty(page: &ListOutput) -> String {
    let applied = in_brackets(&page.applied_filters);
    if page.left_out.is_some() {
        let more = if received(page) >= page.take {
            format!(
                " Further on there may be some: call again with skip={}.",
                page.skip + received(page)
            )
        } else {
            String::new()
        };
        return format!(
            "Whether there are {} that fit{applied} is not known: none of those that Daktela sent unfiltered does.{more}",
            page.plural
        );
    }
    match page.total {
        Some(total) if total > 0 && page.skip >= total => {
            let last = (total - 1) / page.take * page.take;
            let matches = if total == 1 { "matches" } else { "match" };
            format!(
                "skip={} is past the end: {} {matches}{applied}. The last page begins at skip={last}.",
                page.skip,
                text::count(total, page.singular, page.plural)
            )
        }
        Some(total) if total > 0 => format!(
            "Daktela counts {} but sent none{applied}. Try again, or a smaller take.",
            text::count(total, page.singular, page.plural)
        ),
        _ if page.skip > 0 => format!("No {} from skip={} on{applied}.", page.plural, page.skip),
        _ => format!(
            "No {}{applied}. What the Daktela account of this server may not see does not show.",
            page.plural
        ),
    }
}

fn in_brackets(applied_filters: &[String]) -> String {
    if applied_filters.is_empty() {
        String::new()
    } else {
        format!(" ({})", applied_filters.join(" · "))
    }
}

fn with_notes(mut out: String, notes: &[String], closing: &[String]) -> String {
    for note in notes {
        out += "\n\nNote: ";
        out += note;
    }
    for line in closing {
        out += "\n\n";
        out += line;
    }
    out
}

fn count(found: &CountOutput) -> String {
    let applied = in_brackets(&found.applied_filters);
    let number = text::count(found.total, found.singular, found.plural);
    with_notes(format!("{number}{applied}"), &found.notes, &[])
}

fn sections(board: &SectionsOutput) -> String {
    let mut room = board.budget.bytes.saturating_sub(FRAME_BYTES);
    let mut out = format!("# {}", board.heading);
    let mut left_out = 0;
    for section in &board.sections {
        out += &format!("\n\n## {}: {}", section.title, section.said);
        for record in &section.records {
            let item = Item::in_list(record).print(Limit::OWN);
            if item.len() > room {
                left_out += 1;
                continue;
            }
            room -= item.len() + 1;
            out.push('\n');
            out += &item;
        }
    }
    let mut closing = Vec::new();
    if left_out > 0 {
        closing.push(format!(
            "{} did not fit max_bytes={}.",
            text::count(left_out, "record", "records"),
            board.budget.bytes
        ));
    }
    closing.extend(board.zone.as_ref().map(|zone| format!("Times: {zone}.")));
    with_notes(out, &board.notes, &closing)
}

/// Conversations from a place on, each as far as there is room, and the place where the next answer goes on.
fn threads(page: &ThreadsOutput) -> String {
    let Place { thread: skip, .. } = page.from;
    if page.threads.is_empty() {
        let applied = in_brackets(&page.applied_filters);
        let out = match page.total {
            Some(total) if total > 0 => format!(
                "continue={skip} is past the end: {} {} match{applied}.",
                text::thousands(total),
                page.plural
            ),
            _ => format!(
                "No {}{applied}. What the Daktela account of this server may not see does not show.",
                page.plural
            ),
        };
        return with_notes(out, &page.notes, &[]);
    }
    let notes: usize = page.notes.iter().map(|note| note.len() + 8).sum();
    let applied: usize = page.applied_filters.iter().map(|filter| filter.len() + 4).sum();
    let mut room = page.budget.bytes.saturating_sub(FRAME_BYTES + notes + applied);
    let mut body = String::new();
    let mut next = None;
    let mut shown = 0;
    'threads: for (i, thread) in page.threads.iter().enumerate() {
        let at = skip + i as u64;
        let from = if i == 0 { page.from } else { Place::default() };
        let mut head = format!("\n{}", Item::in_list(&thread.record).print(Limit::OWN));
        if from.utterance > 0 || from.character > 0 {
            head += &format!("\n  [from {} of {} on]", from.utterance + 1, thread.said.len());
        }
        if head.len() > room && shown > 0 {
            next = Some(Place {
                thread: at,
                ..Place::default()
            });
            break;
        }
        let whole_before = body.len();
        room = room.saturating_sub(head.len());
        body += &head;
        for (u, said) in thread.said.iter().enumerate().skip(from.utterance) {
            let skipped = if u == from.utterance { from.character } else { 0 };
            let mut lines = String::new();
            write_quote(&mut lines, &utterance_from(said, skipped, usize::MAX), usize::MAX, "  ")
                .expect("a String takes all");
            if lines.len() < room {
                room -= lines.len() + 1;
                body.push('\n');
                body += &lines;
                continue;
            }
            if u == 0 && skipped == 0 && shown > 0 {
                // Nothing of it would show.
                body.truncate(whole_before);
                next = Some(Place {
                    thread: at,
                    ..Place::default()
                });
                break 'threads;
            }
            // What does not fit as a whole goes on in the next answer; what no answer holds is parted.
            let place = Place {
                thread: at,
                utterance: u,
                character: skipped,
            };
            let is_first = shown == 0 && u == from.utterance;
            next = Some(if is_first {
                let length = said.text.chars().count();
                let fits = budget::largest_limit(room, |most| {
                    let mut size = ByteCount(0);
                    write_quote(&mut size, &utterance_from(said, skipped, most), usize::MAX, "  ")
                        .expect("counting does not fail");
                    size.0
                })
                .max(1);
                let mut lines = String::new();
                write_quote(&mut lines, &utterance_from(said, skipped, fits), usize::MAX, "  ")
                    .expect("a String takes all");
                body.push('\n');
                body += &lines;
                if skipped + fits >= length {
                    Place {
                        utterance: u + 1,
                        character: 0,
                        ..place
                    }
                } else {
                    Place {
                        character: skipped + fits,
                        ..place
                    }
                }
            } else {
                place
            });
            shown += 1;
            break 'threads;
        }
        shown += 1;
    }
    let end = skip + shown as u64;
    let next = next.or_else(|| {
        let is_more = page.total.map_or(shown < page.rows, |total| end < total);
        is_more.then_some(Place {
            thread: end,
            ..Place::default()
        })
    });
    let mut closing = Vec::new();
    if let Some(next) = next {
        let left = page.total.map(|total| total.saturating_sub(next.thread));
        let left = left.map_or_else(
            || "There is more".to_owned(),
            |left| format!("{} more, from here on", text::thousands(left)),
        );
        closing.push(format!("{left}: call again with continue={}.", cursor(next)));
    }
    let total = page
        .total
        .map_or_else(|| "an unknown total".to_owned(), text::thousands);
    let mut out = format!("{} {}–{end} of {total}", capitalised(page.plural), skip + 1);
    for filter in &page.applied_filters {
        out += " · ";
        out += filter;
    }
    if let Some(zone) = &page.zone {
        out += " · times: ";
        out += zone;
    }
    out.push('\n');
    out += &body;
    with_notes(out, &page.notes, &closing)
}

/// A place as the argument that leads to it: `12`, `12:3`, `12:3:4000`.
fn cursor(place: Place) -> String {
    match place {
        Place {
            thread,
            utterance: 0,
            character: 0,
        } => thread.to_string(),
        Place {
            thread,
            utterance,
            character: 0,
        } => format!("{thread}:{utterance}"),
        Place {
            thread,
            utterance,
            character,
        } => format!("{thread}:{utterance}:{character}"),
    }
}

/// An utterance without as many characters of its text, and at most so many of the rest; who spoke when stands before it.
fn utterance_from(said: &Utterance, skipped: usize, most: usize) -> String {
    if skipped == 0 && most == usize::MAX {
        return utterance(said);
    }
    let rest: String = said.text.chars().skip(skipped).take(most).collect();
    let is_cut = said.text.chars().count() > skipped.saturating_add(most);
    let text = format!(
        "{}{rest}{}",
        if skipped > 0 { "… " } else { "" },
        if is_cut { " …" } else { "" }
    );
    let mut part = utterance_of(said, text);
    if is_cut {
        part.files.clear();
    }
    utterance(&part)
}

/// The same utterance with another text.
fn utterance_of(said: &Utterance, text: String) -> Utterance {
    Utterance {
        at: match &said.at {
            Moment::Offset(seconds) => Moment::Offset(*seconds),
            Moment::Time(time) => Moment::Time(time.clone()),
        },
        speaker: Speaker {
            role: said.speaker.role,
            name: said.speaker.name.clone(),
            note: said.speaker.note.clone(),
        },
        text,
        files: said.files.clone(),
    }
}

/// Up to so many groups of a second grouping are columns, where nothing is measured or compared.
pub const COLUMNS_MAX: usize = 24;

/// What closing remarks on statistics take of the budget.
const BASIS_BYTES: usize = 700;

/// A table with a row for each group, its others and the total, and what it was made of.
fn statistics(of: &StatisticsOutput) -> String {
    let Figures { now, before } = &of.whole;
    if now.count == 0 && before.as_ref().is_none_or(|before| before.count == 0) {
        let applied = in_brackets(&of.applied_filters);
        let empty = format!(
            "No {}{applied}. What the Daktela account of this server may not see does not show.",
            of.plural
        );
        return with_notes(empty, &of.notes, &of.basis[..of.basis.len().saturating_sub(1)]);
    }
    let mut out = text::count(now.count, of.singular, of.plural);
    if let Some(before) = before {
        out += &format!(
            ", {} before ({})",
            text::thousands(before.count),
            change(now.count, before.count)
        );
    }
    let by: Vec<&str> = of.dimensions.iter().map(|by| by.label.as_str()).collect();
    if !by.is_empty() {
        out += &format!(" by {}", by.join(" and ").to_lowercase());
    }
    for filter in &of.applied_filters {
        out += " · ";
        out += filter;
    }
    if let Some(before) = &of.compared_with {
        out += &format!(" · before: {before}");
    }
    if let Some(zone) = &of.zone {
        out += " · times: ";
        out += zone;
    }
    out.push('\n');
    let mut closing = Vec::new();
    if let Some(measure) = of.measure {
        out += &spread_in_words(measure, now, of.plural);
    }
    if let Some(first) = of.dimensions.first() {
        let notes: usize = of.notes.iter().chain(&of.basis).map(|note| note.len() + 8).sum();
        let room = of.budget.bytes.saturating_sub(out.len() + notes + BASIS_BYTES);
        let (table, left_out) = columns(of).map_or_else(|| rows(of, room), |columns| pivot(of, &columns, room));
        out += &table;
        let found = match of.group_count {
            1 => "1 group".to_owned(),
            groups => format!("{} groups", text::thousands(groups as u64)),
        };
        closing.push(match of.repeated {
            0 => format!("{found}, which add up to the total."),
            more => format!(
                "{found}. Some {} are in several groups and count in each, so that the groups hold {} more than the total.",
                of.plural,
                text::thousands(more)
            ),
        });
        if first.is_time && of.dimensions.len() == 1 {
            closing[0] += &format!(" {}s without {} are left out.", first.label, of.plural);
        }
        if left_out > 0 {
            closing.push(format!(
                "{left_out} rows did not fit max_bytes={}; top shows fewer groups, with the others in one row.",
                of.budget.bytes
            ));
        }
    }
    closing.extend(of.basis.iter().cloned());
    with_notes(out.trim_end().to_owned(), &of.notes, &[closing.join(" ")])
}

/// The figures of all records in a sentence.
fn spread_in_words(measure: &str, summary: &Summary, plural: &str) -> String {
    let Some(spread) = &summary.spread else {
        return format!("\n{measure}: none of the {plural} has a value.\n");
    };
    let duration = |seconds: f64| time::duration(seconds.round());
    let of = if spread.with_value == summary.count {
        String::new()
    } else {
        format!(" (of {} that have a value)", text::thousands(spread.with_value))
    };
    format!(
        "\n{measure}{of}: average {}, median {}, 90 % up to {}, longest {}, sum {}.\n",
        duration(spread.average),
        duration(spread.median),
        duration(spread.p90 as f64),
        duration(spread.longest as f64),
        duration(spread.sum as f64),
    )
}

/// `+900, +9.9 %`.
fn change(now: u64, before: u64) -> String {
    let sign = if now < before { "−" } else { "+" };
    let number = text::thousands(now.abs_diff(before));
    if before == 0 {
        return format!("{sign}{number}");
    }
    format!("{sign}{number}, {sign}{}", share(now.abs_diff(before), before))
}

/// A group in a cell of a table.
fn cell(value: Option<&FactValue>, of: &Grouping) -> String {
    let shown = match value {
        None => "none".to_owned(),
        Some(FactValue::Reference(Reference { title: Some(title), .. })) if !of.shows_ids => {
            inline(title, LINK_TITLE_CHARS)
        }
        Some(of) => self::value(of),
    };
    shown.replace('|', "\\|")
}

/// What is said of groups that do not show.
fn rest_label(rest: &RestOutput) -> String {
    let groups = match rest.groups {
        1 => "1 other".to_owned(),
        groups => format!("{} others", text::thousands(groups as u64)),
    };
    match rest.fewer_than {
        Some(least) => format!("{groups} of fewer than {least}"),
        None => groups,
    }
}

/// The groups of the second grouping, where they are few enough to be columns.
fn columns(of: &StatisticsOutput) -> Option<Vec<Option<&FactValue>>> {
    let inner = of.dimensions.get(1)?;
    if of.measure.is_some() || of.compared_with.is_some() || of.groups.iter().any(|group| !group.rest.is_empty()) {
        return None;
    }
    let mut columns: Vec<(Option<&FactValue>, u64)> = Vec::new();
    for group in of.groups.iter().flat_map(|group| &group.inner) {
        match columns.iter_mut().find(|(known, _)| *known == group.value.as_ref()) {
            Some((_, count)) => *count += group.figures.now.count,
            None => columns.push((group.value.as_ref(), group.figures.now.count)),
        }
    }
    if columns.len() > COLUMNS_MAX {
        return None;
    }
    sort::sort_by(&mut columns, |(a, more), (b, than)| {
        let order = if inner.is_time {
            order_of_time(*a).cmp(&order_of_time(*b))
        } else {
            than.cmp(more)
        };
        a.is_none().cmp(&b.is_none()).then(order)
    });
    Some(columns.into_iter().map(|(value, _)| value).collect())
}

/// Times in their order: those that read so, and days of the week.
fn order_of_time(value: Option<&FactValue>) -> String {
    const DAYS: [&str; 7] = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    let shown = value.map(self::value).unwrap_or_default();
    DAYS.iter()
        .position(|day| *day == shown)
        .map_or(shown, |place| place.to_string())
}

/// A line of a table.
fn line(cells: impl IntoIterator<Item = String>) -> String {
    let mut out = String::from("\n|");
    for cell in cells {
        out += &cell;
        out.push('|');
    }
    out
}

fn head(labels: Vec<String>, texts: usize) -> String {
    let marks = (0..labels.len()).map(|i| if i < texts { "-" } else { "-:" }.to_owned());
    line(labels) + &line(marks.collect::<Vec<_>>())
}

/// As many of these lines as there is room for, then those that always stand; and how many were left out.
fn fit(head: String, lines: Vec<String>, foot: String, room: usize) -> (String, usize) {
    let mut out = head;
    let mut left_out = 0;
    for line in lines {
        if left_out == 0 && out.len() + line.len() + foot.len() <= room {
            out += &line;
        } else {
            left_out += 1;
        }
    }
    out += &foot;
    out.push('\n');
    (out, left_out)
}

/// A column for each group of the second grouping.
fn pivot(of: &StatisticsOutput, columns: &[Option<&FactValue>], room: usize) -> (String, usize) {
    let (outer, inner) = (&of.dimensions[0], &of.dimensions[1]);
    let number = |count: u64| text::thousands(count);
    let labels = columns.iter().map(|column| cell(*column, inner));
    let labels: Vec<String> = [format!("{} \\ {}", outer.label, inner.label.to_lowercase())]
        .into_iter()
        .chain(labels)
        .chain([capitalised(of.plural)])
        .collect();
    let lines = of.groups.iter().map(|group| {
        let count = |column: &Option<&FactValue>| {
            let found = group.inner.iter().find(|inner| inner.value.as_ref() == *column);
            number(found.map_or(0, |inner| inner.figures.now.count))
        };
        let counts = columns.iter().map(count);
        line(
            [cell(group.value.as_ref(), outer)]
                .into_iter()
                .chain(counts)
                .chain([number(group.figures.now.count)]),
        )
    });
    let empty = || vec![String::new(); columns.len()];
    // What the others hold of a column is not known.
    let totals = if of.rest.is_empty() {
        let total = |column: &Option<&FactValue>| {
            let inner = of.groups.iter().flat_map(|group| &group.inner);
            let of_column = inner.filter(|inner| inner.value.as_ref() == *column);
            number(of_column.map(|inner| inner.figures.now.count).sum())
        };
        columns.iter().map(total).collect()
    } else {
        empty()
    };
    let foot: String = of
        .rest
        .iter()
        .map(|rest| (rest_label(rest), empty(), rest.figures.now.count))
        .chain([("Total".to_owned(), totals, of.whole.now.count)])
        .map(|(label, columns, count)| line([label].into_iter().chain(columns).chain([number(count)])))
        .collect();
    fit(head(labels, 1), lines.collect(), foot, room)
}

/// A row for each group, or for each group of the second grouping.
fn rows(of: &StatisticsOutput, room: usize) -> (String, usize) {
    let mut labels: Vec<String> = of.dimensions.iter().map(|by| by.label.clone()).collect();
    let texts = labels.len();
    labels.extend([capitalised(of.plural), "Share".to_owned()]);
    if of.compared_with.is_some() {
        labels.extend(["Before".to_owned(), "Change".to_owned()]);
    }
    if of.measure.is_some() {
        let figures = ["Average s", "Median s", "90 % s", "Longest s", "Sum s"];
        labels.extend(figures.map(str::to_owned));
        if of.compared_with.is_some() {
            labels.push("Average before s".to_owned());
        }
    }
    let figures = |figures: &Figures| {
        let Figures { now, before } = figures;
        let mut cells = vec![text::thousands(now.count), share(now.count, of.whole.now.count)];
        if let Some(before) = before {
            cells.extend([text::thousands(before.count), change(now.count, before.count)]);
        }
        if of.measure.is_some() {
            let none = || vec![String::new(); 5];
            cells.extend(now.spread.as_ref().map_or_else(none, |spread| {
                vec![
                    tenths(spread.average),
                    spread.median.to_string(),
                    spread.p90.to_string(),
                    spread.longest.to_string(),
                    spread.sum.to_string(),
                ]
            }));
            if let Some(before) = before {
                let average = before.spread.as_ref().map(|spread| tenths(spread.average));
                cells.push(average.unwrap_or_default());
            }
        }
        cells
    };
    let row = |groups: Vec<String>, of: &Figures| {
        let blank = texts - groups.len();
        line(
            groups
                .into_iter()
                .chain(std::iter::repeat_n(String::new(), blank))
                .chain(figures(of)),
        )
    };
    let mut lines = Vec::new();
    for group in &of.groups {
        let outer = cell(group.value.as_ref(), &of.dimensions[0]);
        let Some(by) = of.dimensions.get(1) else {
            lines.push(row(vec![outer], &group.figures));
            continue;
        };
        let inner = group
            .inner
            .iter()
            .map(|inner: &GroupOutput| (cell(inner.value.as_ref(), by), &inner.figures));
        let rest = group.rest.iter().map(|rest| (rest_label(rest), &rest.figures));
        lines.extend(
            inner
                .chain(rest)
                .map(|(inner, figures)| row(vec![outer.clone(), inner], figures)),
        );
    }
    let rest = of.rest.iter().map(|rest| row(vec![rest_label(rest)], &rest.figures));
    let foot = rest.chain([row(vec!["Total".to_owned()], &of.whole)]).collect();
    fit(head(labels, texts), lines, foot, room)
}

/// `41.2 %`.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    format!("{} %", tenths(part as f64 * 100.0 / whole as f64))
}

/// With one digit behind the point.
fn tenths(number: f64) -> String {
    let tenths = (number * 10.0).round() as i64;
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths.abs() / 10, tenths.abs() % 10)
}

fn transcript(whole: &TranscriptOutput) -> String {
    let legs = &whole.legs;
    let read: usize = legs.iter().map(|leg| leg.read).sum();
    let is_read = legs.iter().all(|leg| leg.remarks.is_empty());
    let id = match &legs[..] {
        [leg] => inline(&leg.activity, TITLE_CHARS),
        _ => inline(&whole.activity, TITLE_CHARS),
    };
    if read == 0 && is_read {
        return with_notes(
            format!(
                "No transcript for activity {id:?}. Calls have one only where transcription was on; the id must be a call's activity id (activities_…), as list_calls shows it."
            ),
            &whole.notes,
            &[],
        );
    }
    let segments = |number: usize| text::count(number as u64, "segment", "segments");
    let total: usize = legs.iter().map(|leg| leg.utterances.len()).sum();
    if total == 0 && is_read {
        return format!("The transcript of activity {id} has {} but no text.", segments(read));
    }
    let skip = usize::try_from(whole.skip).unwrap_or(usize::MAX).min(total);
    if skip == total && total > 0 {
        return format!(
            "skip={} is past the end: the transcript has {}.",
            whole.skip,
            segments(total)
        );
    }
    let (lines, next) = transcript_lines(whole, skip);
    let (of, time) = if legs.len() > 1 {
        (
            format!("the call of {id} in {} legs", legs.len()),
            "minute:second of the leg",
        )
    } else {
        (format!("activity {id}"), "minute:second")
    };
    let first = if total == 0 { 0 } else { skip + 1 };
    let mut out = format!("Transcript of {of}, segments {first}–{next} of {total} ([{time}])\n{lines}");
    if next < total {
        out += &format!("\n\n{} more segments: call again with skip={next}.", total - next);
    }
    for leg in legs.iter().filter(|leg| leg.is_partial) {
        let which = if legs.len() > 1 {
            format!(" of activity {}", inline(&leg.activity, TITLE_CHARS))
        } else {
            String::new()
        };
        out += &format!(
            "\n\nNote: the transcript{which} is longer than the {} segments that one call reads.",
            text::thousands(leg.read as u64)
        );
    }
    with_notes(out, &whole.notes, &[])
}

/// The segments from `skip` on, as far as there is room, and the number of the one behind them. Each leg is told by its
/// activity and its agent where there are several.
fn transcript_lines(whole: &TranscriptOutput, skip: usize) -> (String, usize) {
    let legs = &whole.legs;
    let mut room = whole.budget.bytes.saturating_sub(TRANSCRIPT_FRAME_BYTES);
    let mut out = String::new();
    let mut at = 0;
    for (i, leg) in legs.iter().enumerate() {
        let end = at + leg.utterances.len();
        // It was shown whole before.
        if end <= skip && skip > 0 {
            at = end;
            continue;
        }
        if legs.len() > 1 {
            let border = leg_border(leg, i + 1, legs.len());
            room = room.saturating_sub(border.len() + 3);
            out += if out.is_empty() { "\n" } else { "\n\n" };
            out += &format!("{}:", capitalised(&border));
            if leg.utterances.is_empty() && leg.remarks.is_empty() {
                out += "\n[no transcript]";
            }
        }
        for remark in &leg.remarks {
            out += &format!("\n{remark}");
        }
        for segment in &leg.utterances {
            if at < skip {
                at += 1;
                continue;
            }
            let line = utterance(segment);
            let size = line.len() + 3;
            if size > room && at > skip {
                return (out, at);
            }
            room = room.saturating_sub(size);
            out += "\n> ";
            out += &line;
            at += 1;
        }
    }
    (out, at)
}

/// `leg 2 of 3: activity activities_b, agent Jan Novák`.
fn leg_border(leg: &Leg, place: usize, of: usize) -> String {
    let agent = match &leg.agent {
        Some(agent) => format!("agent {}", inline(agent, LINK_TITLE_CHARS)),
        None => "no agent named".to_owned(),
    };
    format!(
        "leg {place} of {of}: activity {}, {agent}",
        inline(&leg.activity, LINK_TITLE_CHARS)
    )
}

/// The transcript of a call with several legs as the lines of one text. No segment can pass for a border: each begins with
/// its time.
fn legs(legs: &[Leg]) -> String {
    let mut lines = Vec::new();
    for (i, leg) in legs.iter().enumerate() {
        lines.push(format!("[{}]", leg_border(leg, i + 1, legs.len())));
        lines.extend(leg.utterances.iter().map(utterance));
        if leg.utterances.is_empty() {
            lines.push("[no transcript]".to_owned());
        }
    }
    lines.join("\n")
}

/// Who said what when, on one line; further lines of a message are set in, so that none can pass for a message.
fn utterance(utterance: &Utterance) -> String {
    let Utterance {
        at,
        speaker,
        text,
        files,
    } = utterance;
    let text = text::defuse(text);
    let speaker = self::speaker(speaker);
    match at {
        Moment::Offset(seconds) => {
            let at = *seconds as u64;
            format!("[{}:{:02}] {speaker}: {text}", at / 60, at % 60)
        }
        Moment::Time(time) => {
            let mut lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            let files: Vec<String> = files.iter().map(|file| inline(&plain(file), TITLE_CHARS)).collect();
            let attached = format!("[attached: {}]", files.join("; "));
            if !files.is_empty() {
                lines.push(&attached);
            }
            // The message was sent, though there is nothing of it to read.
            let said = if lines.is_empty() {
                "[no text]".to_owned()
            } else {
                lines.join("\n    ")
            };
            format!("{time} {speaker}: {said}").trim_start().to_owned()
        }
    }
}

fn speaker(speaker: &Speaker) -> String {
    let mut out = speaker.role.label().to_owned();
    if let Some(name) = &speaker.name {
        out.push(' ');
        out += &inline(name, LINK_TITLE_CHARS);
    }
    if let Some(note) = &speaker.note {
        out += &format!(" ({note})");
    }
    out
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        args::Budget,
        output::{Role, Text, Thread},
    };

    fn note(i: usize) -> Record {
        Record {
            singular: "note",
            id: Some(i.to_string()),
            title: None,
            url: None,
            facts: Vec::new(),
            remarks: Vec::new(),
            texts: vec![Text {
                label: "",
                body: Body::Plain("x".repeat(1000)),
                chars: 300,
                note: None,
            }],
        }
    }

    fn print(text_chars: Option<usize>) -> String {
        let page = ListOutput {
            singular: "note",
            plural: "notes",
            records: (0..10).map(note).collect(),
            rows: 10,
            left_out: None,
            skip: 0,
            take: 10,
            total: Some(10),
            applied_filters: Vec::new(),
            notes: Vec::new(),
            zone: None,
            overflow: Overflow::Texts,
            text_chars,
            budget: Budget {
                bytes: 3_000,
                is_server_limit: false,
            },
        };
        list(&page, 0)
    }

    #[test]
    fn asking_for_long_texts_shows_them_of_fewer_records() {
        let whole = print(Some(100_000));
        assert!(whole.starts_with("Notes 1–2 of 10"), "{whole}");
        assert!(whole.contains(&"x".repeat(1000)), "{whole}");
        assert!(whole.ends_with("8 more: call again with skip=2."), "{whole}");
        assert!(print(None).starts_with("Notes 1–10 of 10"));
    }

    #[test]
    fn answers_one_after_the_other_hold_all_that_was_said_once() {
        let mut letters = (0x4e00..).map_while(char::from_u32);
        let mut said = |length: usize| Utterance {
            at: Moment::Time("2026-11-20 10:00:00".to_owned()),
            speaker: Speaker {
                role: Role::Customer,
                name: Some("Jana".to_owned()),
                note: None,
            },
            text: letters.by_ref().take(length).collect(),
            files: Vec::new(),
        };
        let lengths: &[&[usize]] = &[&[10, 3000, 40], &[], &[700, 1], &[1], &[5, 5, 5, 400, 900]];
        let all: Vec<Vec<usize>> = lengths.iter().map(|lengths| lengths.to_vec()).collect();
        let spoken: Vec<Vec<Utterance>> = all
            .iter()
            .map(|lengths| lengths.iter().map(|length| said(*length)).collect())
            .collect();
        let mut read = String::new();
        let mut from = Place::default();
        for _ in 0..100 {
            let rest = spoken.iter().enumerate().skip(from.thread as usize);
            let page = ThreadsOutput {
                plural: "notes",
                threads: rest
                    .map(|(i, said)| Thread {
                        record: Record {
                            texts: Vec::new(),
                            ..note(i)
                        },
                        said: said.iter().map(|said| utterance_of(said, said.text.clone())).collect(),
                    })
                    .collect(),
                rows: spoken.len() - from.thread as usize,
                from,
                total: Some(spoken.len() as u64),
                applied_filters: Vec::new(),
                notes: Vec::new(),
                zone: None,
                budget: Budget {
                    bytes: 2_000,
                    is_server_limit: false,
                },
            };
            let answer = threads(&page);
            assert!(answer.len() <= 2_000, "{}", answer.len());
            read.extend(answer.chars().filter(|c| ('\u{4e00}'..'\u{9fff}').contains(c)));
            let Some((_, next)) = answer.split_once("continue=") else {
                break;
            };
            let parts: Vec<u64> = next
                .trim_end_matches('.')
                .split(':')
                .map(|part| part.parse().expect("a number"))
                .collect();
            let next = Place {
                thread: parts[0],
                utterance: parts.get(1).map_or(0, |at| *at as usize),
                character: parts.get(2).map_or(0, |at| *at as usize),
            };
            assert_ne!(next, from);
            from = next;
        }
        let expected: String = spoken.iter().flatten().map(|said| said.text.as_str()).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn a_value_cannot_pass_for_a_link_or_a_fact() {
        assert_eq!(
            inline("a\n· Stage: CLOSE [x](http://evil)", 100),
            "a • Stage: CLOSE [x] (http://evil)"
        );
        for dot in "··‧∙⋅⸱・･ꞏ᛫ᐧ⸳".chars() {
            assert_eq!(
                inline(&format!("a {dot} Stage: CLOSE"), 100),
                "a • Stage: CLOSE",
                "{dot:?}"
            );
        }
    }

    #[test]
    fn a_value_cannot_pass_for_an_id() {
        assert_eq!(inline("**787258** x ***", 100), "* *787258* * x * * *");
        assert_eq!(inline("activities_1__2", 100), "activities_1__2");
    }

    #[test]
    fn a_label_of_people_begins_no_block_and_ends_no_label() {
        for (text, label) in [
            ("Note", "Note"),
            ("# Ticket 1: x", "Ticket 1 x"),
            ("- [x](https://e.example)", "x] (https //e.example)"),
            ("> Stage: OPEN · a", "Stage OPEN • a"),
            ("1. krok", "1. krok"),
            ("***", ""),
        ] {
            assert_eq!(super::label(text, 100), label);
        }
    }

    #[test]
    fn quoting_is_cutting_and_then_marking_each_line() {
        for body in ["a", "a\n\nb c", "žluťoučký kůň\n úpí ", "a \n\n\nb", "  a"] {
            for max in 0..20 {
                for indent in ["", "  "] {
                    let mut quoted = String::new();
                    write_quote(&mut quoted, body, max, indent).expect("a String takes all");
                    assert_eq!(quoted, text::quote(&text::cut(body, max), indent), "{body:?} {max}");
                }
            }
        }
    }

    #[test]
    fn utterances_say_who_said_what_when() {
        let said = |at, role, name: Option<&str>, note, text: &str| {
            utterance(&Utterance {
                at,
                speaker: Speaker {
                    role,
                    name: name.map(str::to_owned),
                    note,
                },
                text: text.to_owned(),
                files: Vec::new(),
            })
        };
        let time = || Moment::Time("2026-11-20 10:00:00".to_owned());
        assert_eq!(
            said(Moment::Offset(65.5), Role::Customer, None, None, "b"),
            "[1:05] Customer: b"
        );
        assert_eq!(
            said(
                time(),
                Role::Agent,
                Some("Jan"),
                Some("internal note".into()),
                "a\n\n b"
            ),
            "2026-11-20 10:00:00 Agent Jan (internal note): a\n    b"
        );
        assert_eq!(
            said(Moment::Time(String::new()), Role::Bot, None, None, ""),
            "Bot: [no text]"
        );
    }

    #[test]
    fn a_file_in_a_message_leaves_its_name() {
        let said = |text: &str| {
            utterance(&Utterance {
                at: Moment::Time("2026-11-20 10:00:00".to_owned()),
                speaker: Speaker {
                    role: Role::Customer,
                    name: None,
                    note: None,
                },
                text: text.to_owned(),
                files: vec![FactValue::File {
                    title: Some("rám.jpg".to_owned()),
                    media_type: Some("image/jpeg".to_owned()),
                    bytes: Some("48211".to_owned()),
                    is_inline: false,
                }],
            })
        };
        assert_eq!(
            said(""),
            "2026-11-20 10:00:00 Customer: [attached: rám.jpg (image/jpeg, 48211 bytes)]"
        );
        assert_eq!(
            said("Viz foto"),
            "2026-11-20 10:00:00 Customer: Viz foto\n    [attached: rám.jpg (image/jpeg, 48211 bytes)]"
        );
    }

    #[test]
    fn a_long_custom_field_is_quoted() {
        let field = |text: String| Record {
            facts: vec![Fact {
                key: Key::CustomField("note".to_owned()),
                label: "Note".into(),
                value: FactValue::Text(text),
                provenance: crate::model::output::Provenance::People,
                max_chars: 300,
            }],
            texts: Vec::new(),
            ..note(1)
        };
        assert_eq!(
            Item::in_list(&field("short".to_owned())).print(Limit::OWN),
            "- **1**\n  Note: short"
        );
        let long = Item::in_list(&field(format!("a\n# b {}", "x".repeat(300)))).print(Limit::OWN);
        assert!(long.starts_with("- **1**\n  Note:\n  > a\n  > # b xxx"), "{long}");
    }
}
