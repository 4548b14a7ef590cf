//! Many conversations in one answer: tickets with all that was said on them, and the conversations of a period. The answer's cursor
//! goes on exactly where it ended.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;

use crate::{
    daktela::{
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
            Body, Content, FactValue, Leg, Moment, Output, Place, Related, Role, Speaker, Thread, ThreadsOutput,
            Utterance,
        },
        param,
    },
    render::{html, markdown},
    run::{
        self,
        filters::conditions,
        records::{records_with, warnings},
    },
    text,
    tools::{
        activity_content::{self, ChannelOf},
        attachments,
    },
    value,
};

/// Of how many tickets the activities are read at once, and of how many activities the content.
const TICKETS_AT_ONCE: usize = 10;
const ACTIVITIES_AT_ONCE: usize = 25;

/// Where an answer begins: what the one before gave as its end.
fn place(args: &Args) -> Result<Place, Error> {
    let Some(given) = args.text(&param::CONTINUE) else {
        return Ok(Place::default());
    };
    let wrong = || {
        Error::Argument(format!(
            "Wrong arguments:\n- continue: expected the value that the answer before gave, e.g. 12 or 12:3, not {}",
            markdown::quoted(given)
        ))
    };
    let parts: Vec<u64> = given
        .split(':')
        .map(|part| part.trim().parse::<u64>().map_err(|_| wrong()))
        .collect::<Result<_, _>>()?;
    let at = |i: usize| parts.get(i).copied().unwrap_or(0);
    if parts.len() > 3 {
        return Err(wrong());
    }
    Ok(Place {
        thread: at(0),
        utterance: usize::try_from(at(1)).unwrap_or(usize::MAX),
        character: usize::try_from(at(2)).unwrap_or(usize::MAX),
    })
}

fn bytes(thread: &Thread) -> usize {
    thread.said.iter().map(|said| said.text.len() + 40).sum::<usize>() + 300
}

/// Tickets of a list with all their activities, oldest first.
pub(crate) fn ticket_threads(
    context: &Context,
    args: &Args,
    list: &List,
    activity: &Entity,
    channel: ChannelOf,
) -> Result<Output, Error> {
    let fields = list.entity.projection(Detail::Summary);
    threads(context, args, list, fields, TICKETS_AT_ONCE, |rows| {
        let names: Vec<String> = rows.iter().filter_map(|row| value::text_at(row, "name")).collect();
        let query = Query {
            fields: activity.projection(Detail::Summary),
            ..Query::new(activity.endpoint, 0)
        }
        .filter(Filter::one_of("ticket", names))
        .sort("time", Direction::Ascending);
        let activities = context.client.read_all(&query)?;
        let contents = activity_content::contents(context, args, &activities.rows, channel);
        let mut by_ticket: BTreeMap<String, Vec<(Value, Related)>> = BTreeMap::new();
        for (row, content) in activities.rows.into_iter().zip(contents) {
            if let Some(ticket) = value::first(&row, "ticket").and_then(value::name_of) {
                by_ticket.entry(ticket).or_default().push((row, content));
            }
        }
        let records = records_with(context, list.entity, args, Detail::Summary, rows, Vec::new());
        Ok(records
            .into_iter()
            .map(|record| {
                let activities = record
                    .id
                    .as_ref()
                    .and_then(|id| by_ticket.remove(id))
                    .unwrap_or_default();
                let title = record.title.clone().unwrap_or_default();
                let said = activities
                    .into_iter()
                    .flat_map(|(row, content)| said(&row, content, Some(&title)));
                Thread {
                    said: said.collect(),
                    record,
                }
            })
            .collect())
    })
}

/// The conversations of a period, with all that was said.
pub(crate) fn conversations(context: &Context, args: &Args, list: &List, channel: ChannelOf) -> Result<Output, Error> {
    let mut fields = list.entity.projection(Detail::Summary);
    for field in ["type", "description", "attachments", "created_by.title"] {
        if !fields.iter().any(|known| known == field) {
            fields.push(field.to_owned());
        }
    }
    threads(context, args, list, fields, ACTIVITIES_AT_ONCE, |rows| {
        let contents = activity_content::contents(context, args, rows, channel);
        let records = records_with(context, list.entity, args, Detail::Summary, rows, Vec::new());
        let each = records.into_iter().zip(rows.iter().zip(contents));
        Ok(each
            .map(|(record, (row, content))| Thread {
                said: said(row, content, None),
                record,
            })
            .collect())
    })
}

