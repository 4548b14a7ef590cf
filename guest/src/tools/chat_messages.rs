//! Messages of chats, with their speakers.

use serde_json::Value;

use crate::{
    daktela::query::{self, Query, TAKE_MAX},
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
        .map(|path| {
            Query::new(path, TAKE_MAX).fields(&[
                "time_created",
                "direction",
                "type",
                "from",
                "text",
                "user.title",
                "attachments",
            ])
        })
        .collect();
    let mut pages = context.client.read_all_of_each(&queries).into_iter();
    paths
        .iter()
        .map(|path| match path.as_ref().and_then(|_| pages.next()) {
            None => Related::remark("[no id by which messages can be asked for]"),
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
