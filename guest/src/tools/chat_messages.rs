//! Messages of chats, with their speakers.

use serde_json::Value;

use crate::{
    daktela::{
        client::Page,
        error::Error,
        observations::Mend,
        query::{self, Query, TAKE_MAX},
    },
    model::{
        args::Args,
        context::Context,
        entity::Entity,
        output::{Moment, Related, Role, Speaker, Utterance},
        param,
    },
    render::html,
    text, time,
    tools::attachments,
    value,
};

/// The conversations of these chats, in order: one request for each.
pub(crate) fn messages(context: &Context, entity: &Entity, args: &Args, chats: &[Value]) -> Vec<Related> {
    if !args.flag(&param::MESSAGES) {
        return Vec::new();
    }
    let paths: Vec<Option<String>> = chats
        .iter()
        .map(|chat| query::path(entity.endpoint, &[&value::text_at(chat, entity.key)?, "messages"]))
        .collect();
    let queries: Vec<Query> = paths
        .iter()
        .flatten()
        .map(|path| Query::new(path, TAKE_MAX).fields(FIELDS))
        .collect();
    let mut read = context.client.read_all_of_each(&queries);
    let asked: Vec<&Value> = chats
        .iter()
        .zip(&paths)
        .filter(|(_, path)| path.is_some())
        .map(|(chat, _)| chat)
        .collect();
    let is_elsewhere = come_otherwise(context, entity, &asked, &mut read);
    let mut pages = read.into_iter();
    paths
        .iter()
        .map(|path| match path.as_ref().and_then(|_| pages.next()) {
            None => Related::remark("[no id by which messages can be asked for]"),
            Some(Err(Error::NotFound(_))) if is_elsewhere => Related::default(),
            // Some builds have no list where it would be empty; others' lists came.
            Some(Err(Error::NotFound(_))) => Related::remark("[no messages]"),
            Some(Ok(page)) if is_elsewhere && page.rows.is_empty() => Related::default(),
            Some(Err(error)) => Related::remarks(error.remark("the messages could not be read")),
            Some(Ok(page)) => {
                let mut part = conversation(&page.rows, context.client.zone().as_deref());
                let read = page.rows.len() as u64;
                if let Some(total) = page.total.filter(|total| *total > read) {
                    part.remarks.push(format!(
                        "[only {} of {} messages could be read]",
                        text::thousands(read),
                        text::thousands(total)
                    ));
                }
                part
            }
        })
        .collect()
}

/// How many whole chats show whether messages are a part of them: each may be 240 KB.
const PROBED: usize = 3;

/// What is read of a message.
const FIELDS: &[&str] = &[
    "time_created",
    "direction",
    "type",
    "from",
    "text",
    "user.title",
    "attachments",
];

/// Where no chat has messages although there should be some: puts those in that whole chats embed. Whether that gave none
/// either, so that the answer says once that they are not known.
fn come_otherwise(context: &Context, entity: &Entity, chats: &[&Value], read: &mut [Result<Page, Error>]) -> bool {
    let is_absent = |page: &Result<Page, Error>| matches!(page, Err(Error::NotFound(_) | Error::Refused(_)));
    let are_absent = read.iter().all(is_absent);
    let is_empty = |page: &Result<Page, Error>| is_absent(page) || page.as_ref().is_ok_and(|page| page.rows.is_empty());
    let lasted = |chat: &&Value| {
        value::first(chat, "duration")
            .and_then(value::number)
            .is_some_and(|s| s > 0.0)
    };
    if read.is_empty() || !read.iter().all(is_empty) || !(are_absent || chats.iter().any(lasted)) {
        return false;
    }
    let fields = ["name", "messages"].map(str::to_owned);
    // Those that lasted first; a few show whether whole chats hold messages.
    let mut at: Vec<usize> = (0..chats.len().min(read.len())).collect();
    at.sort_by_key(|&i| !lasted(&chats[i]));
    let (first, others) = at.split_at(at.len().min(PROBED));
    let mut found = false;
    for some in [first, others] {
        let names: Vec<String> = some
            .iter()
            .filter_map(|&i| value::text_at(chats[i], entity.key))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for (&i, chat) in some
            .iter()
            .zip(context.client.read_records(entity.endpoint, &names, &fields))
        {
            let Ok(Value::Array(rows)) = chat.map(|mut chat| chat["messages"].take()) else {
                continue;
            };
            found |= !rows.is_empty();
            read[i] = Ok(Page {
                total: Some(rows.len() as u64),
                rows,
                ..Page::default()
            });
        }
        if !found {
            break;
        }
    }
    context
        .client
        .note_mend(Mend::EmbeddedMessages, entity.endpoint, &["messages"], found);
    // One chat in which nobody wrote anything is no reason for suspicion.
    let is_unknown = !found && (are_absent || chats.len() > 1);
    if is_unknown {
        context.client.note(&if are_absent {
            format!(
                "This Daktela gives no messages of {} ({}): it has no such relation, or none of these has any.",
                entity.plural, entity.endpoint
            )
        } else {
            format!(
                "None of these {} has messages, though some lasted a while: this Daktela may keep them where nobody knows.",
                entity.plural
            )
        });
    }
    is_unknown
}