/// A page of conversations, read a few at a time and no further than the answer has room.
fn threads(
    context: &Context,
    args: &Args,
    list: &List,
    fields: Vec<String>,
    at_once: usize,
    read: impl Fn(&[Value]) -> Result<Vec<Thread>, Error>,
) -> Result<Output, Error> {
    let from = place(args)?;
    let conditions = conditions(context, list.filters, args)?;
    let (mut sort, mut said) = run::order(list.entity, list.sort, args);
    // A cursor needs one order, whatever records are equal in the first.
    if sort.len() == 1 && list.entity.key != sort[0].0 {
        let direction = sort[0].1;
        sort.push((list.entity.key.to_owned(), direction));
    }
    let query = Query {
        filters: conditions.filters.clone(),
        sort,
        fields,
        skip: from.thread,
        ..Query::new(list.entity.endpoint, run::page_size(list, args))
    };
    let page = context.client.read_page(&query)?;
    let budget = args.budget(context.settings.max_answer_bytes);
    let mut threads: Vec<Thread> = Vec::new();
    let mut size = 0;
    for rows in page.rows.chunks(at_once) {
        let new = read(rows)?;
        size += new.iter().map(bytes).sum::<usize>();
        threads.extend(new);
        if size > budget.bytes.saturating_mul(2) {
            break;
        }
    }
    let mut applied_filters = conditions.applied_filters;
    applied_filters.append(&mut said);
    Ok(Output {
        first_record: page.rows.first().map(|row| run::first_ids(list.entity, row)),
        content: Content::Threads(ThreadsOutput {
            plural: list.entity.plural,
            threads,
            rows: page.rows.len(),
            from,
            total: page.total,
            applied_filters,
            notes: [conditions.notes, warnings(context)].concat(),
            zone: context.client.zone(),
            budget,
        }),
    })
}

/// What was said in an activity: the e-mail, the comment, the messages, the call with its transcript.
pub(crate) fn said(activity: &Value, content: Related, ticket: Option<&str>) -> Vec<Utterance> {
    let time = value::text_at(activity, "time").unwrap_or_default();
    let line = |path: &str| value::text_at(activity, path).map(|text| text::line(&text));
    let kind = value::text_at(activity, "type").unwrap_or_default();
    let fact = |label: &str| {
        content
            .facts
            .iter()
            .find(|fact| fact.label == label)
            .map(|fact| &fact.value)
    };
    let direction = fact("Direction").map(|value| match value {
        FactValue::Word(way) => way.to_lowercase(),
        _ => String::new(),
    });
    let other_side = || {
        line("contact.title").or_else(|| match fact("Address") {
            Some(FactValue::Text(address)) => Some(text::line(address)),
            _ => None,
        })
    };
    let (role, name) = match direction.as_deref() {
        Some("out") => (Role::Agent, line("user.title")),
        Some("in") => (Role::Customer, other_side()),
        _ => (Role::Unknown, None),
    };
    let utterance = |role, name, note: String, text: String, files| Utterance {
        at: Moment::Time(time.clone()),
        speaker: Speaker {
            role,
            name,
            note: Some(Cow::Owned(note)),
        },
        text,
        files,
    };
    let mut out = Vec::new();
    match (kind.as_str(), content.text) {
        ("EMAIL", Some(text)) => {
            let mut notes = vec!["e-mail".to_owned()];
            if fact("Automatic").is_some() {
                notes.push("automatic".to_owned());
            }
            notes.extend(text.note.map(|note| {
                note.trim_matches(['[', ']'])
                    .split(';')
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            }));
            let body = match text.body {
                Body::Plain(body) => body,
                Body::Conversation(_) | Body::Legs(_) => String::new(),
            };
            let subject = line("title").filter(|subject| ticket.is_some_and(|title| !is_about(subject, title)));
            let text = match subject {
                Some(subject) => format!("Subject: {subject}\n{body}"),
                None => body,
            };
            let files = match fact("Attachments") {
                Some(FactValue::List(files)) => files.clone(),
                Some(file) => vec![file.clone()],
                None => Vec::new(),
            };
            out.push(utterance(role, name, notes.join("; "), text, files));
        }
        ("CALL", text) => {
            let mut notes = vec!["call".to_owned()];
            notes.extend(direction.clone().filter(|way| !way.is_empty()));
            match fact("Answered") {
                Some(FactValue::YesNo(true)) => notes.push("answered".to_owned()),
                Some(FactValue::YesNo(false)) => notes.push("not answered".to_owned()),
                _ => {}
            }
            if let Some(FactValue::Seconds(seconds)) = fact("Duration") {
                notes.push(format!("{seconds} s"));
            }
            let segments = match text.map(|text| text.body) {
                Some(Body::Conversation(segments)) => segments,
                Some(Body::Legs(legs)) => legs.into_iter().flat_map(|Leg { utterances, .. }| utterances).collect(),
                Some(Body::Plain(_)) | None => Vec::new(),
            };
            let text = if segments.is_empty() {
                "[no transcript]"
            } else {
                "[transcript:]"
            };
            out.push(utterance(role, name, notes.join(", "), text.to_owned(), Vec::new()));
            out.extend(merged(segments));
        }
        (_, Some(text)) => match text.body {
            Body::Conversation(mut messages) => {
                // The first one says which channel it is.
                if let Some(first) = messages.first_mut().filter(|first| first.speaker.note.is_none()) {
                    first.speaker.note = Some(Cow::Owned(chat(&kind)));
                }
                out.extend(messages);
            }
            Body::Plain(body) => out.push(utterance(role, name, kind.clone(), body, Vec::new())),
            Body::Legs(_) => {}
        },
        // A comment has an empty type in most builds.
        ("" | "COMMENT", None) => {
            let source = value::text_at(activity, "description").unwrap_or_default();
            let name = line("user.title").or_else(|| line("created_by.title"));
            let note = if kind.is_empty() { "comment" } else { "external comment" };
            let text = html::to_text(&source, html::Hidden::Marked);
            out.push(utterance(
                Role::Agent,
                name,
                note.to_owned(),
                text,
                attachments::files(activity),
            ));
        }
        (_, None) => {
            let source = value::text_at(activity, "description").unwrap_or_default();
            let text = html::to_text(&source, html::Hidden::Marked);
            if !text.is_empty() || content.remarks.is_empty() {
                out.push(utterance(role, name, kind.to_lowercase(), text, Vec::new()));
            }
        }
    }
    for remark in content.remarks.iter().filter(|remark| *remark != "[no transcript]") {
        out.push(utterance(
            Role::System,
            None,
            "note".to_owned(),
            remark.clone(),
            Vec::new(),
        ));
    }
    out
}

/// The channel of a chat in words.
fn chat(kind: &str) -> String {
    match kind {
        "CHAT" => "web chat",
        "FBM" => "Messenger",
        "IGDM" => "Instagram",
        "WAP" => "WhatsApp",
        "VBR" => "Viber",
        other => other,
    }
    .to_owned()
}

/// Whether a mail's subject is that of its ticket, marks of answers and the ticket's number aside.
fn is_about(subject: &str, title: &str) -> bool {
    let fold = |text: &str| -> String {
        let text = text::fold(text);
        let mut rest = text.trim();
        while let Some((mark, after)) = rest.split_once(':')
            && mark.chars().count() <= 3
        {
            rest = after.trim();
        }
        rest.split_whitespace()
            .filter(|word| !word.starts_with('#'))
            .collect::<Vec<_>>()
            .join(" ")
    };
    fold(subject) == fold(title)
}

/// Segments of one speaker behind each other as one, which keeps its beginning.
fn merged(segments: Vec<Utterance>) -> Vec<Utterance> {
    let mut out: Vec<Utterance> = Vec::new();
    for segment in segments {
        match out.last_mut() {
            Some(last)
                if last.speaker == segment.speaker
                    && matches!((&last.at, &segment.at), (Moment::Offset(before), Moment::Offset(at)) if before <= at) =>
            {
                last.text.push(' ');
                last.text += &segment.text;
            }
            _ => out.push(segment),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_one_speaker_are_one() {
        let segment = |at: f64, role, text: &str| Utterance {
            at: Moment::Offset(at),
            speaker: Speaker {
                role,
                name: None,
                note: None,
            },
            text: text.to_owned(),
            files: Vec::new(),
        };
        let said = merged(vec![
            segment(0.0, Role::Agent, "a"),
            segment(2.0, Role::Agent, "b"),
            segment(3.0, Role::Customer, "c"),
            segment(1.0, Role::Customer, "next leg"),
        ]);
        let texts: Vec<&str> = said.iter().map(|said| said.text.as_str()).collect();
        assert_eq!(texts, ["a b", "c", "next leg"]);
    }

    #[test]
    fn an_answer_has_the_subject_of_its_ticket() {
        assert!(is_about("Re: RE: Prasklý rám #787256", "Prasklý rám"));
        assert!(!is_about("Re: Faktura", "Prasklý rám"));
    }
}