fn conversation(messages: &[Value], zone: Option<&str>) -> Related {
    let at = |message: &&Value| value::text_at(message, "time_created");
    let messages = time::sort(messages.iter().collect(), at, zone);
    let utterances = messages.into_iter().map(|message| Utterance {
        at: Moment::Time(at(&message).unwrap_or_default()),
        speaker: speaker(message),
        text: html::to_text(
            &value::text_at(message, "text").unwrap_or_default(),
            html::Hidden::Marked,
        ),
        files: attachments::files(message),
    });
    Related::conversation("Messages", utterances.collect(), "[no messages]")
}

/// Who wrote a message. Names of agents are Daktela's own data, the customer's is not shown here.
fn speaker(message: &Value) -> Speaker {
    let agent = value::text_at(message, "user.title").map(|title| text::line(&title));
    // In capitals here, but calls and e-mails have the same words in small letters.
    let direction = value::text_at(message, "direction")
        .unwrap_or_default()
        .to_ascii_uppercase();
    let (role, name) = match (direction.as_str(), agent) {
        ("IN", _) => (Role::Customer, None),
        ("BOT", _) => (Role::Bot, None),
        ("OUT", agent) => (Role::Agent, agent),
        _ if value::text_at(message, "from").as_deref() == Some("COWORKERS") => (Role::AiCoworker, None),
        (_, Some(agent)) => (Role::Agent, Some(agent)),
        // Without a word on the direction it may be anybody's.
        (_, None) if message.get("direction").is_none() => (Role::Unknown, None),
        (_, None) => (Role::System, None),
    };
    let note = match value::text_at(message, "type").as_deref() {
        Some("PRIVATE") => Some("internal note".into()),
        Some("COMMAND") => Some("command".into()),
        _ => None,
    };
    Speaker { role, name, note }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::output::Body;

    #[test]
    fn every_message_shows_with_its_speaker() {
        let related = conversation(
            &[
                json!({"time_created": "2026-11-20 10:00:01", "direction": "out", "user": {"title": "Jan"}, "text": "Hi"}),
                json!({"time_created": "2026-11-20 10:00:00", "direction": "in", "text": "<p>Help"}),
                json!({"time_created": "2026-11-20 10:00:02", "direction": "IN", "text": null}),
            ],
            None,
        );
        let Some(Body::Conversation(said)) = related.text.map(|text| text.body) else {
            panic!("no conversation");
        };
        let said: Vec<(Role, Option<&str>, &str)> = said
            .iter()
            .map(|Utterance { speaker, text, .. }| (speaker.role, speaker.name.as_deref(), text.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (Role::Customer, None, "Help"),
                (Role::Agent, Some("Jan"), "Hi"),
                (Role::Customer, None, "")
            ]
        );
    }

    #[test]
    fn the_hour_that_occurs_twice_keeps_its_order() {
        let message = |at: &str| json!({"time_created": format!("2026-10-25 {at}"), "direction": "IN", "text": at});
        let messages = ["02:58:00", "02:59:30", "02:00:10"].map(message);
        let Some(Body::Conversation(said)) = conversation(&messages, Some("Europe/Prague"))
            .text
            .map(|text| text.body)
        else {
            panic!("no conversation");
        };
        let said: Vec<&str> = said.iter().map(|utterance| utterance.text.as_str()).collect();
        assert_eq!(said, ["02:58:00", "02:59:30", "02:00:10"]);
    }
}
